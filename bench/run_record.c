#include "run_record.h"
#include "run_gather.h"
#include "run_order.h"

#include "ringside/launch.h"
#include "ringside/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

// Variables that change what the network or the ranks do.
static const char *const environment_prefixes[] = {"OMPI_MCA_", "PMIX_MCA_",  "MPICH_",     "MPIR_CVAR_",
                                                   "UCX_",      "FI_",        "NCCL_",      "OMP_",
                                                   "MALLOC_",   "LD_PRELOAD", "SLURM_JOB_", "GLOO_"};

// ---- planned rows -----------------------------------------------------------------------------------------

// Says what the row is about, and leaves what came out of it.
static void identify(const struct rs_config *config, const struct rs_plan *plan, const struct rs_case *point,
                     const char *order, struct rs_case_row *row) {
  const struct rs_collective_traits *traits = &rs_collective_traits[point->collective];
  bool network = point->benchmark != RS_BENCHMARK_REDUCE;
  row->case_id = point->id;
  row->in_place = point->in_place;
  row->size_bytes = point->size_bytes;
  row->count = point->count;
  row->rank_count = plan->rank_count;
  row->measured_ranks = plan->measured_count;
  row->root = traits->rooted ? (int32_t)plan->measured[point->root] : -1;
  row->peer_a = row->peer_b = -1;
  if (point->benchmark == RS_BENCHMARK_P2P && config->pairs == RS_PAIRS_ENDS) {
    row->peer_a = (int32_t)plan->measured[0];
    row->peer_b = (int32_t)plan->measured[plan->measured_count - 1];
  }
  row->chunk_bytes = point->chunk_bytes;
  row->chunk_auto = point->chunk_auto;
  row->lanes = point->lanes;
  snprintf(row->benchmark, sizeof row->benchmark, "%s", rs_benchmark_names[point->benchmark]);
  snprintf(row->collective, sizeof row->collective, "%s", network ? rs_collective_names[point->collective] : "");
  snprintf(row->implementation, sizeof row->implementation, "%s", rs_case_implementation(point));
  snprintf(row->algorithm, sizeof row->algorithm, "%s", point->algorithm ? point->algorithm->name : "");
  rs_case_transport(point, row->transport, sizeof row->transport);
  snprintf(row->mode, sizeof row->mode, "%s", rs_mode_names[point->mode]);
  snprintf(row->datatype, sizeof row->datatype, "%s", rs_datatype_names[point->datatype]);
  snprintf(row->operation, sizeof row->operation, "%s", traits->reduces ? rs_operation_names[point->operation] : "");
  snprintf(row->order, sizeof row->order, "%s", run_order_word(rs_case_ordered(point) ? order : NULL));
  rs_case_pairing(point, (enum rs_pairs)config->pairs, row->pairing, sizeof row->pairing);
  snprintf(row->congestor, sizeof row->congestor, "%s", plan->congested ? rs_congestor_names[point->congestor] : "");
}

// The pairs of all point-to-point cases, to free; NULL with *count 0 where there are none.
static struct rs_pair_row *plan_pairs(const struct rs_config *config, const struct rs_plan *plan, size_t *count,
                                      struct rs_error *error) {
  size_t room = 0;
  *count = 0;
  for (size_t i = 0; i < plan->case_count; i++)
    room += plan->cases[i].benchmark == RS_BENCHMARK_P2P ? plan->rank_count / 2 : 0;
  struct rs_pair_row *rows = rs_allocate(room, sizeof *rows, "planned pairs", error);
  for (size_t i = 0; rows && i < plan->case_count; i++)
    *count += rs_case_pairs(config, plan, &plan->cases[i], rows + *count);
  return rows;
}

// Where the pairs of a case begin: every point-to-point case has as many as this one.
static size_t first_pair(const struct rs_plan *plan, const struct rs_case_result *result) {
  size_t before = 0;
  for (size_t i = 0; i < result->plan->id; i++)
    before += plan->cases[i].benchmark == RS_BENCHMARK_P2P;
  return before * result->pair_count;
}

// ---- attributes -------------------------------------------------------------------------------------------

struct attribute_list {
  struct rs_attribute *items;
  size_t count, capacity;
};

static void add(struct attribute_list *list, const char *key, const char *value, struct rs_error *error) {
  if (error->status < 0)
    return;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity * 2 + 32;
    void *grown = realloc(list->items, capacity * sizeof *list->items);
    if (grown == NULL) {
      rs_error_set_memory(error, capacity * sizeof *list->items, "attributes");
      return;
    }
    list->items = grown;
    list->capacity = capacity;
  }
  struct rs_attribute *item = &list->items[list->count];
  snprintf(item->key, sizeof item->key, "%s", key);
  item->value = strdup(value);
  if (item->value == NULL)
    rs_error_set_memory(error, strlen(value), "attributes");
  else
    list->count++;
}

// Launchers tell their addresses here.
static void add_environment(bool redact, struct attribute_list *list, struct rs_error *error) {
  for (char **variable = environ; *variable; variable++) {
    const char *value = strchr(*variable, '=');
    bool wanted = false;
    for (size_t i = 0; value && i < RS_ARRAY_LENGTH(environment_prefixes); i++)
      wanted |= strncmp(*variable, environment_prefixes[i], strlen(environment_prefixes[i])) == 0;
    char key[sizeof list->items->key];
    // Names that do not fit are not worth cutting: two could become one.
    if (!wanted ||
        snprintf(key, sizeof key, "environment.%.*s", (int)(value - *variable), *variable) >= (int)sizeof key)
      continue;
    struct rs_text pseudonyms = {0};
    if (redact)
      rs_redact_append(&pseudonyms, value + 1);
    if (pseudonyms.failed)
      rs_error_set_memory(error, pseudonyms.length, "attributes");
    else
      add(list, key, pseudonyms.data ? pseudonyms.data : redact ? "" : value + 1, error);
    rs_text_fini(&pseudonyms);
  }
}

// "0 2 1 3": the rank at each position; "default" without `--order`.
static void add_order(const uint32_t *order, size_t rank_count, struct attribute_list *list, struct rs_error *error) {
  struct rs_text text = {0};
  for (size_t i = 0; order && i < rank_count; i++)
    rs_text_append(&text, "%s%u", i ? " " : "", order[i]);
  if (text.failed)
    rs_error_set_memory(error, text.length, "attributes");
  else
    add(list, "order", order ? text.data : "default", error);
  rs_text_fini(&text);
}

static void collect_attributes(const struct run_record *record, struct attribute_list *list, struct rs_error *error) {
  char text[128];
  for (size_t i = 0; i < record->setup->label_count; i++)
    add(list, record->setup->labels[i].key, record->setup->labels[i].value, error);
  if (strcmp(record->world->ops->name, "mpi") == 0) {
    rs_launch_library(text, sizeof text);
    add(list, "library.mpi", text, error);
  }
  rs_store_library(text, sizeof text);
  add(list, "library.hdf5", text, error);
  rs_topology_library(text, sizeof text);
  add(list, "library.hwloc", text, error);
  if (rs_cloud_library(text, sizeof text))
    add(list, "library.curl", text, error);
  add(list, "compiler", __VERSION__, error);
  add(list, "world", record->world->ops->name, error);
  snprintf(text, sizeof text, "%.1f", record->clock_cost_ns);
  add(list, "clock_cost_ns", text, error);
  if (record->where->emulated) {
    add(list, "fabric.name", record->where->fabric_name, error);
    add(list, "fabric.yaml", record->where->fabric.data, error);
  }
  add_order(record->config->order, record->world->size, list, error);
  add_environment(record->setup->observe.redact, list, error);
}

static void free_attributes(struct attribute_list *list) {
  for (size_t i = 0; i < list->count; i++)
    free(list->items[i].value);
  free(list->items);
}

// ---- gathering --------------------------------------------------------------------------------------------

// texts[h] on rank 0: what the first rank of host h brings, to free; NULL where that is nothing.
static enum rs_status gather_texts(const struct run_record *record, const char *mine, char **texts,
                                   struct rs_error *error) {
  struct rs_world *world = record->world;
  const struct rs_placement *placement = &record->where->placement;
  enum rs_status status = RS_OK;
  for (size_t h = 0; h < placement->host_count && status == RS_OK; h++) {
    size_t root = 0;
    while (placement->ranks[root].host != h)
      root++;
    uint64_t length = strlen(mine);
    status = rs_world_broadcast(world, &length, sizeof length, root, error);
    if (status < 0 || length == 0)
      continue;
    char *text = rs_allocate(length + 1, 1, "what hosts tell", error);
    if (text == NULL)
      return error->status;
    if (world->rank == root)
      memcpy(text, mine, length);
    status = rs_world_broadcast(world, text, length, root, error);
    if (world->rank == 0)
      texts[h] = text;
    else
      free(text);
  }
  return status;
}

// hwloc's XML holds names and addresses throughout: it is kept as it is or not at all.
static enum rs_status gather_hosts(const struct run_record *record, char **xml, char **cloud, struct rs_error *error) {
  const char *answers = record->where->observed.cloud.data;
  enum rs_status status =
      gather_texts(record, record->setup->observe.redact ? "" : rs_topology_xml(record->topology), xml, error);
  return status == RS_OK ? gather_texts(record, answers ? answers : "", cloud, error) : status;
}

static void redact_addresses(struct rs_device_row *rows, size_t count) {
  for (size_t d = 0; d < count; d++) {
    rs_redact_field(rows[d].address, sizeof rows[d].address, false);
    memset(rows[d].gid, 0, sizeof rows[d].gid);
  }
}

// All ranks' devices on rank 0, to free.
static enum rs_status gather_devices(const struct run_record *record, const struct rs_runner *runner,
                                     struct run_rows *all, struct rs_error *error) {
  struct rs_device_row *rows = rs_allocate(rs_transport_count * RS_RAILS_MAX, sizeof *rows, "devices", error);
  size_t count = rows ? rs_runner_devices(runner, rows, rs_transport_count * RS_RAILS_MAX) : 0;
  enum rs_status status = run_gather(record->world, sizeof *rows, rows, count, all, error);
  free(rows);
  return status;
}

// The links that every rank has probed, on rank 0, to free.
static enum rs_status gather_links(const struct run_record *record, const struct rs_runner *runner,
                                   struct run_rows *all, struct rs_error *error) {
  size_t count;
  const struct rs_link_row *rows = rs_runner_links(runner, &count);
  return run_gather(record->world, sizeof *rows, rows, count, all, error);
}

// ---- the file ---------------------------------------------------------------------------------------------

static enum rs_status open_writer(struct run_record *record, const struct run_rows *devices,
                                  const struct run_rows *links, char **host_xml, char **host_cloud,
                                  struct rs_error *error) {
  const struct rs_plan *plan = record->plan;
  size_t rank_count = record->world->size;
  struct attribute_list attributes = {0};
  size_t pair_count;
  struct rs_pair_row *pairs = NULL;
  struct rs_case_row *rows = rs_allocate(plan->case_count, sizeof *rows, "planned rows", error);
  if (rows == NULL)
    return error->status;
  for (size_t i = 0; i < plan->case_count; i++) {
    rows[i].slowdown = 1;
    rows[i].cpu_ns = NAN;
    identify(record->config, plan, &plan->cases[i], record->setup->order, &rows[i]);
    rows[i].emulated = run_emulates(rows[i].transport);
  }
  pairs = plan_pairs(record->config, plan, &pair_count, error);
  collect_attributes(record, &attributes, error);
  struct rs_run_facts facts = {
      .command_line = record->setup->command_line,
      .config = record->config_text,
      .attributes = attributes.items,
      .attribute_count = attributes.count,
      .placement = &record->where->placement,
      .host_xml = (const char *const *)host_xml,
      .host_cloud = (const char *const *)host_cloud,
      .devices = devices->items,
      .device_count = devices->count,
      .links = links->items,
      .link_count = links->count,
      .environment = record->counters.environment,
      .environment_count = record->counters.environment_count,
      .counters = record->counters.rows,
      .counter_count = record->counters.row_count,
      .cases = rows,
      .case_count = plan->case_count,
      .pairs = pairs,
      .pair_count = pair_count,
      .rank_count = rank_count,
      .max_iterations = rs_runner_max_iterations(record->config, plan, rank_count),
  };
  if (error->status == RS_OK)
    rs_writer_open(record->path, record->setup->force, &facts, &record->writer, error);
  free_attributes(&attributes);
  free(pairs);
  free(rows);
  return error->status;
}

enum rs_status run_record_open(struct run_record *record, const struct rs_runner *runner, struct rs_error *error) {
  struct run_rows devices = {0}, links = {0};
  size_t hosts = record->where->placement.host_count;
  char **host_xml = rs_allocate(hosts, sizeof *host_xml, "hwloc XML", error);
  char **host_cloud = rs_allocate(hosts, sizeof *host_cloud, "answers of clouds", error);
  enum rs_status status = rs_world_agree(record->world, host_xml && host_cloud ? RS_OK : error->status, error);
  if (status == RS_OK)
    status = gather_devices(record, runner, &devices, error);
  if (status == RS_OK && record->setup->observe.redact)
    redact_addresses(devices.items, devices.count);
  if (status == RS_OK)
    status = gather_links(record, runner, &links, error);
  if (status == RS_OK)
    status = gather_hosts(record, host_xml, host_cloud, error);
  record->counters = (struct run_counters){.world = record->world,
                                           .placement = &record->where->placement,
                                           .runner = runner,
                                           .scheduler = &record->where->observed.scheduler,
                                           .one_machine = record->where->emulated};
  if (status == RS_OK)
    status = run_counters_init(&record->counters, error);
  if (status == RS_OK && record->world->rank == 0)
    status = open_writer(record, &devices, &links, host_xml, host_cloud, error);
  for (size_t h = 0; host_xml && host_cloud && h < hosts; h++) {
    free(host_xml[h]);
    free(host_cloud[h]);
  }
  free(host_xml);
  free(host_cloud);
  free(devices.items);
  free(links.items);
  return status;
}

enum rs_status run_record_case(void *state, const struct rs_case_result *result, struct rs_error *error) {
  struct run_record *record = state;
  struct rs_case_row row = result->figures;
  identify(record->config, record->plan, result->plan, record->setup->order, &row);
  row.finished = 1;
  if (result->pair_count > 0 &&
      rs_writer_pairs(record->writer, first_pair(record->plan, result), result->pairs, result->pair_count, error) < 0)
    return error->status;
  return rs_writer_case(record->writer, &row, result->iterations, result->samples, error);
}

enum rs_status run_record_finish(struct run_record *record, struct rs_error *error) {
  struct run_counters *counters = &record->counters;
  enum rs_status status = run_counters_finish(counters, error);
  if (record->world->rank != 0)
    return status;
  if (status == RS_OK)
    status = rs_writer_counters(record->writer, counters->rows, counters->row_count, error);
  if (status < 0)
    return status;
  struct rs_writer *writer = record->writer;
  record->writer = NULL;
  return rs_writer_finish(writer, error);
}

void run_record_fini(struct run_record *record) {
  run_counters_fini(&record->counters);
}
