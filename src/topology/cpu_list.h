// cpu_list: a set of CPUs as people write it, "0-3,8".
#ifndef TOPOLOGY_CPU_LIST_H
#define TOPOLOGY_CPU_LIST_H

#include <hwloc.h>

// A list that does not fit ends with "...", after a whole number.
void rs_cpu_list_write(hwloc_const_bitmap_t set, char *list, size_t list_bytes);
// Reads such a list, also one that was cut. What is no list reads as the empty set.
void rs_cpu_list_read(const char *list, hwloc_bitmap_t set);

#endif
