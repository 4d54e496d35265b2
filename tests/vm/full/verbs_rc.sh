#!/usr/bin/env bash
# verbs_rc under mpirun, ranks in turns on the two devices: every collective by every algorithm, short, eager and
# rendezvous messages, pairs, options, and 1% of all packets lost: every element is verified.
guest_options=(--timeout 560)
source "$(dirname "$0")/../inside.bash"
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms --set run.probe=false
  --set transport=verbs_rc --set baseline=none)

# verified NAME RANKS ARGUMENTS...
verified() {
  launch "$2" run -q -o "$work/$1.h5" "${quick[@]}" "${@:3}" >"$work/out" 2>&1 || fail "$1: exit $?: $(cat "$work/out")"
  expect_verified "$work/$1.h5"
}

for n in 2 3 4; do
  sizes=8,64KiB
  [ $n != 4 ] || sizes=20KiB # messages of 5 KiB, which are long; ranks take turns on one processor here
  verified "$n" "$n" --set collective=$all --set root=$((n - 1)) --set size=$sizes --set chunk=8KiB --set run.group_size=2
  [ "$(column "$work/$n.h5" collective | sort -u | wc -l)" = 8 ] || fail "$n ranks: some collective is missing"
done
verified pairs 3 --set benchmark=p2p --set size=8,64KiB
verified read 2 --set collective=allreduce,alltoall --set size=8,1MiB --set verbs_rc.rendezvous=read --set lanes=2
verified stripes 2 --set collective=allreduce --set size=8,1MiB --set verbs_rc.queue_pairs=4 --set verbs_rc.device=rxe0,rxe1
verified types 2 --set collective=allreduce --set algorithm=ring --set size=4000 \
  --set datatype=float32,float64,float16,bfloat16,int32,int64,uint8 --set operation=sum,max

# On the wire: a rank on each device, and one MiB is at least 256 packets.
read -r before _ < <(wire packets)
verified wire 2 --set algorithm=ring --set size=1MiB --set verbs_rc.eager=0
read -r after _ < <(wire packets)
[ $((after - before)) -ge 256 ] || fail "only $((after - before)) packets were on the wire"
"$RINGSIDE" show --json "$work/wire.h5" >"$work/shown"
for word in rxe0 rxe1 ::ffff:10.78.0.1 ::ffff:10.78.0.2 verbs_rc.rendezvous; do
  grep -q "$word" "$work/shown" || fail "the file does not say $word"
done

wire netem loss 1%
verified loss 2 --set collective=allreduce,alltoall --set algorithm=ring,pairwise --set size=8,256KiB
tc -s qdisc show dev veth0 | grep -q 'dropped [1-9]' || fail 'nothing was lost'
