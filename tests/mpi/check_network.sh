#!/usr/bin/env bash
# ringside run --check-network: one line and 0 where all is well, also for 64 ranks; a table, advice and 1 where a host
# drops, rejects, has another MTU, where full-size packets are lost on the way, and where ranks sit on loopback. Nothing
# is measured or written.
source "$(dirname "$0")/launch.bash"
cd "$work" || exit 1

# check COMMAND...: leaves `status` and the files out and err.
check() {
  "$@" >out 2>err
  status=$?
}
expect() {
  [ "$status" = "$1" ] || fail "exit $status instead of $1: $(cat out err)"
  shift
  for text in "$@"; do grep -qE -- "$text" out || fail "not '$text' but: $(cat out err)"; done
}

# ---- on one machine ---------------------------------------------------------------------------------------

check launch 4 run --check-network -o never.h5
expect 0 '^network of tcp: 12 connections among 4 ranks on 1 host, ports .* all is well, loopback addresses of 1 subnet'
[ "$(wc -l <out)" = 1 ] || fail "not one line: $(cat out)"
[ ! -e never.h5 ] || fail "a file was written"
check launch 2 run --check-network --set transport=null
expect 0 'nothing was checked'
check "$RINGSIDE" run --check-network
expect 0 ' 0 connections among 1 rank'
check "$RINGSIDE" run --check-network --dry-run
[ $status = 2 ] && grep -q exclude err || fail "with --dry-run: exit $status: $(cat out err)"
check "$RINGSIDE" run --check-network --set tcp.interface=eth99
[ $status = 2 ] && grep -q 'eth99.*lo' err || fail "unknown interface: exit $status: $(cat out err)"
check "$RINGSIDE" run --check-network --set transport=tpc
[ $status = 2 ] && grep -q "no transport 'tpc'" err || fail "unknown transport: exit $status: $(cat out err)"

# 64 ranks: in less than 2 s where nothing else runs (0.4 s on two cores); twice that is allowed for company.
check "$RINGSIDE" run --check-network --set run.threads=64 --set baseline=none
expect 0 '4032 connections among 64 ranks'
awk '{ exit !(match($0, /\([0-9.]+ s\)$/) && substr($0, RSTART + 1) + 0 < 4) }' out || fail "it took too long: $(cat out)"

# Ports that somebody else listens on are not taken, and who calls there is turned away.
port=$((20000 + $$ % 10000))
/usr/bin/python3 - $port <<'PYTHON' &
import socket, sys, time
port, held, end = int(sys.argv[1]), [], time.time() + 20
while time.time() < end and len(held) < 500:
    for p in range(port, port + 8):
        try:
            s = socket.create_connection(("127.0.0.1", p), 1)
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" if len(held) % 2 else b"")
            held.append(s)
        except OSError:
            pass
PYTHON
scanner=$!
trap 'kill $scanner 2>/dev/null; rm -rf "$work"' EXIT
check launch 3 run --check-network --set tcp.ports=$port-$((port + 7))
expect 0 'all is well'
check launch 3 run -q -o scanned.h5 --set tcp.ports=$port-$((port + 7)) --set algorithm=ring --set baseline=none \
  --set size=8,64KiB --set run.case_time=50ms --set samples.min_iterations=3
[ $status = 0 ] || fail "a run beside a scanner of ports: exit $status: $(cat out err)"
expect_verified scanned.h5
kill $scanner 2>/dev/null
wait $scanner 2>/dev/null

# ---- across hosts -----------------------------------------------------------------------------------------

source "$(dirname "$0")/lab.bash"
cd "$work" || exit 1
PATH=$PATH:/usr/sbin
command -v nft >/dev/null || { echo "skipped: no nft (package nftables); the part on one machine passed"; exit 77; }
lab_do up --name "$lab" --set ranks=2 --set mtu=9000
across() {
  check "$RINGSIDE" lab run --name "$lab" -n 4 -- run --check-network --set tcp.ports=40000-40009 "$@"
}
block() {
  ip netns exec "rslab-$lab-h2" nft -f - <<<"add table inet ringside
    add chain inet ringside in { type filter hook input priority 0; }
    add rule inet ringside in iif eth0 $*"
}
unblock() {
  ip netns exec "rslab-$lab-h2" nft delete table inet ringside
}

across
expect 0 '12 connections among 4 ranks on 2 hosts, ports 40000-40001: all is well, MTU 9000 both ways, private addresses of 1 subnet, clocks'

# One host drops what comes in: four pairs of ranks, one row, and the other way is open.
block tcp dport 40000-40009 drop || { echo "skipped: nft makes no rules here; the part on one machine passed"; exit 77; }
across --set run.timeout=1s
unblock
expect 1 'NOT READY' "$lab-h1 +0 +$lab-h2 +2 +10.77.0.2 +4000[01] +4 +no answer in 1 s; the other way is open" \
  '^no answer: a security group or network ACL that drops\?'
tr -s '\n ' ' ' <out | grep -q 'stateful: allow TCP ports 40000-40009 .*stateless: .* 1024-65535' || fail "no advice: $(cat out)"
[ "$(awk 'length > 120' out | wc -l)" = 0 ] || fail "lines of more than 120 columns: $(cat out)"
[ "$(grep -c 'no answer in' out)" = 1 ] || fail "not one row: $(cat out)"

block tcp dport 40000-40009 reject with tcp reset
across
unblock
expect 1 "$lab-h1 +0 +$lab-h2 +2 .*connection refused; the other way is open" '^refused: '

# No jumbo frames on the way, without a word (which MPI's own traffic does not survive either).
ip -n "rslab-$lab-switch" link set port2 mtu 1500
across --set run.timeout=1s
ip -n "rslab-$lab-switch" link set port2 mtu 9000
expect 1 "$lab-h1 +0 +$lab-h2 .*full-size packets are lost, short ones pass" "$lab-h2 +2 +$lab-h1 .*full-size packets are lost" '^MTU: '

# Jumbo against standard frames.
ip -n "rslab-$lab-h2" link set eth0 mtu 1500
across
ip -n "rslab-$lab-h2" link set eth0 mtu 9000
expect 1 "$lab-h2 +2 .*eth0 has MTU 1500, others have 9000" '^MTU differs: '
grep -q 'full-size' out && fail "packets that pass are told lost: $(cat out)"

# A router that has a smaller MTU beyond it and says so (here: the host's own route).
ip -n "rslab-$lab-h1" route replace 10.77.0.2 dev eth0 mtu lock 4000
across
ip -n "rslab-$lab-h1" route del 10.77.0.2 dev eth0
expect 1 "$lab-h1 +0 +$lab-h2 .*the path has MTU 4000, the interfaces at its ends 9000" '^path MTU: '

across --set tcp.interface=lo --set run.timeout=1s
expect 1 "$lab-h1 +0 +127.0.0.1 .*a loopback address" "$lab-h2 +2 +127.0.0.1 .*a loopback address" '^loopback: '
grep -q '^handshake\|^refused' out && fail "effects beside their cause: $(cat out)"

across
expect 0 'all is well, MTU 9000 both ways'
