#!/usr/bin/env bash
#
# Every file in configs/ is read and planned by the program, every lab too, and a file with a misspelt key is not.
set -euo pipefail
program=${RINGSIDE:?the program}
cd "${RS_SOURCE_DIR:?the root of the source tree}"

for config in configs/*.yaml; do
  # Four ranks, as some ask for more than one; MPI's baseline needs mpirun.
  if ! plan=$("$program" run --dry-run "$config" --set run.threads=4 --set baseline=none 2>&1) || [ -z "$plan" ]; then
    printf '%s cannot be planned: %s\n' "$config" "$plan"
    exit 1
  fi
done

for config in configs/labs/*.yaml; do
  if ! commands=$("$program" lab up --dry-run "$config" 2>&1) || [[ $commands != "ip netns add rslab-"* ]]; then
    printf '%s is no lab: %s\n' "$config" "$commands"
    exit 1
  fi
done

misspelt=$(mktemp)
trap 'rm -f "$misspelt"' EXIT
sed 's/^algorithm:/algoritm:/' configs/quick.yaml >"$misspelt"
status=0
message=$("$program" run --dry-run "$misspelt" 2>&1) || status=$?
if [ "$status" != 2 ] || [[ $message != *algorithm* ]]; then
  printf "a config with the key 'algoritm': expected exit 2 and a hint, found exit %s: %s\n" "$status" "$message"
  exit 1
fi
