#!/usr/bin/env bash
# Faults of verbs_rc in mid-run: the link goes down, a rank is killed, a rank is stopped. The others end by the deadline
# with a message that names peer and cause, and what had finished is in the file.
guest_options=(--timeout 400)
source "$(dirname "$0")/../inside.bash"

# rank_process RANK
rank_process() {
  local process
  for process in $(pgrep -x ringside); do
    { tr '\0' '\n' <"/proc/$process/environ"; } 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo "$process"
  done | head -n 1
}

# break_run NAME SIZE COMMAND...: runs the command once a case has finished; then rank 0 must end within 30 s. mpirun
# would end it when another rank is killed: with --enable-recovery it does not, and exits 0 whatever happens.
break_run() {
  local name=$1 size=$2 launched result=$work/$1.$2.h5 recovery=()
  [ "$name" != kill ] || recovery=(--enable-recovery)
  shift 2
  echo "$name, $size: after $SECONDS s"
  "$MPIEXEC" "${mpi_flags[@]}" "${recovery[@]}" -np 2 "$RINGSIDE" run -q -o "$result" --set transport=verbs_rc \
    --set baseline=none --set algorithm=ring,tree,double-tree,chain,halving-doubling --set size="$size" --set run.case_time=5s \
    --set samples.interval_width=0.0001% --set samples.max_iterations=1000000 --set run.timeout=5s --set run.probe=no \
    >"$work/out" 2>&1 &
  launched=$!
  for _ in $(seq 60); do
    sleep 1
    kill -0 "$launched" || break
    [ -e "$result" ] && [ "$("$RINGSIDE" show --csv "$result" 2>/dev/null | wc -l)" -ge 2 ] && break
  done
  sleep 0.5
  "$@"
  for _ in $(seq 300); do
    [ -n "$(rank_process 0)" ] || break
    sleep 0.1
  done
  [ -z "$(rank_process 0)" ] || fail "$name, $size: rank 0 still runs after 30 s: $(cat "$work/out")"
  # Two ranks that abort at once can leave mpirun waiting for ever: "Data unpack would read past end of buffer".
  for _ in $(seq 100); do
    kill -0 "$launched" 2>/dev/null || break
    sleep 0.1
  done
  kill "$launched" 2>/dev/null
  wait "$launched" && [ "$name" != kill ] && fail "$name, $size: exit 0"
  "$RINGSIDE" show "$result" >"$work/table" || fail "$name, $size: the file does not open: $(cat "$work/out")"
  grep -q partial "$work/table" || fail "$name, $size: the file does not say partial"
  [ "$("$RINGSIDE" show --csv "$result" | wc -l)" -ge 2 ] || fail "$name, $size: the finished case is gone: $(cat "$work/out")"
}

# says NAME WORD...: one line has all the words.
says() {
  local name=$1 lines word
  shift
  lines=$(cat "$work/out")
  for word in "$@"; do lines=$(grep -E "$word" <<<"$lines"); done
  [ -n "$lines" ] || fail "$name: no line with all of: $*: $(cat "$work/out")"
}

stop_rank() {
  victim=$(rank_process 1)
  kill -STOP "$victim"
  { sleep 15 && kill -KILL "$victim"; } 2>/dev/null &
}

# Who hears of it first depends on the moment: the queue pair, the executor, or the measuring between batches.
silence='does not answer|nothing moved for 5 s|waited 10 s'
for size in 8 1MiB; do
  break_run cut "$size" wire cut
  says "cut, $size" 'rank [01]: verbs_rc:' 'port 1 of rxe[01] (is|went) down' 'with rank|rank [01] at'
  wire mend
  sleep 1
done
break_run kill 1MiB eval 'kill -KILL "$(rank_process 1)"'
says kill 'rank 0: ' 'rank 1' "$silence"
break_run stop 8 stop_rank
says stop 'rank 0: ' 'rank 1' "$silence"

# Too little memory that may be locked, as a user who may not raise it: an error before anybody waits, and what to do.
(ulimit -l 64 && setpriv --bounding-set=-all --inh-caps=-all --reuid=65534 --regid=65534 --clear-groups \
  "$RINGSIDE" run -q -o /tmp/none.h5 --set run.threads=2 --set transport=verbs_rc --set baseline=none --set size=8) \
  >"$work/out" 2>&1 && fail 'locked memory: exit 0'
says 'locked memory' 'may lock 64 KiB' 'ulimit -l unlimited'
