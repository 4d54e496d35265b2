// What Slurm and Kubernetes tell, from environments and label files made by hand.
#include "support/fake_root.h"
#include "topology/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// NAME, VALUE, ..., NULL: the environment of the running test, since a getenv has no state of its own.
static const char *const *pairs;

static char *get(const char *name) {
  for (const char *const *pair = pairs; *pair; pair += 2)
    if (strcmp(pair[0], name) == 0)
      return (char *)(uintptr_t)pair[1];
  return NULL;
}

static void read_with(const char *const *variables, const char *root, struct rs_host_facts *facts,
                      struct rs_environment *environment) {
  pairs = variables;
  memset(facts, 0, sizeof *facts);
  memset(environment, 0, sizeof *environment);
  rs_scheduler_read_from(get, root, facts, environment);
}

static const char *fact(const struct rs_environment *environment, const char *key) {
  for (size_t f = 0; f < environment->count; f++)
    if (strcmp(environment->facts[f].key, key) == 0)
      return environment->facts[f].value;
  return "";
}

static void slurm_tells_of_the_job(void **state) {
  struct rs_host_facts facts;
  struct rs_environment environment;
  read_with((const char *const[]){"SLURM_JOB_ID", "77", "SLURM_JOB_NAME", "bench", "SLURM_JOB_PARTITION", "gpu",
                                  "SLURM_JOB_NUM_NODES", "16", "SLURMD_NODENAME", "n07", "SLURM_TOPOLOGY_ADDR",
                                  "core.s1.n07", "SLURM_TOPOLOGY_ADDR_PATTERN", "switch.switch.node", NULL},
            *state, &facts, &environment);
  assert_string_equal(fact(&environment, "slurm.job_id"), "77");
  assert_string_equal(fact(&environment, "slurm.job_name"), "bench");
  assert_string_equal(fact(&environment, "slurm.partition"), "gpu");
  assert_string_equal(fact(&environment, "slurm.nodes"), "16");
  assert_string_equal(fact(&environment, "slurm.node"), "n07");
  assert_string_equal(fact(&environment, "slurm.topology_addr"), "core.s1.n07");
  assert_int_equal(environment.count, 7);
  assert_string_equal(facts.network_path, "core/s1");
}

static void slurms_address_is_read_by_its_pattern(void **state) {
  static const struct {
    const char *address, *pattern, *path;
  } rows[] = {
      {"s0.n1", "switch.node", "s0"},
      {"top.s0.n1.cluster.local", "switch.switch.node", "top/s0"}, // a node's name with dots
      {"b1.n1", "block.node", "b1"},
      {"n1", "node", ""},
      {"n1.cluster", "node", ""},
      {"s0.n1", "", ""},
      {"n1", "switch.node", ""}, // fewer names than the pattern has
      {"s0.n1", "switch.switch", ""},
      {".n1", "switch.node", ""},
      {"0123456789012345678901234567890123456789012345678901234567890123456789."
       "0123456789012345678901234567890123456789012345678901234567890123456789.n1",
       "switch.switch.node", ""},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_host_facts facts;
    struct rs_environment environment;
    read_with((const char *const[]){"SLURM_JOB_ID", "1", "SLURM_TOPOLOGY_ADDR", rows[i].address,
                                    "SLURM_TOPOLOGY_ADDR_PATTERN", rows[i].pattern, NULL},
              *state, &facts, &environment);
    assert_string_equal(facts.network_path, rows[i].path);
  }
}

static const char labels[] = "app=\"x\"\n"
                             "topology.kubernetes.io/region=\"eu-west-1\"\n"
                             "topology.kubernetes.io/zone=\"eu-west-1b\"\n"
                             "topology.kubernetes.io/zone-more=\"no\"\n"
                             "node.kubernetes.io/instance-type=\"p5.48xlarge\"\n"
                             "topology.k8s.aws/zone-id=\"euw1-az2\"\n"
                             "topology.k8s.aws/network-node-layer-2=\"nn-2\"\n"
                             "topology.k8s.aws/network-node-layer-1=\"nn-1\"\n"
                             "topology.k8s.aws/network-node-layer-3=\"nn-3\"";

static void kubernetes_tells_of_pod_and_node(void **state) {
  struct rs_host_facts facts;
  struct rs_environment environment;
  fake_root_put(*state, "/etc/podinfo/labels", labels);
  read_with((const char *const[]){"KUBERNETES_SERVICE_HOST", "10.0.0.1", "NODE_NAME", "ip-10-0-0-7", "POD_NAME", "w-0",
                                  "POD_NAMESPACE", "ml", NULL},
            *state, &facts, &environment);
  assert_string_equal(fact(&environment, "kubernetes.node"), "ip-10-0-0-7");
  assert_string_equal(fact(&environment, "kubernetes.pod"), "w-0");
  assert_string_equal(fact(&environment, "kubernetes.namespace"), "ml");
  assert_string_equal(fact(&environment, "kubernetes.labels"), "/etc/podinfo/labels");
  assert_string_equal(facts.region, "eu-west-1");
  assert_string_equal(facts.zone, "eu-west-1b");
  assert_string_equal(facts.zone_id, "euw1-az2");
  assert_string_equal(facts.instance_type, "p5.48xlarge");
  assert_string_equal(facts.network_path, "nn-1/nn-2/nn-3");
}

static void a_file_of_labels_can_be_named(void **state) {
  struct rs_host_facts facts;
  struct rs_environment environment;
  fake_root_put(*state, "/run/node",
                "cloud.google.com/gce-topology-subblock=sub\ncloud.google.com/gce-topology-block=\"bl\\\"ock\"\n"
                "cloud.google.com/gce-topology-host=\"h9\"\n");
  read_with((const char *const[]){"RINGSIDE_NODE_LABELS", "/run/node", NULL}, *state, &facts, &environment);
  assert_string_equal(facts.network_path, "bl\"ock/sub");
  assert_string_equal(facts.physical_host, "h9");
  assert_int_equal(environment.count, 1);

  read_with((const char *const[]){"RINGSIDE_NODE_LABELS", "/run/none", NULL}, *state, &facts, &environment);
  assert_string_equal(fact(&environment, "kubernetes.labels"), "/run/none: cannot be read");
}

static void nothing_is_read_outside_of_a_scheduler(void **state) {
  struct rs_host_facts facts;
  struct rs_environment environment;
  fake_root_put(*state, "/etc/podinfo/labels", labels);
  read_with((const char *const[]){"NODE_NAME", "jenkins", "SLURM_TOPOLOGY_ADDR", "s.n", "SLURM_TOPOLOGY_ADDR_PATTERN",
                                  "switch.node", NULL},
            *state, &facts, &environment);
  assert_int_equal(environment.count, 0);
  assert_string_equal(facts.zone, "");
  assert_string_equal(facts.network_path, "");
}

static void what_is_known_stays(void **state) {
  struct rs_host_facts facts = {.zone = "known", .network_path = "a/b"};
  struct rs_environment environment = {.count = 1, .facts = {{"first", "1"}}};
  fake_root_put(*state, "/etc/podinfo/labels", labels);
  pairs = (const char *const[]){"KUBERNETES_SERVICE_HOST", "x", NULL};
  rs_scheduler_read_from(get, *state, &facts, &environment);
  assert_string_equal(facts.zone, "known");
  assert_string_equal(facts.network_path, "a/b");
  assert_string_equal(facts.region, "eu-west-1");
  assert_string_equal(fact(&environment, "first"), "1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(slurm_tells_of_the_job, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(slurms_address_is_read_by_its_pattern, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(kubernetes_tells_of_pod_and_node, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(a_file_of_labels_can_be_named, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(nothing_is_read_outside_of_a_scheduler, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(what_is_known_stays, fake_root_make, fake_root_remove),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
