// Topology files that are good: what each format says of which host, and whom it leaves out.
#include "ringside/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOSTS_MAX 16

// Hosts of a run, by name; of "NAME=ID" the ID is the instance's.
struct run {
  struct rs_host_facts hosts[HOSTS_MAX];
  struct rs_placement placement;
};

static void make_run(struct run *run, const char *const *names) {
  memset(run, 0, sizeof *run);
  for (size_t h = 0; names[h] != NULL; h++) {
    struct rs_host_facts *host = &run->hosts[h];
    int name = (int)strcspn(names[h], "=");
    snprintf(host->hostname, sizeof host->hostname, "%.*s", name, names[h]);
    snprintf(host->instance_id, sizeof host->instance_id, "%s", names[h][name] ? names[h] + name + 1 : "");
    snprintf(host->zone, sizeof host->zone, "seen");
    host->partition = -1;
    run->placement.host_count++;
  }
  run->placement.hosts = run->hosts;
}

static enum rs_status apply(const char *text, struct run *run, struct rs_text *warnings, struct rs_error *error) {
  struct rs_topology_file *file = NULL;
  if (rs_topology_file_parse("t", text, strlen(text), &file, error) != RS_OK)
    return error->status;
  enum rs_status status = rs_topology_file_apply(file, &run->placement, warnings, error);
  rs_topology_file_close(file);
  return status;
}

static void apply_well(const char *text, struct run *run, const char *warning) {
  struct rs_text warnings = {0};
  struct rs_error error = {0};
  if (apply(text, run, &warnings, &error) != RS_OK)
    fail_msg("%s", error.text);
  assert_string_equal(warnings.data ? warnings.data : "", warning);
  rs_text_fini(&warnings);
}

static void yaml_gives_every_fact(void **state) {
  (void)state;
  struct run run;
  make_run(&run, (const char *const[]){"node01", "node02", "gpu3", "plain", NULL});
  apply_well("# ours\n"
             "partial: false\n"
             "hosts:\n"
             "  node[01-16]: {switch: leaf1, zone: z1, zone_id: id1, region: r1}\n"
             "  'gpu3,other':\n"
             "    cloud: gcp\n"
             "    instance_type: a3-highgpu-8g\n"
             "    placement_group: pg\n"
             "    partition: 7\n"
             "    network_path: core/spine2\n"
             "    physical_host: rack7/9\n"
             "    instance_id: 42\n"
             "  plain:\n"
             "switches:\n"
             "  leaf[1-2]: {parent: spine1}\n"
             "  spine1: {parent: core}\n"
             "  core:\n",
             &run, "");
  assert_string_equal(run.hosts[0].network_path, "core/spine1/leaf1");
  assert_string_equal(run.hosts[0].region, "r1");
  assert_string_equal(run.hosts[1].zone, "z1");
  assert_string_equal(run.hosts[1].zone_id, "id1");
  assert_int_equal(run.hosts[1].partition, -1);
  assert_string_equal(run.hosts[2].cloud, "gcp");
  assert_string_equal(run.hosts[2].instance_type, "a3-highgpu-8g");
  assert_string_equal(run.hosts[2].placement_group, "pg");
  assert_int_equal(run.hosts[2].partition, 7);
  assert_string_equal(run.hosts[2].network_path, "core/spine2");
  assert_string_equal(run.hosts[2].physical_host, "rack7/9");
  assert_string_equal(run.hosts[2].instance_id, "42");
  assert_string_equal(run.hosts[2].zone, "seen"); // what the file does not say stays
  assert_string_equal(run.hosts[3].zone, "seen");
}

static void hosts_are_found_by_short_and_full_name_and_by_instance(void **state) {
  (void)state;
  static const struct {
    const char *in_file, *hostname, *found;
  } rows[] = {
      {"a", "a", "yes"},
      {"A", "a", "yes"},
      {"a.example.org", "a", "yes"},
      {"a", "a.example.org", "yes"},
      {"a.example.org", "A.Example.ORG", "yes"},
      {"a.example.org", "a.example.com", "no"},
      {"a", "ab", "no"},
      {"ab", "a", "no"},
      {"10.0.0.1", "10.0.0.1", "yes"},
      {"10.0.0.1", "10.0.0.2", "no"}, // an address has no domain
      {"10", "10.0.0.2", "no"},
      {"i-01", "x=i-01", "yes"},
      {"i-01", "x=i-0", "no"},
      {"i-01", "i-01.ec2.internal", "yes"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct run run;
    struct rs_text text = {0}, warnings = {0};
    struct rs_error error = {0};
    make_run(&run, (const char *const[]){rows[i].hostname, NULL});
    rs_text_append(&text, "partial: true\nhosts:\n  \"%s\": {zone: told}\n", rows[i].in_file);
    assert_int_equal(apply(text.data, &run, &warnings, &error), RS_OK);
    if ((strcmp(run.hosts[0].zone, "told") == 0) != (strcmp(rows[i].found, "yes") == 0))
      fail_msg("%s in the file and %s in the run: found: not %s", rows[i].in_file, rows[i].hostname, rows[i].found);
    rs_text_fini(&warnings);
    rs_text_fini(&text);
  }
}

static void the_full_name_wins_over_the_short_one(void **state) {
  (void)state;
  struct run run;
  make_run(&run, (const char *const[]){"a.two", "a.three", NULL});
  apply_well("hosts: {a.one: {zone: z1}, a.two: {zone: z2}, a: {zone: z0}}", &run, "");
  assert_string_equal(run.hosts[0].zone, "z2");
  assert_string_equal(run.hosts[1].zone, "z0");
}

static void a_short_name_that_could_be_two_hosts_is_refused(void **state) {
  (void)state;
  struct run run;
  struct rs_error error = {0};
  make_run(&run, (const char *const[]){"b", "a", NULL});
  assert_int_equal(apply("hosts:\n  b: {zone: new}\n  a.one:\n  a.two:\n", &run, NULL, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "t: host a of this run could be a.one (line 3) or a.two (line 4); name it in full");
  assert_string_equal(run.hosts[0].zone, "seen"); // nothing has changed
}

static void hosts_that_are_missing_are_named(void **state) {
  (void)state;
  struct run run;
  struct rs_error error = {0};
  make_run(&run, (const char *const[]){"a", "b", "c", "d", "e", "f", "g", "h", NULL});
  assert_int_equal(apply("hosts:\n  c: {zone: new}\n", &run, NULL, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "t: hosts a, b, d, e, f and 2 more of this run are not in the file; add them, or "
                                  "write 'partial: true' in a YAML file");
  assert_string_equal(run.hosts[2].zone, "seen");
}

static void a_partial_file_warns_of_what_it_lacks(void **state) {
  (void)state;
  struct run run;
  make_run(&run, (const char *const[]){"a", "b", NULL});
  apply_well("partial: true\nhosts:\n  b: {zone: new}\n", &run,
             "t: host a of this run is not in the file; its facts stay as they were found\n");
  assert_string_equal(run.hosts[0].zone, "seen");
  assert_string_equal(run.hosts[1].zone, "new");
}

static void aws_json_gives_the_path_of_each_instance(void **state) {
  (void)state;
  static const char text[] =
      "{\n"
      "  \"Instances\": [\n"
      "    {\"InstanceId\": \"i-1111111111example\", \"InstanceType\": \"p4d.24xlarge\",\n"
      "     \"GroupName\": \"ML-group\", \"AvailabilityZone\": \"us-west-2a\", \"ZoneId\": \"usw2-az2\",\n"
      "     \"CapacityBlockId\": null, \"SomethingNew\": [1, {\"Instances\": []}],\n"
      "     \"NetworkNodes\": [\"nn-1111111111example\", \"nn-2222222222example\", \"nn-3333333333example\"]},\n"
      "    {\"InstanceId\": \"i-2222222222example\", \"NetworkNodes\": [\"nn-1\", \"nn-2\", \"nn-3\", \"nn-4\"]}\n"
      "  ],\n"
      "  \"NextToken\": \"x\"\n"
      "}\n";
  struct run run;
  make_run(&run, (const char *const[]){"one=i-1111111111example", "two=i-2222222222example", "three", NULL});
  apply_well(text, &run, "t: host three of this run is not in the file; its facts stay as they were found\n");
  assert_string_equal(run.hosts[0].network_path, "nn-1111111111example/nn-2222222222example/nn-3333333333example");
  assert_string_equal(run.hosts[0].cloud, "aws");
  assert_string_equal(run.hosts[0].instance_type, "p4d.24xlarge");
  assert_string_equal(run.hosts[0].placement_group, "ML-group");
  assert_string_equal(run.hosts[0].zone, "us-west-2a");
  assert_string_equal(run.hosts[0].zone_id, "usw2-az2");
  assert_string_equal(run.hosts[1].network_path, "nn-1/nn-2/nn-3/nn-4");
  assert_string_equal(run.hosts[1].zone, "seen");
  assert_string_equal(run.hosts[1].placement_group, "");
  assert_string_equal(run.hosts[2].network_path, "");
}

static void slurm_gives_the_switches_above_each_node(void **state) {
  (void)state;
  struct run run;
  make_run(&run, (const char *const[]){"n0", "n3", "n7.cluster", "gpu08", "b1", NULL});
  apply_well("\n"
             "# the tree\n"
             "SWITCHNAME=s0 nodes=n[0-2,7]   # a comment \\\n"
             "SwitchName=s1 Nodes=n3,gpu[01-08] LinkSpeed=100\r\n"
             "  SwitchName = s2 \\\n"
             "     Switches=\"s[0-1]\"\n"
             "SwitchName=top Switches=s\\\n"
             "2\n"
             "BlockName=block1 Nodes=b[1-18]\n"
             "BlockSizes=18",
             &run, "");
  assert_string_equal(run.hosts[0].network_path, "top/s2/s0");
  assert_string_equal(run.hosts[1].network_path, "top/s2/s1");
  assert_string_equal(run.hosts[2].network_path, "top/s2/s0");
  assert_string_equal(run.hosts[3].network_path, "top/s2/s1");
  assert_string_equal(run.hosts[4].network_path, "block1");
  assert_string_equal(run.hosts[0].zone, "seen");
}

static void large_files_are_read_at_once(void **state) {
  (void)state;
  struct rs_text text = {0};
  struct rs_error error = {0};
  struct rs_topology_file *file = NULL;
  struct run run;
  for (size_t s = 0; s < 1000; s++)
    rs_text_append(&text, "SwitchName=s%zu Nodes=n[%zu-%zu]\n", s, s * 60, s * 60 + 59);
  rs_text_append(&text, "SwitchName=top Switches=s[0-999]\n");
  assert_int_equal(rs_topology_file_parse("t", text.data, text.length, &file, &error), RS_OK);
  make_run(&run, (const char *const[]){"n59999", "n60", NULL});
  assert_int_equal(rs_topology_file_apply(file, &run.placement, NULL, &error), RS_OK);
  assert_string_equal(run.hosts[0].network_path, "top/s999");
  assert_string_equal(run.hosts[1].network_path, "top/s1");
  rs_topology_file_close(file);
  rs_text_fini(&text);
}

static void files_are_loaded_from_their_path(void **state) {
  (void)state;
  char path[] = "/tmp/ringside-topology-XXXXXX";
  struct rs_topology_file *file = NULL;
  struct rs_error error = {0};
  int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, "hosts: {a: }\n", 13), 13);
  close(descriptor);
  assert_int_equal(rs_topology_file_load(path, &file, &error), RS_OK);
  rs_topology_file_close(file);
  assert_int_equal(truncate(path, (16 << 20) + 1), 0);
  assert_int_equal(rs_topology_file_load(path, &file, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, ": the file is larger than 16 MiB; a topology file is not"));
  unlink(path);
  error = (struct rs_error){0};
  assert_int_equal(rs_topology_file_load(path, &file, &error), RS_ERROR_USAGE);
  assert_non_null(strstr(error.text, "cannot open the topology file '/tmp/"));
  rs_topology_file_close(NULL);
}

static void the_example_is_read(void **state) {
  (void)state;
  char path[4096];
  struct rs_topology_file *file = NULL;
  struct rs_error error = {0};
  struct run run;
  snprintf(path, sizeof path, "%s/configs/topology/example.yaml", getenv("RS_SOURCE_DIR"));
  if (rs_topology_file_load(path, &file, &error) != RS_OK)
    fail_msg("%s", error.text);
  make_run(&run, (const char *const[]){"node03", "node32.site", "login", NULL});
  assert_int_equal(rs_topology_file_apply(file, &run.placement, NULL, &error), RS_OK);
  assert_string_equal(run.hosts[0].network_path, "spine1/leaf1");
  assert_int_equal(rs_host_distance(&run.hosts[0], &run.hosts[1]), RS_DISTANCE_SPINE);
  assert_int_equal(rs_host_distance(&run.hosts[0], &run.hosts[2]), RS_DISTANCE_REGION);
  rs_topology_file_close(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(yaml_gives_every_fact),
      cmocka_unit_test(hosts_are_found_by_short_and_full_name_and_by_instance),
      cmocka_unit_test(the_full_name_wins_over_the_short_one),
      cmocka_unit_test(a_short_name_that_could_be_two_hosts_is_refused),
      cmocka_unit_test(hosts_that_are_missing_are_named),
      cmocka_unit_test(a_partial_file_warns_of_what_it_lacks),
      cmocka_unit_test(aws_json_gives_the_path_of_each_instance),
      cmocka_unit_test(slurm_gives_the_switches_above_each_node),
      cmocka_unit_test(large_files_are_read_at_once),
      cmocka_unit_test(files_are_loaded_from_their_path),
      cmocka_unit_test(the_example_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
