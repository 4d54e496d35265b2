// What the network check makes of what ranks found: which troubles, host by host, in which words, and the advice.
#include "support/contract_cmocka.h"

#include "ringside/transport.h"

#define RANKS 4
#define SECOND_NS INT64_C(1000000000)

// Two hosts with two ranks each, and nothing wrong.
struct network {
  struct rs_host_facts hosts[2];
  struct rs_rank_facts ranks[RANKS];
  struct rs_placement placement;
  struct rs_network_end ends[RANKS];
  struct rs_network_link links[RANKS][RANKS]; // [from][to]
};

static void network_init(struct network *network) {
  *network = (struct network){0};
  network->placement = (struct rs_placement){2, RANKS, network->hosts, network->ranks};
  for (size_t h = 0; h < 2; h++) {
    snprintf(network->hosts[h].hostname, sizeof network->hosts[h].hostname, "h%zu", h);
    snprintf(network->hosts[h].boot_id, sizeof network->hosts[h].boot_id, "boot-%zu", h);
  }
  for (size_t r = 0; r < RANKS; r++) {
    network->ranks[r].host = (uint32_t)(r / 2);
    network->ends[r] = (struct rs_network_end){
        .interface = "eth0", .port = (uint32_t)(40000 + r % 2), .prefix_bits = 24, .mtu = 9001, .clock_ns = SECOND_NS};
    snprintf(network->ends[r].address, sizeof network->ends[r].address, "10.0.0.%zu", 1 + r / 2);
  }
  network->links[0][2].mtu = network->links[2][0].mtu = 9001;
}

static void judge(const struct network *network, struct rs_network_findings *findings) {
  struct rs_error error = {0};
  assert_rs_ok(rs_network_judge(&network->placement, network->ends, network->links[0], 4 * SECOND_NS, findings, &error),
               &error);
}

static void expect(const struct rs_network_findings *findings, size_t index, enum rs_network_trouble trouble,
                   uint32_t rank, uint32_t peer, uint32_t pairs, const char *words) {
  assert_true(index < findings->count);
  const struct rs_network_finding *finding = &findings->items[index];
  assert_int_equal(finding->trouble, trouble);
  assert_int_equal(finding->rank, rank);
  assert_int_equal(finding->peer, peer);
  assert_int_equal(finding->pairs, pairs);
  if (strstr(finding->words, words) == NULL)
    fail_msg("no \"%s\" in: %s", words, finding->words);
}

// Judges, expects this one finding, and no other.
static void expect_one(const struct network *network, enum rs_network_trouble trouble, uint32_t rank, uint32_t peer,
                       uint32_t pairs, const char *words) {
  struct rs_network_findings findings;
  judge(network, &findings);
  expect(&findings, 0, trouble, rank, peer, pairs, words);
  assert_int_equal(findings.count, 1);
  rs_network_findings_fini(&findings);
}

static void nothing_wrong(void **state) {
  (void)state;
  struct network network;
  struct rs_network_findings findings;
  struct rs_text praise = {0};
  network_init(&network);
  judge(&network, &findings);
  assert_int_equal(findings.count, 0);
  rs_network_praise(&network.placement, network.ends, network.links[0], &praise);
  assert_string_equal(praise.data, "MTU 9001 both ways, private addresses of 1 subnet, clocks within a second");
  rs_text_fini(&praise);

  // Other subnets are no trouble, and are told.
  strcpy(network.ends[2].address, "10.0.1.2");
  strcpy(network.ends[3].address, "10.0.1.2");
  judge(&network, &findings);
  assert_int_equal(findings.count, 0);
  rs_network_praise(&network.placement, network.ends, network.links[0], &praise);
  assert_non_null(strstr(praise.data, "addresses of 2 subnets"));
  rs_text_fini(&praise);
}

// Four pairs of ranks, one rule of one host.
static void dropped_one_way(void **state) {
  (void)state;
  struct network network;
  network_init(&network);
  for (size_t from = 0; from < 2; from++)
    for (size_t to = 2; to < 4; to++)
      network.links[from][to].state = RS_LINK_NO_ANSWER;
  expect_one(&network, RS_TROUBLE_NO_ANSWER, 0, 2, 4, "no answer in 4 s; the other way is open");
  network.links[2][0].state = RS_LINK_NO_ANSWER;
  struct rs_network_findings findings;
  judge(&network, &findings);
  assert_int_equal(findings.count, 2);
  expect(&findings, 0, RS_TROUBLE_NO_ANSWER, 0, 2, 4, "no answer in 4 s");
  assert_null(strstr(findings.items[0].words, "the other way"));
  expect(&findings, 1, RS_TROUBLE_NO_ANSWER, 2, 0, 1, "no answer");
  rs_network_findings_fini(&findings);
}

static void every_end_of_a_connection(void **state) {
  (void)state;
  static const struct {
    enum rs_network_link_state link;
    int code;
    enum rs_network_trouble trouble;
    const char *words;
  } cases[] = {
      {RS_LINK_REFUSED, 111, RS_TROUBLE_REFUSED, "connection refused"},
      {RS_LINK_UNREACHABLE, 113, RS_TROUBLE_UNREACHABLE, "No route to host"},
      {RS_LINK_CLOSED, 104, RS_TROUBLE_HANDSHAKE, "reset by peer"},
      {RS_LINK_CLOSED, 0, RS_TROUBLE_HANDSHAKE, "by the other side"},
      {RS_LINK_SILENT, 0, RS_TROUBLE_HANDSHAKE, "no word in 4 s"},
      {RS_LINK_STRANGER, 0, RS_TROUBLE_HANDSHAKE, "not of this launch"},
      {RS_LINK_SHORT_ONLY, 0, RS_TROUBLE_SHORT_ONLY, "full-size packets are lost"},
      {(enum rs_network_link_state)77, 0, RS_TROUBLE_HANDSHAKE, "not of this launch"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(cases); i++) {
    struct network network;
    network_init(&network);
    network.links[3][1].state = cases[i].link;
    network.links[3][1].code = cases[i].code;
    expect_one(&network, cases[i].trouble, 3, 1, 1, cases[i].words);
  }
}

static void addresses(void **state) {
  (void)state;
  struct network network;
  network_init(&network);
  for (size_t r = 2; r < 4; r++)
    strcpy(network.ends[r].address, "52.1.2.3");
  expect_one(&network, RS_TROUBLE_PUBLIC, 2, 2, 2, "a public address");
  for (size_t r = 0; r < 2; r++)
    strcpy(network.ends[r].address, "52.1.2.4"); // all of them: a network of public addresses
  struct rs_network_findings findings;
  judge(&network, &findings);
  assert_int_equal(findings.count, 0);

  // Docker's bridge is 172.17.0.1 everywhere, and each rank met its own host there.
  network_init(&network);
  for (size_t r = 0; r < RANKS; r++)
    strcpy(network.ends[r].address, "172.17.0.1");
  expect_one(&network, RS_TROUBLE_SAME_ADDRESS, 0, 2, 4, "both hosts have this address");
  strcpy(network.hosts[1].boot_id, "boot-0"); // two names of one machine may share its network
  judge(&network, &findings);
  assert_int_equal(findings.count, 0);

  // Loopback explains what came of the connections.
  network_init(&network);
  for (size_t r = 2; r < 4; r++)
    strcpy(network.ends[r].address, "127.0.0.1");
  network.links[0][2].state = RS_LINK_REFUSED;
  network.links[2][0].state = RS_LINK_UNREACHABLE;
  expect_one(&network, RS_TROUBLE_LOOPBACK, 2, 2, 2, "a loopback address");
}

static void packets(void **state) {
  (void)state;
  struct network network;
  network_init(&network);
  network.links[2][0].mtu = 1500;
  expect_one(&network, RS_TROUBLE_PATH_MTU, 2, 0, 1, "the path has MTU 1500, the interfaces at its ends 9001");

  network_init(&network); // what most have is right, and here it is a draw
  network.ends[2].mtu = network.ends[3].mtu = network.links[2][0].mtu = network.links[0][2].mtu = 1500;
  expect_one(&network, RS_TROUBLE_MTU, 2, 2, 2, "eth0 has MTU 1500, others have 9001");
  network.ends[1].mtu = 1500;
  expect_one(&network, RS_TROUBLE_MTU, 0, 0, 1, "eth0 has MTU 9001, others have 1500");
}

static void clocks(void **state) {
  (void)state;
  struct network network;
  network_init(&network);
  network.ends[3].clock_ns += 37 * SECOND_NS;
  expect_one(&network, RS_TROUBLE_CLOCK, 3, 3, 1, "37 s ahead of rank 0's");
  network.ends[3].clock_ns = -SECOND_NS;
  expect_one(&network, RS_TROUBLE_CLOCK, 3, 3, 1, "2 s behind rank 0's");
}

// Causes come before their effects, whatever the ranks.
static void order(void **state) {
  (void)state;
  struct network network;
  struct rs_network_findings findings;
  network_init(&network);
  network.ends[1].clock_ns = 0;
  network.ends[0].clock_ns = 3 * SECOND_NS;
  network.ends[2].clock_ns = network.ends[3].clock_ns = 3 * SECOND_NS;
  network.links[3][0].state = RS_LINK_NO_ANSWER;
  for (size_t r = 2; r < 4; r++)
    strcpy(network.ends[r].address, "52.1.2.3");
  judge(&network, &findings);
  assert_int_equal(findings.count, 3);
  expect(&findings, 0, RS_TROUBLE_PUBLIC, 2, 2, 2, "public");
  expect(&findings, 1, RS_TROUBLE_NO_ANSWER, 3, 0, 1, "no answer");
  expect(&findings, 2, RS_TROUBLE_CLOCK, 1, 1, 1, "3 s behind");
  rs_network_findings_fini(&findings);
}

static void advice(void **state) {
  (void)state;
  struct rs_text text = {0};
  for (size_t t = 0; t < RS_TROUBLE_COUNT; t++)
    rs_network_advise((enum rs_network_trouble)t, "TCP ports 40000-40999", &text);
  assert_non_null(text.data);
  static const char *const words[] = {"no answer: a security group or network ACL that drops?",
                                      "allow TCP ports 40000-40999 inbound",
                                      "ephemeral ports 1024-65535",
                                      "ICMP type 3 code 4",
                                      "tcp.interface=10.0.0.0/16",
                                      "chrony"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(words); i++)
    if (strstr(text.data, words[i]) == NULL)
      fail_msg("no \"%s\" in: %s", words[i], text.data);
  assert_null(strstr(text.data, "%s"));
  rs_text_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_wrong), cmocka_unit_test(dropped_one_way), cmocka_unit_test(every_end_of_a_connection),
      cmocka_unit_test(addresses),     cmocka_unit_test(packets),         cmocka_unit_test(clocks),
      cmocka_unit_test(order),         cmocka_unit_test(advice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
