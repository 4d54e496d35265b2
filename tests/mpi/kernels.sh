#!/usr/bin/env bash
# benchmark=reduce: every kernel set that this processor runs, and memcpy, for every datatype and operation, checked.
source "$(dirname "$0")/launch.bash"

launch 2 run -q -o "$work/kernels.h5" --set benchmark=reduce --set size=8,100000 --set in_place=no,yes \
  --set datatype=float32,float64,float16,bfloat16,int32,int64,uint8 --set operation=sum,avg,min,max,prod \
  --set samples.min_iterations=1 --set run.case_time=1ms >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "exit $?"; }
expect_verified "$work/kernels.h5"
column "$work/kernels.h5" implementation | sort -u | grep -qx portable || fail "the portable kernels are missing"
column "$work/kernels.h5" implementation | sort -u | grep -qx memcpy || fail "memcpy is missing"
"$RINGSIDE" show "$work/kernels.h5" >"$work/shown" && grep -q memcpy "$work/shown" || fail "show says nothing of memcpy"
