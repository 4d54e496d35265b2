#include "measure/auto_choice.h"

#include <string.h>

static bool is_of(const struct auto_row *row, const char *transport, enum rs_collective collective) {
  return row->collective == collective &&
         (transport == NULL || row->transport == NULL ? transport == row->transport
                                                      : strcmp(row->transport, transport) == 0);
}

// Whether bound `a` suits `value` better than bound `b`: the least that holds, or else the largest.
static bool is_closer(uint64_t a, uint64_t b, uint64_t value) {
  if ((a >= value) != (b >= value))
    return a >= value;
  return a >= value ? a < b : a > b;
}

static const struct auto_row *find_among(const char *transport, enum rs_collective collective, uint32_t ranks,
                                         uint64_t size_bytes) {
  const struct auto_row *best = NULL;
  for (size_t i = 0; i < auto_row_count; i++) {
    const struct auto_row *row = &auto_rows[i];
    if (!is_of(row, transport, collective))
      continue;
    if (best == NULL || is_closer(row->ranks, best->ranks, ranks) ||
        (row->ranks == best->ranks && is_closer(row->size_bytes, best->size_bytes, size_bytes)))
      best = row;
  }
  return best;
}

const struct auto_row *auto_choice_find(const char *transport, enum rs_collective collective, uint32_t ranks,
                                        uint64_t size_bytes) {
  const struct auto_row *row = find_among(transport, collective, ranks, size_bytes);
  return row ? row : find_among(NULL, collective, ranks, size_bytes);
}
