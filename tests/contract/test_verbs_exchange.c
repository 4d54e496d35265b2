// The exchange before there are queue pairs: every rank gets what each peer meant for it, in as many rounds as are
// wanted, and a silent, a dead and a foreign peer are named.
#include "support/contract_cmocka.h"

#if RS_HAVE_VERBS
#include "transport/verbs_exchange.h"

#define RANKS 5
#define BYTES 3000
// Long enough that on a busy machine nobody else is taken for silent.
#define SILENT_NS INT64_C(2000000000)
#define TIMEOUT_NS INT64_C(10000000000)

struct meeting {
  struct rs_verbs_exchange *exchanges[RANKS];
  uint8_t addresses[RANKS * RS_ADDRESS_BYTES_MAX];
  uint8_t mine[RANKS][RANKS * BYTES], theirs[RANKS][RANKS * BYTES];
  bool peers[RANKS][RANKS];
};

static void open_meeting(struct meeting *meeting, int64_t timeout_ns) {
  const struct rs_verbs_exchange_options options = {.interface = {"auto"}};
  struct rs_transport_params params = {.rank_count = RANKS, .lanes = 3, .one_host = true, .timeout_ns = timeout_ns};
  struct rs_error error = {0};
  *meeting = (struct meeting){0};
  assert_rs_ok(rs_random_bytes(params.token, sizeof params.token, &error), &error);
  for (params.rank = 0; params.rank < RANKS; params.rank++) {
    assert_rs_ok(rs_verbs_exchange_open("test", &params, &options, &meeting->exchanges[params.rank], &error), &error);
    rs_verbs_exchange_address(meeting->exchanges[params.rank], meeting->addresses + params.rank * RS_ADDRESS_BYTES_MAX);
    for (size_t peer = 0; peer < RANKS; peer++)
      meeting->peers[params.rank][peer] = (params.rank + peer) % 2 == 1; // 0 with 1 and 3, 1 with 0, 2 and 4, ...
  }
}

static void close_meeting(struct meeting *meeting) {
  for (size_t r = 0; r < RANKS; r++)
    rs_verbs_exchange_close(meeting->exchanges[r]);
}

static uint64_t seed_of(size_t round, size_t from, size_t to) {
  return contract_seed() + rs_hash64((round * RANKS + from) * RANKS + to);
}

// One round of all ranks but `absent`; RANKS: of all. Returns the first failure.
static enum rs_status run_round(struct meeting *meeting, size_t bytes, size_t absent, struct rs_error *error) {
  bool done[RANKS] = {false};
  for (size_t left = RANKS - (absent < RANKS); left > 0;) {
    for (size_t r = 0; r < RANKS; r++) {
      if (done[r] || r == absent)
        continue;
      enum rs_status status = rs_verbs_exchange_run(meeting->exchanges[r], meeting->addresses, meeting->peers[r],
                                                    meeting->mine[r], meeting->theirs[r], bytes, error);
      if (status < 0)
        return status;
      done[r] = status == RS_OK;
      left -= done[r];
    }
  }
  return RS_OK;
}

static void everyone_gets_what_was_meant_for_it(void **state) {
  (void)state;
  static struct meeting meeting;
  static const size_t lengths[] = {BYTES, 1, 77};
  open_meeting(&meeting, TIMEOUT_NS);
  for (size_t round = 0; round < RS_ARRAY_LENGTH(lengths); round++) {
    size_t bytes = lengths[round];
    struct rs_error error = {0};
    for (size_t r = 0; r < RANKS; r++)
      for (size_t peer = 0; peer < RANKS; peer++)
        contract_fill(meeting.mine[r] + peer * bytes, bytes, seed_of(round, r, peer));
    memset(meeting.theirs, 0, sizeof meeting.theirs);
    assert_rs_ok(run_round(&meeting, bytes, RANKS, &error), &error);
    for (size_t r = 0; r < RANKS; r++)
      for (size_t peer = 0; peer < RANKS; peer++)
        if (meeting.peers[r][peer])
          assert_int_equal(contract_check(meeting.theirs[r] + peer * bytes, bytes, seed_of(round, peer, r)), bytes);
  }
  close_meeting(&meeting);
}

static void a_silent_rank_is_named(void **state) {
  (void)state;
  static struct meeting meeting;
  struct rs_error error = {0};
  open_meeting(&meeting, SILENT_NS);
  assert_rs_error(run_round(&meeting, 8, 3, &error), &error, RS_ERROR_TIMEOUT, "test: exchanging addresses", "rank 3");
  close_meeting(&meeting);

  // Silent only in the second round.
  open_meeting(&meeting, SILENT_NS);
  error = (struct rs_error){0};
  assert_rs_ok(run_round(&meeting, 8, RANKS, &error), &error);
  assert_rs_error(run_round(&meeting, 8, 3, &error), &error, RS_ERROR_TIMEOUT, "test: exchanging addresses", "rank 3");
  close_meeting(&meeting);
}

static void a_dead_rank_is_named(void **state) {
  (void)state;
  static struct meeting meeting;
  struct rs_error error = {0};
  open_meeting(&meeting, TIMEOUT_NS);
  assert_rs_ok(run_round(&meeting, 8, RANKS, &error), &error);
  rs_verbs_exchange_close(meeting.exchanges[3]);
  meeting.exchanges[3] = NULL;
  assert_rs_error(run_round(&meeting, 8, 3, &error), &error, RS_ERROR_PEER, "test: exchanging addresses", "rank 3");
  close_meeting(&meeting);
}

static void another_launch_is_not_believed(void **state) {
  (void)state;
  static struct meeting here, there;
  struct rs_error error = {0};
  open_meeting(&here, TIMEOUT_NS);
  open_meeting(&there, TIMEOUT_NS);
  memcpy(here.addresses + 2 * RS_ADDRESS_BYTES_MAX, there.addresses + 2 * RS_ADDRESS_BYTES_MAX, RS_ADDRESS_BYTES_MAX);
  // Rank 3 meets the other launch's rank 2, which turns it away as soon as it looks.
  enum rs_status status = RS_IN_PROGRESS;
  struct rs_error ignored = {0};
  while (status == RS_IN_PROGRESS) {
    status = rs_verbs_exchange_run(here.exchanges[3], here.addresses, here.peers[3], here.mine[3], here.theirs[3], 8,
                                   &error);
    rs_verbs_exchange_run(there.exchanges[2], there.addresses, there.peers[2], there.mine[2], there.theirs[2], 8,
                          &ignored);
  }
  assert_rs_error(status, &error, RS_ERROR_PEER, "test: exchanging addresses", "rank 2", "another launch");
  close_meeting(&here);
  close_meeting(&there);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everyone_gets_what_was_meant_for_it),
      cmocka_unit_test(a_silent_rank_is_named),
      cmocka_unit_test(a_dead_rank_is_named),
      cmocka_unit_test(another_launch_is_not_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
  puts("built without infiniband/verbs.h (libibverbs-dev)");
  return 77;
}
#endif
