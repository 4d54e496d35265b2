#!/usr/bin/env bash
#
# A known network of two hosts, emulated: `ringside fit` gets its latency and its rate back from ping-pongs and streams.
# bench/truth starts it.
#
#   tests/truth/fit_parameters.sh RINGSIDE MPIEXEC [LAUNCHES [TOLERANCE]]      by default 3 and 3 (percent)
set -euo pipefail
RINGSIDE=$1 MPIEXEC=$2 launches=${3:-3} tolerance=${4:-3}
# shellcheck source=tests/mpi/launch.bash
source "$(dirname "$0")/../mpi/launch.bash"

cat >"$work/known.yaml" <<'YAML'
name: known
layout: {zones: 1, racks: 1, hosts: 2, ranks: 1}
nic: {egress: 20Gbit/s, ingress: 20Gbit/s}
leaf: {latency: 30us, flow: 10Gbit/s}
YAML
mkdir "$work/fit"
for ((i = 1; i <= launches; i++)); do
  launch 2 run "$(dirname "$0")/../../configs/fit.yaml" -q -o "$work/fit/$i.h5" --set transport=emulated \
    --set "emulated.fabric=$work/known.yaml" --set emulated.slowdown=100 >/dev/null
done
"$RINGSIDE" fit "$work/fit" -o "$work/found.yaml"
/usr/bin/python3 - "$work/found.yaml" "$tolerance" <<'PYTHON'
import re, sys
text, tolerance = open(sys.argv[1]).read(), float(sys.argv[2])
units = {"ns": 1e-3, "us": 1, "ms": 1e3, "Gbit/s": 1, "Mbit/s": 1e-3, "kbit/s": 1e-6, "bit/s": 1e-9}
wrong = 0
for key, asked, unit in ("leaf.latency", 30, "us"), ("leaf.flow", 10, "Gbit/s"):
    section, name = key.split(".")
    found = re.search(rf"^(?:{section}\.{name}|{section}: *{{[^}}]*\b{name}): *([0-9.]+)([a-zA-Z/]+)", text, re.M)
    value = float(found[1]) * units[found[2]]
    off = 100 * (value / asked - 1)
    wrong += abs(off) > tolerance
    print(f"{key}: asked {asked} {unit}, found {value:.4g} {unit}: {off:+.2f}%")
sys.exit(wrong > 0)
PYTHON
