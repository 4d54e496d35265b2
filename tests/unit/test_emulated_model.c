// The arithmetic of the emulated transport in time that the test makes: rates and latencies come out exactly, flows
// share fairly, a late process changes nothing.
#include "transport/emulated_model.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define US_PS INT64_C(1000000)
#define GBIT UINT64_C(1000000000)
#define FLOWS_MAX 16
#define MIB ((size_t)1 << 20)

// A map of four hosts in two racks, of two ranks each.
struct network {
  struct rs_fabric fabric;
  struct rs_placement placement;
  struct rs_fabric_map map;
  struct rs_emulated_queue queues[64];
};

static const struct rs_fabric plain = {
    .name = {"plain"},
    .zones = 1,
    .racks = 2,
    .hosts = 2,
    .ranks = 2,
    .egress_bit_s = 10 * GBIT,
    .ingress_bit_s = 10 * GBIT,
    .mtu = 1500,
    .retransmit_ns = 300000,
    .links = {[RS_DISTANCE_HOST] = {.latency_ns = 1000},
              [RS_DISTANCE_LEAF] = {.latency_ns = 10000},
              [RS_DISTANCE_SPINE] = {.latency_ns = 30000}},
};

static void network_open(struct network *network, const struct rs_fabric *fabric) {
  struct rs_error error = {0};
  memset(network, 0, sizeof *network);
  network->fabric = *fabric;
  if (rs_fabric_place(&network->fabric, 8, NULL, &network->placement, &error) < 0 ||
      rs_fabric_map_open(&network->fabric, &network->placement, &network->map, &error) < 0)
    fail_msg("%s", error.text);
  assert_true(network->map.queue_count <= RS_ARRAY_LENGTH(network->queues));
}

static void network_close(struct network *network) {
  rs_fabric_map_fini(&network->map);
  rs_placement_fini(&network->placement);
}

// One message of a flow, and what becomes of it.
struct message {
  size_t source, target, bytes;
  int64_t ready_ps;
  // Found.
  int64_t left_ps, due_ps;
  struct rs_emulated_path path;
  struct rs_emulated_flow flow;
  struct rs_emulated_quantum *quanta;
  size_t sent, quantum_count, received;
};

static struct message message(size_t source, size_t target, size_t bytes) {
  return (struct message){.source = source, .target = target, .bytes = bytes};
}

// What happens next to a message, a quantum that may be sent or one that arrives, and when its process acts on it: at
// the next multiple of `step_ps`.
static int64_t next_time(const struct message *message, bool *sends, int64_t step_ps) {
  int64_t send_ps = INT64_MAX, receive_ps = INT64_MAX;
  if (message->sent < message->bytes) {
    send_ps = rs_emulated_flow_next(&message->flow, &message->path);
    send_ps = send_ps > message->ready_ps ? send_ps : message->ready_ps;
  }
  if (message->received < message->quantum_count)
    receive_ps = message->quanta[message->received].head_ps;
  *sends = send_ps < receive_ps;
  int64_t next_ps = *sends ? send_ps : receive_ps;
  return next_ps == INT64_MAX ? next_ps : (next_ps + step_ps - 1) / step_ps * step_ps;
}

// All messages to their ends, in the order of time. Processes look at the clock every step_ps only.
static void run(struct network *network, struct message *messages, size_t count, double slowdown, int64_t step_ps) {
  for (size_t i = 0; i < count; i++) {
    struct message *m = &messages[i];
    rs_emulated_path_init(&m->path, &network->map, m->source, m->target, slowdown, network->queues, 256);
    rs_emulated_flow_init(&m->flow, &m->path, i + 1);
    rs_emulated_flow_begin(&m->flow, &m->path);
    m->quanta = calloc(m->bytes / m->path.quantum_bytes + 1, sizeof *m->quanta);
    assert_non_null(m->quanta);
  }
  for (;;) {
    struct message *first = NULL;
    int64_t first_ps = INT64_MAX;
    bool first_sends = false;
    for (size_t i = 0; i < count; i++) {
      bool sends;
      int64_t next_ps = next_time(&messages[i], &sends, step_ps);
      if (next_ps < first_ps) {
        first = &messages[i];
        first_ps = next_ps;
        first_sends = sends;
      }
    }
    if (first == NULL)
      break;
    if (first_sends) {
      size_t bytes = rs_min_size(first->path.quantum_bytes, first->bytes - first->sent);
      first->left_ps =
          rs_emulated_send(&first->flow, &first->path, first->ready_ps, bytes, &first->quanta[first->quantum_count++]);
      first->sent += bytes;
    } else {
      int64_t due_ps = rs_emulated_receive(&first->path, &first->quanta[first->received++]);
      first->due_ps = due_ps > first->due_ps ? due_ps : first->due_ps;
    }
  }
  for (size_t i = 0; i < count; i++)
    free(messages[i].quanta);
}

static void assert_near(int64_t found_ps, int64_t expected_ps, int64_t tolerance_ps) {
  if (llabs(found_ps - expected_ps) > tolerance_ps)
    fail_msg("found %" PRId64 " ps where %" PRId64 " +- %" PRId64 " was expected", found_ps, expected_ps, tolerance_ps);
}

// Each quantum is rounded up to a picosecond in each queue.
#define ROUNDING_PS 20000

// ---- one message on an idle fabric ------------------------------------------------------------------------

// Latency plus size over the least rate, wherever that is: what rs_fabric_message_ps says.
static void alone(void **state) {
  (void)state;
  static const struct {
    uint64_t egress, ingress, flow;
    double rack, slowdown;
  } rows[] = {{10, 10, 0, 0, 1}, {10, 2, 0, 0, 1}, {2, 10, 0, 0, 1},    {10, 10, 3, 0, 1},
              {0, 0, 3, 0, 1},   {0, 0, 0, 0, 1},  {10, 10, 0, 8, 1},   {10, 10, 3, 0, 37},
              {0, 4, 0, 0, 1},   {4, 0, 0, 0, 1},  {400, 100, 0, 0, 1}, {100, 100, 0, 4, 1000}};
  static const size_t targets[] = {1, 2, 4}, sizes[] = {1, 1000, 65536, 65537, 10 * MIB};
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
    for (size_t t = 0; t < RS_ARRAY_LENGTH(targets); t++)
      for (size_t s = 0; s < RS_ARRAY_LENGTH(sizes); s++) {
        struct network network;
        struct rs_fabric fabric = plain;
        fabric.egress_bit_s = rows[r].egress * GBIT;
        fabric.ingress_bit_s = rows[r].ingress * GBIT;
        fabric.rack_oversubscription = rows[r].rack;
        fabric.links[RS_DISTANCE_LEAF].flow_bit_s = fabric.links[RS_DISTANCE_SPINE].flow_bit_s = rows[r].flow * GBIT;
        network_open(&network, &fabric);
        struct message one = message(0, targets[t], sizes[s]);
        run(&network, &one, 1, rows[r].slowdown, 1);
        double expected_ps = rows[r].slowdown * (double)rs_fabric_message_ps(&network.map, 0, targets[t], sizes[s]);
        assert_near(one.due_ps, (int64_t)expected_ps, (int64_t)(ROUNDING_PS + 1e-6 * expected_ps));
        network_close(&network);
      }
}

// A send is done when its last byte has left: no latency in it, and what is slower behind the NIC does not show.
static void send_leaves_at_the_rate_of_the_egress(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.ingress_bit_s = GBIT;
  network_open(&network, &fabric);
  struct message one = message(0, 2, 10 * MIB);
  run(&network, &one, 1, 1, 1);
  assert_near(one.left_ps, rs_fabric_serial_ps(10 * MIB, 10 * GBIT), ROUNDING_PS);
  network_close(&network);
}

// ---- sharing ----------------------------------------------------------------------------------------------

// Messages that begin together and share one queue end together, and the queue is never idle.
static void check_shared(struct message *messages, size_t count, uint64_t bit_s, int64_t latency_ps, bool fair) {
  int64_t last_ps = 0, all = 0;
  for (size_t i = 0; i < count; i++) {
    all += (int64_t)messages[i].bytes;
    last_ps = messages[i].due_ps > last_ps ? messages[i].due_ps : last_ps;
  }
  int64_t whole_ps = rs_fabric_serial_ps((uint64_t)all, bit_s);
  assert_near(last_ps, latency_ps + whole_ps, ROUNDING_PS * 2);
  // A flow is ahead of another by what it may claim at once, at most.
  int64_t lead_ps = messages[0].path.ahead_ps * 2 + 2 * (int64_t)count * US_PS * 60;
  for (size_t i = 0; i < count && fair; i++)
    assert_near(messages[i].due_ps, last_ps, lead_ps);
}

static void egress_is_shared(void **state) {
  (void)state;
  struct network network;
  network_open(&network, &plain);
  // Two ranks of a host, to different hosts.
  struct message messages[] = {message(0, 2, 40 * MIB), message(1, 3, 40 * MIB)};
  run(&network, messages, 2, 1, 1);
  check_shared(messages, 2, 10 * GBIT, 10 * US_PS, true);
  network_close(&network);
}

static void short_message_passes_a_long_one(void **state) {
  (void)state;
  struct network network;
  network_open(&network, &plain);
  struct message messages[] = {message(0, 2, 40 * MIB), message(1, 3, 8)};
  messages[1].ready_ps = 5000 * US_PS;
  run(&network, messages, 2, 1, 1);
  int64_t taken_ps = messages[1].due_ps - messages[1].ready_ps;
  assert_true(taken_ps < 10 * US_PS + messages[0].path.ahead_ps + 120 * US_PS);
  assert_near(messages[0].due_ps, 10 * US_PS + rs_fabric_serial_ps(40 * MIB, 10 * GBIT), ROUNDING_PS + 10000);
  network_close(&network);
}

// n senders, one NIC: the ingress is the bottleneck, and its order is that of arrival.
static void incast(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.links[RS_DISTANCE_SPINE].latency_ns = 10000;
  network_open(&network, &fabric);
  struct message messages[] = {message(2, 0, 20 * MIB), message(4, 0, 20 * MIB), message(6, 1, 20 * MIB)};
  run(&network, messages, 3, 1, 1);
  check_shared(messages, 3, 10 * GBIT, 10 * US_PS, true);
  // The senders' NICs are not held up by it.
  for (size_t i = 0; i < 3; i++)
    assert_near(messages[i].left_ps, rs_fabric_serial_ps(20 * MIB, 10 * GBIT), ROUNDING_PS);
  network_close(&network);
}

// What comes from near does not wait for what is still on its way from afar.
static void near_does_not_wait_for_far(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.links[RS_DISTANCE_SPINE].latency_ns = 10000000;
  network_open(&network, &fabric);
  struct message messages[] = {message(4, 0, 10 * MIB), message(2, 0, 1 * MIB)};
  messages[1].ready_ps = 100 * US_PS;
  run(&network, messages, 2, 1, 1);
  assert_near(messages[1].due_ps, 110 * US_PS + rs_fabric_serial_ps(MIB, 10 * GBIT), ROUNDING_PS);
  assert_near(messages[0].due_ps, 10000 * US_PS + rs_fabric_serial_ps(10 * MIB, 10 * GBIT), ROUNDING_PS);
  network_close(&network);
}

// Two hosts of a rack behind an uplink of half their rate; and both directions at once.
static void layer_is_shared(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.rack_oversubscription = 2;
  network_open(&network, &fabric);
  struct message messages[] = {message(0, 4, 20 * MIB), message(2, 6, 20 * MIB)};
  run(&network, messages, 2, 1, 1);
  check_shared(messages, 2, 10 * GBIT, 30 * US_PS, true);
  network_close(&network);
  // Inside the rack nothing of it is met, and the other direction is another queue.
  network_open(&network, &fabric);
  struct message apart[] = {message(0, 2, 20 * MIB), message(2, 6, 20 * MIB), message(6, 0, 20 * MIB)};
  run(&network, apart, 3, 1, 1);
  assert_near(apart[1].due_ps, 30 * US_PS + rs_fabric_serial_ps(20 * MIB, 10 * GBIT), ROUNDING_PS);
  network_close(&network);
}

// Flows with a rate of their own leave the rest of the NIC to others.
static void paced_flows_leave_room(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.links[RS_DISTANCE_SPINE].flow_bit_s = GBIT;
  network_open(&network, &fabric);
  struct message messages[] = {message(0, 4, 5 * MIB), message(1, 6, 5 * MIB), message(0, 2, 8)};
  messages[2].ready_ps = 7777 * US_PS;
  run(&network, messages, 3, 1, 1);
  for (size_t i = 0; i < 2; i++)
    assert_near(messages[i].due_ps, 30 * US_PS + rs_fabric_serial_ps(5 * MIB, GBIT), 60 * US_PS);
  // A quantum of each of the others may be before it.
  assert_true(messages[2].due_ps - messages[2].ready_ps < 10 * US_PS + 20 * US_PS);
  network_close(&network);
}

// ---- late processes ---------------------------------------------------------------------------------------

// Ranks that look at the clock every 80 us only: messages get the same rates.
static void late_processes_do_not_slow_it_down(void **state) {
  (void)state;
  struct network network;
  network_open(&network, &plain);
  struct message messages[] = {message(0, 2, 40 * MIB), message(1, 3, 40 * MIB), message(4, 2, 40 * MIB)};
  run(&network, messages, 3, 1, 80 * US_PS);
  int64_t whole_ps = rs_fabric_serial_ps(120 * MIB, 10 * GBIT);
  for (size_t i = 0; i < 3; i++)
    assert_true(messages[i].due_ps < 30 * US_PS + whole_ps + 80 * US_PS);
  network_close(&network);
  network_open(&network, &plain);
  struct message one = message(0, 2, 40 * MIB);
  run(&network, &one, 1, 1, 1000 * US_PS);
  assert_near(one.due_ps, 10 * US_PS + rs_fabric_serial_ps(40 * MIB, 10 * GBIT), ROUNDING_PS);
  network_close(&network);
}

// ---- jitter and loss --------------------------------------------------------------------------------------

// Over many messages of 8 bytes the mean is that of the distribution; heads of a flow keep their order.
static void jitter_has_its_mean_and_keeps_order(void **state) {
  (void)state;
  static const double means_us[] = {[RS_JITTER_NONE] = 0, 20, 40, 40};
  for (uint64_t shape = RS_JITTER_NONE; shape <= RS_JITTER_LOGNORMAL; shape++) {
    struct network network;
    struct rs_fabric fabric = plain;
    fabric.links[RS_DISTANCE_LEAF].jitter = shape;
    fabric.links[RS_DISTANCE_LEAF].jitter_ns = 40000;
    network_open(&network, &fabric);
    struct rs_emulated_path path;
    struct rs_emulated_flow flow;
    rs_emulated_path_init(&path, &network.map, 0, 2, 3, network.queues, 256);
    rs_emulated_flow_init(&flow, &path, 11);
    double sum_us = 0;
    enum { MESSAGES = 20000 };
    int64_t gap_ps = 10000 * US_PS, head_ps = 0;
    for (int64_t i = 0; i < MESSAGES; i++) {
      struct rs_emulated_quantum quantum;
      rs_emulated_flow_begin(&flow, &path);
      rs_emulated_send(&flow, &path, i * gap_ps, 8, &quantum);
      assert_true(quantum.head_ps >= head_ps && quantum.tail_ps >= quantum.head_ps);
      head_ps = quantum.head_ps;
      sum_us += (double)(quantum.head_ps - i * gap_ps - 3 * 10 * US_PS) / (double)US_PS;
    }
    double mean_us = sum_us / MESSAGES / 3;
    if (fabs(mean_us - means_us[shape]) > 0.03 * means_us[shape] + 1e-6)
      fail_msg("%s: a mean of %g us where %g was expected", rs_jitter_names[shape], mean_us, means_us[shape]);
    // Without gaps draws come out of order, and messages must not.
    for (int64_t i = 0; i < 1000; i++) {
      struct rs_emulated_quantum quantum;
      rs_emulated_flow_begin(&flow, &path);
      rs_emulated_send(&flow, &path, 0, 8, &quantum);
      assert_true(quantum.head_ps >= head_ps);
      head_ps = quantum.head_ps;
    }
    network_close(&network);
  }
}

// Every lost packet costs its flow one pause, and there are as many as the probability says.
static void loss_costs_pauses(void **state) {
  (void)state;
  static const double losses[] = {0, 1e-4, 1e-2, 1};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(losses); i++) {
    struct network network;
    struct rs_fabric fabric = plain;
    fabric.links[RS_DISTANCE_LEAF].loss = losses[i];
    network_open(&network, &fabric);
    struct message one = message(0, 2, 150000000); // 100,000 packets
    run(&network, &one, 1, 1, 1);
    double excess_ps = (double)(one.due_ps - 10 * US_PS - rs_fabric_serial_ps(one.bytes, 10 * GBIT));
    double lost = excess_ps / (300.0 * US_PS), expected = losses[i] * 1e5;
    // Quanta are not whole packets, so there are a few more of those.
    if (fabs(lost - expected) > 5 * sqrt(expected) + 0.05 * expected + 0.01)
      fail_msg("loss %g: %g packets where %g were expected", losses[i], lost, expected);
    if (fabs(lost - round(lost)) > 0.01 + 0.3 * (losses[i] > 0))
      fail_msg("loss %g: %g packets are no whole number", losses[i], lost);
    network_close(&network);
  }
}

// A loss on one flow does not delay the others.
static void loss_is_of_its_flow(void **state) {
  (void)state;
  struct network network;
  struct rs_fabric fabric = plain;
  fabric.links[RS_DISTANCE_SPINE].loss = 1e-2;
  network_open(&network, &fabric);
  struct message messages[] = {message(0, 4, 10 * MIB), message(1, 2, 10 * MIB)};
  run(&network, messages, 2, 1, 1);
  assert_true(messages[0].due_ps > 20000 * US_PS);
  assert_true(messages[1].due_ps < 30 * US_PS + rs_fabric_serial_ps(20 * MIB, 10 * GBIT));
  network_close(&network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alone),
      cmocka_unit_test(send_leaves_at_the_rate_of_the_egress),
      cmocka_unit_test(egress_is_shared),
      cmocka_unit_test(short_message_passes_a_long_one),
      cmocka_unit_test(incast),
      cmocka_unit_test(near_does_not_wait_for_far),
      cmocka_unit_test(layer_is_shared),
      cmocka_unit_test(paced_flows_leave_room),
      cmocka_unit_test(late_processes_do_not_slow_it_down),
      cmocka_unit_test(jitter_has_its_mean_and_keeps_order),
      cmocka_unit_test(loss_costs_pauses),
      cmocka_unit_test(loss_is_of_its_flow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
