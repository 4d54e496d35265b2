#!/usr/bin/env bash
#
# ringside fit: times of two threads become a fabric, which is only written when it reads back; what cannot be fitted is
# refused with what to do.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# expect STATUS ARGUMENTS...
expect() {
  local wanted=$1 status=0
  shift
  "$RINGSIDE" "$@" >out 2>err || status=$?
  [ "$status" = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat err)"
}

for i in 1 2 3; do
  expect 0 run -q -o "fit-$i.h5" "$RS_SOURCE_DIR/configs/fit.yaml" --set run.threads=2 --set transport=loop \
    --set size=8..1MiB*16 --set run.case_time=5ms
done
expect 0 run -q -o ring.h5 --set run.threads=2 --set transport=loop --set baseline=none --set algorithm=ring \
  --set size=8 --set run.case_time=5ms

expect 0 fit 'fit-*.h5' -o mine.yaml --name mine
grep -q '^3 launches over loop, ' out || fail "fit: not three launches: $(cat out)"
grep -Eq '^(numa|host) +latency +[0-9.]+ (ns|us) +[0-9.]+ ..? \.\. ' out || fail "fit: no latency: $(cat out)"
grep -q 'NIC egress: not known' out || fail "fit: a NIC within one host: $(cat out)"
grep -q '^name: mine$' mine.yaml || fail "the fabric has another name: $(cat mine.yaml)"
grep -Eq '^host\.latency: [0-9]+ns$' mine.yaml || fail "the fabric has no latency: $(cat mine.yaml)"
grep -q '^# measured: latency, 3 launches, 95% interval ' mine.yaml || fail "nothing says measured: $(cat mine.yaml)"

expect 2 fit 'fit-*.h5' -o mine.yaml && grep -q 'force replaces it' err || fail "fit: $(cat err)"
expect 2 fit 'fit-*.h5' -o other.yaml --name 'not a word' && grep -q 'name: .* is not a word' err ||
  fail "fit --name: $(cat err)"
[ ! -e other.yaml ] || fail "a fabric that does not read back was written"
expect 0 fit fit-1.h5 && grep -q '^One launch: ' out || fail "fit of one launch: $(cat out)"
expect 2 fit ring.h5 && grep -q 'no ping-pong or stream to fit' err || fail "fit of a ring: $(cat err)"
expect 2 fit fit-1.h5 --transport tcp && grep -q 'over tcp to fit' err || fail "fit --transport: $(cat err)"
expect 2 fit && grep -q 'no result named' err || fail "fit: $(cat err)"
expect 2 fit --nonsense
