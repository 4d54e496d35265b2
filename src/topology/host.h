// What the operating system alone tells about this host, read from files below `root` ("" for the real ones; tests
// give a tree of their own). A file that is missing, as in containers, leaves its field empty or 0.
#ifndef TOPOLOGY_HOST_H
#define TOPOLOGY_HOST_H

#include "ringside/topology.h"

// Fills hostname, boot_id, cloud, instance_type, kernel, congestion_control, memory_bytes and memory_available_bytes.
void rs_host_read(const char *root, struct rs_host_facts *facts);

// Copies text into a field, whole UTF-8 characters only, and always ends it.
void rs_host_copy_text(char *field, size_t field_bytes, const char *text);

#endif
