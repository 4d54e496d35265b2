#include "transport/emulated_scale.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SLEEPS 21
#define SLEEP_NS 500000
#define LOOPBACK_NS 20000000
#define LOOPBACK_BYTES ((size_t)64 << 10)
#define LATENESS_TIMES 50
#define LOOPBACK_SHARE 4

// ---- machine ----------------------------------------------------------------------------------------------

static int compare_times(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

// Sleeps as the device does, by timerfd and poll.
static enum rs_status measure_lateness(int64_t *lateness_ns, struct rs_error *error) {
  int64_t late_ns[SLEEPS];
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: timerfd_create");
  for (size_t i = 0; i < SLEEPS; i++) {
    int64_t due_ns = rs_clock_ns() + SLEEP_NS;
    const struct itimerspec at = {.it_value = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    struct pollfd event = {.fd = timer, .events = POLLIN};
    poll(&event, 1, 100);
    late_ns[i] = rs_clock_ns() - due_ns;
  }
  close(timer);
  qsort(late_ns, SLEEPS, sizeof late_ns[0], compare_times);
  *lateness_ns = late_ns[SLEEPS / 2];
  return RS_OK;
}

// Two ends of one TCP connection over loopback; both are to be closed.
static enum rs_status connect_loopback(int ends[2], struct rs_error *error) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  enum rs_status status = RS_OK;
  ends[1] = -1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || ends[0] < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
      listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&address, &length) < 0 ||
      connect(ends[0], (const struct sockaddr *)&address, sizeof address) < 0 ||
      (ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: a connection over loopback, to measure its rate");
  if (status < 0 && ends[0] >= 0)
    close(ends[0]);
  if (listener >= 0)
    close(listener);
  return status;
}

static enum rs_status measure_loopback(double *byte_s, struct rs_error *error) {
  int ends[2];
  uint8_t *data = rs_allocate(LOOPBACK_BYTES, 1, "a buffer to measure loopback with", error);
  if (data == NULL)
    return error->status;
  enum rs_status status = connect_loopback(ends, error);
  if (status < 0)
    goto free_data;
  size_t bytes = 0;
  int64_t start_ns = rs_clock_ns(), now_ns = start_ns;
  do {
    ssize_t sent = send(ends[0], data, LOOPBACK_BYTES, MSG_DONTWAIT | MSG_NOSIGNAL);
    ssize_t got = recv(ends[1], data, LOOPBACK_BYTES, MSG_DONTWAIT);
    if ((sent < 0 && errno != EAGAIN) || got == 0) {
      status = rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: measuring the rate of loopback");
      break;
    }
    bytes += got > 0 ? (size_t)got : 0;
    now_ns = rs_clock_ns();
  } while (now_ns - start_ns < LOOPBACK_NS);
  if (status == RS_OK)
    *byte_s = (double)bytes * 1e9 / (double)(now_ns - start_ns);
  close(ends[0]);
  close(ends[1]);
free_data:
  free(data);
  return status;
}

enum rs_status rs_emulated_machine_measure(struct rs_emulated_machine *machine, struct rs_error *error) {
  struct rs_emulated_machine measured;
  if (measure_lateness(&measured.lateness_ns, error) < 0 || measure_loopback(&measured.loopback_byte_s, error) < 0)
    return error->status;
  *machine = measured;
  return RS_OK;
}

// ---- slowdown ---------------------------------------------------------------------------------------------

void rs_emulated_demand_of(const struct rs_fabric_map *map, struct rs_emulated_demand *demand) {
  const struct rs_placement *placement = map->placement;
  const struct rs_fabric *fabric = map->fabric;
  uint64_t bit_s = fabric->egress_bit_s ? fabric->egress_bit_s : fabric->ingress_bit_s;
  double all_bit_s = (double)bit_s * (double)placement->host_count;
  *demand = (struct rs_emulated_demand){0};
  for (size_t a = 0; a < placement->rank_count; a++)
    for (size_t b = 0; b < a; b++) {
      struct rs_fabric_way way;
      if (placement->host_count > 1 && placement->ranks[a].host == placement->ranks[b].host)
        continue;
      rs_fabric_way(map, a, b, &way);
      if (demand->latency_ns == 0 || way.link->latency_ns < demand->latency_ns)
        demand->latency_ns = way.link->latency_ns;
      // NICs without a limit: as if every rank had one flow at a time.
      if (bit_s == 0 && b == 0)
        all_bit_s += (double)way.link->flow_bit_s;
    }
  demand->byte_s = all_bit_s / 8;
}

static double next_step(double wanted) {
  static const double steps[] = {1, 1.5, 2, 3, 5, 7, 10};
  double decade = 1;
  while (wanted > 10 * decade)
    decade *= 10;
  size_t i = 0;
  while (i + 1 < RS_ARRAY_LENGTH(steps) && steps[i] * decade < wanted)
    i++;
  return steps[i] * decade;
}

double rs_emulated_slowdown(const struct rs_emulated_machine *machine, const struct rs_emulated_demand *demand) {
  double wanted = 1;
  if (demand->latency_ns > 0)
    wanted = fmax(wanted, (double)LATENESS_TIMES * (double)machine->lateness_ns / (double)demand->latency_ns);
  if (machine->loopback_byte_s > 0)
    wanted = fmax(wanted, LOOPBACK_SHARE * demand->byte_s / machine->loopback_byte_s);
  return next_step(wanted);
}
