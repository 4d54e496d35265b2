#include "support/schedule_mutations.h"

static bool is_message(const struct rs_step *step) {
  return step->kind == RS_STEP_SEND || step->kind == RS_STEP_RECV || step->kind == RS_STEP_RECV_REDUCE;
}
static bool has_source(const struct rs_step *step) {
  return step->kind != RS_STEP_RECV;
}
static bool has_target(const struct rs_step *step) {
  return step->kind != RS_STEP_SEND;
}

static bool same_parts(const struct schedule_sets *sets, uint32_t rank, const struct rs_slice *a,
                       const struct rs_slice *b) {
  bool same = a->count == b->count;
  for (uint32_t i = 0; same && i < a->count; i++) {
    same = rs_place_part(sets->algorithm, sets->params, rank, a->buffer, a->place + i) ==
           rs_place_part(sets->algorithm, sets->params, rank, b->buffer, b->place + i);
  }
  return same;
}
bool mutation_same_load(const struct schedule_sets *sets, uint32_t rank, const struct rs_step *a,
                        const struct rs_step *b) {
  const bool sends = a->kind == RS_STEP_SEND;
  return sends == (b->kind == RS_STEP_SEND) &&
         same_parts(sets, rank, sends ? &a->source : &a->target, sends ? &b->source : &b->target);
}
// True if the two slices of this rank hold the same at the start of the round: reading one for the other is harmless.
static bool same_data(const struct mutated_round *round, const struct rs_slice *a, const struct rs_slice *b) {
  const uint32_t *places = round->sets->places;
  bool same = a->place + a->count <= places[a->buffer] && b->place + b->count <= places[b->buffer] &&
              same_parts(round->sets, round->rank, a, b);
  for (uint32_t i = 0; same && i < a->count; i++) {
    same = schedule_sets_at(round->sets, round->k, round->rank, a->buffer, a->place + i) ==
           schedule_sets_at(round->sets, round->k, round->rank, b->buffer, b->place + i);
  }
  return same;
}
// The source moved to another place; false if that changes nothing.
static bool read_elsewhere(const struct mutated_round *round, struct rs_step *step, struct rs_slice elsewhere) {
  const struct rs_slice right = step->source;
  step->source = elsewhere;
  return !same_data(round, &right, &elsewhere);
}
static struct rs_slice next_place(const struct mutated_round *round, struct rs_slice slice) {
  const uint32_t places = round->sets->places[slice.buffer];
  slice.place = places ? (slice.place + 1) % places : 0;
  return slice;
}
static struct rs_slice in_buffer(struct rs_slice slice, enum rs_buffer_id buffer) {
  slice.buffer = buffer;
  return slice;
}

static bool peer_next(const struct mutated_round *round, struct rs_step *step) {
  step->peer = (step->peer + 1) % round->sets->params->rank_count;
  return is_message(step);
}
static bool peer_beyond(const struct mutated_round *round, struct rs_step *step) {
  step->peer = round->sets->params->rank_count;
  return is_message(step);
}
static bool peers_swapped(const struct mutated_round *round, struct rs_step *step) {
  struct rs_step *other = &round->steps[(round->index + 1) % round->count];
  const uint32_t peer = other->peer;
  if (!is_message(step) || !is_message(other) || peer == step->peer ||
      mutation_same_load(round->sets, round->rank, step, other)) {
    return false;
  }
  other->peer = step->peer;
  step->peer = peer;
  return true;
}
static bool wrong_place(const struct mutated_round *round, struct rs_step *step) {
  const struct rs_step right = *step;
  if (has_source(step)) {
    step->source = next_place(round, step->source);
  }
  if (has_target(step)) {
    step->target = next_place(round, step->target);
    return step->target.place != right.target.place;
  }
  return !same_data(round, &step->source, &right.source);
}
static bool wrong_source(const struct mutated_round *round, struct rs_step *step) {
  return has_source(step) && read_elsewhere(round, step, next_place(round, step->source));
}
static bool wrong_target(const struct mutated_round *round, struct rs_step *step) {
  const uint32_t right = step->target.place;
  step->target = next_place(round, step->target);
  return has_target(step) && step->target.place != right;
}
static bool place_beyond(const struct mutated_round *round, struct rs_step *step) {
  struct rs_slice *slice = has_target(step) ? &step->target : &step->source;
  slice->place = round->sets->places[slice->buffer];
  return true;
}
static bool longer_run(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  (has_target(step) ? &step->target : &step->source)->count++;
  return true;
}
static bool empty_run(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  step->source.count = step->target.count = 0;
  return true;
}
static bool stored_not_added(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV_REDUCE;
  *step = (struct rs_step){.kind = RS_STEP_RECV, .peer = step->peer, .target = step->target};
  return applies;
}
static bool copied_not_added(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_REDUCE;
  *step = (struct rs_step){.kind = RS_STEP_COPY, .source = step->source, .target = step->target};
  return applies;
}
static bool added_not_copied(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_COPY;
  step->kind = RS_STEP_REDUCE;
  return applies;
}
static bool added_to_target(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV;
  step->kind = RS_STEP_RECV_REDUCE;
  step->source = step->target;
  return applies;
}
static bool added_to_input(const struct mutated_round *round, struct rs_step *step) {
  const bool applies = added_to_target(round, step);
  step->source.buffer = RS_BUFFER_INPUT;
  step->final = true;
  return applies;
}
static bool not_received(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV_REDUCE;
  step->kind = RS_STEP_REDUCE;
  step->peer = 0;
  return applies;
}
static bool turned_round(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_SEND || step->kind == RS_STEP_RECV;
  const struct rs_slice source = step->source;
  step->source = step->target;
  step->target = source;
  step->kind = step->kind == RS_STEP_SEND ? RS_STEP_RECV : RS_STEP_SEND;
  return applies;
}
static bool final_flipped(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  step->final = !step->final;
  return true;
}
static bool reads_input(const struct mutated_round *round, struct rs_step *step) {
  return has_source(step) && read_elsewhere(round, step, in_buffer(step->source, RS_BUFFER_INPUT));
}
static bool reads_output(const struct mutated_round *round, struct rs_step *step) {
  return has_source(step) && read_elsewhere(round, step, in_buffer(step->source, RS_BUFFER_OUTPUT));
}
static bool reads_scratch(const struct mutated_round *round, struct rs_step *step) {
  return has_source(step) && read_elsewhere(round, step, in_buffer(step->source, RS_BUFFER_SCRATCH));
}
static bool writes_other(struct rs_step *step, enum rs_buffer_id buffer) {
  const bool applies = has_target(step) && step->target.buffer != buffer;
  step->target.buffer = buffer;
  return applies;
}
static bool writes_input(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  return writes_other(step, RS_BUFFER_INPUT);
}
static bool writes_output(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  return writes_other(step, RS_BUFFER_OUTPUT);
}
static bool writes_scratch(const struct mutated_round *round, struct rs_step *step) {
  (void)round;
  return writes_other(step, RS_BUFFER_SCRATCH);
}

const struct mutation mutations[] = {
    {"dropped", NULL, DROP, false, true},
    {"message dropped", NULL, DROP, true, true},
    {"doubled", NULL, DOUBLE, false, true},
    {"message doubled", NULL, DOUBLE, true, true},
    {"a round late", NULL, DELAY, false, true},
    {"swapped with a later message", NULL, SWAP, false, false},
    {"next peer", peer_next, CHANGE, false, true},
    {"peer beyond the last", peer_beyond, CHANGE, false, true},
    {"peers swapped", peers_swapped, CHANGE, false, false},
    {"wrong place", wrong_place, CHANGE, false, false},
    {"message of the wrong place", wrong_place, CHANGE, true, false},
    {"wrong source", wrong_source, CHANGE, false, false},
    {"wrong target", wrong_target, CHANGE, false, false},
    {"place beyond the last", place_beyond, CHANGE, false, true},
    {"longer run", longer_run, CHANGE, false, true},
    {"empty run", empty_run, CHANGE, false, true},
    {"message of nothing", empty_run, CHANGE, true, true},
    {"stored, not added", stored_not_added, CHANGE, false, false},
    {"copied, not added", copied_not_added, CHANGE, false, false},
    {"added, not copied", added_not_copied, CHANGE, false, false},
    {"added to the target", added_to_target, CHANGE, false, false},
    {"added to the input", added_to_input, CHANGE, false, false},
    {"reduced, not received", not_received, CHANGE, false, false},
    {"send for receive", turned_round, CHANGE, false, true},
    {"final flipped", final_flipped, CHANGE, false, true},
    {"reads the input", reads_input, CHANGE, false, false},
    {"reads the output", reads_output, CHANGE, false, false},
    {"reads scratch", reads_scratch, CHANGE, false, false},
    {"writes the input", writes_input, CHANGE, false, false},
    {"writes the output", writes_output, CHANGE, false, false},
    {"writes scratch", writes_scratch, CHANGE, false, false},
};
const size_t mutation_count = RS_ARRAY_LENGTH(mutations);
