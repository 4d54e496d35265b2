#!/usr/bin/env bash
# bench/peers/run from end to end: ours, peers and the bound are measured, with processor times; beside other work it
# refuses, or marks what it prints.
source "$(dirname "$0")/launch.bash"
case $mpi in
*"Open MPI"* | *OpenRTE*) ;;
*) echo "skipped: its launches are Open MPI's"; exit 77 ;;
esac
run=("$RS_SOURCE_DIR/bench/peers/run" --program "$RINGSIDE" --quick --sizes 64KiB --ours ring --rounds 1)

# A processor of this machine's is at work, whatever else is.
sh -c 'while :; do :; done' &
load=$!
trap 'kill $load 2>/dev/null; rm -rf "$work"' EXIT
limit=$((60 / $(nproc)))
"${run[@]}" --limit "$limit" --out "$work/refused" >"$work/out" 2>&1
status=$?
[ $status = 3 ] || fail "beside other work: exit $status instead of 3: $(cat "$work/out")"
grep -q 'something else uses' "$work/out" || fail "why it refused is not said: $(cat "$work/out")"
kill $load
[ ! -e "$work/refused" ] || fail "it refused and left $work/refused"

"${run[@]}" --anyway --launches openmpi,openmpi-ring,gloo --out "$work/peers" >"$work/out" 2>&1 ||
  fail "--anyway: exit $?: $(cat "$work/out")"
for side in ours peer bound; do
  [ "$(grep -c ",$side,.*,float32,65536," "$work/peers/measurements.csv")" -gt 0 ] || fail "no $side: $(cat "$work/peers/measurements.csv")"
done
[ "$(grep -cE '^ +2 +float32 +64 KiB ' "$work/peers/table.txt")" = 1 ] || fail "$(cat "$work/peers/table.txt")"
grep -q 'coll_tuned_allreduce_algorithm=4' "$work/peers/table.txt" || fail 'the settings are not printed'
awk -F, 'NR > 1 && !($10 > 0) {exit 1}' "$work/peers/measurements.csv" || fail "a case without processor time: $(cat "$work/peers/measurements.csv")"
if "$RINGSIDE" list baselines | grep -q '^gloo-ring '; then
  grep -q ',peer,gloo-halving-doubling,' "$work/peers/measurements.csv" || fail 'Gloo was not measured'
fi
