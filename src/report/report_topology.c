// A placement as JSON.
#include "report/report_json.h"
#include "ringside/report.h"

#include <stdlib.h>
#include <string.h>

static void set_known(json_t **object, const char *key, const char *text) {
  rs_json_set(object, key, text[0] == '\0' ? json_null() : rs_json_text(text, strlen(text)));
}

enum rs_status rs_report_placement(const struct rs_result *result, struct rs_rank_device **devices,
                                   struct rs_placement_view *view, struct rs_error *error) {
  const char *hosts = rs_result_attribute(result, "label.hosts");
  struct rs_rank_device *copies = rs_allocate(result->device_count, sizeof *copies, "devices", error);
  for (size_t d = 0; copies && d < result->device_count; d++) {
    const struct rs_device_row *row = &result->devices[d];
    copies[d] = (struct rs_rank_device){
        .rank = row->rank, .speed_mbit = row->speed_mbit, .mtu = row->mtu, .numa_node = row->numa_node};
    memcpy(copies[d].transport, row->transport, sizeof copies[d].transport);
    memcpy(copies[d].interface, row->interface, sizeof copies[d].interface);
    memcpy(copies[d].address, row->address, sizeof copies[d].address);
  }
  if (copies == NULL)
    return error->status;
  *devices = copies;
  *view = (struct rs_placement_view){
      .placement = &result->placement,
      .devices = copies,
      .device_count = result->device_count,
      .strategy = rs_result_attribute(result, "label.placement"),
      .claimed_hosts = hosts ? strtoul(hosts, NULL, 10) : 0,
      .fabric = rs_result_attribute(result, "fabric.name"),
  };
  return RS_OK;
}

static json_t *make_device(const struct rs_rank_device *device) {
  json_t *object = json_object();
  rs_json_set(&object, "rank", rs_json_integer(device->rank));
  set_known(&object, "transport", device->transport);
  set_known(&object, "interface", device->interface);
  set_known(&object, "address", device->address);
  rs_json_set(&object, "speed_mbit", rs_json_integer(device->speed_mbit));
  rs_json_set(&object, "mtu", rs_json_integer(device->mtu));
  rs_json_set(&object, "numa_node", json_integer(device->numa_node));
  return object;
}

// How many pairs of ranks there are at each distance.
static json_t *make_pairs(const struct rs_placement *placement) {
  uint64_t pairs[RS_DISTANCE_COUNT];
  json_t *object = json_object();
  rs_placement_count_distances(placement, pairs);
  for (size_t d = RS_DISTANCE_SELF + 1; d < RS_DISTANCE_COUNT; d++)
    rs_json_set(&object, rs_distance_names[d], rs_json_integer(pairs[d]));
  return object;
}

// The distance between the hosts a and b is [a][b]; within a host, ranks tell by their NUMA nodes.
static json_t *make_distances(const struct rs_placement *placement) {
  json_t *rows = json_array();
  for (size_t a = 0; a < placement->host_count; a++) {
    json_t *row = json_array();
    for (size_t b = 0; b < placement->host_count; b++)
      rs_json_append(&row,
                     json_string(rs_distance_names[rs_host_distance(&placement->hosts[a], &placement->hosts[b])]));
    rs_json_append(&rows, row);
  }
  return rows;
}

static json_t *make_warnings(const struct rs_placement_view *view) {
  struct rs_text text = {0};
  json_t *warnings = json_array();
  rs_placement_warnings(view, &text);
  for (const char *line = text.data; line && *line; line += strcspn(line, "\n") + 1)
    rs_json_append(&warnings, rs_json_text(line, strcspn(line, "\n")));
  if (text.failed) {
    json_decref(warnings);
    warnings = NULL;
  }
  rs_text_fini(&text);
  return warnings;
}

enum rs_status rs_report_topology(const char *result, const struct rs_placement_view *view, FILE *file,
                                  struct rs_error *error) {
  const struct rs_placement *placement = view->placement;
  json_t *root = json_object(), *hosts = json_array(), *ranks = json_array(), *devices = json_array();
  for (size_t h = 0; h < placement->host_count; h++)
    rs_json_append(&hosts, rs_json_host(&placement->hosts[h]));
  for (size_t r = 0; r < placement->rank_count; r++)
    rs_json_append(&ranks, rs_json_rank(r, &placement->ranks[r]));
  for (size_t d = 0; d < view->device_count; d++)
    rs_json_append(&devices, make_device(&view->devices[d]));
  set_known(&root, "file", result ? result : "");
  set_known(&root, "asked_for", view->strategy ? view->strategy : "");
  set_known(&root, "emulated_fabric", view->fabric ? view->fabric : "");
  rs_json_set(&root, "hosts", hosts);
  rs_json_set(&root, "ranks", ranks);
  rs_json_set(&root, "rank_devices", devices);
  rs_json_set(&root, "pairs_of_ranks", make_pairs(placement));
  rs_json_set(&root, "host_distances", make_distances(placement));
  rs_json_set(&root, "warnings", make_warnings(view));
  return rs_json_print(root, file, error);
}
