// Allreduce in two levels, over groups of ranks that are near one another: together inside each group, once between the
// groups, and out again inside. What is slow is the way between groups (hosts, racks); a group's ranks share it, so
// what has been joined inside goes over it only once. Two forms:
//
//   hierarchical   one rank of each group, its lowest, talks to other groups.
//                  Jia et al.: Highly scalable deep learning training system with mixed-precision: Training ImageNet in
//                  four minutes (2018).
//   multirail      as many ranks of each group as the smallest group has, each with its own ring through all groups and
//                  its own share of the data. For hosts with a NIC per GPU: every NIC carries an equal share, and the
//                  j-th NIC of a host talks to j-th NICs only, its rail.
//                  Mikami et al.: Massively distributed SGD: ImageNet/ResNet-50 training in a flash (2018), where it is
//                  the 2D-torus all-reduce.
//
// Both cut the data into one part for each group and rail, so that each rail can be a ring (as in ring.c) of its own.
// Of run j, the parts jG to jG + G-1 for G groups, rail j makes the sum. Three phases, each as long as the largest
// group needs; a rank of a smaller group has rounds without a step. Five ranks, {0 1 2} and {3 4}:
//
//   hierarchical: one rail, parts 0 and 1       multirail: two rails, 0-3 with run 0 (parts 0 1), 1-4 with run 1 (2 3)
//
//   round 0   1 +> 0  4 +> 3                    2 +> 0  4 +> 3 run 0,  0 +> 1  3 +> 4 run 1
//         1   2 +> 0                            1 +> 0         run 0,  2 +> 1         run 1
//         2   0 +> 3 part 0,  3 +> 0 part 1     0 +> 3 part 0,  3 +> 0 part 1,  1 +> 4 part 2,  4 +> 1 part 3
//         3   0 -> 3 part 1,  3 -> 0 part 0     0 -> 3 part 1,  3 -> 0 part 0,  1 -> 4 part 3,  4 -> 1 part 2
//         4   0 -> 2                            0 -> 2  3 -> 4 run 0,  1 -> 0  4 -> 3 run 1
//         5   0 -> 1  3 -> 4                    0 -> 1         run 0,  1 -> 2         run 1
//
// Inside a group, hierarchical is a binomial tree of the whole data (as in tree.c), for few ranks or short messages.
// Multirail is a direct exchange: in round t the i-th rank sends run i + t to its owner, modulo the size of the group,
// if that is a rail. The way out is the mirror image of the way in, for both.
//
// With G groups of m ranks, multirail sends the least bytes per rank that an allreduce can, 2(n-1)/n S, like a ring,
// but only 2(G-1)/n S of it to other groups, and in 2(m + G - 2) messages instead of 2(n-1).
//
// No copy is needed: the first sum at a rank reads the input and writes the output, and what has not been added to is
// sent from the input. The order of summation is fixed by groups and ranks: inside, in the order of the rounds, and
// part p of a run then as ((y_p + y_p+1) + y_p+2) + ..., where y_q is the sum of group q, indices modulo G. Everyone
// gets the same bits.
#include "collective/algorithms.h"
#include "collective/binomial.h"
#include "collective/groups.h"
#include "collective/step.h"

// ---- between groups ---------------------------------------------------------------------------------------

static uint32_t ring_rounds(const struct rs_groups *seen) {
  return 2 * (seen->count - 1);
}

// Round k of rail `seen->local`.
static uint32_t ring(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t k,
                     struct rs_step *steps) {
  const uint32_t groups = seen->count, run = seen->local * groups;
  const uint32_t leaving = (seen->index + 2 * groups - k) % groups, coming = (leaving + groups - 1) % groups;
  const enum rs_buffer_id own = seen->size == 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT; // where the group's sum is
  const struct rs_slice target = {RS_BUFFER_OUTPUT, run + coming, 1};
  const uint32_t left = rs_groups_member(params, seen->before, seen->local);

  steps[0] = (struct rs_step){.kind = RS_STEP_SEND,
                              .peer = rs_groups_member(params, seen->after, seen->local),
                              .source = {k == 0 ? own : RS_BUFFER_OUTPUT, run + leaving, 1}};
  if (k < groups - 1) {
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = left,
                                .source = {own, run + coming, 1},
                                .target = target,
                                .final = k == groups - 2};
  } else {
    steps[1] = (struct rs_step){.kind = RS_STEP_RECV, .peer = left, .target = target};
  }
  return 2;
}

// ---- hierarchical -----------------------------------------------------------------------------------------

static uint32_t hierarchical_parts(const struct rs_schedule_params *params) {
  return rs_groups_seen(params, 0).count;
}

static uint32_t hierarchical_rounds(const struct rs_schedule_params *params) {
  const struct rs_groups seen = rs_groups_seen(params, 0);
  return params->rank_count == 1 ? 1 : 2 * rs_log2_up(seen.largest) + ring_rounds(&seen);
}

// What the rank is in the round of `bit` of its group's tree, and the rank at the other end of its edge.
static enum rs_binomial_role meet(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t bit,
                                  uint32_t *peer) {
  const struct rs_schedule_params group = {.collective = RS_ALLREDUCE, .rank_count = seen->size};
  const enum rs_binomial_role role = rs_binomial_meet(&group, seen->local, bit, peer);
  if (role != RS_BINOMIAL_IDLE) {
    *peer = rs_groups_member(params, seen->leader, *peer);
  }
  return role;
}

static uint32_t tree_up(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t bit,
                        struct rs_step *steps) {
  const struct rs_slice input = {RS_BUFFER_INPUT, 0, seen->count}, output = {RS_BUFFER_OUTPUT, 0, seen->count};
  const bool leaf = rs_binomial_subtree(seen->size, seen->local) == 1;
  uint32_t peer;
  switch (meet(params, seen, bit, &peer)) {
  case RS_BINOMIAL_PARENT:
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                .peer = peer,
                                .source = bit == 1 ? input : output,
                                .target = output,
                                .final = seen->count == 1 && seen->local == 0 && bit >= seen->size - bit};
    return 1;
  case RS_BINOMIAL_CHILD:
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = leaf ? input : output};
    return 1;
  case RS_BINOMIAL_IDLE:
    break;
  }
  return 0;
}

static uint32_t tree_down(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t bit,
                          struct rs_step *steps) {
  const struct rs_slice output = {RS_BUFFER_OUTPUT, 0, seen->count};
  uint32_t peer;
  switch (meet(params, seen, bit, &peer)) {
  case RS_BINOMIAL_PARENT:
    steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = peer, .source = output};
    return 1;
  case RS_BINOMIAL_CHILD:
    steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = peer, .target = output};
    return 1;
  case RS_BINOMIAL_IDLE:
    break;
  }
  return 0;
}

static uint32_t hierarchical_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                   struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  const struct rs_groups seen = rs_groups_seen(params, rank);
  const uint32_t depth = rs_log2_up(seen.largest), out = depth + ring_rounds(&seen);
  if (k < depth) {
    return tree_up(params, &seen, UINT32_C(1) << k, steps);
  }
  if (k >= out) {
    return tree_down(params, &seen, UINT32_C(1) << (out + depth - 1 - k), steps);
  }
  return seen.local == 0 ? ring(params, &seen, k - depth, steps) : 0;
}

// Everything to the parent and to each child, and a leader its share of the ring.
static uint64_t hierarchical_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const struct rs_groups seen = rs_groups_seen(params, rank);
  uint64_t sent = seen.local > 0 ? seen.count : ring_rounds(&seen);
  for (uint32_t bit = 1; seen.local % (2 * bit) == 0 && bit < seen.size - seen.local; bit *= 2) {
    sent += seen.count;
  }
  return sent;
}

const struct rs_algorithm rs_hierarchical_allreduce = {
    .name = "hierarchical",
    .collective = RS_ALLREDUCE,
    .summary = "binomial reduce inside each group, ring between the lowest ranks, binomial broadcast inside",
    .source = "Jia et al. 2018, arXiv:1807.11205",
    .cost = "2 ceil(log2 m) (a + S b) + 2(G-1) (a + S/G b) + (ceil(log2 m) + (G-1)/G) S g, G groups of m",
    .parts = hierarchical_parts,
    .rounds = hierarchical_rounds,
    .round = hierarchical_round,
    .sent_parts = hierarchical_sent_parts,
    .grouped = true,
};

// ---- multirail --------------------------------------------------------------------------------------------

static uint32_t rail_count(const struct rs_groups *seen) {
  return seen->smallest;
}

static uint32_t multirail_parts(const struct rs_schedule_params *params) {
  const struct rs_groups seen = rs_groups_seen(params, 0);
  return rail_count(&seen) * seen.count;
}

static uint32_t multirail_rounds(const struct rs_schedule_params *params) {
  const struct rs_groups seen = rs_groups_seen(params, 0);
  return params->rank_count == 1 ? 1 : 2 * (seen.largest - 1) + ring_rounds(&seen);
}

// The run of a rail in a buffer.
static struct rs_slice run_of(const struct rs_groups *seen, enum rs_buffer_id buffer, uint32_t rail) {
  return (struct rs_slice){buffer, rail * seen->count, seen->count};
}

// The exchange t = 1, 2, ... inside a group: each rank sends the rank t further on what that one sums up.
static uint32_t collect(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t t,
                        struct rs_step *steps) {
  const uint32_t size = seen->size, to = (seen->local + t) % size, from = (seen->local + size - t) % size;
  uint32_t count = 0;
  if (to < rail_count(seen)) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_SEND,
                                      .peer = rs_groups_member(params, seen->leader, to),
                                      .source = run_of(seen, RS_BUFFER_INPUT, to)};
  }
  if (seen->local < rail_count(seen)) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                      .peer = rs_groups_member(params, seen->leader, from),
                                      .source = run_of(seen, t == 1 ? RS_BUFFER_INPUT : RS_BUFFER_OUTPUT, seen->local),
                                      .target = run_of(seen, RS_BUFFER_OUTPUT, seen->local),
                                      .final = seen->count == 1 && t == size - 1};
  }
  return count;
}

// The same the other way: each rank gets from the rank t further on what that one has summed up.
static uint32_t hand_out(const struct rs_schedule_params *params, const struct rs_groups *seen, uint32_t t,
                         struct rs_step *steps) {
  const uint32_t size = seen->size, from = (seen->local + t) % size, to = (seen->local + size - t) % size;
  uint32_t count = 0;
  if (seen->local < rail_count(seen)) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_SEND,
                                      .peer = rs_groups_member(params, seen->leader, to),
                                      .source = run_of(seen, RS_BUFFER_OUTPUT, seen->local)};
  }
  if (from < rail_count(seen)) {
    steps[count++] = (struct rs_step){.kind = RS_STEP_RECV,
                                      .peer = rs_groups_member(params, seen->leader, from),
                                      .target = run_of(seen, RS_BUFFER_OUTPUT, from)};
  }
  return count;
}

static uint32_t multirail_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                                struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (params->rank_count == 1) {
    return rs_step_keep_input(steps);
  }
  const struct rs_groups seen = rs_groups_seen(params, rank);
  const uint32_t between = seen.largest - 1, out = between + ring_rounds(&seen);
  if (k < between) {
    return k + 1 < seen.size ? collect(params, &seen, k + 1, steps) : 0;
  }
  if (k >= out) {
    return k - out + 1 < seen.size ? hand_out(params, &seen, k - out + 1, steps) : 0;
  }
  return seen.local < rail_count(&seen) ? ring(params, &seen, k - between, steps) : 0;
}

// A run to every other rail, and for a rail its share of the ring and its run to every other rank.
static uint64_t multirail_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  const struct rs_groups seen = rs_groups_seen(params, rank);
  const uint64_t rails = rail_count(&seen);
  if (seen.local >= rails) {
    return rails * seen.count;
  }
  return (rails - 1) * seen.count + ring_rounds(&seen) + (uint64_t)(seen.size - 1) * seen.count;
}

const struct rs_algorithm rs_multirail_allreduce = {
    .name = "multirail",
    .collective = RS_ALLREDUCE,
    .summary = "a ring between groups for each local rank, on the share that it has collected inside its group",
    .source = "Mikami et al. 2018, arXiv:1811.05233",
    .cost = "2(m + G - 2) a + 2(n-1)/n S b + (n-1)/n S g, G groups of m",
    .parts = multirail_parts,
    .rounds = multirail_rounds,
    .round = multirail_round,
    .sent_parts = multirail_sent_parts,
    .grouped = true,
};
