// name_list: names for a sentence, "a, b, c, d, e and 12 more", and ranks, "ranks 0-3,8".
#ifndef TOPOLOGY_NAME_LIST_H
#define TOPOLOGY_NAME_LIST_H

#include "ringside/base.h"

#define RS_NAMES_SHOWN 5

// Start as {0}; rs_text_fini(&list.text) frees it.
struct rs_name_list {
  struct rs_text text;
  size_t count;
};
void rs_name_list_add(struct rs_name_list *list, const char *name);
// The whole list, which is then complete; "" for none.
const char *rs_name_list_end(struct rs_name_list *list);

// Appends "rank 3", "ranks 0-3,8" or "ranks 0,2,4,6,8 and 12 more" for the ranks that are set; nothing for none.
void rs_rank_list_append(struct rs_text *text, const bool *set, size_t rank_count);

#endif
