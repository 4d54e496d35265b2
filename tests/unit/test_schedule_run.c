// An independent reader of schedules: executes them on integers, all ranks in one thread, and checks every place of
// every buffer. It proves with data what the verifier proves with sets, and that the (round, chunk) pairs of a rank may
// be run in any order that keeps the round rising for each chunk: every run takes another such order, drawn from a
// printed seed.
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

// One run: what is run, on which cut, and the seed of its order.
struct run {
  const struct rs_algorithm *algorithm;
  uint32_t ranks, variant;
  uint64_t elements;
  bool uneven; // parts of random lengths, some of them empty, about `elements` in all
  uint64_t chunk_bytes;
  bool in_place;
  uint64_t seed;
  // NULL: sums. Else an operation whose results tell the order of operands, but not left from right: {element of the
  // whole} the result that all ranks and all runs before had; 0: none yet.
  uint64_t *agreed;
};

struct message {
  bool posted, eager;
  uint64_t *payload; // eager only
};
// Where one rank is with one chunk.
struct cursor {
  uint32_t round;
  uint32_t done; // a bit per step of the round
};
// One buffer of one rank. Place p lies at starts[p] .. starts[p + 1].
struct memory {
  uint64_t *values, *starts;
  uint32_t places;
};
struct machine {
  const struct run *run;
  struct rs_schedule_params params;
  uint32_t array[RANKS_MAX];
  char description[RS_VARIANT_BYTES];
  uint64_t *bounds; // of uneven parts
  struct rs_partition partition;
  uint32_t rounds;
  struct rs_random random;
  struct memory memory[RANKS_MAX][RS_BUFFER_ID_COUNT]; // in place input and output are the same
  struct cursor *cursors;                              // [chunk][rank]
  struct message *messages;                            // [chunk][rank][round][step] of the sender
};

static void *allocate(size_t count, size_t bytes) {
  void *memory = calloc(count + 1, bytes);
  assert_non_null(memory);
  return memory;
}

// ---- data -------------------------------------------------------------------------------------------------

static uint32_t part_of(const struct machine *m, uint32_t rank, enum rs_buffer_id buffer, uint32_t place) {
  return rs_place_part(m->run->algorithm, &m->params, rank, buffer, place);
}

// What a rank's input says of element `e` of a part.
static uint64_t contribution(const struct machine *m, uint32_t rank, uint32_t part, uint64_t e) {
  return rs_hash64(rank * UINT64_C(1000003) + rs_partition_parts(&m->partition, part, 1).first + e);
}

// What lies in a place before the run: contributions where the caller gives them, garbage everywhere else.
static uint64_t initial(const struct machine *m, uint32_t rank, enum rs_buffer_id buffer, uint32_t place, uint64_t e) {
  const bool is_input = buffer == RS_BUFFER_INPUT || (buffer == RS_BUFFER_OUTPUT && m->run->in_place);
  if (is_input && rs_input_given(&m->params, rank, place)) {
    return contribution(m, rank, place, e);
  }
  return rs_hash64(((uint64_t)rank << 48) + ((uint64_t)buffer << 44) + ((uint64_t)place << 32) + e);
}

static uint64_t combine(const struct machine *m, uint64_t a, uint64_t b) {
  return m->run->agreed ? rs_hash64(a + b) : a + b;
}

// The element that `place` of the output must have at the end.
static uint64_t expected(const struct machine *m, uint32_t rank, uint32_t place, uint64_t e) {
  const uint32_t source = rs_output_source(&m->params, rank, place);
  const uint32_t part = rs_output_part(&m->params, rank, place);
  if (source == RS_NOBODY) {
    return initial(m, rank, RS_BUFFER_OUTPUT, place, e);
  }
  if (source != RS_EVERYONE) {
    return contribution(m, source, part, e);
  }
  if (m->run->agreed) {
    uint64_t *agreed = &m->run->agreed[rs_partition_parts(&m->partition, part, 1).first + e];
    const struct memory *output = &m->memory[rank][RS_BUFFER_OUTPUT];
    *agreed = *agreed ? *agreed : output->values[output->starts[place] + e];
    return *agreed;
  }
  uint64_t sum = 0;
  for (uint32_t other = 0; other < m->run->ranks; other++) {
    sum += contribution(m, other, part, e);
  }
  return sum * (m->run->ranks > 1 ? FINISHED : 1);
}

// The elements of place `index` of a slice that lie in `chunk`.
static uint64_t *elements_at(const struct machine *m, uint32_t rank, const struct rs_slice *slice, uint32_t index,
                             uint32_t chunk, uint64_t *count) {
  const struct memory *memory = &m->memory[rank][slice->buffer];
  const uint32_t place = slice->place + index;
  assert_true(place < memory->places);
  const uint64_t length = memory->starts[place + 1] - memory->starts[place];
  const struct rs_extent extent = rs_partition_cut(&m->partition, length, chunk);
  *count = extent.count;
  return memory->values + memory->starts[place] + extent.first;
}

static uint64_t slice_length(const struct machine *m, uint32_t rank, const struct rs_slice *slice, uint32_t chunk) {
  uint64_t total = 0, count;
  for (uint32_t i = 0; i < slice->count; i++) {
    elements_at(m, rank, slice, i, chunk, &count);
    total += count;
  }
  return total;
}

// Copies a slice's chunk out of the memory of a rank, place after place.
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
    uint64_t count, base_count;
    uint64_t *to = elements_at(m, rank, &step->target, i, chunk, &count);
    const uint64_t *from = base ? elements_at(m, rank, base, i, chunk, &base_count) : NULL;
    assert_true(!base || base_count == count);
    for (uint64_t e = 0; e < count; e++) {
      to[e] = (from ? combine(m, values[e], from[e]) : values[e]) * (step->final ? FINISHED : 1);
    }
    values += count;
  }
}

// ---- steps ------------------------------------------------------------------------------------------------

static struct cursor *cursor_at(const struct machine *m, uint32_t rank, uint32_t chunk) {
  return &m->cursors[(size_t)chunk * m->run->ranks + rank];
}
static struct message *message_at(const struct machine *m, uint32_t rank, uint32_t chunk, uint32_t round,
                                  uint32_t step) {
  return &m->messages[(((size_t)chunk * m->run->ranks + rank) * m->rounds + round) * RS_ROUND_STEPS_MAX + step];
}

static uint32_t steps_of(const struct machine *m, uint32_t rank, uint32_t round, struct rs_step *steps) {
  return m->run->algorithm->round(&m->params, rank, round, steps);
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
    message->payload = allocate(slice_length(m, rank, &step->source, chunk), sizeof(uint64_t));
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
  const uint64_t length = slice_length(m, rank, &step->target, chunk);
  assert_int_equal(length, slice_length(m, step->peer, &send.source, chunk));
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
  uint64_t *values = allocate(slice_length(m, rank, &step->source, chunk), sizeof *values);
  gather(m, rank, &step->source, chunk, values);
  scatter(m, rank, step, step->kind == RS_STEP_REDUCE ? &step->target : NULL, chunk, values);
  free(values);
  return true;
}

// ---- a run ------------------------------------------------------------------------------------------------

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
    for (uint32_t rank = 0; rank < m->run->ranks; rank++) {
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
  const uint64_t pairs = (uint64_t)m->partition.chunks * m->run->ranks, temper = rs_random_below(&m->random, 3);
  bool progress = true;
  while (progress) {
    const uint64_t start =
        temper == 0 ? rs_random_below(&m->random, pairs) : rs_random_below(&m->random, m->run->ranks);
    progress = false;
    for (uint64_t i = 0; i < pairs && !progress; i++) {
      const uint64_t pair = (start + i) % pairs, at = temper == 2 ? pairs - 1 - pair : pair;
      progress = advance(m, (uint32_t)(at % m->run->ranks), (uint32_t)(at / m->run->ranks));
    }
  }
  return all_done(m);
}

static void open_memory(struct machine *m, uint32_t rank, enum rs_buffer_id buffer, uint32_t places) {
  struct memory *memory = &m->memory[rank][buffer];
  memory->places = places;
  memory->starts = allocate((size_t)places + 1, sizeof *memory->starts);
  for (uint32_t place = 0; place < places; place++) {
    const uint32_t part = part_of(m, rank, buffer, place);
    memory->starts[place + 1] = memory->starts[place] + rs_partition_parts(&m->partition, part, 1).count;
  }
  memory->values = allocate(memory->starts[places], sizeof *memory->values);
  for (uint32_t place = 0; place < places; place++) {
    for (uint64_t e = memory->starts[place]; e < memory->starts[place + 1]; e++) {
      memory->values[e] = initial(m, rank, buffer, place, e - memory->starts[place]);
    }
  }
}

static void open_machine(struct machine *m, const struct run *run) {
  const struct rs_algorithm *algorithm = run->algorithm;
  *m = (struct machine){.run = run, .random = {run->seed}};
  m->params = rs_variant(algorithm, run->ranks, run->variant, m->array, m->description);
  const uint32_t parts = algorithm->parts(&m->params);
  m->bounds = allocate((size_t)parts + 1, sizeof *m->bounds);
  for (uint32_t part = 0; part < parts; part++) {
    const uint64_t most = rs_random_below(&m->random, 3) > 0 ? 2 * run->elements / parts + 2 : 1;
    m->bounds[part + 1] = m->bounds[part] + rs_random_below(&m->random, most);
  }
  m->partition = run->uneven ? rs_partition_make_uneven(m->bounds, sizeof(uint64_t), parts, run->chunk_bytes)
                             : rs_partition_make(run->elements, sizeof(uint64_t), parts, run->chunk_bytes);
  m->rounds = algorithm->rounds(&m->params);
  for (uint32_t rank = 0; rank < run->ranks; rank++) {
    open_memory(m, rank, RS_BUFFER_OUTPUT, parts);
    open_memory(m, rank, RS_BUFFER_SCRATCH, algorithm->scratch_places ? algorithm->scratch_places(&m->params) : 0);
    if (run->in_place) {
      m->memory[rank][RS_BUFFER_INPUT] = m->memory[rank][RS_BUFFER_OUTPUT];
    } else {
      open_memory(m, rank, RS_BUFFER_INPUT, parts);
    }
  }
  m->cursors = allocate((size_t)m->partition.chunks * run->ranks, sizeof *m->cursors);
  m->messages =
      allocate((size_t)m->partition.chunks * run->ranks * m->rounds * RS_ROUND_STEPS_MAX, sizeof *m->messages);
}

static void close_machine(struct machine *m) {
  for (uint32_t rank = 0; rank < m->run->ranks; rank++) {
    for (enum rs_buffer_id buffer = m->run->in_place ? RS_BUFFER_OUTPUT : 0; buffer < RS_BUFFER_ID_COUNT; buffer++) {
      free(m->memory[rank][buffer].values);
      free(m->memory[rank][buffer].starts);
    }
  }
  free(m->messages);
  free(m->cursors);
  free(m->bounds);
}

// True if every element of an input or output is what it must be; else `wrong` says which is not.
static bool check_memory(const struct machine *m, uint32_t rank, enum rs_buffer_id buffer, char wrong[80]) {
  const struct memory *memory = &m->memory[rank][buffer];
  for (uint32_t place = 0; place < memory->places; place++) {
    for (uint64_t e = memory->starts[place]; e < memory->starts[place + 1]; e++) {
      const uint64_t within = e - memory->starts[place];
      const uint64_t value =
          buffer == RS_BUFFER_OUTPUT ? expected(m, rank, place, within) : initial(m, rank, buffer, place, within);
      if (memory->values[e] != value) {
        snprintf(wrong, 80, "%s[%u] of rank %u is wrong at element %" PRIu64,
                 buffer == RS_BUFFER_OUTPUT ? "output" : "input", place, rank, within);
        return false;
      }
    }
  }
  return true;
}

static void check_run(const struct run *run) {
  struct machine m;
  char wrong[80] = "no rank can go on";
  open_machine(&m, run);
  bool right = run_machine(&m);
  for (uint32_t rank = 0; right && rank < run->ranks; rank++) {
    right = check_memory(&m, rank, RS_BUFFER_OUTPUT, wrong) &&
            (run->in_place || check_memory(&m, rank, RS_BUFFER_INPUT, wrong));
  }
  if (!right) {
    fail_msg("%s %s on %u ranks%s, %" PRIu64 " elements%s, chunks of %" PRIu64 " bytes, %s, seed %" PRIu64 ": %s",
             run->algorithm->name, rs_collective_names[run->algorithm->collective], run->ranks, m.description,
             run->elements, run->uneven ? " or so in uneven parts" : "", run->chunk_bytes,
             run->in_place ? "in place" : "out of place", run->seed, wrong);
  }
  close_machine(&m);
}

// ---- tests ------------------------------------------------------------------------------------------------

static const uint64_t chunk_sizes[] = {0, 64, 200, 1024};

// Chunks, whether in place, and whether the parts are uneven, drawn from the run's seed.
static struct run draw(const struct rs_algorithm *algorithm, uint32_t ranks, uint32_t variant, uint64_t elements,
                       uint64_t seed) {
  struct rs_random random = {~seed};
  return (struct run){
      .algorithm = algorithm,
      .ranks = ranks,
      .variant = variant,
      .elements = elements,
      .uneven = rs_random_below(&random, 3) == 0,
      .chunk_bytes = chunk_sizes[rs_random_below(&random, RS_ARRAY_LENGTH(chunk_sizes))],
      .in_place = rs_collective_traits[algorithm->collective].in_place && rs_random_below(&random, 2) == 0,
      .seed = seed,
  };
}

// Every variant up to 9 ranks, some of them up to 17, with counts around the number of ranks.
static void test_any_legal_order(void **state) {
  (void)state;
  uint64_t seed = 0;
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    for (uint32_t n = 1; n <= RANKS_MAX; n++) {
      const uint64_t counts[] = {0, 1, n - 1, n, n + 1, 150, 1000};
      const uint32_t variants = rs_variant_count(rs_algorithms[a], n), stride = n <= 9 ? 1 : 1 + variants / 3;
      for (uint32_t variant = (uint32_t)(seed % stride); variant < variants; variant += stride) {
        for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++) {
          const struct run run = draw(rs_algorithms[a], n, variant, counts[c], ++seed);
          check_run(&run);
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
      const uint32_t n = 3 + (uint32_t)(seed % 4), variants = rs_variant_count(rs_algorithms[a], n);
      struct run run = draw(rs_algorithms[a], n, (uint32_t)(seed / 4 % variants), 150, seed);
      run.chunk_bytes = 64;
      check_run(&run);
    }
  }
}

// A sum has one order of operands, so that one algorithm gives the same bits on every rank, whatever the timing, the
// chunks, and whether in place.
static void test_order_of_operands(void **state) {
  (void)state;
  uint64_t seed = 2000000;
  for (size_t a = 0; a < rs_algorithm_count; a++) {
    for (uint32_t n = 1; n <= RANKS_MAX && rs_collective_traits[rs_algorithms[a]->collective].reduces; n++) {
      const uint32_t variants = rs_variant_count(rs_algorithms[a], n), stride = 1 + variants / 6;
      for (uint32_t variant = 0; variant < variants; variant += stride) {
        uint64_t agreed[300] = {0};
        for (uint32_t i = 0; i < 6; i++) {
          struct run run = draw(rs_algorithms[a], n, variant, RS_ARRAY_LENGTH(agreed), ++seed);
          run.agreed = agreed;
          run.uneven = false;
          check_run(&run);
        }
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_legal_order),
      cmocka_unit_test(test_many_orders),
      cmocka_unit_test(test_order_of_operands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
