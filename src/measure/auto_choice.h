// auto_choice: which algorithm and chunk `auto` stands for.
#ifndef RS_MEASURE_AUTO_CHOICE_H
#define RS_MEASURE_AUTO_CHOICE_H

#include "ringside/collective.h"

// What is best for up to so many ranks and bytes per rank, over one transport.
struct auto_row {
  const char *transport; // NULL: any that has no rows of its own for this collective
  enum rs_collective collective;
  uint32_t ranks;
  uint64_t size_bytes;
  const char *algorithm;
  uint64_t chunk_bytes; // 0: not cut
};
#define AUTO_ANY_RANKS UINT32_MAX
#define AUTO_ANY_SIZE UINT64_MAX
// Every collective has rows for any transport.
extern const struct auto_row auto_rows[];
extern const size_t auto_row_count;

// The row with the least bounds that hold: first for the ranks, then for the size. Beyond all bounds, the row with the
// largest ones. Never NULL. transport: of one host that all ranks share; NULL: they do not, and the rows for any hold.
const struct auto_row *auto_choice_find(const char *transport, enum rs_collective collective, uint32_t ranks,
                                        uint64_t size_bytes);

#endif
