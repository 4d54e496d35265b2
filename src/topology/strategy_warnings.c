// The strategy that was asked for against what is there. The words are those of the clouds: AWS cluster, partition,
// spread; GCP compact, spread; Azure proximity, zones.
#include "topology/name_list.h"
#include "topology/placement_warnings.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

// ---- together: cluster, compact, proximity ----------------------------------------------------------------

static void check_together(struct rs_warner *warner) {
  static const struct {
    const char *name;
    size_t offset;
  } fields[] = {{"regions", offsetof(struct rs_host_facts, region)},
                {"zones", offsetof(struct rs_host_facts, zone)},
                {"placement groups", offsetof(struct rs_host_facts, placement_group)}};
  const struct rs_placement *placement = warner->view->placement;
  for (size_t f = 0; f < RS_ARRAY_LENGTH(fields); f++) {
    struct rs_text values = {0};
    size_t count = rs_host_values_append(placement, fields[f].offset, &values);
    if (count > 1)
      RS_WARN(warner, "asked for %s, but the hosts are in %zu %s: %s; launch them all into one group\n",
              warner->view->strategy, count, fields[f].name, values.data ? values.data : "");
    rs_text_fini(&values);
  }
  struct rs_name_list outside = {0};
  for (size_t h = 0; h < placement->host_count; h++)
    if (placement->hosts[h].placement_group[0] == '\0')
      rs_name_list_add(&outside, placement->hosts[h].hostname);
  if (outside.count > 0 && outside.count < placement->host_count)
    RS_WARN(warner, "asked for %s, but of %s no placement group is known; launch all hosts into one group\n",
            warner->view->strategy, rs_name_list_end(&outside));
  rs_text_fini(&outside.text);
}

// ---- apart: spread ----------------------------------------------------------------------------------------

static const char *value_of(const struct rs_placement *placement, size_t host, size_t offset) {
  return (const char *)&placement->hosts[host] + offset;
}

// Lists the hosts that have the value of host `first`, unless an earlier host has it too, or it is unknown.
static void list_sharers(const struct rs_placement *placement, size_t first, size_t offset,
                         struct rs_name_list *hosts) {
  const char *value = value_of(placement, first, offset);
  for (size_t h = 0; h < placement->host_count && value[0] != '\0'; h++) {
    if (strcmp(value_of(placement, h, offset), value) != 0)
      continue;
    if (h < first)
      return;
    rs_name_list_add(hosts, placement->hosts[h].hostname);
  }
}

// Warns of the first hosts that share a value, and counts the others.
static void check_apart(struct rs_warner *warner, const char *name, size_t offset) {
  const struct rs_placement *placement = warner->view->placement;
  size_t shared = 0;
  for (size_t first = 0; first < placement->host_count; first++) {
    struct rs_name_list hosts = {0};
    list_sharers(placement, first, offset, &hosts);
    if (hosts.count > 1 && shared++ == 0)
      RS_WARN(warner, "asked for %s, but %s share the %s %s", warner->view->strategy, rs_name_list_end(&hosts), name,
              value_of(placement, first, offset));
    rs_text_fini(&hosts.text);
  }
  if (shared > 1)
    rs_text_append(warner->text, ", and others share %zu more", shared - 1);
  if (shared > 0)
    rs_text_append(warner->text, "; launch them into one spread group\n");
}

static void check_spread(struct rs_warner *warner) {
  check_apart(warner, "physical host", offsetof(struct rs_host_facts, physical_host));
  check_apart(warner, "leaf switch", offsetof(struct rs_host_facts, network_path));
}

// ---- partitions and zones ---------------------------------------------------------------------------------

static void check_partitions(struct rs_warner *warner) {
  const struct rs_placement *placement = warner->view->placement;
  struct rs_name_list unknown = {0};
  bool equal = placement->host_count > 1;
  for (size_t h = 0; h < placement->host_count; h++) {
    if (placement->hosts[h].partition < 0)
      rs_name_list_add(&unknown, placement->hosts[h].hostname);
    equal &= placement->hosts[h].partition == placement->hosts[0].partition;
  }
  if (unknown.count > 0)
    RS_WARN(warner,
            "asked for %s, but the partition of %s is not known; let the instances read their metadata, or give it in "
            "a topology file\n",
            warner->view->strategy, rs_name_list_end(&unknown));
  else if (equal)
    RS_WARN(warner, "asked for %s, but all hosts are in partition %d; launch them into several\n",
            warner->view->strategy, placement->hosts[0].partition);
  rs_text_fini(&unknown.text);
}

static void check_zones(struct rs_warner *warner) {
  struct rs_text values = {0};
  if (rs_host_values_append(warner->view->placement, offsetof(struct rs_host_facts, zone), &values) == 1 &&
      warner->view->placement->host_count > 1)
    RS_WARN(warner, "asked for %s, but the hosts are in one zone: %s; launch them into several\n",
            warner->view->strategy, values.data ? values.data : "");
  rs_text_fini(&values);
}

static const struct {
  const char *name;
  void (*check)(struct rs_warner *warner);
} strategies[] = {
    {"cluster", check_together}, {"compact", check_together}, {"proximity", check_together},   {"spread", check_spread},
    {"zones", check_zones},      {"two-zones", check_zones},  {"partition", check_partitions},
};

void rs_strategy_warnings(struct rs_warner *warner) {
  for (size_t s = 0; warner->view->strategy != NULL && s < RS_ARRAY_LENGTH(strategies); s++)
    if (strcasecmp(warner->view->strategy, strategies[s].name) == 0)
      strategies[s].check(warner);
}
