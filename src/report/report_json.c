#include "report/report_json.h"
#include "report/stragglers.h"
#include "ringside/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 1
#define DIGITS 15

void rs_report_library(char *text, size_t bytes) {
  snprintf(text, bytes, "jansson %s", jansson_version_str());
}

json_t *rs_json_text(const char *text, size_t length) {
  json_t *value = json_stringn(text, length);
  if (value != NULL)
    return value;
  char *ascii = malloc(length + 1);
  if (ascii == NULL)
    return NULL;
  memcpy(ascii, text, length);
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)ascii[i] >= 0x80)
      ascii[i] = '?';
  value = json_stringn(ascii, length);
  free(ascii);
  return value;
}

json_t *rs_json_real(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *rs_json_integer(uint64_t value) {
  return json_integer((json_int_t)value);
}

json_t *rs_json_field(const struct rs_field *field, const struct rs_case_row *row) {
  size_t length;
  const char *text;
  switch (field->kind) {
  case RS_FIELD_TEXT:
    text = rs_field_text(field, row, &length);
    return rs_json_text(text, length);
  case RS_FIELD_REAL:
    return rs_json_real(rs_field_real(field, row));
  case RS_FIELD_FLAG:
    return json_boolean(rs_field_integer(field, row));
  default:
    return json_integer(rs_field_integer(field, row));
  }
}

void rs_json_set(json_t **object, const char *key, json_t *value) {
  if (*object == NULL) {
    json_decref(value);
  } else if (json_object_set_new(*object, key, value) != 0) {
    json_decref(*object);
    *object = NULL;
  }
}

void rs_json_append(json_t **array, json_t *value) {
  if (*array == NULL) {
    json_decref(value);
  } else if (json_array_append_new(*array, value) != 0) {
    json_decref(*array);
    *array = NULL;
  }
}

enum rs_status rs_json_print(json_t *value, FILE *file, struct rs_error *error) {
  if (value == NULL)
    return rs_error_set(error, RS_ERROR_MEMORY, "writing JSON: out of memory");
  errno = 0;
  bool failed =
      json_dumpf(value, file, JSON_INDENT(INDENT) | JSON_REAL_PRECISION(DIGITS)) != 0 || fputc('\n', file) == EOF;
  int code = errno != 0 ? errno : EIO;
  json_decref(value);
  if (failed)
    return rs_error_set_errno(error, RS_ERROR_IO, code, "writing JSON");
  return RS_OK;
}

static void set_text(json_t **object, const char *key, const char *text) {
  rs_json_set(object, key, text == NULL ? json_null() : rs_json_text(text, strlen(text)));
}

// Reads "boot_id" and the like as null when the fact is not known, so that nobody takes "" for a value.
static void set_fact(json_t **object, const char *key, const char *text) {
  set_text(object, key, text[0] == '\0' ? NULL : text);
}

json_t *rs_json_host(const struct rs_host_facts *host) {
  json_t *object = json_object();
  set_fact(&object, "hostname", host->hostname);
  set_fact(&object, "boot_id", host->boot_id);
  set_fact(&object, "cloud", host->cloud);
  set_fact(&object, "instance_type", host->instance_type);
  set_fact(&object, "region", host->region);
  set_fact(&object, "zone", host->zone);
  set_fact(&object, "placement_group", host->placement_group);
  set_fact(&object, "network_path", host->network_path);
  rs_json_set(&object, "partition", json_integer(host->partition));
  set_fact(&object, "cpu", host->cpu);
  rs_json_set(&object, "cores", json_integer(host->cores));
  rs_json_set(&object, "processing_units", json_integer(host->processing_units));
  rs_json_set(&object, "numa_nodes", json_integer(host->numa_nodes));
  rs_json_set(&object, "memory_bytes", rs_json_integer(host->memory_bytes));
  set_fact(&object, "kernel", host->kernel);
  set_fact(&object, "congestion_control", host->congestion_control);
  set_fact(&object, "instance_id", host->instance_id);
  set_fact(&object, "zone_id", host->zone_id);
  set_fact(&object, "physical_host", host->physical_host);
  set_fact(&object, "network", host->network);
  set_fact(&object, "subnet", host->subnet);
  return object;
}

json_t *rs_json_rank(size_t rank, const struct rs_rank_facts *facts) {
  json_t *object = json_object();
  rs_json_set(&object, "rank", rs_json_integer(rank));
  rs_json_set(&object, "host", json_integer(facts->host));
  rs_json_set(&object, "local_rank", json_integer(facts->local_rank));
  set_fact(&object, "cpus", facts->cpus);
  rs_json_set(&object, "bound", json_boolean(facts->bound));
  rs_json_set(&object, "numa_node", json_integer(facts->numa_node));
  return object;
}

static json_t *make_device(const struct rs_device_row *device) {
  json_t *object = json_object();
  rs_json_set(&object, "rank", json_integer(device->rank));
  set_fact(&object, "transport", device->transport);
  set_fact(&object, "interface", device->interface);
  set_fact(&object, "address", device->address);
  set_fact(&object, "driver", device->driver);
  set_fact(&object, "congestion", device->congestion);
  rs_json_set(&object, "speed_mbit", rs_json_integer(device->speed_mbit));
  rs_json_set(&object, "mtu", rs_json_integer(device->mtu));
  return object;
}

static json_t *make_case(const struct rs_case_row *row) {
  json_t *object = json_object();
  for (size_t f = 0; f < rs_report_field_count; f++)
    rs_json_set(&object, rs_report_fields[f].name, rs_json_field(&rs_report_fields[f], row));
  return object;
}

static json_t *make_pair(const struct rs_pair_row *row) {
  json_t *object = json_object();
  rs_json_set(&object, "case_id", json_integer(row->case_id));
  rs_json_set(&object, "rank_a", json_integer(row->rank_a));
  rs_json_set(&object, "rank_b", json_integer(row->rank_b));
  rs_json_set(&object, "median_ns", rs_json_real(row->median_ns));
  rs_json_set(&object, "ci_low_ns", rs_json_real(row->ci_low_ns));
  rs_json_set(&object, "ci_high_ns", rs_json_real(row->ci_high_ns));
  rs_json_set(&object, "p99_ns", rs_json_real(row->p99_ns));
  rs_json_set(&object, "algbw_gb_s", rs_json_real(row->algbw_gb_s));
  return object;
}

static json_t *make_attributes(const struct rs_result *result) {
  json_t *object = json_object();
  for (size_t i = 0; i < result->attribute_count; i++)
    set_text(&object, result->attributes[i].key, result->attributes[i].value);
  return object;
}

enum rs_status rs_report_json(const struct rs_result *result, const struct rs_stragglers *stragglers, FILE *file,
                              struct rs_error *error) {
  json_t *root = json_object(), *hosts = json_array(), *ranks = json_array(), *devices = json_array(),
         *cases = json_array(), *pairs = json_array();
  for (size_t i = 0; i < result->placement.host_count; i++)
    rs_json_append(&hosts, rs_json_host(&result->placement.hosts[i]));
  for (size_t i = 0; i < result->placement.rank_count; i++)
    rs_json_append(&ranks, rs_json_rank(i, &result->placement.ranks[i]));
  for (size_t i = 0; i < result->device_count; i++)
    rs_json_append(&devices, make_device(&result->devices[i]));
  for (size_t i = 0; i < result->case_count; i++)
    rs_json_append(&cases, make_case(&result->cases[i]));
  for (size_t i = 0; i < result->pair_count; i++)
    rs_json_append(&pairs, make_pair(&result->pairs[i]));
  set_text(&root, "file", result->path);
  set_text(&root, "format", "ringside");
  rs_json_set(&root, "schema_version", json_integer(result->schema_version));
  set_text(&root, "ringside_version", result->ringside_version);
  set_text(&root, "created", result->created);
  set_text(&root, "status", result->status);
  set_text(&root, "run_uuid", result->run_uuid);
  set_text(&root, "command_line", result->command_line);
  set_text(&root, "config", result->config);
  rs_json_set(&root, "attributes", make_attributes(result));
  rs_json_set(&root, "hosts", hosts);
  rs_json_set(&root, "ranks", ranks);
  rs_json_set(&root, "rank_devices", devices);
  rs_json_set(&root, "cases", cases);
  rs_json_set(&root, "pairs", pairs);
  if (stragglers != NULL)
    rs_json_set(&root, "stragglers", rs_stragglers_json(result, stragglers));
  return rs_json_print(root, file, error);
}
