// Every file of configs/fabrics is read, says where its figures are from, and takes eight ranks.
#include "ringside/fabric.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_files(glob_t *files) {
  char pattern[4096];
  const char *tree = getenv("RS_SOURCE_DIR");
  assert_non_null(tree);
  snprintf(pattern, sizeof pattern, "%s/configs/fabrics/*.yaml", tree);
  assert_int_equal(glob(pattern, 0, NULL, files), 0);
}

static void every_file_describes_the_links_that_its_layout_needs(void **state) {
  (void)state;
  glob_t files;
  open_files(&files);
  assert_true(files.gl_pathc >= 8);
  for (size_t f = 0; f < files.gl_pathc; f++) {
    const char *path = files.gl_pathv[f], *slash = strrchr(path, '/');
    struct rs_fabric fabric;
    struct rs_placement placement;
    struct rs_fabric_map map;
    struct rs_error error = {0};
    if (rs_fabric_load(path, &fabric, &error) != RS_OK)
      fail_msg("%s", error.text);
    assert_int_equal(strlen(fabric.name.text) + strlen(".yaml"), strlen(slash + 1)); // called as the file is
    assert_memory_equal(fabric.name.text, slash + 1, strlen(fabric.name.text));
    for (size_t ranks = 2; ranks <= 16; ranks *= 2) { // 16: two on one host
      assert_int_equal(rs_fabric_place(&fabric, ranks, NULL, &placement, &error), RS_OK);
      if (rs_fabric_map_open(&fabric, &placement, &map, &error) != RS_OK)
        fail_msg("%s, %zu ranks: %s", path, ranks, error.text);
      assert_true(rs_fabric_message_ps(&map, 0, ranks - 1, 1 << 20) > 0);
      rs_fabric_map_fini(&map);
      rs_placement_fini(&placement);
    }
  }
  globfree(&files);
}

// A line with a latency or a rate follows a comment that says "published" or "assumed", or a line that does.
static void every_figure_is_marked(void **state) {
  (void)state;
  glob_t files;
  open_files(&files);
  for (size_t f = 0; f < files.gl_pathc; f++) {
    FILE *file = fopen(files.gl_pathv[f], "r");
    assert_non_null(file);
    char line[256];
    bool marked = false, after_figure = false;
    while (fgets(line, sizeof line, file)) {
      const bool comment = line[0] == '#';
      const bool words = strstr(line, "measured:") || strstr(line, "published:") || strstr(line, "assumed:");
      if (comment && after_figure)
        marked = false;
      marked = marked || (comment && words);
      const bool figure = !comment && (strstr(line, "latency") || strstr(line, "gress"));
      if (figure && !marked)
        fail_msg("%s: nothing says where this is from: %s", files.gl_pathv[f], line);
      after_figure = !comment;
    }
    fclose(file);
  }
  globfree(&files);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_file_describes_the_links_that_its_layout_needs),
      cmocka_unit_test(every_figure_is_marked),
  };
  return cmocka_run_group_tests_name("fabric files", tests, NULL, NULL);
}
