// Breaks every step of every algorithm in every way listed below, and expects the verifier to refuse each mutant:
// exhaustive over rank, round and step for n = 1 to 9. A verifier that misses one is no proof.
#include "ringside/collective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 9

// What is done to one step. The step is the `index`-th of a round that holds `count`. False when it does not apply to
// this step or changes nothing.
struct round_steps {
  const struct rs_schedule_params *params;
  uint32_t parts, index, count;
  struct rs_step *steps; // room for one more
};
typedef bool mutate(const struct round_steps *round, struct rs_step *step);

static bool has_peer(const struct rs_step *step) {
  return step->kind == RS_STEP_SEND || step->kind == RS_STEP_RECV || step->kind == RS_STEP_RECV_REDUCE;
}
static bool has_source(const struct rs_step *step) {
  return step->kind != RS_STEP_RECV;
}
static bool has_target(const struct rs_step *step) {
  return step->kind != RS_STEP_SEND;
}
static uint32_t next_part(const struct round_steps *round, uint32_t part) {
  return (part + 1) % round->parts;
}

static bool peer_next(const struct round_steps *round, struct rs_step *step) {
  step->peer = (step->peer + 1) % round->params->rank_count;
  return has_peer(step);
}
static bool peer_beyond(const struct round_steps *round, struct rs_step *step) {
  step->peer = round->params->rank_count;
  return has_peer(step);
}
static bool peers_swapped(const struct round_steps *round, struct rs_step *step) {
  struct rs_step *other = &round->steps[(round->index + 1) % round->count];
  const uint32_t peer = other->peer;
  if (!has_peer(step) || !has_peer(other) || peer == step->peer) {
    return false;
  }
  other->peer = step->peer;
  step->peer = peer;
  return true;
}
static bool wrong_part(const struct round_steps *round, struct rs_step *step) {
  if (has_source(step)) {
    step->source.place = next_part(round, step->source.place);
  }
  if (has_target(step)) {
    step->target.place = next_part(round, step->target.place);
  }
  return round->parts > 1;
}
static bool wrong_source_part(const struct round_steps *round, struct rs_step *step) {
  step->source.place = next_part(round, step->source.place);
  return round->parts > 1 && has_source(step) && has_target(step);
}
static bool part_beyond(const struct round_steps *round, struct rs_step *step) {
  *(has_target(step) ? &step->target.place : &step->source.place) = round->parts;
  return true;
}
static bool longer_run(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->source.count += has_source(step);
  step->target.count += has_target(step);
  return true;
}
static bool empty_run(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->source.count = step->target.count = 0;
  return true;
}
static bool stored_not_added(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV_REDUCE;
  *step = (struct rs_step){.kind = RS_STEP_RECV, .peer = step->peer, .target = step->target};
  return applies;
}
static bool added_to_output(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV;
  step->kind = RS_STEP_RECV_REDUCE;
  step->source = step->target;
  return applies;
}
static bool added_to_input(const struct round_steps *round, struct rs_step *step) {
  const bool applies = added_to_output(round, step);
  step->source.buffer = RS_BUFFER_INPUT;
  step->final = true;
  return applies;
}
static bool not_received(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_RECV_REDUCE;
  step->kind = RS_STEP_REDUCE;
  step->peer = 0;
  return applies;
}
static bool turned_round(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  const bool applies = step->kind == RS_STEP_SEND || step->kind == RS_STEP_RECV;
  const struct rs_slice source = step->source;
  step->source = step->target;
  step->target = source;
  step->kind = step->kind == RS_STEP_SEND ? RS_STEP_RECV : RS_STEP_SEND;
  return applies;
}
static bool final_flipped(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->final = !step->final;
  return true;
}
static bool reads_other_buffer(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->source.buffer = step->source.buffer == RS_BUFFER_INPUT ? RS_BUFFER_OUTPUT : RS_BUFFER_INPUT;
  return has_source(step);
}
static bool reads_scratch(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->source.buffer = RS_BUFFER_SCRATCH;
  return has_source(step);
}
static bool writes_input(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->target.buffer = RS_BUFFER_INPUT;
  return has_target(step);
}
static bool writes_scratch(const struct round_steps *round, struct rs_step *step) {
  (void)round;
  step->target.buffer = RS_BUFFER_SCRATCH;
  return has_target(step);
}

// What is done to a round: the step is taken out or done twice instead of changed.
enum act { CHANGE, DROP, DOUBLE, DELAY };

static const struct mutation {
  const char *name;
  mutate *change; // CHANGE only
  enum act act;
  bool both_ends; // the other end of the message is changed in the same way, so that the two still match
} mutations[] = {
    {"dropped", NULL, DROP, false},
    {"message dropped", NULL, DROP, true},
    {"doubled", NULL, DOUBLE, false},
    {"message doubled", NULL, DOUBLE, true},
    {"a round late", NULL, DELAY, false},
    {"next peer", peer_next, CHANGE, false},
    {"peer beyond the last", peer_beyond, CHANGE, false},
    {"peers swapped", peers_swapped, CHANGE, false},
    {"wrong part", wrong_part, CHANGE, false},
    {"message of the wrong part", wrong_part, CHANGE, true},
    {"wrong source part", wrong_source_part, CHANGE, false},
    {"part beyond the last", part_beyond, CHANGE, false},
    {"longer run", longer_run, CHANGE, false},
    {"empty run", empty_run, CHANGE, false},
    {"message of nothing", empty_run, CHANGE, true},
    {"stored, not added", stored_not_added, CHANGE, false},
    {"added to the output", added_to_output, CHANGE, false},
    {"added to the input", added_to_input, CHANGE, false},
    {"reduced, not received", not_received, CHANGE, false},
    {"send for receive", turned_round, CHANGE, false},
    {"final flipped", final_flipped, CHANGE, false},
    {"reads the other buffer", reads_other_buffer, CHANGE, false},
    {"reads scratch", reads_scratch, CHANGE, false},
    {"writes the input", writes_input, CHANGE, false},
    {"writes scratch", writes_scratch, CHANGE, false},
};

struct place {
  uint32_t rank, round, index;
};
// A builder gets nothing but the parameters, so the mutant under test lies here.
static struct {
  const struct rs_algorithm *original;
  const struct mutation *mutation;
  struct place places[2];
  size_t place_count;
  bool changed; // some step came out different
} mutant;

static uint32_t mutate_round(const struct rs_schedule_params *params, const struct place *place, struct rs_step *steps,
                             uint32_t count) {
  const struct round_steps round = {params, mutant.original->parts(params), place->index, count, steps};
  struct rs_step *step = &steps[place->index];
  switch (mutant.mutation->act) {
  case CHANGE: {
    struct rs_step before[RS_ROUND_STEPS_MAX];
    memcpy(before, steps, sizeof before);
    if (mutant.mutation->change(&round, step)) {
      mutant.changed = true;
    } else {
      memcpy(steps, before, sizeof before);
    }
    return count;
  }
  case DOUBLE:
    mutant.changed = true;
    steps[count] = *step;
    return count + 1;
  case DROP:
  case DELAY:
    mutant.changed = true;
    memmove(step, step + 1, (count - place->index - 1) * sizeof *step);
    return count - 1;
  }
  return count;
}

static uint32_t mutant_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  uint32_t count = mutant.original->round(params, rank, k, steps);
  for (size_t i = 0; i < mutant.place_count; i++) {
    const struct place *place = &mutant.places[i];
    if (place->rank == rank && place->round == k) {
      count = mutate_round(params, place, steps, count);
    } else if (mutant.mutation->act == DELAY && place->rank == rank && place->round + 1 == k) {
      struct rs_step earlier[RS_ROUND_STEPS_MAX];
      mutant.original->round(params, rank, place->round, earlier);
      steps[count++] = earlier[place->index];
    }
  }
  return count;
}

// The other end of a message; true if there is one. No algorithm here sends two messages one way in one round.
static bool other_end(const struct rs_schedule_params *params, const struct place *place, struct place *other) {
  struct rs_step mine[RS_ROUND_STEPS_MAX], theirs[RS_ROUND_STEPS_MAX];
  mutant.original->round(params, place->rank, place->round, mine);
  const struct rs_step *step = &mine[place->index];
  if (!has_peer(step)) {
    return false;
  }
  const uint32_t count = mutant.original->round(params, step->peer, place->round, theirs);
  for (uint32_t i = 0; i < count; i++) {
    if (has_peer(&theirs[i]) && theirs[i].peer == place->rank &&
        (theirs[i].kind == RS_STEP_SEND) != (step->kind == RS_STEP_SEND)) {
      *other = (struct place){step->peer, place->round, i};
      return true;
    }
  }
  return false;
}

// Verifies one mutant; false when the mutation does not apply there.
static bool check_mutant(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params) {
  const struct mutation *mutation = mutant.mutation;
  struct rs_algorithm mutated = *algorithm;
  mutated.round = mutant_round;
  mutant.place_count = 1;
  mutant.changed = false;
  if (mutation->both_ends) {
    if (!other_end(params, &mutant.places[0], &mutant.places[1])) {
      return false;
    }
    mutant.place_count = 2;
  }
  struct rs_proof proof;
  struct rs_error error = {0};
  const enum rs_status status = rs_verify(&mutated, params, &proof, &error);
  const struct place *place = &mutant.places[0];
  if (!mutant.changed) {
    assert_int_equal(status, RS_OK);
    return false;
  }
  if (status != RS_ERROR_MISMATCH) {
    fail_msg("%s on %u ranks passes with this step %s: rank %u, round %u, step %u", algorithm->name, params->rank_count,
             mutation->name, place->rank, place->round, place->index);
  }
  assert_non_null(strstr(error.text, algorithm->name));
  assert_non_null(strstr(error.text, "rank"));
  return true;
}

// All mutants of one algorithm on one number of ranks with one mutation; returns how many.
static size_t check_places(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params) {
  const uint32_t rounds = algorithm->rounds(params);
  size_t mutants = 0;
  for (uint32_t rank = 0; rank < params->rank_count; rank++) {
    for (uint32_t k = 0; k < rounds; k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = algorithm->round(params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        mutant.places[0] = (struct place){rank, k, i};
        mutants += check_mutant(algorithm, params);
      }
    }
  }
  return mutants;
}

static void test_every_mutant_is_refused(void **state) {
  (void)state;
  for (size_t m = 0; m < RS_ARRAY_LENGTH(mutations); m++) {
    size_t mutants = 0;
    mutant.mutation = &mutations[m];
    for (size_t a = 0; a < rs_algorithm_count; a++) {
      mutant.original = rs_algorithms[a];
      for (uint32_t n = 1; n <= RANKS_MAX; n++) {
        const struct rs_schedule_params params = {.collective = rs_algorithms[a]->collective, .rank_count = n};
        mutants += check_places(rs_algorithms[a], &params);
      }
    }
    print_message("%6zu mutants refused: %s\n", mutants, mutations[m].name);
    assert_true(mutants > 0); // a mutation that never applies tests nothing
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_mutant_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
