# Sourced by the scripts here that make labs; sources launch.bash. Skips where no lab can be made.
source "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

[ "$(id -u)" = 0 ] || { echo "skipped: network namespaces need root"; exit 77; }
for program in ip tc unshare; do
  command -v $program >/dev/null || { echo "skipped: no $program"; exit 77; }
done
# This makes /run/netns too, so that it is there before and after.
ip netns add "rs$$" 2>/dev/null && ip -n "rs$$" link add br0 type bridge 2>/dev/null
status=$?
ip netns del "rs$$" 2>/dev/null
[ $status = 0 ] || { echo "skipped: no network namespaces and bridges here"; exit 77; }

# Names of this test's own; whatever happens, they are gone at the end.
lab=t$$
clean_up() {
  for name in $lab $lab-b; do "$RINGSIDE" lab down --name "$name" >/dev/null 2>&1 || :; done
  rm -rf "$work"
}
trap clean_up EXIT

# lab_do ARGUMENTS...: must succeed; its output is in $work/out.
lab_do() {
  "$RINGSIDE" lab "$@" >"$work/out" 2>&1 || fail "lab $*: exit $?: $(cat "$work/out")"
}

# expect_refused TEXT ARGUMENTS...: exit 2, and TEXT is said.
expect_refused() {
  local text=$1 status
  shift
  "$RINGSIDE" lab "$@" >"$work/out" 2>&1
  status=$?
  [ $status = 2 ] || fail "lab $*: exit $status instead of 2: $(cat "$work/out")"
  grep -q -e "$text" "$work/out" || fail "lab $*: not '$text' but: $(cat "$work/out")"
}
