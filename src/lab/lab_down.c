// Removing a lab, by its name alone: whole, half-made, or with ranks that still run.
#include "lab/lab_down.h"

#include "lab/lab_list.h"
#include "lab/lab_process.h"
#include "lab/lab_state.h"

#include <signal.h>
#include <unistd.h>

#define KILL_DEADLINE_NS 5000000000
#define KILL_PAUSE_US 2000

enum rs_status rs_lab_need_root(const char *what, struct rs_error *error) {
  if (geteuid() == 0)
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE, "%s takes root, as network namespaces do; try sudo", what);
}

// Until none is left, as one that is just being started was not there when its parent was killed.
static enum rs_status end_processes(void *context, const char *namespace, struct rs_error *error) {
  (void)context;
  int64_t deadline = rs_clock_ns() + KILL_DEADLINE_NS;
  for (size_t left; (left = rs_lab_processes(namespace, SIGKILL)) > 0; usleep(KILL_PAUSE_US))
    if (rs_clock_ns() > deadline)
      return rs_error_set(error, RS_ERROR_TIMEOUT, "%zu processes in %s do not die of SIGKILL; see 'ip netns pids %s'",
                          left, namespace, namespace);
  return RS_OK;
}

// With the namespace go its interfaces, and so the other ends of its cables.
static enum rs_status remove_namespace(void *context, const char *namespace, struct rs_error *error) {
  (void)context;
  struct rs_command command = {0};
  rs_command_add(&command, "ip netns del %s", namespace);
  enum rs_status status = command.failed ? rs_error_set_memory(error, 0, "a command") : rs_process_run(&command, error);
  rs_command_fini(&command);
  return status;
}

enum rs_status rs_lab_take_down(const char *name, struct rs_error *error) {
  enum rs_status status = rs_lab_namespaces(name, end_processes, NULL, error);
  if (status == RS_OK)
    status = rs_lab_namespaces(name, remove_namespace, NULL, error);
  return status == RS_OK ? rs_lab_state_remove(name, error) : status;
}

enum rs_status rs_lab_down(const char *name, struct rs_error *error) {
  size_t namespaces;
  if (rs_lab_find(name, &namespaces, error) < 0 || rs_lab_need_root("removing a lab", error) < 0)
    return error->status;
  return rs_lab_take_down(name, error);
}
