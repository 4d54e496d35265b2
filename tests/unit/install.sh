#!/usr/bin/env bash
#
# `cmake --install` into an empty folder: everything is there and works from there, the manual pages render without a
# warning and hold every word that --help says, and bash completes commands, options, keys and files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  printf 'FAILED: %s\n' "$@" >&2
  exit 1
}
cmake --install "$RS_BUILD_DIR" --prefix "$work/usr" >"$work/log" 2>&1 || fail "$(tail -n 5 "$work/log")"
cd "$work"
PATH=$work/usr/bin:$PATH
share=usr/share
[ "$(command -v ringside)" = "$work/usr/bin/ringside" ] || fail 'no program'

# ---- the program, and what it tells of itself
[ "$(find usr -name '*.yaml' | wc -l)" = "$(find "$RS_SOURCE_DIR/configs" -name '*.yaml' | wc -l)" ] || fail 'not all configs'
for file in doc/ringside/LICENSE doc/ringside/README.md doc/ringside/docs/method.md ringside/bench/placements; do
  [ -s $share/$file ] || fail "no $file"
done
ringside --version >version
[ "$(head -n 1 version | tr -d '0-9.')" = 'ringside ' ] || fail "--version: $(head -n 1 version)"
for part in 'gcc\|[Cc]lang' 'glibc [0-9]' 'Open MPI v[0-9]\|MPICH Version: [0-9]' 'HDF5 [0-9]' 'hwloc [0-9]' 'libyaml [0-9]' \
  'jansson [0-9]' 'curl' 'verbs' 'ECharts [0-9]\|without the page'; do
  grep -q "$part" version || fail "--version does not tell '$part': $(cat version)"
done
if ! grep -q 'built without verbs' version; then
  grep -q 'cannot be loaded' <<<"$(RINGSIDE_VERBS_LIBRARY=/none ringside --version)" || fail '--version: a library that is not there'
  [ -z "${RS_FAKE_VERBS:-}" ] || grep -q "with EFA; .*fake_verbs.so, .*fake_verbs.so$" <<<"$(RINGSIDE_VERBS_LIBRARY=$RS_FAKE_VERBS ringside --version)" ||
    fail '--version: the library that is there'
fi
ringside run $share/ringside/configs/placement.yaml -q -o quick.h5 --set run.threads=2 --set transport=loop \
  --set baseline=none --set size=8 --set run.case_time=5ms --set placement.cloud=off >/dev/null || fail 'a run from the installed files'
grep -q 'cases finished' <<<"$(ringside show quick.h5)" || fail 'the installed program does not show its result'
$share/ringside/bench/placements --help >/dev/null || fail 'bench/placements does not start'

# ---- manual pages
mapfile -t commands < <(ringside --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "${#commands[@]}" -ge 12 ] || fail "only ${#commands[@]} commands"
[ "$(find $share/man/man1 -type f | wc -l)" = $((${#commands[@]} + 1)) ] || fail "not a page per command: $(ls $share/man/man1)"
if command -v groff >/dev/null; then
  for page in "$share"/man/man1/*.1; do
    name=$(basename "$page" .1)
    command=${name#ringside}
    # Lines of a thousand columns, so that nothing is broken; what the page adds is not in the help, which does not matter.
    groff -man -ww -Tutf8 -P-cbou -rLL=1000n "$page" >rendered 2>warnings || fail "groff $name"
    [ ! -s warnings ] || fail "$name: $(cat warnings)"
    [ "$(grep -c '^NAME\|^SYNOPSIS' rendered)" = 2 ] || fail "$name: no name or no synopsis"
    # shellcheck disable=SC2086  # no word for ringside itself
    ringside ${command#-} --help | grep -v '^ *KEY  *TYPE' >help
    # Words as they are, but for case (headings) and what joins to them on the page: brackets, colons.
    for text in rendered help; do
      tr -s ' ' '\n' <$text | tr '[:upper:]' '[:lower:]' | sed 's/^[("]*//; s/[]:;,.)"]*$//' | sed '/^$/d' | sort -u >$text.words
    done
    lost=$(comm -13 rendered.words help.words | sed '/^usage$/d' | tr '\n' ' ')
    [ -z "$lost" ] || fail "the page of $name lacks: $lost"
  done
else
  echo 'there is no groff: pages are not rendered' >&2
fi

# ---- completion
# shellcheck disable=SC1091
. $share/bash-completion/completions/ringside
complete -p ringside >/dev/null || fail 'no completion is set'
# completed WORD...: what the last word of a command line can become.
completed() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _ringside 2>/dev/null
  printf '%s\n' "${COMPREPLY[@]}"
}
[ "$(completed ringside to)" = topology ] || fail "to: $(completed ringside to)"
[ "$(completed ringside '' | grep -cvx -- '--.*')" = ${#commands[@]} ] || fail "not all commands: $(completed ringside '')"
[ "$(completed ringside run --lab)" = --label ] || fail "--lab: $(completed ringside run --lab)"
[ "$(completed ringside run --set run.case)" = run.case_time= ] || fail "--set run.case: $(completed ringside run --set run.case)"
[ "$(completed ringside gate a --with b --set tail.s)" = tail.small= ] || fail 'the keys of gate'
[ "$(completed ringside show --format nc)" = nccl-tests ] || fail 'the formats of show'
[ "$(completed ringside order quick.h5 --format openmpi-r)" = openmpi-rankfile ] || fail 'the formats of order'
# Words that completion has of its own are those that --help has, and all of them.
for format in $(completed ringside show --format ''); do
  ringside show --format "$format" quick.h5 >/dev/null || fail "show --format $format"
done
for format in $(completed ringside order --format ''); do
  grep -qwe "$format" <<<"$(ringside order --help | sed -n '/^ *format /,/^ *chunk /p')" || fail "order --format $format"
done
for word in $(completed ringside list ''); do ringside list "$word" >/dev/null || fail "list $word"; done
[ "$(completed ringside show --format '' | wc -l).$(completed ringside order --format '' | wc -l)" = 7.5 ] || fail 'not all formats'
[ "$(completed ringside show qui)" = quick.h5 ] || fail "a file: $(completed ringside show qui)"
# Keys and options are such as the program knows: one key in eight, as each is a start of the program, and every option.
ringside run --dry-run --set run.threads=1 --set baseline=none >/dev/null || fail 'a plan'
for key in $(completed ringside run --set '' | sed -n '1~8p'); do
  ringside run --dry-run --set "$key?" 2>refused >/dev/null || true
  ! grep -q 'unknown key' refused || fail "--set $key: $(cat refused)"
done
[ "$(completed ringside run --set '' | wc -l)" -gt 50 ] || fail 'too few keys'
for command in "${commands[@]}"; do
  completed ringside "$command" -- >options
  grep -qx -- --help options || fail "$command: no --help"
  ringside "$command" --help >help
  while read -r option; do
    grep -qwe "${option#--}" help || [ "$option" = --help ] || fail "$command has no $option"
  done <options
done
