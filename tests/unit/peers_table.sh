#!/usr/bin/env bash
#
# bench/peers/table on made-up measurements: whom it finds best, the ratio within launches, and what it refuses to quote.
set -euo pipefail
cd "${RS_SOURCE_DIR:?the root of the source tree}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf '%s\n' "$@"
  exit 1
}

# table EXIT-CODE OPTION...: sets `output`.
table() {
  local expected=$1 status=0
  shift
  output=$(bench/peers/table "$work" "$@") || status=$?
  [ "$status" = "$expected" ] || fail "exit $status instead of $expected: $output"
}

expect() {
  grep -Eq "$1" <<<"$output" || fail "no line like '$1' in:" "$output"
}

# Round 2 is slower by half for everybody: the ratio, within launches, is the same. At 8 B the peer `fast` is best, and is
# not at 1 MiB, where `late` is measured beside others' work.
cat >"$work/measurements.csv" <<'CSV'
launch,round,others_percent,side,implementation,ranks,datatype,size_bytes,median_ns,cpu_ns
a,1,0.5,ours,ring,2,float32,8,12000,100
a,1,0.5,ours,tree,2,float32,8,10000,160
a,1,0.5,peer,slow,2,float32,8,50000,800
b,1,0.5,ours,tree,2,float32,8,10000,160
b,1,0.5,peer,fast,2,float32,8,20000,320
b,2,0.5,ours,ring,2,float32,8,18000,100
b,2,0.5,ours,tree,2,float32,8,15000,160
b,2,0.5,peer,fast,2,float32,8,30000,320
a,2,0.5,ours,tree,2,float32,8,15000,160
a,2,0.5,peer,slow,2,float32,8,75000,800
bound,1,0.5,bound,ring,2,float32,8,5000,1
a,1,0.5,ours,ring,2,float32,1048576,100000,1
a,1,0.5,peer,slow,2,float32,1048576,90000,1
b,1,40,ours,ring,2,float32,1048576,100000,1
b,1,40,peer,late,2,float32,1048576,50000,1
CSV
printf '\nsettings: fast OPTION=1\n' >"$work/settings.txt"

table 3
expect '^ +2 +float32 +8 B +12\.5 +tree +25 +fast +2\.00 +2\.00 \.\. 2\.00 +10 +20 +5$'
expect '^ +2 +float32 +1 MiB +not quoted: others used up to 40% .*, in every launch of b$'
expect '^settings: fast OPTION=1$'
table 0 --anyway
expect '^ +2 +float32 +1 MiB +100 +ring +50 +late +0\.50! '
expect ' 2\.00 +2\.00 \.\. '
table 0 --limit 50
expect ' late +0\.50 '

# An interval covers how far rounds differ.
sed -i 's/^b,2,\(.*\),30000,/b,2,\1,45000,/' "$work/measurements.csv"
table 3
expect ' fast +2\.50 +2\.00 \.\. 3\.00 '

status=0
message=$(bench/peers/table "$work/none" 2>&1) || status=$?
[[ $status = 2 && $message == *measurements.csv* ]] || fail "no such directory: exit $status: $message"
