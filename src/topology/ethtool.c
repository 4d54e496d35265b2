#include "topology/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNTERS_MAX 65536 // more is not believed

static int ask_kernel(int socket, struct ifreq *request) {
  return ioctl(socket, SIOCETHTOOL, request);
}

// Any socket leads to the drivers; without one, asking fails and there are no counters.
struct rs_ethtool rs_ethtool_open(void) {
  return (struct rs_ethtool){ask_kernel, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
}

void rs_ethtool_close(struct rs_ethtool *tool) {
  if (tool->socket >= 0)
    close(tool->socket);
  *tool = (struct rs_ethtool){.socket = -1};
}

static bool ask(const struct rs_ethtool *tool, const char *interface, void *command) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
  request.ifr_data = command;
  return tool->ask(tool->socket, &request) == 0;
}

static uint32_t count_counters(const struct rs_ethtool *tool, const char *interface) {
  uint32_t count = 0;
  struct ethtool_sset_info *info = calloc(1, sizeof(*info) + sizeof(info->data[0]));
  if (!info)
    return 0;
  info->cmd = ETHTOOL_GSSET_INFO;
  info->sset_mask = UINT64_C(1) << ETH_SS_STATS;
  if (ask(tool, interface, info) && info->sset_mask != 0 && info->data[0] <= COUNTERS_MAX)
    count = info->data[0];
  free(info);
  return count;
}

// The kernel writes as many counters as the driver has at that moment, not as many as were asked for. Room for twice
// as many keeps a driver that gets more queues between two questions from writing past the end.
void rs_ethtool_visit(const struct rs_ethtool *tool, const char *interface,
                      void (*visit)(void *state, const char *name, uint64_t value), void *state) {
  uint32_t count = count_counters(tool, interface);
  struct ethtool_gstrings *names = calloc(1, sizeof(*names) + (size_t)count * 2 * ETH_GSTRING_LEN);
  struct ethtool_stats *stats = calloc(1, sizeof(*stats) + (size_t)count * 2 * sizeof(stats->data[0]));
  if (count == 0 || !names || !stats)
    goto free_answers;
  names->cmd = ETHTOOL_GSTRINGS;
  names->string_set = ETH_SS_STATS;
  names->len = count;
  stats->cmd = ETHTOOL_GSTATS;
  stats->n_stats = count;
  if (!ask(tool, interface, names) || !ask(tool, interface, stats) || names->len != count || stats->n_stats != count)
    goto free_answers;
  for (uint32_t i = 0; i < count; i++) {
    char name[ETH_GSTRING_LEN + 1] = {0}; // a driver may leave out the terminator
    memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
    visit(state, name, stats->data[i]);
  }

free_answers:
  free(stats);
  free(names);
}

void rs_ethtool_driver(const struct rs_ethtool *tool, const char *interface, char *driver, size_t driver_bytes) {
  struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
  driver[0] = '\0';
  if (ask(tool, interface, &info))
    snprintf(driver, driver_bytes, "%.*s", (int)strnlen(info.driver, sizeof(info.driver)), info.driver);
}
