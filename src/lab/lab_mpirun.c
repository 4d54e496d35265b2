// One mpirun across the hosts of a lab, without ssh. Two things of one machine have to be kept from MPI: every "host"
// believes that it owns all cores, so ranks are not bound and yield while they wait; and Open MPI's daemons share a
// session directory unless host names differ, which the agent sees to.
#include "ringside/lab.h"

#include "lab/lab_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum rs_status rs_lab_mpirun(const struct rs_lab *lab, enum rs_lab_mpi mpi, const char *mpirun, size_t rank_count,
                             char *const *words, struct rs_command *command, struct rs_error *error) {
  char state[RS_LAB_PATH_BYTES], host[64];
  struct rs_text hosts = {0};
  if (rank_count == 0 || rank_count > lab->hosts * lab->ranks)
    return rs_error_set(error, RS_ERROR_USAGE, "-n %zu: lab %s has room for 1 to %llu ranks, %llu per host", rank_count,
                        lab->name.text, (unsigned long long)(lab->hosts * lab->ranks), (unsigned long long)lab->ranks);
  for (size_t h = 0; h < lab->hosts; h++) {
    rs_lab_host_name(lab, h, host, sizeof host);
    rs_text_append(&hosts, "%s%s:%llu", h > 0 ? "," : "", host, (unsigned long long)lab->ranks);
  }
  rs_lab_path(lab->name.text, "", state);
  rs_command_add(command, "ip netns exec rslab-%s-switch", lab->name.text);
  rs_command_add_word(command, mpirun);
  if (mpi == RS_LAB_OPENMPI) {
    rs_command_add(command, "--allow-run-as-root --mca plm_rsh_agent %sagent --mca plm_rsh_no_tree_spawn 1", state);
    rs_command_add(command, "--mca orte_tmpdir_base %stmp --mca pml ob1 --mca btl tcp,self", state);
    rs_command_add(command, "--mca btl_tcp_if_include eth0 --mca mpi_yield_when_idle 1 --bind-to none --host %s -n %zu",
                   hosts.data, rank_count);
  } else {
    rs_command_add(command, "-launcher ssh -launcher-exec %sagent -iface br0 -hosts %s -n %zu", state, hosts.data,
                   rank_count);
  }
  for (size_t w = 0; words[w] != NULL; w++)
    rs_command_add_word(command, words[w]);
  bool failed = hosts.failed || command->failed;
  rs_text_fini(&hosts);
  return failed ? rs_error_set_memory(error, 0, "the command line of mpirun") : RS_OK;
}

enum rs_status rs_lab_find_program(const char *const *names, const char *hint, char *path, size_t bytes,
                                   struct rs_error *error) {
  const char *folders = getenv("PATH");
  for (size_t n = 0; folders != NULL && names[n] != NULL; n++)
    for (const char *folder = folders; *folder != '\0'; folder += *folder == ':') {
      size_t length = strcspn(folder, ":");
      int written = snprintf(path, bytes, "%.*s/%s", (int)length, folder, names[n]);
      if (length > 0 && written > 0 && (size_t)written < bytes && access(path, X_OK) == 0)
        return RS_OK;
      folder += length;
    }
  return rs_error_set(error, RS_ERROR_USAGE, "there is no program '%s' in PATH; %s", names[0], hint);
}
