#!/usr/bin/env bash
# The contract suite over verbs_rc on real queue pairs, ranks in turns on the two devices, so that most traffic is on the
# wire; and a peer that has gone.
guest_options=(--cpus 2 --timeout 500)
source "$(dirname "$0")/../inside.bash"

export RS_TEST_VARIANT=verbs_rc
read -r before _ < <(wire packets)
for program in order credit failure sleep threads devices; do
  timeout 200 "$RS_BUILD_DIR/tests/test_contract_$program" >"$work/out" 2>&1 ||
    fail "$program: exit $?: $(grep -v ' RUN \| OK ' "$work/out")"
  ! grep -q SKIPPED "$work/out" || fail "$program: no device: $(grep SKIPPED "$work/out")"
done
timeout 100 "$RS_BUILD_DIR/tests/test_verbs_rc_failure" >"$work/out" 2>&1 || fail "exit $?: $(cat "$work/out")"
read -r after _ < <(wire packets)
[ $((after - before)) -ge 10000 ] || fail "only $((after - before)) packets were on the wire"
