// lab: several hosts on one machine. A host is a network namespace with a name, an interface and an address of its own;
// a switch namespace holds the bridges between them, and mpirun runs there. Nothing of a lab is in the machine's own
// network namespace, so labs of different names do not see each other.
//
//   rslab-NAME-switch   br0 ---------- trunk0 == trunk1 ---------- br1       (br1 and trunks: with two zones)
//                      /   \                                      /   \.
//                  port1   port2                              port3   port4
//                    |       |                                  |       |
//                  eth0    eth0                               eth0    eth0
//         rslab-NAME-h1  rslab-NAME-h2               rslab-NAME-h3  rslab-NAME-h4
//
// A description (struct rs_lab) becomes an ordered list of commands, which are then run; the list is pure, and what
// `--dry-run` prints. Everything that outlives a command lies under these names and in RS_LAB_STATE/NAME, so that a lab
// can be removed by its name alone, whatever became of the process that made it.
#ifndef RINGSIDE_LAB_H
#define RINGSIDE_LAB_H

#include "ringside/options.h"

#define RS_LAB_STATE "/run/ringside-lab"
#define RS_LAB_HOSTS_MAX 64
#define RS_LAB_NAME_BYTES 25 // with its NUL

// ---- description ------------------------------------------------------------------------------------------

// One direction of a cable; both directions are alike.
struct rs_lab_link {
  uint64_t rate;               // bits per second of whole frames; 0: not shaped
  uint64_t burst_bytes;        // what passes unshaped after a pause; 0: as much as the rate needs
  int64_t delay_ns, jitter_ns; // one way
  double loss;                 // share of packets, one way
};
struct rs_lab {
  struct rs_string name, subnet, congestion;
  uint64_t hosts, ranks, mtu, zones; // ranks: per host
  struct rs_lab_link link, zone;     // host to switch; between two zones
};

#define RS_LAB_GROUPS 3
struct rs_lab_binding {
  struct rs_option_group groups[RS_LAB_GROUPS];
  struct rs_options options;
};
// The option tables, bound to `lab`: name, hosts, ..., link.rate, ..., zone.rate, ...
void rs_lab_bind(struct rs_lab *lab, struct rs_lab_binding *binding);
// What no single value shows: a name that can be part of others, room in the subnet, jitter below its delay.
enum rs_status rs_lab_check(const struct rs_lab *lab, struct rs_error *error);
// A small letter, then small letters, digits and '-': what can stand in paths and in other names.
bool rs_lab_is_name(const char *text);
// Delay, jitter or loss somewhere: needs the kernel's sch_netem.
bool rs_lab_needs_netem(const struct rs_lab *lab);
void rs_lab_remove_delay(struct rs_lab *lab);

// Of a checked lab. `host` counts from 0; its name ("NAME-h1") is what ranks see, its namespace has "rslab-" before it.
void rs_lab_host_name(const struct rs_lab *lab, size_t host, char *text, size_t bytes);
void rs_lab_host_address(const struct rs_lab *lab, size_t host, char *text, size_t bytes); // "10.77.0.1"
size_t rs_lab_host_zone(const struct rs_lab *lab, size_t host);
// "1 Gbit/s, 2 ms, loss 0.1%", or "not shaped".
void rs_lab_link_words(const struct rs_lab_link *link, char *text, size_t bytes);

// ---- commands ---------------------------------------------------------------------------------------------

// A growing argv; words[count] is NULL. Start as {0}. After a failed allocation `failed` is set and nothing is added.
struct rs_command {
  char **words;
  size_t count;
  bool failed;
};
struct rs_commands {
  struct rs_command *items;
  size_t count;
  bool failed;
};
// Formats, and cuts at blanks: for words that can have none.
void rs_command_add(struct rs_command *command, const char *format, ...) RS_PRINTF(2, 3);
// One word as it is.
void rs_command_add_word(struct rs_command *command, const char *word);
// Appends the command as a shell reads it.
void rs_command_format(const struct rs_command *command, struct rs_text *text);
void rs_command_fini(struct rs_command *command);
void rs_commands_fini(struct rs_commands *commands);

// Pure: what makes a checked lab, in order. The caller ends it with rs_commands_fini, also after an error.
enum rs_status rs_lab_commands(const struct rs_lab *lab, struct rs_commands *commands, struct rs_error *error);

// Whose mpirun: their options differ.
enum rs_lab_mpi { RS_LAB_OPENMPI, RS_LAB_MPICH };
// Pure: the command that starts `rank_count` ranks of `words` across a checked lab. It replaces a process (execvp), so
// that signals and exit code are mpirun's own. Hosts are filled one after the other.
enum rs_status rs_lab_mpirun(const struct rs_lab *lab, enum rs_lab_mpi mpi, const char *mpirun, size_t rank_count,
                             char *const *words, struct rs_command *command, struct rs_error *error);
// The file name of the first of these programs (NULL-terminated) that PATH has, or the words of the error.
enum rs_status rs_lab_find_program(const char *const *names, const char *hint, char *path, size_t bytes,
                                   struct rs_error *error);

// ---- labs of this machine (as root) -----------------------------------------------------------------------

// Makes a checked lab. When it returns an error, everything it had made is gone again: bad names or kernels without
// netem (USAGE), a command that failed (IO), SIGINT, SIGTERM or SIGHUP, which wait meanwhile (IO).
enum rs_status rs_lab_up(const struct rs_lab *lab, struct rs_error *error);

#define RS_LAB_NAMES_MAX 64
struct rs_lab_names {
  size_t count;
  char names[RS_LAB_NAMES_MAX][RS_LAB_NAME_BYTES];
};
// All labs of which anything is there, sorted; those beyond RS_LAB_NAMES_MAX are left out. Needs no root.
enum rs_status rs_lab_list(struct rs_lab_names *names, struct rs_error *error);

// What is there of a lab, whether it is whole or not.
struct rs_lab_status {
  bool ready;              // `up` came to its end, and all namespaces are there
  struct rs_lab lab;       // its description; hosts == 0 when that is gone
  size_t namespaces;       // of the switch and of hosts
  size_t switch_processes; // processes inside
  size_t host_processes[RS_LAB_HOSTS_MAX];
};
// USAGE when there is no lab of that name; the error names those that there are.
enum rs_status rs_lab_inspect(const char *name, struct rs_lab_status *status, struct rs_error *error);
// Ends the processes inside, and removes namespaces with their interfaces, and the state. USAGE when there is nothing.
enum rs_status rs_lab_down(const char *name, struct rs_error *error);

#endif
