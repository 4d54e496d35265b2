// Links that are slower than their like: of the same transport, and like them within a host or between hosts.
#include "report/report_table.h"

#include "ringside/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 8
// A link stands out when its delay is above both, and its least delay is too: a passing disturbance leaves some probes
// alone.
#define SLOW_RATIO 2.0
#define SLOW_NS 20000.0

static bool between_hosts(const struct rs_result *result, const struct rs_link_row *link) {
  return result->placement.ranks[link->source].host != result->placement.ranks[link->target].host;
}

struct typical {
  double delay_ns, min_ns;
};

// The medians over the links that are like this one; `values` has room for all links.
static struct typical typical_of(const struct rs_result *result, const struct rs_link_row *link, double *values) {
  struct typical typical = {NAN, NAN};
  for (int least = 0; least <= 1; least++) {
    size_t count = 0;
    for (size_t i = 0; i < result->link_count; i++) {
      const struct rs_link_row *other = &result->links[i];
      if (strcmp(other->transport, link->transport) == 0 && between_hosts(result, other) == between_hosts(result, link))
        values[count++] = least ? other->min_ns : other->delay_ns;
    }
    rs_stats_sort(values, count);
    *(least ? &typical.min_ns : &typical.delay_ns) = rs_stats_quantile(values, count, 0.5);
  }
  return typical;
}

static bool is_slow(double value, double typical) {
  return value > typical * SLOW_RATIO && value > typical + SLOW_NS;
}

void rs_report_links(const struct rs_result *result, FILE *file) {
  double *values = malloc(rs_max_size(result->link_count, 1) * sizeof *values);
  size_t slow = 0;
  for (size_t i = 0; values && i < result->link_count; i++) {
    const struct rs_link_row *link = &result->links[i];
    struct typical typical = typical_of(result, link, values);
    if (!is_slow(link->delay_ns, typical.delay_ns) || !is_slow(link->min_ns, typical.min_ns) || slow++ >= LINES_MAX)
      continue;
    char excess[32], delay[32], usual[32];
    rs_format_ns(link->delay_ns - typical.delay_ns, excess, sizeof excess);
    rs_format_ns(link->delay_ns, delay, sizeof delay);
    rs_format_ns(typical.delay_ns, usual, sizeof usual);
    rs_report_begin_line("link", file);
    fprintf(file, "rank %u -> rank %u over %s is slow by %s: %s one way, the median link %s\n", link->source,
            link->target, link->transport, excess, delay, usual);
  }
  if (slow > LINES_MAX) {
    rs_report_begin_line("", file);
    fprintf(file, "and %zu more slow links\n", slow - LINES_MAX);
  }
  free(values);
}
