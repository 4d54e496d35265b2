# Sourced by the scripts here. ctest sets RINGSIDE, MPIEXEC, RS_SOURCE_DIR.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mpi=$("$MPIEXEC" --version 2>&1 | head -3)
case $mpi in
*"Open MPI"* | *OpenRTE*) mpi_flags=(--oversubscribe --mca btl tcp,self --mca btl_tcp_if_include lo) ;;
*) mpi_flags=() ;;
esac
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# launch N ARGS...: ringside under mpirun, on one machine.
launch() {
  local n=$1
  shift
  "$MPIEXEC" "${mpi_flags[@]}" -np "$n" "$RINGSIDE" "$@"
}

# launch_hosts N ARGS...: the same, with a hostname of its own for each rank; takes root.
launch_hosts() {
  local n=$1
  shift
  # shellcheck disable=SC2016 # for the shell of each rank
  "$MPIEXEC" "${mpi_flags[@]}" -np "$n" unshare --uts sh -c 'hostname "host${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" && exec "$@"' - \
    "$RINGSIDE" "$@"
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# column FILE NAME: the values of a CSV column, one per line.
column() {
  "$RINGSIDE" show --csv "$1" | awk -F, -v name="$2" 'NR==1 {for (i = 1; i <= NF; i++) if ($i == name) c = i; next} {print $c}'
}

# expect_verified FILE: the file is complete and every case finished with every element checked.
expect_verified() {
  local values
  values=$(column "$1" verified | sort -u)
  [ "$values" = 1 ] || fail "$1: verified column holds '$values' instead of 1 alone"
}
