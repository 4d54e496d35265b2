#include "collective/holdings.h"

#include "collective/step.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64

static void set_insert(uint64_t *set, uint32_t rank) {
  set[rank / WORD_BITS] |= UINT64_C(1) << rank % WORD_BITS;
}

static bool set_is_empty(const uint64_t *set, size_t words) {
  uint64_t any = 0;
  for (size_t w = 0; w < words; w++) {
    any |= set[w];
  }
  return any == 0;
}

// The lowest rank that both sets hold, or `none`.
static uint32_t set_common(const uint64_t *a, const uint64_t *b, size_t words, uint32_t none) {
  for (size_t w = 0; w < words; w++) {
    if ((a[w] & b[w]) != 0) {
      return (uint32_t)(w * WORD_BITS) + (uint32_t)__builtin_ctzll(a[w] & b[w]);
    }
  }
  return none;
}

// The lowest rank that the set lacks; rank_count when it has them all, as no set holds more.
static uint32_t set_lacks(const uint64_t *set, uint32_t rank_count) {
  for (uint32_t rank = 0; rank < rank_count; rank += WORD_BITS) {
    const uint64_t missing = ~set[rank / WORD_BITS];
    if (missing != 0) {
      return rank + (uint32_t)__builtin_ctzll(missing);
    }
  }
  return rank_count;
}

enum rs_status rs_holdings_init(struct rs_holdings *holdings, const struct rs_schedule_params *params, uint32_t parts,
                                uint32_t scratch_places, bool in_place, struct rs_error *error) {
  const uint32_t n = params->rank_count;
  const size_t words = rs_divide_up(n, WORD_BITS), row = (size_t)parts + scratch_places;
  size_t sets;
  *holdings = (struct rs_holdings){params, n, parts, scratch_places, in_place, words, NULL, NULL};
  if (!rs_multiply_size(n, row, &sets)) {
    return rs_error_set_memory(error, SIZE_MAX, "the verifier's contributor sets");
  }
  holdings->inputs = rs_allocate((size_t)n + 1, words * sizeof(uint64_t), "the verifier's input sets", error);
  if (!holdings->inputs) {
    return error->status;
  }
  holdings->sets = rs_allocate(sets, words * sizeof(uint64_t), "the verifier's contributor sets", error);
  if (!holdings->sets) {
    rs_holdings_fini(holdings);
    return error->status;
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    set_insert(holdings->inputs + rank * words, rank);
    for (uint32_t place = 0; in_place && place < parts; place++) {
      if (rs_input_given(params, rank, place)) {
        set_insert(holdings->sets + (rank * row + place) * words, rank);
      }
    }
  }
  return RS_OK;
}

void rs_holdings_fini(struct rs_holdings *holdings) {
  free(holdings->inputs);
  free(holdings->sets);
  *holdings = (struct rs_holdings){0};
}

static enum rs_buffer_id memory_of(const struct rs_holdings *holdings, enum rs_buffer_id buffer) {
  return holdings->in_place && buffer == RS_BUFFER_INPUT ? RS_BUFFER_OUTPUT : buffer;
}

// The set of place `index` of a slice.
static uint64_t *set_at(const struct rs_holdings *holdings, uint32_t rank, const struct rs_slice *slice,
                        uint32_t index) {
  const enum rs_buffer_id memory = memory_of(holdings, slice->buffer);
  if (memory == RS_BUFFER_INPUT) {
    const bool given = rs_input_given(holdings->params, rank, slice->place + index);
    return holdings->inputs + (given ? rank : holdings->rank_count) * holdings->words;
  }
  const size_t offset = memory == RS_BUFFER_SCRATCH ? holdings->parts : 0;
  const size_t row = (size_t)holdings->parts + holdings->scratch_places;
  return holdings->sets + (rank * row + offset + slice->place + index) * holdings->words;
}

const uint64_t *rs_holdings_set(const struct rs_holdings *holdings, uint32_t rank, enum rs_buffer_id buffer,
                                uint32_t place) {
  const struct rs_slice slice = {buffer, place, 1};
  return set_at(holdings, rank, &slice, 0);
}

bool rs_holdings_overlap(const struct rs_holdings *holdings, const struct rs_slice *a, const struct rs_slice *b) {
  return memory_of(holdings, a->buffer) == memory_of(holdings, b->buffer) && a->place < (uint64_t)b->place + b->count &&
         b->place < (uint64_t)a->place + a->count;
}

enum rs_status rs_holdings_check_defined(const struct rs_holdings *holdings, uint32_t rank,
                                         const struct rs_slice *slice, struct rs_error *error) {
  for (uint32_t i = 0; i < slice->count; i++) {
    if (set_is_empty(set_at(holdings, rank, slice, i), holdings->words)) {
      return rs_error_set(error, RS_ERROR_MISMATCH, "reads %s[%u], which %s", rs_buffer_id_names[slice->buffer],
                          slice->place + i,
                          slice->buffer == RS_BUFFER_INPUT ? "the caller does not give" : "nothing has written");
    }
  }
  return RS_OK;
}

// target = base (+) added, for the reducing step's place `index`.
static enum rs_status reduce_part(const struct rs_holdings *holdings, const struct rs_step *step, uint32_t index,
                                  uint64_t *target, const uint64_t *base, const uint64_t *added,
                                  struct rs_error *error) {
  const char *buffer = rs_buffer_id_names[step->target.buffer];
  const uint32_t place = step->target.place + index, n = holdings->rank_count;
  const uint32_t twice = set_common(base, added, holdings->words, n);
  if (twice != n) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "counts rank %u twice in %s[%u]", twice, buffer, place);
  }
  for (size_t w = 0; w < holdings->words; w++) {
    target[w] = base[w] | added[w];
  }
  const uint32_t lacking = set_lacks(target, n);
  if (step->final && lacking != n) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "is marked final, but %s[%u] lacks rank %u", buffer, place, lacking);
  }
  if (!step->final && lacking == n) {
    return rs_error_set(error, RS_ERROR_MISMATCH, "completes %s[%u], but is not marked final", buffer, place);
  }
  return RS_OK;
}

enum rs_status rs_holdings_apply(struct rs_holdings *holdings, uint32_t rank, const struct rs_step *step,
                                 const struct rs_slice *sent, struct rs_error *error) {
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  const struct rs_slice *base = step->kind == RS_STEP_REDUCE ? &step->target : &step->source;
  if (traits->source && rs_holdings_check_defined(holdings, rank, &step->source, error) < 0) {
    return error->status;
  }
  if (step->kind == RS_STEP_REDUCE && rs_holdings_check_defined(holdings, rank, &step->target, error) < 0) {
    return error->status;
  }
  for (uint32_t i = 0; i < step->target.count; i++) {
    uint64_t *target = set_at(holdings, rank, &step->target, i);
    const uint64_t *added =
        traits->receives ? set_at(holdings, step->peer, sent, i) : set_at(holdings, rank, &step->source, i);
    if (!traits->reduces) {
      memmove(target, added, holdings->words * sizeof *target);
    } else if (reduce_part(holdings, step, i, target, set_at(holdings, rank, base, i), added, error) < 0) {
      return error->status;
    }
  }
  return RS_OK;
}

// MISMATCH unless the set is exactly what is asked for.
static enum rs_status check_source(const struct rs_holdings *holdings, const uint64_t *set, uint32_t source,
                                   struct rs_error *error) {
  for (uint32_t first = 0; first < holdings->rank_count; first += WORD_BITS) {
    const uint32_t count = holdings->rank_count - first;
    const uint64_t all = count < WORD_BITS ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    const uint64_t one = source - first < WORD_BITS ? UINT64_C(1) << (source - first) : 0;
    const uint64_t wrong = set[first / WORD_BITS] ^ (source == RS_EVERYONE ? all : one);
    if (wrong != 0) {
      const uint32_t rank = (uint32_t)__builtin_ctzll(wrong);
      const bool held = set[first / WORD_BITS] >> rank & 1;
      return rs_error_set(error, RS_ERROR_MISMATCH, "%s rank %u", held ? "should not have" : "lacks", first + rank);
    }
  }
  return RS_OK;
}

enum rs_status rs_holdings_check_result(const struct rs_holdings *holdings, uint32_t rank, struct rs_error *error) {
  for (uint32_t place = 0; place < holdings->parts; place++) {
    const struct rs_slice slice = {RS_BUFFER_OUTPUT, place, 1};
    const uint32_t source = rs_output_source(holdings->params, rank, place);
    if (source != RS_NOBODY && check_source(holdings, set_at(holdings, rank, &slice, 0), source, error) < 0) {
      rs_error_prefix(error, "at the end output[%u] of rank %u", place, rank);
      return error->status;
    }
  }
  return RS_OK;
}
