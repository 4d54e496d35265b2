#!/usr/bin/env bash
#
# srd over real UD queue pairs: Soft-RoCE in a virtual machine, packets on a wire between two devices. The contract suite
# and collectives for 2 to 4 ranks, and both again while the wire loses, reorders, doubles and damages packets; a link
# that goes down; every algorithm of every collective for each number of ranks, and every datatype.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${1:-}" != inside ]; then
  exec "$here/../guest" run --timeout 800 -- "$here/srd_guest.sh" inside
fi

source "$here/../../mpi/launch.bash"
wire=$here/../wire
export RS_TEST_VARIANT='srd on'
contract() {
  local program
  for program in "$@"; do
    timeout 100 "$RS_BUILD_DIR/tests/test_contract_$program" >"$work/out" 2>&1 ||
      fail "contract, $program: $(cat "$work/out")"
    printf '%3d s: contract, %s\n' "$SECONDS" "$program"
    ! grep -q SKIPPED "$work/out" || fail "contract, $program: $(cat "$work/out")"
  done
}

all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set transport=srd --set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms
  --set run.probe=false --set baseline=none)
# collectives N NAME OPTION...: ranks as threads, which start at once where mpirun takes many seconds.
collectives() {
  local n=$1 name=$2
  shift 2
  "$RINGSIDE" run -q --set run.threads="$n" -o "$work/$name-$n.h5" "${quick[@]}" --set in_place=no "$@" >"$work/out" 2>&1 ||
    fail "$name, $n ranks: exit $?: $(cat "$work/out")"
  expect_verified "$work/$name-$n.h5"
  printf '%3d s: %s, %d ranks: verified\n' "$SECONDS" "$name" "$n"
}

# Packets really go by the wire.
before=$("$wire" packets | cut -d' ' -f1)
collectives 2 plain --set algorithm=ring,tree --set size=8,64KiB
after=$("$wire" packets | cut -d' ' -f1)
[ $((after - before)) -gt 100 ] || fail "only $((after - before)) packets on the wire"
contract order credit failure sleep threads devices
collectives 4 plain --set collective=allreduce,alltoall,reduce_scatter --set size=64KiB --set chunk=16KiB --set lanes=2
for n in 2 3 4; do
  collectives "$n" full --set collective=$all --set size=8,64KiB --set run.group_size=2
done
collectives 2 types --set collective=allreduce --set algorithm=ring --set size=4000 \
  --set datatype=float32,float64,float16,bfloat16,int32,int64,uint8 --set operation=sum,min,max,prod
collectives 3 pairs --set benchmark=p2p --set size=8,64KiB
launch 4 run -q -o "$work/mpi.h5" "${quick[@]}" --set algorithm=ring,tree --set size=8,64KiB >"$work/out" 2>&1 ||
  fail "under mpirun: exit $?: $(cat "$work/out")"
expect_verified "$work/mpi.h5"
printf '%3d s: under mpirun, 4 ranks: verified\n' "$SECONDS"

for fault in 'loss 1%' 'delay 1ms reorder 95%' 'duplicate 2%' 'corrupt 1%' 'delay 1ms 500us loss 1%'; do
  "$wire" netem "$fault"
  collectives 4 "${fault// /_}" --set collective=allreduce,alltoall --set algorithm=ring,pairwise --set size=8,64KiB
done
"$wire" netem 'loss 1% duplicate 1% corrupt 1%'
contract order
"$wire" clear

# A link that goes down in mid-run ends it in words, and what was measured before is saved.
"$RINGSIDE" run -q -o "$work/cut.h5" --set run.threads=2 "${quick[@]}" --set algorithm=ring --set size=8..1MiB \
  --set run.case_time=3s >"$work/out" 2>&1 &
until column "$work/cut.h5" finished 2>/dev/null | grep -q 1; do sleep 0.2; done
"$wire" cut
wait $! && fail 'a link that is down was not noticed'
grep -Eq 'srd: sending to rank [01] .*the link or the network interface is down' "$work/out" ||
  { cat "$work/out" >&2; fail 'no peer and no cause is named'; }
column "$work/cut.h5" finished | grep -q 1 || fail 'what was measured before the cut is not there'
printf '%3d s: a link that goes down: %s\n' "$SECONDS" "$(grep -h -m 1 'srd:' "$work/out")"
