#!/usr/bin/env bash
# The guest itself: it runs what it is told, with the environment and folder of the caller, hands back all that comes
# out of it, leaves this machine's files alone, and ends in time.
set -u
guest=$(cd "$(dirname "$0")" && pwd)/guest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  cat "$work"/std* >&2
  exit 1
}

cd "$work" || exit 1
# shellcheck disable=SC2016  # there
SAID='two  words' "$guest" run --out "$work/out" -- sh -c '
  echo "$SAID"
  pwd
  echo "to stderr" >&2
  echo changed >"here"
  echo brought >"$OUT/back"
  mkdir /lib/modules/written
  exit 7' >"$work/stdout" 2>"$work/stderr"
status=$?
[ $status = 77 ] && cat "$work/stderr" && exit 77
[ $status = 7 ] || fail "exit code $status instead of 7"
[ "$(cat "$work/stdout")" = "two  words"$'\n'"$work" ] || fail "stdout is not what was written"
[ "$(cat "$work/stderr")" = 'to stderr' ] || fail "stderr is not what was written"
[ "$(cat "$work/out/back")" = brought ] || fail 'nothing came back in $OUT'
[ ! -e "$work/here" ] || fail 'the guest wrote on this machine'

# A command that does not end, and then a guest that does not answer.
"$guest" run --timeout 2 -- sh -c 'echo before; sleep 1000' >"$work/stdout" 2>"$work/stderr"
status=$?
[ $status = 124 ] || fail "after the time limit: exit code $status instead of 124"
[ "$(cat "$work/stdout")" = before ] || fail 'what was written before the time limit is lost'
"$guest" run -- sh -c 'echo c >/proc/sysrq-trigger' >"$work/stdout" 2>"$work/stderr"
status=$?
[ $status = 125 ] || fail "a guest that panics: exit code $status instead of 125"
grep -q panic "$work/stderr" || fail 'a guest that panics: its console is not shown'
