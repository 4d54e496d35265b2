# measurements.csv of bench/tune -> the rows of src/measure/auto_table.c that follow, and what the rows that ringside was
# built with cost against the best own choice. From the caller: anyway (0, 1), limit (percent of others' work), tolerance.
# Exits with 1 where auto costs more than the tolerance and the intervals say so, with 3 where a point has no figure.
#
# A choice is an algorithm with a chunk; a chunk that is no smaller than the size cuts nothing, so there it is the uncut
# one. A launch has every choice in it, and auto, so its share is its time over auto's of the same launch, the median over
# launches: what drifts from launch to launch is in both.

# Keeps list[1 ..] rising and distinct.
function insert(list, count, number, i) {
  for (i = 1; i <= count; i++) if (list[i] == number) return count
  for (i = count; i >= 1 && list[i] > number; i--) list[i + 1] = list[i]
  list[i + 1] = number
  return count + 1
}
function effective(chunk, size) { return chunk > 0 && chunk < size ? chunk : 0 }
function size_words(bytes) {
  return bytes >= 1048576 && bytes % 1048576 == 0 ? bytes / 1048576 " MiB" : bytes >= 1024 && bytes % 1024 == 0 ? bytes / 1024 " KiB" : bytes " B"
}
function size_c(bytes) { # as C of auto_table.c
  return bytes >= 1048576 && bytes % 1048576 == 0 ? bytes / 1048576 " MIB" : bytes >= 1024 && bytes % 1024 == 0 ? bytes / 1024 " KIB" : bytes
}
function choice_words(algorithm, chunk) { return algorithm (chunk ? " " size_words(chunk) : "") }

# One launch may have a choice twice, such as two chunks that cut nothing.
function keep(key, round, time, low, high) {
  key = key SUBSEP round
  sum[key] += time
  parts[key]++
  if (!(key in lowest) || low < lowest[key]) lowest[key] = low
  if (!(key in highest) || high > highest[key]) highest[key] = high
}
function time_in(key, round) { return (key SUBSEP round) in sum ? sum[key, round] / parts[key, round] : -1 }
# The median over launches; -1: there is none. In us, and over the time of another key.
function time_of(key, r, count) {
  for (r = 1; r <= round_count; r++) if (time_in(key, r) > 0) values[++count] = time_in(key, r) / 1000
  return count ? median(count) : -1
}
function ratio_of(key, other, r, count) {
  for (r = 1; r <= round_count; r++)
    if (time_in(key, r) > 0 && time_in(other, r) > 0) values[++count] = time_in(key, r) / time_in(other, r)
  return count ? median(count) : -1
}
# Whether in more than half of the launches the interval of `key` lies above that of the other.
function is_above(key, other, r, count, above) {
  for (r = 1; r <= round_count; r++)
    if (time_in(key, r) > 0 && time_in(other, r) > 0) {
      count++
      above += lowest[key, r] > highest[other, r]
    }
  return 2 * above > count
}

BEGIN { FS = ","; default_chunk = 262144 }
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
  ranks = $column["ranks"] + 0; size = $column["size_bytes"] + 0; chunk = $column["chunk_bytes"] + 0
  transport = $column["transport"]; collective = $column["collective"]
  rank_count = insert(rank_list, rank_count, ranks)
  size_count = insert(size_list, size_count, size)
  points[ranks, size] = 1
  if ($column["round"] > round_count) round_count = $column["round"] + 0
  if ($column["others_percent"] > limit && !anyway) next
  name = $column["algorithm"]
  kind = effective(chunk, size)
  if ($column["implementation"] == "auto") {
    if (!($column["chunk_auto"] + 0)) next # with each of the chunks, as a sweep is a product
    chosen[ranks, size] = choice_words(name, kind)
    name = "auto"
    kind = ""
  } else {
    if (!(name in known)) { known[name] = 1; names[++name_count] = name }
    if ($column["chunk_auto"] + 0) { table_chunk[ranks, size, name] = kind; kind = "auto" }
    else { given[ranks, size, name] = 1; chunk_count = insert(chunk_list, chunk_count, chunk) }
  }
  keep(ranks SUBSEP size SUBSEP name SUBSEP kind, $column["round"] + 0, $column["median_ns"], $column["ci_low_ns"], $column["ci_high_ns"])
}

# At sizes that were measured with chunk=auto alone, as no chunk cuts them, that is the choice with the chunk that it was.
function adopt(n, s, a, r, from, to) {
  from = n SUBSEP s SUBSEP a SUBSEP "auto"
  if ((n, s, a) in given) return
  to = n SUBSEP s SUBSEP a SUBSEP table_chunk[n, s, a]
  for (r = 1; r <= round_count; r++)
    if (time_in(from, r) > 0) keep(to, r, time_in(from, r), lowest[from, r], highest[from, r])
}

function key_of(n, s, c) { return n SUBSEP s SUBSEP choice_name[c] SUBSEP effective(choice_chunk[c], s) }
function auto_key(n, s) { return n SUBSEP s SUBSEP "auto" SUBSEP "" }
# Fills share[choice]; -1: not measured. Sets `best`, a choice.
function find_best(n, s, c) {
  best = 0
  for (c = 1; c <= choice_count; c++) {
    share[c] = ratio_of(key_of(n, s, c), auto_key(n, s))
    if (share[c] > 0 && (!best || share[c] < share[best])) best = c
  }
  return best
}

# Rows for n ranks: a run of sizes goes on while some choice is within 2% of the best at each of them; of those, the one
# that is best over the run. A bound lies half-way to the next size, on a logarithmic scale and as a power of two.
function print_rows(n, i, first, last, c, fits, alive, left, ratio, here, score, least, row) {
  first = 0
  for (i = 1; i <= size_count; i++) {
    if (!((n, size_list[i]) in points) || !find_best(n, size_list[i])) continue
    left = 0
    for (c = 1; c <= choice_count; c++) {
      ratio = share[c] / share[best]
      fits[c] = ratio > 0 && ratio <= 1.02
      here[c] = ratio > 0 ? log(ratio) : 0
      if (first && alive[c] && fits[c]) left++
    }
    if (first && !left) { print_row(n, row, last, size_list[i]); first = 0 }
    least = ""
    for (c = 1; c <= choice_count; c++) {
      alive[c] = fits[c] && (!first || alive[c])
      score[c] = here[c] + (first ? score[c] : 0)
      # Among equals, such as all chunks at sizes that none of them cuts, the chunk that is the default.
      if (alive[c] && (least == "" || score[c] < least || (score[c] == least && choice_chunk[c] == default_chunk))) {
        row = c
        least = score[c]
      }
    }
    first = 1
    last = size_list[i]
  }
  if (first) print_row(n, row, 0, 0)
}
# `size` is the last that the row stands for; 0: it has no bound.
function print_row(n, c, size, next_size, bound) {
  for (bound = 1; size && bound * 2 <= sqrt(size * next_size); bound *= 2) {}
  if (bound < size) bound = size
  printf "    {\"%s\", RS_%s, %d, %s, \"%s\", %s},\n", transport, toupper(collective), n, size ? size_c(bound) : "AUTO_ANY_SIZE",
    choice_name[c], choice_chunk[c] ? size_c(choice_chunk[c]) : 0
}

# Marked are points over the tolerance, "over", or ~ where the intervals overlap, and those where the table holds the best:
# then the two times differ by chance alone.
function print_regret(n, s, auto, key, words, ratio, same, sure) {
  auto = auto_key(n, s)
  if (!find_best(n, s)) {
    printf "%6d  %9s  not quoted: no launch without others' work\n", n, size_words(s)
    missing = 1
    return
  }
  key = key_of(n, s, best)
  words = choice_words(choice_name[best], effective(choice_chunk[best], s))
  ratio = ratio_of(auto, key)
  same = chosen[n, s] == words
  sure = !same && is_above(auto, key)
  if (ratio > 1 + tolerance && sure) bad++
  if (!same && (worst == "" || ratio > worst)) {
    worst = ratio
    worst_words = sprintf("%d ranks, %s: %s beside %s%s", n, size_words(s), chosen[n, s], words, sure ? "" : ", whose intervals overlap")
  }
  printf "%6d  %9s  %-30s  %10.1f  %-30s  %10.1f  %5.3f%s\n", n, size_words(s), chosen[n, s], time_of(auto), words, time_of(key), ratio,
    (same ? "  the same" : ratio <= 1 + tolerance ? "" : sure ? "  over" : "  ~")
}

# An algorithm with chunk=auto beside the same one with the default, where both were measured.
function compare_chunks(n, s, a, auto, fixed, ratio) {
  for (a = 1; a <= name_count; a++) {
    auto = n SUBSEP s SUBSEP names[a] SUBSEP "auto"
    fixed = n SUBSEP s SUBSEP names[a] SUBSEP effective(default_chunk, s)
    ratio = ratio_of(auto, fixed)
    if (ratio < 0 || !((n, s, names[a]) in given)) continue
    compared++
    if (!is_above(auto, fixed) || (chunk_worst != "" && ratio <= chunk_worst)) continue
    chunk_worst = ratio
    chunk_words = sprintf("%.3f of the time by %s, %d ranks, %s", ratio, names[a], n, size_words(s))
  }
}

END {
  for (r = 1; r <= rank_count; r++)
    for (i = 1; i <= size_count; i++)
      for (a = 1; a <= name_count; a++) adopt(rank_list[r], size_list[i], names[a])
  if (!chunk_count) chunk_count = insert(chunk_list, 0, default_chunk)
  for (a = 1; a <= name_count; a++)
    for (c = 1; c <= chunk_count; c++) { choice_name[++choice_count] = names[a]; choice_chunk[choice_count] = chunk_list[c] }
  print "rows for src/measure/auto_table.c:\n"
  for (r = 1; r <= rank_count; r++) print_rows(rank_list[r])
  printf "\n%6s  %9s  %-30s  %10s  %-30s  %10s  %s\n", "ranks", "size", "auto", "us", "best own choice", "us", "ratio"
  for (r = 1; r <= rank_count; r++)
    for (i = 1; i <= size_count; i++)
      if ((rank_list[r], size_list[i]) in points) {
        print_regret(rank_list[r], size_list[i])
        compare_chunks(rank_list[r], size_list[i])
      }
  if (compared)
    printf "\nchunk=auto beside %s, the algorithm being the same: %s\n", size_words(default_chunk),
      (chunk_worst == "" ? "nowhere slower beyond doubt" : "at worst " chunk_words)
  print ""
  if (worst == "" && missing) print "worst: not known"
  else if (worst == "") print "worst: 1, the table holds the best own choice everywhere"
  else
    printf "worst: %.3f of the best own choice's time (%s); %s%g%%\n", worst, worst_words,
      (bad ? bad " beyond doubt over " : "none is beyond doubt over "), 100 * tolerance
  exit bad ? 1 : missing ? 3 : 0
}
