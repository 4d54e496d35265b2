#include "support/schedule_script.h"

// A builder gets nothing but the parameters, so the script under test lies here.
static const struct script *played;

static uint32_t parts(const struct rs_schedule_params *params) {
  (void)params;
  return played->parts;
}

static uint32_t scratch_places(const struct rs_schedule_params *params) {
  (void)params;
  return played->scratch_places;
}

static uint32_t scratch_part(const struct rs_schedule_params *params, uint32_t rank, uint32_t q) {
  (void)params;
  (void)rank;
  return played->scratch_parts[q];
}

static uint32_t rounds(const struct rs_schedule_params *params) {
  (void)params;
  return played->rounds;
}

static uint32_t round_steps(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                            struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  (void)params;
  uint32_t count = 0;
  for (uint32_t i = 0; i < played->line_count; i++) {
    const struct script_line *line = &played->lines[i];
    if (line->rank == rank && line->round == k && count++ < RS_ROUND_STEPS_MAX) {
      steps[count - 1] = line->step;
    }
  }
  return count;
}

static uint64_t sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)params;
  uint64_t sent = played->wrong_formula;
  for (uint32_t i = 0; i < played->line_count; i++) {
    const struct script_line *line = &played->lines[i];
    sent += line->rank == rank && line->step.kind == RS_STEP_SEND ? line->step.source.count : 0;
  }
  return sent;
}

struct rs_algorithm script_algorithm(const struct script *script) {
  played = script;
  return (struct rs_algorithm){
      .name = "scripted",
      .collective = script->collective,
      .parts = parts,
      .scratch_places = scratch_places,
      .scratch_part = script->scratch_parts ? scratch_part : NULL,
      .rounds = rounds,
      .round = round_steps,
      .sent_parts = sent_parts,
  };
}

struct rs_schedule_params script_params(const struct script *script) {
  return (struct rs_schedule_params){.collective = script->collective,
                                     .rank_count = script->rank_count,
                                     .root = script->root,
                                     .partners = script->partners};
}

enum rs_status script_verify(const struct script *script, struct rs_error *error) {
  const struct rs_algorithm algorithm = script_algorithm(script);
  const struct rs_schedule_params params = script_params(script);
  struct rs_proof proof;
  *error = (struct rs_error){0};
  return rs_verify(&algorithm, &params, &proof, error);
}
