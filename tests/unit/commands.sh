#!/usr/bin/env bash
# The commands around a result: exit codes, formats that parse, a full disk and a closed pipe on stdout.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# expect STATUS ARGUMENTS...
expect() {
  local wanted=$1 status
  shift
  "$RINGSIDE" "$@" >out 2>err
  status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat err)"
}

for i in 1 2; do
  expect 0 run -q -o "$i.h5" --label placement=none --set run.threads=2 --set transport=loop --set baseline=none \
    --set algorithm=ring,tree --set size=8,1KiB --set run.case_time=5ms
done

expect 0 show 1.h5 && grep -q 'ring/loop' out || fail "show: no column for ring"
expect 0 show --json 1.h5 2.h5
python3 -c 'import json, sys; d = json.load(open("out")); assert len(d) == 2 and len(d[0]["cases"]) == 4, d' ||
  fail "show --json: not two results with four cases"
expect 0 show --csv 1.h5 2.h5 && [ "$(wc -l <out)" = 9 ] || fail "show --csv: $(wc -l <out) lines instead of 9"
expect 0 show --format nccl-tests 1.h5 && grep -q 'Avg bus bandwidth' out || fail "show: no nccl-tests closing line"
expect 0 show --stragglers 1.h5
expect 0 compare 1.h5 --with 2.h5 && grep -q 'ratio' out || fail "compare: no ratio"
expect 0 compare --json 1.h5 --with 2.h5
python3 -c 'import json; json.load(open("out"))' || fail "compare --json does not parse"

expect 0 verify --ranks 1..9 && grep -q 'proved' out || fail "verify: nothing proved"
expect 0 verify --json --ranks 4
python3 -c 'import json; json.load(open("out"))' || fail "verify --json does not parse"
expect 0 verify allreduce/ring --ranks 4 && [ "$(grep -c 1 out)" = 2 ] && grep -q '^allreduce *ring *4 *1 ' out ||
  fail "verify: not the one algorithm that was named: $(cat out)"
expect 0 verify allreduce --ranks 4 && grep -q '^allreduce *tree ' out || fail "verify: a collective has no tree"
expect 0 verify --explain ring --ranks 4 && grep -q '^round 2 .*3 +> 0 bcd\[1\]' out || fail "verify --explain: $(cat out)"
expect 0 verify allreduce/ring --explain --steps --ranks=4 && grep -q '^rank 3 ' out || fail "verify --steps: no rank 3"
expect 2 verify nonsense && grep -q 'allreduce/ring' err || fail "verify: unknown algorithm without a list"
for groups in 1 3 9 4 1,3 1,1,1,1; do
  expect 0 verify --explain --groups $groups
done
for arguments in "--ranks 0" "--ranks" "--ranks 4x" "--ranks 5..4" "allreduce/nonsense" "--nonsense" "--root 1" "--groups 2" \
  "--steps" "--explain --json" "--explain --ranks 2..3" "--explain --root 4" "--explain --root x" "--explain --groups 0" \
  "--explain --groups 1,2" "--explain --groups 2,3" "--explain --groups 2,2,"; do
  expect 2 verify $arguments
done

expect 0 list && grep -q 'tree' out && grep -q 'tcp' out && grep -q 'bfloat16' out || fail "list: not everything: $(cat out)"
expect 0 list algorithms && grep -q '^allreduce$' out && grep -q 'ring *14 *1.75 S' out && grep -q 'doi:' out ||
  fail "list algorithms: $(cat out)"
expect 0 list algorithms --ranks 100 && grep -q 'ring *198 *1.98 S' out || fail "list algorithms --ranks: $(cat out)"
expect 0 list algorithms --json --ranks=2
python3 -c '
import json
rows = json.load(open("out"))
ring = [r for r in rows if (r["collective"], r["algorithm"]) == ("allreduce", "ring")]
assert len(ring) == 1 and ring[0]["rounds"] == 2 and ring[0]["sent_sizes"] == 1, ring
assert all(r["summary"] and r["cost"] and r["source"] for r in rows), rows
' || fail "list algorithms --json: $(cat out)"
for arguments in nonsense "algorithms types" "--json" "types --ranks 4" "algorithms --ranks 0" "algorithms --ranks" "--nonsense"; do
  expect 2 list $arguments
done
expect 0 --version
expect 2
for command in run show compare gate topology list verify; do
  expect 0 $command --help && grep -q usage out || fail "$command --help: no usage"
done

for arguments in "show 1.h5" "compare 1.h5 --with 2.h5" "list" "verify ring --ranks 4" "verify ring --explain"; do
  "$RINGSIDE" $arguments >/dev/full 2>err && fail "$arguments: a full disk passes for success"
done
exit 0
