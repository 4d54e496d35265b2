// From a lab's description to commands: exactly those for two hosts; what a link, two zones and a congestion control
// add; every namespace of one name; the command line of mpirun.
#include "ringside/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void describe(struct rs_lab *lab, const char *const *assignments) {
  struct rs_error error = {0};
  struct rs_lab_binding binding;
  rs_lab_bind(lab, &binding);
  rs_options_set_defaults(&binding.options, &error);
  for (; *assignments != NULL; assignments++)
    rs_options_set_assignment(&binding.options, *assignments, &error);
  if (error.status < 0 || rs_lab_check(lab, &error) < 0)
    fail_msg("%s", error.text);
}

// The commands as text, a line each; free it.
static char *commands_of(const char *const *assignments) {
  struct rs_lab lab;
  struct rs_error error = {0};
  struct rs_commands commands = {0};
  struct rs_text text = {0};
  describe(&lab, assignments);
  assert_int_equal(rs_lab_commands(&lab, &commands, &error), RS_OK);
  for (size_t c = 0; c < commands.count; c++) {
    assert_null(commands.items[c].words[commands.items[c].count]);
    rs_command_format(&commands.items[c], &text);
    rs_text_append(&text, "\n");
  }
  assert_false(text.failed);
  rs_commands_fini(&commands);
  return text.data;
}

static size_t count(const char *text, const char *part) {
  size_t found = 0;
  for (; (text = strstr(text, part)) != NULL; text++)
    found++;
  return found;
}

static void test_two_hosts(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=a"));
  assert_string_equal(text, "ip netns add rslab-a-switch\n"
                            "ip -n rslab-a-switch link set lo up\n"
                            "ip -n rslab-a-switch link add br0 type bridge\n"
                            "ip -n rslab-a-switch link set br0 up\n"
                            "ip -n rslab-a-switch addr add 10.77.0.254/24 dev br0\n"
                            "ip netns add rslab-a-h1\n"
                            "ip -n rslab-a-h1 link set lo up\n"
                            "ip -n rslab-a-switch link add port1 mtu 1500 type veth peer name eth0 mtu 1500 netns "
                            "rslab-a-h1\n"
                            "ip -n rslab-a-switch link set port1 master br0 up\n"
                            "ip -n rslab-a-h1 addr add 10.77.0.1/24 dev eth0\n"
                            "ip -n rslab-a-h1 link set eth0 up\n"
                            "ip netns add rslab-a-h2\n"
                            "ip -n rslab-a-h2 link set lo up\n"
                            "ip -n rslab-a-switch link add port2 mtu 1500 type veth peer name eth0 mtu 1500 netns "
                            "rslab-a-h2\n"
                            "ip -n rslab-a-switch link set port2 master br0 up\n"
                            "ip -n rslab-a-h2 addr add 10.77.0.2/24 dev eth0\n"
                            "ip -n rslab-a-h2 link set eth0 up\n");
  free(text);
}

// Both ends of a cable have the rate; 1.6 ms of it may pass at once, and never less than four segments.
static void test_rate(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=a", "link.rate=5Gbit/s", "mtu=9000"));
  assert_int_equal(count(text, "tc "), 4);
  for (size_t host = 1; host <= 2; host++) {
    char line[160];
    snprintf(
        line, sizeof line,
        "tc -n rslab-a-h%zu qdisc add dev eth0 root handle 1: tbf rate 5000000000bit burst 1000000 limit 10000000\n",
        host);
    assert_int_equal(count(text, line), 1);
    snprintf(line, sizeof line,
             "tc -n rslab-a-switch qdisc add dev port%zu root handle 1: tbf rate 5000000000bit burst 1000000 limit "
             "10000000\n",
             host);
    assert_int_equal(count(text, line), 1);
  }
  assert_int_equal(count(text, "mtu 9000"), 4);
  free(text);
  text = commands_of(WORDS("link.rate=100Mbit/s"));
  assert_int_equal(count(text, "rate 100000000bit burst 262144 limit 2097152"), 4);
  free(text);
  text = commands_of(WORDS("link.rate=100Mbit/s", "link.burst=64KiB"));
  assert_int_equal(count(text, "rate 100000000bit burst 65536 limit 2097152"), 4);
  free(text);
}

// Delay and loss are of what leaves a host, once; inside the token bucket where there is one.
static void test_delay(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=a", "link.delay=12500ns", "link.jitter=2us", "link.loss=0.5%"));
  assert_int_equal(count(text, "tc "), 2);
  // 40 Gbit/s for 14.5 us are 72,500 bytes, twice that 96 packets.
  assert_int_equal(count(text, "dev eth0 root handle 2: netem limit 1096 delay 12.500us 2.000us loss 0.5%\n"), 2);
  free(text);
  text = commands_of(WORDS("name=a", "link.rate=1Gbit/s", "link.delay=10ms"));
  assert_int_equal(count(text, "dev eth0 parent 1:1 handle 2: netem limit 2666 delay 10000.000us\n"), 2);
  assert_int_equal(count(text, "netem"), 2);
  free(text);
  text = commands_of(WORDS("link.loss=1%"));
  assert_int_equal(count(text, "root handle 2: netem limit 1000 loss 1%\n"), 2);
  free(text);
}

static void test_zones(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=a", "hosts=5", "zones=2", "zone.rate=500Mbit/s", "zone.delay=1ms"));
  for (size_t host = 1; host <= 5; host++) {
    char line[80];
    snprintf(line, sizeof line, "link set port%zu master br%d up\n", host, host <= 3 ? 0 : 1);
    assert_int_equal(count(text, line), 1);
  }
  assert_int_equal(count(text, "link add trunk0 mtu 1500 type veth peer name trunk1 mtu 1500\n"), 1);
  for (size_t zone = 0; zone < 2; zone++) {
    char line[80];
    snprintf(line, sizeof line, "link set trunk%zu master br%zu up\n", zone, zone);
    assert_int_equal(count(text, line), 1);
    snprintf(line, sizeof line, "dev trunk%zu root handle 1: tbf rate 500000000bit", zone);
    assert_int_equal(count(text, line), 1);
    snprintf(line, sizeof line, "dev trunk%zu parent 1:1 handle 2: netem limit 1083 delay 1000.000us\n", zone);
    assert_int_equal(count(text, line), 1);
  }
  assert_int_equal(count(text, "tc "), 4); // the hosts' own links are not shaped
  free(text);
}

static void test_congestion(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=a", "congestion=cubic", "subnet=192.168.7.0/28"));
  assert_int_equal(
      count(text, "ip -n rslab-a-h2 route replace 192.168.7.0/28 dev eth0 src 192.168.7.2 congctl cubic\n"), 1);
  assert_int_equal(count(text, "addr add 192.168.7.14/28 dev br0\n"), 1);
  assert_int_equal(count(text, "congctl"), 2);
  free(text);
}

// Whatever is made carries the prefix, so that it can be removed by it.
static void test_names(void **state) {
  (void)state;
  char *text = commands_of(WORDS("name=my-lab", "hosts=64", "zones=2", "link.rate=1Gbit/s", "link.delay=1ms"));
  size_t lines = count(text, "\n");
  assert_int_equal(count(text, "ip netns add rslab-my-lab-"), 65);
  assert_int_equal(count(text, "ip netns add"), 65);
  assert_int_equal(count(text, "ip -n rslab-my-lab-") + count(text, "tc -n rslab-my-lab-") + 65, lines);
  free(text);
}

static char *mpirun_of(enum rs_lab_mpi mpi, size_t ranks, char *const *words) {
  struct rs_lab lab;
  struct rs_error error = {0};
  struct rs_command command = {0};
  struct rs_text text = {0};
  describe(&lab, WORDS("name=a", "hosts=2", "ranks=3"));
  if (rs_lab_mpirun(&lab, mpi, "/opt/mpirun", ranks, words, &command, &error) < 0)
    rs_text_append(&text, "%s", error.text);
  else
    rs_command_format(&command, &text);
  rs_command_fini(&command);
  return text.data;
}

static void test_mpirun(void **state) {
  (void)state;
  char *words[] = {"/bin/echo", "two words", "it's", "", NULL};
  char *text = mpirun_of(RS_LAB_OPENMPI, 4, words);
  assert_int_equal(count(text, "ip netns exec rslab-a-switch /opt/mpirun --allow-run-as-root "), 1);
  assert_int_equal(count(text, "--mca plm_rsh_agent /run/ringside-lab/a/agent "), 1);
  assert_int_equal(count(text, "--bind-to none --host a-h1:3,a-h2:3 -n 4 /bin/echo 'two words' 'it'\\''s' ''"), 1);
  free(text);
  text = mpirun_of(RS_LAB_MPICH, 6, words);
  assert_string_equal(text, "ip netns exec rslab-a-switch /opt/mpirun -launcher ssh -launcher-exec "
                            "/run/ringside-lab/a/agent -iface br0 -hosts a-h1:3,a-h2:3 -n 6 /bin/echo 'two words' "
                            "'it'\\''s' ''");
  free(text);
  text = mpirun_of(RS_LAB_OPENMPI, 7, words);
  assert_non_null(strstr(text, "1 to 6 ranks, 3 per host"));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_two_hosts), cmocka_unit_test(test_rate),       cmocka_unit_test(test_delay),
      cmocka_unit_test(test_zones),     cmocka_unit_test(test_congestion), cmocka_unit_test(test_names),
      cmocka_unit_test(test_mpirun),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
