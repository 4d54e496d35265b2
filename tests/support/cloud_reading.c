#include "support/cloud_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct cloud_reading cloud_read(const char *firmware, const struct rs_cloud_params *params) {
  struct cloud_reading reading = {.facts.partition = -1};
  snprintf(reading.facts.cloud, sizeof(reading.facts.cloud), "%s", firmware);
  int64_t start = rs_clock_ns();
  reading.status = rs_cloud_read(params, &reading.facts, &reading.raw, &reading.note);
  if (params->redact)
    rs_host_facts_redact(&reading.facts);
  reading.seconds = (double)(rs_clock_ns() - start) / 1e9;
  rs_text_append(&reading.raw, "%s", "");
  rs_text_append(&reading.note, "%s", "");
  assert_false(reading.raw.failed || reading.note.failed);
  assert_null(strchr(reading.note.data, '\n'));
  assert_int_equal(reading.status != RS_OK, reading.note.length > 0);
  return reading;
}

struct cloud_reading cloud_read_script(const struct http_script *script, struct rs_cloud_params params) {
  struct http_server *server = http_server_start(script);
  for (size_t c = 0; c < RS_CLOUD_COUNT; c++)
    params.endpoints[c] = http_server_endpoint(server);
  struct cloud_reading reading = cloud_read("", &params);
  reading.requests = http_server_requests(server);
  http_server_stop(server);
  return reading;
}

void cloud_reading_fini(struct cloud_reading *reading) {
  rs_text_fini(&reading->raw);
  rs_text_fini(&reading->note);
}

int cloud_library_start(void **state) {
  struct rs_error error = {0};
  char library[64];
  (void)state;
  if (!rs_cloud_library(library, sizeof(library))) {
    print_message("left out: %s\n", library);
    exit(77);
  }
  static const char *const variables[] = {"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                          "GCE_METADATA_HOST"};
  for (size_t v = 0; v < RS_ARRAY_LENGTH(variables); v++)
    unsetenv(variables[v]);
  return rs_cloud_init(&error) == RS_OK ? 0 : -1;
}

int cloud_library_stop(void **state) {
  (void)state;
  rs_cloud_fini();
  return 0;
}
