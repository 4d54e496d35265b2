#!/usr/bin/env bash
# A rank that is stopped before MPI_Init, which has no deadline: the launch ends with words and, under Open MPI, with exit
# code 4. mpi/faults_ranks stops ranks later.
source "$(dirname "$0")/launch.bash"
export OUT=$work/run.h5

# Rank 1 never comes to MPI_Init. The test's own limit is far above run.timeout.
timeout -k 5 60 "$MPIEXEC" "${mpi_flags[@]}" -np 2 bash -c \
  '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || kill -STOP $$; exec "$RINGSIDE" run -q -o "$OUT" --set run.timeout=1s' \
  >"$work/out" 2>"$work/err"
status=$?
case $mpi in
  *"Open MPI"* | *OpenRTE*) [ "$status" = 4 ] || fail "exit $status: $(cat "$work/err")" ;;
  *) [ "$status" != 0 ] || fail 'exit 0' ;;
esac
grep -q 'MPI_Init has not ended' "$work/err" || fail "no words: $(cat "$work/err")"
