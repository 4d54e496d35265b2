#!/usr/bin/env bash
# Baselines give what their collectives ask for: see baseline_cases.c.
source "$(dirname "$0")/launch.bash"
RINGSIDE=$RS_BUILD_DIR/tests/baseline_cases

ranks=(1 2 3 4 5)
case $mpi in
*"Open MPI"* | *OpenRTE*) ;;
*) ranks=(1 2) ;; # MPICH spins: with more ranks than cores it takes minutes
esac
for n in "${ranks[@]}"; do
  # Gloo connects anew for each case, which takes minutes with more ranks.
  only=()
  [ "$n" -le 3 ] || only=(mpi)
  launch "$n" "${only[@]}" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$n ranks"; }
  grep -q '^[0-9]\{4,\} cases right$' "$work/out" || fail "$n ranks: too few cases: $(cat "$work/out")"
done
