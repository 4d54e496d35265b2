#!/usr/bin/env bash
# A delay injected into one rank's entry is named, with its size within 10%.
source "$(dirname "$0")/launch.bash"

# run DELAY: leaves the result, and its JSON.
run() {
  launch 2 run -q -o "$work/late.h5" --force --set algorithm=ring,tree --set size=8,64KiB --set run.case_time=300ms --set run.start=time \
    --set run.late_rank=1 --set run.late_by="$1" >"$work/out" 2>&1 || fail "run: exit $?: $(cat "$work/out")"
  "$RINGSIDE" show --json "$work/late.h5" >"$work/late.json" || fail "show: exit $?"
}

# named DELAY_US: most cases name rank 1, with this size, and none another rank.
named() {
  /usr/bin/python3 - "$work/late.json" "$1" <<'PYTHON'
import json
import sys

stragglers = json.load(open(sys.argv[1]))["stragglers"]
delay_ns = float(sys.argv[2]) * 1000
# Below its own bound the clock cannot tell; such findings are marked.
found = [f for f in stragglers["findings"] if f["what"] == "entered" and not f["doubtful"]]
named = [f for f in found if f["rank"] == 1 and abs(f["late_ns"] / delay_ns - 1) < 0.1]
print(len(named), "of", stragglers["cases_judged"], "cases name rank 1 as late by", delay_ns, "ns, within 10%")
# A rank that loses its core for a while can spoil a case, not most of them.
sys.exit(not (2 * len(named) > stragglers["cases_judged"] and all(f["rank"] == 1 for f in found)))
PYTHON
}

# Where others use the processors, ranks are late by themselves: then another look is right.
for delay_us in 100 1000; do
  for look in 1 2 3; do
    run "${delay_us}us"
    "$RINGSIDE" show --stragglers "$work/late.h5"
    ! named $delay_us || continue 2
  done
  fail "$delay_us us: not named, or not with its size, $look times"
done
