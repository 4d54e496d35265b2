// Making a lab: all of it, or nothing.
#include "lab/lab_down.h"
#include "lab/lab_list.h"
#include "lab/lab_process.h"
#include "lab/lab_state.h"
#include "lab/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <signal.h>
#include <string.h>

static enum rs_status check_programs(struct rs_error *error) {
  static const struct {
    const char *names[2], *hint;
  } programs[] = {
      {{"ip"}, "it comes with iproute2 (Debian: iproute2, Amazon Linux: iproute)"},
      {{"tc"}, "it comes with iproute2 (Debian: iproute2, Amazon Linux: iproute-tc)"},
      {{"unshare"}, "it comes with util-linux"},
  };
  char path[4096];
  enum rs_status status = RS_OK;
  for (size_t p = 0; status == RS_OK && p < RS_ARRAY_LENGTH(programs); p++)
    status = rs_lab_find_program(programs[p].names, programs[p].hint, path, sizeof path, error);
  return status;
}

// The lab could live with it, but nobody could tell its addresses from those of the real network.
static enum rs_status check_subnet_free(const struct rs_lab *lab, struct rs_error *error) {
  struct rs_subnet wanted;
  struct ifaddrs *addresses;
  if (rs_subnet_parse(lab->subnet.text, &wanted, error) < 0)
    return error->status;
  if (getifaddrs(&addresses) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "asking for this machine's addresses");
  for (const struct ifaddrs *at = addresses; at != NULL && error->status == RS_OK; at = at->ifa_next) {
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET || at->ifa_netmask == NULL)
      continue;
    struct sockaddr_in address, netmask;
    char text[INET_ADDRSTRLEN];
    memcpy(&address, at->ifa_addr, sizeof address);
    memcpy(&netmask, at->ifa_netmask, sizeof netmask);
    uint32_t mask = ntohl(netmask.sin_addr.s_addr);
    struct rs_subnet used = {ntohl(address.sin_addr.s_addr) & mask, (unsigned)__builtin_popcount(mask)};
    if (rs_subnet_overlaps(&wanted, &used))
      rs_error_set(error, RS_ERROR_USAGE,
                   "subnet %s is in use: %s has %s; choose another with --set subnet=10.78.0.0/24", lab->subnet.text,
                   at->ifa_name, inet_ntop(AF_INET, &address.sin_addr, text, sizeof text));
  }
  freeifaddrs(addresses);
  return error->status;
}

// Signals that would end this process wait until the lab is whole or gone, and then do.
static const int held_signals[] = {SIGINT, SIGTERM, SIGHUP};

static void hold_signals(sigset_t *before) {
  sigset_t held;
  sigemptyset(&held);
  for (size_t s = 0; s < RS_ARRAY_LENGTH(held_signals); s++)
    sigaddset(&held, held_signals[s]);
  sigprocmask(SIG_BLOCK, &held, before);
}

static bool is_interrupted(void) {
  sigset_t pending;
  sigpending(&pending);
  bool found = false;
  for (size_t s = 0; s < RS_ARRAY_LENGTH(held_signals); s++)
    found = found || sigismember(&pending, held_signals[s]) == 1;
  return found;
}

static enum rs_status run_commands(const struct rs_commands *commands, struct rs_error *error) {
  for (size_t c = 0; c < commands->count; c++) {
    if (is_interrupted())
      return rs_error_set(error, RS_ERROR_IO, "interrupted");
    struct rs_error failure = {0};
    if (rs_process_run(&commands->items[c], &failure) == RS_OK)
      continue;
    if (strstr(failure.text, "netem") != NULL && strstr(failure.text, "qdisc kind is unknown") != NULL)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "this kernel has no netem (sch_netem), so delay, jitter and loss cannot be had here; leave "
                          "them out with --without-delay, or use a kernel that has it, as the machine of tests/vm");
    *error = failure;
    return error->status;
  }
  return RS_OK;
}

static enum rs_status make(struct rs_lab *lab, const struct rs_commands *commands, struct rs_error *error) {
  sigset_t before;
  hold_signals(&before);
  enum rs_status status = rs_lab_state_make(lab, error);
  bool ours = status != RS_ERROR_USAGE;
  if (status == RS_OK)
    status = run_commands(commands, error);
  if (status == RS_OK)
    status = rs_lab_state_ready(lab->name.text, error);
  if (status < 0 && ours) {
    struct rs_error undoing = {0};
    if (rs_lab_take_down(lab->name.text, &undoing) < 0)
      rs_error_prefix(error, "%s, while undoing this", undoing.text);
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return status;
}

enum rs_status rs_lab_up(const struct rs_lab *lab, struct rs_error *error) {
  struct rs_commands commands = {0};
  struct rs_lab copy = *lab; // options are formatted from where they were bound
  size_t namespaces = 0;
  if (rs_lab_need_root("making a lab", error) < 0 || check_programs(error) < 0 || check_subnet_free(lab, error) < 0 ||
      rs_lab_count_namespaces(lab->name.text, &namespaces, error) < 0)
    return error->status;
  if (namespaces > 0 && !rs_lab_state_exists(lab->name.text))
    return rs_error_set(error, RS_ERROR_USAGE,
                        "there are network namespaces left of a lab called %s; remove them with 'ringside lab down "
                        "--name %s'",
                        lab->name.text, lab->name.text);
  enum rs_status status = rs_lab_commands(lab, &commands, error);
  if (status == RS_OK)
    status = make(&copy, &commands, error);
  rs_commands_fini(&commands);
  return status;
}
