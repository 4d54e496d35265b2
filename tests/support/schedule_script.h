// Hand-made schedules: an algorithm whose steps are listed line by line, and shorthands for the steps.
#ifndef RINGSIDE_TESTS_SCHEDULE_SCRIPT_H
#define RINGSIDE_TESTS_SCHEDULE_SCRIPT_H

#include "ringside/collective.h"

struct script_line {
  uint32_t rank, round;
  struct rs_step step;
};
struct script {
  enum rs_collective collective;
  uint32_t rank_count, root;
  const uint32_t *partners;
  uint32_t parts, scratch_places, rounds;
  const uint32_t *scratch_parts; // what scratch place q of every rank holds; NULL: q mod parts
  uint32_t line_count;
  const struct script_line *lines;
  bool wrong_formula; // sent_parts says one too many
};
#define SCRIPT_LINES(array) .line_count = RS_ARRAY_LENGTH(array), .lines = (array)

// The algorithm of the script that was given last: one at a time.
struct rs_algorithm script_algorithm(const struct script *script);
struct rs_schedule_params script_params(const struct script *script);
// rs_verify of a script.
enum rs_status script_verify(const struct script *script, struct rs_error *error);

// Steps. A slice is {RS_BUFFER_..., place, count}; these are the shortest ones.
#define SCRIPT_IN(place)                                                                                               \
  { RS_BUFFER_INPUT, (place), 1 }
#define SCRIPT_OUT(place)                                                                                              \
  { RS_BUFFER_OUTPUT, (place), 1 }
#define SCRIPT_TMP(place)                                                                                              \
  { RS_BUFFER_SCRATCH, (place), 1 }
#define SCRIPT_SEND(to, ...)                                                                                           \
  { .kind = RS_STEP_SEND, .peer = (to), .source = __VA_ARGS__ }
#define SCRIPT_RECV(from, ...)                                                                                         \
  { .kind = RS_STEP_RECV, .peer = (from), .target = __VA_ARGS__ }
#define SCRIPT_ADD_RECV(from, ...)                                                                                     \
  { .kind = RS_STEP_RECV_REDUCE, .peer = (from), __VA_ARGS__ }
#define SCRIPT_REDUCE(...)                                                                                             \
  { .kind = RS_STEP_REDUCE, __VA_ARGS__ }
#define SCRIPT_COPY(...)                                                                                               \
  { .kind = RS_STEP_COPY, __VA_ARGS__ }

#endif
