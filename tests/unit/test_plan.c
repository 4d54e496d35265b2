// The plan: from keys to cases. Every combination once, what cannot be measured left out with a reason, ranks shared
// out between those measured and those that congest, pairs that meet once, blocks that fill the whole.
#include "measure/auto_choice.h"

#include "ringside/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 64

// A configuration of defaults and the assignments given, planned for ranks two to a host.
struct planned {
  struct rs_config config;
  struct rs_option_group groups[3];
  struct rs_options options;
  struct rs_rank_facts ranks[RANKS_MAX];
  struct rs_host_facts hosts[RANKS_MAX / 2 + 1];
  struct rs_placement placement;
  struct rs_plan plan;
  struct rs_error error;
};

static void plan(struct planned *planned, size_t rank_count, const char *const *assignments) {
  *planned = (struct planned){0};
  planned->groups[0] = (struct rs_option_group){"", rs_sweep_options, &planned->config};
  planned->groups[1] = (struct rs_option_group){"run", rs_run_options, &planned->config};
  planned->groups[2] = (struct rs_option_group){"samples", rs_sample_options, &planned->config};
  planned->options = (struct rs_options){planned->groups, 3};
  assert_int_equal(rs_options_set_defaults(&planned->options, &planned->error), RS_OK);
  for (; *assignments; assignments++)
    if (rs_options_set_assignment(&planned->options, *assignments, &planned->error) < 0)
      fail_msg("%s", planned->error.text);
  for (uint32_t r = 0; r < rank_count; r++)
    planned->ranks[r].host = r / 2;
  size_t host_count = (rank_count + 1) / 2;
  for (size_t h = 0; h < host_count; h++)
    snprintf(planned->hosts[h].hostname, sizeof planned->hosts[h].hostname, "node%zu", h);
  planned->placement = (struct rs_placement){
      .host_count = host_count, .rank_count = rank_count, .hosts = planned->hosts, .ranks = planned->ranks};
  rs_plan_make(&planned->config, &planned->placement, &planned->plan, &planned->error);
}

static void plan_or_fail(struct planned *planned, size_t rank_count, const char *const *assignments) {
  plan(planned, rank_count, assignments);
  if (planned->error.status < 0)
    fail_msg("%s", planned->error.text);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_product(void **state) {
  (void)state;
  struct planned p;
  plan_or_fail(&p, 4,
               WORDS("algorithm=ring,tree", "baseline=none", "datatype=float32,int32", "operation=sum,max",
                     "size=8,1KiB", "chunk=0,64", "lanes=1,2", "in_place=no,yes", "mode=isolated,streaming"));
  assert_int_equal(p.plan.case_count, 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2);
  for (size_t i = 0; i < p.plan.case_count; i++) {
    const struct rs_case *a = &p.plan.cases[i];
    assert_int_equal(a->id, i);
    assert_int_equal(a->count, a->size_bytes / 4);
    for (size_t j = 0; j < i; j++) {
      const struct rs_case *b = &p.plan.cases[j];
      assert_false(a->algorithm == b->algorithm && a->datatype == b->datatype && a->operation == b->operation &&
                   a->size_bytes == b->size_bytes && a->chunk_bytes == b->chunk_bytes && a->lanes == b->lanes &&
                   a->in_place == b->in_place && a->mode == b->mode);
    }
  }
  rs_plan_fini(&p.plan);
}

// "all" is every algorithm of each collective, and only rooted collectives have roots, only reductions operations.
static void test_all_algorithms(void **state) {
  (void)state;
  struct planned p;
  plan_or_fail(&p, 5,
               WORDS("collective=allreduce,broadcast", "baseline=none", "size=8", "root=0,3", "operation=sum,min"));
  size_t expected = 0;
  for (size_t a = 0; a < rs_algorithm_count; a++)
    if (rs_algorithms[a]->collective == RS_ALLREDUCE || rs_algorithms[a]->collective == RS_BROADCAST)
      expected += 2;
  assert_int_equal(p.plan.case_count, expected);
  for (size_t i = 0; i < p.plan.case_count; i++)
    assert_true(p.plan.cases[i].collective == RS_BROADCAST || p.plan.cases[i].root == 0);
  rs_plan_fini(&p.plan);
}

static void test_left_out(void **state) {
  (void)state;
  struct planned p;
  plan_or_fail(&p, 4, WORDS("collective=alltoall", "algorithm=pairwise", "baseline=none", "size=8", "in_place=no,yes"));
  assert_int_equal(p.plan.case_count, 1);
  assert_int_equal(p.plan.left_out, 1);
  assert_non_null(strstr(p.plan.reason, "alltoall"));
  assert_non_null(strstr(p.plan.reason, "in place"));
  rs_plan_fini(&p.plan);

  plan(&p, 4, WORDS("collective=alltoall", "size=8", "in_place=yes"));
  assert_int_equal(p.error.status, RS_ERROR_USAGE);
  assert_non_null(strstr(p.error.text, "the sweep is empty: alltoall"));
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *assignment, *words;
  } rows[] = {
      {"algorithm=aut", "did you mean 'auto'"},
      {"algorithm=rong", "did you mean 'ring'"},
      {"root=4", "root 4 is none of the ranks 0..3"},
      {"size=7", "no multiple of the 4 bytes"},
      {"transport=tpc", "did you mean 'tcp'"},
      {"samples.interval_width=0", "above 0"},
      {"algorithm=none", "at least one algorithm"},
      {"transport=tcp+shm", "A can be shm; B can be tcp"},
      {"transport=shm+shm", "A+B is A between ranks of one host"},
      {"transport=shm+tpc", "A can be shm"},
      {"transport=loop+tcp", "A can be shm"},
      {"transport=shm+emulated", "B can be tcp"},
      {"transport=+tcp", "A can be shm"},
      {"transport=shm+", "A can be shm"},
      {"transport=shm+tcp+tcp", "A can be shm"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct planned p;
    plan(&p, 4, WORDS(rows[i].assignment, "baseline=none"));
    assert_int_equal(p.error.status, RS_ERROR_USAGE);
    if (strstr(p.error.text, rows[i].words) == NULL)
      fail_msg("%s: %s", rows[i].assignment, p.error.text);
  }
}

// `auto` is a concrete algorithm in every case; named beside the same one it stays a case of its own.
static void test_auto_algorithm(void **state) {
  (void)state;
  struct planned p;
  char program[64], expected[64];
  plan_or_fail(&p, 8,
               WORDS("algorithm=auto,ring", "transport=loop,tcp", "size=8..64MiB*4", "baseline=none", "chunk=4KiB"));
  assert_int_equal(p.plan.case_count, 2 * 2 * p.config.sizes.count);
  bool chose_ring = false;
  for (size_t i = 0; i < p.plan.case_count; i++) {
    const struct rs_case *point = &p.plan.cases[i];
    const struct auto_row *row = auto_choice_find(NULL, RS_ALLREDUCE, 8, point->size_bytes);
    const char *name = point->algorithm_auto ? row->algorithm : "ring";
    assert_string_equal(point->algorithm->name, name);
    assert_int_equal(point->chunk_bytes, 4096); // as it was given
    assert_string_equal(rs_case_implementation(point), point->algorithm_auto ? "auto" : "ring");
    snprintf(expected, sizeof expected, "%s%s/%s", point->algorithm_auto ? "auto:" : "", name, point->transport->name);
    assert_string_equal(rs_case_program(point, program, sizeof program), expected);
    chose_ring |= point->algorithm_auto && strcmp(name, "ring") == 0;
  }
  assert_true(chose_ring);
  rs_plan_fini(&p.plan);
}

// With `chunk=auto` an algorithm that is named takes the chunk of the table, whichever algorithm that is for.
static void test_auto_chunk(void **state) {
  (void)state;
  struct planned p;
  plan_or_fail(&p, 4, WORDS("algorithm=tree,auto", "size=8..64MiB*4", "baseline=mpi", "chunk=64,auto"));
  assert_int_equal(p.plan.case_count, (2 * 2 + 1) * p.config.sizes.count);
  for (size_t i = 0; i < p.plan.case_count; i++) {
    const struct rs_case *point = &p.plan.cases[i];
    const struct auto_row *row = auto_choice_find(NULL, RS_ALLREDUCE, 4, point->size_bytes);
    assert_int_equal(point->chunk_bytes, point->baseline ? 0 : point->chunk_auto ? row->chunk_bytes : 64);
    assert_false(point->baseline && (point->chunk_auto || point->algorithm_auto));
  }
  struct rs_text text = {0};
  assert_true(rs_options_get(&p.options, "chunk", &text));
  assert_string_equal(text.data, "[64, auto]");
  rs_text_fini(&text);
  rs_plan_fini(&p.plan);
}

// What was measured on one host holds for one host, by what carries inside it.
static void test_auto_one_host(void **state) {
  (void)state;
  struct planned p;
  static const char *const classes[] = {"tcp", "shm", "shm"};
  plan_or_fail(&p, 2,
               WORDS("algorithm=auto", "chunk=auto", "baseline=none", "transport=tcp,shm,shm+tcp", "size=64MiB"));
  assert_int_equal(p.plan.case_count, RS_ARRAY_LENGTH(classes));
  for (size_t i = 0; i < p.plan.case_count; i++) {
    const struct auto_row *row = auto_choice_find(classes[i], RS_ALLREDUCE, 2, p.plan.cases[i].size_bytes);
    assert_string_equal(row->transport, classes[i]);
    assert_string_equal(p.plan.cases[i].algorithm->name, row->algorithm);
    assert_int_equal(p.plan.cases[i].chunk_bytes, row->chunk_bytes);
  }
  rs_plan_fini(&p.plan);
}

// Every collective and every pattern of pairs, on any number of ranks. Where some ranks congest, those that are
// measured are counted.
static void test_auto_everywhere(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= RANKS_MAX; n++) {
    struct planned p;
    plan_or_fail(&p, n,
                 WORDS("benchmark=collective,p2p", "pairs=halves", "algorithm=auto", "chunk=auto", "baseline=none",
                       "size=8,64KiB,64MiB", "transport=tcp,shm",
                       "collective=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv"));
    assert_int_equal(p.plan.case_count, (8 + 3) * 2 * 3);
    for (size_t i = 0; i < p.plan.case_count; i++) {
      const struct rs_case *point = &p.plan.cases[i];
      assert_true(point->algorithm && point->algorithm->collective == point->collective);
      assert_true(point->chunk_bytes < UINT64_C(1) << 40);
    }
    rs_plan_fini(&p.plan);
  }
  struct planned p;
  plan_or_fail(&p, 16,
               WORDS("algorithm=auto", "chunk=auto", "baseline=none", "size=64KiB", "congestor=incast",
                     "run.congestor_share=75%"));
  assert_int_equal(p.plan.measured_count, 4);
  assert_string_equal(p.plan.cases[0].algorithm->name, auto_choice_find(NULL, RS_ALLREDUCE, 4, 65536)->algorithm);
  rs_plan_fini(&p.plan);
}

// What carries a case: one transport, or one inside hosts and one between them; the result file has room for its name.
static void test_routes(void **state) {
  (void)state;
  struct planned p;
  char name[RS_TRANSPORT_BYTES];
  plan_or_fail(&p, 4, WORDS("transport=tcp,shm+tcp", "algorithm=ring", "baseline=mpi", "size=8"));
  assert_int_equal(p.plan.case_count, 3);
  static const char *const names[] = {"tcp", "shm+tcp", ""};
  for (size_t i = 0; i < 3; i++)
    assert_string_equal(rs_case_transport(&p.plan.cases[i], name, sizeof name), names[i]);
  assert_null(p.plan.cases[0].inside);
  assert_ptr_equal(p.plan.cases[1].inside, rs_transport_find("shm"));
  assert_ptr_equal(p.plan.cases[1].transport, rs_transport_find("tcp"));
  rs_plan_fini(&p.plan);

  assert_true(RS_TRANSPORT_BYTES <= sizeof((struct rs_case_row *)0)->transport);
  for (size_t a = 0; a < rs_transport_count; a++)
    for (size_t b = 0; b < rs_transport_count; b++)
      if (rs_transports[a]->span == RS_SPAN_HOST && rs_transports[b]->span == RS_SPAN_NETWORK)
        assert_true(strlen(rs_transports[a]->name) + 1 + strlen(rs_transports[b]->name) < RS_TRANSPORT_BYTES);
}

// Measured and congesting ranks are disjoint, all ranks, as many as the share says, and stand evenly.
static void test_congestors(void **state) {
  (void)state;
  static const char *const shares[] = {"run.congestor_share=25%", "run.congestor_share=50%", "run.congestor_share=60%"};
  static const double values[] = {0.25, 0.5, 0.6};
  for (uint32_t n = 8; n <= RANKS_MAX; n++)
    for (size_t s = 0; s < RS_ARRAY_LENGTH(shares); s++) {
      struct planned p;
      plan_or_fail(&p, n, WORDS("congestor=none,incast", "algorithm=ring", "size=8", shares[s]));
      assert_int_equal(p.plan.case_count, 2);
      assert_int_equal(p.plan.left_out, 2); // MPI's
      assert_int_equal(p.plan.other_count, (uint32_t)floor(n * values[s]));
      assert_int_equal(p.plan.measured_count + p.plan.other_count, n);
      bool seen[RANKS_MAX] = {false};
      for (uint32_t i = 0; i < p.plan.measured_count; i++)
        seen[p.plan.measured[i]] = true;
      for (uint32_t i = 0; i < p.plan.other_count; i++) {
        assert_false(seen[p.plan.others[i]]);
        assert_true(i == 0 || p.plan.others[i] - p.plan.others[i - 1] <= (uint32_t)ceil(1 / values[s]));
      }
      assert_int_equal(p.plan.groups[1], p.plan.measured[1] / 2);
      rs_plan_fini(&p.plan);
    }
  struct planned p;
  plan(&p, 3, WORDS("congestor=incast"));
  assert_non_null(strstr(p.error.text, "each needs 2"));
}

static void test_pairs(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 17; n++) {
    struct planned p;
    plan_or_fail(&p, n, WORDS("benchmark=p2p", "p2p=pingpong", "algorithm=direct", "baseline=none", "size=8"));
    assert_int_equal(p.plan.case_count, n == 1 ? 1 : rs_tournament_rounds(n));
    uint32_t met[17][17] = {{0}};
    for (size_t i = 0; i < p.plan.case_count; i++) {
      struct rs_pair_row rows[17];
      char text[16];
      size_t count = rs_case_pairs(&p.config, &p.plan, &p.plan.cases[i], rows);
      assert_int_equal(count, n / 2);
      for (size_t k = 0; k < count; k++) {
        assert_int_equal(rows[k].case_id, i);
        assert_true(rows[k].rank_a < rows[k].rank_b && rows[k].rank_b < n && isnan(rows[k].median_ns));
        met[rows[k].rank_a][rows[k].rank_b]++;
      }
      assert_int_equal(strncmp(rs_case_pairing(&p.plan.cases[i], RS_PAIRS_ALL, text, sizeof text), "round ", 6), 0);
    }
    for (uint32_t a = 0; a < n; a++)
      for (uint32_t b = a + 1; b < n; b++)
        assert_int_equal(met[a][b], 1);
    rs_plan_fini(&p.plan);
  }
  struct planned p;
  struct rs_pair_row rows[4];
  plan_or_fail(&p, 7,
               WORDS("benchmark=p2p", "p2p=stream", "algorithm=direct", "baseline=none", "size=8", "pairs=halves"));
  assert_int_equal(rs_case_pairs(&p.config, &p.plan, &p.plan.cases[0], rows), 3);
  assert_true(rows[2].rank_a == 2 && rows[2].rank_b == 5);
  rs_plan_fini(&p.plan);
  plan_or_fail(&p, 7,
               WORDS("benchmark=p2p", "p2p=stream", "algorithm=direct", "baseline=none", "size=8", "pairs=ends"));
  assert_int_equal(rs_case_pairs(&p.config, &p.plan, &p.plan.cases[0], rows), 1);
  assert_true(rows[0].rank_a == 0 && rows[0].rank_b == 6);
  rs_plan_fini(&p.plan);
}

// Eight ranks on four hosts, two in each of two zones.
static void test_groups_by_distance(void **state) {
  (void)state;
  static const struct {
    const char *assignment;
    uint32_t groups[8];
  } rows[] = {
      {"run.group_by=host", {0, 0, 1, 1, 2, 2, 3, 3}}, {"run.group_by=zone", {0, 0, 0, 0, 1, 1, 1, 1}},
      {"run.group_by=auto", {0, 0, 0, 0, 1, 1, 1, 1}}, {"run.group_by=region", {0, 0, 0, 0, 0, 0, 0, 0}},
      {"run.group_size=3", {0, 0, 0, 1, 1, 1, 2, 2}},
  };
  for (size_t row = 0; row < RS_ARRAY_LENGTH(rows); row++) {
    struct planned p;
    plan_or_fail(&p, 8, WORDS("algorithm=hierarchical", "baseline=none", "size=8", rows[row].assignment));
    rs_plan_fini(&p.plan);
    for (size_t h = 0; h < p.placement.host_count; h++)
      snprintf(p.hosts[h].zone, sizeof p.hosts[h].zone, "z%zu", h / 2);
    assert_int_equal(rs_plan_make(&p.config, &p.placement, &p.plan, &p.error), RS_OK);
    assert_memory_equal(p.plan.groups, rows[row].groups, sizeof rows[row].groups);
    rs_plan_fini(&p.plan);
  }
}

// A rank's position, its group and the root follow the order; who is measured, and pairs, do not.
static void test_order(void **state) {
  (void)state;
  static const uint32_t order[] = {0, 4, 2, 6, 7, 3, 5, 1};
  struct planned p;
  struct rs_pair_row rows[4], again[4];
  plan_or_fail(&p, 8,
               WORDS("benchmark=collective,p2p", "p2p=pingpong", "algorithm=ring,direct", "size=8", "pairs=halves"));
  for (uint32_t i = 0; i < 8; i++)
    assert_true(p.plan.order[i] == i && p.plan.groups[i] == i / 2);
  assert_int_equal(rs_case_pairs(&p.config, &p.plan, &p.plan.cases[p.plan.case_count - 1], rows), 4);
  rs_plan_fini(&p.plan);

  p.config.order = order;
  assert_int_equal(rs_plan_make(&p.config, &p.placement, &p.plan, &p.error), RS_OK);
  for (uint32_t i = 0; i < 8; i++)
    assert_true(p.plan.measured[i] == i && p.plan.order[i] == order[i]);
  for (uint32_t i = 0; i < 8; i++)
    for (uint32_t j = 0; j < 8; j++)
      assert_int_equal(p.plan.groups[i] == p.plan.groups[j], order[i] / 2 == order[j] / 2);
  for (size_t i = 0; i < p.plan.case_count; i++) {
    const struct rs_case *point = &p.plan.cases[i];
    assert_int_equal(rs_case_ordered(point), point->benchmark == RS_BENCHMARK_COLLECTIVE && point->baseline == NULL);
  }
  assert_int_equal(rs_case_pairs(&p.config, &p.plan, &p.plan.cases[p.plan.case_count - 1], again), 4);
  for (size_t i = 0; i < 4; i++)
    assert_true(rows[i].rank_a == again[i].rank_a && rows[i].rank_b == again[i].rank_b);
  rs_plan_fini(&p.plan);

  plan_or_fail(&p, 8, WORDS("congestor=none,incast", "algorithm=ring", "size=8", "run.congestor_share=50%"));
  rs_plan_fini(&p.plan);
  p.config.order = order; // ranks 1, 3, 5, 7 congest
  assert_int_equal(rs_plan_make(&p.config, &p.placement, &p.plan, &p.error), RS_OK);
  assert_int_equal(p.plan.measured_count, 4);
  for (uint32_t i = 0; i < 4; i++)
    assert_true(p.plan.measured[i] == 2 * i && p.plan.order[i] == order[i]);
  rs_plan_fini(&p.plan);
}

// Boundaries rise from 0 to the whole. Without skew blocks differ by one element; with skew 1 the largest is about
// n times the smallest, and the sizes are those of Zipf's law in some order.
static void test_expert_bounds(void **state) {
  (void)state;
  static const uint64_t counts[] = {0, 1, 7, 1000, UINT64_C(1) << 40};
  uint64_t bounds[RANKS_MAX + 1];
  for (uint32_t n = 1; n <= RANKS_MAX; n++)
    for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++)
      for (int skewed = 0; skewed <= 1; skewed++) {
        rs_expert_bounds(counts[c], n, skewed, bounds);
        uint64_t least = UINT64_MAX, most = 0;
        assert_int_equal(bounds[0], 0);
        assert_int_equal(bounds[n], counts[c]);
        for (uint32_t r = 0; r < n; r++) {
          assert_true(bounds[r + 1] >= bounds[r]);
          least = bounds[r + 1] - bounds[r] < least ? bounds[r + 1] - bounds[r] : least;
          most = bounds[r + 1] - bounds[r] > most ? bounds[r + 1] - bounds[r] : most;
        }
        if (!skewed)
          assert_true(most - least <= 1);
        else if (counts[c] > 1u << 30)
          assert_true(fabs((double)most / (double)least / n - 1) < 0.01);
      }
}

static void test_kernels(void **state) {
  (void)state;
  struct planned p;
  size_t runs = 0;
  for (size_t k = 0; k < rs_kernel_set_count(); k++)
    runs += rs_kernel_set_runs(k);
  plan_or_fail(&p, 2, WORDS("benchmark=reduce", "size=64", "in_place=no,yes", "mode=isolated,streaming"));
  assert_int_equal(p.plan.case_count, 2 * runs + 1); // memcpy has nothing to copy in place
  assert_string_equal(rs_case_implementation(&p.plan.cases[0]), rs_kernel_set_name(0));
  rs_plan_fini(&p.plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_product),         cmocka_unit_test(test_all_algorithms),
      cmocka_unit_test(test_left_out),        cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_congestors),      cmocka_unit_test(test_pairs),
      cmocka_unit_test(test_expert_bounds),   cmocka_unit_test(test_groups_by_distance),
      cmocka_unit_test(test_order),           cmocka_unit_test(test_kernels),
      cmocka_unit_test(test_auto_algorithm),  cmocka_unit_test(test_auto_chunk),
      cmocka_unit_test(test_auto_everywhere), cmocka_unit_test(test_routes),
      cmocka_unit_test(test_auto_one_host),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
