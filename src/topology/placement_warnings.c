// What is wrong with a placement, or makes its figures doubtful: hosts that are not as many or as equal as they should
// be. strategy_warnings.c and device_warnings.c have the rest.
#include "topology/placement_warnings.h"

#include "topology/name_list.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_SHOWN 4

static const char *field_of(const struct rs_placement *placement, size_t host, size_t offset) {
  return (const char *)&placement->hosts[host] + offset;
}

size_t rs_host_values_append(const struct rs_placement *placement, size_t field_offset, struct rs_text *text) {
  size_t values = 0;
  for (size_t first = 0; first < placement->host_count; first++) {
    const char *value = field_of(placement, first, field_offset);
    bool seen = value[0] == '\0';
    for (size_t h = 0; h < first && !seen; h++)
      seen = strcmp(field_of(placement, h, field_offset), value) == 0;
    if (seen || ++values > VALUES_SHOWN)
      continue;
    struct rs_name_list hosts = {0};
    for (size_t h = first; h < placement->host_count; h++)
      if (strcmp(field_of(placement, h, field_offset), value) == 0)
        rs_name_list_add(&hosts, placement->hosts[h].hostname);
    rs_text_append(text, "%s%s (%s)", values > 1 ? ", " : "", value, rs_name_list_end(&hosts));
    rs_text_fini(&hosts.text);
  }
  if (values > VALUES_SHOWN)
    rs_text_append(text, " and %zu more", values - VALUES_SHOWN);
  return values;
}

// ---- hosts ------------------------------------------------------------------------------------------------

static void check_claim(struct rs_warner *warner) {
  const struct rs_placement *placement = warner->view->placement;
  size_t claimed = warner->view->claimed_hosts, shared = 0;
  if (claimed == 0 || claimed == placement->host_count)
    return;
  const char *plural = placement->host_count == 1 ? "" : "s";
  while (shared + 1 < placement->rank_count && placement->ranks[shared].local_ranks < 2)
    shared++;
  if (claimed < placement->host_count || placement->rank_count == 0 || placement->ranks[shared].local_ranks < 2) {
    RS_WARN(warner, "the run claims %zu host%s and is on %zu; correct --label hosts or the host list\n", claimed,
            claimed == 1 ? "" : "s", placement->host_count);
    return;
  }
  struct rs_text ranks = {0};
  for (size_t r = 0; r < placement->rank_count; r++)
    warner->set[r] = placement->ranks[r].host == placement->ranks[shared].host;
  rs_rank_list_append(&ranks, warner->set, placement->rank_count);
  RS_WARN(warner,
          "the run claims %zu hosts and is on %zu host%s: %s share %s; spread the ranks (mpirun --map-by node), or "
          "correct --label hosts\n",
          claimed, placement->host_count, plural, ranks.data ? ranks.data : "",
          placement->hosts[placement->ranks[shared].host].hostname);
  rs_text_fini(&ranks);
}

static void check_machines(struct rs_warner *warner) {
  const struct rs_placement *placement = warner->view->placement;
  for (size_t first = 0; first < placement->host_count; first++) {
    const char *boot_id = placement->hosts[first].boot_id;
    struct rs_name_list hosts = {0};
    bool seen = boot_id[0] == '\0';
    for (size_t h = 0; h < first && !seen; h++)
      seen = strcmp(placement->hosts[h].boot_id, boot_id) == 0;
    for (size_t h = first; h < placement->host_count && !seen; h++)
      if (strcmp(placement->hosts[h].boot_id, boot_id) == 0)
        rs_name_list_add(&hosts, placement->hosts[h].hostname);
    if (hosts.count > 1)
      RS_WARN(
          warner,
          "hosts %s are one machine (one boot id): namespaces or containers; what they exchange crosses no network, "
          "so do not take it for a network's\n",
          rs_name_list_end(&hosts));
    rs_text_fini(&hosts.text);
  }
}

static const struct {
  const char *name;
  size_t offset;
  const char *advice;
} equals[] = {
    {"instance type", offsetof(struct rs_host_facts, instance_type), "use one type"},
    {"processor", offsetof(struct rs_host_facts, cpu), "use equal hosts"},
    {"kernel", offsetof(struct rs_host_facts, kernel), "boot one kernel"},
    {"congestion control", offsetof(struct rs_host_facts, congestion_control),
     "set net.ipv4.tcp_congestion_control alike"},
};

static void check_equality(struct rs_warner *warner) {
  for (size_t e = 0; e < RS_ARRAY_LENGTH(equals); e++) {
    struct rs_text values = {0};
    if (rs_host_values_append(warner->view->placement, equals[e].offset, &values) > 1)
      RS_WARN(warner, "hosts differ in their %s: %s; the slowest sets the pace of all: %s, or compare like with like\n",
              equals[e].name, values.data ? values.data : "", equals[e].advice);
    rs_text_fini(&values);
  }
}

size_t rs_placement_warnings(const struct rs_placement_view *view, struct rs_text *text) {
  struct rs_warner warner = {.view = view, .text = text, .set = calloc(view->placement->rank_count + 1, 1)};
  if (warner.set == NULL) {
    text->failed = true;
    return 0;
  }
  check_claim(&warner);
  if (view->fabric == NULL)
    check_machines(&warner);
  rs_strategy_warnings(&warner);
  if (view->fabric == NULL) {
    check_equality(&warner);
    rs_device_warnings(&warner);
  }
  free(warner.set);
  return warner.count;
}
