#!/usr/bin/env bash
# A rank that is stopped where MPI has no deadline, before MPI_Init or in a baseline's collective: the launch ends with
# words and, under Open MPI, with exit code 4.
source "$(dirname "$0")/launch.bash"
export OUT=$work/run.h5

# ends_with_words WHERE WORDS: of the launch that just ended.
ends_with_words() {
  case $mpi in
  *"Open MPI"* | *OpenRTE*) [ "$status" = 4 ] || fail "stopped $1: exit $status: $(cat "$work/err")" ;;
  *) [ "$status" != 0 ] || fail "stopped $1: exit 0" ;;
  esac
  grep -q "$2 has not ended" "$work/err" || fail "stopped $1: $(cat "$work/err")"
}

# Rank 1 never comes to MPI_Init. The test's own limit is far above run.timeout.
timeout -k 5 60 "$MPIEXEC" "${mpi_flags[@]}" -np 2 bash -c \
  '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || kill -STOP $$; exec "$RINGSIDE" run -q -o "$OUT" --set run.timeout=1s' \
  >"$work/out" 2>"$work/err"
status=$?
ends_with_words 'before MPI_Init' MPI_Init

# Rank 1 is stopped while a baseline, and nothing else, is measured.
launch 2 run -q -o "$OUT" --set algorithm=none --set size=8,1MiB --set run.case_time=30s --set run.timeout=1s \
  --set samples.interval_width=0.0001% --set samples.max_iterations=1000000 >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 100); do
  [ ! -e "$OUT" ] || break
  sleep 0.1
done
victim=$(pgrep -f "$OUT" | while read -r p; do
  tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qE '^(OMPI_COMM_WORLD_RANK|PMI_RANK)=1$' && echo "$p"
done | head -1)
[ -n "$victim" ] || fail "rank 1 not found: $(cat "$work/err")"
sleep 1
kill -STOP "$victim"
wait $pid
status=$?
grep -qE "has not ended|is every rank alive" "$work/err" || fail "stopped in a baseline: $(cat "$work/err")"
[ "$status" != 0 ] || fail "stopped in a baseline: exit 0"
"$RINGSIDE" show "$OUT" | grep -q partial || fail "stopped in a baseline: the file does not say partial"
kill -CONT "$victim" 2>/dev/null || true
