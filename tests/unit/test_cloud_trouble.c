// Metadata services that are absent, slow, huge, wrong or hostile: each ends in time, with one line that says what
// happened and what to do, and with facts and raw text that can be printed.
#include "support/cloud_reading.h"
#include "support/fake_root.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)
#define TOKEN "PUT /latest/api/token", .body = "token"
#define IN_TIME 10 // seconds: far above every limit here, also on a busy machine

static void expect_note(const struct cloud_reading *reading, enum rs_status status, const char *words) {
  if (reading->status != status || !strstr(reading->note.data, words))
    fail_msg("status %d, not %d, or no '%s' in the note: %s", (int)reading->status, (int)status, words,
             reading->note.data);
  assert_true(reading->seconds < IN_TIME);
}

// ---- nobody answers ---------------------------------------------------------------------------------------

static void services_that_do_not_answer_are_given_up(void **state) {
  static const struct {
    enum http_manner manner;
    int64_t timeout_ns;
    enum rs_status status;
    const char *words;
  } rows[] = {
      {HTTP_SILENT, 150 * MS, RS_ERROR_TIMEOUT, "no answer from 127.0.0.1"},
      {HTTP_DRIPS, 150 * MS, RS_ERROR_TIMEOUT, "within 150 ms; see that"},
      {HTTP_HANGS_UP, 0, RS_ERROR_PEER, "no answer from 127.0.0.1"},
      {HTTP_BABBLES, 0, RS_ERROR_PEER, "no answer from 127.0.0.1"},
  };
  (void)state;
  for (enum rs_cloud cloud = RS_CLOUD_AWS; cloud < RS_CLOUD_COUNT; cloud++)
    for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
      const struct http_script script = {.manner = rows[r].manner};
      struct rs_cloud_params params = {.cloud = cloud, .timeout_ns = rows[r].timeout_ns};
      struct cloud_reading reading = cloud_read_script(&script, params);
      expect_note(&reading, rows[r].status, rows[r].words);
      expect_note(&reading, rows[r].status, "; see that"); // what to do
      assert_true(reading.requests <= 2);                  // libcurl asks once more when a connection is closed
      assert_string_equal(reading.facts.instance_id, "");
      cloud_reading_fini(&reading);
    }
}

static void a_refused_connection_is_told(void **state) {
  char nobody[32];
  (void)state;
  http_server_nobody(nobody, sizeof(nobody));
  struct rs_cloud_params params = {.endpoints[RS_CLOUD_AWS] = nobody};
  struct cloud_reading reading = cloud_read("aws", &params);
  expect_note(&reading, RS_ERROR_PEER, "AWS metadata: no answer from 127.0.0.1");
  expect_note(&reading, RS_ERROR_PEER, "HttpPutResponseHopLimit");
  assert_non_null(strstr(reading.raw.data, "PUT /latest/api/token: no answer"));
  assert_string_equal(reading.facts.cloud, "aws");
  cloud_reading_fini(&reading);
}

static void all_requests_together_have_a_limit(void **state) {
  static const struct http_reply replies[] = {{TOKEN}, {"GET /latest/meta-data/instance-id", .body = "i-1234abcd"}};
  const struct http_script script = {.delay_ms = 60, .replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
  (void)state;
  struct rs_cloud_params params = {.cloud = RS_CLOUD_AWS, .timeout_ns = 5000 * MS, .total_ns = 250 * MS};
  struct cloud_reading reading = cloud_read_script(&script, params);
  // Of some ten requests, four fit. The last is cut short, or was the last that fitted.
  assert_int_equal(reading.status, RS_ERROR_TIMEOUT);
  expect_note(&reading, RS_ERROR_TIMEOUT, "within");
  assert_true(reading.requests <= 5);
  cloud_reading_fini(&reading);

  const struct http_script silent = {.manner = HTTP_SILENT};
  params.timeout_ns = 60000 * MS;
  reading = cloud_read_script(&silent, params);
  expect_note(&reading, RS_ERROR_TIMEOUT, "no answer from 127.0.0.1");
  cloud_reading_fini(&reading);
}

static void endpoints_that_cannot_be_asked_are_told(void **state) {
  char endless[5001], file[PATH_MAX];
  memset(endless, 'x', sizeof(endless) - 1);
  endless[sizeof(endless) - 1] = '\0';
  struct rs_cloud_params params = {.endpoints[RS_CLOUD_GCP] = endless};
  struct cloud_reading reading = cloud_read("gcp", &params);
  expect_note(&reading, RS_ERROR_USAGE, "GCE_METADATA_HOST");
  cloud_reading_fini(&reading);

  fake_root_put(*state, "/computeMetadata/v1/instance/id", "7");
  assert_true(snprintf(file, sizeof(file), "file://%s", (const char *)*state) < (int)sizeof(file));
  const char *const others[] = {"https://127.0.0.1:1", file, "http://[zz"};
  for (size_t o = 0; o < RS_ARRAY_LENGTH(others); o++) {
    params.endpoints[RS_CLOUD_GCP] = others[o];
    reading = cloud_read("gcp", &params);
    expect_note(&reading, RS_ERROR_PEER, "GCP metadata: no answer");
    cloud_reading_fini(&reading);
  }
}

// ---- answers that are no use ------------------------------------------------------------------------------

static void refusals_are_told(void **state) {
  static const struct http_reply aws_ids[] = {{TOKEN}, {"GET /latest/meta-data/instance-id", .body = "i-1234abcd"}};
  static const struct http_reply disabled = {"PUT /latest/api/token", .body = "", .status = 403};
  static const struct http_reply moody[] = {{TOKEN},
                                            {"GET /latest/meta-data/instance-id", .body = "", .status = 503},
                                            {"GET /latest/meta-data/instance-type", .body = "p5.48xlarge"}};
  static const struct {
    const char *words;
    struct http_script script;
    const char *type;
  } rows[] = {
      {"GET /latest/meta-data/instance-id was answered with 401 (not authorised)",
       {.needed_header = "X-aws-ec2-metadata-token: other", .refusal = 401, .replies = aws_ids, .reply_count = 2},
       ""},
      {"PUT /latest/api/token was answered with 403 (forbidden); see that the instance's metadata service is on",
       {.replies = &disabled, .reply_count = 1},
       ""},
      {"PUT /latest/api/token was answered with 404", {.reply_count = 0}, ""},
      {"GET /latest/meta-data/instance-id was answered with 503 (too busy)",
       {.replies = moody, .reply_count = RS_ARRAY_LENGTH(moody)},
       "p5.48xlarge"}, // the rest is asked for
  };
  (void)state;
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++) {
    struct cloud_reading reading = cloud_read_script(&rows[r].script, (struct rs_cloud_params){.cloud = RS_CLOUD_AWS});
    expect_note(&reading, RS_ERROR_PEER, rows[r].words);
    assert_string_equal(reading.facts.instance_type, rows[r].type);
    cloud_reading_fini(&reading);
  }
}

static void no_redirect_is_followed(void **state) {
  static const struct http_reply there = {"GET /computeMetadata/v1/instance/id", .body = "666"};
  const struct http_script other = {.replies = &there, .reply_count = 1};
  char location[64];
  (void)state;
  struct http_server *elsewhere = http_server_start(&other);
  snprintf(location, sizeof(location), "Location: http://%s/", http_server_endpoint(elsewhere));
  const struct http_reply here = {"GET /computeMetadata/v1/instance/id", .body = "", .status = 302, .header = location};
  const struct http_script script = {.replies = &here, .reply_count = 1};
  struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_GCP});
  expect_note(&reading, RS_ERROR_PEER, "302 (elsewhere, which is not followed)");
  assert_int_equal(reading.requests, 1);
  assert_int_equal(http_server_requests(elsewhere), 0);
  assert_string_equal(reading.facts.instance_id, "");
  http_server_stop(elsewhere);
  cloud_reading_fini(&reading);
}

static void a_token_is_visible_text(void **state) {
  static const struct http_reply bad[] = {
      {"PUT /latest/api/token", .body = ""},
      {"PUT /latest/api/token", .body = "a\r\nX-Injected: 1"},
      {"PUT /latest/api/token", .body = "t", .repeat = 513},
  };
  (void)state;
  for (size_t b = 0; b < RS_ARRAY_LENGTH(bad); b++) {
    const struct http_script script = {.replies = &bad[b], .reply_count = 1};
    struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_AWS});
    expect_note(&reading, RS_ERROR_PEER, "was not answered with a token");
    assert_int_equal(reading.requests, 1);
    cloud_reading_fini(&reading);
  }
}

static void huge_answers_are_not_believed(void **state) {
  static const struct http_reply replies[] = {
      {TOKEN},
      {"GET /latest/meta-data/instance-id", .body = "i-1234abcd"},
      {"GET /latest/meta-data/instance-type", .body = "0123456789abcdef", .repeat = 1 << 20}, // 16 MiB
      {"GET /latest/meta-data/placement/region", .body = "us-east-1"},
  };
  const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
  (void)state;
  struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_AWS});
  expect_note(&reading, RS_ERROR_PEER, "more than 64 KiB");
  assert_string_equal(reading.facts.instance_type, "");
  assert_string_equal(reading.facts.region, "us-east-1");
  assert_true(reading.raw.length < 4096);
  cloud_reading_fini(&reading);
}

static void raw_text_has_a_limit(void **state) {
  static const struct http_reply replies[] = {
      {TOKEN},
      {"GET /latest/meta-data/instance-id", .body = "line\n", .repeat = 13000},
      {"GET /latest/meta-data/instance-type", .body = "line\n", .repeat = 13000},
      {"GET /latest/meta-data/placement/region", .body = "line\n", .repeat = 13000},
      {"GET /latest/meta-data/placement/availability-zone", .body = "us-east-1a"},
  };
  const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
  (void)state;
  struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_AWS});
  assert_true(reading.raw.length <= (size_t)256 << 10);
  assert_true(reading.raw.length > (size_t)255 << 10);
  assert_non_null(strstr(reading.raw.data + reading.raw.length - 60, "(the rest is left out"));
  assert_string_equal(reading.facts.zone, "us-east-1a");
  assert_string_equal(reading.facts.region, "line");
  cloud_reading_fini(&reading);
}

static void malformed_json_is_told(void **state) {
  static const char *const bad[] = {"",   "{\"compute\": {\"vmSize\": \"x\"", "[1, 2]", "<html>", "{\"a\": \"\xff\"}",
                                    "nul"};
  (void)state;
  for (size_t b = 0; b < RS_ARRAY_LENGTH(bad); b++) {
    const struct http_reply replies[] = {
        {"GET /metadata/instance?api-version=2021-02-01", .body = bad[b]},
        {"GET /computeMetadata/v1/instance/id", .body = "7"},
        {"GET /computeMetadata/v1/instance/attributes/physical_host_topology", .body = bad[b]}};
    const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
    struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_AZURE});
    expect_note(&reading, RS_ERROR_PEER, "is no JSON object (line ");
    assert_string_equal(reading.facts.instance_type, "");
    cloud_reading_fini(&reading);
    reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_GCP});
    expect_note(&reading, RS_ERROR_PEER, "is no JSON object (line ");
    assert_string_equal(reading.facts.network_path, "");
    assert_string_equal(reading.facts.instance_id, "7");
    cloud_reading_fini(&reading);
  }
}

// Cut, it could be equal to another's.
static void a_path_that_does_not_fit_is_unknown(void **state) {
  char body[400] = "{\"cluster\": \"c\", \"host\": \"h\", \"block\": \"";
  (void)state;
  size_t length = strlen(body);
  memset(body + length, 'b', 127);
  memcpy(body + length + 127, "\"}", 3);
  const struct http_reply replies[] = {
      {"GET /computeMetadata/v1/instance/id", .body = "7"},
      {"GET /computeMetadata/v1/instance/attributes/physical_host_topology", .body = body}};
  const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
  struct cloud_reading reading = cloud_read_script(&script, (struct rs_cloud_params){.cloud = RS_CLOUD_GCP});
  expect_note(&reading, RS_ERROR_PEER, "the network path has 129 characters");
  assert_string_equal(reading.facts.network_path, "");
  assert_string_equal(reading.facts.physical_host, "h");
  cloud_reading_fini(&reading);
}

static void notes_keep_macs_to_themselves(void **state) {
  static const struct http_reply replies[] = {
      {TOKEN},
      {"GET /latest/meta-data/instance-id", .body = "i-1234abcd"},
      {"GET /latest/meta-data/network/interfaces/macs/", .body = "02:29:96:8f:6a:2d/\n"},
      {"GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/vpc-id", .body = "", .status = 500},
  };
  const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
  (void)state;
  struct rs_cloud_params params = {.cloud = RS_CLOUD_AWS, .redact = true};
  struct cloud_reading reading = cloud_read_script(&script, params);
  expect_note(&reading, RS_ERROR_PEER, "/macs/mac-redacted-");
  cloud_reading_fini(&reading);
}

// ---- noise ------------------------------------------------------------------------------------------------

// Every path answers with the same noise: digits, letters and control bytes, and what JSON and paths are made of.
static void noise_does_no_harm(void **state) {
  static const char alphabet[] = "0123456789abcdef\x01\x1b\n\r\t\x7f\xc3\xff/-:{}[]\",. ";
  static const char *const requests[] = {"PUT /latest/api/token",
                                         "GET /latest/meta-data/instance-id",
                                         "GET /latest/meta-data/network/interfaces/macs/",
                                         "GET /computeMetadata/v1/instance/id",
                                         "GET /computeMetadata/v1/instance/zone",
                                         "GET /computeMetadata/v1/instance/attributes/physical_host",
                                         "GET /computeMetadata/v1/instance/network-interfaces/0/network",
                                         "GET /metadata/instance?api-version=2021-02-01"};
  (void)state;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    struct rs_random random = {.state = seed};
    char noise[600];
    size_t length = rs_random_below(&random, sizeof(noise));
    for (size_t i = 0; i < length; i++)
      noise[i] = alphabet[rs_random_below(&random, sizeof(alphabet) - 1)];
    noise[length] = '\0';
    struct http_reply replies[RS_ARRAY_LENGTH(requests)];
    for (size_t r = 0; r < RS_ARRAY_LENGTH(requests); r++)
      replies[r] = (struct http_reply){requests[r], .body = r == 0 ? "token" : noise};
    const struct http_script script = {.replies = replies, .reply_count = RS_ARRAY_LENGTH(replies)};
    for (enum rs_cloud cloud = RS_CLOUD_AWS; cloud < RS_CLOUD_COUNT; cloud++) {
      struct rs_cloud_params params = {.cloud = cloud, .redact = seed % 2 == 0};
      struct cloud_reading reading = cloud_read_script(&script, params);
      const struct rs_host_facts *facts = &reading.facts;
      const char *const texts[] = {facts->instance_id, facts->zone,          facts->region,    facts->network_path,
                                   facts->network,     facts->physical_host, reading.raw.data, reading.note.data};
      for (size_t t = 0; t < RS_ARRAY_LENGTH(texts); t++)
        for (const char *c = texts[t]; *c != '\0'; c++)
          if ((*c < ' ' || *c > '~') && !(*c == '\n' && texts[t] == reading.raw.data))
            fail_msg("seed %llu, cloud %s, text %zu: byte %02x", (unsigned long long)seed, rs_cloud_names[cloud], t,
                     (unsigned)(unsigned char)*c);
      cloud_reading_fini(&reading);
    }
  }
}

// ---- another build ----------------------------------------------------------------------------------------

static void a_build_without_libcurl_says_so(void **state) {
  for (enum rs_cloud cloud = RS_CLOUD_AWS; cloud < RS_CLOUD_COUNT; cloud++) {
    struct rs_cloud_params params = {.cloud = cloud, .root = *state};
    struct cloud_reading reading = cloud_read("", &params);
    expect_note(&reading, RS_ERROR_UNSUPPORTED, "metadata: not asked, as this ringside was built without libcurl");
    assert_string_equal(reading.facts.cloud, rs_cloud_names[cloud]);
    assert_string_equal(reading.raw.data, "");
    cloud_reading_fini(&reading);
  }
}

int main(void) {
  const struct CMUnitTest without[] = {
      cmocka_unit_test_setup_teardown(a_build_without_libcurl_says_so, fake_root_make, fake_root_remove),
  };
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(services_that_do_not_answer_are_given_up),
      cmocka_unit_test(a_refused_connection_is_told),
      cmocka_unit_test(all_requests_together_have_a_limit),
      cmocka_unit_test_setup_teardown(endpoints_that_cannot_be_asked_are_told, fake_root_make, fake_root_remove),
      cmocka_unit_test(refusals_are_told),
      cmocka_unit_test(no_redirect_is_followed),
      cmocka_unit_test(a_token_is_visible_text),
      cmocka_unit_test(huge_answers_are_not_believed),
      cmocka_unit_test(raw_text_has_a_limit),
      cmocka_unit_test(malformed_json_is_told),
      cmocka_unit_test(a_path_that_does_not_fit_is_unknown),
      cmocka_unit_test(notes_keep_macs_to_themselves),
      cmocka_unit_test(noise_does_no_harm),
  };
  char library[64];
  if (!rs_cloud_library(library, sizeof(library)))
    return cmocka_run_group_tests_name(library, without, NULL, NULL);
  return cmocka_run_group_tests(tests, cloud_library_start, cloud_library_stop);
}
