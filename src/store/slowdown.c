// An emulated fabric may run K times slower than it should, so that a machine's own delays vanish in its delays. Files
// keep what the clock said; readers get the fabric's times, so that nobody else has to know of K.
#include "store/slowdown.h"

#include <math.h>
#include <string.h>

static double slowdown_of(const struct rs_case_row *row) {
  return row->slowdown > 0 && isfinite(row->slowdown) ? row->slowdown : 1;
}

// -1 and other negative times mean that there is none.
static void divide_ns(int64_t *ns, double slowdown) {
  if (*ns > 0)
    *ns = llround((double)*ns / slowdown);
}

static void divide_case(struct rs_case_row *row) {
  double slowdown = slowdown_of(row);
  double *times[] = {&row->gap_ns, &row->after_check_ns, &row->median_ns, &row->ci_low_ns, &row->ci_high_ns,
                     &row->min_ns, &row->max_ns,         &row->p95_ns,    &row->p99_ns};
  for (size_t t = 0; t < RS_ARRAY_LENGTH(times); t++)
    *times[t] /= slowdown;
  divide_ns(&row->sync_error_ns, slowdown);
  divide_ns(&row->sync_bound_ns, slowdown);
  row->algbw_gb_s *= slowdown;
  row->busbw_gb_s *= slowdown;
}

// Links are of a transport; all cases over it have one slowdown.
static double slowdown_of_transport(const struct rs_result *result, const char *transport) {
  for (size_t c = 0; c < result->case_count; c++)
    if (result->cases[c].finished && strcmp(result->cases[c].transport, transport) == 0)
      return slowdown_of(&result->cases[c]);
  return 1;
}

void rs_slowdown_remove(struct rs_result *result) {
  for (size_t p = 0; p < result->pair_count; p++) {
    struct rs_pair_row *pair = &result->pairs[p];
    double slowdown = slowdown_of(&result->cases[pair->case_id]);
    pair->median_ns /= slowdown;
    pair->ci_low_ns /= slowdown;
    pair->ci_high_ns /= slowdown;
    pair->p99_ns /= slowdown;
    pair->algbw_gb_s *= slowdown;
  }
  for (size_t l = 0; l < result->link_count; l++) {
    double slowdown = slowdown_of_transport(result, result->links[l].transport);
    result->links[l].delay_ns /= slowdown;
    result->links[l].min_ns /= slowdown;
  }
  for (size_t c = 0; c < result->case_count; c++)
    divide_case(&result->cases[c]);
}

void rs_slowdown_remove_samples(const struct rs_case_row *row, struct rs_sample *samples, size_t count) {
  double slowdown = slowdown_of(row);
  for (size_t s = 0; slowdown != 1 && s < count; s++) {
    samples[s].entry_ns = llround((double)samples[s].entry_ns / slowdown);
    samples[s].exit_ns = llround((double)samples[s].exit_ns / slowdown);
  }
}
