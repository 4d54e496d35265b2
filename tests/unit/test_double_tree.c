// The double tree: that both are binary trees numbered in order, that no rank is inner in both, and what a rank
// carries.
#include "support/schedule_expect.h"

#define RANKS_MAX 130
#define NOBODY UINT32_MAX

static struct trace double_tree(uint32_t rank_count) {
  return trace_of(RS_ALLREDUCE, "double-tree", rank_count, 0);
}

// One of the trees, as its messages show it.
struct tree {
  uint32_t parent[RANKS_MAX], child_count[RANKS_MAX];
  uint32_t child[RANKS_MAX][2];
  uint32_t up_round[RANKS_MAX], down_round[RANKS_MAX]; // of the message to and from the parent
};

static void read_trees(const struct trace *trace, struct tree trees[2]) {
  static struct trace_message messages[RANKS_MAX * RS_ROUND_STEPS_MAX];
  for (size_t t = 0; t < 2; t++) {
    trees[t] = (struct tree){0};
    for (uint32_t rank = 0; rank < trace->params.rank_count; rank++) {
      trees[t].parent[rank] = NOBODY;
    }
  }
  for (uint32_t k = 0; k < trace->rounds; k++) {
    const size_t count = trace_messages(trace, k, messages);
    for (size_t i = 0; i < count; i++) {
      const struct trace_message *message = &messages[i];
      struct tree *tree = &trees[message->target.place];
      assert_true(message->target.count == 1);
      assert_true(message->adds == (k < trace->rounds / 2)); // up in the first half of the rounds, down in the other
      if (message->adds) {
        assert_int_equal(tree->parent[message->from], NOBODY);
        assert_in_range(tree->child_count[message->to], 0, 1);
        tree->parent[message->from] = message->to;
        tree->up_round[message->from] = k;
        tree->child[message->to][tree->child_count[message->to]++] = message->from;
      } else {
        assert_int_equal(tree->parent[message->to], message->from);
        tree->down_round[message->to] = k;
      }
    }
  }
}

// The pictures in double_tree.c.
static void test_picture(void **state) {
  (void)state;
  const struct trace six = double_tree(6), two = double_tree(2);
  expect_picture(&six, "5+>0 0+>1 2+>1 1+>2 3+>2 4+>5 | 1+>3 5+>3 2+>4 0+>4"
                       " | 4->0 3->1 4->2 3->5 | 1->0 2->1 1->2 2->3 5->4 0->5");
  expect_picture(&two, "1+>0 0+>1 | 1->0 0->1");
}

// The tree of 13 positions in double_tree.c, where rank r stands at position r + 1: position 13 stands in for 14.
static void test_ragged_tree(void **state) {
  (void)state;
  static const uint32_t parents[13] = {2, 4,  2,  8,  6, 4, 6,
                                       0, 10, 12, 10, 8, 12}; // by position, from 1 on; 0: the root
  const struct trace trace = double_tree(13);
  struct tree trees[2];
  read_trees(&trace, trees);
  for (uint32_t position = 1; position <= 13; position++) {
    const uint32_t parent = parents[position - 1];
    assert_int_equal(trees[0].parent[position - 1], parent == 0 ? NOBODY : parent - 1);
    assert_int_equal(trees[1].parent[position % 13], parent == 0 ? NOBODY : parent % 13);
  }
}

static uint32_t position_of(uint32_t n, uint32_t t, uint32_t rank) {
  return t == 0 ? rank + 1 : rank == 0 ? n : rank;
}

// What lies under the first child of a rank stands before it, what lies under the second behind it.
static void expect_in_order(const struct tree *tree, uint32_t n, uint32_t t) {
  for (uint32_t rank = 0; rank < n; rank++) {
    uint32_t below = rank;
    for (uint32_t above = tree->parent[rank]; above != NOBODY; below = above, above = tree->parent[above]) {
      const bool before = position_of(n, t, rank) < position_of(n, t, above);
      assert_int_equal(tree->child[above][before ? 0 : 1], below);
    }
  }
}

static uint32_t depth_of(const struct tree *tree, uint32_t rank) {
  uint32_t depth = 0;
  for (; tree->parent[rank] != NOBODY; rank = tree->parent[rank]) {
    depth++;
    assert_in_range(depth, 0, 32); // no cycle
  }
  return depth;
}

// For every n: each part has a tree with one root, in order, no deeper than floor(log2 n); children come in before
// their parent goes up, both in one round, and are served after it has been; and every rank is a leaf in one of the
// trees.
static void test_trees(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= RANKS_MAX; n++) {
    const struct trace trace = double_tree(n);
    const uint32_t height = 31 - (uint32_t)__builtin_clz(n);
    struct tree trees[2];
    read_trees(&trace, trees);
    assert_int_equal(trace.parts, 2);
    assert_int_equal(trace.rounds, 2 * height);
    for (uint32_t t = 0; t < 2; t++) {
      const struct tree *tree = &trees[t];
      uint32_t roots = 0;
      expect_in_order(tree, n, t);
      for (uint32_t rank = 0; rank < n; rank++) {
        const uint32_t parent = tree->parent[rank];
        roots += parent == NOBODY;
        assert_in_range(depth_of(tree, rank), 0, height);
        if (parent != NOBODY && tree->parent[parent] != NOBODY) {
          assert_true(tree->up_round[rank] < tree->up_round[parent]);
          assert_true(tree->down_round[rank] > tree->down_round[parent]);
        }
        if (tree->child_count[rank] == 2) {
          assert_int_equal(tree->up_round[tree->child[rank][0]], tree->up_round[tree->child[rank][1]]);
        }
      }
      assert_int_equal(roots, 1);
    }
    for (uint32_t rank = 0; rank < n; rank++) {
      assert_true(trees[0].child_count[rank] == 0 || trees[1].child_count[rank] == 0);
    }
  }
}

// A rank sends and takes in at most four halves of the buffer, 2 S each way, as on a ring; together 2(n-1) S.
static void test_load(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 64; n++) {
    const struct trace trace = double_tree(n);
    const struct rs_proof proof = expect_proof(&trace);
    struct tree trees[2];
    read_trees(&trace, trees);
    assert_in_range(proof.parts_sent_max, 2, 4);
    assert_int_equal(proof.parts_sent_sum, 2 * 2 * (n - 1));
    assert_int_equal(proof.messages, proof.parts_sent_sum);
    for (uint32_t rank = 0; rank < n; rank++) {
      uint32_t taken = 0;
      for (size_t t = 0; t < 2; t++) {
        taken += trees[t].child_count[rank] + (trees[t].parent[rank] != NOBODY);
      }
      assert_int_equal(trace.algorithm->sent_parts(&trace.params, rank), taken); // what goes up comes down
    }
  }
}

// (own + left) + right at every rank, and everyone ends with the root's sum.
static void test_order_of_summation(void **state) {
  (void)state;
  for (uint32_t n = 1; n <= 40; n++) {
    const struct trace trace = double_tree(n);
    expect_same_sums(&trace);
  }
  const struct trace six = double_tree(6);
  uint64_t x[6], y[6], *outputs = trace_run(&six);
  for (uint32_t rank = 0; rank < 6; rank++) {
    x[rank] = trace_input(rank, 0);
    y[rank] = trace_input(rank, 1);
  }
  assert_true(outputs[0] == trace_sum(trace_sum(x[3], trace_sum(trace_sum(x[1], x[0]), x[2])), trace_sum(x[5], x[4])));
  assert_true(outputs[1] == trace_sum(trace_sum(y[4], trace_sum(trace_sum(y[2], y[1]), y[3])), trace_sum(y[0], y[5])));
  free(outputs);
}

static void test_export(void **state) {
  (void)state;
  const struct trace trace = double_tree(3);
  expect_export(&trace, "# double-tree allreduce, ranks 3, parts 2, scratch places 0, rounds 2\n"
                        "rank 0  round 0  send input[0] -> 1\n"
                        "rank 0  round 0  send input[1] -> 2\n"
                        "rank 0  round 1  recv output[0] <- 1\n"
                        "rank 0  round 1  recv output[1] <- 2\n"
                        "rank 1  round 0  recv_reduce output[0] = input[0] (+) <- 0\n"
                        "rank 1  round 0  recv_reduce output[0] = output[0] (+) <- 2, final\n"
                        "rank 1  round 0  send input[1] -> 2\n"
                        "rank 1  round 1  send output[0] -> 0\n"
                        "rank 1  round 1  send output[0] -> 2\n"
                        "rank 1  round 1  recv output[1] <- 2\n"
                        "rank 2  round 0  send input[0] -> 1\n"
                        "rank 2  round 0  recv_reduce output[1] = input[1] (+) <- 1\n"
                        "rank 2  round 0  recv_reduce output[1] = output[1] (+) <- 0, final\n"
                        "rank 2  round 1  recv output[0] <- 1\n"
                        "rank 2  round 1  send output[1] -> 1\n"
                        "rank 2  round 1  send output[1] -> 0\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_picture), cmocka_unit_test(test_ragged_tree),        cmocka_unit_test(test_trees),
      cmocka_unit_test(test_load),    cmocka_unit_test(test_order_of_summation), cmocka_unit_test(test_export)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
