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
    --set size=8,1KiB --set run.case_time=5ms
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
expect 0 verify ring --explain --ranks 4 && grep -q 'rank 3' out || fail "verify --explain: no rank 3"
expect 2 verify nonsense && grep -q 'ring' err || fail "verify: unknown algorithm without a list"
expect 2 verify --ranks 0

expect 0 list && grep -q 'tree' out || fail "list: no tree"
expect 2 list nonsense
expect 0 --version
expect 2
for command in run show compare list verify; do
  expect 0 $command --help && grep -q usage out || fail "$command --help: no usage"
done

for arguments in "show 1.h5" "compare 1.h5 --with 2.h5" "list"; do
  "$RINGSIDE" $arguments >/dev/full 2>err && fail "$arguments: a full disk passes for success"
done
exit 0
