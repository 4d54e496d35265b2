#!/usr/bin/env bash
# Building ringside where the page cannot be bundled: it goes on, and the program can say why and what to do.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
printf '#!/bin/sh\necho "npm error code ENOTFOUND" >&2\nexit 1\n' >"$work/npm"
chmod +x "$work/npm"

# embed MODE NODE NPM: exit status of the build step; what it made is in $work/out.
embed() {
  rm -rf "$work/out"
  cmake -DMODE="$1" -DNODE="$2" -DNPM="$3" -DSOURCE="$RS_SOURCE_DIR/src/report/web" -DBUILD="$work/out" \
    -P "$RS_SOURCE_DIR/src/report/web/embed.cmake" >"$work/said" 2>&1
}

while read -r node npm words; do
  embed AUTO "$node" "$npm" || fail "AUTO with node $node, npm $npm: $(cat "$work/said")"
  grep -q "rs_page_asset_missing.*$words" "$work/out/page_asset.c" || fail "node $node, npm $npm: no '$words' in the reason"
  grep -q 'rs_page_asset_bytes = 0' "$work/out/page_asset.c" || fail "node $node, npm $npm: a page all the same"
  cc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$RS_SOURCE_DIR/src" "$work/out/page_asset.c" ||
    fail "page_asset.c does not compile"
  embed ON "$node" "$npm" && fail "ON with node $node, npm $npm passes"
  grep -q RS_REPORT=ON "$work/said" || fail "ON does not say that it was asked for: $(cat "$work/said")"
done <<LIST
NODE-NOTFOUND NPM-NOTFOUND apt-get install nodejs npm
/bin/true $work/npm ENOTFOUND.*run cmake and build again
LIST
embed OFF /bin/true /bin/true && grep -q 'RS_REPORT=OFF' "$work/out/page_asset.c" || fail "OFF: $(cat "$work/said")"
exit 0
