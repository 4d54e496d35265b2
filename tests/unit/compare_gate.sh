#!/usr/bin/env bash
#
# compare and gate from files to exit codes: launches with made-up times whose truth is known, and files that are none.
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
  timeout 60 "$RINGSIDE" "$@" >out 2>err
  status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat out err)"
}
# says FILE TEXT: what was written there holds the text, wherever lines end
says() {
  tr -s ' \n' ' ' <"$1" | grep -qF -- "$2" || fail "'$2' is not in: $(cat "$1")"
}
# launches DIRECTORY COUNT SEED FACTOR: 1% of noise
launches() {
  "$RS_BUILD_DIR/tests/synthetic_results" "$1" "$2" 24 "$3" "$4" 0.01 "${1%%[0-9]*}" || fail "no results in $1"
}

# A/A: two sets of one truth, a few seeds; never called different, and within 5%.
for seed in 1 2 3; do
  launches "same$seed" 10 $((2 * seed)) 1
  launches "again$seed" 10 $((2 * seed + 1)) 1
  expect 0 compare --json "same$seed" --with "again$seed"
  python3 - <<'PYTHON' || fail "A/A, seed $seed: $(grep -E 'verdict|words' out)"
import json
d = json.load(open("out"))
assert len(d["families"]) == 3 and d["baseline"]["launches"] == 10
assert all(f["verdict"] in ("no_difference", "undecided") for f in d["families"]), d["families"]
assert all(len(f["baseline_values"]) == 10 for f in d["families"])
PYTHON
  expect 0 gate "same$seed" --with "again$seed" --tolerance 5%
done

# A/B: 5% slower is called, by compare and by a gate of 2%; the other way round it passes.
launches slower 10 99 1.05
expect 0 compare same1 --with slower
[ "$(grep -c 'slower by' out)" = 3 ] || fail "A/B: not slower in three classes: $(cat out)"
says out 'candidate is slower than baseline by 5.2% ('
[ "$(awk 'length > 120' out | wc -l)" = 0 ] || fail "lines of more than 120 columns: $(cat out)"
expect 1 gate same1 --with slower --tolerance 2%
says out 'fail: candidate does not reach baseline'
expect 0 gate slower --with same1 --tolerance 0%

# Too few launches never pass.
for count in 1 3; do
  mkdir "few$count"
  cp same1/*000[0-"$((count - 1))"].h5 "few$count"
  expect 3 gate "few$count" --with slower/slower000[0-"$((count - 1))"].h5 --tolerance 900%
  says out 'launches are too few'
done
expect 0 compare few1 --with slower/slower0000.h5
says out 'within these two launches only'
says out 'about 4 more launches per set would decide'

# Sets by what the files say; copies count once; a launch is never on both sides.
mkdir all
cp same1/* slower/* all
cp all/slower0000.h5 all/zcopy.h5
expect 0 compare --by side all
says out 'slower is slower than same by'
says out '1 file of slower is a copy'
expect 0 compare --by side --baseline slower --json all
python3 -c 'import json; d = json.load(open("out")); assert len(d) == 1 and d[0]["candidate"]["name"] == "same"' ||
  fail "--by --json: $(head -5 out)"
expect 2 compare --by side --baseline nobody all && says err 'same, slower'
expect 2 compare --by kernel all && says err 'nothing to compare'
expect 2 compare --by planet all && says err 'label.side'
expect 2 compare same1 --with same1 && says err 'are one launch'
expect 2 compare same1 --with slower --where implementation=nobody && says err 'no finished case'
expect 2 compare same1 --with slower --threshold 0 && says err 'between 0 and 1'

# More than two values: each against the baseline's, and all verdicts hold together.
launches faster 10 7 0.9
cp faster/* all
expect 0 compare --by side --baseline same all
says out 'slower is slower than same by'
says out 'faster is faster than same by 9.8%'
[ "$(grep -c '97.5% confidence in all of them' out)" = 2 ] || fail "--by three values: $(grep confidence out)"
expect 1 gate --by side --baseline same all --tolerance 2%
expect 0 gate --by side --baseline slower all --tolerance 2%
rm all/faster*

# What a gate writes for others.
expect 1 gate same1 --with slower --tolerance 2% --github --junit gate.xml
says out '::error title=ringside gate%3A small'
python3 - <<'PYTHON' || fail "JUnit: $(cat gate.xml)"
import xml.etree.ElementTree as tree
suite = tree.parse("gate.xml").getroot()[0]
assert suite.get("tests") == "3" and suite.get("failures") == "3" and len(suite.findall(".//failure")) == 3
PYTHON
expect 1 gate same1 --with slower --tolerance 2% --json
python3 -c 'import json; d = json.load(open("out")); assert d["result"] == "fail" and len(d["comparison"]["cases"]) == 24' ||
  fail "gate --json: $(head -5 out)"
expect 1 gate --by side all --tolerance 2%
rm gate.xml
expect 2 gate same1 --with nowhere --junit gate.xml
[ ! -e gate.xml ] || fail 'a gate that could not be carried out leaves a JUnit file'
for config in "$RS_SOURCE_DIR"/configs/gates/*.yaml; do
  expect 0 gate same1 --with again1 --config "$config"
  sed 's/^tolerance:/tolerence:/' "$config" >misspelt.yaml
  expect 2 gate same1 --with again1 --config misspelt.yaml && says err tolerance
done
# A class's own tolerance comes before that of all.
expect 0 gate same1 --with slower --tolerance 20%
expect 1 gate same1 --with slower --tolerance 20% --set time.large=2%
expect 3 gate same1 --with again1 --p99 && says out 'a p99 takes 100 iterations'
expect 2 gate same1 --with slower --tolerance -3%
expect 2 gate same1 --with slower --tolerance much

# No result files.
head -c 3000 same1/same0000.h5 >truncated.h5
echo 'not HDF5' >text.h5
: >empty.h5
for file in truncated text empty; do
  for command in compare gate; do
    expect 2 $command same1 --with "$file.h5"
    says err "$file.h5"
  done
done
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
  cp same1/same0000.h5 newer.h5
  /usr/bin/python3 - <<'PYTHON'
import h5py
h5py.File("foreign.h5", "w").create_dataset("x", data=[1])
with h5py.File("newer.h5", "r+") as file:
    file.attrs.modify("schema_version", 99)
PYTHON
  expect 2 compare same1 --with foreign.h5 && says err "not ringside's"
  expect 2 compare same1 --with newer.h5 && says err 'schema 99'
fi

# The other formats of show.
expect 0 show --jsonl few3
[ "$(wc -l <out)" = 72 ] || fail "show --jsonl: $(wc -l <out) lines instead of 72"
python3 -c '
import json
for line in open("out"):
    case = json.loads(line)
    assert case["finished"] and case["label.side"] == "same" and case["median_ns"] > 0' || fail "show --jsonl: $(head -2 out)"
expect 0 show --prometheus few3
python3 - <<'PYTHON' || fail "show --prometheus: $(head -4 out)"
import re
seen, types = set(), set()
for line in open("out"):
    if line.startswith("# TYPE"):
        types.add(line.split()[2])
    elif not line.startswith("#"):
        name, labels, value = re.fullmatch(r'([a-z_0-9]+)(\{(?:[a-z_0-9]+="(?:[^"\\\n]|\\["\\n])*",?)+\}) (\S+)\n', line).groups()
        float(value)
        assert name in types and (name, labels) not in seen, line
        seen.add((name, labels))
assert len([1 for name, labels in seen if name == "ringside_median_seconds"]) == 72
PYTHON
exit 0
