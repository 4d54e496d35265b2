# Sourced by faults_*.sh: runs that something happens to. Each rank writes its own stderr to a file, which no launcher
# loses, and "reported finished" is what rank 0's progress said last: "[####   ] 3/20" comes once 3 cases are on the disk.
source "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

mkdir "$work/results"
file=$work/results/run.h5
cat >"$work/rank" <<'RANK'
#!/bin/sh
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
echo $$ >"$FAULTS/pid.$rank"
exec "$RINGSIDE" "$@" 2>"$FAULTS/err.$rank"
RANK
chmod +x "$work/rank"
export FAULTS=$work/ranks RINGSIDE

case $mpi in
*"Open MPI"* | *OpenRTE*) open_mpi=yes ;;
*) open_mpi=no ;;
esac

# What this script started and is still there, a stopped rank included, goes with it.
end_all() {
  local pid
  for pid in $(cat "$FAULTS"/pid.* 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap end_all EXIT

# start LAUNCHER... -- ARGUMENTS...: ringside run in the background. Its launcher, or only process, is pid.launcher; $launched
# is a shell that waits for it and says how it ended, which this one would print.
# Cases of 0.2 s, far more of them than any fault leaves the time for.
start() {
  local launcher=()
  while [ "$1" != -- ]; do launcher+=("$1"); shift; done
  shift
  rm -rf "$FAULTS" "$file"
  mkdir -p "$FAULTS" "$(dirname "$file")"
  # shellcheck disable=SC2016
  sh -c '"$@"; exit $?' sh sh -c 'echo $$ >"$FAULTS/pid.launcher"; exec "$@"' sh "${launcher[@]}" "$work/rank" run -q --progress -o "$file" --set size=8..1MiB --set run.case_time=200ms \
    --set samples.interval_width=0.0001% --set samples.max_iterations=2000 --set baseline=none --set algorithm=ring,tree \
    "$@" >"$work/out" 2>"$work/launcher" </dev/null &
  launched=$!
}

# await SECONDS COMMAND...: until it succeeds; fails when it does not in that time.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}

rank_pid() { cat "$FAULTS/pid.$1"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
reported() { tr '\r' '\n' 2>/dev/null <"$FAULTS/err.0" | sed -n 's/^\[[# ]*\] \([0-9]*\)\/.*/\1/p' | tail -1; }
reported_least() { [ "$(reported)" -ge "$1" ] 2>/dev/null; }
finished() { "$RINGSIDE" show --csv "$1" | tail -n +2 | wc -l; }
words() { tr '\r' '\n' <"$work/launcher" && cat "$work/out" && tr '\r' '\n' <<<"$(cat "$FAULTS"/err.*)" | grep -v '^ *$'; }

# await_cases N: N cases have been reported, of a run that goes on.
await_cases() {
  await 120 eval "reported_least $1 || ended $launched"
  reported_least "$1" && ! ended "$launched" || fail "$fault: no $1 cases within 120 s, or it ended: $(words)"
}

# await_end SECONDS: sets $status; nothing of the run is left then.
await_end() {
  await "$1" ended "$launched" || fail "$fault: the run did not end within $1 s: $(words)"
  wait "$launched" 2>/dev/null
  status=$?
  for pid in $(cat "$FAULTS"/pid.*); do await 20 ended "$pid" || fail "$fault: process $pid is left: $(words)"; done
}

# expect_file STATUS: the file opens, and holds the cases that were reported, or the one more that there was no time to.
expect_file() {
  local said count
  said=$(reported)
  "$RINGSIDE" show "$file" >"$work/table" 2>&1 || fail "$fault: the file does not open: $(cat "$work/table")"
  count=$(finished "$file")
  grep -q "status *$1: $count of" "$work/table" || fail "$fault: not $1 with $count cases: $(head -3 "$work/table")"
  [ "$count" -ge "${said:-0}" ] && [ "$count" -le $((${said:-0} + 1)) ] ||
    fail "$fault: ${said:-0} cases were reported, $count are in the file: $(words)"
}
