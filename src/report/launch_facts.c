#include "report/launch_facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Of many hosts or ranks, as much as fits a line or two.
#define VALUE_LENGTH_MAX 160

// The kinds of facts, the most suspicious first: other machines, then how they were set up, then what was asked for.
enum suspicion { MACHINE, COUNT, SYSTEM, NETWORK, BINDING, PLACE, HOST, SOFTWARE, SETTING, VARIABLE, OPTION, LABEL };

// What differs between any two launches and explains nothing.
static const char *const passing[] = {
    "cpu.frequency_khz",
    "memory.swap_used_bytes",
    "clock_cost_ns",
    "config.run.seed",
    "config.run.output",
    // What mpirun and Slurm call this launch.
    "environment.OMPI_MCA_ess_base_jobid",
    "environment.OMPI_MCA_orte_hnp_uri",
    "environment.OMPI_MCA_orte_jobfam_session_dir",
    "environment.OMPI_MCA_orte_local_daemon_uri",
    "environment.OMPI_MCA_orte_precondition_transports",
    "environment.SLURM_JOB_ID",
    "environment.SLURM_JOB_START_TIME",
    "environment.SLURM_JOB_END_TIME",
};

struct reader {
  struct rs_launch_facts *facts;
  size_t first; // facts from here on may have several values
  struct rs_error *error;
};

// Whether `value` is one of the values "a, b, c".
static bool has_value(const char *values, const char *value) {
  size_t length = strlen(value);
  for (const char *at = values; at != NULL; at = strstr(at, ", ") != NULL ? strstr(at, ", ") + 2 : NULL) {
    if (strncmp(at, value, length) == 0 && (at[length] == '\0' || strncmp(at + length, ", ", 2) == 0))
      return true;
  }
  return false;
}

static void join_value(struct rs_launch_fact *fact, const char *value, struct rs_error *error) {
  size_t length = strlen(fact->value);
  if (length > VALUE_LENGTH_MAX || has_value(fact->value, value))
    return;
  const char *more = length + strlen(value) > VALUE_LENGTH_MAX ? "..." : value;
  size_t bytes = length + strlen(more) + sizeof ", ";
  char *joined = realloc(fact->value, bytes);
  if (joined == NULL) {
    rs_error_set_memory(error, bytes, "facts of a launch");
    return;
  }
  snprintf(joined + length, bytes - length, ", %s", more);
  fact->value = joined;
}

static void add(struct reader *reader, enum suspicion suspicion, const char *prefix, const char *name,
                const char *value) {
  struct rs_launch_facts *facts = reader->facts;
  char full[192];
  snprintf(full, sizeof full, "%s%s", prefix, name);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(passing); i++)
    if (strcmp(passing[i], full) == 0)
      return;
  if (reader->error->status != RS_OK || value[0] == '\0')
    return;
  for (size_t i = reader->first; i < facts->count; i++)
    if (strcmp(facts->items[i].name, full) == 0) {
      join_value(&facts->items[i], value, reader->error);
      return;
    }
  if (facts->count == facts->capacity) {
    size_t capacity = 2 * facts->capacity + 64;
    struct rs_launch_fact *larger = realloc(facts->items, capacity * sizeof *larger);
    if (larger == NULL) {
      rs_error_set_memory(reader->error, capacity * sizeof *larger, "facts of a launch");
      return;
    }
    facts->items = larger;
    facts->capacity = capacity;
  }
  struct rs_launch_fact fact = {.suspicion = suspicion, .name = strdup(full), .value = strdup(value)};
  if (fact.name == NULL || fact.value == NULL) {
    free(fact.name);
    free(fact.value);
    rs_error_set_memory(reader->error, sizeof full, "facts of a launch");
    return;
  }
  facts->items[facts->count++] = fact;
}

static void add_number(struct reader *reader, enum suspicion suspicion, const char *name, uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, value);
  if (value != 0)
    add(reader, suspicion, "", name, text);
}

static void read_host(struct reader *reader, const struct rs_host_facts *host) {
  char partition[16] = "";
  if (host->partition >= 0)
    snprintf(partition, sizeof partition, "%" PRId32, host->partition);
  add(reader, MACHINE, "", "instance_type", host->instance_type);
  add(reader, MACHINE, "", "cpu", host->cpu);
  add_number(reader, MACHINE, "cores", host->cores);
  add_number(reader, MACHINE, "processing_units", host->processing_units);
  add_number(reader, MACHINE, "numa_nodes", host->numa_nodes);
  add_number(reader, HOST, "memory_bytes", host->memory_bytes);
  add(reader, SYSTEM, "", "kernel", host->kernel);
  add(reader, NETWORK, "", "congestion_control", host->congestion_control);
  add(reader, PLACE, "", "cloud", host->cloud);
  add(reader, PLACE, "", "region", host->region);
  add(reader, PLACE, "", "zone", host->zone);
  add(reader, PLACE, "", "placement_group", host->placement_group);
  add(reader, PLACE, "", "partition", partition);
  add(reader, PLACE, "", "network_path", host->network_path);
  add(reader, HOST, "", "hostname", host->hostname);
}

static void read_device(struct reader *reader, const struct rs_device_row *device) {
  add(reader, NETWORK, "", "driver", device->driver);
  add_number(reader, NETWORK, "mtu", device->mtu);
  add_number(reader, NETWORK, "speed_mbit", device->speed_mbit);
  add(reader, NETWORK, "", "interface", device->interface);
  add(reader, NETWORK, "", "device_congestion", device->congestion);
}

// How much slower than its fabric an emulated network was played: one factor for all cases over it.
static void read_slowdown(struct reader *reader, const struct rs_result *result) {
  char text[32];
  size_t c = 0;
  while (c < result->case_count && !(result->cases[c].finished && result->cases[c].emulated))
    c++;
  if (c == result->case_count)
    return;
  snprintf(text, sizeof text, "%.6g", result->cases[c].slowdown);
  add(reader, NETWORK, "", "emulated_slowdown", text);
}

// "each bound", "unbound", "3 of 4 ranks bound"
static void read_binding(struct reader *reader, const struct rs_placement *placement) {
  size_t bound = 0;
  char text[64];
  for (size_t r = 0; r < placement->rank_count; r++)
    bound += placement->ranks[r].bound;
  snprintf(text, sizeof text, "%zu of %zu ranks bound", bound, placement->rank_count);
  add(reader, BINDING, "", "binding", bound == 0 ? "unbound" : bound == placement->rank_count ? "each bound" : text);
  for (size_t r = 0; r < placement->rank_count; r++)
    add(reader, BINDING, "", "cpus_of_ranks", placement->ranks[r].cpus);
}

static void read_attributes(struct reader *reader, const struct rs_result *result) {
  static const struct {
    const char *prefix;
    enum suspicion suspicion;
  } kinds[] = {{"label.", LABEL}, {"library.", SOFTWARE}, {"environment.", VARIABLE}, {"", SOFTWARE}};
  for (size_t i = 0; i < result->attribute_count; i++) {
    const struct rs_attribute *attribute = &result->attributes[i];
    size_t kind = 0;
    while (strncmp(attribute->key, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
      kind++;
    if (attribute->value != NULL)
      add(reader, kinds[kind].suspicion, "", attribute->key, attribute->value);
  }
}

// The resolved configuration is a line "key: value" per option, and comments.
static void read_config(struct reader *reader, const char *config) {
  for (const char *line = config; line != NULL && *line != '\0';) {
    const char *end = strchrnul(line, '\n'), *colon = strstr(line, ": ");
    if (line[0] != '#' && colon != NULL && colon < end) {
      char name[128], value[VALUE_LENGTH_MAX + 1];
      snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
      snprintf(value, sizeof value, "%.*s", (int)(end - colon - 2), colon + 2);
      add(reader, OPTION, "config.", name, value);
    }
    line = *end == '\0' ? NULL : end + 1;
  }
}

static int compare_facts(const void *left, const void *right) {
  const struct rs_launch_fact *a = left, *b = right;
  if (a->suspicion != b->suspicion)
    return a->suspicion < b->suspicion ? -1 : 1;
  return strcmp(a->name, b->name);
}

enum rs_status rs_launch_facts_read(const struct rs_result *result, struct rs_launch_facts *facts,
                                    struct rs_error *error) {
  struct reader reader = {.facts = facts, .error = error};
  const struct rs_placement *placement = &result->placement;
  add_number(&reader, COUNT, "hosts", placement->host_count);
  add_number(&reader, COUNT, "ranks", placement->rank_count);
  for (size_t h = 0; h < placement->host_count; h++)
    read_host(&reader, &placement->hosts[h]);
  for (size_t d = 0; d < result->device_count; d++)
    read_device(&reader, &result->devices[d]);
  read_slowdown(&reader, result);
  read_binding(&reader, placement);
  add(&reader, SOFTWARE, "", "ringside_version", result->ringside_version);
  reader.first = facts->count;
  for (size_t e = 0; e < result->environment_count; e++)
    add(&reader, SETTING, "", result->environment[e].key, result->environment[e].value);
  reader.first = facts->count;
  read_attributes(&reader, result);
  reader.first = facts->count;
  read_config(&reader, result->config);
  if (error->status == RS_OK && facts->count > 1)
    qsort(facts->items, facts->count, sizeof *facts->items, compare_facts);
  if (error->status != RS_OK)
    rs_launch_facts_fini(facts);
  return error->status;
}

void rs_launch_facts_fini(struct rs_launch_facts *facts) {
  for (size_t i = 0; i < facts->count; i++) {
    free(facts->items[i].name);
    free(facts->items[i].value);
  }
  free(facts->items);
  *facts = (struct rs_launch_facts){0};
}

const struct rs_launch_fact *rs_launch_facts_find(const struct rs_launch_facts *facts, const char *name) {
  static const char *const prefixes[] = {"", "label.", "config.", "environment.", "library."};
  char full[192];
  for (size_t p = 0; p < RS_ARRAY_LENGTH(prefixes); p++) {
    snprintf(full, sizeof full, "%s%s", prefixes[p], name);
    for (size_t i = 0; i < facts->count; i++)
      if (strcmp(facts->items[i].name, full) == 0)
        return &facts->items[i];
  }
  return NULL;
}
