#!/usr/bin/env bash
# A delay injected into one link is named, with its direction and its size within 10%; without one, no link is named.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# links DELAY FROM TO: what `show` says of links.
links() {
  "$RINGSIDE" run -q -o "$work/links.h5" --force --set algorithm=ring,tree --set run.threads=4 --set transport=loop --set baseline=none \
    --set size=8 --set run.case_time=5ms --set loop.slow_by="$1" --set loop.slow_from="$2" --set loop.slow_to="$3" \
    >/dev/null || fail "run: exit $?"
  "$RINGSIDE" show "$work/links.h5" | grep '^ *link'
}

# named DELAY FROM TO WORDS: they are of this link alone, and its delay is right.
named() {
  [ "$(wc -l <<<"$4")" = 1 ] && awk -v injected="$1" -v from="$2" -v to="$3" '
    function us(value, unit) { return value * (unit ~ /^ms/ ? 1000 : unit ~ /^us/ ? 1 : unit ~ /^ns/ ? 0.001 : 1e6) }
    {
      match($0, /slow by [0-9.]+ [a-z]+/)
      split(substr($0, RSTART, RLENGTH), words, " ")
      want = injected ~ /ms/ ? injected * 1000 : injected * 1
      found = us(words[3], words[4])
      exit !(index($0, "rank " from " -> rank " to " ") && found > want * 0.9 && found < want * 1.1)
    }' <<<"$4"
}

# Where others use the processors, ranks are late by themselves: then a second look is right.
for trial in "500us 1 2" "2ms 3 0" "5ms 2 3"; do
  read -r delay from to <<<"$trial"
  for look in 1 2 3 4 5; do
    said=$(links "$delay" "$from" "$to")
    echo "injected $delay into $from -> $to; show says: $said"
    ! named "$delay" "$from" "$to" "$said" || continue 2
  done
  fail "$trial: the link or its size is wrong, $look times"
done

for look in 1 2 3 4 5; do
  said=$(links 0 0 0)
  [ -n "$said" ] || exit 0
done
fail "a link is called slow where none is, $look times: $said"
