// An independent reader of schedules: executes them on integers, all ranks in one thread, and checks the sums. It
// proves with data what the verifier proves with sets, and that the (round, chunk) pairs of a rank may be run in any
// order that keeps the round rising for each chunk: every run takes another such order, drawn from a printed seed.
//
// A message is either eager (copied when its send is posted) or a rendezvous (copied out of the sender's live memory
// when its receive is run, and the sender's round is not done before), by the toss of a coin.
#include "ringside/collective.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANKS_MAX 17
#define FINISHED 3 // what a `final` step multiplies by, so that a missing or doubled one shows

struct message {
  bool posted, eager;
  uint64_t *payload; // eager only
};
// Where one rank is with one chunk.
struct cursor {
  uint32_t round;
  uint32_t done; // a bit per step of the round
};
struct machine {
  const struct rs_algorithm *algorithm;
  struct rs_schedule_params params;
  struct rs_partition partition;
  uint32_t ranks, rounds, scratch_copies;
  bool in_place;
  struct rs_random random;
  uint64_t *memory[RS_BUFFER_ID_COUNT]; // rank after rank; in place input and output are the same
  struct cursor *cursors;               // [chunk][rank]
  struct message *messages;             // [chunk][rank][round][step] of the sender
};

static uint64_t contribution(uint32_t rank, uint64_t element) {
  return rs_hash64(rank * UINT64_C(1000003) + element);
}

static void *allocate(size_t count, size_t bytes) {
  void *memory = calloc(count + 1, bytes);
  assert_non_null(memory);
  return memory;
}

static struct cursor *cursor_at(const struct machine *m, uint32_t rank, uint32_t chunk) {
  return &m->cursors[(size_t)chunk * m->ranks + rank];
}
static struct message *message_at(const struct machine *m, uint32_t rank, uint32_t chunk, uint32_t round,
                                  uint32_t step) {
  return &m->messages[(((size_t)chunk * m->ranks + rank) * m->rounds + round) * RS_ROUND_STEPS_MAX + step];
}

// The elements of part `index` of a slice that lie in `chunk`.
static uint64_t *elements_at(const struct machine *m, uint32_t rank, const struct rs_slice *slice, uint32_t index,
                             uint32_t chunk, uint64_t *count) {
  const uint32_t parts = m->partition.parts, part = slice->place + index;
  const size_t copies = slice->buffer == RS_BUFFER_SCRATCH ? m->scratch_copies : 1;
  const struct rs_extent extent = rs_partition_chunk(&m->partition, part % parts, chunk);
  *count = extent.count;
  return m->memory[slice->buffer] + (rank * copies + part / parts) * m->partition.elements + extent.first;
}

static uint64_t slice_length(const struct machine *m, const struct rs_slice *slice, uint32_t chunk) {
  uint64_t total = 0, count;
  for (uint32_t i = 0; i < slice->count; i++) {
    elements_at(m, 0, slice, i, chunk, &count);
    total += count;
  }
  return total;
}

// Copies a slice's chunk out of the memory of a rank, part after part.
static void gather(const struct machine *m, uint32_t rank, const struct rs_slice *slice, uint32_t chunk,
                   uint64_t *values) {
  for (uint32_t i = 0; i < slice->count; i++) {
    uint64_t count;
    const uint64_t *from = elements_at(m, rank, slice, i, chunk, &count);
    memcpy(values, from, count * sizeof *values);
    values += count;
  }
}

// target = base (+) values, or target = values where base is NULL.
static void scatter(const struct machine *m, uint32_t rank, const struct rs_step *step, const struct rs_slice *base,
                    uint32_t chunk, const uint64_t *values) {
  for (uint32_t i = 0; i < step->target.count; i++) {
    uint64_t count, unused;
    uint64_t *to = elements_at(m, rank, &step->target, i, chunk, &count);
    const uint64_t *from = base ? elements_at(m, rank, base, i, chunk, &unused) : NULL;
    for (uint64_t e = 0; e < count; e++) {
      to[e] = (values[e] + (from ? from[e] : 0)) * (step->final ? FINISHED : 1);
    }
    values += count;
  }
}

static uint32_t steps_of(const struct machine *m, uint32_t rank, uint32_t round, struct rs_step *steps) {
  return m->algorithm->round(&m->params, rank, round, steps);
}

// The index of the peer's send that this receive meets.
static uint32_t send_met(const struct machine *m, uint32_t rank, uint32_t round, uint32_t index,
                         const struct rs_step *steps, struct rs_step *send) {
  struct rs_step theirs[RS_ROUND_STEPS_MAX];
  const uint32_t count = steps_of(m, steps[index].peer, round, theirs);
  uint32_t ordinal = 0;
  for (uint32_t i = 0; i < index; i++) {
    ordinal +=
        steps[i].peer == steps[index].peer && (steps[i].kind == RS_STEP_RECV || steps[i].kind == RS_STEP_RECV_REDUCE);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (theirs[i].kind == RS_STEP_SEND && theirs[i].peer == rank && ordinal-- == 0) {
      *send = theirs[i];
      return i;
    }
  }
  fail_msg("rank %u, round %u, step %u meets no send", rank, round, index);
  return 0;
}

static bool try_send(struct machine *m, uint32_t rank, uint32_t chunk, const struct rs_step *step, uint32_t index) {
  struct cursor *cursor = cursor_at(m, rank, chunk);
  struct message *message = message_at(m, rank, chunk, cursor->round, index);
  if (message->posted) {
    return false; // a rendezvous that waits for its receiver
  }
  message->posted = true;
  message->eager = rs_random_below(&m->random, 2) == 0;
  if (message->eager) {
    message->payload = allocate(slice_length(m, &step->source, chunk), sizeof(uint64_t));
    gather(m, rank, &step->source, chunk, message->payload);
    cursor->done |= UINT32_C(1) << index;
  }
  return true;
}

// Takes the message if it was posted.
static bool try_receive(struct machine *m, uint32_t rank, uint32_t chunk, const struct rs_step *steps, uint32_t index) {
  const struct rs_step *step = &steps[index];
  const struct cursor *mine = cursor_at(m, rank, chunk);
  struct rs_step send = {0};
  const uint32_t sent = send_met(m, rank, mine->round, index, steps, &send);
  struct message *message = message_at(m, step->peer, chunk, mine->round, sent);
  for (uint32_t i = 0; i < index; i++) { // RECV_REDUCEs into one slice keep their order
    if (steps[i].kind == RS_STEP_RECV_REDUCE && step->kind == RS_STEP_RECV_REDUCE &&
        memcmp(&steps[i].target, &step->target, sizeof step->target) == 0 && !(mine->done >> i & 1)) {
      return false;
    }
  }
  if (!message->posted) {
    return false;
  }
  const uint64_t length = slice_length(m, &step->target, chunk);
  assert_int_equal(length, slice_length(m, &send.source, chunk));
  uint64_t *values = message->eager ? message->payload : allocate(length, sizeof *values);
  if (!message->eager) {
    gather(m, step->peer, &send.source, chunk, values);
    cursor_at(m, step->peer, chunk)->done |= UINT32_C(1) << sent;
  }
  scatter(m, rank, step, step->kind == RS_STEP_RECV_REDUCE ? &step->source : NULL, chunk, values);
  free(values);
  *message = (struct message){0};
  return true;
}

static bool do_local(const struct machine *m, uint32_t rank, uint32_t chunk, const struct rs_step *step) {
  uint64_t *values = allocate(slice_length(m, &step->source, chunk), sizeof *values);
  gather(m, rank, &step->source, chunk, values);
  scatter(m, rank, step, step->kind == RS_STEP_REDUCE ? &step->target : NULL, chunk, values);
  free(values);
  return true;
}

static void enter_next_round(const struct machine *m, uint32_t rank, uint32_t chunk) {
  struct cursor *cursor = cursor_at(m, rank, chunk);
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  while (cursor->round < m->rounds && cursor->done == (UINT32_C(1) << steps_of(m, rank, cursor->round, steps)) - 1) {
    cursor->round++;
    cursor->done = 0;
  }
}

// Tries the steps of one rank's present round for one chunk, from a random one on; true if one was done or posted.
static bool advance(struct machine *m, uint32_t rank, uint32_t chunk) {
  struct cursor *cursor = cursor_at(m, rank, chunk);
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  enter_next_round(m, rank, chunk);
  if (cursor->round == m->rounds) {
    return false;
  }
  const uint32_t count = steps_of(m, rank, cursor->round, steps);
  const uint32_t start = (uint32_t)rs_random_below(&m->random, count);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t index = (start + i) % count;
    const struct rs_step *step = &steps[index];
    if (cursor->done >> index & 1) {
      continue;
    }
    if (step->kind == RS_STEP_SEND) {
      if (try_send(m, rank, chunk, step, index)) {
        return true;
      }
    } else if (step->kind == RS_STEP_RECV || step->kind == RS_STEP_RECV_REDUCE
                   ? try_receive(m, rank, chunk, steps, index)
                   : do_local(m, rank, chunk, step)) {
      cursor->done |= UINT32_C(1) << index;
      return true;
    }
  }
  return false;
}

static bool all_done(const struct machine *m) {
  for (uint32_t chunk = 0; chunk < m->partition.chunks; chunk++) {
    for (uint32_t rank = 0; rank < m->ranks; rank++) {
      enter_next_round(m, rank, chunk);
      if (cursor_at(m, rank, chunk)->round < m->rounds) {
        return false;
      }
    }
  }
  return true;
}

// Runs to the end; false on a deadlock. Three tempers of scheduling: any pair, early chunks first, late chunks first.
static bool run_machine(struct machine *m) {
  const uint64_t pairs = (uint64_t)m->partition.chunks * m->ranks, temper = rs_random_below(&m->random, 3);
  bool progress = true;
  while (progress) {
    const uint64_t start = temper == 0 ? rs_random_below(&m->random, pairs) : rs_random_below(&m->random, m->ranks);
    progress = false;
    for (uint64_t i = 0; i < pairs && !progress; i++) {
      const uint64_t pair = (start + i) % pairs, at = temper == 2 ? pairs - 1 - pair : pair;
      progress = advance(m, (uint32_t)(at % m->ranks), (uint32_t)(at / m->ranks));
    }
  }
  return all_done(m);
}

// The first element that is not the sum of all contributions, or `none`; out of place the inputs must be as they were.
static uint64_t first_wrong(const struct machine *m, uint64_t none) {
  const uint64_t elements = m->partition.elements;
  for (uint64_t e = 0; e < elements; e++) {
    uint64_t sum = 0;
    for (uint32_t rank = 0; rank < m->ranks; rank++) {
      sum += contribution(rank, e);
    }
    for (uint32_t rank = 0; rank < m->ranks; rank++) {
      const bool input_kept = m->in_place || m->memory[RS_BUFFER_INPUT][rank * elements + e] == contribution(rank, e);
      if (!input_kept || m->memory[RS_BUFFER_OUTPUT][rank * elements + e] != sum * (m->ranks > 1 ? FINISHED : 1)) {
        return e;
      }
    }
  }
  return none;
}

static void check_run(const struct rs_algorithm *algorithm, uint32_t ranks, uint64_t elements, uint64_t chunk_bytes,
                      bool in_place, uint64_t seed) {
  struct machine m = {.algorithm = algorithm, .ranks = ranks, .in_place = in_place, .random = {seed}};
  m.params = (struct rs_schedule_params){.collective = algorithm->collective, .rank_count = ranks};
  m.partition = rs_partition_make(elements, sizeof(uint64_t), algorithm->parts(&m.params), chunk_bytes);
  m.rounds = algorithm->rounds(&m.params);
  m.scratch_copies = algorithm->scratch_places ? algorithm->scratch_places(&m.params) / m.partition.parts : 0;
  m.memory[RS_BUFFER_OUTPUT] = allocate(ranks * elements, sizeof(uint64_t));
  m.memory[RS_BUFFER_INPUT] = in_place ? m.memory[RS_BUFFER_OUTPUT] : allocate(ranks * elements, sizeof(uint64_t));
  m.memory[RS_BUFFER_SCRATCH] = allocate((size_t)ranks * m.scratch_copies * elements, sizeof(uint64_t));
  m.cursors = allocate((size_t)m.partition.chunks * ranks, sizeof *m.cursors);
  m.messages = allocate((size_t)m.partition.chunks * ranks * m.rounds * RS_ROUND_STEPS_MAX, sizeof *m.messages);
  memset(m.memory[RS_BUFFER_OUTPUT], 0x77, ranks * elements * sizeof(uint64_t));
  for (uint32_t rank = 0; rank < ranks; rank++) {
    for (uint64_t e = 0; e < elements; e++) {
      m.memory[RS_BUFFER_INPUT][rank * elements + e] = contribution(rank, e);
    }
  }

  const bool ended = run_machine(&m);
  const uint64_t wrong = first_wrong(&m, elements);
  if (!ended || wrong != elements) {
    fail_msg("%s on %u ranks, %" PRIu64 " elements, chunks of %" PRIu64 " bytes, %s, seed %" PRIu64
             ": %s (element %" PRIu64 ")",
             algorithm->name, ranks, elements, chunk_bytes, in_place ? "in place" : "out of place", seed,
             ended ? "wrong result" : "no rank can go on", wrong);
  }
  free(m.messages);
  free(m.cursors);
  free(m.memory[RS_BUFFER_SCRATCH]);
  free(in_place ? NULL : m.memory[RS_BUFFER_INPUT]);
  free(m.memory[RS_BUFFER_OUTPUT]);
}

static void test_sums_in_any_legal_order(void **state) {
  (void)state;
  static const uint64_t chunk_bytes[] = {0, 64, 200, 1024};
  uint64_t seed = 0;
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    for (uint32_t n = 1; n <= RANKS_MAX; n++) {
      const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 1000};
      for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
        for (size_t b = 0; b < RS_ARRAY_LENGTH(chunk_bytes); b++) {
          check_run(rs_algorithms[a], n, counts[c], chunk_bytes[b], false, ++seed);
          check_run(rs_algorithms[a], n, counts[c], chunk_bytes[b], true, ++seed);
        }
      }
    }
  }
}

// Where chunks and ranks are many enough for orders to matter, more of them.
static void test_many_orders(void **state) {
  (void)state;
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    for (uint64_t seed = 1000000; seed < 1000100; seed++) {
      check_run(rs_algorithms[a], 3 + (uint32_t)(seed % 4), 150, 64, seed % 2 == 0, seed);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums_in_any_legal_order),
                                     cmocka_unit_test(test_many_orders)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
