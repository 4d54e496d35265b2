#include "collective/step.h"

const struct rs_step_traits rs_step_traits[RS_STEP_KIND_COUNT] = {
    [RS_STEP_SEND] = {.name = "send", .sends = true, .source = true},
    [RS_STEP_RECV] = {.name = "recv", .receives = true, .target = true},
    [RS_STEP_RECV_REDUCE] = {.name = "recv_reduce", .receives = true, .source = true, .target = true, .reduces = true},
    [RS_STEP_REDUCE] = {.name = "reduce", .source = true, .target = true, .reduces = true},
    [RS_STEP_COPY] = {.name = "copy", .source = true, .target = true},
};

const char *const rs_buffer_id_names[RS_BUFFER_ID_COUNT] = {
    [RS_BUFFER_INPUT] = "input",
    [RS_BUFFER_OUTPUT] = "output",
    [RS_BUFFER_SCRATCH] = "scratch",
};

const char *rs_slice_format(const struct rs_slice *slice, char *buffer, size_t buffer_bytes) {
  const char *name = rs_buffer_id_names[slice->buffer];
  if (slice->count == 1) {
    snprintf(buffer, buffer_bytes, "%s[%u]", name, slice->place);
  } else {
    snprintf(buffer, buffer_bytes, "%s[%u..%u]", name, slice->place, slice->place + slice->count - 1);
  }
  return buffer;
}

const char *rs_step_format(const struct rs_step *step, char *buffer, size_t buffer_bytes) {
  char source[40], target[40];
  rs_slice_format(&step->source, source, sizeof source);
  rs_slice_format(&step->target, target, sizeof target);
  const char *final = step->final ? ", final" : "";
  switch (step->kind) {
  case RS_STEP_SEND:
    snprintf(buffer, buffer_bytes, "send %s -> %u%s", source, step->peer, final);
    break;
  case RS_STEP_RECV:
    snprintf(buffer, buffer_bytes, "recv %s <- %u%s", target, step->peer, final);
    break;
  case RS_STEP_RECV_REDUCE:
    snprintf(buffer, buffer_bytes, "recv_reduce %s = %s (+) <- %u%s", target, source, step->peer, final);
    break;
  case RS_STEP_REDUCE:
    snprintf(buffer, buffer_bytes, "reduce %s = %s (+) %s%s", target, target, source, final);
    break;
  case RS_STEP_COPY:
    snprintf(buffer, buffer_bytes, "copy %s = %s%s", target, source, final);
    break;
  }
  return buffer;
}

uint32_t rs_step_keep_input(struct rs_step *steps) {
  steps[0] =
      (struct rs_step){.kind = RS_STEP_COPY, .source = {RS_BUFFER_INPUT, 0, 1}, .target = {RS_BUFFER_OUTPUT, 0, 1}};
  return 1;
}

uint32_t rs_log2_up(uint32_t n) {
  return n == 1 ? 0 : 32 - (uint32_t)__builtin_clz(n - 1);
}

uint32_t rs_position_of(const struct rs_schedule_params *params, uint32_t rank) {
  return rank >= params->root ? rank - params->root : params->rank_count - (params->root - rank);
}

uint32_t rs_rank_at(const struct rs_schedule_params *params, uint32_t position) {
  const uint32_t before_wrap = params->rank_count - params->root;
  return position < before_wrap ? params->root + position : position - before_wrap;
}
