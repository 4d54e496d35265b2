#!/usr/bin/env bash
# What happens to ranks and to mpirun in the middle of a case: each run ends by itself, soon, and not with 0; the file
# has every case that was reported; a rank that was stopped is named, and so is what another waits for.
# RS_FAULT_TIMEOUT (seconds, default 3) is run.timeout where it ends the run; a busy machine needs more to start in it.
source "$(dirname "$0")/faults.bash"
ranks=3
[ $open_mpi = yes ] || ranks=2 # MPICH spins

launched_run() {
  start "$MPIEXEC" "${mpi_flags[@]}" -np $ranks -- --set run.timeout=${timeout_s}s --set run.seed=9 "$@"
  await_cases 1
  sleep 0.$((RANDOM % 3))
}

# send SIGNAL WHO: WHO is a rank, "mpirun", or "all" ranks
send() {
  case $2 in
  mpirun) kill "-$1" "$(rank_pid launcher)" ;;
  all) kill "-$1" $(cat "$FAULTS"/pid.[0-9]*) ;;
  *) kill "-$1" "$(rank_pid "$2")" ;;
  esac
}

# Of a rank that no longer answers: rank 0, or all others, say so, and somebody says what it waited for.
expect_named() {
  local others
  others=$(cat "$FAULTS"/err.* | tr '\r' '\n')
  grep -q "no answer from rank $1 on host" <<<"$others" || fail "$fault: rank $1 is not named: $(words)"
  [ "$(grep -c "no answer from rank" <<<"$others")" = "$(grep -c "no answer from rank $1 " <<<"$others")" ] ||
    fail "$fault: others than rank $1 are named: $(words)"
  grep -qE "ringside run: rank [0-9]+: .*(rank $1|all ranks)" <<<"$others" || fail "$fault: what it owes is not said: $(words)"
}

emulated="--set transport=emulated --set emulated.fabric=$RS_SOURCE_DIR/configs/fabrics/aws-cluster.yaml"
# signal, to whom, exit code under Open MPI, what stderr says, options. A rank that is killed is seen by mpirun, which
# then ends with its signal (137), and by its peers, which end the run with 4: whoever is first. faults_kill.sh has the
# same for rank 0, at any moment.
while read -r signal who code says options; do
  fault="SIG$signal to $who ${options:+with $options}"
  timeout_s=$([ "$signal" = STOP ] && echo "${RS_FAULT_TIMEOUT:-3}" || echo 20)
  # shellcheck disable=SC2086
  launched_run $options
  send "$signal" "$who"
  await_end $((2 * timeout_s + 15))
  [ "$status" != 0 ] || fail "$fault: exit 0"
  expect_file partial
  [[ $options != *emulated* ]] || ! grep '^allreduce' "$work/table" | grep -qv EMULATED ||
    fail "$fault: cases that did not finish pass for real: $(cat "$work/table")"
  if [ $open_mpi = yes ]; then
    [[ $status =~ ^($code)$ ]] || fail "$fault: exit $status instead of $code: $(words)"
    case $says in
    lost) expect_named "$who" ;;
    stopped) grep -qE "stopped by SIG|SIG[A-Z]+ came when" "$FAULTS"/err.* || fail "$fault: no word of it: $(words)" ;;
    stuck) # or between two collectives, which take most of the time
      grep -q "the baseline's collective .* has not ended" "$FAULTS"/err.* || expect_named "$who" ;;
    killed) cat "$work/launcher" "$FAULTS"/err.* | grep -qE "rank $who .*signal 9|(from|to|for) (rank $who|all ranks)" ||
      fail "$fault: nobody names it: $(words)" ;;
    esac
  fi
  [ -e "$work/first.h5" ] || cp "$file" "$work/first.h5"
  echo "$fault: exit $status, $(reported) cases reported, $(finished "$file") in the file"
done <<TABLE
STOP 1 4 lost
STOP 0 4 lost
STOP 1 4 stuck --set algorithm=none --set baseline=mpi --set size=8MiB,12MiB,16MiB,20MiB
KILL 1 4|137 killed
KILL 1 4|137 killed $emulated
KILL 1 4|137 killed --set transport=shm
KILL mpirun 137 -
INT 0 4 stopped
TERM all 4 stopped
TERM mpirun 1 stopped
INT mpirun 1 stopped
TABLE

# A partial file is a file, and comparing it says what it is (with one seed, both began with the same cases); one that
# was cut is refused.
"$RINGSIDE" compare "$file" --with "$work/first.h5" >"$work/out" 2>&1
grep -q "did not end" "$work/out" || fail "compare says nothing of a partial file: $(cat "$work/out")"
head -c 20000 "$file" >"$work/results/cut.h5"
for command in show compare report; do
  arguments=("$work/results/cut.h5")
  [ $command = compare ] && arguments+=(--with "$file")
  [ $command = report ] && arguments+=(-o "$work/page.html")
  "$RINGSIDE" $command "${arguments[@]}" >"$work/out" 2>&1
  status=$?
  ! grep -q "built without the page" "$work/out" || continue
  [ $status = 2 ] && grep -q "cut short" "$work/out" || fail "$command of a file that is cut short: $(cat "$work/out")"
done
[ ! -e "$work/page.html" ] || fail "a page was written of a file that is cut short"
