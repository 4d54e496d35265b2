// Ranks are synchronised from the top down, in the manner of HCA3 (Hunold, Carpen-Amarie, "Hierarchical clock
// synchronization in MPI", CLUSTER 2018): first the leaders of the machines along a binomial tree, in log2(machines)
// rounds, in which those that know the common time serve those that do not;
//
//     8 machines:   0 serves 4;   0 serves 2, 4 serves 6;   0 serves 1, 2 serves 3, 4 serves 5, 6 serves 7
//
// then each leader serves the ranks of its machine, one after the other, so that no two measurements compete for the
// cores of a machine.
//
// One measurement is a number of ping-pongs. The server answers each ping with the common time. With t1, t2 the
// client's local times around one ping-pong and g the answer, nothing travels backwards in time, so
//
//     g - t2  <=  offset  <=  g - t1.
//
// Every ping-pong narrows this interval from both sides (Marzullo, Owicki 1983), and the fastest ping and the fastest
// pong need not belong to the same trip. The middle is the estimate, half the width a bound that holds for any network.
// HCA3 fits the drift inside one measurement; here it is the slope between two syncs, which lie much further apart.
#include "measure/clock_sync.h"

#define TRIPS_MIN 60
#define TRIPS_MAX 600
// Trips without a narrower interval after which more of them are in vain.
#define TRIPS_VAIN 60
// Two clocks run apart by this at most; crystals are specified at 20 to 100 ppm each.
#define DRIFT_MAX 200e-6

static int64_t monotonic(const void *state) {
  (void)state;
  return rs_clock_ns();
}

const struct clock_source clock_source_monotonic = {monotonic, NULL};

// What the client asks for, and what it gets.
enum request { REQUEST_TIME, REQUEST_END };
struct answer {
  int64_t common_ns, bound_ns;
};

static enum rs_status serve(struct rs_world *world, const struct clock_source *source, const struct clock_point *own,
                            size_t client, struct rs_error *error) {
  for (;;) {
    uint8_t request;
    if (rs_world_receive(world, &request, sizeof request, client, error) < 0)
      return error->status;
    if (request == REQUEST_END)
      return RS_OK;
    struct answer answer = {clock_now(source) + own->offset_ns, own->bound_ns};
    if (rs_world_send(world, &answer, sizeof answer, client, error) < 0)
      return error->status;
  }
}

static enum rs_status ask(struct rs_world *world, const struct clock_source *source, size_t server,
                          struct clock_point *point, struct rs_error *error) {
  uint8_t request = REQUEST_TIME;
  int64_t low = INT64_MIN, high = INT64_MAX, low_at = 0, high_at = 0, inherited = 0;
  for (int trips = 0, vain = 0; trips < TRIPS_MAX && (trips < TRIPS_MIN || vain < TRIPS_VAIN); trips++, vain++) {
    struct answer answer;
    int64_t t1 = clock_now(source);
    if (rs_world_send(world, &request, sizeof request, server, error) < 0 ||
        rs_world_receive(world, &answer, sizeof answer, server, error) < 0)
      return error->status;
    int64_t t2 = clock_now(source);
    inherited = answer.bound_ns;
    if (answer.common_ns - t2 > low) {
      low = answer.common_ns - t2;
      low_at = t2;
      vain = -1;
    }
    if (answer.common_ns - t1 < high) {
      high = answer.common_ns - t1;
      high_at = t1;
      vain = -1;
    }
  }
  // The clocks drift between the two best trips. Their middle is the offset in the middle of that time, and the bound
  // takes in how far the worst allowed drift leads in the half of it.
  int64_t apart = high_at > low_at ? high_at - low_at : low_at - high_at;
  int64_t width = high > low ? high - low : 0;
  *point = (struct clock_point){.local_ns = low_at + (high_at - low_at) / 2,
                                .offset_ns = low + (high - low) / 2,
                                .bound_ns = width / 2 + (int64_t)((double)apart / 2 * DRIFT_MAX) + inherited};
  request = REQUEST_END;
  return rs_world_send(world, &request, sizeof request, server, error);
}

static uint32_t machine_of(const uint32_t *machines, size_t rank) {
  return machines ? machines[rank] : 0;
}

// The lowest rank of a machine. Looked for each time: memory that cannot be had here would leave the others waiting.
static size_t leader_of(const uint32_t *machines, size_t machine) {
  size_t rank = 0;
  while (machine_of(machines, rank) != machine)
    rank++;
  return rank;
}

static enum rs_status sync_leaders(struct rs_world *world, const struct clock_source *source, const uint32_t *machines,
                                   size_t machine_count, struct clock_point *own, struct rs_error *error) {
  size_t mine = machine_of(machines, world->rank), distance = 1;
  while (distance < machine_count)
    distance *= 2;
  for (distance /= 2; distance > 0; distance /= 2) {
    enum rs_status status = RS_OK;
    if (mine % (2 * distance) == 0 && mine + distance < machine_count)
      status = serve(world, source, own, leader_of(machines, mine + distance), error);
    else if (mine % (2 * distance) == distance)
      status = ask(world, source, leader_of(machines, mine - distance), own, error);
    if (status < 0)
      return status;
  }
  return RS_OK;
}

enum rs_status clock_sync(struct rs_world *world, const struct clock_source *source, const uint32_t *machines,
                          struct clock_point *point, struct rs_error *error) {
  size_t machine_count = 0;
  for (size_t r = 0; r < world->size; r++)
    machine_count = rs_max_size(machine_count, machine_of(machines, r) + 1);
  struct clock_point own = {.local_ns = clock_now(source)};
  uint32_t machine = machine_of(machines, world->rank);
  size_t leader = leader_of(machines, machine);
  enum rs_status status = RS_OK;
  if (world->rank == leader) {
    status = sync_leaders(world, source, machines, machine_count, &own, error);
    for (size_t r = leader + 1; r < world->size && status == RS_OK; r++)
      if (machine_of(machines, r) == machine)
        status = serve(world, source, &own, r, error);
  } else {
    status = ask(world, source, leader, &own, error);
  }
  if (status == RS_OK)
    *point = own;
  return status;
}

// Offsets are differences of clocks that may stand years apart, while the line's slope is below 1e-3: the product is
// taken in double on the small parts only, so that nothing is lost.
static int64_t offset_at(const struct clock_line *line, int64_t local_ns) {
  int64_t span = line->last.local_ns - line->first.local_ns;
  if (span <= 0)
    return line->last.offset_ns;
  double slope = (double)(line->last.offset_ns - line->first.offset_ns) / (double)span;
  double moved = slope * (double)(local_ns - line->last.local_ns);
  return line->last.offset_ns + (int64_t)(moved < 0 ? moved - 0.5 : moved + 0.5);
}

int64_t clock_to_common(const struct clock_line *line, int64_t local_ns) {
  return local_ns + offset_at(line, local_ns);
}

int64_t clock_to_local(const struct clock_line *line, int64_t common_ns) {
  // The offset at a slightly wrong local time is wrong by drift x error: twice is enough below 1000 ppm.
  int64_t local = common_ns - line->last.offset_ns;
  local = common_ns - offset_at(line, local);
  return common_ns - offset_at(line, local);
}
