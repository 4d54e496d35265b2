// How ranks are bound, and what they talk through: interfaces that lead elsewhere than the ranks think, or differ.
#include "topology/name_list.h"
#include "topology/placement_warnings.h"

#include <inttypes.h>
#include <string.h>

#define VALUES_SHOWN 4

// "ranks 0-3", to free, of those that are set; the marks are cleared for the next question.
static struct rs_text take_ranks(struct rs_warner *warner) {
  struct rs_text ranks = {0};
  rs_rank_list_append(&ranks, warner->set, warner->view->placement->rank_count);
  memset(warner->set, 0, warner->view->placement->rank_count);
  return ranks;
}

static void check_binding(struct rs_warner *warner) {
  const struct rs_placement *placement = warner->view->placement;
  memset(warner->set, 0, placement->rank_count);
  for (size_t r = 0; r < placement->rank_count; r++)
    warner->set[r] = !placement->ranks[r].bound && placement->hosts[placement->ranks[r].host].processing_units > 1;
  struct rs_text ranks = take_ranks(warner);
  if (ranks.length > 0)
    RS_WARN(warner,
            "%s may run on any CPU, so that times depend on where the system puts them; bind them (mpirun "
            "--bind-to core)\n",
            ranks.data);
  rs_text_fini(&ranks);
}

// ---- addresses --------------------------------------------------------------------------------------------

static bool is_valid(const struct rs_warner *warner, const struct rs_rank_device *device) {
  return device->rank < warner->view->placement->rank_count;
}

// Marks the ranks with a device of this reach; true when there are any.
static bool mark_reach(struct rs_warner *warner, enum rs_reach reach) {
  bool any = false;
  for (size_t d = 0; d < warner->view->device_count; d++) {
    const struct rs_rank_device *device = &warner->view->devices[d];
    if (!is_valid(warner, device) || rs_address_reach(device->interface, device->address) != reach)
      continue;
    any = warner->set[device->rank] = true;
  }
  return any;
}

static void check_addresses(struct rs_warner *warner) {
  if (warner->view->placement->host_count < 2)
    return;
  bool has_private = mark_reach(warner, RS_REACH_PRIVATE);
  struct rs_text ranks = take_ranks(warner);
  rs_text_fini(&ranks);
  if (mark_reach(warner, RS_REACH_LOOPBACK)) {
    ranks = take_ranks(warner);
    RS_WARN(warner,
            "%s talk through the loopback interface, though there are other hosts; choose an interface that "
            "leads to them (tcp.interface)\n",
            ranks.data ? ranks.data : "");
    rs_text_fini(&ranks);
  }
  if (has_private && mark_reach(warner, RS_REACH_PUBLIC)) {
    ranks = take_ranks(warner);
    RS_WARN(warner,
            "%s have a public address and others private ones, so that traffic may leave the private network; "
            "choose the private interface (tcp.interface)\n",
            ranks.data ? ranks.data : "");
    rs_text_fini(&ranks);
  }
  memset(warner->set, 0, warner->view->placement->rank_count);
}

// ---- what should be equal ---------------------------------------------------------------------------------

static uint64_t mtu_of(const struct rs_rank_device *device) {
  return device->mtu;
}

static uint64_t speed_of(const struct rs_rank_device *device) {
  return device->speed_mbit;
}

static const struct {
  const char *name, *advice;
  uint64_t (*value)(const struct rs_rank_device *device);
} equals[] = {
    {"MTU", "large segments are cut or dropped on the way: set one MTU", mtu_of},
    {"speed in Mbit/s", "the slowest sets the pace of all: use equal interfaces", speed_of},
};

// Whether devices are of one kind, so that they should be equal: of one transport, and known.
static bool is_kind(const struct rs_warner *warner, const struct rs_rank_device *device, const char *transport,
                    size_t e) {
  return is_valid(warner, device) && strcmp(device->transport, transport) == 0 && equals[e].value(device) > 0 &&
         rs_address_reach(device->interface, device->address) != RS_REACH_LOOPBACK;
}

// Appends "9001 (ranks 0-3), 1500 (rank 4)" for the devices of a transport; returns how many values there are.
static size_t append_values(struct rs_warner *warner, const char *transport, size_t e, struct rs_text *text) {
  const struct rs_rank_device *devices = warner->view->devices;
  size_t values = 0, count = warner->view->device_count;
  for (size_t first = 0; first < count; first++) {
    uint64_t value = equals[e].value(&devices[first]);
    bool seen = !is_kind(warner, &devices[first], transport, e);
    for (size_t d = 0; d < first && !seen; d++)
      seen = is_kind(warner, &devices[d], transport, e) && equals[e].value(&devices[d]) == value;
    if (seen || ++values > VALUES_SHOWN)
      continue;
    for (size_t d = first; d < count; d++)
      if (is_kind(warner, &devices[d], transport, e) && equals[e].value(&devices[d]) == value)
        warner->set[devices[d].rank] = true;
    struct rs_text ranks = take_ranks(warner);
    rs_text_append(text, "%s%" PRIu64 " (%s)", values > 1 ? ", " : "", value, ranks.data ? ranks.data : "");
    rs_text_fini(&ranks);
  }
  return values;
}

static void check_equality(struct rs_warner *warner) {
  const struct rs_rank_device *devices = warner->view->devices;
  for (size_t first = 0; first < warner->view->device_count; first++) {
    bool seen = false;
    for (size_t d = 0; d < first && !seen; d++)
      seen = strcmp(devices[d].transport, devices[first].transport) == 0;
    for (size_t e = 0; e < RS_ARRAY_LENGTH(equals) && !seen; e++) {
      struct rs_text values = {0};
      if (append_values(warner, devices[first].transport, e, &values) > 1)
        RS_WARN(warner, "the interfaces of %s differ in their %s: %s; %s\n", devices[first].transport, equals[e].name,
                values.data ? values.data : "", equals[e].advice);
      rs_text_fini(&values);
    }
  }
}

// ---- locality ---------------------------------------------------------------------------------------------

static void check_locality(struct rs_warner *warner) {
  const struct rs_rank_device *example = NULL;
  for (size_t d = 0; d < warner->view->device_count; d++) {
    const struct rs_rank_device *device = &warner->view->devices[d];
    if (!is_valid(warner, device) || device->numa_node < 0)
      continue;
    int32_t node = warner->view->placement->ranks[device->rank].numa_node;
    if (node < 0 || node == device->numa_node)
      continue;
    warner->set[device->rank] = true;
    example = example ? example : device;
  }
  if (example == NULL)
    return;
  struct rs_text ranks = take_ranks(warner);
  RS_WARN(warner,
          "%s run on another NUMA node than their interface (rank %u on node %d, %s on node %d); bind them near it\n",
          ranks.data ? ranks.data : "", example->rank, warner->view->placement->ranks[example->rank].numa_node,
          example->interface, example->numa_node);
  rs_text_fini(&ranks);
}

void rs_device_warnings(struct rs_warner *warner) {
  check_binding(warner);
  check_addresses(warner);
  check_equality(warner);
  check_locality(warner);
}
