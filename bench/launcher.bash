# How the scripts of bench/ start ranks: read by them, no program of its own. They set `root`, the source tree.

# launcher_find BUILD: sets `mpiexec` to the launcher of the MPI that the build found, and `mpi` to openmpi or other.
launcher_find() {
  mpiexec=$(sed -n 's/^MPIEXEC_EXECUTABLE:[^=]*=//p' "$1/CMakeCache.txt" 2>/dev/null || true)
  mpiexec=${mpiexec:-mpiexec}
  mpi=other
  ! "$mpiexec" --version 2>&1 | grep -Eq 'OpenRTE|Open MPI' || mpi=openmpi
}

# launcher_words WORD...: sets `launcher` to the launcher with these arguments, and what Open MPI wants to hear as root.
launcher_words() {
  launcher=("$mpiexec")
  [ "$mpi" != openmpi ] || [ "$(id -u)" != 0 ] || launcher+=(--allow-run-as-root)
  launcher+=("$@")
}

# launcher_home ROOT: sets `built` to the program and `results` to the folder for what is measured: those of the source
# tree, or where there is no build, as `cmake --install` puts ROOT, the program in PATH and the current folder.
launcher_home() {
  built=$1/build/ringside results=$1/results
  [ -d "$1/build" ] || ! command -v ringside >/dev/null || { built=$(command -v ringside) && results=.; }
}
