// What is read from metadata services that answer as the three clouds document, and what redaction leaves of it.
#include "support/cloud_reading.h"
#include "support/fake_root.h"
#include "topology/host.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IS(raw, words) assert_non_null(strstr((raw).data, words))
#define IS_NOT(raw, words) assert_null(strstr((raw).data, words))

// ---- AWS --------------------------------------------------------------------------------------------------

#define META "GET /latest/meta-data/"
#define FIRST META "network/interfaces/macs/02:29:96:8f:6a:2d/"
#define SECOND META "network/interfaces/macs/02:29:96:8f:6a:2e/"
#define TOKEN "AQAEAHs_secret-Token=="

static const struct http_reply aws_replies[] = {
    {"PUT /latest/api/token", .body = TOKEN},
    {META "instance-id", .body = "i-0598c7d356eba48d7"},
    {META "instance-type", .body = "c5n.18xlarge"},
    {META "placement/region", .body = "us-east-1"},
    {META "placement/availability-zone", .body = "us-east-1a"},
    {META "placement/availability-zone-id", .body = "use1-az6"},
    {META "placement/group-name", .body = "training"},
    {META "placement/partition-number", .body = "3"},
    {META "network/interfaces/macs/", .body = "02:29:96:8f:6a:2e/\n02:29:96:8f:6a:2d/\n../../evil\n"},
    {FIRST "device-number", .body = "0"},
    {FIRST "interface-id", .body = "eni-0e6bc9a1b2c3d4e5f"},
    {FIRST "network-card", .body = "0"},
    {FIRST "subnet-id", .body = "subnet-0a1b2c3d4e5f60718"},
    {FIRST "vpc-id", .body = "vpc-0112233445566778a"},
    {FIRST "security-group-ids", .body = "sg-0a0a0a0a\nsg-0b0b0b0b"},
    {FIRST "subnet-ipv4-cidr-block", .body = "172.31.16.0/20"},
    {SECOND "device-number", .body = "1"},
    {SECOND "network-card-index", .body = "1"},
    {SECOND "subnet-id", .body = "subnet-0ffffffffffffffff"},
    {SECOND "vpc-id", .body = "vpc-0ffffffffffffffff"},
};
static const struct http_script aws = {.needed_header = "X-aws-ec2-metadata-token: " TOKEN "\r\n",
                                       .refusal = 401,
                                       .replies = aws_replies,
                                       .reply_count = RS_ARRAY_LENGTH(aws_replies)};

static void aws_tells_a_placement(void **state) {
  (void)state;
  struct cloud_reading reading = cloud_read_script(&aws, (struct rs_cloud_params){.cloud = RS_CLOUD_AWS});
  const struct rs_host_facts *facts = &reading.facts;
  assert_string_equal(reading.note.data, "");
  assert_string_equal(facts->cloud, "aws");
  assert_string_equal(facts->instance_id, "i-0598c7d356eba48d7");
  assert_string_equal(facts->instance_type, "c5n.18xlarge");
  assert_string_equal(facts->region, "us-east-1");
  assert_string_equal(facts->zone, "us-east-1a");
  assert_string_equal(facts->zone_id, "use1-az6");
  assert_string_equal(facts->placement_group, "training");
  assert_int_equal(facts->partition, 3);
  assert_string_equal(facts->physical_host, ""); // no dedicated host: 404
  assert_string_equal(facts->network, "vpc-0112233445566778a");
  assert_string_equal(facts->subnet, "subnet-0a1b2c3d4e5f60718");
  IS(reading.raw, "GET /latest/meta-data/instance-type: 200\n  c5n.18xlarge\n");
  IS(reading.raw, "GET /latest/meta-data/placement/host-id: 404\n");
  IS(reading.raw, "security-group-ids: 200\n  sg-0a0a0a0a\n  sg-0b0b0b0b\n");
  IS(reading.raw, "02:29:96:8f:6a:2e/network-card-index: 200\n  1\n");
  IS_NOT(reading.raw, TOKEN);
  IS_NOT(reading.raw, "macs/../../evil"); // what is no MAC address is in no path
  cloud_reading_fini(&reading);
}

static void aws_is_redacted(void **state) {
  static const char *const identifiers[] = {"i-0598",  "02:29:96", "eni-0e6", "subnet-0a1b",
                                            "vpc-011", "sg-0a0a",  "172.31"};
  (void)state;
  struct rs_cloud_params params = {.cloud = RS_CLOUD_AWS, .redact = true};
  struct cloud_reading reading = cloud_read_script(&aws, params);
  const struct rs_host_facts *facts = &reading.facts;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(identifiers); i++)
    IS_NOT(reading.raw, identifiers[i]);
  assert_memory_equal(facts->instance_id, "i-redacted-", 11);
  assert_memory_equal(facts->network, "vpc-redacted-", 13);
  assert_memory_equal(facts->subnet, "subnet-redacted-", 16);
  IS(reading.raw, facts->instance_id); // facts and raw say the same
  IS(reading.raw, facts->network);
  IS(reading.raw, facts->subnet);
  assert_string_equal(facts->zone, "us-east-1a");
  assert_string_equal(facts->instance_type, "c5n.18xlarge");
  assert_string_equal(facts->placement_group, "training");
  cloud_reading_fini(&reading);
}

// ---- GCP --------------------------------------------------------------------------------------------------

#define COMPUTE "GET /computeMetadata/v1/instance/"

static const struct http_reply gcp_replies[] = {
    {COMPUTE "id", .body = "4520031799277581759"},
    {COMPUTE "machine-type", .body = "projects/123456789012/machineTypes/a3-ultragpu-8g"},
    {COMPUTE "zone", .body = "projects/123456789012/zones/us-central1-a"},
    {COMPUTE "network-interfaces/0/network", .body = "projects/123456789012/networks/our-company"},
    {COMPUTE "attributes/physical_host", .body = "/rack-cluster/rack-7/host-old"},
    {COMPUTE "attributes/physical_host_topology",
     .body = "{\"cluster\": \"europe-c1\", \"block\": \"a9f3\\u0007/b\", \"subBlock\": \"0c1d\", \"host\": \"77e2\"}"},
};
static const struct http_script gcp = {
    .needed_header = "Metadata-Flavor: Google\r\n", .refusal = 403, .replies = gcp_replies, .reply_count = 6};

static void gcp_tells_a_placement(void **state) {
  (void)state;
  struct cloud_reading reading = cloud_read_script(&gcp, (struct rs_cloud_params){.cloud = RS_CLOUD_GCP});
  const struct rs_host_facts *facts = &reading.facts;
  assert_string_equal(reading.note.data, "");
  assert_string_equal(facts->instance_id, "4520031799277581759");
  assert_string_equal(facts->instance_type, "a3-ultragpu-8g");
  assert_string_equal(facts->zone, "us-central1-a");
  assert_string_equal(facts->region, "us-central1");
  assert_string_equal(facts->network, "our-company");
  assert_string_equal(facts->network_path, "europe-c1/a9f3_b/0c1d"); // a name cannot make a node of its own
  assert_string_equal(facts->physical_host, "77e2");
  assert_int_equal(facts->partition, -1);
  cloud_reading_fini(&reading);
}

static void gcp_of_before_tells_a_rack(void **state) {
  struct http_script script = gcp;
  (void)state;
  script.reply_count = 5;
  struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_GCP});
  assert_string_equal(reading.note.data, "");
  assert_string_equal(reading.facts.network_path, "rack-cluster/rack-7");
  assert_string_equal(reading.facts.physical_host, "host-old");
  cloud_reading_fini(&reading);
}

static void gcp_is_redacted(void **state) {
  (void)state;
  struct rs_cloud_params params = {.cloud = RS_CLOUD_GCP, .redact = true};
  struct cloud_reading reading = cloud_read_script(&gcp, params);
  IS_NOT(reading.raw, "4520031799277581759");
  IS_NOT(reading.raw, "123456789012");
  IS_NOT(reading.raw, "our-company");
  IS(reading.raw, reading.facts.instance_id);
  IS(reading.raw, reading.facts.network);
  IS(reading.raw, "/zones/us-central1-a");
  assert_string_equal(reading.facts.network_path, "europe-c1/a9f3_b/0c1d");
  cloud_reading_fini(&reading);
}

// ---- Azure ------------------------------------------------------------------------------------------------

static const struct http_reply azure_reply = {
    "GET /metadata/instance?api-version=2021-02-01",
    .body =
        "{\"compute\": {\"azEnvironment\": \"AzurePublicCloud\", \"customData\": \"c2VjcmV0\", \"location\": "
        "\"westeurope\","
        " \"name\": \"worker-7\", \"osProfile\": {\"adminUsername\": \"carol\"}, \"placementGroupId\":"
        " \"f67c14ab-e92c-408c-ae2d-da15866ec79a\", \"platformFaultDomain\": \"4\", \"platformUpdateDomain\": \"13\","
        " \"publicKeys\": [{\"keyData\": \"ssh-rsa 0\", \"path\": \"/home/carol\"}], \"subscriptionId\":"
        " \"8d10da13-8125-4ba9-a717-bf7490507b3d\", \"tags\": \"password:swordfish\", \"userData\": \"c2VjcmV0\","
        " \"resourceId\": \"/subscriptions/8d10/resourceGroups/acme/x\", \"vmId\": "
        "\"02aab8a4-74ef-476e-8182-f6d2ba4166a6\","
        " \"vmSize\": \"Standard_HB120rs_v3\", \"zone\": \"2\"}, \"network\": {\"interface\": [{\"ipv4\": "
        "{\"ipAddress\":"
        " [{\"privateIpAddress\": \"10.144.133.132\", \"publicIpAddress\": \"\"}], \"subnet\": [{\"address\":"
        " \"10.144.133.128\", \"prefix\": \"26\"}]}, \"macAddress\": \"0011AAFFBB22\"}]}}"};
static const struct http_script azure = {
    .needed_header = "Metadata: true\r\n", .refusal = 400, .replies = &azure_reply, .reply_count = 1};

// A pool with other keys before PhysicalHostName; 512 bytes of key, 2048 of value.
static void put_pool(const char *root) {
  static const char *const pairs[][2] = {{"HostName", "AMS07PRDAPP99"},
                                         {"PhysicalHostNameFullyQualified", "wrong"},
                                         {"PhysicalHostName", "AMS07PRDAPP12"}};
  char path[PATH_MAX], record[2560];
  fake_root_put(root, "/var/lib/hyperv/.kvp_pool_3", "");
  assert_true(snprintf(path, sizeof(path), "%s/var/lib/hyperv/.kvp_pool_3", root) < (int)sizeof(path));
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (size_t p = 0; p < RS_ARRAY_LENGTH(pairs); p++) {
    memset(record, 0, sizeof(record));
    memcpy(record, pairs[p][0], strlen(pairs[p][0]));
    memcpy(record + 512, pairs[p][1], strlen(pairs[p][1]));
    assert_int_equal(fwrite(record, sizeof(record), 1, file), 1);
  }
  assert_int_equal(fclose(file), 0);
}

static void azure_tells_a_placement(void **state) {
  put_pool(*state);
  struct cloud_reading reading =
      cloud_read_script(&azure, (struct rs_cloud_params){.cloud = RS_CLOUD_AZURE, .root = *state});
  const struct rs_host_facts *facts = &reading.facts;
  assert_string_equal(reading.note.data, "");
  assert_string_equal(facts->instance_id, "02aab8a4-74ef-476e-8182-f6d2ba4166a6");
  assert_string_equal(facts->instance_type, "Standard_HB120rs_v3");
  assert_string_equal(facts->region, "westeurope");
  assert_string_equal(facts->zone, "westeurope-2");
  assert_string_equal(facts->placement_group, "f67c14ab-e92c-408c-ae2d-da15866ec79a");
  assert_int_equal(facts->partition, 4);
  assert_string_equal(facts->subnet, "10.144.133.128/26");
  assert_string_equal(facts->physical_host, "AMS07PRDAPP12");
  IS(reading.raw, "\"vmSize\": \"Standard_HB120rs_v3\"");
  IS(reading.raw, "PhysicalHostName of /var/lib/hyperv/.kvp_pool_3: AMS07PRDAPP12\n");
  static const char *const secrets[] = {"c2VjcmV0", "swordfish", "carol", "ssh-rsa"};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(secrets); s++)
    IS_NOT(reading.raw, secrets[s]);
  cloud_reading_fini(&reading);
}

static void azure_is_redacted(void **state) {
  static const char *const identifiers[] = {"02aab8a4", "f67c14ab", "8d10da13", "10.144",
                                            "0011AAFF", "worker-7", "acme"};
  struct rs_cloud_params params = {.cloud = RS_CLOUD_AZURE, .redact = true, .root = *state};
  struct cloud_reading reading = cloud_read_script(&azure, params);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(identifiers); i++)
    IS_NOT(reading.raw, identifiers[i]);
  IS(reading.raw, reading.facts.instance_id);
  IS(reading.raw, reading.facts.placement_group);
  IS(reading.raw, "\"location\": \"westeurope\"");
  IS(reading.raw, "\"platformFaultDomain\": \"4\"");
  IS(reading.raw, "\"publicIpAddress\": \"\"");
  assert_memory_equal(reading.facts.subnet, "ip-redacted-", 12);
  assert_string_equal(reading.facts.subnet + strlen(reading.facts.subnet) - 3, "/26");
  cloud_reading_fini(&reading);
}

static void azure_fields_may_be_empty(void **state) {
  static const struct http_reply reply = {"GET /metadata/instance?api-version=2021-02-01",
                                          .body =
                                              "{\"compute\": {\"location\": \"westus\", \"placementGroupId\": \"\", "
                                              "\"platformFaultDomain\": \"0\", \"vmSize\": 7,"
                                              " \"zone\": \"\"}, \"network\": {\"interface\": []}}"};
  struct http_script script = azure;
  script.replies = &reply;
  struct cloud_reading reading =
      cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_AZURE, .root = *state});
  assert_string_equal(reading.note.data, "");
  assert_string_equal(reading.facts.region, "westus");
  assert_string_equal(reading.facts.zone, "");
  assert_string_equal(reading.facts.instance_type, "");
  assert_int_equal(reading.facts.partition, -1); // a fault domain without a group says nothing
  assert_string_equal(reading.facts.subnet, "");
  cloud_reading_fini(&reading);
}

// ---- which cloud is asked ---------------------------------------------------------------------------------

// What the firmware's tables name, by the address that the environment gives, and past any proxy.
static void firmware_and_environment_lead_there(void **state) {
  char nobody[32];
  struct http_server *server = http_server_start(&aws);
  setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", http_server_endpoint(server), 1);
  setenv("http_proxy", http_server_nobody(nobody, sizeof(nobody)), 1);
  setenv("ALL_PROXY", nobody, 1);
  struct rs_host_facts facts = {.partition = -1};
  struct rs_text raw = {0}, note = {0};
  fake_root_put(*state, "/sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n");
  rs_host_read(*state, &facts);
  assert_int_equal(rs_cloud_read(&(struct rs_cloud_params){.root = *state}, &facts, &raw, &note), RS_OK);
  assert_string_equal(facts.zone_id, "use1-az6");

  // Switched off by us, by AWS's own switch, or no cloud at all: nobody is asked.
  size_t asked = http_server_requests(server);
  struct cloud_reading reading = cloud_read("aws", &(struct rs_cloud_params){.cloud = RS_CLOUD_OFF});
  assert_int_equal(reading.status, RS_OK);
  assert_string_equal(reading.raw.data, "");
  cloud_reading_fini(&reading);
  reading = cloud_read("", &(struct rs_cloud_params){.cloud = RS_CLOUD_AUTO});
  assert_int_equal(reading.status, RS_OK);
  cloud_reading_fini(&reading);
  setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  reading = cloud_read("aws", &(struct rs_cloud_params){.cloud = RS_CLOUD_AUTO});
  IS(reading.note, "AWS_EC2_METADATA_DISABLED");
  cloud_reading_fini(&reading);
  assert_int_equal(http_server_requests(server), asked);

  unsetenv("AWS_EC2_METADATA_DISABLED");
  unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  rs_text_fini(&raw);
  rs_text_fini(&note);
  http_server_stop(server);
}

static void gcp_is_asked_where_its_variable_says(void **state) {
  (void)state;
  struct http_server *server = http_server_start(&gcp);
  setenv("GCE_METADATA_HOST", http_server_endpoint(server), 1);
  struct cloud_reading reading = cloud_read("gcp", &(struct rs_cloud_params){.cloud = RS_CLOUD_AUTO});
  unsetenv("GCE_METADATA_HOST");
  http_server_stop(server);
  assert_string_equal(reading.facts.zone, "us-central1-a");
  cloud_reading_fini(&reading);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(aws_tells_a_placement),
      cmocka_unit_test(aws_is_redacted),
      cmocka_unit_test(gcp_tells_a_placement),
      cmocka_unit_test(gcp_of_before_tells_a_rack),
      cmocka_unit_test(gcp_is_redacted),
      cmocka_unit_test_setup_teardown(azure_tells_a_placement, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(azure_is_redacted, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(azure_fields_may_be_empty, fake_root_make, fake_root_remove),
      cmocka_unit_test_setup_teardown(firmware_and_environment_lead_there, fake_root_make, fake_root_remove),
      cmocka_unit_test(gcp_is_asked_where_its_variable_says),
  };
  return cmocka_run_group_tests(tests, cloud_library_start, cloud_library_stop);
}
