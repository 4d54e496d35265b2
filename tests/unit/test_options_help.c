// The help of `ringside run --help`: aligned, grouped, wrapped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/test_options_table.h"

#include <string.h>

static void help_is_aligned_by_group(void **state) {
  (void)state;
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(NULL, groups);
  struct rs_text text = {0};
  rs_options_help(&options, &text);
  assert_string_equal(
      text.data, "  KEY            TYPE      DEFAULT    MEANING\n"
                 "  algorithms     words     ring,tree  what to run\n"
                 "  datatypes      choices   float32    of the elements (float32, float64, int32)\n"
                 "  sizes          sizes     8..1KiB    bytes per rank (0 to 1GiB)\n"
                 "  lanes          numbers   1          channels to each peer (1 to 64)\n"
                 "\n"
                 "  run.timeout    duration  30s        every wait ends by then (at least 1ms)\n"
                 "  run.mode       choice    isolated   what lies between two iterations (isolated, streaming, off)\n"
                 "  run.window     number    8          steps in flight (1 to 1024)\n"
                 "  run.check      bool      true       verify results\n"
                 "  run.tolerance  fraction  2%         how much may differ\n"
                 "  run.note       text      -          a remark that is kept with the results\n"
                 "\n"
                 "  net.tcp.ports  range     -          where to listen (0 to 65535)\n"
                 "  net.tcp.chunk  size      64KiB      bytes per system call (1 to 1MiB)\n");
  rs_text_fini(&text);
}

static void long_defaults_and_lines_are_wrapped(void **state) {
  (void)state;
  static const char *const words[] = {"auto", NULL};
  static const struct rs_option table[] = {
      {"a", RS_OPTION_WORDS, 0, "ring,tree,recursive_doubling,rabenseifner",
       "a help line that is so long that it cannot stand beside the other columns on a screen of the usual width", NULL,
       0, 0},
      {"b", RS_OPTION_BOOL, 0, "no", "short", NULL, 0, 0},
      {"c", RS_OPTION_SIZES, 0, "auto", "with a word", words, 0, 1 << 20},
      {NULL, 0, 0, NULL, NULL, NULL, 0, 0},
  };
  const struct rs_option_group group = {"", table, NULL};
  const struct rs_options options = {&group, 1};
  struct rs_text text = {0};
  rs_options_help(&options, &text);
  assert_string_equal(
      text.data,
      "  KEY  TYPE   DEFAULT  MEANING\n"
      "  a    words  ring,tree,recursive_doubling,rabenseifner\n"
      "                       a help line that is so long that it cannot stand beside the other columns on a screen\n"
      "                       of the usual width\n"
      "  b    bool   no       short\n"
      "  c    sizes  auto     with a word (0 to 1MiB, or auto)\n");
  rs_text_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(help_is_aligned_by_group),
      cmocka_unit_test(long_defaults_and_lines_are_wrapped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
