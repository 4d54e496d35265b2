// lab_state: what a lab leaves in the file system, and which processes are inside. Everything is found by the lab's
// name, so that it can be removed whatever became of the process that made it.
//
//   /run/ringside-lab/NAME/   lab.yaml  the description, resolved
//                             agent     what mpirun starts its daemons with, instead of ssh
//                             tmp/      Open MPI's session directories
//                             ready     made last
//   /run/netns/rslab-NAME-switch, rslab-NAME-h1, ...      made by ip
#ifndef RINGSIDE_LAB_STATE_H
#define RINGSIDE_LAB_STATE_H

#include "ringside/lab.h"

#define RS_LAB_PATH_BYTES 128
#define RS_LAB_NAMESPACE_BYTES 64

// RS_LAB_STATE/NAME/LEAF.
void rs_lab_path(const char *name, const char *leaf, char path[RS_LAB_PATH_BYTES]);
// The lab that a namespace belongs to, and which part it is ("switch", "h3"; points into `namespace`). False: to none.
bool rs_lab_owner(const char *namespace, char name[RS_LAB_NAME_BYTES], const char **part);

// All but `ready`. USAGE when there is a lab of that name.
enum rs_status rs_lab_state_make(struct rs_lab *lab, struct rs_error *error);
enum rs_status rs_lab_state_ready(const char *name, struct rs_error *error);
bool rs_lab_state_is_ready(const char *name);
bool rs_lab_state_exists(const char *name);
enum rs_status rs_lab_state_read(const char *name, struct rs_lab *lab, struct rs_error *error);
// Nothing there is fine.
enum rs_status rs_lab_state_remove(const char *name, struct rs_error *error);

// Calls `visit` for the labs that have state, or for the namespaces of lab `name` (NULL: of all labs), until it returns
// an error.
typedef enum rs_status (*rs_lab_visit)(void *context, const char *name, struct rs_error *error);
enum rs_status rs_lab_states(rs_lab_visit visit, void *context, struct rs_error *error);
enum rs_status rs_lab_namespaces(const char *name, rs_lab_visit visit, void *context, struct rs_error *error);

// How many processes are inside, this one left out. With `signal` they are sent it.
size_t rs_lab_processes(const char *namespace, int signal);

#endif
