#!/usr/bin/env bash
# Point to point: every pair is measured once, verified, stored with its own times, and drawn as a matrix.
source "$(dirname "$0")/launch.bash"
quick=(--set samples.min_iterations=3 --set samples.warm_up=1 --set run.case_time=5ms --set benchmark=p2p)

for n in 2 4 5; do
  launch "$n" run -q -o "$work/$n.h5" --set size=8,64KiB --set baseline=mpi "${quick[@]}" >"$work/out" 2>&1 ||
    { cat "$work/out" >&2; fail "$n ranks: exit $?"; }
  expect_verified "$work/$n.h5"
  /usr/bin/python3 - "$work/$n.h5" "$n" <<'PYTHON' || fail "$n ranks: /pairs is not what it should be"
import collections, h5py, math, sys
path, n = sys.argv[1], int(sys.argv[2])
with h5py.File(path) as file:
    cases, pairs = file["cases"][:], file["pairs"][:]
name = lambda case: tuple(cases[case][field] for field in ("collective", "implementation", "size_bytes"))
seen = collections.Counter((name(pair["case_id"]), pair["rank_a"], pair["rank_b"]) for pair in pairs)
kinds = {name(case) for case in range(len(cases))}
assert set(seen.values()) == {1}, "a pair was measured twice"
assert len(seen) == len(kinds) * n * (n - 1) // 2, "a pair is missing"
for pair in pairs:
    assert pair["rank_a"] < pair["rank_b"] < n
    assert 0 < pair["ci_low_ns"] <= pair["median_ns"] <= pair["ci_high_ns"]
    size = cases[pair["case_id"]]["size_bytes"]
    assert math.isclose(pair["algbw_gb_s"], size / pair["median_ns"])
PYTHON
  "$RINGSIDE" show "$work/$n.h5" >"$work/shown" || fail "show: exit $?"
  grep -q pingpong "$work/shown" || fail "$n ranks: show says nothing of pingpong"
done

for pairs in halves ends; do
  launch 4 run -q -o "$work/$pairs.h5" --set pairs=$pairs --set size=8 --set baseline=mpi "${quick[@]}" >/dev/null ||
    fail "$pairs: exit $?"
  expect_verified "$work/$pairs.h5"
  [ "$(column "$work/$pairs.h5" pairing | sort -u)" = $pairs ] || fail "the pairing is not named $pairs"
done
