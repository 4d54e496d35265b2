// Buffers: aligned, zeroed, resident before use, gone after close, and refused with the size when too large.
#include "ringside/memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define HUGE_BYTES ((size_t)2 << 20)

static size_t page(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t alignment(enum rs_memory_kind kind, size_t bytes) {
  bool huge = kind == RS_MEMORY_HOST_HUGE || (kind == RS_MEMORY_HOST_SHARED && bytes >= HUGE_BYTES);
  return huge ? HUGE_BYTES : page();
}

static void a_buffer_is_aligned_zeroed_and_resident(void **state) {
  (void)state;
  const size_t sizes[] = {1, 4095, 4096, 4097, HUGE_BYTES - 1, HUGE_BYTES, HUGE_BYTES + 1, 3 * HUGE_BYTES + 5};
  for (enum rs_memory_kind kind = RS_MEMORY_HOST; rs_memory_kind_names[kind]; kind++)
    for (size_t s = 0; s < RS_ARRAY_LENGTH(sizes); s++) {
      struct rs_buffer buffer = {0};
      struct rs_error error = {0};
      assert_int_equal(rs_buffer_open(kind, sizes[s], &buffer, &error), RS_OK);
      assert_int_equal((uintptr_t)buffer.address % alignment(kind, sizes[s]), 0);
      assert_int_equal(buffer.bytes, sizes[s]);
      assert_int_equal(buffer.kind, kind);
      assert_int_equal(buffer.device >= 0, kind == RS_MEMORY_HOST_SHARED);

      size_t pages = rs_divide_up(sizes[s], page());
      unsigned char *resident = malloc(pages);
      assert_non_null(resident);
      assert_int_equal(mincore(buffer.address, sizes[s], resident), 0);
      for (size_t p = 0; p < pages; p++)
        assert_true(resident[p] & 1);
      free(resident);

      unsigned char *content = buffer.address;
      for (size_t i = 0; i < sizes[s]; i++)
        assert_int_equal(content[i], 0);
      memset(content, 0xff, sizes[s]);
      rs_buffer_close(&buffer);
      assert_null(buffer.address);
      assert_int_equal(buffer.bytes, 0);
    }
}

// After the aligned mapping is trimmed and closed, nothing of it is mapped: mincore says ENOMEM for each page.
static void close_gives_everything_back(void **state) {
  (void)state;
  for (enum rs_memory_kind kind = RS_MEMORY_HOST; rs_memory_kind_names[kind]; kind++) {
    struct rs_buffer buffer;
    struct rs_error error = {0};
    assert_int_equal(rs_buffer_open(kind, HUGE_BYTES + 1, &buffer, &error), RS_OK);
    char *start = buffer.address;
    size_t length = rs_round_up(HUGE_BYTES + 1, alignment(kind, HUGE_BYTES + 1));
    unsigned char resident;
    assert_int_equal(mincore(start + length - page(), page(), &resident), 0);
    rs_buffer_close(&buffer);
    for (size_t offset = 0; offset < length; offset += page())
      assert_int_equal(mincore(start + offset, page(), &resident), -1);
  }
}

static void an_empty_buffer_has_an_address(void **state) {
  (void)state;
  for (enum rs_memory_kind kind = RS_MEMORY_HOST; rs_memory_kind_names[kind]; kind++) {
    struct rs_buffer buffer = {0};
    struct rs_error error = {0};
    assert_int_equal(rs_buffer_open(kind, 0, &buffer, &error), RS_OK);
    assert_non_null(buffer.address);
    assert_int_equal(buffer.bytes, 0);
    rs_buffer_close(&buffer);
  }
}

static void a_buffer_too_large_is_refused_with_its_size(void **state) {
  (void)state;
  const size_t sizes[] = {SIZE_MAX, SIZE_MAX - HUGE_BYTES, (size_t)1 << 60};
  for (enum rs_memory_kind kind = RS_MEMORY_HOST; rs_memory_kind_names[kind]; kind++)
    for (size_t s = 0; s < RS_ARRAY_LENGTH(sizes); s++) {
      struct rs_buffer buffer = {.bytes = 42};
      struct rs_error error = {0};
      char number[32];
      snprintf(number, sizeof(number), "%zu", sizes[s]);
      assert_int_equal(rs_buffer_open(kind, sizes[s], &buffer, &error), RS_ERROR_MEMORY);
      assert_int_equal(buffer.bytes, 42); // out-parameters are written on success only
      if (!strstr(error.text, number))
        fail_msg("the error does not name the size %s: %s", number, error.text);
    }
}

// What is written through the descriptor's other mappings is what the buffer holds, also where it is not whole pages.
static void a_shared_buffer_is_one_with_its_descriptor(void **state) {
  (void)state;
  const size_t sizes[] = {1, 5000, HUGE_BYTES + 1};
  for (size_t s = 0; s < RS_ARRAY_LENGTH(sizes); s++) {
    struct rs_buffer buffer;
    struct rs_error error = {0};
    assert_int_equal(rs_buffer_open(RS_MEMORY_HOST_SHARED, sizes[s], &buffer, &error), RS_OK);
    char *other = mmap(NULL, sizes[s], PROT_READ | PROT_WRITE, MAP_SHARED, buffer.device, 0);
    assert_true(other != MAP_FAILED && other != buffer.address);
    other[sizes[s] - 1] = 42;
    assert_int_equal(((char *)buffer.address)[sizes[s] - 1], 42);
    int descriptor = buffer.device;
    rs_buffer_close(&buffer);
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
    assert_int_equal(other[sizes[s] - 1], 42);
    munmap(other, sizes[s]);
  }
}

static void closing_nothing_is_fine(void **state) {
  (void)state;
  struct rs_buffer buffer = {0};
  rs_buffer_close(&buffer);
  rs_buffer_close(&buffer);
  assert_null(buffer.address);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_buffer_is_aligned_zeroed_and_resident),
      cmocka_unit_test(close_gives_everything_back),
      cmocka_unit_test(an_empty_buffer_has_an_address),
      cmocka_unit_test(a_buffer_too_large_is_refused_with_its_size),
      cmocka_unit_test(a_shared_buffer_is_one_with_its_descriptor),
      cmocka_unit_test(closing_nothing_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
