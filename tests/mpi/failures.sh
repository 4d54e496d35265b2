#!/usr/bin/env bash
# Wrong data, a killed rank, a silent rank: exit code 4 (or a signal's), words that name the rank, a file that opens.
source "$(dirname "$0")/launch.bash"

# A flipped bit: the run goes on, marks the case, names rank and element, and ends with 4.
"$RINGSIDE" run -q -o "$work/flip.h5" --set algorithm=ring,tree --set run.threads=3 --set transport=loop --set baseline=none --set size=1KiB,4KiB \
  --set loop.corrupt_at=2 --set run.seed=7 --set run.probe=no >"$work/out" 2>"$work/err"
status=$?
[ $status = 4 ] || fail "corruption: exit $status: $(cat "$work/err")"
grep -q "rank .*element .*expected .*found" "$work/err" || fail "corruption: $(cat "$work/err")"
[ "$(column "$work/flip.h5" verified | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 1 -1; 3 1;" ] ||
  fail "corruption: the case is not marked: $(column "$work/flip.h5" verified)"

# A rank that is killed in the middle: the launch ends, what had finished is in the file.
# killed ARGUMENTS...: of ringside run
killed() {
  local pid victim status
  rm -f "$work/killed.h5"
  launch 4 run -q -o "$work/killed.h5" --set algorithm=ring,tree --set size=8..1MiB --set run.case_time=2s --set samples.interval_width=0.0001% \
    --set samples.max_iterations=1000000 --set run.timeout=5s "$@" >"$work/out" 2>"$work/err" &
  pid=$!
  for _ in $(seq 100); do
    sleep 0.1
    [ -e "$work/killed.h5" ] && [ "$("$RINGSIDE" show --csv "$work/killed.h5" 2>/dev/null | wc -l)" -ge 2 ] && break
  done
  victim=$(pgrep -f "$work/killed.h5" | while read -r p; do
    tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qE '^(OMPI_COMM_WORLD_RANK|PMI_RANK)=2$' && echo "$p"
  done | head -1)
  [ -n "$victim" ] || fail "killed: rank 2 not found: $(cat "$work/err")"
  kill -9 "$victim"
  wait $pid
  status=$?
  [ $status != 0 ] || fail "killed: exit 0"
  "$RINGSIDE" show "$work/killed.h5" >"$work/table" || fail "killed: the file does not open"
  grep -q partial "$work/table" || fail "killed: the file does not say partial"
  [ "$("$RINGSIDE" show --csv "$work/killed.h5" | wc -l)" -ge 2 ] || fail "killed: the finished case is gone"
}
killed
killed --set transport=emulated --set baseline=none --set "emulated.fabric=$RS_SOURCE_DIR/configs/fabrics/aws-cluster.yaml"
[ -z "$(grep '^allreduce' "$work/table" | grep -v EMULATED)" ] || fail "cases that did not finish pass for real: $(cat "$work/table")"
