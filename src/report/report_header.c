#include "report/comparison_words.h"
#include "report/report_labels.h"
#include "report/report_table.h"
#include "ringside/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_NAMED_MAX 4
#define DEVICES_NAMED_MAX 4
#define NAME_WIDTH 9
#define PLACEMENT_WARNINGS_MAX 3
#define WARNING_BYTES 1024

void rs_report_begin_line(const char *name, FILE *file) {
  fprintf(file, "  %-*s ", NAME_WIDTH, name);
}

static void print_status(const struct rs_result *result, FILE *file) {
  size_t finished = 0, verified = 0;
  for (size_t i = 0; i < result->case_count; i++) {
    finished += result->cases[i].finished != 0;
    verified += result->cases[i].finished != 0 && result->cases[i].verified == RS_VERIFIED;
  }
  rs_report_begin_line("status", file);
  fprintf(file, "%s: %zu of %zu cases finished, %zu verified\n", result->status, finished, result->case_count,
          verified);
}

static size_t count_ranks(const struct rs_placement *placement, size_t host) {
  size_t count = 0;
  for (size_t r = 0; r < placement->rank_count; r++)
    count += placement->ranks[r].host == host;
  return count;
}

static void print_ranks(const struct rs_placement *placement, FILE *file) {
  rs_report_begin_line("ranks", file);
  fprintf(file, "%zu on %zu host%s", placement->rank_count, placement->host_count,
          placement->host_count == 1 ? "" : "s");
  for (size_t h = 0; h < placement->host_count && h < HOSTS_NAMED_MAX; h++)
    fprintf(file, "%s%s (%zu)", h == 0 ? ": " : ", ", placement->hosts[h].hostname, count_ranks(placement, h));
  if (placement->host_count > HOSTS_NAMED_MAX)
    fprintf(file, ", and %zu more", placement->host_count - HOSTS_NAMED_MAX);
  fputc('\n', file);
}

// Hosts of one kind share a line; the first of each kind stands for it.
static bool same_machine(const struct rs_host_facts *a, const struct rs_host_facts *b) {
  return strcmp(a->cpu, b->cpu) == 0 && a->cores == b->cores && strcmp(a->kernel, b->kernel) == 0 &&
         strcmp(a->instance_type, b->instance_type) == 0 && strcmp(a->zone, b->zone) == 0 &&
         strcmp(a->placement_group, b->placement_group) == 0;
}

static void print_machines(const struct rs_placement *placement, FILE *file) {
  size_t kinds = 0;
  for (size_t h = 0; h < placement->host_count; h++) {
    const struct rs_host_facts *host = &placement->hosts[h];
    size_t earlier = 0;
    while (!same_machine(&placement->hosts[earlier], host))
      earlier++;
    if (earlier < h || kinds++ >= HOSTS_NAMED_MAX)
      continue;
    rs_report_begin_line("machine", file);
    fprintf(file, "%s, %" PRIu32 " core%s, %.1f GB, kernel %s", host->cpu[0] != '\0' ? host->cpu : "unknown CPU",
            host->cores, host->cores == 1 ? "" : "s", (double)host->memory_bytes / 1e9,
            host->kernel[0] != '\0' ? host->kernel : "unknown");
    if (host->instance_type[0] != '\0')
      fprintf(file, ", %s", host->instance_type);
    if (host->zone[0] != '\0')
      fprintf(file, ", zone %s", host->zone);
    if (host->placement_group[0] != '\0')
      fprintf(file, ", placement group %s", host->placement_group);
    fputc('\n', file);
  }
}

// Devices that differ in rank and address only share a line.
static bool same_device(const struct rs_device_row *a, const struct rs_device_row *b) {
  return strcmp(a->transport, b->transport) == 0 && strcmp(a->interface, b->interface) == 0 &&
         strcmp(a->driver, b->driver) == 0 && strcmp(a->congestion, b->congestion) == 0 &&
         a->speed_mbit == b->speed_mbit && a->mtu == b->mtu;
}

static void print_transports(const struct rs_result *result, FILE *file) {
  size_t kinds = 0;
  for (size_t d = 0; d < result->device_count; d++) {
    const struct rs_device_row *device = &result->devices[d];
    size_t earlier = 0;
    while (!same_device(&result->devices[earlier], device))
      earlier++;
    if (earlier < d || kinds++ >= DEVICES_NAMED_MAX)
      continue;
    rs_report_begin_line("transport", file);
    fprintf(file, "%s", device->transport);
    if (device->interface[0] != '\0')
      fprintf(file, " over %s", device->interface);
    if (device->driver[0] != '\0')
      fprintf(file, " (%s)", device->driver);
    if (device->congestion[0] != '\0')
      fprintf(file, ", congestion control %s", device->congestion);
    if (device->mtu != 0)
      fprintf(file, ", mtu %" PRIu64, device->mtu);
    if (device->speed_mbit != 0)
      fprintf(file, ", %.4g Gbit/s", (double)device->speed_mbit / 1000);
    fputc('\n', file);
  }
  if (kinds > DEVICES_NAMED_MAX)
    fprintf(file, "  %*s and %zu more\n", NAME_WIDTH, "", kinds - DEVICES_NAMED_MAX);
}

static void print_labels(const struct rs_result *result, FILE *file) {
  static const char prefix[] = "label.";
  for (size_t i = 0; i < result->attribute_count; i++) {
    const struct rs_attribute *attribute = &result->attributes[i];
    if (strncmp(attribute->key, prefix, strlen(prefix)) != 0)
      continue;
    rs_report_begin_line("label", file);
    fprintf(file, "%s = %s\n", attribute->key + strlen(prefix), attribute->value);
  }
}

// What is wrong with where the ranks of several hosts sit.
static void print_placement(const struct rs_result *result, FILE *file) {
  struct rs_rank_device *devices;
  struct rs_placement_view view;
  struct rs_text warnings = {0};
  struct rs_error error = {0};
  if (result->placement.host_count < 2 || rs_report_placement(result, &devices, &view, &error) < 0)
    return;
  size_t count = rs_placement_warnings(&view, &warnings);
  const char *line = warnings.data;
  for (size_t w = 0; line && w < count && w < PLACEMENT_WARNINGS_MAX; w++, line += strcspn(line, "\n") + 1) {
    rs_report_begin_line("placement", file);
    char warning[WARNING_BYTES];
    snprintf(warning, sizeof warning, "%.*s", (int)strcspn(line, "\n"), line);
    rs_word_wrap(warning, NAME_WIDTH + 3, NAME_WIDTH + 3, file);
  }
  if (count > PLACEMENT_WARNINGS_MAX) {
    rs_report_begin_line("placement", file);
    fprintf(file, "and %zu more: ringside topology %s\n", count - PLACEMENT_WARNINGS_MAX, result->path);
  }
  rs_text_fini(&warnings);
  free(devices);
}

// Which network this was, and how much slower than that the machine had to play it, which cases say once they finished.
void rs_report_emulation(const struct rs_result *result, FILE *file) {
  const char *fabric = rs_result_attribute(result, "fabric.name");
  const struct rs_case_row *shown = NULL;
  for (size_t c = 0; c < result->case_count && (shown == NULL || !shown->finished); c++)
    if (result->cases[c].emulated && (shown == NULL || result->cases[c].finished))
      shown = &result->cases[c];
  if (shown == NULL)
    return;
  struct rs_text text = {0};
  rs_text_append(&text, "the network was EMULATED%s%s", fabric ? " as " : "", fabric ? fabric : "");
  if (shown->finished && shown->slowdown > 1)
    rs_text_append(&text, ", played %.3g times slower and divided by that", shown->slowdown);
  rs_text_append(&text, ": these times say nothing about the real one");
  rs_report_begin_line("WARNING", file);
  rs_word_wrap(text.data ? text.data : "", NAME_WIDTH + 3, NAME_WIDTH + 3, file);
  rs_text_fini(&text);
}

void rs_report_header(const struct rs_result *result, FILE *file) {
  fprintf(file, "%s\n", result->path != NULL ? result->path : "(no file)");
  rs_report_begin_line("created", file);
  fprintf(file, "%s by ringside %s\n", result->created, result->ringside_version);
  print_status(result, file);
  print_ranks(&result->placement, file);
  print_machines(&result->placement, file);
  print_transports(result, file);
  rs_report_counters(result, file);
  rs_report_links(result, file);
  print_labels(result, file);
  print_placement(result, file);
  rs_report_emulation(result, file);
}
