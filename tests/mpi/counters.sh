#!/usr/bin/env bash
# What could explain the times is in the file: every rank's counters, and once per host the host's and its environment,
# all from before and after the run. A network that loses packets is named by `show`.
source "$(dirname "$0")/launch.bash"
quick=(--set size=8,64KiB --set baseline=none --set samples.min_iterations=3 --set run.case_time=50ms)

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: no python3-h5py"; exit 77; }
unshare --uts true 2>/dev/null || { echo "skipped: no namespaces here"; exit 77; }

# Ranks 1 and 2 are on a host of their own name.
cat >"$work/rank" <<'RANK'
#!/bin/sh
[ "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" = 0 ] && exec "$@"
exec unshare --uts sh -c 'hostname ringside-other && exec "$@"' sh "$@"
RANK
chmod +x "$work/rank"
"$MPIEXEC" "${mpi_flags[@]}" -np 3 "$work/rank" "$RINGSIDE" run -q -o "$work/counters.h5" --set algorithm=ring,tree "${quick[@]}" \
  >"$work/out" 2>&1 || fail "exit $?: $(cat "$work/out")"

/usr/bin/python3 - "$work/counters.h5" <<'PYTHON' || fail "counters or environment are not what the ranks have"
import sys
import h5py

with h5py.File(sys.argv[1], "r", locking=False) as file:
    assert [int(host) for host in file["ranks"]["host"]] == [0, 1, 1]
    counters = {}
    for row in file["counters"][:]:
        key = int(row["host"]), int(row["rank"]), row["name"].decode()
        assert key not in counters, key
        counters[key] = int(row["before"]), int(row["after"])
    facts = {(int(row["host"]), row["key"].decode()) for row in file["environment"][:]}
for host in 0, 1:
    before, after = counters[host, -1, "cpu.user_ns"]
    assert 0 < before < after, (host, before, after)
    before, after = counters[host, -1, "nic.lo.rx_bytes"]
    assert after - before > 64 << 10, (host, before, after)
    assert (host, "limit.open_files") in facts
for rank, host in (0, 0), (1, 1), (2, 1):
    names = {name for at, of, name in counters if (at, of) == (host, rank)}
    assert {"process.involuntary_switches", "process.minor_faults"} <= names, names
    before, after = counters[host, rank, "process.user_ns"]
    assert before <= after, (rank, before, after)
assert len({(host, rank) for host, rank, _ in counters}) == 5, "a rank that is not its host's first read the host"
PYTHON

# A bottleneck with a short queue: what does not fit is dropped, and TCP sends it again.
cat >"$work/bottleneck" <<'BOTTLENECK'
ip link set lo mtu 1500 up && tc qdisc add dev lo root tbf rate 100mbit burst 8kb limit 16kb && exec "$@"
BOTTLENECK
if ! unshare --net sh "$work/bottleneck" true 2>/dev/null; then
  echo "left out: no bottleneck can be made here"
  exit 0
fi
unshare --net sh "$work/bottleneck" "$RINGSIDE" run -q -o "$work/lossy.h5" --set algorithm=ring,tree --set run.threads=4 --set transport=tcp "${quick[@]}" \
  >"$work/out" 2>&1 || fail "bottleneck: exit $?: $(cat "$work/out")"
"$RINGSIDE" show "$work/lossy.h5" | grep -E '^ +network +tcp RetransSegs \+[1-9][0-9]* on ' || fail "lost packets are not named"
