#!/usr/bin/env bash
# bench/tune from end to end on a few sizes: every algorithm and chunk is measured beside auto, and the table is printed.
# Times are not judged: exit code 1 is fine.
source "$(dirname "$0")/launch.bash"
for network in loopback shm; do
  status=0
  "$RS_SOURCE_DIR/bench/tune" --program "$RINGSIDE" --quick --network "$network" --sizes 8,512KiB --algorithms ring,tree --anyway \
    --out "$work/$network" >"$work/out" 2>&1 || status=$?
  [[ $status = [01] ]] || fail "$network: exit $status: $(cat "$work/out")"
  # 8 B by 2 algorithms and auto; 512 KiB by them with 3 chunks.
  [ "$(wc -l <"$work/$network/measurements.csv")" = $((1 + 3 + 9)) ] || fail "$network: $(cat "$work/$network/measurements.csv")"
  [ "$(grep -cE "^    \{\"$([ $network = shm ] && echo shm || echo tcp)\", RS_ALLREDUCE, 2, " "$work/$network/table.txt")" -gt 0 ] ||
    fail "$network: no rows: $(cat "$work/$network/table.txt")"
  [ "$(grep -cE '^ +2 +(8 B|512 KiB) ' "$work/$network/table.txt")" = 2 ] || fail "$network: no comparison: $(cat "$work/$network/table.txt")"
  [[ $(tail -n 1 "$work/$network/table.txt") == worst:* ]] || fail "$network: the last line: $(cat "$work/$network/table.txt")"
done
status=0
message=$("$RS_SOURCE_DIR/bench/tune" --program "$RINGSIDE" --collective broadcst 2>&1) || status=$?
[[ $status = 2 && $message == *broadcst* ]] || fail "an unknown collective: exit $status: $message"
