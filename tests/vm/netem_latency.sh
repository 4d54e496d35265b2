#!/usr/bin/env bash
# Truth that is not our own: between two hosts of a lab, whose link the kernel delays by 1, 5 and 20 ms each
# way, a ping-pong must take twice that, within 2%. What the same ping-pong takes without delay (processor time of both
# hosts' stacks and the kernel's bridge: about 0.2 ms here) is measured too and subtracted; both figures are printed.
# The guest's clock counts its instructions: the kernel's delays and our times are exact however busy this machine is.
guest_options=(--timeout 400 --exact-clock)
source "$(dirname "$0")/inside.bash"
source "$(dirname "$0")/../mpi/lab.bash"

# round_trip DELAY: sets `measured`, the median in ns, of a lab of two hosts with this delay on their link.
round_trip() {
  local file=$work/$1.h5
  lab_do up --name "$lab" --set hosts=2 --set "link.delay=$1"
  "$RINGSIDE" lab run --name "$lab" -n 2 -- run -q -o "$file" --set benchmark=p2p --set p2p=pingpong \
    --set algorithm=direct --set baseline=none --set size=8 --set run.wait=sleep --set samples.min_iterations=10 \
    --set run.case_time=50ms >"$work/out" 2>&1 || fail "$1: exit $?: $(cat "$work/out")"
  lab_do down --name "$lab"
  expect_verified "$file"
  measured=$(column "$file" median_ns)
}

round_trip 0
without=${measured%.*}
echo "without delay: $without ns there and back"
wrong=0
for delay in 1 5 20; do
  round_trip ${delay}ms
  awk -v asked=$((2 * delay * 1000000)) -v measured="$measured" -v without="$without" 'BEGIN {
    error = (measured - without) / asked - 1
    printf "%2d ms each way: measured %d ns, less that %d ns: %+.2f%% of %d\n",
      asked / 2e6, measured, measured - without, 100 * error, asked
    exit error < -0.02 || error > 0.02 }' || wrong=1
done
[ $wrong = 0 ] || fail 'a measured time is more than 2% from what the kernel was asked for'
