#!/usr/bin/env bash
#
# A shuffled network of two zones, eight ranks, emulated: `ringside order` finds the best order of a ring, and the times
# that it predicts for both orders are held against what is measured. bench/truth starts it.
#
#   tests/truth/order_times.sh RINGSIDE MPIEXEC [TOLERANCE]      by default 10 (percent)
set -euo pipefail
RINGSIDE=$1 MPIEXEC=$2 tolerance=${3:-10}
# shellcheck source=tests/mpi/launch.bash
source "$(dirname "$0")/../mpi/launch.bash"

cat >"$work/two.yaml" <<'YAML'
name: shuffled
layout: {zones: 2, racks: 1, hosts: 4, ranks: 1, shuffle: 5}
nic: {egress: 10Gbit/s, ingress: 10Gbit/s}
leaf: {latency: 40us, flow: 10Gbit/s}
region: {latency: 500us, flow: 5Gbit/s}
YAML

"$RINGSIDE" order --fabric "$work/two.yaml" --ranks 8 --format order >"$work/ring.order"
sweep=(--set transport=emulated --set "emulated.fabric=$work/two.yaml" --set baseline=none --set algorithm=ring
  --set size=8,64KiB,1MiB --set chunk=128KiB --set run.case_time=2s --set samples.interval_width=1%)
launch 8 run -q -o "$work/given.h5" "${sweep[@]}" >/dev/null
launch 8 run -q -o "$work/ordered.h5" "${sweep[@]}" --order "$work/ring.order" >/dev/null

printf '%8s %-8s %12s %12s %8s\n' size order predicted measured off
wrong=0
for size in 8 65536 1048576; do
  predicted=$("$RINGSIDE" order --fabric "$work/two.yaml" --ranks 8 --size $size --chunk 128KiB --json)
  for order in given ordered; do
    "$RINGSIDE" show --csv "$work/$order.h5" >"$work/csv"
    /usr/bin/python3 - "$size" "$order" "$tolerance" "$work/csv" <<PYTHON || wrong=$((wrong + 1))
import csv, json, sys
size, order, tolerance, path = sys.argv[1:]
answer = json.loads("""$predicted""")
predicted = answer["expected_before_ns" if order == "given" else "expected_after_ns"] / 1e3
far = [row for row in answer["distances"] if row["distance"] == "region"][0]
measured = [float(row["median_ns"]) / 1e3 for row in csv.DictReader(open(path)) if row["size_bytes"] == size][0]
off = 100 * (measured / predicted - 1)
print(f"{size:>8} {order:<8} {predicted:9.1f} us {measured:9.1f} us {off:+7.1f}%")
sys.exit(abs(off) > float(tolerance) or far["links_after"] != 2 or not answer["exact"])
PYTHON
  done
done
echo "$wrong of 6 times are off by more than $tolerance%"
[ "$wrong" = 0 ]
