#include "support/schedule_sets.h"

#include <stdlib.h>
#include <string.h>

static bool is_send(const struct rs_step *step) {
  return step->kind == RS_STEP_SEND;
}

static bool is_message(const struct rs_step *step) {
  return is_send(step) || step->kind == RS_STEP_RECV || step->kind == RS_STEP_RECV_REDUCE;
}

uint32_t schedule_other_end(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                            uint32_t rank, uint32_t round, uint32_t index, struct rs_step *theirs) {
  struct rs_step mine[RS_ROUND_STEPS_MAX], others[RS_ROUND_STEPS_MAX];
  algorithm->round(params, rank, round, mine);
  const struct rs_step *step = &mine[index];
  uint32_t earlier = 0;
  for (uint32_t i = 0; i < index; i++) {
    earlier += is_message(&mine[i]) && mine[i].peer == step->peer && is_send(&mine[i]) == is_send(step);
  }
  const uint32_t count = algorithm->round(params, step->peer, round, others);
  for (uint32_t i = 0; i < count; i++) {
    if (is_message(&others[i]) && others[i].peer == rank && is_send(&others[i]) != is_send(step) && earlier-- == 0) {
      *theirs = others[i];
      return i;
    }
  }
  return RS_ROUND_STEPS_MAX;
}

static uint16_t *set_at(const struct schedule_sets *sets, uint32_t round, uint32_t rank, enum rs_buffer_id buffer,
                        uint32_t place) {
  size_t index = ((size_t)round * sets->params->rank_count + rank) * sets->row + place;
  for (enum rs_buffer_id before = 0; before < buffer; before++) {
    index += sets->places[before];
  }
  return &sets->sets[index];
}

uint16_t schedule_sets_at(const struct schedule_sets *sets, uint32_t round, uint32_t rank, enum rs_buffer_id buffer,
                          uint32_t place) {
  return *set_at(sets, round, rank, buffer, place);
}

static uint16_t *slice_at(const struct schedule_sets *sets, uint32_t round, uint32_t rank, const struct rs_slice *slice,
                          uint32_t index) {
  return set_at(sets, round, rank, slice->buffer, slice->place + index);
}

// One step's effect on what its rank holds after round k. What it reads of its own stands there already: nothing in
// the round has changed it, or an earlier RECV_REDUCE into the same slice has, as it should.
static void apply(const struct schedule_sets *sets, uint32_t k, uint32_t rank, uint32_t index,
                  const struct rs_step *step) {
  struct rs_step sent = {0};
  if (is_message(step)) {
    schedule_other_end(sets->algorithm, sets->params, rank, k, index, &sent);
  }
  for (uint32_t i = 0; i < step->target.count; i++) {
    uint16_t *target = slice_at(sets, k + 1, rank, &step->target, i);
    switch (step->kind) {
    case RS_STEP_SEND:
      break;
    case RS_STEP_RECV:
      *target = *slice_at(sets, k, step->peer, &sent.source, i);
      break;
    case RS_STEP_RECV_REDUCE:
      *target = *slice_at(sets, k + 1, rank, &step->source, i) | *slice_at(sets, k, step->peer, &sent.source, i);
      break;
    case RS_STEP_REDUCE:
      *target |= *slice_at(sets, k + 1, rank, &step->source, i);
      break;
    case RS_STEP_COPY:
      *target = *slice_at(sets, k + 1, rank, &step->source, i);
      break;
    }
  }
}

void schedule_sets_init(struct schedule_sets *sets, const struct rs_algorithm *algorithm,
                        const struct rs_schedule_params *params) {
  const uint32_t n = params->rank_count, parts = algorithm->parts(params), rounds = algorithm->rounds(params);
  const uint32_t scratch = algorithm->scratch_places ? algorithm->scratch_places(params) : 0;
  *sets = (struct schedule_sets){
      .algorithm = algorithm, .params = params, .places = {parts, parts, scratch}, .row = 2 * parts + scratch};
  const size_t round_sets = (size_t)n * sets->row;
  sets->sets = calloc(((size_t)rounds + 1) * round_sets, sizeof *sets->sets);
  if (!sets->sets || n > SCHEDULE_SETS_RANKS_MAX) {
    abort();
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t place = 0; place < parts; place++) {
      *set_at(sets, 0, rank, RS_BUFFER_INPUT, place) =
          (uint16_t)(rs_input_given(params, rank, place) ? UINT16_C(1) << rank : 0);
    }
  }
  for (uint32_t k = 0; k < rounds; k++) {
    memcpy(sets->sets + (k + 1) * round_sets, sets->sets + k * round_sets, round_sets * sizeof *sets->sets);
    for (uint32_t rank = 0; rank < n; rank++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = algorithm->round(params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        apply(sets, k, rank, i, &steps[i]);
      }
    }
  }
}

void schedule_sets_fini(struct schedule_sets *sets) {
  free(sets->sets);
}
