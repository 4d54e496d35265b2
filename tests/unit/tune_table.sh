#!/usr/bin/env bash
#
# bench/tune --table on made-up measurements: which rows it prints, what it holds auto against, and how it judges.
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
  output=$(bench/tune --table "$work" "$@") || status=$?
  [ "$status" = "$expected" ] || fail "exit $status instead of $expected: $output"
}

expect() {
  grep -Eq -- "$1" <<<"$output" || fail "no line like '$1' in:" "$output"
}

# measured RANKS SIZE IMPLEMENTATION ALGORITHM CHUNK MEDIAN [CHUNK-AUTO [ROUND [OTHERS]]]: an interval of 1% to either side.
measured() {
  awk -v ranks="$1" -v size="$2" -v implementation="$3" -v algorithm="$4" -v chunk="$5" -v median="$6" -v auto="${7:-0}" \
    -v round="${8:-1}" -v others="${9:-0.5}" -v OFS=, 'BEGIN {
      print "tcp", "allreduce", ranks, round, others, implementation, algorithm, chunk, auto, size, median, 0.99 * median, 1.01 * median }'
}

# Two ranks: tree up to 8 KiB; from 64 KiB on ring, which at 1 MiB is better in chunks. At 64 KiB a chunk of 256 KiB cuts
# nothing, and tree is within 2% there, but not best; a row goes on as far as it can. Four ranks: one choice throughout.
{
  printf 'transport,collective,ranks,round,others_percent,implementation,algorithm,chunk_bytes,chunk_auto,size_bytes,median_ns,ci_low_ns,ci_high_ns\n'
  for size in 8 8192; do
    measured 2 $size ring ring 0 20000 1
    measured 2 $size tree tree 0 10000 1
    measured 2 $size auto tree 0 10050 1
  done
  measured 2 65536 ring ring 0 50000 1
  measured 2 65536 tree tree 0 50500 1
  measured 2 65536 auto tree 0 50400 1
  for round in 1 2; do # two launches, one of which does not tell the two apart
    measured 2 1048576 ring ring 262144 300000 0 $round
    measured 2 1048576 auto ring 0 $((round == 1 ? 400000 : 301000)) 1 $round
  done
  measured 2 1048576 auto ring 65536 9000000 # with a chunk that was given: not what auto means
  measured 2 1048576 ring ring 0 400000
  measured 2 1048576 ring ring 65536 450000 1
  measured 2 1048576 tree tree 262144 900000
  measured 2 1048576 tree tree 0 900000
  for size in 8 1048576; do
    measured 4 $size tree tree 262144 30000
    measured 4 $size ring ring 262144 60000
    measured 4 $size auto tree 262144 30000 1
  done
} >"$work/measurements.csv"

table 0
rows=$(grep '^    {' <<<"$output")
expected='    {"tcp", RS_ALLREDUCE, 2, 256 KIB, "tree", 256 KIB},
    {"tcp", RS_ALLREDUCE, 2, AUTO_ANY_SIZE, "ring", 256 KIB},
    {"tcp", RS_ALLREDUCE, 4, AUTO_ANY_SIZE, "tree", 256 KIB},'
[ "$rows" = "$expected" ] || fail 'the rows are' "$rows" 'instead of' "$expected"
expect '^ +2 +8 B +tree +10\.1 +tree +10\.0 +1\.005  the same$'
expect '^ +2 +64 KiB +tree +50\.4 +ring +50\.0 +1\.008$'
expect '^ +2 +1 MiB +ring +350\.5 +ring 256 KiB +300\.0 +1\.168  ~$'
[[ $(tail -n 1 <<<"$output") == "worst: 1.168 of the best own choice's time (2 ranks, 1 MiB: ring beside ring 256 KiB, whose intervals overlap); none is beyond doubt over 5%" ]] ||
  fail "the last line of:" "$output"

# A third launch, slower as a whole, where the ratio is what it was in the first: most say the same. The chunk that is
# chosen costs more than the default.
{
  measured 2 1048576 ring ring 262144 600000 0 3
  measured 2 1048576 auto ring 0 800000 1 3
} >>"$work/measurements.csv"
table 1
expect '^ +2 +1 MiB +ring +400\.0 +ring 256 KiB +300\.0 +1\.333  over$'
expect '^worst: 1\.333 .* ring beside ring 256 KiB\); 1 beyond doubt over 5%$'
expect '^chunk=auto beside 256 KiB, the algorithm being the same: at worst 1\.500 of the time by ring, 2 ranks, 1 MiB$'
table 0 --tolerance 40
expect 'none is beyond doubt over 40%$'

# The rows are C, and in the shape of the table.
printf '#include "measure/auto_choice.h"\n#define KIB *UINT64_C(1024)\n#define MIB *UINT64_C(1048576)\nconst struct auto_row auto_rows[] = {\n%s\n};\n' \
  "$rows" >"$work/rows.c"
cc -std=c11 -Wall -Wextra -Werror -fsyntax-only -Iinclude -Isrc "$work/rows.c" || fail 'the rows are no C'

# What was measured beside others' work has no figure, and a place in the table.
sed -i 's/^\(tcp,allreduce,4,1\),0.5,/\1,40,/' "$work/measurements.csv"
table 3 --tolerance 40
expect '^ +4 +8 B +not quoted: '
! grep -q 'RS_ALLREDUCE, 4' <<<"$output" || fail 'rows of what is not quoted:' "$output"
table 0 --tolerance 40 --anyway
expect '^ +4 +1 MiB +tree 256 KiB +30\.0 +tree 256 KiB +30\.0 +1\.000  the same$'

status=0
message=$(bench/tune --table "$work/none" 2>&1) || status=$?
[[ $status = 2 && $message == *measurements.csv* ]] || fail "no such directory: exit $status: $message"
