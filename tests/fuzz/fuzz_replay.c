// The driver of a target where libFuzzer is not: runs each file that is named, and each in a directory that is named.
// A crash names its file, as the last one printed.
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static size_t run_file(const char *path) {
  char *data = NULL;
  size_t bytes = 0;
  struct rs_error error = {0};
  printf("%s\n", path);
  fflush(stdout);
  if (rs_file_read(path, "input", (size_t)64 << 20, &data, &bytes, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    exit(1);
  }
  // A copy of its exact length, so that a sanitizer sees what reads beyond it.
  uint8_t *input = malloc(bytes ? bytes : 1);
  FUZZ_REQUIRE(input != NULL);
  memcpy(input, data, bytes);
  free(data);
  LLVMFuzzerTestOneInput(input, bytes);
  free(input);
  return 1;
}

static size_t run_path(const char *path) {
  struct stat file;
  if (stat(path, &file) != 0)
    return 0;
  if (!S_ISDIR(file.st_mode))
    return run_file(path);
  struct dirent **entries;
  int count = scandir(path, &entries, NULL, alphasort);
  size_t runs = 0;
  for (int e = 0; e < count; e++) {
    char child[4096];
    snprintf(child, sizeof child, "%s/%s", path, entries[e]->d_name);
    if (entries[e]->d_name[0] != '.')
      runs += run_path(child);
    free(entries[e]);
  }
  if (count >= 0)
    free(entries);
  return runs;
}

int main(int argc, char **argv) {
  size_t runs = 0;
  for (int a = 1; a < argc; a++)
    runs += run_path(argv[a]);
  printf("%zu inputs\n", runs);
  return runs > 0 ? 0 : 1;
}
