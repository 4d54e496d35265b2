#!/usr/bin/env bash
# ringside topology: of a launch and of a result, with an operator's file and without, as text and JSON; exit codes.
source "$(dirname "$0")/launch.bash"
cd "$work" || exit 1
host=$(hostname)

# expect STATUS COMMAND...
expect() {
  local wanted=$1 status
  shift
  "$@" >out 2>err
  status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat out err)"
}
# says FILE TEXT
says() {
  grep -qF -- "$2" "$1" || fail "'$2' is not in: $(cat "$1")"
}

expect 0 launch 4 topology
says out "4 ranks on 1 host"
says out "host $host"
[ "$(grep -c '^ *host ' out)" = 1 ] || fail "printed more than once: $(cat out)"
grep -qE '^ *(NUMA|no one NUMA).*0' out || fail "no ranks in the tree: $(cat out)"

cat >site.yaml <<YAML
hosts:
  $host: {region: r-1, zone: z-1, switch: leaf-7, placement_group: pg, physical_host: rack9}
switches:
  leaf-7: {parent: spine-1}
  spine-1:
YAML
expect 0 launch 4 topology --topology site.yaml --label placement=cluster
says out "asked for cluster"
grep -A5 '^region r-1' out | tr -s ' \n' ' ' |
  grep -qF "region r-1 zone z-1 network spine-1 network leaf-7 host $host: placement group pg, physical host rack9" ||
  fail "the file is not in the tree: $(cat out)"

expect 0 launch 3 topology --json --topology site.yaml
python3 -c '
import json
d = json.load(open("out"))
assert d["file"] is None and d["hosts"][0]["network_path"] == "spine-1/leaf-7", d
assert len(d["ranks"]) == 3 and sum(d["pairs_of_ranks"].values()) == 3, d
assert d["host_distances"] == [["host"]], d
' || fail "--json: $(cat out)"

# A claim that does not hold is a warning, and an answer with --strict.
expect 0 launch 2 topology --label hosts=2
says out "warning: the run claims 2 hosts and is on 1 host: ranks 0-1 share $host"
expect 1 launch 2 topology --strict --label hosts=2
expect 2 launch 2 topology --label hosts=two
says err "write the number of hosts"

# Bad files: one line with the place, exit 2.
printf 'SwitchName=s0 Nodes=other-host\n' >topology.conf
expect 2 launch 2 topology --topology topology.conf
says err "topology.conf: host $host of this run is not in the file"
[ "$(grep -c 'not in the file' err)" = 1 ] || fail "said more than once: $(cat err)"
printf 'hosts:\n  %s: {switch: a}\nswitches:\n  a: {parent: b}\n  b: {parent: a}\n' "$host" >cycle.yaml
expect 2 launch 2 topology --topology cycle.yaml
says err "cycle.yaml:4:15: switch a is its own parent: a > b > a"
expect 2 "$RINGSIDE" topology --topology missing.yaml
says err "cannot open the topology file 'missing.yaml'"
expect 2 launch 2 topology result.h5
says err "leave mpirun out"

# A result, with the labels it was made with.
launch 4 run -q -o result.h5 --label placement=partition --label hosts=4 --set size=8 --set algorithm=ring \
  --set baseline=none --set run.case_time=10ms >/dev/null || fail "run: exit $?"
expect 0 "$RINGSIDE" topology result.h5
says out "result.h5: 4 ranks on 1 host, asked for partition"
says out "tcp "
says out "ranks 0-3 share $host"
says out "asked for partition, but the partition of $host is not known"
expect 1 "$RINGSIDE" topology --strict result.h5
expect 0 "$RINGSIDE" topology --label placement=none --label hosts=1 --topology site.yaml result.h5
says out "region r-1"
! grep -q partition out || fail "a label does not stand over the result's: $(cat out)"
expect 0 "$RINGSIDE" topology --json result.h5 result.h5
expect 0 "$RINGSIDE" topology --json result.h5
python3 -c '
import json
d = json.load(open("out"))
assert d["file"] == "result.h5" and d["asked_for"] == "partition" and len(d["rank_devices"]) == 4, d
assert any("claims 4 hosts" in w for w in d["warnings"]), d
' || fail "--json of a result: $(cat out)"

# A result of an emulated network says so, and one machine is not held against it.
launch 2 run -q -o emulated.h5 --set transport=emulated --set "emulated.fabric=$RS_SOURCE_DIR/configs/fabrics/aws-spread.yaml" \
  --set size=8 --set algorithm=ring --set baseline=none --set run.case_time=10ms >/dev/null || fail "emulated run: exit $?"
expect 0 "$RINGSIDE" topology --strict --label placement=spread emulated.h5
says out "2 ranks on 2 hosts, asked for spread, of the EMULATED network aws-spread"
expect 0 "$RINGSIDE" topology --json emulated.h5
says out '"emulated_fabric": "aws-spread"'

expect 2 "$RINGSIDE" topology none.h5
expect 2 "$RINGSIDE" topology --nonsense
expect 2 "$RINGSIDE" topology --label placement
expect 0 "$RINGSIDE" topology --help
says out "examples:"
"$RINGSIDE" topology result.h5 >/dev/full 2>err && fail "a full disk passes for success"
exit 0
