#!/usr/bin/env bash
# kill -9 of rank 0 at random moments, from its first instruction to its last: whatever was reported is in the file.
# RS_FAULT_REPEATS kills (default 12, every fourth under mpirun), at moments drawn from RS_FAULT_SEED (default: drawn).
source "$(dirname "$0")/faults.bash"
repeats=${RS_FAULT_REPEATS:-12}
seed=${RS_FAULT_SEED:-$((SRANDOM % 1000000))}
RANDOM=$seed
echo "seed $seed"

# Many short cases, so that the file is being written most of the time.
short=(--set size=8..4KiB --set run.case_time=1ms --set samples.min_iterations=3 --set run.timeout=20s)
alone() { start -- "${short[@]}" --set run.threads=1 --set transport=loop; }
launched() { start "$MPIEXEC" "${mpi_flags[@]}" -np 2 -- "${short[@]}" --set size=8..128; }

# Open MPI's mpiexec (4.1.4) may wait for ever for a rank that died while the two were connecting. Our word is for ranks.
await_ranks() {
  if ! await 100 ended "$launched"; then
    for pid in $(cat "$FAULTS"/pid.[0-9]*); do ended "$pid" || fail "$fault: rank process $pid is left: $(words)"; done
    echo "$fault: all ranks have ended, and mpiexec waits"
    kill -KILL "$(cat "$FAULTS/pid.launcher")"
  fi
  await_end 20
}

# How long a whole run takes, in ms.
declare -A whole
for way in alone launched; do
  fault="no fault, $way"
  begin=$(date +%s%3N)
  $way
  await_end 120
  whole[$way]=$(($(date +%s%3N) - begin))
  [ "$status" = 0 ] || fail "$fault: exit $status: $(words)"
  "$RINGSIDE" show "$file" | grep -q "status *complete" || fail "$fault: not complete"
done

declare -A outcomes
for ((i = 0; i < repeats; i++)); do
  way=$([ $((i % 4)) = 3 ] && echo launched || echo alone)
  after_ms=$((RANDOM % whole[$way]))
  fault="seed $seed, kill $i, $way, after $after_ms of ${whole[$way]} ms"
  $way
  sleep "$(printf '%d.%03d' $((after_ms / 1000)) $((after_ms % 1000)))"
  await 20 test -s "$FAULTS/pid.0" || fail "$fault: rank 0 did not start"
  kill -KILL "$(rank_pid 0)" 2>/dev/null
  await_ranks
  said=$(reported)
  if [ -e "$file" ]; then
    now=$("$RINGSIDE" show "$file" | sed -n 's/.*status *\([a-z]*\):.*/\1/p')
    expect_file "$now"
    grep -q "^result: $file" "$work/out" && [ "$now" != complete ] && fail "$fault: the run called it complete"
  else
    [ -z "$said" ] || fail "$fault: $said cases were reported, and there is no file"
    now="no file yet"
  fi
  outcomes[$now]=$((${outcomes[$now]:-0} + 1))
done
for now in "${!outcomes[@]}"; do echo "$now: ${outcomes[$now]}"; done
