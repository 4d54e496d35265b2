#!/usr/bin/env bash
# Every collective by every algorithm over srd between processes, on the fake verbs library: EFA's flavour with packets in
# any order and receivers that are not ready, and UD with loss, duplication and damage. Every element verified.
source "$(dirname "$0")/launch.bash"
[ -n "${RS_FAKE_VERBS:-}" ] || { echo 'built without infiniband/efadv.h'; exit 77; }
export RINGSIDE_VERBS_LIBRARY=$RS_FAKE_VERBS
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms --set run.probe=false --set baseline=none)

# collectives N NAME SETTINGS OPTION...
collectives() {
  local n=$1 name=$2
  export RINGSIDE_FAKE_VERBS=$3
  shift 3
  launch "$n" run -q -o "$work/$name-$n.h5" --set transport=srd "$@" --set collective=$all --set size=8,1000,64KiB --set chunk=8KiB \
    --set in_place=no --set lanes=2 --set run.group_size=2 "${quick[@]}" >"$work/out" 2>&1 ||
    fail "$name, $n ranks: exit $?: $(cat "$work/out")"
  expect_verified "$work/$name-$n.h5"
  [ "$(column "$work/$name-$n.h5" transport | sort -u)" = srd ] || fail "$name: not all by srd"
  printf '%3d s: %s, %d ranks: verified\n' "$SECONDS" "$name" "$n"
}
collectives 4 efa seed=1 --set srd.device=fake_efa --set srd.flavour=efa
collectives 4 efa-rough seed=2,late=3,rnr=2 --set srd.device=fake_efa
collectives 2 efa-short seed=3,late=3,short=4,mtu=1024 --set srd.device=fake_efa --set srd.bounce=2
collectives 4 ud seed=4 --set srd.device=fake_ud
collectives 3 ud-rough seed=5,late=2,loss=1,duplicate=1,corrupt=1 --set srd.device=fake_ud --set srd.flavour=ud

# What no retry heals ends in words, and what was measured before is saved. With this seed short messages come first: the
# longest alone would reach the failure in their first case.
export RINGSIDE_FAKE_VERBS=status=13,status_at=2000
launch 2 run -q -o "$work/dead.h5" --set transport=srd --set srd.device=fake_efa --set size=8..1MiB --set algorithm=ring \
  --set run.seed=1 "${quick[@]}" >"$work/out" 2>&1 && fail 'a dead network was not noticed'
grep -q 'the peer has not answered.*security group' "$work/out" || fail "no cause is named: $(cat "$work/out")"
column "$work/dead.h5" finished | grep -q 1 || fail 'nothing was saved'

# A flavour that the device has not.
launch 2 run -q -o "$work/none.h5" --set transport=srd --set srd.device=fake_ud --set srd.flavour=efa "${quick[@]}" >"$work/out" 2>&1 &&
  fail 'EFA without an EFA'
grep -q 'srd.flavour=efa: device fake_ud: it is no EFA; use srd.flavour=ud' "$work/out" || fail "no advice: $(cat "$work/out")"

# Two devices, between which lanes take turns.
export RINGSIDE_FAKE_VERBS=seed=6
launch 2 run -q -o "$work/two.h5" --set transport=srd --set srd.device=fake_efa,fake_ud --set lanes=2 --set size=8,64KiB \
  --set chunk=8KiB "${quick[@]}" >"$work/out" 2>&1 || fail "two devices: exit $?: $(cat "$work/out")"
expect_verified "$work/two.h5"
"$RINGSIDE" show "$work/two.h5" >"$work/table" || fail "show: exit $?"
for device in fake_efa fake_ud; do
  grep -q "srd over $device" "$work/table" || fail "not over $device: $(cat "$work/table")"
done

# transport=auto takes the best that every rank can open, and says what it left out. Within a host that is shared memory: each rank
# is given a host of its own here.
unshare --uts true 2>/dev/null || { echo 'transport=auto is left out: a hostname of its own for each rank takes root'; exit 0; }
# auto TRANSPORT WORDS
auto() {
  launch_hosts 2 run -q -o "$work/auto-$1.h5" --set transport=auto --set srd.device=fake_efa --set tcp.interface=lo \
    --set algorithm=ring --set size=8 "${quick[@]}" >"$work/out" 2>&1 || fail "auto, $1: exit $?: $(cat "$work/out")"
  expect_verified "$work/auto-$1.h5"
  [ "$(column "$work/auto-$1.h5" transport)" = "$1" ] || fail "auto is $(column "$work/auto-$1.h5" transport), not $1"
  grep -q "transport=auto is $1;" "$work/out" || fail "auto does not say $1: $(cat "$work/out")"
  grep -q "$2" "$work/out" || fail "auto, $1: not '$2' but: $(cat "$work/out")"
}
auto srd 'fake_efa is an EFA device'
RINGSIDE_VERBS_LIBRARY=/nowhere/libibverbs.so auto tcp 'transport verbs_rc: .*/nowhere/libibverbs.so'
