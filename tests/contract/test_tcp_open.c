// What open takes and refuses: interfaces by name, address and network, port ranges, congestion control, IPv6, and the
// option table itself.
#include "support/contract_cmocka.h"
#include "support/contract_tcp.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/tcp.h"

#define TIMEOUT_NS INT64_C(10000000000)

// Opens one rank of a launch of `rank_count`.
static enum rs_status open_rank(struct contract_tcp *tcp, size_t rank, const struct rs_tcp_options *options,
                                struct rs_error *error) {
  return contract_tcp_add(tcp, rank, 1, options, TIMEOUT_NS, error);
}

static struct rs_tcp_options with_interface(const char *interface) {
  struct rs_tcp_options options = {.streams = 1, .stripe_bytes = 65536};
  strncpy(options.interface.text, interface, sizeof options.interface.text - 1);
  return options;
}

static void loopback_by_every_name(void **state) {
  (void)state;
  static const char *const names[] = {"auto", "", "lo", "127.0.0.1", "127.0.0.1/32", "127.0.0.0/8"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
    struct contract_tcp tcp;
    struct rs_error error = {0};
    struct rs_device_facts facts;
    const struct rs_tcp_options options = with_interface(names[i]);
    contract_tcp_init(&tcp, 1);
    assert_rs_ok(open_rank(&tcp, 0, &options, &error), &error);
    tcp.devices[0]->transport->facts(tcp.devices[0], &facts);
    assert_string_equal(facts.interface, "lo");
    assert_memory_equal(facts.address, "127.0.0.1:", 10);
    assert_true(facts.mtu >= 1280);
    assert_true(facts.congestion[0] != '\0');
    contract_tcp_fini(&tcp);
  }
}

// Bound to the chosen address alone: on another loopback address the port is free.
static void other_addresses_do_not_answer(void **state) {
  (void)state;
  struct contract_tcp tcp;
  struct rs_error error = {0};
  struct rs_device_facts facts;
  const struct rs_tcp_options options = with_interface("lo");
  contract_tcp_init(&tcp, 1);
  assert_rs_ok(open_rank(&tcp, 0, &options, &error), &error);
  tcp.devices[0]->transport->facts(tcp.devices[0], &facts);
  struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
  other.sin_port = htons((uint16_t)atoi(strrchr(facts.address, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)&other, sizeof other), -1);
  close(fd);
  contract_tcp_fini(&tcp);
}

static void unknown_interfaces(void **state) {
  (void)state;
  // 203.0.113.0/24 is for documentation (RFC 5737), so nobody has it.
  static const char *const names[] = {"eth99", "203.0.113.0/24", "127.0.0.1/33", "127.0.0.1/", "127.0.0.1/8x", "::2"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(names); i++) {
    struct contract_tcp tcp;
    struct rs_error error = {0};
    const struct rs_tcp_options options = with_interface(names[i]);
    contract_tcp_init(&tcp, 1);
    assert_rs_error(open_rank(&tcp, 0, &options, &error), &error, RS_ERROR_USAGE, names[i], "lo 127.0.0.1");
    contract_tcp_fini(&tcp);
  }
}

static void ports_within_a_range(void **state) {
  (void)state;
  struct contract_tcp tcp;
  struct rs_error error = {0};
  struct rs_tcp_options options = with_interface("lo");
  // Somebody may have one of the ports, so the first rank looks for a pair of free ones.
  uint64_t low = 20000 + contract_seed() % 10000;
  contract_tcp_init(&tcp, 4);
  options.ports = (struct rs_uint_range){low, low + 1000};
  assert_rs_ok(open_rank(&tcp, 0, &options, &error), &error);
  struct rs_device_facts facts;
  tcp.devices[0]->transport->facts(tcp.devices[0], &facts);
  uint64_t port = strtoull(strrchr(facts.address, ':') + 1, NULL, 10);
  assert_in_range(port, low, low + 1000);

  // With its only port taken, the range is exhausted, and free again after close.
  options.ports = (struct rs_uint_range){port, port};
  char range[32];
  snprintf(range, sizeof range, "tcp.ports=%llu-%llu", (unsigned long long)port, (unsigned long long)port);
  assert_rs_error(open_rank(&tcp, 1, &options, &error), &error, RS_ERROR_USAGE, range, "127.0.0.1", "interface lo");
  contract_tcp_close(&tcp, 0);
  error = (struct rs_error){0};
  assert_rs_ok(open_rank(&tcp, 2, &options, &error), &error);
  contract_tcp_fini(&tcp);
}

static void bad_ports(void **state) {
  (void)state;
  static const struct rs_uint_range ranges[] = {{5000, 4000}, {1, 70000}, {0, 100}};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(ranges); i++) {
    struct contract_tcp tcp;
    struct rs_error error = {0};
    struct rs_tcp_options options = with_interface("lo");
    options.ports = ranges[i];
    contract_tcp_init(&tcp, 1);
    assert_rs_error(open_rank(&tcp, 0, &options, &error), &error, RS_ERROR_USAGE, "tcp.ports=", "1-65535");
    contract_tcp_fini(&tcp);
  }
}

static void congestion_control(void **state) {
  (void)state;
  struct contract_tcp tcp;
  struct rs_error error = {0};
  struct rs_tcp_options options = with_interface("lo");
  strcpy(options.congestion.text, "reno"); // the one that every kernel has
  contract_tcp_init(&tcp, 2);
  for (size_t r = 0; r < 2; r++)
    assert_rs_ok(open_rank(&tcp, r, &options, &error), &error);
  contract_tcp_connect(&tcp, TIMEOUT_NS);
  for (size_t r = 0; r < 2; r++) {
    struct rs_device_facts facts;
    assert_rs_ok(tcp.statuses[r], &tcp.errors[r]);
    tcp.devices[r]->transport->facts(tcp.devices[r], &facts);
    assert_string_equal(facts.congestion, "reno");
  }
  contract_tcp_fini(&tcp);

  strcpy(options.congestion.text, "warp");
  contract_tcp_init(&tcp, 1);
  assert_rs_error(open_rank(&tcp, 0, &options, &error), &error, RS_ERROR_USAGE, "tcp.congestion=warp", "reno");
  contract_tcp_fini(&tcp);
}

static void traffic_over_ipv6(void **state) {
  (void)state;
  const struct rs_tcp_options options = with_interface("::1/128");
  const struct contract_variant variant = {"tcp over IPv6", rs_transport_find("tcp"), &options};
  struct contract_group group;
  struct rs_error error = {0};
  if (contract_group_open(&variant, 3, 2, &group, &error) < 0) {
    if (strstr(error.text, "no interface of this host fits")) {
      print_message("this host has no ::1: skipped\n");
      skip();
    }
    fail_msg("%s", error.text);
  }
  struct rs_device_facts facts;
  variant.transport->facts(group.devices[0], &facts);
  assert_memory_equal(facts.address, "[::1]:", 6);
  const struct contract_traffic traffic = {.seed = contract_seed(), .messages = 10, .bytes_max = 1 << 17};
  assert_rs_ok(contract_traffic_run(&group, &traffic, &error), &error);
  contract_group_close(&group);
}

static void defaults_of_the_table(void **state) {
  (void)state;
  struct rs_tcp_options options;
  struct rs_error error = {0};
  memset(&options, 0xff, sizeof options);
  const struct rs_option_group groups[] = {{"tcp", rs_transport_tcp.options, &options}};
  const struct rs_options all = {groups, 1};
  assert_int_equal(rs_transport_tcp.option_bytes, sizeof options);
  assert_rs_ok(rs_options_set_defaults(&all, &error), &error);
  assert_string_equal(options.interface.text, "auto");
  assert_int_equal(options.ports.high, 0);
  assert_int_equal(options.streams, 1);
  assert_int_equal(options.stripe_bytes, 65536);
  assert_string_equal(options.congestion.text, "");
  assert_int_equal(options.send_buffer_bytes, 0);
  assert_int_equal(options.receive_buffer_bytes, 0);
  assert_rs_ok(rs_options_set(&all, "--set", "tcp.ports", "4000-4010", &error), &error);
  assert_int_equal(options.ports.low, 4000);
  assert_int_equal(options.ports.high, 4010);
  assert_int_equal(rs_options_set(&all, "--set", "tcp.streams", "17", &error), RS_ERROR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loopback_by_every_name),
      cmocka_unit_test(other_addresses_do_not_answer),
      cmocka_unit_test(unknown_interfaces),
      cmocka_unit_test(ports_within_a_range),
      cmocka_unit_test(bad_ports),
      cmocka_unit_test(congestion_control),
      cmocka_unit_test(traffic_over_ipv6),
      cmocka_unit_test(defaults_of_the_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
