#!/usr/bin/env bash
# Two hosts of two ranks each, which a lab makes: what goes by which way. Bytes are counted where the kernel counts them, on the
# loopback of a host (TCP within it) and on its links.
source "$(dirname "$0")/lab.bash"
lab_do up --name "$lab" --set ranks=2
first=rslab-$lab-h1 second=rslab-$lab-h2
quick=(--set baseline=none --set samples.warm_up=1 --set samples.min_iterations=1 --set run.case_time=1ms --set run.probe=no)

# across N ARGUMENTS...: a run of N ranks, the first two of them on the first host.
across() {
  local n=$1
  shift
  "$RINGSIDE" lab run --name "$lab" -n "$n" -- run "$@" >"$work/out" 2>&1
}

# sent INTERFACE: bytes that the first host has sent on it.
sent() {
  ip netns exec "$first" cat "/sys/class/net/$1/statistics/tx_bytes"
}

# expect_transport FILE NAME: of every case.
expect_transport() {
  [ "$(column "$1" transport | sort -u)" = "$2" ] || fail "$1: carried by $(column "$1" transport | sort -u), not $2"
}

# Every collective by every algorithm.
across 4 -q -o "$work/all.h5" --set transport=shm+tcp --set lanes=2 --set size=8,1000,1MiB \
  --set collective=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv "${quick[@]}" ||
  fail "all algorithms: exit $?: $(cat "$work/out")"
expect_verified "$work/all.h5"
expect_transport "$work/all.h5" shm+tcp
printf '%3d s: %d cases over shm+tcp are verified\n' "$SECONDS" "$(column "$work/all.h5" verified | wc -l)"
across 3 -q -o "$work/p2p.h5" --set transport=shm+tcp --set benchmark=p2p --set size=8,64KiB "${quick[@]}" --set run.probe=yes ||
  fail "point to point: exit $?: $(cat "$work/out")"
expect_verified "$work/p2p.h5"
/usr/bin/python3 - "$work/p2p.h5" <<'PYTHON' || fail 'links or devices are not what they should be'
import h5py, sys
with h5py.File(sys.argv[1]) as file:
    links = {(int(l["source"]), int(l["target"])): l["transport"].decode() for l in file["links"][:]}
    devices = sorted((int(d["rank"]), d["transport"].decode()) for d in file["rank_devices"][:])
assert links == {(a, b): "shm" if {a, b} == {0, 1} else "tcp" for a in range(3) for b in range(3) if a != b}, links
assert devices == [(r, t) for r in range(3) for t in ("shm", "tcp")], devices
PYTHON

# How much one rank sends another in 20 to 40 iterations of a ring of four: two of its four edges are within hosts. Nothing
# of shm+tcp passes the loopback, and all of tcp's edge within the host does.
ring=(--set algorithm=ring --set size=4MiB --set baseline=none --set samples.min_iterations=20 --set samples.max_iterations=40 --set run.probe=no)
for transport in shm+tcp tcp; do
  inside=$(sent lo) between=$(sent eth0)
  across 4 -q -o "$work/ring.h5" --force --set transport=$transport "${ring[@]}" || fail "$transport: exit $?: $(cat "$work/out")"
  inside=$(($(sent lo) - inside)) between=$(($(sent eth0) - between))
  expect_verified "$work/ring.h5"
  printf '%3d s: ring of 4 by %s: %d bytes within host 1, %d leave it\n' "$SECONDS" $transport $inside $between
  [ $between -gt $((20 * 6 * 1048576)) ] || fail "$transport: the ring's edge out of host 1 carried $between bytes"
  case $transport in
  tcp) [ $inside -gt $((between * 9 / 10)) ] || fail "tcp: $inside bytes within host 1, as many as $between are due" ;;
  *) [ $inside -lt $((between / 20)) ] || fail "shm+tcp: $inside bytes passed the loopback" ;;
  esac
done

# A second cable between the hosts. Lanes take turns on the two; a part has four chunks, so of three lanes the first has two of them.
ip link add rs$$a netns "$first" type veth peer name rs$$b netns "$second" || fail 'no second cable'
ip -n "$first" link set rs$$a name eth1 && ip -n "$first" addr add 10.78.0.1/24 dev eth1 && ip -n "$first" link set eth1 up || fail 'no eth1'
ip -n "$second" link set rs$$b name eth1 && ip -n "$second" addr add 10.78.0.2/24 dev eth1 && ip -n "$second" link set eth1 up || fail 'no eth1'
for lanes in 2 3 1; do
  one=$(sent eth0) two=$(sent eth1)
  across 4 -q -o "$work/nics.h5" --force --set transport=shm+tcp --set tcp.interface=eth0,eth1 --set lanes=$lanes "${ring[@]}" \
    --set run.probe=yes || fail "two NICs: exit $?: $(cat "$work/out")"
  one=$(($(sent eth0) - one)) two=$(($(sent eth1) - two))
  expect_verified "$work/nics.h5"
  printf '%3d s: %d lanes over two NICs: %d and %d bytes\n' "$SECONDS" $lanes $one $two
  case $lanes in
  2) [ $two -gt $((one * 8 / 10)) ] && [ $two -lt $((one * 12 / 10)) ] || fail "2 lanes: $one and $two bytes are not halves" ;;
  3) [ $two -gt $((one * 3 / 10)) ] && [ $two -lt $((one * 4 / 10)) ] || fail "3 lanes: $two bytes are not a third of $one" ;;
  1)
    [ $two -lt 100000 ] || fail "1 lane: $two bytes on the second NIC"
    grep -q '2 NICs are named, of which lanes=1 uses 1; set lanes=2' "$work/out" || fail "no warning: $(cat "$work/out")"
    ;;
  esac
  /usr/bin/python3 - "$work/nics.h5" $lanes <<'PYTHON' || fail "$lanes lanes: links or devices are not what they should be"
import h5py, sys
rails = min(int(sys.argv[2]), 2)
with h5py.File(sys.argv[1]) as file:
    links = sorted({l["transport"].decode() for l in file["links"][:]})
    nics = sorted(d["interface"].decode() for d in file["rank_devices"][:] if d["rank"] == 0 and d["transport"] == b"tcp")
assert links == ["shm", "tcp", "tcp.1"][:1 + rails], links
assert nics == ["eth0", "eth1"][:rails], nics
PYTHON
done
"$RINGSIDE" lab run --name "$lab" -n 4 -- run --check-network --set transport=shm+tcp --set tcp.interface=eth0,eth1 >"$work/out" 2>&1 ||
  fail "network check: exit $?: $(cat "$work/out")"
grep -q 'network of tcp over eth0: .*all is well' "$work/out" && grep -q 'network of tcp over eth1: .*all is well' "$work/out" ||
  fail "network check: $(cat "$work/out")"

# refuse TEXT ARGUMENTS...: exit 2, and TEXT is said.
refuse() {
  local text=$1 status
  shift
  across 4 -o "$work/none.h5" --set size=8 --set baseline=none "$@"
  status=$?
  [ $status = 2 ] || fail "$*: exit $status: $(cat "$work/out")"
  grep -q -e "$text" "$work/out" || fail "$*: not '$text' but: $(cat "$work/out")"
  [ ! -e "$work/none.h5" ] || fail "$*: a file was written"
}
refuse 'transport=tcp+shm: A+B is A between ranks of one host and B between hosts; A can be shm; B can be tcp' --set transport=tcp+shm
refuse 'A can be shm; B can be tcp' --set transport=shm+shm
refuse 'A can be shm; B can be tcp' --set transport=shm+nosuch
refuse 'use transport=tcp' --set transport=shm
refuse 'eth7.*eth0' --set tcp.interface=eth0,eth7 --set lanes=2
refuse 'name each of several interfaces' --set tcp.interface=eth0, --set lanes=2
refuse '9 NICs are named; a rank uses 8 at most' --set tcp.interface=lo,lo,lo,lo,lo,lo,lo,lo,lo --set lanes=9

# Ranks that name different numbers of NICs.
"$MPIEXEC" "${mpi_flags[@]}" -np 1 "$RINGSIDE" run --set size=8 --set tcp.interface=lo -o "$work/none.h5" : \
  -np 1 "$RINGSIDE" run --set size=8 --set tcp.interface=lo,lo -o "$work/none.h5" >"$work/out" 2>&1
status=$?
[ $status = 2 ] || fail "different NICs: exit $status: $(cat "$work/out")"
grep -q "rank 1: this rank and rank 0 disagree about the configuration from .*lo,lo" "$work/out" || fail "different NICs: $(cat "$work/out")"

# auto N TRANSPORT: what it is for so many ranks.
auto() {
  across "$1" -q -o "$work/auto.h5" --force --set transport=auto --set algorithm=ring --set size=8 "${quick[@]}" ||
    fail "auto, $1 ranks: exit $?: $(cat "$work/out")"
  expect_verified "$work/auto.h5"
  expect_transport "$work/auto.h5" "$2"
  grep -q "transport=auto is $2\$\|transport=auto is $2;" "$work/out" || fail "auto, $1 ranks: $(cat "$work/out")"
}
auto 4 shm+tcp
auto 2 shm
# On one host, shm+tcp takes shm alone.
across 2 -q -o "$work/two.h5" --set transport=shm+tcp --set size=8 "${quick[@]}" || fail "one host: exit $?: $(cat "$work/out")"
expect_verified "$work/two.h5"
"$RINGSIDE" show "$work/two.h5" | grep -q 'transport tcp' && fail 'a device that nobody needs'
exit 0
