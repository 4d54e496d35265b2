#include "measure/links.h"

#include "measure/link_probe.h"
#include "measure/transport_choice.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_PAUSE_US 200

// ---- who carries what -------------------------------------------------------------------------------------

static const struct rs_transport *transport_of(const struct link *link) {
  return rs_transports[link->transport];
}

// What carries a case between this rank and a peer.
static const struct rs_transport *carrier(const struct links *links, const struct rs_case *point, size_t peer) {
  const struct rs_rank_facts *ranks = links->params->placement->ranks;
  bool one_host = ranks[peer].host == ranks[links->params->world->rank].host;
  return point->inside && one_host ? point->inside : point->transport;
}

// Whether any rank needs a transport: a host with several ranks its inside, several hosts what is between them. A
// single rank, which needs nothing, takes the inside.
static bool needed(const struct links *links, const struct rs_case *point, const struct rs_transport *transport) {
  const struct rs_placement *placement = links->params->placement;
  if (point->inside == NULL)
    return point->transport == transport;
  bool several_hosts = placement->host_count > 1, shared_host = placement->rank_count > placement->host_count;
  return (point->inside == transport && (shared_host || !several_hosts)) ||
         (point->transport == transport && several_hosts);
}

// The most lanes of the cases that need a transport; 0: none does.
static size_t lanes_needed(const struct links *links, const struct rs_transport *transport) {
  const struct rs_plan *plan = links->params->plan;
  size_t lanes = 0;
  for (size_t i = 0; i < plan->case_count; i++)
    if (needed(links, &plan->cases[i], transport))
      lanes = rs_max_size(lanes, plan->cases[i].lanes);
  return lanes;
}

static void take_peers(const struct links *links, bool *peers) {
  const struct case_setup *setup = links->setup;
  if (setup->algorithm)
    rs_schedule_peers(setup->algorithm, &setup->shape.schedule, setup->shape.rank, setup->role_members, peers);
}

static bool same_schedule(const struct rs_case *a, const struct rs_case *b) {
  return a->algorithm == b->algorithm && a->root == b->root && a->round == b->round && a->congestor == b->congestor &&
         a->inside == b->inside && a->transport == b->transport;
}

// The peers of this rank over a link, of all cases.
static void find_peers(struct links *links, const struct link *link) {
  const struct rs_plan *plan = links->params->plan;
  size_t rank_count = links->params->world->size, rank = links->params->world->rank;
  const struct rs_case *last = NULL;
  memset(links->peers, 0, rank_count * sizeof *links->peers);
  for (size_t i = 0; i < plan->case_count; i++) {
    const struct rs_case *point = &plan->cases[i];
    if (!needed(links, point, transport_of(link)) || link->rail >= point->lanes || (last && same_schedule(point, last)))
      continue;
    last = point;
    case_setup_take(links->setup, point, (uint32_t)rank);
    memset(links->case_peers, 0, rank_count * sizeof *links->case_peers);
    take_peers(links, links->case_peers);
    for (size_t peer = 0; peer < rank_count; peer++)
      links->peers[peer] |= links->case_peers[peer] && carrier(links, point, peer) == transport_of(link);
  }
}

// ---- open and close ---------------------------------------------------------------------------------------

static size_t rails_of(const struct links *links, size_t transport) {
  return rs_transport_rails(rs_transports[transport], links->params->transport_options[transport]);
}

// The links of one transport. A NIC beyond the last lane would carry nothing.
static enum rs_status add_links(struct links *links, size_t transport, struct rs_error *error) {
  const char *name = rs_transports[transport]->name;
  size_t lanes = lanes_needed(links, rs_transports[transport]);
  if (lanes == 0)
    return RS_OK;
  size_t rails = rails_of(links, transport);
  if (rails > RS_RAILS_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "transport %s: %zu NICs are named; a rank uses %d at most", name, rails,
                        RS_RAILS_MAX);
  if (rails > lanes && links->params->world->rank == 0)
    rs_log(links->params->log, RS_LOG_WARNING,
           "transport %s: %zu NICs are named, of which lanes=%zu uses %zu; set lanes=%zu", name, rails, lanes, lanes,
           rails);
  for (size_t rail = 0; rail < rs_min_size(rails, lanes); rail++)
    links->items[links->count++] = (struct link){.transport = transport, .rail = rail};
  return RS_OK;
}

enum rs_status links_init(struct links *links, const struct rs_runner_params *params, struct case_setup *setup,
                          struct rs_error *error) {
  size_t rank_count = params->world->size, most = rs_transport_count * RS_RAILS_MAX;
  *links = (struct links){.params = params, .setup = setup};
  links->items = rs_allocate(most, sizeof *links->items, "links", error);
  links->addresses = rs_allocate(rank_count, RS_ADDRESS_BYTES_MAX, "addresses of all ranks", error);
  links->peers = rs_allocate(rank_count, sizeof *links->peers, "peers", error);
  links->case_peers = rs_allocate(rank_count, sizeof *links->case_peers, "peers", error);
  links->device_of = rs_allocate(rank_count, params->plan->lanes_max * sizeof *links->device_of, "a route", error);
  if (error->status < 0)
    return error->status;
  for (size_t i = 0; i < rs_transport_count; i++)
    if (add_links(links, i, error) < 0)
      return error->status;
  links->rows = rs_allocate(rank_count, links->count * sizeof *links->rows, "links", error);
  return error->status;
}

static void close_link(struct link *link) {
  if (link->device)
    link->device->transport->close(link->device);
  link->device = NULL;
}

void links_fini(struct links *links) {
  for (size_t i = 0; i < links->count; i++)
    close_link(&links->items[i]);
  free(links->items);
  free(links->rows);
  free(links->device_of);
  free(links->addresses);
  free(links->peers);
  free(links->case_peers);
}

static enum rs_status open_link(struct links *links, struct link *link, const uint8_t *token, struct rs_error *error) {
  struct rs_transport_params open =
      transport_params_of(links->params, link->transport, links->params->plan->lanes_max, token);
  open.rail = link->rail;
  return transport_of(link)->open(&open, &link->device, error);
}

static enum rs_status connect_link(struct links *links, struct link *link, struct rs_error *error) {
  struct rs_device *device = link->device;
  uint8_t mine[RS_ADDRESS_BYTES_MAX] = {0};
  find_peers(links, link);
  device->transport->address(device, mine);
  enum rs_status status = rs_world_allgather(links->params->world, mine, sizeof mine, links->addresses, error);
  if (status < 0)
    return status;
  const char *interrupt = NULL;
  while ((status = device->transport->connect(device, links->addresses, links->peers, error)) == RS_IN_PROGRESS &&
         (interrupt = rs_interrupt_take()) == NULL)
    usleep(CONNECT_PAUSE_US);
  if (interrupt)
    status = rs_error_set(error, RS_ERROR_IO, "%s came while ranks were connecting by %s", interrupt,
                          device->transport->name);
  return status;
}

enum rs_status links_open(struct links *links, struct rs_error *error) {
  struct rs_world *world = links->params->world;
  uint8_t token[RS_TOKEN_BYTES] = {0};
  enum rs_status status = world->rank == 0 ? rs_random_bytes(token, sizeof token, error) : RS_OK;
  if (status < 0 || (status = rs_world_broadcast(world, token, sizeof token, 0, error)) < 0)
    return status;
  for (size_t i = 0; i < links->count; i++) {
    struct link *link = &links->items[i];
    if ((status = rs_world_agree(world, open_link(links, link, token, error), error)) < 0 ||
        (status = rs_world_agree(world, connect_link(links, link, error), error)) < 0)
      return status;
  }
  return RS_OK;
}

// ---- probe ------------------------------------------------------------------------------------------------

static enum rs_status probe_link(struct links *links, const struct link *link, const struct clock_source *clock,
                                 const struct clock_line *line, struct rs_error *error) {
  struct rs_limits limits;
  link->device->transport->limits(link->device, &limits);
  if (!limits.moves_data)
    return RS_OK;
  find_peers(links, link);
  struct link_probe_params probe = {
      .world = links->params->world,
      .device = link->device,
      .rail = link->rail,
      .peers = links->peers,
      .clock = clock,
      .line = line,
      .timeout_ns = links->params->config->timeout_ns,
  };
  size_t count = 0;
  enum rs_status status = link_probe(&probe, links->rows + links->row_count, &count, error);
  links->row_count += count;
  return status;
}

// A device that has failed is closed at once, so that peers that wait for it notice.
enum rs_status links_probe(struct links *links, const struct clock_source *clock, const struct clock_line *line,
                           struct rs_error *error) {
  enum rs_status status = RS_OK;
  for (size_t i = 0; i < links->count && status == RS_OK; i++) {
    status = probe_link(links, &links->items[i], clock, line, error);
    if (status < 0)
      close_link(&links->items[i]);
    status = rs_world_agree(links->params->world, status, error);
  }
  return status;
}

// ---- route ------------------------------------------------------------------------------------------------

// The first rail's link, behind which the others stand.
static const struct link *find_link(const struct links *links, const struct rs_transport *transport) {
  const struct link *link = links->items;
  while (transport_of(link) != transport)
    link++;
  return link;
}

// The place of a device in the route, where it is put if it is new.
static uint8_t place_device(struct links *links, struct rs_device *device) {
  size_t i = 0;
  while (i < links->route.device_count && links->devices[i] != device)
    i++;
  if (i == links->route.device_count)
    links->devices[links->route.device_count++] = device;
  return (uint8_t)i;
}

// Only devices that carry something of this rank's are in it: each one costs a look whenever the rank waits.
const struct rs_route *links_route(struct links *links, const struct rs_case *point) {
  size_t rank_count = links->params->world->size;
  if (point->transport == NULL)
    return NULL;
  links->route = (struct rs_route){.rank_count = rank_count, .lanes = point->lanes, .devices = links->devices};
  memset(links->device_of, 0, rank_count * point->lanes * sizeof *links->device_of);
  memset(links->case_peers, 0, rank_count * sizeof *links->case_peers);
  take_peers(links, links->case_peers);
  for (size_t peer = 0; peer < rank_count; peer++) {
    if (!links->case_peers[peer] || peer == links->params->world->rank)
      continue;
    const struct link *first = find_link(links, carrier(links, point, peer));
    size_t rails = rails_of(links, first->transport);
    for (size_t lane = 0; lane < point->lanes; lane++)
      links->device_of[peer * point->lanes + lane] = place_device(links, first[lane % rails].device);
  }
  if (links->route.device_count == 0) { // a rank without a peer
    bool inside = point->inside && needed(links, point, point->inside);
    place_device(links, find_link(links, inside ? point->inside : point->transport)->device);
  }
  if (links->route.device_count > 1)
    links->route.device_of = links->device_of;
  return &links->route;
}
