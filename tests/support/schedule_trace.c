#include "support/schedule_trace.h"

#include "collective/step.h"

#include <stdlib.h>

struct trace trace_of(enum rs_collective collective, const char *name, uint32_t rank_count, uint32_t root) {
  struct trace trace = {.algorithm = rs_algorithm_find(collective, name),
                        .params = {.collective = collective, .rank_count = rank_count, .root = root}};
  if (!trace.algorithm) {
    abort();
  }
  trace.parts = trace.algorithm->parts(&trace.params);
  trace.rounds = trace.algorithm->rounds(&trace.params);
  return trace;
}

uint64_t trace_input(uint32_t rank, uint32_t part) {
  return rs_hash64((uint64_t)rank << 32 | part) | 1;
}

uint64_t trace_sum(uint64_t a, uint64_t b) {
  const uint64_t low = a < b ? a : b, high = a < b ? b : a;
  return rs_hash64(rs_hash64(low) + high) | 1;
}

// ---- messages ---------------------------------------------------------------------------------------------

// What the peer of a receiving step sends: the i-th such send meets the i-th such receive.
static struct rs_slice sent_to(const struct trace *trace, uint32_t rank, uint32_t k, const struct rs_step *steps,
                               const struct rs_step *step) {
  struct rs_step theirs[RS_ROUND_STEPS_MAX];
  uint32_t ordinal = 0;
  for (const struct rs_step *earlier = steps; earlier < step; earlier++) {
    ordinal += rs_step_traits[earlier->kind].receives && earlier->peer == step->peer;
  }
  const uint32_t count = trace->algorithm->round(&trace->params, step->peer, k, theirs);
  for (uint32_t i = 0; i < count; i++) {
    if (theirs[i].kind == RS_STEP_SEND && theirs[i].peer == rank && ordinal-- == 0) {
      return theirs[i].source;
    }
  }
  abort(); // the verifier proves that there is one
}

size_t trace_messages(const struct trace *trace, uint32_t k, struct trace_message *messages) {
  size_t messages_count = 0;
  for (uint32_t rank = 0; rank < trace->params.rank_count; rank++) {
    struct rs_step steps[RS_ROUND_STEPS_MAX];
    const uint32_t count = trace->algorithm->round(&trace->params, rank, k, steps);
    for (uint32_t i = 0; i < count; i++) {
      if (rs_step_traits[steps[i].kind].receives) {
        messages[messages_count++] = (struct trace_message){.from = steps[i].peer,
                                                            .to = rank,
                                                            .adds = rs_step_traits[steps[i].kind].reduces,
                                                            .target = steps[i].target};
      }
    }
  }
  return messages_count;
}

void trace_picture(const struct trace *trace, struct rs_text *text) {
  struct trace_message *messages = calloc((size_t)trace->params.rank_count * RS_ROUND_STEPS_MAX, sizeof *messages);
  if (!messages) {
    abort();
  }
  for (uint32_t k = 0; k < trace->rounds; k++) {
    const size_t count = trace_messages(trace, k, messages);
    rs_text_append(text, k > 0 ? " |" : "");
    for (size_t i = 0; i < count; i++) {
      rs_text_append(text, "%s%u%s%u", k > 0 || i > 0 ? " " : "", messages[i].from, messages[i].adds ? "+>" : "->",
                     messages[i].to);
    }
  }
  free(messages);
}

// ---- values -----------------------------------------------------------------------------------------------

// Every rank's input, output and scratch, one behind the other.
struct memory {
  uint64_t *values;
  size_t parts, row; // of one rank: twice the parts, and scratch
};

static uint64_t *value_at(const struct memory *memory, uint32_t rank, const struct rs_slice *slice, uint32_t i) {
  return memory->values + rank * memory->row + (size_t)slice->buffer * memory->parts + slice->place + i;
}

static void run_step(const struct trace *trace, const struct memory *memory, uint32_t rank, uint32_t k,
                     const struct rs_step *steps, const struct rs_step *step) {
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  const struct rs_slice sent = traits->receives ? sent_to(trace, rank, k, steps, step) : (struct rs_slice){0};
  for (uint32_t i = 0; i < step->target.count; i++) {
    const uint64_t source = traits->source ? *value_at(memory, rank, &step->source, i) : 0;
    const uint64_t added = traits->receives ? *value_at(memory, step->peer, &sent, i) : source;
    uint64_t *target = value_at(memory, rank, &step->target, i);
    const uint64_t base = step->kind == RS_STEP_REDUCE ? *target : source;
    *target = traits->reduces ? trace_sum(base, added) : added;
  }
}

uint64_t *trace_run(const struct trace *trace) {
  const uint32_t n = trace->params.rank_count, parts = trace->parts;
  const uint32_t scratch = trace->algorithm->scratch_places ? trace->algorithm->scratch_places(&trace->params) : 0;
  const struct memory memory = {calloc((size_t)n * (2 * (size_t)parts + scratch), sizeof(uint64_t)), parts,
                                2 * (size_t)parts + scratch};
  uint64_t *outputs = calloc((size_t)n * parts, sizeof *outputs);
  if (!memory.values || !outputs) {
    abort();
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t place = 0; place < parts; place++) {
      if (rs_input_given(&trace->params, rank, place)) {
        memory.values[rank * memory.row + place] = trace_input(rank, place);
      }
    }
  }
  for (uint32_t k = 0; k < trace->rounds; k++) { // no step of a round disturbs another, so ranks can go one by one
    for (uint32_t rank = 0; rank < n; rank++) {
      struct rs_step steps[RS_ROUND_STEPS_MAX];
      const uint32_t count = trace->algorithm->round(&trace->params, rank, k, steps);
      for (uint32_t i = 0; i < count; i++) {
        run_step(trace, &memory, rank, k, steps, &steps[i]);
      }
    }
  }
  for (uint32_t rank = 0; rank < n; rank++) {
    for (uint32_t place = 0; place < parts; place++) {
      outputs[(size_t)rank * parts + place] = memory.values[rank * memory.row + parts + place];
    }
  }
  free(memory.values);
  return outputs;
}
