#!/usr/bin/env bash
#
# ringside fit on files made from known parameters: these come back, the fabric is only written when it reads back, and
# what cannot be fitted is refused with what to do.
set -euo pipefail
made=${RS_BUILD_DIR:?the build directory}/tests
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
# near KEY TRUTH: the fabric has the truth within 3%
near() {
  awk -v key="$1:" -v truth="$2" '$1 == key { value = $2 + 0; found = 1 }
    END { exit !(found && value > 0.97 * truth && value < 1.03 * truth) }' mine.yaml ||
    fail "$1 is not $2 within 3%: $(cat mine.yaml)"
}

mkdir pairs rings
"$made/synthetic_pairs" pairs 8 1 || fail "no made-up pairs"
"$made/synthetic_results" rings 1 24 1 1 0.01 || fail "no made-up collectives"

expect 0 fit pairs -o mine.yaml --name mine
near zone.latency 25000
near zone.flow 10000000000
near nic.egress 12500000000
near nic.ingress 12500000000
near leaf.latency 25000
grep -q '^8 launches over tcp, 96 times$' out || fail "fit: not eight launches: $(cat out)"
grep -Eq '^zone +latency +[0-9.]+ us +[0-9.]+ us \.\. [0-9.]+ us$' out || fail "fit: no latency: $(cat out)"
grep -q '^name: mine$' mine.yaml || fail "the fabric has another name: $(cat mine.yaml)"
grep -q '^# assumed: as zone$' mine.yaml || fail "leaf is not marked as assumed: $(cat mine.yaml)"
grep -q '^# measured: latency, 8 launches, 95% interval ' mine.yaml || fail "nothing says measured: $(cat mine.yaml)"

expect 2 fit pairs -o mine.yaml && grep -q 'force replaces it' err || fail "fit: $(cat err)"
expect 0 fit pairs -o mine.yaml --force
expect 2 fit pairs -o other.yaml --name 'not a word' && grep -q 'name: .* is not a word' err ||
  fail "fit --name: $(cat err)"
[ ! -e other.yaml ] || fail "a fabric that does not read back was written"
expect 0 fit pairs/pairs0000.h5 && grep -q '^One launch: ' out || fail "fit of one launch: $(cat out)"
expect 2 fit rings && grep -q 'no ping-pong or stream to fit' err || fail "fit of collectives: $(cat err)"
expect 2 fit pairs --transport shm && grep -q 'over shm to fit' err || fail "fit --transport: $(cat err)"
expect 2 fit && grep -q 'no result named' err || fail "fit: $(cat err)"
expect 2 fit --nonsense
