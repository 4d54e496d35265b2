#!/usr/bin/env bash
# Real clocks that disagree: every rank in a time namespace of its own, hundreds of seconds apart. The ranks still enter
# iterations together, and the file's common clock agrees with what they did.
source "$(dirname "$0")/launch.bash"

unshare --time --fork --monotonic 100 true 2>/dev/null || { echo "skipped: no time namespaces here"; exit 77; }
/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: no python3-h5py"; exit 77; }

cat >"$work/rank" <<'RANK'
#!/bin/sh
exec unshare --time --fork --monotonic $((${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}} * 300)) "$@"
RANK
chmod +x "$work/rank"

"$MPIEXEC" "${mpi_flags[@]}" -np 2 "$work/rank" "$RINGSIDE" run -q -o "$work/clocks.h5" --set algorithm=ring,tree --set size=8,64KiB --set run.case_time=200ms \
  --set run.start=time >"$work/out" 2>&1 || fail "exit $?: $(cat "$work/out")"
expect_verified "$work/clocks.h5"

/usr/bin/python3 - "$work/clocks.h5" <<'PYTHON' || fail "the common clock is off"
import sys
import h5py
import numpy

with h5py.File(sys.argv[1], "r", locking=False) as file:
    for case in file["cases"]:
        n, rows = int(case["rank_count"]), int(case["iterations"])
        offset = int(case["sample_offset"])
        samples = numpy.array([tuple(s) for s in file["samples"][offset : offset + n * rows]]).reshape(rows, n, 2)
        flags = file["iterations"]["flags"][offset // n : offset // n + rows]
        entries = samples[flags == 0, :, 0]
        # A rank may lose its core now and then, so a quarter of the starts is enough to show that the clocks agree.
        spread = numpy.quantile(entries.max(axis=1) - entries.min(axis=1), 0.25)
        name = case["implementation"].decode(), int(case["size_bytes"])
        print(name, len(entries), "counted, entries spread over", spread, "ns, bound", int(case["sync_bound_ns"]))
        # Clocks that stand 300 s apart, brought together to well below a scheduler's tick.
        assert len(entries) > 0 and spread < 1e6, name
        assert 0 <= samples.min() < samples.max() < 60e9, "times do not count from the launch's start"
        assert case["sync_error_ns"] < 1e6 and case["sync_bound_ns"] < 1e6, name
PYTHON
