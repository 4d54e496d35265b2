#include "run_counters.h"
#include "run_gather.h"

#include <stdlib.h>
#include <string.h>

// ---- rows -------------------------------------------------------------------------------------------------

static bool speaks_for_host(const struct run_counters *counters) {
  size_t rank = counters->world->rank;
  return counters->one_machine ? rank == 0 : counters->placement->ranks[rank].local_rank == 0;
}

static enum rs_status read_counters(const struct run_counters *counters, struct rs_counters *read,
                                    struct rs_error *error) {
  unsigned host = speaks_for_host(counters) ? RS_COUNTER_HOST : 0;
  enum rs_status status = rs_counters_read(host | RS_COUNTER_RANK, read, error);
  return status == RS_OK ? rs_runner_counters(counters->runner, read, error) : status;
}

// `after`: a second snapshot, or NULL.
static struct run_rows make_counter_rows(const struct run_counters *counters, const struct rs_counters *after,
                                         struct rs_error *error) {
  const struct rs_counters *before = &counters->before;
  size_t rank = counters->world->rank;
  struct rs_counter_row *rows = rs_allocate(before->count, sizeof *rows, "counters", error);
  struct rs_counter_change *changes = rs_allocate(before->count, sizeof *changes, "counters", error);
  if (!rows || !changes) {
    free(rows);
    rows = NULL;
    goto free_changes;
  }
  for (size_t c = 0; c < before->count; c++) {
    const struct rs_counter *counter = &before->items[c];
    rows[c].host = counters->placement->ranks[rank].host;
    rows[c].rank = counter->scope == RS_COUNTER_RANK ? (int32_t)rank : -1;
    memcpy(rows[c].name, counter->name, sizeof rows[c].name);
    rows[c].before = counter->value;
    rows[c].after = after ? counter->value : RS_COUNTER_UNKNOWN;
  }
  size_t changed = after ? rs_counters_compare(before, after, changes) : 0;
  for (size_t c = 0; c < changed; c++)
    rows[changes[c].index].after = changes[c].after;
free_changes:
  free(changes);
  return (struct run_rows){rows, rows ? before->count : 0};
}

static enum rs_status gather_environment(struct run_counters *counters, struct rs_error *error) {
  struct rs_world *world = counters->world;
  struct rs_environment environment = {.count = 0};
  if (speaks_for_host(counters)) {
    rs_environment_read(&environment);
    rs_environment_append(&environment, counters->scheduler);
  }
  struct rs_environment_row *rows = rs_allocate(environment.count, sizeof *rows, "environment", error);
  for (size_t f = 0; rows && f < environment.count; f++) {
    rows[f].host = counters->placement->ranks[world->rank].host;
    memcpy(rows[f].key, environment.facts[f].key, sizeof rows[f].key);
    memcpy(rows[f].value, environment.facts[f].value, sizeof rows[f].value);
  }
  struct run_rows all = {0};
  enum rs_status status = run_gather(world, sizeof *rows, rows, environment.count, &all, error);
  counters->environment = all.items;
  counters->environment_count = all.count;
  free(rows);
  return status;
}

static enum rs_status gather_counters(struct run_counters *counters, const struct rs_counters *after,
                                      struct rs_error *error) {
  struct run_rows mine = make_counter_rows(counters, after, error), all = {0};
  enum rs_status status =
      run_gather(counters->world, sizeof(struct rs_counter_row), mine.items, mine.count, &all, error);
  free(mine.items);
  if (status < 0)
    return status;
  free(counters->rows);
  counters->rows = all.items;
  counters->row_count = all.count;
  return RS_OK;
}

enum rs_status run_counters_init(struct run_counters *counters, struct rs_error *error) {
  enum rs_status status = gather_environment(counters, error);
  if (status == RS_OK)
    status = rs_world_agree(counters->world, read_counters(counters, &counters->before, error), error);
  if (status == RS_OK)
    status = gather_counters(counters, NULL, error);
  if (status < 0)
    run_counters_fini(counters);
  return status;
}

enum rs_status run_counters_finish(struct run_counters *counters, struct rs_error *error) {
  struct rs_counters after = {0};
  enum rs_status status = rs_world_agree(counters->world, read_counters(counters, &after, error), error);
  if (status == RS_OK)
    status = gather_counters(counters, &after, error);
  rs_counters_fini(&after);
  return status;
}

void run_counters_fini(struct run_counters *counters) {
  rs_counters_fini(&counters->before);
  free(counters->environment);
  free(counters->rows);
  *counters = (struct run_counters){0};
}
