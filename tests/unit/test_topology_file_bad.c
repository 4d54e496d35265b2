// Topology files that are bad: what is wrong, and exactly where.
#include "ringside/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refusal {
  const char *text, *refusal;
};

static const struct refusal yaml[] = {
    {"host:\n  a:\n", "t:1:1: unknown key 'host'; did you mean 'hosts'?"},
    {"hosts:\n  a:\nxyzzyx: 1\n", "t:3:1: unknown key 'xyzzyx'; the keys of a topology file are hosts, switches and "
                                  "partial"},
    {"- a\n", "t:1:1: a topology file in YAML has the keys hosts, switches and partial, not a list"},
    {"hosts: [a]\n", "t:1:8: 'hosts' is a mapping of names, not a list"},
    {"hosts:\n", "t:1:7: 'hosts' is a mapping of names, not nothing"},
    {"hosts:\n  a: leaf1\n", "t:2:6: host a takes facts, such as '{zone: z1, switch: s1}', not a single value"},
    {"hosts:\n  a: {zne: z}\n", "t:2:7: unknown fact 'zne'; did you mean 'zone'?"},
    {"hosts:\n  a: {kolossus: z}\n",
     "t:2:7: unknown fact 'kolossus'; the facts of a host are switch, partition, cloud, "
     "instance_type, region, zone, zone_id, placement_group, network_path, "
     "physical_host, instance_id"},
    {"hosts:\n  a: {zone: [z]}\n", "t:2:13: zone: a value is expected here, not a list"},
    {"hosts:\n  a: {zone: }\n", "t:2:13: zone: a value is expected here, not nothing"},
    {"hosts:\n  a: {zone: ''}\n", "t:2:13: zone: a value is expected here, not empty text"},
    {"hosts:\n  a: {cloud: abcdefghijklmnopqrstuvwxyz}\n",
     "t:2:14: cloud: 'abcdefghijklmnopqrst...' is longer than 15 characters"},
    {"hosts:\n  a: {partition: -1}\n", "t:2:18: partition: '-1' is not a number from 0 to 999999"},
    {"hosts:\n  a: {network_path: a//b}\n",
     "t:2:21: network_path: 'a//b' has an empty name; write it like core/spine1/leaf1, top first"},
    {"hosts:\n  a: {network_path: /a}\n",
     "t:2:21: network_path: '/a' has an empty name; write it like core/spine1/leaf1, top first"},
    {"hosts:\n  a: {network_path: p, switch: s}\n", "t:2:32: host a has a switch and a network_path; keep one of them"},
    {"hosts:\n  n[3-1]:\n", "t:2:3: 'n[3-1]': the range 3-1 runs backwards"},
    {"hosts:\n  n[0-1][0-1]:\n", "t:2:3: 'n[0-1][0-1]': ranges of several dimensions are not supported; write each row "
                                 "as a range of its own"},
    {"hosts:\n  a b:\n", "t:2:3: 'a b': ' ' cannot stand in a host list; write it like n[01-16,20],gpu3"},
    {"hosts:\n  n[1-99999999]:\n", "t:2:3: 'n[1-99999999]': the file names more than 65536 hosts"},
    {"hosts:\n  a:\n  b:\n  a:\n", "t:4:3: 'a' is given twice, first at line 2; keep one of them"},
    {"hosts:\n  n[1-3]:\n  N2: {zone: z}\n", "t:3:3: host N2 is given twice, first at line 2; keep one of them"},
    {"hosts:\n  n[1-3]: {switch: s}\n  n2: {switch: t}\nswitches: {s: , t: }\n",
     "t:3:3: host n2 is under two switches, s (line 2) and t; keep one"},
    {"hosts:\n  a: {switch: leaf2}\nswitches:\n  leaf1:\n",
     "t:2:15: the file describes no switch 'leaf2'; did you mean 'leaf1'?"},
    {"hosts:\n  a: {switch: s}\n", "t:2:15: the file describes no switch 's'; add it"},
    {"hosts: {a: }\nswitches:\n  leaf: {parent: core}\n", "t:3:18: the file describes no switch 'core'; add it"},
    {"hosts: {a: }\nswitches:\n  a: {parent: b}\n  b: {parent: a}\n", "t:3:15: switch a is its own parent: a > b > a"},
    {"hosts: {a: }\nswitches:\n  x: {parent: c}\n  c: {parent: b}\n  b: {parent: a}\n  a: {parent: c}\n",
     "t:4:15: switch c is its own parent: c > b > a > c"},
    {"hosts: {a: }\nswitches:\n  a: {parent: a}\n", "t:3:15: switch a is its own parent: a > a"},
    {"hosts: {a: }\nswitches:\n  s: {up: b}\n", "t:3:7: unknown key 'up' of a switch; the only one is 'parent'"},
    {"hosts: {a: }\nswitches:\n  s: b\n", "t:3:6: switch s takes '{parent: SWITCH}' or nothing, not a single value"},
    {"hosts: {a: }\nswitches:\n  s[1-2]:\n  s2:\n",
     "t:4:3: switch s2 is given twice, first at line 3; keep one of them"},
    {"hosts:\n  a: {switch: s}\nswitches:\n  s: {parent: "
     "0123456789012345678901234567890123456789012345678901234567890}\n"
     "  0123456789012345678901234567890123456789012345678901234567890: {parent: "
     "1123456789012345678901234567890123456789012345678901234567890}\n"
     "  1123456789012345678901234567890123456789012345678901234567890: {parent: top}\n  top:\n",
     "t:2:15: the names of s and of the switches above it are longer than 127 characters together; use shorter ones"},
    {"partial: maybe\nhosts: {a: }\n", "t:1:10: partial: write true or false"},
    {"hosts: {a: &x }\n", "t:1:12: the anchor '&x' is not supported; write each value where it is used"},
    {"hosts:\n\ta:\n", "t:2:1: a tab where YAML allows only spaces; indent with spaces"},
    {"", "t: the file names no hosts; a topology file is YAML with 'hosts:', the JSON of aws ec2 "
         "describe-instance-topology, or Slurm's topology.conf"},
    {"hosts: {}\n", "t: the file names no hosts; a topology file is YAML with 'hosts:', the JSON of aws ec2 "
                    "describe-instance-topology, or Slurm's topology.conf"},
};

#define HEAD "{\n \"x\": \"é]\", \"Instances\": [\n  {\"InstanceId\": \"i-1\", \"NetworkNodes\": [\"a,\\\"[\"]},\n"
static const struct refusal aws[] = {
    {"{\"Instances\": [}\n", "t:1:16: not valid JSON: unexpected token near '}'"},
    {"{\n  \"Instances\": [\n", "t:3:1: not valid JSON: ']' expected near end of file"},
    {"{\"Instances\": [], \"Instances\": []}\n", "t:1:29: not valid JSON: duplicate object key near '\"Instances\"'"},
    {"[1]\n", "t:1:1: the JSON has no list 'Instances'; save what 'aws ec2 describe-instance-topology' prints"},
    {"{\"Reservations\": []}\n",
     "t:1:1: the JSON has no list 'Instances'; save what 'aws ec2 describe-instance-topology' prints"},
    {"{\"Instances\": []}", "t: the file names no hosts; a topology file is YAML with 'hosts:', the JSON of aws ec2 "
                            "describe-instance-topology, or Slurm's topology.conf"},
    {HEAD "  7]}", "t:4:3: Instances[1]: an instance is an object with InstanceId and NetworkNodes"},
    {HEAD "  {\"NetworkNodes\": [\"a\"]}]}", "t:4:3: Instances[1]: there is no InstanceId"},
    {HEAD "    {\"InstanceId\": 7, \"NetworkNodes\": [\"a\"]}]}", "t:4:5: Instances[1]: InstanceId is not text"},
    {HEAD "  {\"InstanceId\": \"i\", \"InstanceType\": \"0123456789012345678901234567890123456789012345678\"}]}",
     "t:4:3: Instances[1]: InstanceType '01234567890123456789...' is longer than 47 bytes"},
    {HEAD "  {\"InstanceId\": \"i\"}]}",
     "t:4:3: Instances[1]: NetworkNodes lists no network nodes; ask again while the instance runs"},
    {HEAD "  {\"InstanceId\": \"i\", \"NetworkNodes\": []}]}",
     "t:4:3: Instances[1]: NetworkNodes lists no network nodes; ask again while the instance runs"},
    {HEAD "  {\"InstanceId\": \"i\", \"NetworkNodes\": [\"a\", 1]}]}",
     "t:4:3: Instances[1]: NetworkNodes[1] is not the name of a network node"},
    {HEAD "  {\"InstanceId\": \"i\", \"NetworkNodes\": [\"a/b\"]}]}",
     "t:4:3: Instances[1]: NetworkNodes[0] is not the name of a network node"},
    {HEAD "  {\"InstanceId\": \"i\", \"NetworkNodes\": [\"01234567890123456789012345678901234567890123456789\", "
          "\"01234567890123456789012345678901234567890123456789\", \"01234567890123456789012345678901234567890\"]}]}",
     "t:4:3: Instances[1]: NetworkNodes are longer than 127 bytes together"},
    {HEAD "  {\"InstanceId\": \"i-1\", \"NetworkNodes\": [\"b\"]}]}",
     "t:4:3: host i-1 is given twice, first at line 3; keep one of them"},
};

static const struct refusal slurm[] = {
    {"SwitchName=s0 Nodes=n[0-5\n", "t:1:22: the '[' is not closed"},
    {"# x\nSwitchName=s0 Nods=n0\n", "t:2:15: unknown key 'Nods'; did you mean Nodes"},
    {"SwitchName=s0 Nodes\n", "t:1:15: KEY=VALUE is expected here, such as SwitchName=s0 Nodes=n[0-5]"},
    {"SwitchName=s0 Nodes=n0\nnonsense\n", "t:2:1: KEY=VALUE is expected here, such as SwitchName=s0 Nodes=n[0-5]"},
    {"SwitchName=s0 Nodes= \n", "t:1:15: Nodes has no value"},
    {"SwitchName=s0 Nodes=\"n0\n", "t:1:21: the quote is not closed"},
    {"SwitchName=s0\n", "t:1:1: s0 has neither Nodes nor Switches"},
    {"Nodes=n0 SwitchName=s0\n", "t:1:1: a line starts with SwitchName or BlockName, not with Nodes"},
    {"SwitchName=s[0-1] Nodes=n0\n", "t:1:12: 's[0-1]' is not the name of one switch; write a line for each"},
    {"SwitchName=s0 Nodes=n0 nodes=n1\n", "t:1:24: Nodes stands a second time in this line"},
    {"SwitchName=s0 Nodes=n0 SwitchName=s1\n", "t:1:24: SwitchName stands a second time in this line"},
    {"SwitchName=s0 \\\n \\\n  Nodes=n[2-1]\n", "t:3:11: the range 2-1 runs backwards"},
    {"SwitchName=s0 Nodes=n[0-1]x[0-1]\n",
     "t:1:28: ranges of several dimensions are not supported; write each row as a range of its own"},
    {"SwitchName=s0 Nodes=n[0-2]\nSwitchName=s1 Nodes=n2\n",
     "t:2:21: host n2 is under two switches, s0 (line 1) and s1; keep one"},
    {"SwitchName=s0 Nodes=n1,n1\n", "t:1:21: host n1 is given twice, first at line 1; keep one of them"},
    {"SwitchName=s0 Nodes=n1\nSwitchName=s0 Nodes=n2\n",
     "t:2:12: switch s0 is given twice, first at line 1; keep one of them"},
    {"SwitchName=s0 Nodes=n1\nSwitchName=s2 Switches=s[0-1]\n",
     "t:2:24: the file describes no switch 's1'; did you mean 's0'?"},
    {"SwitchName=s0 Nodes=n1\nSwitchName=s1 Switches=s0\nSwitchName=s2 Switches=s0\n",
     "t:3:24: switch s0 is under two switches, s1 (line 2) and s2; keep one"},
    {"SwitchName=a Nodes=n1 Switches=b\nSwitchName=b Switches=a\n", "t:1:32: switch b is its own parent: b > a > b"},
    {"SwitchName=012345678901234567890123456789012345678901234567890123456789abcd Nodes=n1\n",
     "t:1:12: the name '01234567890123456789...' is longer than 63 characters"},
    {"SwitchName=s0 Nodes=n0,\xc3\xa9\n", "t:1:24: '?' cannot stand in a host list; write it like n[01-16,20],gpu3"},
};

static void check(const struct refusal *rows, size_t count) {
  size_t wrong = 0;
  for (size_t i = 0; i < count; i++) {
    struct rs_topology_file *file = NULL;
    struct rs_error error = {0};
    enum rs_status status = rs_topology_file_parse("t", rows[i].text, strlen(rows[i].text), &file, &error);
    if (status == RS_ERROR_USAGE && file == NULL && strcmp(error.text, rows[i].refusal) == 0)
      continue;
    print_error("%s\n  expected %s\n  got      %s\n", rows[i].text, rows[i].refusal, error.text);
    rs_topology_file_close(file);
    wrong++;
  }
  assert_int_equal(wrong, 0);
}

static void yaml_is_refused_at_its_place(void **state) {
  (void)state;
  check(yaml, RS_ARRAY_LENGTH(yaml));
}

static void aws_json_is_refused_at_its_place(void **state) {
  (void)state;
  check(aws, RS_ARRAY_LENGTH(aws));
}

static void slurm_is_refused_at_its_place(void **state) {
  (void)state;
  check(slurm, RS_ARRAY_LENGTH(slurm));
}

static void more_switches_than_a_path_can_hold_are_refused(void **state) {
  (void)state;
  struct rs_text text = {0};
  struct rs_topology_file *file = NULL;
  struct rs_error error = {0};
  rs_text_append(&text, "SwitchName=s0 Nodes=n0\n");
  for (size_t s = 1; s < 100; s++)
    rs_text_append(&text, "SwitchName=s%zu Switches=s%zu\n", s, s - 1);
  assert_int_equal(rs_topology_file_parse("t", text.data, text.length, &file, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "t:1:12: more than 63 switches stand above s0");
  rs_text_fini(&text);
}

static void what_is_no_text_is_refused(void **state) {
  (void)state;
  struct rs_topology_file *file = NULL;
  struct rs_error error = {0};
  assert_int_equal(rs_topology_file_parse("t", "hosts:\n\0", 8, &file, &error), RS_ERROR_USAGE);
  assert_string_equal(error.text, "t: not a text file: there is a NUL byte at offset 7");
}

// Files that are broken by chance: none may crash or hang a reader, and each refusal names the file.
static void mutilated_files_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {
      "partial: true\nhosts:\n  n[1-4]: {switch: s1, zone: z}\nswitches:\n  s1: {parent: s2}\n  s2:\n",
      HEAD "  {\"InstanceId\": \"i-2\", \"NetworkNodes\": [\"a\", \"b\", \"c\"], \"ZoneId\": null}]}",
      "# c\nSwitchName=s0 Nodes=n[0-3,7] \\\n LinkSpeed=1\nSwitchName=s1 Switches=s0\n",
  };
  static const char shards[] = "[]{}:,&*!|>'\"%@`#-? \n\t\\0.=9nsx\xc3\xff~";
  const uint64_t seed = 20261125;
  struct rs_random random = {seed};
  for (int round = 0; round < 15000; round++) {
    char copy[512];
    snprintf(copy, sizeof copy, "%s", texts[round % 3]);
    size_t bytes = strlen(copy);
    for (uint64_t i = rs_random_below(&random, 4) + 1; i > 0; i--)
      copy[rs_random_below(&random, bytes)] = shards[rs_random_below(&random, sizeof shards - 1)];
    struct rs_topology_file *file = NULL;
    struct rs_error error = {0};
    enum rs_status status = rs_topology_file_parse("t", copy, bytes, &file, &error);
    if (status != RS_OK && (status != RS_ERROR_USAGE || strncmp(error.text, "t:", 2) != 0))
      fail_msg("seed %llu, round %d: %s\n%s", (unsigned long long)seed, round, error.text, copy);
    rs_topology_file_close(file);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(yaml_is_refused_at_its_place),  cmocka_unit_test(aws_json_is_refused_at_its_place),
      cmocka_unit_test(slurm_is_refused_at_its_place), cmocka_unit_test(more_switches_than_a_path_can_hold_are_refused),
      cmocka_unit_test(what_is_no_text_is_refused),    cmocka_unit_test(mutilated_files_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
