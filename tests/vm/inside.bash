# Sourced first by the tests here. Runs the script that sources it in the guest, with the array guest_options; what
# stands after it is run there, with the functions of tests/mpi/launch.bash.
if [ ! -e /run/guest/start ]; then
  exec "$(dirname "${BASH_SOURCE[0]}")/guest" run "${guest_options[@]}" -- "$(realpath "$0")"
fi
source "$(dirname "${BASH_SOURCE[0]}")/../mpi/launch.bash"
