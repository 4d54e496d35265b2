#include "topology/cpu_list.h"

#include <stdio.h>
#include <string.h>

void rs_cpu_list_write(hwloc_const_bitmap_t set, char *list, size_t list_bytes) {
  static const char more[] = "...";
  if ((size_t)hwloc_bitmap_list_snprintf(list, list_bytes, set) < list_bytes)
    return;
  size_t last = list_bytes - sizeof(more);
  while (last > 0 && list[last] != ',')
    last--;
  memcpy(list + last + (last > 0), more, sizeof(more));
}

void rs_cpu_list_read(const char *list, hwloc_bitmap_t set) {
  char whole[1024];
  snprintf(whole, sizeof(whole), "%s", list);
  char *more = strstr(whole, "...");
  if (more) // after a comma, or all there is
    more[more > whole ? -1 : 0] = '\0';
  if (hwloc_bitmap_list_sscanf(set, whole) != 0)
    hwloc_bitmap_zero(set);
}
