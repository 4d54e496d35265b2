// The verifier: runs every rank's schedule symbolically, round by round, on parts.
//
// A part holds a set of ranks (holdings.c) instead of numbers. As no step depends on the length of a part, and chunks
// of a part never meet other chunks, what holds for parts holds for every count, datatype and chunking. In each round:
//
//   1. shape       every step by itself: kinds, peers, slices in bounds, operands of equal parts, nothing written but
//                  scratch and this rank's result, `final` on reductions only;
//   2. conflicts   no two steps of a rank touch the same memory unless both read it, or both are RECV_REDUCEs into
//                  the same slice, and no step's source overlaps its target unless they are the same places. So the
//                  order within a round and within a step is free, and a peer may read a sent slice at any moment of
//                  it: applying the steps one after another loses nothing;
//   3. matching    the i-th send to a peer meets that peer's i-th receive from us in the same round, and the reverse;
//   4. effect      operands are defined, reductions join disjoint sets, `final` stands exactly where a set fills up.
//
// 2 to 4 are done for the ways of calling that the collective allows: out of place, and in place, where input and
// output are the same memory. At the end every output holds what the collective asks for, and every rank has sent what
// the formula says.
//
// Progress under a window of one round follows. All ranks post (round, chunk) pairs in one common order. Take the
// first pair that some rank has not finished: everything before it is finished everywhere, so every rank can have all
// of its steps posted (at most RS_ROUND_STEPS_MAX, 1), none of them waits for another of that rank (2), and each
// message has both ends posted (3). So the pair finishes, whatever the transport buffers. A reader that cuts runs of
// parts into pieces posts piece p of every step before piece p + 1 of any, and the same holds for each piece.
#include "collective/holdings.h"
#include "collective/match.h"
#include "collective/step.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_OF_PLACE, IN_PLACE, MODE_COUNT };
static const char *const mode_names[MODE_COUNT] = {[OUT_OF_PLACE] = "out of place", [IN_PLACE] = "in place"};

struct prover {
  const struct rs_algorithm *algorithm;
  const struct rs_schedule_params *params;
  uint32_t rank_count, parts, scratch_places, rounds;
  size_t modes;          // ways of calling that the collective allows
  struct rs_step *steps; // one round of every rank, RS_ROUND_STEPS_MAX each
  uint32_t *step_counts; // of that round, by rank
  uint64_t *sent_parts;  // so far, by rank
  struct rs_holdings holdings[MODE_COUNT];
  struct rs_proof proof;
};

static const struct rs_step *step_at(const struct prover *prover, uint32_t rank, uint32_t index) {
  return &prover->steps[(size_t)rank * RS_ROUND_STEPS_MAX + index];
}

// ---- 1. shape ---------------------------------------------------------------------------------------------

static enum rs_status check_slice(const struct prover *prover, const struct rs_slice *slice, bool used,
                                  const char *role, struct rs_error *error) {
  if (!used) {
    const bool zero = slice->buffer == 0 && slice->place == 0 && slice->count == 0;
    return zero ? RS_OK : rs_error_set(error, RS_ERROR_MISMATCH, "has a %s, which this kind does not use", role);
  }
  if ((unsigned)slice->buffer >= RS_BUFFER_ID_COUNT) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "has buffer %u as its %s", (unsigned)slice->buffer, role);
  }
  const bool scratch = slice->buffer == RS_BUFFER_SCRATCH;
  const uint64_t limit = scratch ? prover->scratch_places : prover->parts;
  const uint64_t end = (uint64_t)slice->place + slice->count;
  if (slice->count == 0 || end > limit) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "has %u places from %u on as its %s, of %llu in that buffer",
                        slice->count, slice->place, role, (unsigned long long)limit);
  }
  return RS_OK;
}

// Equal lengths for every count need the same parts in the same order.
static bool slices_alike(const struct prover *prover, uint32_t rank_a, const struct rs_slice *a, uint32_t rank_b,
                         const struct rs_slice *b) {
  bool alike = a->count == b->count;
  for (uint32_t i = 0; alike && i < a->count; i++) {
    alike = rs_place_part(prover->algorithm, prover->params, rank_a, a->buffer, a->place + i) ==
            rs_place_part(prover->algorithm, prover->params, rank_b, b->buffer, b->place + i);
  }
  return alike;
}

// Only what is part of the result is the algorithm's to write.
static enum rs_status check_target(const struct prover *prover, uint32_t rank, const struct rs_slice *target,
                                   struct rs_error *error) {
  if (target->buffer == RS_BUFFER_INPUT) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "writes the input, which is the caller's");
  }
  for (uint32_t i = 0; target->buffer == RS_BUFFER_OUTPUT && i < target->count; i++) {
    if (rs_output_source(prover->params, rank, target->place + i) == RS_NOBODY) {
      return rs_error_set(error, RS_ERROR_MISMATCH, "writes output[%u], which is no part of this rank's result",
                          target->place + i);
    }
  }
  return RS_OK;
}

static enum rs_status check_shape(const struct prover *prover, uint32_t rank, const struct rs_step *step,
                                  struct rs_error *error) {
  if ((unsigned)step->kind >= RS_STEP_KIND_COUNT) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "is of no known kind (%u)", (unsigned)step->kind);
  }
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  if ((traits->sends || traits->receives) && (step->peer >= prover->rank_count || step->peer == rank)) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "has %u as its peer, which is not another rank", step->peer);
  }
  if (check_slice(prover, &step->source, traits->source, "source", error) < 0 ||
      check_slice(prover, &step->target, traits->target, "target", error) < 0) {
    return error->status;
  }
  if (traits->source && traits->target && !slices_alike(prover, rank, &step->source, rank, &step->target)) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "has a source and a target of different parts");
  }
  if (traits->target && check_target(prover, rank, &step->target, error) < 0) {
    return error->status;
  }
  if (traits->reduces && !rs_collective_traits[prover->params->collective].reduces) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "reduces, which this collective does not");
  }
  if (step->final && !traits->reduces) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "is marked final, but reduces nothing");
  }
  return RS_OK;
}

// ---- 2. conflicts -----------------------------------------------------------------------------------------

// A COPY onto itself, as one is in place, touches nothing.
static bool is_idle(const struct rs_holdings *holdings, const struct rs_step *step) {
  return step->kind == RS_STEP_COPY && rs_holdings_overlap(holdings, &step->source, &step->target);
}

static bool steps_conflict(const struct rs_holdings *holdings, const struct rs_step *a, const struct rs_step *b) {
  const struct rs_step_traits *ta = &rs_step_traits[a->kind], *tb = &rs_step_traits[b->kind];
  if (a->kind == RS_STEP_RECV_REDUCE && b->kind == RS_STEP_RECV_REDUCE && a->target.buffer == b->target.buffer &&
      a->target.place == b->target.place && a->target.count == b->target.count &&
      rs_holdings_overlap(holdings, &b->source, &b->target)) {
    return false; // done in the order listed, and the later one adds to what the earlier one left
  }
  if (is_idle(holdings, a) || is_idle(holdings, b)) {
    return false;
  }
  return (ta->target && tb->target && rs_holdings_overlap(holdings, &a->target, &b->target)) ||
         (ta->target && tb->source && rs_holdings_overlap(holdings, &a->target, &b->source)) ||
         (ta->source && tb->target && rs_holdings_overlap(holdings, &a->source, &b->target));
}

static enum rs_status check_conflicts(const struct prover *prover, const struct rs_holdings *holdings, uint32_t rank,
                                      uint32_t index, struct rs_error *error) {
  const struct rs_step *step = step_at(prover, rank, index);
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  if (traits->source && traits->target && step->source.place != step->target.place &&
      rs_holdings_overlap(holdings, &step->source, &step->target)) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "has a source and a target that overlap, but are not the same");
  }
  for (uint32_t i = 0; i < index; i++) {
    if (steps_conflict(holdings, step_at(prover, rank, i), step)) {
      return rs_error_set(error, RS_ERROR_MISMATCH, "uses memory that step %u of the same round uses too", i);
    }
  }
  return RS_OK;
}

// ---- 3. matching ------------------------------------------------------------------------------------------

static const struct rs_step *other_end(const struct prover *prover, uint32_t rank, uint32_t index) {
  const uint32_t peer = step_at(prover, rank, index)->peer;
  return rs_match_find(step_at(prover, rank, 0), rank, index, step_at(prover, peer, 0), prover->step_counts[peer]);
}

static enum rs_status check_match(const struct prover *prover, uint32_t rank, uint32_t index, struct rs_error *error) {
  const struct rs_step *step = step_at(prover, rank, index);
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  if (!traits->sends && !traits->receives) {
    return RS_OK;
  }
  const struct rs_step *other = other_end(prover, rank, index);
  if (!other) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "meets no %s of rank %u in this round",
                        traits->sends ? "receive" : "send", step->peer);
  }
  if (traits->sends && !slices_alike(prover, rank, &step->source, step->peer, &other->target)) {
    char text[RS_STEP_FORMAT_BYTES];
    return rs_error_set(error, RS_ERROR_MISMATCH, "meets other parts at rank %u: %s", step->peer,
                        rs_step_format(other, text, sizeof text));
  }
  return RS_OK;
}

// ---- the rounds -------------------------------------------------------------------------------------------

// Says where it went wrong, and in which mode if only there; returns the status.
static enum rs_status blame(const struct prover *prover, uint32_t rank, uint32_t k, uint32_t index, const char *mode,
                            struct rs_error *error) {
  const struct rs_step *step = step_at(prover, rank, index);
  char text[RS_STEP_FORMAT_BYTES] = "invalid";
  if ((unsigned)step->kind < RS_STEP_KIND_COUNT && (unsigned)step->source.buffer < RS_BUFFER_ID_COUNT &&
      (unsigned)step->target.buffer < RS_BUFFER_ID_COUNT) {
    rs_step_format(step, text, sizeof text);
  }
  rs_error_prefix(error, "rank %u, round %u, step %u (%s)", rank, k, index, text);
  if (mode) {
    rs_error_prefix(error, "%s", mode);
  }
  return error->status;
}

// Asks every rank for round k, and checks each step by itself. What a builder leaves unset shows, because the memory it
// fills is not zero.
static enum rs_status fetch_round(struct prover *prover, uint32_t k, struct rs_error *error) {
  const struct rs_algorithm *algorithm = prover->algorithm;
  memset(prover->steps, 0xa5, (size_t)prover->rank_count * RS_ROUND_STEPS_MAX * sizeof *prover->steps);
  for (uint32_t rank = 0; rank < prover->rank_count; rank++) {
    const uint32_t count = algorithm->round(prover->params, rank, k, &prover->steps[(size_t)rank * RS_ROUND_STEPS_MAX]);
    if (count > RS_ROUND_STEPS_MAX) {
      return rs_error_set(error, RS_ERROR_MISMATCH, "rank %u, round %u: %u steps, and at most %u may be in one round",
                          rank, k, count, RS_ROUND_STEPS_MAX);
    }
    prover->step_counts[rank] = count;
    prover->proof.steps += count;
    for (uint32_t i = 0; i < count; i++) {
      const struct rs_step *step = step_at(prover, rank, i);
      if (check_shape(prover, rank, step, error) < 0) {
        return blame(prover, rank, k, i, NULL, error);
      }
      if (step->kind == RS_STEP_SEND) {
        prover->sent_parts[rank] += step->source.count;
        prover->proof.messages++;
      }
    }
  }
  return RS_OK;
}

// Conflicts, matching, and that what is sent is defined; for every rank before any step is applied.
static enum rs_status check_round(const struct prover *prover, uint32_t k, struct rs_error *error) {
  for (uint32_t rank = 0; rank < prover->rank_count; rank++) {
    for (uint32_t i = 0; i < prover->step_counts[rank]; i++) {
      const struct rs_step *step = step_at(prover, rank, i);
      if (check_match(prover, rank, i, error) < 0) {
        return blame(prover, rank, k, i, NULL, error);
      }
      for (size_t mode = 0; mode < prover->modes; mode++) {
        const struct rs_holdings *holdings = &prover->holdings[mode];
        if (check_conflicts(prover, holdings, rank, i, error) < 0 ||
            (step->kind == RS_STEP_SEND && rs_holdings_check_defined(holdings, rank, &step->source, error) < 0)) {
          return blame(prover, rank, k, i, mode_names[mode], error);
        }
      }
    }
  }
  return RS_OK;
}

static enum rs_status apply_round(struct prover *prover, uint32_t k, struct rs_error *error) {
  for (uint32_t rank = 0; rank < prover->rank_count; rank++) {
    for (uint32_t i = 0; i < prover->step_counts[rank]; i++) {
      const struct rs_step *step = step_at(prover, rank, i);
      if (step->kind == RS_STEP_SEND) {
        continue;
      }
      const struct rs_slice *sent = rs_step_traits[step->kind].receives ? &other_end(prover, rank, i)->source : NULL;
      for (size_t mode = 0; mode < prover->modes; mode++) {
        if (rs_holdings_apply(&prover->holdings[mode], rank, step, sent, error) < 0) {
          return blame(prover, rank, k, i, mode_names[mode], error);
        }
      }
    }
  }
  return RS_OK;
}

static enum rs_status check_outputs(const struct prover *prover, struct rs_error *error) {
  for (size_t mode = 0; mode < prover->modes; mode++) {
    for (uint32_t rank = 0; rank < prover->rank_count; rank++) {
      if (rs_holdings_check_result(&prover->holdings[mode], rank, error) < 0) {
        rs_error_prefix(error, "%s", mode_names[mode]);
        return error->status;
      }
    }
  }
  return RS_OK;
}

static enum rs_status check_sent_parts(struct prover *prover, struct rs_error *error) {
  for (uint32_t rank = 0; rank < prover->rank_count; rank++) {
    const uint64_t sent = prover->sent_parts[rank];
    const uint64_t formula = prover->algorithm->sent_parts(prover->params, rank);
    if (sent != formula) {
      return rs_error_set(error, RS_ERROR_MISMATCH, "rank %u sends %llu parts, but sent_parts says %llu", rank,
                          (unsigned long long)sent, (unsigned long long)formula);
    }
    prover->proof.parts_sent_sum += sent;
    prover->proof.parts_sent_max = sent > prover->proof.parts_sent_max ? sent : prover->proof.parts_sent_max;
  }
  return RS_OK;
}

static enum rs_status prove(struct prover *prover, struct rs_error *error) {
  for (uint32_t k = 0; k < prover->rounds; k++) {
    if (fetch_round(prover, k, error) < 0 || check_round(prover, k, error) < 0 || apply_round(prover, k, error) < 0) {
      return error->status;
    }
  }
  return check_outputs(prover, error) < 0 ? error->status : check_sent_parts(prover, error);
}

// What the readers of a schedule take for granted of its places.
static enum rs_status check_places(const struct prover *prover, struct rs_error *error) {
  const uint32_t n = prover->rank_count;
  if (prover->parts == 0 || (rs_collective_traits[prover->params->collective].blocks && prover->parts != n)) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "%u parts, where the collective needs %s", prover->parts,
                        prover->parts == 0 ? "at least one" : "one for each rank");
  }
  for (uint32_t rank = 0; prover->algorithm->scratch_part && rank < n; rank++) {
    for (uint32_t place = 0; place < prover->scratch_places; place++) {
      const uint32_t part = prover->algorithm->scratch_part(prover->params, rank, place);
      if (part >= prover->parts) {
        return rs_error_set(error, RS_ERROR_MISMATCH, "scratch[%u] of rank %u holds part %u, of %u parts", place, rank,
                            part, prover->parts);
      }
    }
  }
  return RS_OK;
}

static enum rs_status prover_init(struct prover *prover, struct rs_error *error) {
  const uint32_t n = prover->rank_count;
  if (check_places(prover, error) < 0) {
    return error->status;
  }
  prover->steps = rs_allocate(n, RS_ROUND_STEPS_MAX * sizeof *prover->steps, "the verifier's steps", error);
  prover->step_counts = rs_allocate(n, sizeof *prover->step_counts, "the verifier's step counts", error);
  prover->sent_parts = rs_allocate(n, sizeof *prover->sent_parts, "the verifier's sums", error);
  if (!prover->steps || !prover->step_counts || !prover->sent_parts) {
    return error->status;
  }
  for (size_t mode = 0; mode < prover->modes; mode++) {
    if (rs_holdings_init(&prover->holdings[mode], prover->params, prover->parts, prover->scratch_places,
                         mode == IN_PLACE, error) < 0) {
      return error->status;
    }
  }
  return RS_OK;
}

static void prover_fini(struct prover *prover) {
  for (size_t mode = 0; mode < prover->modes; mode++) {
    rs_holdings_fini(&prover->holdings[mode]);
  }
  free(prover->sent_parts);
  free(prover->step_counts);
  free(prover->steps);
}

enum rs_status rs_verify(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                         struct rs_proof *proof, struct rs_error *error) {
  if (params->rank_count == 0 || params->root >= params->rank_count || params->collective != algorithm->collective) {
    return rs_error_set(error, RS_ERROR_USAGE, "proving %s: it is an algorithm for %s of 1 rank or more, one the root",
                        algorithm->name, rs_collective_names[algorithm->collective]);
  }
  struct prover prover = {
      .algorithm = algorithm,
      .params = params,
      .rank_count = params->rank_count,
      .parts = algorithm->parts(params),
      .scratch_places = algorithm->scratch_places ? algorithm->scratch_places(params) : 0,
      .rounds = algorithm->rounds(params),
      .modes = rs_collective_traits[params->collective].in_place ? MODE_COUNT : OUT_OF_PLACE + 1,
  };
  prover.proof.rounds = prover.rounds;
  enum rs_status status = prover_init(&prover, error);
  if (status == RS_OK) {
    status = prove(&prover, error);
  }
  if (status == RS_OK) {
    *proof = prover.proof;
  } else {
    rs_error_prefix(error, "%s %s on %u ranks", algorithm->name, rs_collective_names[algorithm->collective],
                    params->rank_count);
  }
  prover_fini(&prover);
  return status;
}
