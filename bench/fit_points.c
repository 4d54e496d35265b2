#include "fit_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BURST_MESSAGES 256 // of one operation of the algorithm "burst"

enum side { SENDER, RECEIVER };

// While results are read. Pairs of a case run at the same time, so what they meet on a host is counted per case.
struct reader {
  const struct rs_result *result;
  uint32_t launch;
  struct rs_fabric_point *alone, *shared;
  size_t alone_count, shared_count;
  uint32_t *touched; // per host: pairs of the case that leave it or enter it
  double *moved[2];  // per host and side: bits per second of the case
  uint32_t *streams[2];
  double *best[2]; // per launch: the most of any host with several streams; 0: none
  uint32_t most[2];
};

// ---- cases ------------------------------------------------------------------------------------------------

static bool is_stream(const struct rs_case_row *row) {
  return strcmp(row->collective, "stream") == 0 &&
         (strcmp(row->algorithm, "burst") == 0 || strcmp(row->mode, "streaming") == 0);
}

// A ping-pong of several chunks is no sum of two ways: the first chunk is back before the last has left.
static bool is_ping_pong(const struct rs_case_row *row) {
  return strcmp(row->collective, "pingpong") == 0 && (row->chunk_bytes == 0 || row->size_bytes <= row->chunk_bytes);
}

static bool is_wanted(const struct rs_case_row *row) {
  const bool quiet = row->congestor[0] == '\0' || strcmp(row->congestor, "none") == 0;
  return row->finished && row->verified != RS_VERIFY_FAILED && row->lanes == 1 && quiet &&
         strcmp(row->benchmark, "p2p") == 0 && (is_ping_pong(row) || is_stream(row));
}

// The only transport of all wanted cases, or the one that was named.
static enum rs_status find_transport(const struct result_set *set, const char *named, struct fit_points *points,
                                     struct rs_error *error) {
  for (size_t f = 0; f < set->count; f++)
    for (size_t c = 0; c < set->results[f]->case_count; c++) {
      const struct rs_case_row *row = &set->results[f]->cases[c];
      if (!is_wanted(row) || (named && strcmp(named, row->transport) != 0))
        continue;
      if (points->transport[0] != '\0' && strcmp(points->transport, row->transport) != 0)
        return rs_error_set(error, RS_ERROR_USAGE,
                            "the results have ping-pongs over %s and over %s; choose one with --transport",
                            points->transport, row->transport);
      memcpy(points->transport, row->transport, sizeof(points->transport));
      points->emulated = points->emulated || row->emulated;
    }
  if (points->transport[0] != '\0')
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE,
                      "no ping-pong or stream%s%s to fit; measure some: mpirun -n 2 ringside run configs/fit.yaml",
                      named ? " over " : "", named ? named : "");
}

// ---- pairs ------------------------------------------------------------------------------------------------

static uint32_t host_of(const struct reader *reader, uint32_t rank) {
  return reader->result->placement.ranks[rank].host;
}

// One message's time from that of an operation.
static struct rs_fabric_point make_point(const struct reader *reader, const struct rs_case_row *row,
                                         const struct rs_pair_row *pair) {
  const bool burst = strcmp(row->algorithm, "burst") == 0, streaming = is_stream(row);
  const double messages = burst ? BURST_MESSAGES : streaming ? 1 : 2;
  return (struct rs_fabric_point){.distance =
                                      rs_placement_distance(&reader->result->placement, pair->rank_a, pair->rank_b),
                                  .launch = reader->launch,
                                  .bytes = burst ? row->size_bytes / BURST_MESSAGES : row->size_bytes,
                                  .streaming = streaming,
                                  .time_ns = pair->median_ns / messages};
}

// What the pair moves through the NICs of two hosts. A stream goes from the lower rank to the higher.
static void count_traffic(struct reader *reader, const struct rs_case_row *row, const struct rs_pair_row *pair) {
  const bool ordered = pair->rank_a < pair->rank_b;
  const uint32_t source = host_of(reader, ordered ? pair->rank_a : pair->rank_b);
  const uint32_t target = host_of(reader, ordered ? pair->rank_b : pair->rank_a);
  if (source == target)
    return;
  const uint32_t hosts[] = {[SENDER] = source, [RECEIVER] = target};
  for (int side = SENDER; side <= RECEIVER; side++) {
    reader->touched[hosts[side]]++;
    if (is_stream(row)) {
      reader->moved[side][hosts[side]] += 8e9 * (double)row->size_bytes / pair->median_ns;
      reader->streams[side][hosts[side]]++;
    }
  }
}

static void add_point(struct reader *reader, const struct rs_case_row *row, const struct rs_pair_row *pair) {
  const uint32_t a = host_of(reader, pair->rank_a), b = host_of(reader, pair->rank_b);
  if (a != b && (reader->touched[a] > 1 || reader->touched[b] > 1))
    reader->shared[reader->shared_count++] = make_point(reader, row, pair);
  else
    reader->alone[reader->alone_count++] = make_point(reader, row, pair);
}

typedef void visit_pair(struct reader *reader, const struct rs_case_row *row, const struct rs_pair_row *pair);

// The measured pairs of a case. Files of before pairs were recorded have one pair at most, in the case's own row.
static void visit_pairs(struct reader *reader, const struct rs_case_row *row, visit_pair *visit) {
  size_t planned = 0;
  for (size_t p = 0; p < reader->result->pair_count; p++) {
    const struct rs_pair_row *pair = &reader->result->pairs[p];
    if (pair->case_id != row->case_id)
      continue;
    planned++;
    if (isfinite(pair->median_ns) && pair->median_ns > 0 && pair->rank_a != pair->rank_b)
      visit(reader, row, pair);
  }
  const struct rs_pair_row only = {row->case_id, (uint32_t)row->peer_a, (uint32_t)row->peer_b,
                                   .median_ns = row->median_ns};
  if (planned == 0 && row->peer_a >= 0 && row->peer_b >= 0 && isfinite(row->median_ns) && row->median_ns > 0)
    visit(reader, row, &only);
}

static void read_case(struct reader *reader, const struct rs_case_row *row) {
  const size_t hosts = reader->result->placement.host_count;
  memset(reader->touched, 0, hosts * sizeof(*reader->touched));
  for (int side = SENDER; side <= RECEIVER; side++) {
    memset(reader->moved[side], 0, hosts * sizeof(*reader->moved[side]));
    memset(reader->streams[side], 0, hosts * sizeof(*reader->streams[side]));
  }
  visit_pairs(reader, row, count_traffic);
  visit_pairs(reader, row, add_point);
  for (int side = SENDER; side <= RECEIVER; side++)
    for (size_t h = 0; h < hosts; h++)
      if (reader->streams[side][h] > 1 && reader->moved[side][h] > reader->best[side][reader->launch]) {
        reader->best[side][reader->launch] = reader->moved[side][h];
        reader->most[side] = reader->streams[side][h];
      }
}

// ---- all results ------------------------------------------------------------------------------------------

static void reader_fini(struct reader *reader) {
  free(reader->alone);
  free(reader->shared);
  free(reader->touched);
  for (int side = SENDER; side <= RECEIVER; side++) {
    free(reader->moved[side]);
    free(reader->streams[side]);
    free(reader->best[side]);
  }
}

static enum rs_status reader_init(const struct result_set *set, struct reader *reader, struct rs_error *error) {
  size_t pairs = 1, hosts = 1;
  for (size_t f = 0; f < set->count; f++) {
    pairs += set->results[f]->pair_count + set->results[f]->case_count;
    hosts = rs_max_size(hosts, set->results[f]->placement.host_count);
  }
  *reader = (struct reader){.alone = rs_allocate(pairs, sizeof(*reader->alone), "points", error),
                            .shared = rs_allocate(pairs, sizeof(*reader->shared), "points", error),
                            .touched = rs_allocate(hosts, sizeof(*reader->touched), "points", error)};
  for (int side = SENDER; side <= RECEIVER; side++) {
    reader->moved[side] = rs_allocate(hosts, sizeof(*reader->moved[side]), "points", error);
    reader->streams[side] = rs_allocate(hosts, sizeof(*reader->streams[side]), "points", error);
    reader->best[side] = rs_allocate(set->count, sizeof(*reader->best[side]), "points", error);
  }
  return error->status < 0 ? error->status : RS_OK;
}

static struct fit_nic make_nic(double *best, size_t launch_count, uint32_t streams) {
  struct fit_nic nic = {.streams = streams};
  for (size_t l = 0; l < launch_count; l++)
    if (best[l] > 0)
      best[nic.launches++] = best[l];
  if (nic.launches == 0)
    return nic;
  rs_stats_sort(best, nic.launches);
  nic.bit_s = rs_stats_quantile(best, nic.launches, 0.5);
  nic.interval = rs_stats_median_interval(best, nic.launches, RS_STATS_LEVEL);
  return nic;
}

// Points of pairs that had their NICs alone, and the others where a distance has none such. Takes reader->alone, which
// has room for all.
static void choose_points(struct reader *reader, struct fit_points *points) {
  bool alone[RS_DISTANCE_COUNT] = {false};
  for (size_t i = 0; i < reader->alone_count; i++)
    alone[reader->alone[i].distance] = true;
  for (size_t i = 0; i < reader->shared_count; i++)
    if (!alone[reader->shared[i].distance]) {
      points->shared[reader->shared[i].distance] = true;
      reader->alone[reader->alone_count++] = reader->shared[i];
    }
  points->items = reader->alone;
  points->count = reader->alone_count;
  reader->alone = NULL;
}

enum rs_status fit_points_init(const struct result_set *set, const char *transport, struct fit_points *points,
                               struct rs_error *error) {
  struct reader reader = {0};
  *points = (struct fit_points){0};
  enum rs_status status = find_transport(set, transport, points, error);
  if (status == RS_OK)
    status = reader_init(set, &reader, error);
  for (size_t f = 0; f < set->count && status == RS_OK; f++) {
    reader.result = set->results[f];
    reader.launch = (uint32_t)f;
    for (size_t c = 0; c < reader.result->case_count; c++) {
      const struct rs_case_row *row = &reader.result->cases[c];
      if (is_wanted(row) && strcmp(row->transport, points->transport) == 0)
        read_case(&reader, row);
    }
  }
  if (status == RS_OK) {
    choose_points(&reader, points);
    points->egress = make_nic(reader.best[SENDER], set->count, reader.most[SENDER]);
    points->ingress = make_nic(reader.best[RECEIVER], set->count, reader.most[RECEIVER]);
  }
  reader_fini(&reader);
  return status;
}

void fit_points_fini(struct fit_points *points) {
  free(points->items);
  *points = (struct fit_points){0};
}
