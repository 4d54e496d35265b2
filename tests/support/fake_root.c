#include "support/fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

int fake_root_make(void **state) {
  char path[] = "/tmp/ringside-root-XXXXXX";
  *state = mkdtemp(path) ? strdup(path) : NULL;
  return *state ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position) {
  (void)status, (void)kind, (void)position;
  return remove(path);
}

int fake_root_remove(void **state) {
  int result = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  free(*state);
  return result;
}

void fake_root_put(const char *root, const char *path, const char *text) {
  char full[PATH_MAX];
  assert_true(snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full));
  for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}
