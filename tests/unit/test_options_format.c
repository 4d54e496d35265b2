// What rs_options_format writes, the file reader reads back as exactly the same values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options/option_value.h"
#include "unit/test_options_table.h"

#include <math.h>
#include <string.h>
#include <time.h>

static void looks_as_a_person_would_write_it(void **state) {
  (void)state;
  struct sample sample = {0};
  struct rs_option_group groups[4];
  struct rs_options options = sample_options(&sample, groups);
  struct rs_error error = {0};
  struct rs_text text = {0};
  assert_int_equal(rs_options_set_defaults(&options, &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "algorithms=ring,null,No,3d,a:b", &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "run.timeout=1.5s", &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "run.mode=off", &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "run.tolerance=10%", &error), RS_OK);
  assert_int_equal(rs_options_set_assignment(&options, "run.note=\"Zürich\"\\\t", &error), RS_OK);
  rs_options_format(&options, &text);
  assert_string_equal(text.data, "algorithms: [ring, \"null\", \"No\", \"3d\", \"a:b\"]\n"
                                 "datatypes: [float32]\n"
                                 "sizes: [8, 16, 32, 64, 128, 256, 512, 1KiB]\n"
                                 "lanes: [1]\n"
                                 "run.timeout: 1500ms\n"
                                 "run.mode: \"off\"\n"
                                 "run.window: 8\n"
                                 "run.check: true\n"
                                 "run.tolerance: 0.1\n"
                                 "run.note: \"\\\"Zürich\\\"\\\\\\u0009\"\n"
                                 "net.tcp.ports: \"\"\n"
                                 "net.tcp.chunk: 64KiB\n");
  rs_text_fini(&text);
}

// ---- random values of every type --------------------------------------------------------------------------

// All bits are equally likely to lead, so that small and large numbers both come up.
static uint64_t random_number(struct rs_random *random) {
  return rs_random_next(random) >> rs_random_below(random, 64);
}

// Any character but NUL, with those that mean something to YAML often among them.
static size_t random_character(struct rs_random *random, bool in_word, char out[5]) {
  static const char special[] = " \t\r\n\"'\\#:-?,[]{}&*!|>%@`~=";
  uint32_t c;
  do {
    switch (rs_random_below(random, 4)) {
    case 0:
      c = (unsigned char)special[rs_random_below(random, sizeof special - 1)];
      break;
    case 1:
      c = (uint32_t)rs_random_below(random, 0x100);
      break;
    case 2:
      c = 0x2020 + (uint32_t)rs_random_below(random, 16); // the line and paragraph separators lie here
      break;
    default:
      c = (uint32_t)rs_random_below(random, 0x110000);
    }
  } while (c == 0 || (c >= 0xd800 && c < 0xe000) || (in_word && (c <= ' ' || c == ',' || c == 0x7f)));
  if (c < 0x80)
    return (size_t)snprintf(out, 5, "%c", (char)c);
  size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, c >>= 6)
    out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)((0xf00u >> length & 0xf0u) | c);
  out[length] = '\0';
  return length;
}

static void random_text(struct rs_random *random, bool in_word, char *text, size_t most) {
  size_t length = 0, wanted = (in_word ? 1 : 0) + (size_t)rs_random_below(random, most);
  text[0] = '\0';
  for (;;) {
    char character[5];
    size_t bytes = random_character(random, in_word, character);
    if (length + bytes > wanted && length > 0)
      return;
    if (length + bytes > most || wanted == 0)
      return;
    memcpy(text + length, character, bytes + 1);
    length += bytes;
  }
}

static void random_words(struct rs_random *random, struct rs_word_list *words) {
  memset(words, 0, sizeof *words);
  size_t wanted = (size_t)rs_random_below(random, RS_ARRAY_LENGTH(words->words) + 1);
  while (words->count < wanted) {
    char *word = words->words[words->count];
    do
      random_text(random, true, word, sizeof words->words[0] - 1);
    while (word[0] == '\0');
    bool seen = false;
    for (size_t i = 0; i < words->count; i++)
      seen = seen || strcmp(words->words[i], word) == 0;
    if (seen)
      memset(word, 0, sizeof words->words[0]);
    else
      words->count++;
  }
}

static void random_list(struct rs_random *random, bool rising, struct rs_uint_list *list) {
  memset(list, 0, sizeof *list);
  size_t wanted = 1 + (size_t)rs_random_below(random, RS_LIST_MAX);
  for (size_t tries = 0; list->count < wanted && tries < 4 * RS_LIST_MAX; tries++) {
    uint64_t number = random_number(random);
    if (rising && list->count > 0) {
      uint64_t last = list->values[list->count - 1];
      number = last + 1 + rs_random_below(random, (UINT64_MAX - last) / 4 + 1);
      if (number <= last)
        return;
    }
    bool seen = false;
    for (size_t i = 0; i < list->count; i++)
      seen = seen || list->values[i] == number;
    if (!seen)
      list->values[list->count++] = number;
  }
}

static double random_double(struct rs_random *random) {
  double real;
  do {
    uint64_t bits = rs_random_next(random);
    memcpy(&real, &bits, sizeof real);
  } while (!isfinite(real));
  return rs_random_below(random, 2) ? real : (double)random_number(random) / 1000;
}

static const char *const many_choices[] = {"a", "no", "1e3", "~", "two words", "ring", NULL};
#define CHOICE_COUNT (RS_ARRAY_LENGTH(many_choices) - 1)

// The same fields as the sample table, without bounds.
#define ROW(name, type, field, text)                                                                                   \
  { name, type, offsetof(struct sample, field), text, "help", many_choices, 0, 0 }
static const struct rs_option free_table[] = {
    ROW("bool", RS_OPTION_BOOL, check, "no"),
    ROW("uint", RS_OPTION_UINT, window, "0"),
    ROW("size", RS_OPTION_SIZE, chunk, "0"),
    ROW("duration", RS_OPTION_DURATION, timeout_ns, "0"),
    ROW("double", RS_OPTION_DOUBLE, tolerance, "0"),
    ROW("string", RS_OPTION_STRING, note, ""),
    ROW("choice", RS_OPTION_CHOICE, mode, "a"),
    ROW("words", RS_OPTION_WORDS, algorithms, ""),
    ROW("choices", RS_OPTION_CHOICES, datatypes, "a"),
    ROW("uints", RS_OPTION_UINTS, lanes, "1"),
    {"sizes", RS_OPTION_SIZES, offsetof(struct sample, sizes), "1", "help", NULL, 0, 0},
    ROW("range", RS_OPTION_RANGE, ports, ""),
    {NULL, 0, 0, NULL, NULL, NULL, 0, 0},
};

static void random_sample(struct rs_random *random, struct sample *sample) {
  memset(sample, 0, sizeof *sample);
  sample->check = rs_random_below(random, 2);
  sample->window = random_number(random);
  sample->chunk = random_number(random) << rs_random_below(random, 31);
  sample->mode = rs_random_below(random, CHOICE_COUNT);
  sample->timeout_ns = (int64_t)(random_number(random) >> 1);
  if (rs_random_below(random, 2))
    sample->timeout_ns = (int64_t)rs_random_below(random, 1000000) * 1000000000;
  sample->tolerance = random_double(random);
  random_text(random, false, sample->note.text, sizeof sample->note.text - 1);
  random_words(random, &sample->algorithms);
  for (size_t i = 0; i < CHOICE_COUNT; i++) // some of the choices, at least one, in another order
    if (i == 0 || rs_random_below(random, 2))
      sample->datatypes.values[sample->datatypes.count++] = (sample->mode + i) % CHOICE_COUNT;
  random_list(random, false, &sample->lanes);
  random_list(random, true, &sample->sizes);
  sample->ports.low = random_number(random) >> 1;
  sample->ports.high = sample->ports.low + (rs_random_below(random, 3) ? random_number(random) >> 1 : 0);
}

static void random_values_round_trip(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL);
  struct rs_random random = {seed};
  for (int round = 0; round < 1500; round++) {
    struct sample written, read;
    struct rs_option_group from = {"deep.group", free_table, &written}, into = {"deep.group", free_table, &read};
    const struct rs_options source = {&from, 1}, sink = {&into, 1};
    struct rs_text text = {0}, again = {0};
    struct rs_error error = {0};
    random_sample(&random, &written);
    memset(&read, 0, sizeof read);
    assert_int_equal(rs_options_set_defaults(&sink, &error), RS_OK);
    rs_options_format(&source, &text);
    assert_false(text.failed);
    if (rs_options_parse_yaml(&sink, "again", text.data, text.length, &error) != RS_OK)
      fail_msg("seed %llu, round %d: %s\n%s", (unsigned long long)seed, round, error.text, text.data);
    rs_options_format(&sink, &again);
    for (const struct rs_option *option = free_table; option->name != NULL; option++) {
      union rs_option_value a, b;
      rs_option_value_load(option, &written, &a);
      rs_option_value_load(option, &read, &b);
      // A word's bytes after its end may differ, so words are compared by what is written of them.
      if (option->type != RS_OPTION_WORDS && memcmp(&a, &b, sizeof a) != 0)
        fail_msg("seed %llu, round %d: '%s' differs\n%s", (unsigned long long)seed, round, option->name, text.data);
    }
    if (strcmp(text.data, again.data) != 0)
      fail_msg("seed %llu, round %d:\n%s\nbecame\n%s", (unsigned long long)seed, round, text.data, again.data);
    rs_text_fini(&text);
    rs_text_fini(&again);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(looks_as_a_person_would_write_it),
      cmocka_unit_test(random_values_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
