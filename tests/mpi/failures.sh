#!/usr/bin/env bash
# Wrong data: exit code 4, words that name rank and element, a file that says so. (Ranks that are lost: faults_ranks.sh.)
source "$(dirname "$0")/launch.bash"

# A flipped bit: the run goes on, marks the case, names rank and element, and ends with 4.
"$RINGSIDE" run -q -o "$work/flip.h5" --set algorithm=ring,tree --set run.threads=3 --set transport=loop --set baseline=none --set size=1KiB,4KiB \
  --set loop.corrupt_at=2 --set run.seed=7 --set run.probe=no >"$work/out" 2>"$work/err"
status=$?
[ $status = 4 ] || fail "corruption: exit $status: $(cat "$work/err")"
grep -q "rank .*element .*expected .*found" "$work/err" || fail "corruption: $(cat "$work/err")"
[ "$(column "$work/flip.h5" verified | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 1 -1; 3 1;" ] ||
  fail "corruption: the case is not marked: $(column "$work/flip.h5" verified)"
