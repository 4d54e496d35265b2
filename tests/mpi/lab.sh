#!/usr/bin/env bash
# ringside lab: hosts that ranks see as hosts, several labs at once, and nothing left behind: after down, after a failed
# up, and after kill -9 of mpirun and of up.
source "$(dirname "$0")/lab.bash"

# What there is of namespaces, interfaces, mounts, labs and processes with a lab's name.
inventory() {
  ip netns list | sort
  ip -o link | awk '{print $2}'
  awk '{print $5}' /proc/self/mountinfo | sort
  find /run -maxdepth 1 | sort
  find /run/ringside-lab 2>/dev/null
  pgrep -f "ringside-lab/$lab" | sed 's/^/process /'
}
inventory >"$work/before"
expect_nothing() {
  inventory >"$work/after"
  diff "$work/before" "$work/after" || fail "$*: something is left, or gone"
}
# wait_for WHAT COMMAND...: until it succeeds, 20 s at most.
wait_for() {
  local what=$1 tries=2000
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || fail "waited for $what"
    sleep 0.01
  done
}
small=(--set algorithm=ring --set baseline=none --set size=8,64KiB --set samples.min_iterations=3 --set run.case_time=50ms)

# ---- a lab's life -----------------------------------------------------------------------------------------

lab_do up "$RS_SOURCE_DIR/configs/labs/two-hosts.yaml" --name "$lab"
expect_refused "there is a lab called $lab" up --name "$lab"
lab_do up --name "$lab-b" --set hosts=4 --set link.rate=1Gbit/s --set congestion=cubic --set mtu=1400
lab_do status --json
python3 - "$work/out" "$lab" <<'PYTHON' || fail "status --json: $(cat "$work/out")"
import json, sys
labs = {l["name"]: l for l in json.load(open(sys.argv[1]))}
a, b = labs[sys.argv[2]], labs[sys.argv[2] + "-b"]
assert [h["address"] for h in a["hosts"]] == ["10.77.0.1", "10.77.0.2"], a
assert len(b["hosts"]) == 4 and b["link_rate_bit_s"] == 10**9 and b["state"] == "up" and b["processes"] == 0, b
PYTHON
"$RINGSIDE" lab status --name "$lab-b" | grep -q "$lab-b-h4 *10.77.0.4" || fail "status: no fourth host"
tc -n "rslab-$lab-b-h3" qdisc show dev eth0 | grep -q 'tbf.*rate 1Gbit' || fail "h3 is not shaped"
tc -n "rslab-$lab-b-switch" qdisc show dev port3 | grep -q 'tbf.*rate 1Gbit' || fail "the switch's end is not shaped"
ip -n "rslab-$lab-b-h1" route | grep -q 'congctl cubic' || fail "no congestion control on the route"
expect_refused "say which with --name" run -- hostname
expect_refused "there is no lab called $lab-c" run --name "$lab-c" -- hostname
expect_refused "1 to 4 ranks" run --name "$lab" -n 5 -- hostname
expect_refused "a command after --" run --name "$lab"

# One rank a host, and two: hosts are distinct, every element is right, the exit code is that of the ranks.
lab_do run --name "$lab-b" -- run -q -o "$work/four.h5" "${small[@]}"
expect_verified "$work/four.h5"
"$RINGSIDE" show "$work/four.h5" >"$work/table"
grep -q "4 on 4 hosts: $lab-b-h1 (1), $lab-b-h2 (1), $lab-b-h3 (1), $lab-b-h4 (1)" "$work/table" || fail "not four hosts: $(cat "$work/table")"
grep -q "tcp over eth0 (veth), congestion control cubic, mtu 1400" "$work/table" || fail "not over eth0: $(cat "$work/table")"
lab_do run --name "$lab" -n 2 -- run -q -o "$work/two.h5" "${small[@]}"
expect_verified "$work/two.h5"
"$RINGSIDE" show "$work/two.h5" | grep -q "2 on 1 host: $lab-h1 (2)" || fail "hosts are not filled one after the other"
expect_refused "there is no algorithm" run --name "$lab" -- run --set algorithm=nonsense
"$RINGSIDE" lab run --name "$lab" -n 1 -- /bin/sh -c 'exit 7' >"$work/out" 2>&1
status=$?
[ $status = 7 ] || fail "the exit code of a rank is 7, of run $status"
"$RINGSIDE" lab run --name "$lab" -n 1 --verbose -- /bin/echo "two  words" >"$work/out" 2>&1
grep -q "^ip netns exec rslab-$lab-switch .*/bin/echo 'two  words'" "$work/out" || fail "--verbose: $(cat "$work/out")"
grep -qx "two  words" "$work/out" || fail "a word with blanks: $(cat "$work/out")"

# Without a name where there is one lab only; removing it leaves the other alone.
lab_do down --name "$lab-b"
lab_do run -- hostname
sort "$work/out" | uniq -c | grep -q "2 $lab-h2" || fail "run without a name: $(cat "$work/out")"

# ---- what is left when something dies ---------------------------------------------------------------------

count_inside() {
  "$RINGSIDE" lab status --name "$lab" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["processes"])'
}
ranks_sleep() {
  [ "$(ip netns pids "rslab-$lab-h2" | xargs -r -n 1 -I @ cat /proc/@/comm 2>/dev/null | grep -c sleep)" = 2 ]
}
# SIGTERM reaches mpirun, which ends its ranks.
"$RINGSIDE" lab run -- sleep 1000 >"$work/out" 2>&1 &
runner=$!
wait_for "the ranks" ranks_sleep
all_inside() {
  [ "$(count_inside)" -ge 7 ]
}
wait_for "mpirun, two daemons and four ranks in lab status" all_inside
kill -TERM $runner
wait $runner && fail "run ended well although it was terminated"
nothing_inside() {
  [ "$(count_inside)" = 0 ]
}
wait_for "the end of all" nothing_inside

# mpirun is killed; down does not care what became of its daemons and ranks.
"$RINGSIDE" lab run -- sleep 1000 >"$work/out" 2>&1 &
runner=$!
wait_for "the ranks" ranks_sleep
kill -KILL $runner
wait $runner
lab_do down
expect_nothing "down after kill -9 of mpirun"

# Ranks that still run do not keep a lab.
lab_do up --name "$lab" --set ranks=2
"$RINGSIDE" lab run -- sleep 1000 >"$work/out" 2>&1 &
runner=$!
wait_for "the ranks" ranks_sleep
lab_do down --name "$lab"
wait $runner
expect_nothing "down while ranks run"

# up is killed in the middle.
host_five() {
  [ -e "/run/netns/rslab-$lab-h5" ]
}
"$RINGSIDE" lab up --name "$lab" --set hosts=64 &
maker=$!
wait_for "half a lab" host_five
kill -KILL $maker
wait $maker
lab_do status --name "$lab"
grep -q "$lab *half-made" "$work/out" || fail "a half-made lab: $(cat "$work/out")"
expect_refused "is not whole" run --name "$lab" -- hostname
lab_do down --all
expect_nothing "down after kill -9 of up"

# up is interrupted, and up fails: it removes what it has made.
"$RINGSIDE" lab up --name "$lab" --set hosts=64 &
maker=$!
wait_for "half a lab" host_five
kill -TERM $maker
wait $maker && fail "up ended well although it was terminated"
expect_nothing "up after SIGTERM"
"$RINGSIDE" lab up --name "$lab" --set congestion=no-such >"$work/out" 2>&1
status=$?
[ $status = 4 ] || fail "up with an unknown congestion control: exit $status: $(cat "$work/out")"
grep -q "congctl no-such' failed with exit code" "$work/out" || fail "up: $(cat "$work/out")"
expect_nothing "up that failed"

# ---- what is refused --------------------------------------------------------------------------------------

expect_refused "there is no lab" down
expect_refused "there is no lab called" down --name ../netns
lab_do down --all
expect_refused "did you mean 'status'" statsu
own=$(ip -4 -o addr show scope global | awk '{split($4, a, "."); print a[1] "." a[2] "." a[3] ".0/24"; exit}')
[ -z "$own" ] || expect_refused "subnet $own is in use" up --name "$lab" --set subnet="$own"
PATH=/nowhere "$RINGSIDE" lab up --name "$lab" >"$work/out" 2>&1
status=$?
[ $status = 2 ] && grep -q "no program 'ip'" "$work/out" || fail "up without ip: exit $status: $(cat "$work/out")"
cp "$RINGSIDE" "$work/ringside" && chmod 755 "$work"
setpriv --reuid=65534 --clear-groups "$work/ringside" lab up --name "$lab" >"$work/out" 2>&1
status=$?
[ $status = 2 ] && grep -q "takes root" "$work/out" || fail "up without root: exit $status: $(cat "$work/out")"

# Delay where the kernel has netem; where it has not, up says so and can do without.
if "$RINGSIDE" lab up --name "$lab" --set link.delay=1ms >"$work/out" 2>&1; then
  tc -n "rslab-$lab-h1" qdisc show dev eth0 | grep -q 'netem.*delay 1ms' || fail "no delay"
else
  grep -q 'no netem (sch_netem).*--without-delay' "$work/out" || fail "up with a delay: $(cat "$work/out")"
  expect_nothing "up without netem"
  lab_do up --name "$lab" --set link.delay=1ms --without-delay
fi
lab_do down
expect_nothing "the end"
