#!/usr/bin/env bash
# Background traffic: results stay right, traffic covers what is measured, and show gives the slowdown of each kind.
source "$(dirname "$0")/launch.bash"

launch 4 run -q -o "$work/congestion.h5" --set algorithm=ring,tree --set baseline=none --set size=8,64KiB \
  --set congestor=none,incast,alltoall,ring --set run.congestor_size=64KiB --set run.case_time=100ms >"$work/out" 2>&1 ||
  { cat "$work/out" >&2; fail "exit $?"; }
expect_verified "$work/congestion.h5"
[ "$(column "$work/congestion.h5" congestor | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = \
  " 4 alltoall; 4 incast; 4 none; 4 ring;" ] || fail "congestors are not named"
[ "$(column "$work/congestion.h5" measured_ranks | sort -u)" = 2 ] || fail "half of 4 ranks are not measured"

# In every counted iteration each congesting rank began before the measured ones and ended after them.
/usr/bin/python3 - "$work/congestion.h5" <<'PYTHON' || fail "traffic does not cover what is measured"
import h5py, sys
with h5py.File(sys.argv[1]) as file:
    samples, rows = file["samples"][:], file["iterations"][:]
    for case in file["cases"][:]:
        first, ranks = case["sample_offset"] // case["rank_count"], case["rank_count"]
        if case["congestor"] == b"none":
            continue
        counted = 0 # with more ranks than cores, few iterations are covered
        for i in range(first, first + case["iterations"]):
            if rows[i]["flags"]:
                continue
            counted += 1
            times = samples[i * ranks:(i + 1) * ranks]
            assert times[1::2, 0].max() <= times[0::2, 0].min() and times[1::2, 1].min() >= times[0::2, 1].max()
        assert counted > 0, f"case {case['case_id']}: no iteration counts"
PYTHON
"$RINGSIDE" show "$work/congestion.h5" >"$work/shown" && grep -qi slowdown "$work/shown" || fail "show gives no slowdown"

status=0
launch 3 run -q -o "$work/few.h5" --set congestor=incast >"$work/out" 2>&1 || status=$?
[ "$status" != 0 ] && grep -q 'each needs 2' "$work/out" || fail "3 ranks are too few, and nothing says so"
