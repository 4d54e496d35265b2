# measurements.csv of bench/peers/run -> one row per ranks, datatype and size: ours beside the best peer.
# From the caller: anyway (0, 1), limit (percent), rounds are counted here.
#
# A launch holds ours and some peers, so a ratio is of two times of one launch; over rounds it is the median. Ours is our
# algorithm with the least geometric mean over all launches, the peer the one with the least median.

# Over the rounds in drawn[]: the median of table[key, round]; -1 where there is none.
function median_of(table, key, r, count) {
  for (r = 1; r <= rounds; r++) if ((key, drawn[r]) in table) values[++count] = table[key, drawn[r]]
  return count ? median(count) : -1
}
function draw_all(r) { for (r = 1; r <= rounds; r++) drawn[r] = r }

function best_of_ours(point, o, best, name, mean, least) {
  for (o = 1; o <= own_count; o++) {
    name = own_names[o]
    if (!((point, name) in log_count)) continue
    mean = log_sum[point, name] / log_count[point, name]
    if (best == "" || mean < least) { best = name; least = mean }
  }
  return best
}
function best_peer(point, p, best, found, least) {
  for (p = 1; p <= peer_count; p++) {
    found = median_of(peer_time, point SUBSEP peer_names[p])
    if (found > 0 && (best == "" || found < least)) { best = peer_names[p]; least = found }
  }
  return best
}
# ratio[point, peer, round]: theirs / ours. own_time[point, round] and own_cpu: ours, over the launches of the round.
function fill_ratios(point, by, p, r, l, name, key, count) {
  for (r = 1; r <= rounds; r++) {
    for (p = 1; p <= peer_count; p++) {
      name = peer_names[p]
      key = point SUBSEP launch_of[name] SUBSEP by SUBSEP r
      if ((point, name, r) in peer_time && key in our_time) ratio[point, name, r] = peer_time[point, name, r] / our_time[key]
    }
    count = 0
    for (l = 1; l <= launch_count; l++) {
      key = point SUBSEP launch_names[l] SUBSEP by SUBSEP r
      if (key in our_time) values[++count] = our_time[key]
    }
    if (count) own_time[point, r] = median(count)
    count = 0
    for (l = 1; l <= launch_count; l++) {
      key = point SUBSEP launch_names[l] SUBSEP by SUBSEP r
      if (key in our_cpu) values[++count] = our_cpu[key]
    }
    if (count) own_cpu[point, r] = median(count)
  }
}
# The percentile bootstrap over rounds, 95%. Which peer is best is chosen anew each time, as that is chance too.
function interval(point, b, r, count, peer) {
  for (b = 1; b <= 1000; b++) {
    for (r = 1; r <= rounds; r++) drawn[r] = 1 + int(rand() * rounds)
    peer = best_peer(point)
    sample[b] = peer == "" ? -1 : median_of(ratio, point SUBSEP peer)
  }
  draw_all()
  for (b = 1; b <= 1000; b++) if (sample[b] > 0) values[++count] = sample[b]
  median(count)
  return sprintf("%.2f .. %.2f", values[1 + int(0.025 * (count - 1))], values[1 + int(0.975 * (count - 1) + 0.5)])
}
# The launches of which none at this point was undisturbed.
function missing_launches(point, l, names) {
  for (l = 1; l <= launch_count; l++)
    if ((point, launch_names[l]) in made && !((point, launch_names[l]) in clean)) names = names " " launch_names[l]
  return names
}

function size_words(bytes) {
  if (bytes >= 1048576 && bytes % 1048576 == 0) return bytes / 1048576 " MiB"
  return bytes >= 1024 && bytes % 1024 == 0 ? bytes / 1024 " KiB" : bytes " B"
}
function figure(value) { return value < 0 ? "-" : sprintf(value < 99.95 ? "%.3g" : "%.0f", value) }

BEGIN { FS = ","; srand(1) }
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
  point = $column["ranks"] SUBSEP $column["datatype"] SUBSEP $column["size_bytes"]
  round = $column["round"] + 0
  launch = $column["launch"]
  name = $column["implementation"]
  others = $column["others_percent"] + 0
  if (round > rounds) rounds = round
  if ($column["side"] == "bound") {
    if (others <= limit || anyway) bound[point, round] = $column["median_ns"]
    next
  }
  if (!(point in known_point)) { known_point[point] = 1; points[++point_count] = point }
  if (!(launch in known_launch)) { known_launch[launch] = 1; launch_names[++launch_count] = launch }
  made[point, launch] = 1
  if (others > worst[point] + 0) worst[point] = others
  if (others > limit && !anyway) next
  if (others > limit) marked[point] = "!"
  clean[point, launch] = 1
  if ($column["side"] == "peer") {
    if (!(name in launch_of)) { launch_of[name] = launch; peer_names[++peer_count] = name }
    peer_time[point, name, round] = $column["median_ns"]
    peer_cpu[point, name, round] = $column["cpu_ns"]
  } else {
    if (!(name in known_own)) { known_own[name] = 1; own_names[++own_count] = name }
    our_time[point, launch, name, round] = $column["median_ns"]
    our_cpu[point, launch, name, round] = $column["cpu_ns"]
    log_sum[point, name] += log($column["median_ns"])
    log_count[point, name]++
  }
}
END {
  draw_all()
  row = "%5s  %-9s %8s  %9s  %-20s %9s  %-24s %7s  %-14s %8s %8s  %9s\n"
  printf row, "ranks", "datatype", "size", "ours us", "by", "best us", "peer", "ratio", "interval", "ns/B", "peer's", "bound us"
  for (i = 1; i <= point_count; i++) {
    point = points[i]
    split(point, part, SUBSEP)
    by = best_of_ours(point)
    peer = best_peer(point)
    missing = missing_launches(point)
    if (missing != "" || by == "" || peer == "") {
      printf "%5d  %-9s %8s  not quoted: others used up to %.0f%% of the processors meanwhile%s\n", part[1], part[2],
        size_words(part[3]), worst[point], missing == "" ? "" : ", in every launch of" missing
      refused++
      continue
    }
    fill_ratios(point, by)
    bytes = part[1] * part[3]
    printf row, part[1], part[2], size_words(part[3]), figure(median_of(own_time, point) / 1000), by,
      figure(median_of(peer_time, point SUBSEP peer) / 1000), peer,
      sprintf("%.2f", median_of(ratio, point SUBSEP peer)) marked[point], interval(point),
      figure(median_of(own_cpu, point) / bytes), figure(median_of(peer_cpu, point SUBSEP peer) / bytes),
      figure(median_of(bound, point) / 1000)
  }
  exit refused ? 3 : 0
}
