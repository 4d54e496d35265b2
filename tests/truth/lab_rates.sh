#!/usr/bin/env bash
#
# Bandwidth against lines of a known rate, which the kernel's token buckets make and no model of ours: two hosts of a
# lab, one rank each, one stream. Of a full frame TCP carries MTU - 52 bytes (IP 20, TCP 20, timestamps 12) and the line
# MTU + 14, so at best rate/8 x (MTU - 52)/(MTU + 14) arrive. A message takes half a second, so that the bucket's burst,
# which goes out unshaped, is less than half a percent of it.
#
#   tests/truth/lab_rates.sh RINGSIDE MPIEXEC      needs root; exit code 1: the row at 1 Gbit/s is off by more than 2%
#
# At 5 Gbit/s two hosts on one machine may be bound by its processor: those rows are figures.
set -euo pipefail
RINGSIDE=$1 MPIEXEC=$2
# shellcheck source=tests/mpi/lab.bash
source "$(dirname "$0")/../mpi/lab.bash"

failed=0
# row RATE-IN-GBIT/S MTU SIZE LIMIT: LIMIT is how far the ratio may be from 1.
row() {
  local file=$work/$1-$2.h5
  lab_do up --name "$lab" --set link.rate="$1Gbit/s" --set mtu="$2"
  lab_do run --name "$lab" -- run -q -o "$file" --set benchmark=p2p --set p2p=stream --set algorithm=direct \
    --set pairs=ends --set baseline=none --set mode=streaming --set size="$3" --set run.case_time=15s
  lab_do down --name "$lab"
  "$RINGSIDE" show --csv "$file" | /usr/bin/python3 -c '
import csv, sys
gbit, mtu, limit = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
[case] = csv.DictReader(sys.stdin)
bound = gbit * 1e9 / 8 * (mtu - 52) / (mtu + 14) / 1e6
size = float(case["size_bytes"])
middle, low, high = (size / float(case[key]) * 1e3 for key in ("median_ns", "ci_high_ns", "ci_low_ns"))
ratio = middle / bound
print(f"{gbit:4g} Gbit/s  {mtu:5}  {bound:7.2f}  {middle:8.2f}  {low:7.2f} .. {high:7.2f}  {ratio:6.4f}  "
      f"{low / bound:6.4f} .. {high / bound:6.4f}  {case['"'iterations'"']:>4}")
sys.exit(abs(ratio - 1) > limit)' "$1" "$2" "$4" || failed=1
}

echo 'asked          MTU    bound  measured        95% interval   ratio          of it      n     (MB/s)'
row 1 1500 64MiB 0.02
row 5 1500 256MiB 9
row 5 9000 256MiB 9
exit $failed
