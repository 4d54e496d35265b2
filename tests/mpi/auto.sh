#!/usr/bin/env bash
# algorithm=auto and chunk=auto: every collective is verified with what the table says, the file names what that was, and
# `show` has one column of it.
source "$(dirname "$0")/launch.bash"
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set baseline=none --set samples.warm_up=1 --set samples.min_iterations=1 --set run.case_time=1ms --set run.probe=no)

launch 3 run -q -o "$work/auto.h5" --set benchmark=collective,p2p --set collective=$all --set algorithm=auto,ring --set chunk=auto \
  --set size=8,1000,64KiB,4MiB --set pairs=halves "${quick[@]}" >"$work/out" 2>&1 || fail "exit $?: $(cat "$work/out")"
expect_verified "$work/auto.h5"
# 11 patterns by auto, 4 of them by ring too, at 4 sizes.
[ "$(column "$work/auto.h5" implementation | sort | uniq -c | awk '{print $1 $2}' | xargs)" = '44auto 16ring' ] ||
  fail "cases: $(column "$work/auto.h5" implementation | sort | uniq -c)"
[ "$(column "$work/auto.h5" chunk_auto | sort -u)" = 1 ] || fail 'a chunk is not said to be chosen'
! column "$work/auto.h5" algorithm | grep -qx 'auto' || fail 'the algorithm that was chosen is not named'
"$RINGSIDE" show "$work/auto.h5" >"$work/table" || fail "show: exit $?"
grep -Eq '^ +\| auto/tcp +\| ring/tcp +\|$' "$work/table" || fail "not one column each: $(cat "$work/table")"

grep -Eq '^auto/tcp: 8 B to [0-9]+ (B|KiB) [a-z-]+$' "$work/table" || fail "what was chosen is not said: $(cat "$work/table")"
grep -q 'pingpong.*: auto/tcp chunk auto, ' "$work/table" || fail "pairs: $(cat "$work/table")"

# The plan on paper says what will run, and the configuration still says auto.
launch 2 run --dry-run --set algorithm=auto --set chunk=auto --set size=8,64MiB --set baseline=none >"$work/plan" 2>&1 || fail "$(cat "$work/plan")"
[ "$(grep -cE '^ +[01]  allreduce auto:[a-z-]+/tcp .* chunk auto:' "$work/plan")" = 2 ] || fail "the plan: $(cat "$work/plan")"
[[ $("$RINGSIDE" show --json "$work/auto.h5") == *'chunk: [auto]'* ]] || fail 'the configuration does not say chunk: [auto]'

# A sweep and the table of bench/peers/run take it by this line.
"$RINGSIDE" list algorithms | grep -q '^  auto ' || fail 'ringside list does not name auto'
