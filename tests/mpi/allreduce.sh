#!/usr/bin/env bash
# Every algorithm and the baseline, every datatype and operation, in place and not, cut and not: verified with 2 to 8 ranks.
source "$(dirname "$0")/launch.bash"

for n in 2 3 4 5 8; do
  launch "$n" run -q -o "$work/$n.h5" --set algorithm=ring,tree --set size=8,1000,64KiB --set datatype=float32,float64,int32,float16,bfloat16 \
    --set operation=sum,avg --set baseline=mpi --set in_place=no,yes --set chunk=0,8KiB --set lanes=2 \
    --set samples.min_iterations=2 --set run.case_time=5ms --set samples.warm_up=1 >"$work/out" 2>&1 ||
    { cat "$work/out" >&2; fail "$n ranks: exit $?"; }
  expect_verified "$work/$n.h5"
  cases=$(column "$work/$n.h5" case_id | wc -l)
  # 3 sizes x 5 types x 2 operations x 2 places x (2 algorithms x 2 chunkings + 1 baseline)
  [ "$cases" = 300 ] || fail "$n ranks: $cases cases instead of 300"
done
