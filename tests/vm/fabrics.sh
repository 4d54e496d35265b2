#!/usr/bin/env bash
# Three fabrics side by side in one file, all verified: four ranks under mpirun, tcp, reliable connections and datagrams
# between two RDMA devices on a wire, in one run. What transport=auto takes with devices and without.
guest_options=(--timeout 600)
source "$(dirname "$0")/inside.bash"

quick=(--set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms --set run.probe=no)
read -r before _ < <(wire packets)
launch 4 run -q -o "$work/three.h5" --set transport=tcp,verbs_rc,srd --set collective=allreduce,alltoall \
  --set algorithm=ring,tree,pairwise --set size=8,64KiB --set in_place=no --set baseline=none "${quick[@]}" \
  >"$work/out" 2>&1 || fail "three fabrics: exit $?: $(cat "$work/out")"
read -r after _ < <(wire packets)
expect_verified "$work/three.h5"
[ "$(column "$work/three.h5" transport | sort | uniq -c | awk '{print $2 "=" $1}' | paste -sd ' ')" = 'srd=6 tcp=6 verbs_rc=6' ] ||
  fail "not six cases of each: $(column "$work/three.h5" transport | sort | uniq -c)"
[ $((after - before)) -gt 500 ] || fail "only $((after - before)) packets went by the wire"
"$RINGSIDE" show "$work/three.h5" | tee "$work/table"
for fabric in ring/tcp ring/verbs_rc ring/srd; do
  grep -q "$fabric" "$work/table" || fail "the table has no column $fabric"
done

# auto NAME WORDS: what is taken between hosts, and what is said about it.
auto() {
  launch_hosts 2 run -q -o "$work/$1.h5" --set transport=auto --set tcp.interface=lo --set verbs_rc.interface=lo --set algorithm=ring \
    --set size=8 --set baseline=none "${quick[@]}" >"$work/out" 2>&1 || fail "auto, $1: exit $?: $(cat "$work/out")"
  expect_verified "$work/$1.h5"
  [ "$(column "$work/$1.h5" transport)" = "$1" ] || fail "auto is $(column "$work/$1.h5" transport) instead of $1"
  grep -q "$2" "$work/out" || fail "auto, $1: not '$2' but: $(cat "$work/out")"
}
auto verbs_rc 'transport=auto is verbs_rc$'
rdma link delete rxe0
rdma link delete rxe1
auto tcp 'verbs_rc: no RDMA device found'
