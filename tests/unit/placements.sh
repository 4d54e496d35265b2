#!/usr/bin/env bash
#
# bench/placements: placements in turns A B C C B A, the launcher's and the program's arguments for host files and for
# fabrics, with Open MPI and with another MPI, the comparison at the end, a launch that fails, and what it refuses. The
# launcher is pretended: it writes its arguments down and runs two ranks as threads.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# A tree of its own, as the launcher is looked for in the tree's build.
mkdir -p "$work/tree/build" "$work/tree/configs"
ln -s "$RS_SOURCE_DIR/bench" "$RS_SOURCE_DIR/docs" "$work/tree"
cp "$RS_SOURCE_DIR/configs/placement.yaml" "$work/tree/configs"
cat >"$work/mpiexec" <<'FAKE'
#!/usr/bin/env bash
if [ "$1" = --version ]; then
  cat "$FAKE_STATE/version"
  exit
fi
printf '%s\n' "$*" >>"$FAKE_STATE/calls"
while [ "$1" != "$RINGSIDE" ]; do shift; done
if [ "$(wc -l <"$FAKE_STATE/calls")" = "$(cat "$FAKE_STATE/fails" 2>/dev/null)" ]; then
  echo 'no route to host' >&2
  exit 1
fi
exec "$@" --set run.threads=2 --set transport=loop --set baseline=none --set size=8 --set algorithm=ring \
  --set run.case_time=5ms --set placement.cloud=off
FAKE
chmod +x "$work/mpiexec"
export FAKE_STATE=$work
printf 'MPIEXEC_EXECUTABLE:FILEPATH=%s\n' "$work/mpiexec" >"$work/tree/build/CMakeCache.txt"
cd "$work" || exit 1
printf '10.0.0.1 slots=1\n10.0.0.2 slots=1\n' >hosts.near
cp hosts.near hosts.far
cp "$RS_SOURCE_DIR/configs/fabrics/aws-cluster.yaml" fabric.yaml

# placements STATUS ARGUMENTS...: its output is in `out` and `err`, the launcher's calls in `calls`.
placements() {
  local wanted=$1 status=0
  shift
  : >calls
  tree/bench/placements --program "$RINGSIDE" "$@" >out 2>err </dev/null || status=$?
  [ $status = "$wanted" ] || fail "$*: exit $status instead of $wanted: $(cat out err)"
}
# call NUMBER WANTED: that launch had these arguments.
call() {
  local found
  found=$(sed -n "$1p" calls)
  [ "$found" = "$2" ] || fail "launch $1: $(printf '\n  %s\n  instead of\n  %s' "$found" "$2")"
}
turns() { sed 's/.*--label placement=\([a-z]*\).*/\1/' calls | tr '\n' ' '; }

# Open MPI: host files and a fabric, six launches.
echo 'mpiexec (OpenRTE) 4.1.4' >version
root_option=''
[ "$(id -u)" != 0 ] || root_option='--allow-run-as-root '
common="$RINGSIDE run $work/tree/configs/placement.yaml -q -o"
placements 0 --launches 2 --out first --run '--set samples.warm_up=2 --label trial=7' near=hosts.near far=hosts.far \
  made=fabric.yaml -- -np 2 --map-by node
[ "$(turns)" = 'near far made made far near ' ] || fail "the turns are $(turns)"
words='--set samples.warm_up=2 --label trial=7'
call 1 "$root_option--hostfile hosts.near -np 2 --map-by node $common first/001-near.h5 --label placement=near $words"
call 2 "$root_option--hostfile hosts.far -np 2 --map-by node $common first/002-far.h5 --label placement=far $words"
call 3 "$root_option--oversubscribe --mca btl tcp,self --bind-to none -np 2 --map-by node $common first/003-made.h5 \
--label placement=made --set transport=emulated --set baseline=none --set emulated.fabric=fabric.yaml $words"
[ "$(ls first | tr '\n' ' ')" = '001-near.h5 002-far.h5 003-made.h5 004-made.h5 005-far.h5 006-near.h5 ' ] ||
  fail "left behind: $(ls first)"
grep -q 'launch 6 of 6: near' err || fail "progress: $(cat err)"
grep -q '^results: first$' out || fail "does not say where the results are: $(cat out)"
"$RINGSIDE" choose --by placement first >choice || fail 'choose cannot read the results'
grep -vxF -f choice out | grep -v '^$' | grep -vq '^results: ' && fail "does not end with the choice: $(cat out)"
for name in near far made; do grep -qw $name out || fail "the answer lacks $name: $(cat out)"; done

# Five launches of each, into a directory of the day, unless told otherwise.
placements 0 a=hosts.near b=hosts.far
[ "$(turns)" = 'a b b a a b b a a b ' ] || fail "the turns are $(turns)"
ls -d tree/results/placements-2* >/dev/null || fail 'no default directory'

# Another MPI.
echo 'HYDRA build details' >version
placements 0 --launches 1 --out other near=hosts.near made=fabric.yaml -- -n 2
call 1 "-f hosts.near -n 2 $common other/001-near.h5 --label placement=near"
call 2 "-n 2 $common other/002-made.h5 --label placement=made --set transport=emulated --set baseline=none \
--set emulated.fabric=fabric.yaml"

# A launch that fails: said which and why, and what was measured is kept.
echo 3 >fails
placements 4 --launches 2 --out failing near=hosts.near far=hosts.far
grep -q 'launch 3 failed' err && grep -q 'no route to host' err || fail "no reason: $(cat err)"
[ "$(ls failing/*.h5 | wc -l)" = 2 ] || fail "not two results: $(ls failing)"
[ "$(wc -l <calls)" = 3 ] || fail "went on after a failure: $(cat calls)"
rm fails

# Refused, and nothing is started.
refused() { # WORD ARGUMENTS...: exit 2, and the word is said
  local word=$1
  shift
  placements 2 "$@"
  grep -qF -- "$word" err || fail "$*: not '$word' but $(head -1 err)"
  [ ! -s calls ] || fail "$*: started $(cat calls)"
}
two=(near=hosts.near far=hosts.far)
refused 'two placements or more' near=hosts.near
refused 'same name' near=hosts.near near=hosts.far
refused 'hosts.none' near=hosts.near far=hosts.none
refused 'other characters' near=hosts.near 'so far=hosts.far'
refused "'hosts.near' is not NAME=WHERE" hosts.near hosts.far
refused 'is there already' --out first "${two[@]}"
refused 'none.yaml' --config none.yaml "${two[@]}"
refused 'no program none' --program none "${two[@]}"
refused "no option '--launch'" --launch 5 "${two[@]}"
refused '--out needs a value' "${two[@]}" --out
for launches in 0 -1 1000 five ''; do refused '--launches takes a number' --launches "$launches" "${two[@]}"; done
exit 0
