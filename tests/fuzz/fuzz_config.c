// What decodes through option tables: a run file, --set (line by line), a fabric, a lab; and YAML as a tree. What is
// accepted is written and read back, and has to come out the same.
#include "fuzz/fuzz.h"
#include "ringside/fabric.h"
#include "ringside/lab.h"
#include "ringside/measure.h"

#include <string.h>

#define GROUPS_MAX 32
#define TARGET_BYTES 8192
#define RANKS 4

// The groups of `ringside run`; defaults take a millisecond to decode, so they are kept.
struct run_file {
  struct rs_option_group groups[GROUPS_MAX];
  struct rs_options options;
  struct run_values {
    struct rs_config config;
    max_align_t transports[TARGET_BYTES / sizeof(max_align_t)];
  } values, defaults;
};

static void init_run_file(struct run_file *run) {
  size_t count = 0, used = 0;
  struct rs_error error = {0};
  run->groups[count++] = (struct rs_option_group){"", rs_sweep_options, &run->values.config};
  run->groups[count++] = (struct rs_option_group){"run", rs_run_options, &run->values.config};
  run->groups[count++] = (struct rs_option_group){"samples", rs_sample_options, &run->values.config};
  for (size_t i = 0; i < rs_transport_count; i++) {
    const struct rs_transport *transport = rs_transports[i];
    size_t places = rs_divide_up(transport->option_bytes, sizeof(max_align_t));
    if (transport->options == NULL)
      continue;
    FUZZ_REQUIRE(count < GROUPS_MAX && used + places <= RS_ARRAY_LENGTH(run->values.transports));
    run->groups[count++] = (struct rs_option_group){transport->name, transport->options, run->values.transports + used};
    used += places;
  }
  run->options = (struct rs_options){run->groups, count};
  FUZZ_REQUIRE(rs_options_set_defaults(&run->options, &error) == RS_OK);
  run->defaults = run->values;
}

static struct run_file *fresh_run_file(void) {
  static struct run_file run;
  if (run.options.group_count == 0)
    init_run_file(&run);
  run.values = run.defaults;
  return &run;
}

// Reads `options` back from its own text.
static void read_back(const struct rs_options *options) {
  struct rs_text first = {0}, second = {0};
  struct rs_error error = {0};
  rs_options_format(options, &first);
  FUZZ_REQUIRE(!first.failed);
  if (rs_options_parse_yaml(options, "again", first.data, first.length, &error) != RS_OK)
    fprintf(stderr, "%s\n%s\n", error.text, first.data);
  FUZZ_REQUIRE(error.status == RS_OK);
  rs_options_format(options, &second);
  FUZZ_REQUIRE(strcmp(first.data, second.data) == 0);
  rs_text_fini(&first);
  rs_text_fini(&second);
}

static void plan(const struct rs_config *config) {
  struct rs_host_facts host = {.hostname = "h", .cores = RANKS};
  struct rs_rank_facts ranks[RANKS] = {0};
  const struct rs_placement placement = {1, RANKS, &host, ranks};
  struct rs_plan made;
  struct rs_error error = {0};
  enum rs_status status = rs_plan_make(config, &placement, &made, &error);
  fuzz_require_words(status, &error);
  if (status == RS_OK)
    rs_plan_fini(&made);
}

static void read_run_file(const char *text, size_t bytes) {
  struct run_file *run = fresh_run_file();
  struct rs_error error = {0};
  enum rs_status status = rs_options_parse_yaml(&run->options, "run.yaml", text, bytes, &error);
  fuzz_require_words(status, &error);
  if (status < 0)
    return;
  read_back(&run->options);
  plan(&run->values.config);
}

static void set_lines(const char *text, size_t bytes) {
  struct run_file *run = fresh_run_file();
  char line[512];
  for (size_t at = 0; at < bytes;) {
    const char *end = memchr(text + at, '\n', bytes - at);
    size_t length = end ? (size_t)(end - text) - at : bytes - at;
    struct rs_error error = {0};
    snprintf(line, sizeof line, "%.*s", (int)rs_min_size(length, sizeof line), text + at);
    fuzz_require_words(rs_options_set_assignment(&run->options, line, &error), &error);
    at += length + 1;
  }
}

static void read_fabric(const char *text, size_t bytes) {
  struct rs_fabric fabric;
  struct rs_error error = {0};
  enum rs_status status = rs_fabric_parse("fabric.yaml", text, bytes, &fabric, &error);
  fuzz_require_words(status, &error);
  if (status < 0)
    return;
  struct rs_text words = {0};
  struct rs_fabric again;
  struct rs_placement placement;
  rs_fabric_format(&fabric, &words);
  FUZZ_REQUIRE(rs_fabric_parse("again", words.data, words.length, &again, &error) == RS_OK);
  rs_text_fini(&words);
  if (rs_fabric_place(&fabric, RANKS, NULL, &placement, &error) < 0)
    return;
  struct rs_fabric_map map;
  if (rs_fabric_map_open(&fabric, &placement, &map, &error) == RS_OK) {
    FUZZ_REQUIRE(rs_fabric_message_ps(&map, 0, RANKS - 1, 1 << 20) >= 0);
    rs_fabric_map_fini(&map);
  }
  rs_placement_fini(&placement);
}

static void read_lab(const char *text, size_t bytes) {
  struct rs_lab lab;
  struct rs_lab_binding binding;
  struct rs_error error = {0};
  rs_lab_bind(&lab, &binding);
  FUZZ_REQUIRE(rs_options_set_defaults(&binding.options, &error) == RS_OK);
  enum rs_status status = rs_options_parse_yaml(&binding.options, "lab.yaml", text, bytes, &error);
  if (status == RS_OK)
    status = rs_lab_check(&lab, &error);
  fuzz_require_words(status, &error);
}

static void read_tree(const char *text, size_t bytes) {
  struct rs_yaml_node *root = NULL;
  struct rs_error error = {0};
  fuzz_require_words(rs_yaml_tree_parse("a tree", "tree.yaml", text, bytes, &root, &error), &error);
  rs_yaml_tree_close(root);
}

// The first byte says what the rest is.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  static const struct {
    char letter;
    void (*read)(const char *text, size_t bytes);
  } readers[] = {{'r', read_run_file}, {'s', set_lines}, {'f', read_fabric}, {'l', read_lab}, {'t', read_tree}};
  for (size_t r = 0; bytes > 0 && r < RS_ARRAY_LENGTH(readers); r++)
    if (data[0] == readers[r].letter)
      readers[r].read((const char *)data + 1, bytes - 1);
  return 0;
}
