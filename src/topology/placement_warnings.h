// Internal to topology: the parts of rs_placement_warnings.
#ifndef TOPOLOGY_PLACEMENT_WARNINGS_H
#define TOPOLOGY_PLACEMENT_WARNINGS_H

#include "ringside/topology.h"

struct rs_warner {
  const struct rs_placement_view *view;
  struct rs_text *text;
  size_t count;
  bool *set; // room for a mark per rank
};

// Appends one warning; the format ends with a new line.
#define RS_WARN(warner, ...) ((warner)->count++, rs_text_append((warner)->text, __VA_ARGS__))

// What was asked for (--label placement=) against what is there.
void rs_strategy_warnings(struct rs_warner *warner);
// How ranks are bound, and what they talk through.
void rs_device_warnings(struct rs_warner *warner);

// Appends "c5.large (node01, node02), m5.large (node03)" for a text field of hosts, and returns how many values it has;
// unknown ones do not count.
size_t rs_host_values_append(const struct rs_placement *placement, size_t field_offset, struct rs_text *text);

#endif
