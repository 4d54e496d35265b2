#!/usr/bin/env bash
#
# bench/placements when a launch does not go well: one that fails can be repeated by hand, one that is interrupted is
# called so. Each launch is one rank, by a launcher that drops its own arguments.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
cd "$RS_SOURCE_DIR" || exit 1
# A copy, so that no build in the source tree names another launcher.
mkdir -p "$work/tree/bench" "$work/bin"
cp bench/placements bench/launcher.bash "$work/tree/bench"
cat >"$work/bin/mpiexec" <<'BASH'
#!/usr/bin/env bash
while [ $# -gt 0 ] && [ "$1" != "$RINGSIDE" ]; do shift; done
exec "$@"
BASH
chmod +x "$work/bin/mpiexec"
PATH=$work/bin:$PATH
cat >"$work/config.yaml" <<'YAML'
size: [8]
algorithm: ring
baseline: none
transport: loop
run: { case_time: 2ms }
samples: { max_iterations: 20 }
YAML
near=configs/fabrics/aws-cluster.yaml far=configs/fabrics/aws-two-zones.yaml

# placements STATUS ARGUMENTS...
placements() {
  local wanted=$1 status=0
  shift
  "$work/tree/bench/placements" --program "$RINGSIDE" --config "$work/config.yaml" "$@" >"$work/out" 2>"$work/err" ||
    status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat "$work/out" "$work/err")"
}

# The command that is named is the one that failed.
printf 'leaf.latency: soon\n' >"$work/bad fabric.yaml"
placements 4 --launches 1 --out "$work/failing" near=$near bad="$work/bad fabric.yaml"
grep -qF "bad fabric.yaml:1:15" "$work/err" || fail "no reason: $(cat "$work/err")"
status=0
eval "$(sed -n '/by hand, it is:/{n;p}' "$work/err")" >"$work/out" 2>&1 || status=$?
[[ $status == 2 && $(cat "$work/out") == *'bad fabric.yaml:1:15'* ]] || fail "by hand: exit $status: $(cat "$work/out")"
[ -s "$work/failing/001-near.h5" ] || fail 'what was measured before is gone'

# As Ctrl-C does, which the launcher gets too.
printf '#!/usr/bin/env bash\n[ "$1" = --version ] || kill -INT $PPID\nexit 1\n' >"$work/bin/mpiexec"
placements 4 --launches 1 --out "$work/stopped" near=$near far=$far
grep -q interrupted "$work/err" || fail "an interruption is called otherwise: $(cat "$work/err")"
exit 0
