#!/usr/bin/env bash
# ringside order: a shuffled fabric is put in order, files are written and read back, bad requests are refused.
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
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat err)"
}
# says TEXT: the last command said so on stderr
says() { grep -qF -- "$1" err || fail "no '$1' in: $(cat err)"; }

cat >two.yaml <<'YAML'
name: two
layout: {zones: 2, racks: 2, hosts: 2, ranks: 1, shuffle: 5}
nic: {egress: 10Gbit/s, ingress: 10Gbit/s}
host: {latency: 2us, flow: 40Gbit/s}
leaf: {latency: 10us, flow: 10Gbit/s}
spine: {latency: 20us, flow: 10Gbit/s}
region: {latency: 500us, flow: 5Gbit/s}
YAML

expect 0 order --fabric two.yaml --ranks 8 --json
python3 - <<'PYTHON' || fail "the ring in two zones: $(cat out)"
import json
answer = json.load(open("out"))
assert sorted(answer["order"]) == list(range(8)) and answer["order"][0] == 0, "no order"
far = [row for row in answer["distances"] if row["distance"] == "region"][0]
assert far["links_after"] == 2 < far["links_before"], "not two crossings"
assert far["messages_after"] == 28, "2 (n - 1) messages on each link"
assert answer["exact"] and answer["bound"] == answer["cost_after"] < answer["cost_before"]
zones = ["z1" in host for host in answer["hosts"]]
assert sum(a != b for a, b in zip(zones, zones[1:] + zones[:1])) == 2, "hosts are not in the order of ranks"
assert answer["costs"] == "fabric" and answer["expected_after_ns"] <= answer["expected_before_ns"]
PYTHON

# What the simulator expects: short messages gain, whose time is latency; uncut, 8 positions of a ring in order gain too.
for algorithm in tree ring; do
  expect 0 order --fabric two.yaml --ranks 8 --algorithm $algorithm --size 4KiB --json
  python3 -c 'import json; a = json.load(open("out")); assert a["expected_after_ns"] < 0.8 * a["expected_before_ns"], a' ||
    fail "the $algorithm gains nothing"
done

expect 0 order --fabric two.yaml --ranks 8 && grep -q 'No order is better' out && grep -q '^region ' out ||
  fail "words: $(cat out)"
expect 0 order --fabric two.yaml --ranks 8 --collective broadcast --algorithm tree && grep -q 'root is rank' out ||
  fail "the root is not named: $(cat out)"
for format in order openmpi-rankfile openmpi-hostfile slurm mpich; do
  expect 0 order --fabric two.yaml --ranks 8 --format $format
  [ "$(grep -vc '^#' out)" = 8 ] || fail "$format: $(cat out)"
done
expect 0 order --fabric two.yaml --ranks 8 -o two.order && grep -q 'No order' out && [ "$(grep -vc '^#' two.order)" = 8 ] ||
  fail "-o: words and a file"
expect 2 order --fabric two.yaml --ranks 8 -o two.order && says 'two.order exists'
expect 0 order --fabric two.yaml --ranks 8 -o two.order --force
expect 0 order --fabric two.yaml --ranks 1

# A result: by its ping-pongs, by its links, by distance; some pairs alone are filled up.
quick=(--set run.threads=4 --set transport=loop --set baseline=none --set run.case_time=2ms --set samples.min_iterations=1)
expect 0 run -q -o pairs.h5 --set benchmark=p2p --set p2p=pingpong --set size=8,64KiB "${quick[@]}"
expect 0 run -q -o ends.h5 --set benchmark=p2p --set p2p=pingpong --set pairs=ends --set size=8 "${quick[@]}"
expect 0 run -q -o links.h5 --set algorithm=ring --set size=8 "${quick[@]}"
expect 0 order pairs.h5 --size 256KiB && grep -q 'ping-pong times of 64 KiB' out || fail "pairs: $(cat out)"
expect 0 order pairs.h5 --costs distance && grep -q 'stays' out || fail "distance: $(cat out)"
expect 0 order links.h5 && grep -q 'link delays; 4 of 12 links' out || fail "links: $(cat out)"
expect 0 order ends.h5 && grep -q '10 of 12 links were not measured' out || fail "ends: $(cat out)"
expect 0 order pairs.h5 -o pairs.order
expect 0 run -q -o ordered.h5 --order pairs.order --set size=8 "${quick[@]}"
expect 0 show --json ordered.h5
python3 -c '
import json
cases = json.load(open("out"))
cases = (cases if isinstance(cases, list) else [cases])[0]["cases"]
assert all(case["order"] == "file" and case["verified"] == 1 for case in cases), cases[0]' || fail "run --order"

expect 2 order && says 'name a result'
expect 2 order --fabric two.yaml && says '--ranks N'
expect 2 order pairs.h5 --ranks 4 && says 'goes without a result'
expect 2 order pairs.h5 ends.h5 && says 'one too many'
expect 2 order pairs.h5 --algorithm rong && says "no algorithm 'rong'"
expect 2 order pairs.h5 --collective pingpong --algorithm direct && says 'between pairs'
expect 2 order pairs.h5 --algorithm hierarchical && says 'takes its groups from the hosts'
expect 2 order pairs.h5 --costs fabric && says '--costs fabric needs --fabric'
expect 2 order links.h5 --costs pairs && says 'needs a result with ping-pongs'
expect 2 order pairs.h5 --size 0 && says 'size'
expect 2 order pairs.h5 --format slum && says "slurm"
expect 2 order nowhere.h5 && says 'nowhere.h5'
expect 2 order pairs.h5 --nonsense && says '--nonsense'
expect 2 order pairs.h5 --json --format slurm && says 'both want stdout'
expect 2 order --fabric two.yaml --ranks 9 && says '8 places'
printf '0\n1\n1\n' >bad.order
expect 2 run -o bad.h5 --order bad.order --set size=8 "${quick[@]}" && says 'bad.order:3: rank 1 stands in line 2 already'
[ ! -e bad.h5 ] || fail "a bad order left a result"
expect 0 order --help && grep -q usage out
exit 0
