// Internal to topology: what every format of a topology file comes to, and what the readers of the formats call.
//
// A reader adds facts, the names of the hosts that have them, switches, and links from a switch to the one above it, in
// any order. When the file is read, rs_topology_switches_resolve and the check of names in topology_file.c find what
// contradicts itself.
#ifndef TOPOLOGY_TOPOLOGY_FILE_H
#define TOPOLOGY_TOPOLOGY_FILE_H

#include "ringside/topology.h"
#include "topology/hostlist.h"

#define RS_SWITCH_DEPTH_MAX 64 // more names than fit into a network path

struct rs_topology_facts {
  struct rs_host_facts given;    // empty text and partition -1: the file does not say
  char leaf[RS_HOST_NAME_BYTES]; // the switch that the hosts are on, "": none named
  struct rs_file_place leaf_at;
};
struct rs_topology_name { // a hostname or instance id
  char name[RS_HOST_NAME_BYTES];
  size_t facts; // index
  struct rs_file_place at;
};
struct rs_topology_switch {
  char name[RS_HOST_NAME_BYTES];
  struct rs_file_place at;
  size_t parent; // index, SIZE_MAX: none; once resolved
  struct rs_file_place parent_at;
};
struct rs_topology_link {
  char child[RS_HOST_NAME_BYTES], parent[RS_HOST_NAME_BYTES];
  struct rs_file_place at;
};
struct rs_topology_file {
  char *path;
  bool partial; // hosts of the run may be missing
  struct rs_topology_facts *facts;
  struct rs_topology_name *names; // sorted by short name, then by name, once read
  struct rs_topology_switch *switches;
  struct rs_topology_link *links;
  size_t fact_count, fact_room, name_count, name_room, switch_count, switch_room, link_count, link_room;
};

// The text fields of a host that a file may give, by their names in struct rs_host_facts.
struct rs_topology_field {
  const char *name;
  size_t offset, bytes;
};
extern const struct rs_topology_field rs_topology_fields[];
extern const size_t rs_topology_field_count;

// ---- for the readers --------------------------------------------------------------------------------------

// Adds facts that say nothing yet; *facts is valid until the next call.
enum rs_status rs_topology_file_add_facts(struct rs_topology_file *file, struct rs_topology_facts **facts,
                                          struct rs_error *error);
// A host with the facts that were added last. Names longer than fit are cut; readers refuse them before.
enum rs_status rs_topology_file_add_name(struct rs_topology_file *file, const char *name, struct rs_file_place at,
                                         struct rs_error *error);
enum rs_status rs_topology_file_add_switch(struct rs_topology_file *file, const char *name, struct rs_file_place at,
                                           struct rs_error *error);
enum rs_status rs_topology_file_add_link(struct rs_topology_file *file, const char *child, const char *parent,
                                         struct rs_file_place at, struct rs_error *error);

// Puts "file:line:column: " before the error that is there; the value is its status.
enum rs_status rs_topology_file_place(const struct rs_topology_file *file, struct rs_file_place at,
                                      struct rs_error *error);
// Fails at a place of the file; the value is the status.
#define RS_TOPOLOGY_FAIL(file, at, error, ...)                                                                         \
  (rs_error_set(error, RS_ERROR_USAGE, __VA_ARGS__), rs_topology_file_place(file, at, error))

// ---- the formats; `text` has a NUL behind its bytes -------------------------------------------------------

enum rs_status rs_topology_yaml_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                     struct rs_error *error);
enum rs_status rs_topology_aws_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                    struct rs_error *error);
enum rs_status rs_topology_slurm_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                      struct rs_error *error);

// Links switches, refuses cycles, and writes the network path of all facts that name a leaf.
enum rs_status rs_topology_switches_resolve(struct rs_topology_file *file, struct rs_error *error);

#endif
