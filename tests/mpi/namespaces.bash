# Sourced after launch.bash: several hosts on one machine, as network namespaces with a host name, an interface eth0
# and an address each, on one bridge, and one mpirun across them without ssh. Skips where that cannot be had.
case $mpi in
*"Open MPI"* | *OpenRTE*) ;;
*) echo "skipped: the agent is one for Open MPI"; exit 77 ;;
esac
[ "$(id -u)" = 0 ] || { echo "skipped: network namespaces need root"; exit 77; }
command -v ip >/dev/null || { echo "skipped: no ip (iproute2)"; exit 77; }

switch=rs$$
hosts=("${switch}a" "${switch}b")
clean_up() {
  for name in "$switch" "${hosts[@]}"; do ip netns del "$name" 2>/dev/null; done
  rm -rf "$work"
}
trap clean_up EXIT

ip netns add "$switch" 2>/dev/null || { echo "skipped: no network namespaces here"; exit 77; }
{
  ip -n "$switch" link add br0 type bridge
  ip -n "$switch" link set br0 up
  ip -n "$switch" addr add 10.77.0.254/24 dev br0
  ip -n "$switch" link set lo up
} || fail "the bridge"
number=0
for host in "${hosts[@]}"; do
  number=$((number + 1))
  {
    ip netns add "$host"
    ip link add "port$number" netns "$switch" type veth peer name eth0 netns "$host"
    ip -n "$switch" link set "port$number" master br0 up
    ip -n "$host" addr add "10.77.0.$number/24" dev eth0
    ip -n "$host" link set eth0 up
    ip -n "$host" link set lo up
  } || fail "host $host"
done

cat >"$work/agent" <<'AGENT'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "$host" unshare --uts /bin/sh -c "hostname $host; $*"
AGENT
chmod +x "$work/agent"

# across A B ARGS...: ringside with A ranks on the first host and B on the second.
across() {
  ip netns exec "$switch" "$MPIEXEC" --mca plm_rsh_agent "$work/agent" --mca pml ob1 --mca btl tcp,self \
    --mca btl_tcp_if_include eth0 --mca mpi_yield_when_idle 1 --bind-to none --host "${hosts[0]}:$1,${hosts[1]}:$2" \
    -n $(($1 + $2)) "$RINGSIDE" "${@:3}"
}
