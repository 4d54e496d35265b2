// How often the decisions are right: sets of launches are drawn whose truth is known. Without an argument there are
// 2,000 comparisons a row and noise, a check that fails when a limit excludes what the row promises;
// `test_decision_simulation 20000` is the proof that docs/method.md quotes, where the limits must lie within it.
//
// A comparison is a family of six classes with ten launches on either side, interleaved in time as A B B A. The noise
// of the classes is independent, which is the worst for a family; a slowdown is in one class alone, which is the
// hardest to see.
#include "ringside/stats.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED UINT64_C(0x6465636964650001)
#define CLASSES 6
#define LAUNCHES_MAX 200
#define LIMITS_LEVEL 0.99

static size_t comparisons = 2000;
static bool proof = false;

// ---- noise of a launch, in the order of time; of variance 1 -------------------------------------------------

static void draw_log_normal(struct rs_random *random, double *noise, size_t count) {
  for (size_t t = 0; t < count; t++)
    noise[t] = draw_normal(random);
}

// Two placements or buffer layouts: 0.6 of the launches get the fast one.
static void draw_two_modes(struct rs_random *random, double *noise, size_t count) {
  for (size_t t = 0; t < count; t++)
    noise[t] = (draw_uniform(random) < 0.6 ? 0 : 1.87) + 0.4 * draw_normal(random);
}

// A slow wave, half of the variance, of which the session sees one half, from anywhere.
static void draw_drifting(struct rs_random *random, double *noise, size_t count) {
  double phase = 2 * M_PI * draw_uniform(random);
  for (size_t t = 0; t < count; t++)
    noise[t] = sin(phase + M_PI * (double)t / (double)count) + M_SQRT1_2 * draw_normal(random);
}

// An AR(1) over launches, of coefficient 0.7.
static void draw_autocorrelated(struct rs_random *random, double *noise, size_t count) {
  draw_autoregressive(random, 0.7, 1, noise, count);
  for (size_t t = 0; t < count; t++)
    noise[t] = log(noise[t]);
}

struct shape {
  const char *name;
  void (*draw)(struct rs_random *random, double *noise, size_t count);
};
static const struct shape shapes[] = {{"log-normal", draw_log_normal},
                                      {"bimodal", draw_two_modes},
                                      {"drifting", draw_drifting},
                                      {"autocorrelated", draw_autocorrelated}};

// ---- a comparison -----------------------------------------------------------------------------------------

struct experiment {
  size_t launches; // per set
  double sigma;    // of the logarithm of a launch
  double slowdown; // of the candidate, in the first class
  double limit;    // the threshold of the verdict, and the gate's tolerance
  bool apart;      // all of A came before B, instead of A B B A
};

struct family {
  double times[2][CLASSES][LAUNCHES_MAX], when[2][LAUNCHES_MAX]; // [0] baseline, [1] candidate
  struct rs_set_pair pairs[CLASSES], order;
  struct rs_decision decisions[CLASSES];
};

static void draw_family(const struct shape *shape, const struct experiment *experiment, struct rs_random *random,
                        struct family *family) {
  size_t n = experiment->launches;
  for (size_t c = 0; c < CLASSES; c++) {
    double noise[2 * LAUNCHES_MAX], scale[2] = {1, c == 0 ? 1 + experiment->slowdown : 1};
    size_t filled[2] = {0, 0};
    shape->draw(random, noise, 2 * n);
    for (size_t t = 0; t < 2 * n; t++) {
      size_t set = experiment->apart ? t >= n : t % 4 == 1 || t % 4 == 2;
      family->when[set][filled[set]] = (double)t;
      family->times[set][c][filled[set]++] = scale[set] * exp(experiment->sigma * noise[t]);
    }
    family->pairs[c] = (struct rs_set_pair){family->times[0][c], family->times[1][c], n, n};
  }
  family->order = (struct rs_set_pair){family->when[0], family->when[1], n, n};
  double scratch[2 * LAUNCHES_MAX + 3 * CLASSES];
  rs_stats_decide(family->pairs, CLASSES, experiment->limit, RS_STATS_LEVEL, scratch, family->decisions);
}

// ---- what may happen in one -------------------------------------------------------------------------------

typedef bool outcome(const struct family *family, const struct experiment *experiment);

static bool any_call(const struct family *family, const struct experiment *experiment) {
  (void)experiment;
  for (size_t c = 0; c < CLASSES; c++) {
    if (family->decisions[c].verdict == RS_SLOWER || family->decisions[c].verdict == RS_FASTER)
      return true;
  }
  return false;
}

static bool slower(const struct family *family, const struct experiment *experiment) {
  (void)experiment;
  return family->decisions[0].verdict == RS_SLOWER;
}

static bool no_difference(const struct family *family, const struct experiment *experiment) {
  (void)experiment;
  return family->decisions[0].verdict == RS_NO_DIFFERENCE;
}

static enum rs_gate gate_of(const struct family *family, const struct experiment *experiment) {
  size_t needed;
  return rs_decision_gate(&family->decisions[0], experiment->limit, &needed);
}

static bool gate_passes(const struct family *family, const struct experiment *experiment) {
  return gate_of(family, experiment) == RS_GATE_PASS;
}

static bool gate_fails(const struct family *family, const struct experiment *experiment) {
  return gate_of(family, experiment) == RS_GATE_FAIL;
}

static bool gate_answers(const struct family *family, const struct experiment *experiment) {
  return gate_of(family, experiment) != RS_GATE_UNDECIDED;
}

static bool warned_of_order(const struct family *family, const struct experiment *experiment) {
  (void)experiment;
  double scratch[2 * LAUNCHES_MAX];
  struct rs_launch_order order = rs_stats_launch_order(&family->pairs[0], &family->order, scratch);
  return order.drifts || order.came_apart;
}

static bool drift_seen(const struct family *family, const struct experiment *experiment) {
  (void)experiment;
  double scratch[2 * LAUNCHES_MAX];
  return rs_stats_launch_order(&family->pairs[0], &family->order, scratch).drifts;
}

// ---- rows -------------------------------------------------------------------------------------------------

enum bound { AT_MOST, AT_LEAST, FIGURE };
struct row {
  const char *name;
  struct experiment experiment;
  outcome *happens;
  enum bound bound;
  double share;
  size_t part; // of the comparisons, to save time
};

#define T RS_DECISION_THRESHOLD
static const struct row rows[] = {
    {"A/A, noise 1%: any call in the family", {10, 0.01, 0, T, false}, any_call, AT_MOST, 0.05, 1},
    {"A/A, noise 3%: any call in the family", {10, 0.03, 0, T, false}, any_call, AT_MOST, 0.05, 1},
    {"5% slower, noise 1%: called", {10, 0.01, 0.05, T, false}, slower, AT_LEAST, 0.9, 4},
    {"5% slower, noise 1.5%: called", {10, 0.015, 0.05, T, false}, slower, AT_LEAST, 0.9, 4},
    {"2% slower, noise 1%: called", {10, 0.01, 0.02, T, false}, slower, AT_LEAST, 0.5, 4},
    {"2% slower, noise 1.5%: called", {10, 0.015, 0.02, T, false}, slower, FIGURE, 0, 4},
    {"1% slower, noise 1.5%, threshold 5%: called", {10, 0.015, 0.01, 0.05, false}, any_call, AT_MOST, 0, 1},
    {"1.5% slower, noise 1%: no difference beyond 1.5%", {10, 0.01, T, T, false}, no_difference, AT_MOST, 0.05, 4},
    {"A/A, noise 1%: no difference beyond 1.5%", {10, 0.01, 0, T, false}, no_difference, FIGURE, 0, 4},
    {"gate 5%, 4 launches, noise 0.1%: an answer", {4, 0.001, 0, 0.05, false}, gate_answers, AT_MOST, 0, 4},
    {"gate 5%, 5% slower, noise 1.5%: passed", {10, 0.015, 0.05, 0.05, false}, gate_passes, AT_MOST, 0.05, 4},
    {"gate 5%, 5% slower, noise 1.5%: failed", {10, 0.015, 0.05, 0.05, false}, gate_fails, AT_MOST, 0.05, 4},
    {"gate 5%, A/A, noise 1.5%: passed", {10, 0.015, 0, 0.05, false}, gate_passes, AT_LEAST, 0.9, 4},
    {"gate 5%, 10% slower, noise 1.5%: failed", {10, 0.015, 0.1, 0.05, false}, gate_fails, AT_LEAST, 0.9, 4},
    {"A/A, noise 3%, A A .. B B: any call", {10, 0.03, 0, T, true}, any_call, FIGURE, 0, 4},
    {"A/A, noise 3%, A A .. B B: order is warned of", {10, 0.03, 0, T, true}, warned_of_order, AT_LEAST, 1, 4},
    {"A/A, noise 3%: drift is warned of", {10, 0.03, 0, T, false}, drift_seen, FIGURE, 0, 4},
};

// Whether `happened` among `count` is what the row says; a share of 0 or 1 allows no exception.
static bool holds(const struct row *row, size_t count, size_t happened, const struct rs_interval *limits) {
  if (row->bound == FIGURE)
    return true;
  if (row->share <= 0 || row->share >= 1)
    return happened == (row->share <= 0 ? 0 : count);
  if (row->bound == AT_MOST)
    return (proof ? limits->high : limits->low) <= row->share;
  return (proof ? limits->low : limits->high) >= row->share;
}

static bool check_row(const struct row *row) {
  static const char *const words[] = {"at most", "at least", ""};
  static struct family family;
  size_t count = comparisons / row->part;
  bool all_hold = true;
  print_message("%s%s", row->name, row->bound == FIGURE ? "\n" : "");
  if (row->bound != FIGURE)
    print_message(": %s %g%%\n", words[row->bound], 100 * row->share);
  for (size_t s = 0; s < RS_ARRAY_LENGTH(shapes); s++) {
    struct rs_random random = {SEED + s};
    size_t happened = 0;
    for (size_t i = 0; i < count; i++) {
      draw_family(&shapes[s], &row->experiment, &random, &family);
      happened += row->happens(&family, &row->experiment);
    }
    struct rs_interval limits = rs_stats_binomial_limits(count, happened, LIMITS_LEVEL);
    bool held = holds(row, count, happened, &limits);
    all_hold = all_hold && held;
    print_message("  %-15s %6zu of %zu: %6.2f%% (%.2f .. %.2f)%s\n", shapes[s].name, happened, count,
                  100 * (double)happened / (double)count, 100 * limits.low, 100 * limits.high,
                  held ? "" : "  DOES NOT HOLD");
  }
  return all_hold;
}

static void every_row_holds(void **state) {
  (void)state;
  size_t failed = 0;
  print_message("seed %#llx; limits at %g%% in brackets\n", (unsigned long long)SEED, 100 * LIMITS_LEVEL);
  for (size_t r = 0; r < RS_ARRAY_LENGTH(rows); r++)
    failed += !check_row(&rows[r]);
  if (failed > 0)
    fail_msg("%zu rows do not hold", failed);
}

// Five launches, as many more as they ask for, and the answer is there in most cases.
static void launches_needed_decide(void **state) {
  (void)state;
  static const double slowdowns[] = {0, 0.03};
  static struct family family;
  for (size_t d = 0; d < RS_ARRAY_LENGTH(slowdowns); d++) {
    struct rs_random random = {SEED};
    size_t asked = 0, decided = 0, sum = 0;
    for (size_t i = 0; i < 300; i++) {
      struct experiment experiment = {5, 0.015, slowdowns[d], T, false};
      draw_family(&shapes[0], &experiment, &random, &family);
      size_t needed = family.decisions[0].launches_needed;
      if (needed == 0)
        continue;
      sum += needed;
      asked++;
      experiment.launches = rs_min_size(experiment.launches + needed, LAUNCHES_MAX);
      draw_family(&shapes[0], &experiment, &random, &family);
      decided += family.decisions[0].verdict != RS_UNDECIDED;
    }
    print_message(
        "%g%% slower, noise 1.5%%, 5 launches: %zu of 300 undecided, %.1f more on average, then %zu decided\n",
        100 * slowdowns[d], asked, (double)sum / (double)asked, decided);
    if (2 * decided < asked)
      fail_msg("fewer than half are decided with the launches asked for");
  }
}

int main(int argc, char **argv) {
  if (argc > 1) {
    comparisons = (size_t)strtoull(argv[1], NULL, 10);
    proof = true;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_holds), cmocka_unit_test(launches_needed_decide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
