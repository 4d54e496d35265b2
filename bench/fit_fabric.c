#include "fit_fabric.h"

#include <math.h>

// ---- figures ----------------------------------------------------------------------------------------------

// Time per byte as a rate; the low end of one is the high end of the other.
static struct rs_fabric_estimate rate_of(struct rs_fabric_estimate byte_ps) {
  return (struct rs_fabric_estimate){8e12 / byte_ps.value, 8e12 / byte_ps.high, 8e12 / byte_ps.low};
}

static const char *rate_label(double bit_s, char *label, size_t bytes) {
  static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  size_t unit = 0;
  for (; unit + 1 < RS_ARRAY_LENGTH(units) && bit_s >= 1000; unit++)
    bit_s /= 1000;
  if (isfinite(bit_s))
    snprintf(label, bytes, "%.4g %s", bit_s, units[unit]);
  else
    snprintf(label, bytes, "no limit");
  return label;
}

typedef const char *write_label(double value, char *label, size_t bytes);

// "12.3 us .. 12.5 us", or that nothing is known of it.
static const char *interval_label(double low, double high, write_label *write, char *label, size_t bytes) {
  char first[32], last[32];
  if (isnan(low) || isnan(high))
    snprintf(label, bytes, "unknown");
  else
    snprintf(label, bytes, "%s .. %s", write(low, first, sizeof first), write(high, last, sizeof last));
  return label;
}

// What limits a flow: the rate of a stream, or else of single messages. value NaN: no times tell.
static struct rs_fabric_estimate flow_of(const struct rs_fabric_fitted *fitted) {
  return rate_of(isnan(fitted->stream_byte_ps.value) ? fitted->byte_ps : fitted->stream_byte_ps);
}

// Whether several streams of a host got less together than as many apart: then it was the NIC that limited them.
static bool nic_limits(const struct fit_report *report, const struct fit_nic *nic) {
  for (size_t d = RS_DISTANCE_LEAF; d < RS_DISTANCE_COUNT; d++) {
    const double flow = flow_of(&report->fitted[d]).value;
    if (nic->launches > 0 && !report->points->shared[d] && nic->bit_s < 0.9 * (double)nic->streams * flow)
      return true;
  }
  return false;
}

// ---- table ------------------------------------------------------------------------------------------------

static void print_row(struct rs_table *table, const char *distance, const char *what,
                      const struct rs_fabric_estimate *estimate, write_label *write) {
  char value[32], interval[80];
  if (isnan(estimate->value))
    return;
  rs_table_cell(table, "%s", distance);
  rs_table_cell(table, "%s", what);
  rs_table_cell(table, "%s", write(estimate->value, value, sizeof value));
  rs_table_cell(table, "%s", interval_label(estimate->low, estimate->high, write, interval, sizeof interval));
}

static void print_unknown(const struct fit_report *report, const struct rs_fabric_fitted *fitted, FILE *file) {
  const char *distance = rs_distance_names[fitted->distance];
  if (isnan(fitted->latency_ns.value))
    fprintf(file, "%s: no latency; it takes ping-pongs of several sizes, small ones among them\n", distance);
  if (isnan(fitted->byte_ps.value) && isnan(fitted->stream_byte_ps.value))
    fprintf(file, "%s: no rate; it takes sizes that are large enough to last longer than the latency\n", distance);
  if (isnan(fitted->gap_ns.value))
    fprintf(file, "%s: no gap between messages; it takes streams, as p2p=stream with mode=streaming\n", distance);
  if (report->points->shared[fitted->distance])
    fprintf(file, "%s: all pairs shared their host's NIC with others, so a flow may get more than this\n", distance);
}

static void print_nic(const struct fit_report *report, const struct fit_nic *nic, const char *what, FILE *file) {
  char rate[32], interval[80];
  if (nic->launches == 0)
    fprintf(file, "NIC %s: not known; it takes streams of several ranks per host, as p2p=stream with pairs=halves\n",
            what);
  else
    fprintf(file, "NIC %s: %zu streams of a host moved %s together (95%%: %s)%s\n", what, nic->streams,
            rate_label(nic->bit_s, rate, sizeof rate),
            interval_label(nic->interval.low, nic->interval.high, rate_label, interval, sizeof interval),
            nic_limits(report, nic) ? "" : "; not less than as many apart, so the NIC is not known to limit them");
}

void fit_report_print(const struct fit_report *report, FILE *file) {
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "distance");
  rs_table_column(table, RS_ALIGN_LEFT, "parameter");
  rs_table_column(table, RS_ALIGN_RIGHT, "value");
  rs_table_column(table, RS_ALIGN_LEFT, "95% interval");
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++) {
    const struct rs_fabric_fitted *fitted = &report->fitted[d];
    const struct rs_fabric_estimate alone = rate_of(fitted->byte_ps), stream = rate_of(fitted->stream_byte_ps);
    print_row(table, rs_distance_names[d], "latency", &fitted->latency_ns, rs_format_ns);
    print_row(table, rs_distance_names[d], "rate of one message", &alone, rate_label);
    print_row(table, rs_distance_names[d], "rate of a stream", &stream, rate_label);
    print_row(table, rs_distance_names[d], "gap of a stream", &fitted->gap_ns, rs_format_ns);
  }
  fprintf(file, "%zu launch%s over %s%s, %zu times\n\n", report->launches, report->launches == 1 ? "" : "es",
          report->points->transport, report->points->emulated ? " (emulated)" : "", report->points->count);
  rs_table_print(table, file);
  rs_table_close(table);

  fputs("\n", file);
  if (report->launches == 1)
    fputs("One launch: the intervals say how well it knows itself, not how far the next one would be off.\n", file);
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++)
    if (report->fitted[d].points > 0)
      print_unknown(report, &report->fitted[d], file);
  print_nic(report, &report->points->egress, "egress", file);
  print_nic(report, &report->points->ingress, "ingress", file);
}

// ---- file -------------------------------------------------------------------------------------------------

static void format_measured(const char *what, const struct rs_fabric_estimate *estimate, size_t launches,
                            write_label *write, struct rs_text *text) {
  char interval[80];
  rs_text_append(text, "# measured: %s, %zu launch%s, 95%% interval %s\n", what, launches, launches == 1 ? "" : "es",
                 interval_label(estimate->low, estimate->high, write, interval, sizeof interval));
}

// The two keys of a link.
static void format_link(enum rs_distance distance, const struct rs_fabric_fitted *fitted, struct rs_text *text) {
  const double flow = flow_of(fitted).value;
  rs_text_append(text, "%s.latency: %.0fns\n", rs_distance_names[distance], fmax(fitted->latency_ns.value, 1));
  if (flow >= 1 && flow < 1e18)
    rs_text_append(text, "%s.flow: %.0fbit/s\n", rs_distance_names[distance], flow);
}

static bool is_measured(const struct fit_report *report, size_t distance) {
  return !isnan(report->fitted[distance].latency_ns.value);
}

// The measured distance that stands in for one that was not: of the same zone, or of the same host; farther ones first.
static const struct rs_fabric_fitted *find_stand_in(const struct fit_report *report, size_t distance) {
  const size_t nearest = distance >= RS_DISTANCE_LEAF ? RS_DISTANCE_LEAF : RS_DISTANCE_NUMA;
  const size_t farthest = distance >= RS_DISTANCE_LEAF ? RS_DISTANCE_ZONE : RS_DISTANCE_HOST;
  for (size_t d = farthest; distance <= farthest && d >= nearest; d--)
    if (is_measured(report, d))
      return &report->fitted[d];
  return NULL;
}

static void format_nic(const struct fit_report *report, const struct fit_nic *nic, const char *key,
                       struct rs_text *text) {
  if (!nic_limits(report, nic)) {
    rs_text_append(text, "# %s: no times tell\n", key);
    return;
  }
  const struct rs_fabric_estimate estimate = {nic->bit_s, nic->interval.low, nic->interval.high};
  format_measured("streams of one host together", &estimate, nic->launches, rate_label, text);
  rs_text_append(text, "%s: %.0fbit/s\n", key, nic->bit_s);
}

bool fit_report_format(const struct fit_report *report, struct rs_text *text) {
  bool any = false;
  rs_text_append(text, "# Made by `ringside fit` from %zu launch%s over %s%s.\n", report->launches,
                 report->launches == 1 ? "" : "es", report->points->transport,
                 report->points->emulated ? ", of an emulated fabric" : "");
  rs_text_append(text, "name: %s\n# assumed: all hosts in one rack of one zone\nlayout.hosts: %zu\n", report->name,
                 report->hosts);
  format_nic(report, &report->points->egress, "nic.egress", text);
  format_nic(report, &report->points->ingress, "nic.ingress", text);
  for (size_t d = RS_DISTANCE_NUMA; d < RS_DISTANCE_COUNT; d++) {
    const struct rs_fabric_fitted *fitted = &report->fitted[d];
    const struct rs_fabric_fitted *stand_in = find_stand_in(report, d);
    const struct rs_fabric_estimate flow = flow_of(fitted);
    any = any || is_measured(report, d);
    if (is_measured(report, d)) {
      format_measured("latency", &fitted->latency_ns, fitted->launches, rs_format_ns, text);
      if (!isnan(flow.value))
        format_measured("flow", &flow, fitted->launches, rate_label, text);
      format_link((enum rs_distance)d, fitted, text);
    } else if (stand_in && d != RS_DISTANCE_NUMA) {
      rs_text_append(text, "# assumed: as %s\n", rs_distance_names[stand_in->distance]);
      format_link((enum rs_distance)d, stand_in, text);
    }
  }
  return any;
}
