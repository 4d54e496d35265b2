// Ranks are synchronised along a binomial tree, in the manner of HCA3 (Hunold, Carpen-Amarie, "Hierarchical clock
// synchronization in MPI", CLUSTER 2018): in log2(n) rounds, ranks that know the common time serve those that do not.
//
//     n = 8:   0 serves 4;   0 serves 2, 4 serves 6;   0 serves 1, 2 serves 3, 4 serves 5, 6 serves 7
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

#define TRIPS_MIN 20
#define TRIPS_MAX 200
// Trips without a narrower interval after which more of them are in vain.
#define TRIPS_VAIN 20

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
  int64_t low = INT64_MIN, high = INT64_MAX, inherited = 0, begin = clock_now(source), end = begin;
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
      vain = -1;
    }
    if (answer.common_ns - t1 < high) {
      high = answer.common_ns - t1;
      vain = -1;
    }
    end = t2;
  }
  // The offset drifts while it is measured: the interval belongs to the middle of the measurement, and where clocks
  // drift by more than its width it may even be empty, which the bound then covers.
  int64_t width = high > low ? high - low : low - high;
  *point = (struct clock_point){
      .local_ns = begin + (end - begin) / 2, .offset_ns = low + (high - low) / 2, .bound_ns = width / 2 + inherited};
  request = REQUEST_END;
  return rs_world_send(world, &request, sizeof request, server, error);
}

enum rs_status clock_sync(struct rs_world *world, const struct clock_source *source, struct clock_point *point,
                          struct rs_error *error) {
  struct clock_point own = {.local_ns = clock_now(source)};
  size_t distance = 1;
  while (distance < world->size)
    distance *= 2;
  for (distance /= 2; distance > 0; distance /= 2) {
    enum rs_status status = RS_OK;
    if (world->rank % (2 * distance) == 0 && world->rank + distance < world->size)
      status = serve(world, source, &own, world->rank + distance, error);
    else if (world->rank % (2 * distance) == distance)
      status = ask(world, source, world->rank - distance, &own, error);
    if (status < 0)
      return status;
  }
  *point = own;
  return RS_OK;
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
