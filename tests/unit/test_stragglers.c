// A rank that keeps the others waiting is named, with how late it is; noise names nobody. Samples are made up: a common
// start, entries and exits with a skewed jitter and some spikes. Seeds are fixed and printed on failure.
#include "ringside/report.h"
#include "store/sample_run.h"
#include "support/result_fixture.h"
#include "unit/test_stats_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#define SEED UINT64_C(0x53545247)
#define RANKS_MAX 8
#define ITERATIONS_MAX 400
#define JITTER_NS 1000.0
#define SPIKE_PART 0.02
#define CLEAN_RUNS 1000

// What one rank suffers.
struct delay {
  uint32_t rank;
  double entry_ns, exit_ns;
  double part; // of the iterations
};

struct made_case {
  struct rs_case_row row;
  struct rs_iteration_row iterations[ITERATIONS_MAX];
  struct rs_sample samples[ITERATIONS_MAX * RANKS_MAX];
  struct rs_straggler findings[2 * RANKS_MAX];
  size_t count;
};

// Exponential, and now and then ten times as long.
static double jitter(struct rs_random *random) {
  double ns = -JITTER_NS * log(draw_uniform(random));
  return draw_uniform(random) < SPIKE_PART ? 10 * ns : ns;
}

static void make_case(struct made_case *made, struct rs_random *random, uint32_t ranks, uint32_t iterations,
                      double time_ns, const struct delay *delay) {
  made->row =
      (struct rs_case_row){.finished = 1, .rank_count = ranks, .iterations = iterations, .batch = 1, .root = -1};
  made->row.median_ns = time_ns;
  made->row.sync_error_ns = 50;
  for (uint32_t i = 0; i < iterations; i++) {
    made->iterations[i] = (struct rs_iteration_row){0, 0};
    bool hit = draw_uniform(random) < delay->part;
    double start = 1e6 * i, entries[RANKS_MAX], last = 0;
    for (uint32_t r = 0; r < ranks; r++) {
      double late = hit && r == delay->rank ? delay->entry_ns * (1 + 0.05 * draw_normal(random)) : 0;
      entries[r] = start + jitter(random) + late;
      last = fmax(last, entries[r]);
    }
    double done = last + time_ns * (1 + 0.05 * draw_normal(random));
    for (uint32_t r = 0; r < ranks; r++) {
      double late = hit && r == delay->rank ? delay->exit_ns * (1 + 0.05 * draw_normal(random)) : 0;
      made->samples[i * ranks + r] = (struct rs_sample){(int64_t)entries[r], (int64_t)(done + jitter(random) + late)};
    }
  }
}

static void find(struct made_case *made) {
  struct rs_error error = {0};
  if (rs_stragglers_case(&made->row, made->iterations, made->samples, made->findings, &made->count, &error) != RS_OK)
    fail_msg("%s", error.text);
}

static void check_named(double delay_us, bool at_entry, uint32_t ranks) {
  uint64_t seed = SEED + (uint64_t)delay_us + ranks;
  struct rs_random random = {seed};
  static struct made_case made;
  struct delay delay = {.rank = ranks - 1, .part = 1};
  *(at_entry ? &delay.entry_ns : &delay.exit_ns) = delay_us * 1e3;
  make_case(&made, &random, ranks, 200, 300e3, &delay);
  find(&made);
  const struct rs_straggler *found = &made.findings[0];
  if (made.count != 1 || found->rank != ranks - 1 ||
      found->kind != (at_entry ? RS_STRAGGLER_ENTERED : RS_STRAGGLER_LEFT) || found->doubtful ||
      fabs(found->late_ns / (delay_us * 1e3) - 1) > 0.1 || found->share < 0.8)
    fail_msg("%g us at the %s of %u ranks, seed %#llx: %zu findings, the first rank %u, kind %d, by %g ns in %g",
             delay_us, at_entry ? "entry" : "exit", ranks, (unsigned long long)seed, made.count, found->rank,
             (int)found->kind, found->late_ns, found->share);
}

static void a_delay_is_named_with_its_size(void **state) {
  (void)state;
  static const double delays_us[] = {5, 10, 20, 50, 100, 200, 500};
  static const uint32_t ranks[] = {2, 3, 4, 8};
  for (size_t d = 0; d < RS_ARRAY_LENGTH(delays_us); d++) {
    for (size_t r = 0; r < RS_ARRAY_LENGTH(ranks); r++) {
      check_named(delays_us[d], true, ranks[r]);
      check_named(delays_us[d], false, ranks[r]);
    }
  }
}

// The root of a reduce is the last to leave by what a reduce is; to enter late is no part of it.
static void a_root_may_leave_last(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){.rank = 1, .exit_ns = 50e3, .part = 1});
  made.row.root = 1;
  find(&made);
  assert_int_equal(made.count, 0);
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){.rank = 1, .entry_ns = 50e3, .part = 1});
  made.row.root = 1;
  find(&made);
  assert_int_equal(made.count, 1);
  assert_int_equal(made.findings[0].kind, RS_STRAGGLER_ENTERED);
}

// Here the 1% of the median is below the jitter, so that only the test on chance keeps noise out.
static void noise_names_nobody(void **state) {
  (void)state;
  static const uint32_t ranks[] = {2, 4, 8};
  static struct made_case made;
  for (size_t r = 0; r < RS_ARRAY_LENGTH(ranks); r++) {
    uint64_t seed = SEED + ranks[r];
    struct rs_random random = {seed};
    size_t wrong = 0;
    for (size_t run = 0; run < CLEAN_RUNS; run++) {
      make_case(&made, &random, ranks[r], 60, 5e3, &(struct delay){0});
      made.row.sync_error_ns = 0;
      find(&made);
      wrong += made.count > 0;
    }
    print_message("noise of %u ranks, seed %#llx: somebody named in %zu of %d runs\n", ranks[r],
                  (unsigned long long)seed, wrong, CLEAN_RUNS);
    assert_in_range(wrong, 0, CLEAN_RUNS / 20);
  }
}

// A rank that is slow for a while is last many times in a row, which is one event and no habit.
static void one_slow_moment_is_no_habit(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){0});
  for (size_t i = 80; i < 182; i++)
    made.samples[i * 4 + 1].exit_ns += 50000;
  find(&made);
  assert_int_equal(made.count, 0);
  // As many delays all along the case are one.
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){.rank = 1, .exit_ns = 50e3, .part = 0.6});
  find(&made);
  assert_int_equal(made.count, 1);
  assert_int_equal(made.findings[0].rank, 1);
}

static void two_late_ranks_do_not_hide_each_other(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 8, 400, 300e3, &(struct delay){.rank = 3, .entry_ns = 40e3, .part = 1});
  for (size_t i = 0; i < 400; i++)
    made.samples[i * 8 + 6].entry_ns += 40000;
  find(&made);
  assert_int_equal(made.count, 2);
  assert_int_equal(made.findings[0].rank + made.findings[1].rank, 9);
  for (size_t f = 0; f < 2; f++)
    assert_true(fabs(made.findings[f].late_ns / 40e3 - 1) < 0.1 && made.findings[f].share > 0.4);
}

static void only_counted_iterations_count(void **state) {
  (void)state;
  static const uint32_t flags[] = {RS_ITERATION_WARM_UP, RS_ITERATION_INVALID_START, RS_ITERATION_VERIFIED};
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){.rank = 1, .entry_ns = 50e3, .part = 1});
  for (size_t i = 9; i < 200; i++)
    made.iterations[i].flags = flags[i % 3];
  find(&made);
  assert_int_equal(made.count, 0); // nine are too few
}

static void too_little_to_matter_is_not_named(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 4, 200, 1e6, &(struct delay){.rank = 1, .entry_ns = 8e3, .part = 1});
  find(&made);
  assert_int_equal(made.count, 0); // 0.8% of the median
  made.row.batch = 1;
  made.row.median_ns = 1e5;
  find(&made);
  assert_int_equal(made.count, 1);
  made.row.batch = 10; // ten operations in a sample: again 0.8%
  find(&made);
  assert_int_equal(made.count, 0);
  made.row.batch = 1;
  made.row.sync_error_ns = 3000; // 8 us is within three times that
  find(&made);
  assert_int_equal(made.count, 0);
  made.row.sync_error_ns = 100;
  made.row.sync_bound_ns = 20000;
  find(&made);
  assert_int_equal(made.count, 1);
  assert_true(made.findings[0].doubtful);
}

// Without a common clock entries and exits of two ranks cannot be compared, however far apart their clocks are.
static void without_a_common_clock_durations_speak(void **state) {
  (void)state;
  struct rs_random random = {SEED};
  static struct made_case made;
  make_case(&made, &random, 4, 200, 300e3, &(struct delay){.rank = 2, .exit_ns = 30e3, .part = 1});
  for (size_t i = 0; i < 200; i++) {
    made.samples[i * 4].entry_ns += 1000000000;
    made.samples[i * 4].exit_ns += 1000000000;
  }
  made.row.sync_error_ns = -1;
  find(&made);
  assert_int_equal(made.count, 1);
  assert_int_equal(made.findings[0].kind, RS_STRAGGLER_TOOK);
  assert_int_equal(made.findings[0].rank, 2);
  assert_true(fabs(made.findings[0].late_ns / 30e3 - 1) < 0.1);
}

// ---- a whole run, from its file ---------------------------------------------------------------------------

enum { RUN_ITERATIONS = 60 };

// Four cases: ring and tree in turn. Rank 2 leaves late in the first three, rank 1 enters late in the tree's.
static void write_run(const char *path, struct sample_run *run) {
  static struct made_case made;
  struct rs_error error = {0};
  struct rs_random random = {SEED};
  struct rs_writer *writer;
  sample_run_init(run);
  run->facts.max_iterations = RUN_ITERATIONS;
  assert_int_equal(rs_writer_open(path, false, &run->facts, &writer, &error), RS_OK);
  for (uint32_t c = 0; c < SAMPLE_CASES; c++) {
    struct delay delay = {.rank = 2, .exit_ns = c < 3 ? 40e3 : 0, .part = 0.9};
    make_case(&made, &random, SAMPLE_RANKS, RUN_ITERATIONS, 300e3, &delay);
    struct rs_case_row row = sample_finished(run, c);
    row.iterations = RUN_ITERATIONS;
    row.median_ns = 300e3;
    row.root = -1;
    row.measured_ranks = SAMPLE_RANKS;
    row.pairing[0] = row.congestor[0] = '\0';
    for (size_t i = 0; i < RUN_ITERATIONS; i++) {
      made.iterations[i].case_id = c;
      if (c % 2 == 1)
        made.samples[i * SAMPLE_RANKS + 1].entry_ns += 15000;
    }
    assert_int_equal(rs_writer_case(writer, &row, made.iterations, made.samples, &error), RS_OK);
  }
  assert_int_equal(rs_writer_finish(writer, &error), RS_OK);
}

struct whole_run {
  struct rs_result *result;
  struct rs_stragglers stragglers;
};

static void print_stragglers(const void *subject, FILE *file) {
  const struct whole_run *whole = subject;
  rs_stragglers_print(whole->result, &whole->stragglers, file);
  fputs("\n---- the note under another table\n", file);
  rs_stragglers_note(whole->result, &whole->stragglers, file);
}

static void print_json(const void *subject, FILE *file) {
  const struct whole_run *whole = subject;
  struct rs_error error = {0};
  assert_int_equal(rs_report_json(whole->result, &whole->stragglers, file, &error), RS_OK);
}

static void check_json(const struct whole_run *whole) {
  char *text = rs_fixture_print(print_json, whole);
  json_t *root = json_loads(text, 0, NULL), *stragglers = json_object_get(root, "stragglers");
  json_t *ranks = json_object_get(stragglers, "ranks"), *first = json_array_get(ranks, 0);
  assert_int_equal(json_integer_value(json_object_get(stragglers, "cases_judged")), SAMPLE_CASES);
  assert_int_equal(json_array_size(json_object_get(stragglers, "findings")), 5);
  assert_int_equal(json_array_size(ranks), 2);
  assert_int_equal(json_integer_value(json_object_get(first, "rank")), 2);
  assert_string_equal(json_string_value(json_object_get(first, "what")), "left");
  assert_int_equal(json_integer_value(json_object_get(first, "cases")), 3);
  assert_true(json_is_true(json_object_get(first, "run_wide")));
  assert_true(json_is_null(json_object_get(first, "only")));
  assert_string_equal(json_string_value(json_object_get(json_array_get(ranks, 1), "only")), "tree");
  json_decref(root);
  free(text);
}

static void a_run_is_summed_up(void **state) {
  struct sample_place *place = *state;
  struct sample_run run;
  struct rs_error error = {0};
  struct whole_run whole = {0};
  write_run(place->path, &run);
  assert_int_equal(rs_result_open(place->path, &whole.result, &error), RS_OK);
  if (rs_stragglers_find(whole.result, &whole.stragglers, &error) != RS_OK)
    fail_msg("%s", error.text);
  assert_int_equal(whole.stragglers.judged, SAMPLE_CASES);
  char *path = whole.result->path;
  whole.result->path = "results/demo.h5";
  char *text = rs_fixture_print(print_stragglers, &whole);
  rs_golden_check("stragglers.txt", text);
  free(text);
  check_json(&whole);
  whole.result->path = path;
  rs_stragglers_fini(&whole.stragglers);
  rs_result_close(whole.result);
}

// What is doubtful, and what has no common clock, says so; and is no finding of the run.
static void doubts_are_printed(void **state) {
  (void)state;
  struct rs_result_fixture fixture;
  rs_result_fixture_init(&fixture);
  rs_result_fixture_add(&fixture, "ring", "tcp", 8, 40000, 0.02)->sync_bound_ns = 9000;
  rs_result_fixture_add(&fixture, "ring", "tcp", 16, 40000, 0.02)->sync_error_ns = -1;
  struct rs_straggler findings[] = {{0, 3, RS_STRAGGLER_LEFT, 0.9, 8000, true},
                                    {1, 0, RS_STRAGGLER_TOOK, 0.6, 12000, false}};
  struct rs_straggler_rank ranks[] = {{0, RS_STRAGGLER_TOOK, 1, 0.6, 12000, "ring", false}};
  struct whole_run whole = {.result = &fixture.result, .stragglers = {findings, 2, ranks, 1, .judged = 2, .local = 1}};
  char *text = rs_fixture_print(print_stragglers, &whole);
  rs_golden_check("stragglers_doubtful.txt", text);
  free(text);
  fixture.cases[0].emulated = 1;
  text = rs_fixture_print(print_stragglers, &whole);
  assert_non_null(strstr(text, "the network was EMULATED"));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_delay_is_named_with_its_size),
      cmocka_unit_test(a_root_may_leave_last),
      cmocka_unit_test(noise_names_nobody),
      cmocka_unit_test(one_slow_moment_is_no_habit),
      cmocka_unit_test(two_late_ranks_do_not_hide_each_other),
      cmocka_unit_test(only_counted_iterations_count),
      cmocka_unit_test(too_little_to_matter_is_not_named),
      cmocka_unit_test(without_a_common_clock_durations_speak),
      cmocka_unit_test_setup_teardown(a_run_is_summed_up, sample_place_make, sample_place_remove),
      cmocka_unit_test(doubts_are_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
