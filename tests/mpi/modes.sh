#!/usr/bin/env bash
# Isolated and streaming modes, streams and lanes of tcp, a forced wait, one rank alone: all verified, never mixed.
source "$(dirname "$0")/launch.bash"
quick=(--set algorithm=ring,tree --set samples.min_iterations=3 --set run.case_time=10ms)

launch 4 run -q -o "$work/modes.h5" --set mode=isolated,streaming --set size=8,256KiB "${quick[@]}" >/dev/null ||
  fail "modes: exit $?"
expect_verified "$work/modes.h5"
[ "$(column "$work/modes.h5" mode | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 6 isolated; 6 streaming;" ] || fail "modes are not named"

for streams in 1 2 4; do
  launch 3 run -q -o "$work/streams$streams.h5" --set tcp.streams=$streams --set lanes=1,3 --set size=1MiB --set chunk=64KiB \
    --set baseline=none "${quick[@]}" >/dev/null || fail "streams $streams: exit $?"
  expect_verified "$work/streams$streams.h5"
done

for start in time barrier; do
  launch 2 run -q -o "$work/$start.h5" --set run.start=$start --set size=8,64KiB "${quick[@]}" >/dev/null ||
    fail "start $start: exit $?"
  expect_verified "$work/$start.h5"
  [ "$(column "$work/$start.h5" start | sort -u)" = $start ] || fail "start $start is not what the file says"
done

# A budget is shared among the cases, and every case gets its least number of samples.
launch 2 run -q -o "$work/budget.h5" --set algorithm=ring,tree --set run.budget=1s --set size=8,64KiB,1MiB --set samples.interval_width=0.0001% >/dev/null ||
  fail "budget: exit $?"
expect_verified "$work/budget.h5"
[ "$(column "$work/budget.h5" stop_reason | grep -cE '^(time|interval|max_iterations)$')" = 9 ] ||
  fail "budget: not all of 9 cases came to an end"

for wait in spin sleep; do
  launch 2 run -q -o "$work/$wait.h5" --set run.wait=$wait --set size=8,64KiB "${quick[@]}" >/dev/null ||
    fail "wait $wait: exit $?"
  expect_verified "$work/$wait.h5"
done

"$RINGSIDE" run -q -o "$work/alone.h5" --set size=8,64KiB "${quick[@]}" >/dev/null || fail "alone: exit $?"
expect_verified "$work/alone.h5"

"$RINGSIDE" run -q -o "$work/threads.h5" --set run.threads=5 --set transport=loop,tcp --set baseline=none --set size=8,64KiB \
  --set loop.reorder=true "${quick[@]}" >/dev/null || fail "threads: exit $?"
expect_verified "$work/threads.h5"
