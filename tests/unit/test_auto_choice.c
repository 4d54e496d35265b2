// The table behind `auto`: every collective has an answer for any transport, ranks and size, and it is an algorithm
// that is proved for so many ranks; of several rows the closest one is taken; no row is out of reach.
#include "measure/auto_choice.h"

#include "ringside/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const transports[] = {"tcp", "shm", "verbs_rc", "srd", "loop", NULL};

// Sizes of every order of magnitude, and the bounds of all rows with what lies beyond them.
static size_t sizes_to_try(uint64_t *sizes) {
  size_t count = 0;
  for (unsigned bits = 0; bits <= 40; bits++)
    sizes[count++] = UINT64_C(1) << bits;
  for (size_t i = 0; i < auto_row_count; i++) {
    sizes[count++] = auto_rows[i].size_bytes;
    sizes[count++] = auto_rows[i].size_bytes + (auto_rows[i].size_bytes < AUTO_ANY_SIZE);
  }
  return count;
}

static void every_question_has_an_answer(void **state) {
  (void)state;
  uint64_t *sizes = malloc((41 + 2 * auto_row_count) * sizeof *sizes);
  assert_non_null(sizes);
  size_t count = sizes_to_try(sizes);
  for (size_t t = 0; t < RS_ARRAY_LENGTH(transports); t++)
    for (int c = 0; c < RS_COLLECTIVE_COUNT; c++)
      for (uint32_t n = 1; n <= 70; n++)
        for (size_t s = 0; s < count; s++) {
          const struct auto_row *row = auto_choice_find(transports[t], (enum rs_collective)c, n, sizes[s]);
          assert_non_null(row);
          if (rs_algorithm_find((enum rs_collective)c, row->algorithm) == NULL)
            fail_msg("%s of %u ranks: there is no algorithm %s", rs_collective_names[c], n, row->algorithm);
        }
  free(sizes);
}

// Every algorithm in the table is a right one on any number of ranks.
static void what_is_chosen_is_proved(void **state) {
  (void)state;
  for (size_t i = 0; i < auto_row_count; i++)
    for (uint32_t n = 1; n <= 70; n += n < 20 ? 1 : 10) {
      const struct rs_algorithm *algorithm = rs_algorithm_find(auto_rows[i].collective, auto_rows[i].algorithm);
      uint32_t array[70];
      char description[RS_VARIANT_BYTES];
      struct rs_schedule_params params = rs_variant(algorithm, n, 0, array, description);
      struct rs_proof proof;
      struct rs_error error = {0};
      if (rs_verify(algorithm, &params, &proof, &error) != RS_OK)
        fail_msg("%s on %u ranks: %s", algorithm->name, n, error.text);
    }
}

// Asked at its own bounds, every row answers; so none is hidden by another, and no two are alike.
static void every_row_is_reached(void **state) {
  (void)state;
  for (size_t i = 0; i < auto_row_count; i++) {
    const struct auto_row *row = &auto_rows[i];
    assert_ptr_equal(auto_choice_find(row->transport, row->collective, row->ranks, row->size_bytes), row);
    assert_true(row->transport == NULL || rs_transport_find(row->transport) != NULL);
    assert_true(row->ranks >= 2 && row->size_bytes > 0);
  }
}

// For each row, by brute force: between its bounds and the next lower ones it is what is found.
static void the_least_bounds_that_hold(void **state) {
  (void)state;
  for (size_t i = 0; i < auto_row_count; i++) {
    const struct auto_row *row = &auto_rows[i];
    uint32_t fewer = 0, most = 0;
    uint64_t smaller = 0, largest = 0;
    for (size_t k = 0; k < auto_row_count; k++) {
      const struct auto_row *other = &auto_rows[k];
      if (other->collective != row->collective || (other->transport == NULL) != (row->transport == NULL) ||
          (row->transport && strcmp(row->transport, other->transport) != 0))
        continue;
      most = other->ranks > most ? other->ranks : most;
      fewer = other->ranks < row->ranks && other->ranks > fewer ? other->ranks : fewer;
      if (other->ranks != row->ranks)
        continue;
      largest = other->size_bytes > largest ? other->size_bytes : largest;
      smaller = other->size_bytes < row->size_bytes && other->size_bytes > smaller ? other->size_bytes : smaller;
    }
    assert_ptr_equal(auto_choice_find(row->transport, row->collective, fewer + 1, smaller + 1), row);
    assert_ptr_equal(auto_choice_find(row->transport, row->collective, fewer + 1, row->size_bytes), row);
    if (row->ranks == most) // beyond the last ranks
      assert_ptr_equal(auto_choice_find(row->transport, row->collective, UINT32_MAX, smaller + 1), row);
    if (row->size_bytes == largest) // beyond the last size
      assert_ptr_equal(auto_choice_find(row->transport, row->collective, row->ranks, UINT64_MAX), row);
  }
}

// A transport without rows has those of any; so has one that has rows of other collectives alone.
static void others_take_the_common_rows(void **state) {
  (void)state;
  for (int c = 0; c < RS_COLLECTIVE_COUNT; c++) {
    assert_null(auto_choice_find("verbs_rc", (enum rs_collective)c, 4, 8)->transport);
    assert_ptr_equal(auto_choice_find("verbs_rc", (enum rs_collective)c, 4, 8),
                     auto_choice_find(NULL, (enum rs_collective)c, 4, 8));
  }
  assert_null(auto_choice_find("tcp", RS_PINGPONG, 4, 8)->transport);
  assert_string_equal(auto_choice_find("tcp", RS_ALLREDUCE, 4, 8)->transport, "tcp");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_question_has_an_answer), cmocka_unit_test(what_is_chosen_is_proved),
      cmocka_unit_test(every_row_is_reached),         cmocka_unit_test(the_least_bounds_that_hold),
      cmocka_unit_test(others_take_the_common_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
