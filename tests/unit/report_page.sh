#!/usr/bin/env bash
# `ringside report`: the command, the data that it embeds, and the page in a headless browser (page_check.mjs).
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
support=$RS_SOURCE_DIR/tests/support
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}
# expect STATUS ARGUMENTS...
expect() {
  local wanted=$1 status
  shift
  "$RINGSIDE" "$@" >out 2>err
  status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat err)"
}

expect 0 report --help && grep -q usage out || fail "report --help: no usage"
for i in 1 2; do
  expect 0 run -q -o "run-$i.h5" --label placement=none --set run.threads=4 --set transport=loop --set baseline=none \
    --set size=8,1KiB,64KiB --set run.case_time=20ms
done
"$RINGSIDE" report run-1.h5 >out 2>err || {
  grep -q 'built without the page' err && skip "$(cat err)"
  fail "report: $(cat err)"
}
[ -f report.html ] || fail "report: no report.html"

# The command.
expect 2 report run-1.h5 && grep -q -- '--force' err || fail "an existing page is not refused with advice: $(cat err)"
expect 0 report run-1.h5 run-2.h5 --force -o report.html
expect 0 report run-1.h5 -o - && cmp -s <(head -c 15 out) <(printf '<!doctype html>') || fail "-o -: no page on stdout"
expect 2 report
expect 2 report nothing.h5 -o x.html
expect 2 report run-1.h5 --with -o x.html
expect 2 report run-1.h5 -o no/such/directory/x.html
expect 2 report run-1.h5 -o . --force
[ -z "$(find . -name 'x.html*')" ] || fail "a failed report leaves a file"
"$RINGSIDE" report run-1.h5 -o - >/dev/full 2>err && fail "a full disk passes for success"

# Made-up results.
/usr/bin/python3 -c 'import h5py' 2>/dev/null || skip "python3-h5py is not installed"
for kind in spread cluster; do
  for seed in 1 2; do
    /usr/bin/python3 "$support/made_results.py" run-1.h5 $kind $kind-$seed.h5 $seed || fail "made_results.py $kind"
  done
done
for kind in many hostile; do
  /usr/bin/python3 "$support/made_results.py" run-1.h5 $kind $kind.h5 || fail "made_results.py $kind"
  expect 0 report $kind.h5 -o $kind.html
done
expect 0 report run-1.h5 -o run.html
expect 0 report spread-?.h5 --with cluster-?.h5 -o compared.html
/usr/bin/python3 "$support/page_data_check.py" run.html run-1.h5 || fail "the data of a real run"
/usr/bin/python3 "$support/page_data_check.py" compared.html spread-1.h5 || fail "the data of the first compared file"
/usr/bin/python3 "$support/page_data_check.py" hostile.html hostile.h5 || fail "the data of a hostile file"

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "chromium is not installed"
node=$(command -v node) || skip "node is not installed"
timeout 240 "$node" "$support/page_check.mjs" "$chromium" "$work" || fail "the page in a browser"
