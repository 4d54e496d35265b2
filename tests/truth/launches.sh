#!/usr/bin/env bash
#
# Real launches against a known truth: N launches of one side and N of another, A B B A, on this machine. On both sides
# rank 1 is late by 2 ms, which stands for a network's latency and makes most of the time; on B it is late by a share
# more, so B is slower by that share. Disjoint sets of ten launches are compared: a side with itself must not be called
# faster or slower, B must be called slower than A. bench/truth starts it.
#
#   tests/truth/launches.sh RINGSIDE MPIEXEC [N [SHARE]]      by default 40 and 5 (percent)
set -euo pipefail
RINGSIDE=$1 MPIEXEC=$2 launches=${3:-40} share=${4:-5}
# shellcheck source=tests/mpi/launch.bash
source "$(dirname "$0")/../mpi/launch.bash"
base_ns=2000000
sweep=(--set algorithm=ring --set baseline=none --set size=8 --set run.start=time --set run.case_time=500ms
  --set samples.interval_width=0.1% --set run.probe=no --set run.late_rank=1)

measure() { # FILE LATE_NS
  launch 2 run -q -o "$1" "${sweep[@]}" --set run.late_by="$2ns" >/dev/null 2>"$work/err" || {
    cat "$work/err" >&2
    exit 4
  }
}

late=$((base_ns + base_ns * share / 100))
mkdir "$work/a" "$work/b"
for i in $(seq "$launches"); do
  name=$(printf '%03d' "$i")
  if [ $((i % 2)) = 1 ]; then
    measure "$work/a/$name.h5" $base_ns
    measure "$work/b/$name.h5" $late
  else
    measure "$work/b/$name.h5" $late
    measure "$work/a/$name.h5" $base_ns
  fi
done

# set SIDE OFFSET COUNT STEP: files of one side.
set_of() {
  find "$work/$1" -name '*.h5' | sort | awk -v offset="$2" -v count="$3" -v step="$4" \
    'NR > offset && (NR - 1 - offset) % step == 0 && taken++ < count'
}

calls=0 wrong=0 found=0 pairs=0
# compare NAME BASELINE-FILES CANDIDATE-FILES: prints the verdict's words, and leaves the verdict.
compare() {
  # shellcheck disable=SC2086  # lists of names without blanks
  "$RINGSIDE" compare $2 --with $3 --json >"$work/json"
  verdict=$(/usr/bin/python3 -c '
import json, sys
[family] = json.load(open(sys.argv[1]))["families"]
print(family["verdict"], "|", family["words"])' "$work/json")
  printf '  %-28s %s\n' "$1" "${verdict#*| }"
  verdict=${verdict%% *}
}

echo "8 B ring over tcp, 2 ranks, rank 1 late by $((base_ns / 1000)) us on A, by $((late / 1000)) us on B; sets of 10 launches"
for ((first = 0; first + 20 <= launches; first += 20)); do
  for side in a b; do
    compare "$side/$side from $((first + 1)) on" "$(set_of $side $first 10 2)" "$(set_of $side $((first + 1)) 10 2)"
    calls=$((calls + 1))
    [[ $verdict != faster && $verdict != slower ]] || wrong=$((wrong + 1))
  done
done
for ((first = 0; first + 10 <= launches; first += 10)); do
  compare "a/b from $((first + 1)) on" "$(set_of a $first 10 1)" "$(set_of b $first 10 1)"
  pairs=$((pairs + 1))
  [ "$verdict" != slower ] || found=$((found + 1))
done
echo "equal sides called different: $wrong of $calls; B called slower: $found of $pairs"
[ "$wrong" = 0 ] && [ "$found" -ge $((pairs - pairs / 10)) ]
