#!/usr/bin/env bash
# Two RDMA devices on a wire: reliable connections and datagrams go over it, netem and a cut act on it, and mpirun runs.
guest_options=(--timeout 300)
source "$(dirname "$0")/inside.bash"

# packets COMMAND...: by how many packets each end of the wire received and sent more, the smaller number.
packets() {
  local before after
  read -r -a before < <(wire packets)
  "$@" >"$work/out" 2>&1 || fail "$*: exit $?: $(cat "$work/out")"
  read -r -a after < <(wire packets)
  echo $((after[0] - before[0] < after[1] - before[1] ? after[0] - before[0] : after[1] - before[1]))
}

# ping_pong PROGRAM OPTION...: between the two devices, sleeping on completion events, as one processor is enough. The
# client has received all that it sent, and judges; the server may lose the last acknowledgement and wait for it.
ping_pong() {
  local server status=0
  timeout 60 "$1" -d rxe1 -g 1 -e "${@:2}" &
  server=$!
  until ss -Hltn 'sport = :18515' | grep -q .; do sleep 0.05; done
  timeout 60 "$1" -d rxe0 -g 1 -e "${@:2}" 10.78.0.2 || status=$?
  kill $server
  wait $server
  return $status
}

# There and back are two packets of data and, for a connection, acknowledgements. A short cut would show as none.
count=$(packets ping_pong ibv_rc_pingpong -n 200 -s 4096) || exit 1
[ "$count" -ge 200 ] || fail "a reliable connection: $count packets on the wire for 200 messages each way"
count=$(packets ping_pong ibv_ud_pingpong -n 200 -s 1024) || exit 1
[ "$count" -ge 200 ] || fail "datagrams: $count packets on the wire for 200 messages each way"

# Loss: a reliable connection resends.
wire netem loss 5%
count=$(packets ping_pong ibv_rc_pingpong -n 100 -s 4096) || exit 1
[ "$count" -ge 100 ] || fail "with loss: $count packets on the wire for 100 messages each way"
tc -s qdisc show dev veth0 | grep -q 'dropped [1-9]' || fail "nothing was lost: $(tc -s qdisc show dev veth0)"
wire clear

wire cut
timeout 20 ibv_rc_pingpong -d rxe0 -g 1 10.78.0.2 >"$work/out" 2>&1 && fail 'a connection over a cut wire'
wire mend
count=$(packets ping_pong ibv_rc_pingpong -n 20 -s 64) || exit 1

launch 2 run -q -o "$work/tcp.h5" --set algorithm=ring --set size=8,64KiB --set samples.min_iterations=3 \
  --set run.case_time=20ms >"$work/out" 2>&1 || fail "mpirun: exit $?: $(cat "$work/out")"
expect_verified "$work/tcp.h5"
