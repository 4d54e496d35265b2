#!/usr/bin/env bash
# Every collective by every algorithm and by MPI, over tcp and with several numbers of ranks: every element verified.
source "$(dirname "$0")/launch.bash"
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms --set run.probe=false)

for n in 1 2 3 5; do
  launch "$n" run -q -o "$work/$n.h5" --set collective=$all --set root=$((n - 1)) --set size=8,1000,64KiB --set chunk=8KiB \
    --set in_place=no,yes --set lanes=2 --set run.group_size=2 "${quick[@]}" >"$work/out" 2>&1 ||
    { cat "$work/out" >&2; fail "$n ranks: exit $?"; }
  expect_verified "$work/$n.h5"
  [ "$(column "$work/$n.h5" collective | sort -u | wc -l)" = 8 ] || fail "$n ranks: some collective is missing"
done

# Every algorithm that is listed was run.
column "$work/5.h5" algorithm | sort -u | grep . >"$work/run"
"$RINGSIDE" list algorithms --json | /usr/bin/python3 -c '
import json, sys
for row in json.load(sys.stdin):
    if row["collective"] not in ("pingpong", "stream", "exchange"):
        print(row["algorithm"])' | sort -u >"$work/listed"
diff "$work/listed" "$work/run" >&2 || fail "what is listed is not what was run"

launch 4 run -q -o "$work/types.h5" --set collective=allreduce,reduce_scatter,reduce,alltoallv --set size=8,4000 \
  --set datatype=float32,float64,float16,bfloat16,int32,int64,uint8 --set operation=sum,min,max,prod --set in_place=no \
  "${quick[@]}" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "types: exit $?"; }
expect_verified "$work/types.h5"
