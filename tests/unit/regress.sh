#!/usr/bin/env bash
#
# bench/regress: launches in turns, sides set apart by words, its exit code the gate's; and the committed example.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
cd "$RS_SOURCE_DIR" || exit 1

cat >"$work/config.yaml" <<'YAML'
size: [8]
algorithm: ring
baseline: none
transport: loop
run: { threads: 2, case_time: 2ms }
samples: { max_iterations: 20 }
YAML
# regress STATUS ARGUMENTS...
regress() {
  local wanted=$1 status=0
  shift
  bench/regress --program-a "$RINGSIDE" --program-b "$RINGSIDE" --config "$work/config.yaml" "$@" >"$work/out" 2>"$work/err" ||
    status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat "$work/out" "$work/err")"
}

regress 3 --launches 3 --out "$work/run" --a 'OMPI_MCA_made_up=7' --b '--set loop.segment=1KiB' --gate '--tolerance 900% --junit '"$work/gate.xml"
[ "$(sed -n 's/^launch [0-9] of 6: //p' "$work/err" | tr -d '\n')" = abbaab ] || fail "not in turns: $(cat "$work/err")"
grep -q 'launches are too few' "$work/out" || fail "no reason: $(cat "$work/out")"
grep -q '<testsuites>' "$work/gate.xml" || fail 'the words of --gate did not arrive'
"$RINGSIDE" compare --by side "$work/run/a" "$work/run/b" >"$work/out" || fail 'results cannot be compared'
grep -q 'config.loop.segment .*8KiB .*1KiB' "$work/out" || fail "the sides' arguments did not arrive: $(cat "$work/out")"
grep -q 'environment.OMPI_MCA_made_up .*7 .*not known' "$work/out" || fail "nor the environment: $(cat "$work/out")"
grep -q 'one after the other' "$work/out" && fail "taken for not interleaved: $(cat "$work/out")"

regress 2 --out "$work/run"
regress 2 --launches none
regress 2 --nonsense
regress 4 --launches 1 --out "$work/failing" --b '--set no.such=key'
grep -q 'no.such' "$work/err" || fail "a launch that fails does not say why: $(cat "$work/err")"

# The example: a link that is slower by a known time is called, and a gate fails; against itself it is not.
example=results/example
"$RINGSIDE" compare $example/baseline --with $example/candidate >"$work/out" || fail 'compare cannot read the example'
grep -q '^candidate is slower than baseline' "$work/out" || fail "the example: $(cat "$work/out")"
"$RINGSIDE" gate $example/baseline --with $example/candidate >"$work/out"
[ $? = 1 ] || fail "the example's gate does not fail: $(cat "$work/out")"
"$RINGSIDE" gate --set time.small=2% $example/baseline/00[1-3].h5 --with $example/baseline/00[4-6].h5 >"$work/out"
[ $? = 3 ] || fail "three launches decide: $(cat "$work/out")"
[ "$(du -sk $example | cut -f1)" -le 1024 ] || fail "the example is larger than 1 MiB"
exit 0
