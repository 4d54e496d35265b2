// Halving and doubling: reduce-scatter by recursive halving, allgather by recursive doubling, and an allreduce that is
// the one followed by the other.
//
// Rabenseifner: Optimization of collective reduction operations. ICCS 2004, LNCS 3036.
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH. Int. J. High Perform.
// Comput. Appl. 19 (2005).
//
// Halving. A group of m ranks is to sum m blocks. It is cut into two halves of m/2 ranks, and its blocks into two runs
// of m/2; each half is to sum one run. Every rank pairs with one of the other half, gives it the run that it will no
// longer need, and adds what it is given to the run that it keeps. Now each half is a group with a problem of half the
// size, which is cut in turn, until a group is one rank with one block, and that is the whole sum. Over all cuts a rank
// sends S/2 + S/4 + ... + S/n = (n-1)/n S, as in a ring, but in log2 n rounds where a ring takes n-1.
//
// Doubling is halving played backwards: the cuts in reverse, every message the other way, storing instead of adding.
//
// Any n. When m is odd, the lower half has one rank more, and its last rank has no partner. That rank gives its run to
// the last rank of the upper half, which takes in two, and is itself given nothing; what it holds is added in later
// cuts. All else is the same: there are ceil(log2 n) cuts, and every rank sends each block but its own once. The price
// is the double load: taking the busiest rank of each cut, they take in less than 2 S together, where a power of two
// has (n-1)/n S. Rabenseifner folds the ranks beyond a power of two into others beforehand, which takes as many rounds,
// but sends the whole buffer once more each way.
//
// Five ranks, cut "far" (see below). Behind each cut, who keeps which blocks:
//
//   cut 0   0 1 2 | 3 4         0 <-> 3   1 <-> 4   2 -> 4     0 1 2: blocks 0 1 2     3 4: blocks 3 4
//   cut 1   0 1 | 2    3 | 4    0 <-> 2   1 -> 2    3 <-> 4    0 1: blocks 0 1   2: block 2   3: block 3   4: block 4
//   cut 2   0 | 1               0 <-> 1                        0: block 0   1: block 1
//
// Which ranks make a half is free, and there are two ways:
// - far: the halves are the first ranks and the last, so block r ends at rank r. Reduce-scatter and allgather need that
//   to have every run in one piece. The longest messages go the farthest.
// - near: the halves are every other rank, so partners are neighbours: 0-1 2-3 in the first cut, 0-2 1-3 in the next.
//   An allreduce may sum a block anywhere, and this way its longest messages stay inside hosts, if ranks are numbered
//   host by host. Five ranks: 0 2 4 | 1 3, then 0 4 | 2 and 1 | 3, then 0 | 4; so ranks 0 4 2 1 3 sum blocks 0 to 4.
//
// No copy is needed to reduce: a rank sends its input until it has added something, and the two runs of a cut never
// overlap, so in place works too. Reduce-scatter keeps partial sums in scratch, since only block r of the output is its
// to write. Allgather first copies its block into the output, which in place is nothing.
//
// Every block is summed on one rank, which adds in the order of cuts, the partner before the one without a partner. So
// the bits depend on n and the partition alone, and an allreduce leaves the same bits everywhere.
#include "collective/algorithms.h"
#include "collective/step.h"

enum reach { FAR, NEAR };

// The ranks base, base + stride, ..., `count` of them, which sum the blocks from `first` on. One of them is looked at.
struct group {
  enum reach reach;
  uint32_t base, stride, count, first;
  uint32_t index; // of the rank looked at
};

// One cut of a group, as that rank sees it when halving. Doubling swaps `to` with `from`.
struct cut {
  struct rs_slice keep, give; // runs of blocks; the buffers are left open
  uint32_t to, from[2], from_count;
  bool summed; // an earlier cut has given it something
};

// The lower half has the extra rank, if any.
static uint32_t half_count(const struct group *group, uint32_t half) {
  return (group->count + 1 - half) / 2;
}
static uint32_t half_of(const struct group *group) {
  return group->reach == NEAR ? group->index % 2 : group->index >= half_count(group, 0);
}
static uint32_t position_in_half(const struct group *group) {
  return group->reach == NEAR ? group->index / 2 : group->index - half_of(group) * half_count(group, 0);
}
static uint32_t rank_at(const struct group *group, uint32_t half, uint32_t position) {
  const uint32_t index = group->reach == NEAR ? 2 * position + half : half * half_count(group, 0) + position;
  return group->base + index * group->stride;
}

// The cut of a group of two ranks or more.
static struct cut cut_group(const struct group *group) {
  const uint32_t half = half_of(group), other = 1 - half, position = position_in_half(group);
  const uint32_t lower = half_count(group, 0), upper = half_count(group, 1);
  const bool partnered = position < upper;
  struct cut cut = {
      .keep = {.place = group->first + half * lower, .count = half_count(group, half)},
      .give = {.place = group->first + other * lower, .count = half_count(group, other)},
      .to = rank_at(group, other, partnered ? position : upper - 1),
  };
  if (partnered) {
    cut.from[cut.from_count++] = cut.to;
  }
  if (half == 1 && position == upper - 1 && lower > upper) {
    cut.from[cut.from_count++] = rank_at(group, 0, upper);
  }
  return cut;
}

static struct group enter_half(const struct group *group) {
  const uint32_t half = half_of(group);
  return (struct group){
      .reach = group->reach,
      .base = rank_at(group, half, 0),
      .stride = group->reach == NEAR ? 2 * group->stride : group->stride,
      .count = half_count(group, half),
      .first = group->first + half * half_count(group, 0),
      .index = position_in_half(group),
  };
}

// Cut `level` of the group that `rank` is in by then. False: it is alone.
static bool find_cut(uint32_t n, enum reach reach, uint32_t rank, uint32_t level, struct cut *cut) {
  struct group group = {.reach = reach, .stride = 1, .count = n, .index = rank};
  bool summed = false;
  for (uint32_t l = 0; group.count > 1; l++) {
    *cut = cut_group(&group);
    cut->summed = summed;
    if (l == level) {
      return true;
    }
    summed |= cut->from_count > 0;
    group = enter_half(&group);
  }
  return false;
}

static struct rs_slice in_buffer(enum rs_buffer_id buffer, const struct rs_slice *run) {
  return (struct rs_slice){buffer, run->place, run->count};
}

// The steps of a cut when reducing. Partial sums lie in `sums`; a block that is complete lies in the output.
static uint32_t halve(uint32_t n, enum reach reach, uint32_t rank, uint32_t level, enum rs_buffer_id sums,
                      struct rs_step *steps) {
  struct cut cut;
  if (!find_cut(n, reach, rank, level, &cut)) {
    return 0;
  }
  const bool last = cut.keep.count == 1;
  const enum rs_buffer_id held = cut.summed ? sums : RS_BUFFER_INPUT;
  const struct rs_slice target = in_buffer(last ? RS_BUFFER_OUTPUT : sums, &cut.keep);
  steps[0] = (struct rs_step){.kind = RS_STEP_SEND, .peer = cut.to, .source = in_buffer(held, &cut.give)};
  for (uint32_t i = 0; i < cut.from_count; i++) {
    steps[1 + i] = (struct rs_step){.kind = RS_STEP_RECV_REDUCE,
                                    .peer = cut.from[i],
                                    .source = i == 0 ? in_buffer(held, &cut.keep) : target,
                                    .target = target,
                                    .final = last && i + 1 == cut.from_count};
  }
  return 1 + cut.from_count;
}

// The steps of a cut when gathering: whoever gave us a run is given ours.
static uint32_t join(uint32_t n, enum reach reach, uint32_t rank, uint32_t level, struct rs_step *steps) {
  struct cut cut;
  if (!find_cut(n, reach, rank, level, &cut)) {
    return 0;
  }
  steps[0] = (struct rs_step){.kind = RS_STEP_RECV, .peer = cut.to, .target = in_buffer(RS_BUFFER_OUTPUT, &cut.give)};
  for (uint32_t i = 0; i < cut.from_count; i++) {
    steps[1 + i] =
        (struct rs_step){.kind = RS_STEP_SEND, .peer = cut.from[i], .source = in_buffer(RS_BUFFER_OUTPUT, &cut.keep)};
  }
  return 1 + cut.from_count;
}

// Every cut gives away what is not kept, until one block is left.
static uint64_t halving_sent(uint32_t n) {
  return n - 1;
}

static uint64_t doubling_sent(uint32_t n, enum reach reach, uint32_t rank) {
  uint64_t sent = 0;
  struct cut cut;
  for (uint32_t level = 0; find_cut(n, reach, rank, level, &cut); level++) {
    sent += (uint64_t)cut.keep.count * cut.from_count;
  }
  return sent;
}

static uint32_t block_parts(const struct rs_schedule_params *params) {
  return params->rank_count;
}

// ---- reduce-scatter ---------------------------------------------------------------------------------------

// Scratch place p holds part p: a run of partial sums lies there as it does in the input.
static uint32_t scatter_scratch_places(const struct rs_schedule_params *params) {
  return params->rank_count;
}

static uint32_t scatter_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : rs_log2_up(params->rank_count);
}

static uint32_t scatter_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                              struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  return params->rank_count == 1 ? rs_step_keep_input(steps)
                                 : halve(params->rank_count, FAR, rank, k, RS_BUFFER_SCRATCH, steps);
}

static uint64_t scatter_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  (void)rank;
  return halving_sent(params->rank_count);
}

const struct rs_algorithm rs_halving_reduce_scatter = {
    .name = "halving",
    .collective = RS_REDUCE_SCATTER,
    .summary = "recursive halving: least bytes per rank in log2 n rounds, longest messages first and farthest",
    .source = "Rabenseifner 2004, doi:10.1007/978-3-540-24685-5_1",
    .cost = "ceil(log2 n) a + (n-1)/n S b + (n-1)/n S g; n no power of two: less than 2 S b + 2 S g",
    .parts = block_parts,
    .scratch_places = scatter_scratch_places,
    .rounds = scatter_rounds,
    .round = scatter_round,
    .sent_parts = scatter_sent_parts,
};

// ---- allgather --------------------------------------------------------------------------------------------

static uint32_t gather_rounds(const struct rs_schedule_params *params) {
  return 1 + rs_log2_up(params->rank_count);
}

static uint32_t gather_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  if (k > 0) {
    return join(params->rank_count, FAR, rank, rs_log2_up(params->rank_count) - k, steps);
  }
  steps[0] = (struct rs_step){
      .kind = RS_STEP_COPY, .source = {RS_BUFFER_INPUT, rank, 1}, .target = {RS_BUFFER_OUTPUT, rank, 1}};
  return 1;
}

static uint64_t gather_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return doubling_sent(params->rank_count, FAR, rank);
}

const struct rs_algorithm rs_doubling_allgather = {
    .name = "doubling",
    .collective = RS_ALLGATHER,
    .summary = "recursive doubling: least bytes per rank in log2 n rounds, longest messages last and farthest",
    .source = "Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521",
    .cost = "ceil(log2 n) a + (n-1)/n S b; n no power of two: less than 2 S b",
    .parts = block_parts,
    .rounds = gather_rounds,
    .round = gather_round,
    .sent_parts = gather_sent_parts,
};

// ---- allreduce --------------------------------------------------------------------------------------------

static uint32_t reduce_rounds(const struct rs_schedule_params *params) {
  return params->rank_count == 1 ? 1 : 2 * rs_log2_up(params->rank_count);
}

static uint32_t reduce_round(const struct rs_schedule_params *params, uint32_t rank, uint32_t k,
                             struct rs_step steps[RS_ROUND_STEPS_MAX]) {
  const uint32_t n = params->rank_count, levels = rs_log2_up(n);
  if (n == 1) {
    return rs_step_keep_input(steps);
  }
  return k < levels ? halve(n, NEAR, rank, k, RS_BUFFER_OUTPUT, steps) : join(n, NEAR, rank, 2 * levels - 1 - k, steps);
}

static uint64_t reduce_sent_parts(const struct rs_schedule_params *params, uint32_t rank) {
  return halving_sent(params->rank_count) + doubling_sent(params->rank_count, NEAR, rank);
}

const struct rs_algorithm rs_halving_doubling_allreduce = {
    .name = "halving-doubling",
    .collective = RS_ALLREDUCE,
    .summary = "recursive halving, then recursive doubling: least bytes per rank in 2 log2 n rounds",
    .source = "Rabenseifner 2004, doi:10.1007/978-3-540-24685-5_1",
    .cost = "2 ceil(log2 n) a + 2(n-1)/n S b + (n-1)/n S g; n no power of two: less than 4 S b + 2 S g",
    .parts = block_parts,
    .rounds = reduce_rounds,
    .round = reduce_round,
    .sent_parts = reduce_sent_parts,
};
