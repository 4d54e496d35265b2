// The schedule as people read it. Contributor sets, as the verifier keeps them, say whose data every message carries.
#include "collective/holdings.h"
#include "collective/match.h"
#include "collective/step.h"

#include <stdlib.h>
#include <string.h>

#define LINE_COLUMNS 110
#define LETTERS 26 // more ranks than this are written as numbers

struct drawing {
  const struct rs_algorithm *algorithm;
  const struct rs_schedule_params *params;
  struct rs_holdings holdings; // at the start of the round
  struct rs_step *steps;       // of the round, RS_ROUND_STEPS_MAX for each rank
  uint32_t *counts;            // by rank
  struct rs_text *text;
  size_t indent, column;
};

static const struct rs_step *step_at(const struct drawing *drawing, uint32_t rank, uint32_t index) {
  return &drawing->steps[(size_t)rank * RS_ROUND_STEPS_MAX + index];
}

static const struct rs_step *other_end(const struct drawing *drawing, uint32_t rank, uint32_t index) {
  const uint32_t peer = step_at(drawing, rank, index)->peer;
  return rs_match_find(step_at(drawing, rank, 0), rank, index, step_at(drawing, peer, 0), drawing->counts[peer]);
}

// ---- data -------------------------------------------------------------------------------------------------

static bool set_has(const uint64_t *set, uint32_t rank) {
  return set[rank / 64] >> rank % 64 & 1;
}

// "acd" or "{0,2-3}"; "*" for everybody.
static void append_set(const uint64_t *set, uint32_t rank_count, struct rs_text *text) {
  uint32_t held = 0;
  for (uint32_t rank = 0; rank < rank_count; rank++) {
    held += set_has(set, rank);
  }
  if (held == rank_count && rank_count > 1) {
    rs_text_append(text, "*");
    return;
  }
  const bool letters = rank_count <= LETTERS;
  const char *separator = "{";
  for (uint32_t rank = 0; rank < rank_count; rank++) {
    if (!set_has(set, rank)) {
      continue;
    }
    uint32_t last = rank;
    while (!letters && last + 1 < rank_count && set_has(set, last + 1)) {
      last++;
    }
    if (letters) {
      rs_text_append(text, "%c", (int)('a' + rank));
    } else if (last == rank) {
      rs_text_append(text, "%s%u", separator, rank);
    } else {
      rs_text_append(text, "%s%u-%u", separator, rank, last);
    }
    separator = ",";
    rank = last;
  }
  rs_text_append(text, letters ? "" : "}");
}

// "a[0..2]", "a[1] b[1]": the places of a slice, where neighbours of one set and rising parts are one run.
static void append_slice(const struct drawing *drawing, uint32_t rank, const struct rs_slice *slice,
                         struct rs_text *text) {
  const struct rs_holdings *holdings = &drawing->holdings;
  uint32_t end;
  for (uint32_t i = 0; i < slice->count; i = end) {
    const uint64_t *set = rs_holdings_set(holdings, rank, slice->buffer, slice->place + i);
    const uint32_t part = rs_place_part(drawing->algorithm, drawing->params, rank, slice->buffer, slice->place + i);
    for (end = i + 1; end < slice->count; end++) {
      const uint32_t place = slice->place + end;
      if (rs_place_part(drawing->algorithm, drawing->params, rank, slice->buffer, place) != part + (end - i) ||
          memcmp(set, rs_holdings_set(holdings, rank, slice->buffer, place), holdings->words * sizeof *set) != 0) {
        break;
      }
    }
    rs_text_append(text, i > 0 ? " " : "");
    append_set(set, holdings->rank_count, text);
    if (end - i > 1) {
      rs_text_append(text, "[%u..%u]", part, part + (end - i) - 1);
    } else if (holdings->parts > 1) {
      rs_text_append(text, "[%u]", part);
    }
  }
}

// ---- rounds -----------------------------------------------------------------------------------------------

// One event of a round, on a new line where it would be too long for this one.
static void append_event(struct drawing *drawing, struct rs_text *event) {
  const size_t length = event->length + 3;
  if (drawing->column + length > LINE_COLUMNS && drawing->column > drawing->indent) {
    rs_text_append(drawing->text, "\n%*s", (int)drawing->indent, "");
    drawing->column = drawing->indent;
  }
  rs_text_append(drawing->text, "   %s", event->data ? event->data : "");
  drawing->column += length;
}

// A message is told by its sender.
static void draw_step(struct drawing *drawing, uint32_t rank, uint32_t index) {
  const struct rs_step *step = step_at(drawing, rank, index);
  const struct rs_step_traits *traits = &rs_step_traits[step->kind];
  struct rs_text event = {0};
  if (traits->receives) {
    return;
  }
  if (traits->sends) {
    const bool adds = rs_step_traits[other_end(drawing, rank, index)->kind].reduces;
    rs_text_append(&event, "%u %s %u ", rank, adds ? "+>" : "->", step->peer);
  } else {
    rs_text_append(&event, "%u %c ", rank, traits->reduces ? '+' : '=');
  }
  append_slice(drawing, rank, &step->source, &event);
  append_event(drawing, &event);
  drawing->text->failed |= event.failed;
  rs_text_fini(&event);
}

static enum rs_status do_round(struct drawing *drawing, struct rs_error *error) {
  for (uint32_t rank = 0; rank < drawing->params->rank_count; rank++) {
    for (uint32_t i = 0; i < drawing->counts[rank]; i++) {
      const struct rs_step *step = step_at(drawing, rank, i);
      const struct rs_step_traits *traits = &rs_step_traits[step->kind];
      const struct rs_slice *sent = traits->receives ? &other_end(drawing, rank, i)->source : NULL;
      if (!traits->sends && rs_holdings_apply(&drawing->holdings, rank, step, sent, error) < 0) {
        return error->status;
      }
    }
  }
  return RS_OK;
}

static void fetch_round(struct drawing *drawing, uint32_t k) {
  for (uint32_t rank = 0; rank < drawing->params->rank_count; rank++) {
    struct rs_step *steps = &drawing->steps[(size_t)rank * RS_ROUND_STEPS_MAX];
    drawing->counts[rank] = drawing->algorithm->round(drawing->params, rank, k, steps);
  }
}

static enum rs_status draw_round(struct drawing *drawing, uint32_t k, int digits, struct rs_error *error) {
  rs_text_append(drawing->text, "round %-*u", digits, k);
  drawing->column = drawing->indent;
  fetch_round(drawing, k);
  for (uint32_t rank = 0; rank < drawing->params->rank_count; rank++) {
    for (uint32_t i = 0; i < drawing->counts[rank]; i++) {
      draw_step(drawing, rank, i);
    }
  }
  rs_text_append(drawing->text, drawing->column > drawing->indent ? "\n" : "   nothing\n");
  return do_round(drawing, error);
}

// How what follows is to be read: the names of inputs, and the signs that occur.
static void draw_legend(struct drawing *drawing, uint32_t rounds) {
  static const char *const signs[RS_STEP_KIND_COUNT] = {
      [RS_STEP_SEND] = "",
      [RS_STEP_RECV] = "  0 -> 1 x   rank 0 sends x, and rank 1 stores it\n",
      [RS_STEP_RECV_REDUCE] = "  0 +> 1 x   rank 0 sends x, and rank 1 adds it\n",
      [RS_STEP_REDUCE] = "  0 + x      rank 0 adds x to what it holds elsewhere\n",
      [RS_STEP_COPY] = "  0 = x      rank 0 copies x\n",
  };
  const uint32_t n = drawing->params->rank_count;
  const bool letters = n <= LETTERS;
  bool occurs[RS_STEP_KIND_COUNT] = {false};
  rs_text_append(drawing->text,
                 letters ? "  a, b, ...  the inputs of rank 0, 1, ...\n" : "  {3}        the input of rank 3\n");
  if (drawing->holdings.parts > 1) {
    rs_text_append(drawing->text, "  %-10s part 1 of it, of %u\n", letters ? "a[1]" : "{3}[1]",
                   drawing->holdings.parts);
  }
  for (uint32_t k = 0; k < rounds; k++) {
    fetch_round(drawing, k);
    for (uint32_t rank = 0; rank < n; rank++) {
      for (uint32_t i = 0; i < drawing->counts[rank]; i++) {
        occurs[step_at(drawing, rank, i)->kind] = true;
      }
    }
  }
  if (occurs[RS_STEP_RECV_REDUCE] || occurs[RS_STEP_REDUCE]) {
    rs_text_append(drawing->text, "  %-10s a sum; * is everybody's\n", letters ? "ab" : "{3,5-7}");
  }
  for (size_t kind = 0; kind < RS_STEP_KIND_COUNT; kind++) {
    rs_text_append(drawing->text, "%s", occurs[kind] ? signs[kind] : "");
  }
  rs_text_append(drawing->text, "\n");
}

enum rs_status rs_schedule_explain(const struct rs_algorithm *algorithm, const struct rs_schedule_params *params,
                                   struct rs_text *text, struct rs_error *error) {
  struct rs_proof proof;
  if (rs_verify(algorithm, params, &proof, error) < 0) {
    return error->status;
  }
  const uint32_t n = params->rank_count,
                 scratch_places = algorithm->scratch_places ? algorithm->scratch_places(params) : 0;
  const int digits = snprintf(NULL, 0, "%llu", (unsigned long long)(proof.rounds > 0 ? proof.rounds - 1 : 0));
  struct drawing drawing = {
      .algorithm = algorithm, .params = params, .text = text, .indent = strlen("round ") + (size_t)digits};
  if (rs_holdings_init(&drawing.holdings, params, algorithm->parts(params), scratch_places, false, error) < 0) {
    return error->status;
  }
  drawing.steps = rs_allocate(n, RS_ROUND_STEPS_MAX * sizeof *drawing.steps, "the steps of a round", error);
  drawing.counts = rs_allocate(n, sizeof *drawing.counts, "the steps of a round", error);
  enum rs_status status = drawing.steps && drawing.counts ? RS_OK : error->status;
  if (status == RS_OK) {
    draw_legend(&drawing, (uint32_t)proof.rounds);
  }
  for (uint32_t k = 0; k < proof.rounds && status == RS_OK; k++) {
    status = draw_round(&drawing, k, digits, error);
  }
  free(drawing.counts);
  free(drawing.steps);
  rs_holdings_fini(&drawing.holdings);
  return status == RS_OK && text->failed ? rs_error_set_memory(error, 0, "the text of the schedule") : status;
}
