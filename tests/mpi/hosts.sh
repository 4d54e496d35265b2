#!/usr/bin/env bash
# Ranks on several hosts, which a lab makes: they find their interface, see each other as other hosts, and agree on the
# data.
source "$(dirname "$0")/lab.bash"
lab_do up --name "$lab" --set ranks=2

across() {
  "$RINGSIDE" lab run --name "$lab" -n 3 -- run "$@" >"$work/out" 2>&1
}

across -q -o "$work/hosts.h5" --set algorithm=ring,tree --set size=8,64KiB --set samples.min_iterations=3 \
  --set run.case_time=50ms || fail "exit $?: $(cat "$work/out")"
expect_verified "$work/hosts.h5"
"$RINGSIDE" show "$work/hosts.h5" >"$work/table" || fail "show: exit $?"
grep -q "3 on 2 hosts: $lab-h1 (2), $lab-h2 (1)" "$work/table" || fail "not two hosts: $(cat "$work/table")"
grep -q "tcp over eth0 (veth)" "$work/table" || fail "not over eth0: $(cat "$work/table")"

# An interface that no host has: one line with those that exist, exit 2, nothing written.
across -o "$work/none.h5" --set tcp.interface=eth7 --set size=8
status=$?
[ $status = 2 ] || fail "unknown interface: exit $status: $(cat "$work/out")"
grep -q "eth7.*eth0" "$work/out" || fail "unknown interface: $(cat "$work/out")"
[ ! -e "$work/none.h5" ] || fail "a file was written"
