// Breaks every step of every algorithm in every way of schedule_mutations.c, and expects the verifier to refuse each
// mutant: a verifier that misses one is no proof. For n = 1 to 4 every variant, rank, round and step; above, one
// variant and some of the steps, drawn from a seed that is printed.
//
// The formula for the parts sent would refuse many a mutant by itself, so a count replaces it. Then two mutants are
// harmless, and only the formula can refuse them: a dropped message that brought what its receiver had already
// (schedule_sets.c, which knows nothing of the verifier, says which), and a doubled message that is added to what lies
// elsewhere, so that the sum is taken anew.
#include "collective/step.h"
#include "support/schedule_mutations.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_EXHAUSTIVE 4
#define RANKS_MAX 9
#define DRAWN_MUTANTS 40 // per algorithm, mutation and number of ranks, or so

struct site {
  uint32_t rank, round, index;
};
// A builder gets nothing but the parameters, so the mutant under test lies here.
static struct {
  const struct rs_algorithm *original;
  const struct schedule_sets *sets;
  const struct mutation *mutation;
  struct site sites[2];
  size_t site_count;
  bool changed; // some step came out different
} mutant;

static bool is_message(const struct rs_step *step) {
  return step->kind == RS_STEP_SEND || step->kind == RS_STEP_RECV || step->kind == RS_STEP_RECV_REDUCE;
}

static uint32_t mutate_round(const struct site *site, struct rs_step *steps, uint32_t count) {
  const struct mutated_round round = {mutant.sets, site->rank, site->round, site->index, count, steps};
  struct rs_step *step = &steps[site->index];
  switch (mutant.mutation->act) {
  case CHANGE: {
    struct rs_step before[RS_ROUND_STEPS_MAX];
    memcpy(before, steps, count * sizeof *steps);
    if (mutant.mutation->change(&round, step)) {
      mutant.changed = true;
    } else {
      memcpy(steps, before, count * sizeof *steps);
    }
    return count;
  }
  case DOUBLE:
    mutant.changed = true;
    steps[count] = *step;
    return count + 1;
  case SWAP: {
    const struct site *other = &mutant.sites[site == mutant.sites];
    struct rs_step others[RS_ROUND_STEPS_MAX];
    mutant.original->round(mutant.sets->params, other->rank, other->round, others);
    *step = others[other->index];
    mutant.changed = true;
    return count;
  }
  case DROP:
  case DELAY: // a local step may well be done later
    if (mutant.mutation->act == DELAY && !is_message(step)) {
      return count;
    }
    mutant.changed = true;
    memmove(step, step + 1, (count - site->index - 1) * sizeof *step);
    return count - 1;
  }
  return count;
}

static uint32_t mutant_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  struct rs_step mutated[RS_ROUND_STEPS_MAX + 1]; // what is doubled or late may be one too many
  uint32_t count = mutant.original->round(params, rank, k, mutated);
  for (size_t i = 0; i < mutant.site_count; i++) {
    const struct site *site = &mutant.sites[i];
    if (site->rank == rank && site->round == k) {
      count = mutate_round(site, mutated, count);
    } else if (mutant.mutation->act == DELAY && site->rank == rank && site->round + 1 == k) {
      struct rs_step earlier[RS_ROUND_STEPS_MAX];
      mutant.original->round(params, rank, site->round, earlier);
      if (is_message(&earlier[site->index])) {
        mutated[count++] = earlier[site->index];
      }
    }
  }
  memcpy(steps, mutated, (count < RS_ROUND_STEPS_MAX ? count : RS_ROUND_STEPS_MAX) * sizeof *steps);
  return count;
}

static uint64_t count_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const uint32_t rounds = mutant.original->rounds(params);
  uint64_t sent = 0;
  for (uint32_t k = 0; k < rounds; k++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    const uint32_t count = mutant_round(params, rank, k, steps);
    for (uint32_t i = 0; i < count && i < RS_ROUND_STEPS_MAX; i++) {
      sent += steps[i].kind == RS_STEP_SEND ? steps[i].source.count : 0;
    }
  }
  return sent;
}

// True if this message may be dropped, or sent twice, and the result is the same.
static bool is_harmless(const struct site *site) {
  const struct schedule_sets *sets = mutant.sets;
  struct rs_step steps[RS_ROUND_STEPS_MAX], other = {0};
  mutant.original->round(sets->params, site->rank, site->round, steps);
  const struct rs_step *step = &steps[site->index];
  schedule_other_end(mutant.original, sets->params, site->rank, site->round, site->index, &other);
  const bool sends = step->kind == RS_STEP_SEND;
  const struct rs_step *from = sends ? step : &other, *to = sends ? &other : step;
  const uint32_t sender = sends ? site->rank : step->peer, receiver = sends ? step->peer : site->rank;
  if (mutant.mutation->act == DOUBLE) {
    return to->kind == RS_STEP_RECV_REDUCE && memcmp(&to->source, &to->target, sizeof to->source) != 0;
  }
  bool held = to->kind == RS_STEP_RECV && mutant.mutation->act == DROP;
  for (uint32_t i = 0; held && i < from->source.count; i++) {
    held = schedule_sets_at(sets, site->round, sender, from->source.buffer, from->source.place + i) ==
           schedule_sets_at(sets, site->round, receiver, to->target.buffer, to->target.place + i);
  }
  return held;
}

static const char *describe(const struct site *site, char text[RS_STEP_FORMAT_BYTES]) {
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  mutant.original->round(mutant.sets->params, site->rank, site->round, steps);
  return rs_step_format(&steps[site->index], text, RS_STEP_FORMAT_BYTES);
}

// The other place that the mutation of this one changes; false when there is none.
static bool find_other_site(const struct site *site, struct site *other) {
  const struct rs_schedule_params *params = mutant.sets->params;
  struct rs_step steps[RS_ROUND_STEPS_MAX], theirs;
  mutant.original->round(params, site->rank, site->round, steps);
  const struct rs_step step = steps[site->index];
  if (!is_message(&step)) {
    return false;
  }
  if (mutant.mutation->both_ends) {
    const uint32_t index = schedule_other_end(mutant.original, params, site->rank, site->round, site->index, &theirs);
    *other = (struct site){step.peer, site->round, index};
    return true;
  }
  const uint32_t rounds = mutant.original->rounds(params);
  for (uint32_t k = site->round + 1; k < rounds; k++) {
    const uint32_t count = mutant.original->round(params, site->rank, k, steps);
    for (uint32_t i = 0; i < count; i++) {
      if (is_message(&steps[i])) {
        *other = (struct site){site->rank, k, i};
        return !mutation_same_load(mutant.sets, site->rank, &step, &steps[i]);
      }
    }
  }
  return false;
}

// Verifies one mutant; false when the mutation does not apply there.
static bool check_mutant(const struct site *site, const char *variant) {
  const struct rs_schedule_params *params = mutant.sets->params;
  struct rs_algorithm mutated = *mutant.original;
  mutated.round = mutant_round;
  mutated.sent_parts = count_sent_parts;
  mutant.sites[0] = *site;
  mutant.site_count = 1;
  mutant.changed = false;
  if (mutant.mutation->both_ends || mutant.mutation->act == SWAP) {
    if (!find_other_site(site, &mutant.sites[1])) {
      return false;
    }
    mutant.site_count = 2;
  }
  struct rs_proof proof;
  struct rs_error error = {0};
  enum rs_status status = rs_verify(&mutated, params, &proof, &error);
  if (!mutant.changed) {
    assert_int_equal(status, RS_OK);
    return false;
  }
  if (status == RS_OK && mutant.mutation->both_ends && is_harmless(site)) {
    mutated.sent_parts = mutant.original->sent_parts;
    status = rs_verify(&mutated, params, &proof, &error);
  }
  if (status != RS_ERROR_MISMATCH) {
    char text[RS_STEP_FORMAT_BYTES];
    fail_msg("%s %s on %u ranks%s passes with this step %s: rank %u, round %u, %s", mutant.original->name,
             rs_collective_names[params->collective], params->rank_count, variant, mutant.mutation->name, site->rank,
             site->round, describe(site, text));
  }
  assert_non_null(strstr(error.text, mutant.original->name));
  assert_non_null(strstr(error.text, "rank"));
  return true;
}

// Every step of a schedule, or some of them; returns how many. An array for free().
static size_t list_sites(const struct rs_schedule_params *params, struct site **sites) {
  const uint32_t rounds = mutant.original->rounds(params);
  size_t count = 0;
  *sites = calloc((size_t)params->rank_count * rounds * RS_ROUND_STEPS_MAX + 1, sizeof **sites);
  assert_non_null(*sites);
  for (uint32_t rank = 0; rank < params->rank_count; rank++) {
    for (uint32_t k = 0; k < rounds; k++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t step_count = mutant.original->round(params, rank, k, steps);
      for (uint32_t i = 0; i < step_count; i++) {
        (*sites)[count++] = (struct site){rank, k, i};
      }
    }
  }
  return count;
}

// All mutations of one schedule; counts[m] goes up by the mutants of mutation m.
static void check_schedule(uint32_t rank_count, uint32_t variant, struct rs_random *random, size_t *counts) {
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  const struct rs_schedule_params params = rs_variant(mutant.original, rank_count, variant, array, description);
  struct schedule_sets sets;
  struct site *sites;
  const size_t site_count = list_sites(&params, &sites);
  const bool all = rank_count <= RANKS_EXHAUSTIVE || site_count <= DRAWN_MUTANTS;
  schedule_sets_init(&sets, mutant.original, &params);
  mutant.sets = &sets;
  for (size_t m = 0; m < mutation_count; m++) {
    mutant.mutation = &mutations[m];
    for (size_t i = 0; i < (all ? site_count : DRAWN_MUTANTS); i++) {
      counts[m] += check_mutant(&sites[all ? i : rs_random_below(random, site_count)], description);
    }
  }
  schedule_sets_fini(&sets);
  free(sites);
}

static void check_algorithm(const struct rs_algorithm *algorithm, struct rs_random *random, size_t *totals) {
  size_t *counts = calloc(mutation_count, sizeof *counts);
  assert_non_null(counts);
  mutant.original = algorithm;
  for (uint32_t n = 1; n <= RANKS_MAX; n++) {
    const uint32_t variants = rs_variant_count(algorithm, n);
    if (n > RANKS_EXHAUSTIVE) {
      check_schedule(n, (uint32_t)rs_random_below(random, variants), random, counts);
    }
    for (uint32_t variant = 0; n <= RANKS_EXHAUSTIVE && variant < variants; variant++) {
      check_schedule(n, variant, random, counts);
    }
  }
  for (size_t m = 0; m < mutation_count; m++) {
    if (mutations[m].everywhere && counts[m] == 0) {
      fail_msg("no step of %s %s could be tried: %s", algorithm->name, rs_collective_names[algorithm->collective],
               mutations[m].name);
    }
    totals[m] += counts[m];
  }
  free(counts);
}

static void test_every_mutant_is_refused(void **state) {
  (void)state;
  const uint64_t seed = 4;
  struct rs_random random = {seed};
  size_t *totals = calloc(mutation_count, sizeof *totals);
  assert_non_null(totals);
  print_message("seed %" PRIu64 "\n", seed);
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    check_algorithm(rs_algorithms[a], &random, totals);
  }
  for (size_t m = 0; m < mutation_count; m++) {
    print_message("%6zu mutants refused: %s\n", totals[m], mutations[m].name);
  }
  free(totals);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_mutant_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
