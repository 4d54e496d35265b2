#include "topology/name_list.h"

void rs_name_list_add(struct rs_name_list *list, const char *name) {
  if (list->count < RS_NAMES_SHOWN)
    rs_text_append(&list->text, "%s%s", list->count > 0 ? ", " : "", name);
  list->count++;
}

const char *rs_name_list_end(struct rs_name_list *list) {
  if (list->count > RS_NAMES_SHOWN)
    rs_text_append(&list->text, " and %zu more", list->count - RS_NAMES_SHOWN);
  return list->text.data ? list->text.data : "";
}

void rs_rank_list_append(struct rs_text *text, const bool *set, size_t rank_count) {
  size_t count = 0, runs = 0, shown = 0;
  for (size_t r = 0; r < rank_count; r++)
    count += set[r];
  for (size_t r = 0; r < rank_count && runs < RS_NAMES_SHOWN; r++) {
    if (!set[r])
      continue;
    size_t last = r;
    while (last + 1 < rank_count && set[last + 1])
      last++;
    rs_text_append(text, "%s%zu", runs > 0 ? "," : count == 1 ? "rank " : "ranks ", r);
    if (last > r)
      rs_text_append(text, "-%zu", last);
    shown += last - r + 1;
    runs++;
    r = last;
  }
  if (shown < count)
    rs_text_append(text, " and %zu more", count - shown);
}
