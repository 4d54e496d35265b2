// YAML as a tree: kinds, order and places of what is read, and every refusal that is the tree's own.
#include "ringside/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum rs_status parse(const char *text, struct rs_yaml_node **root, struct rs_error *error) {
  return rs_yaml_tree_parse("host file", "h.yaml", text, strlen(text), root, error);
}

// "key@1:1=text@1:6 ..." of a tree in the file's order; lists are [], mappings {}.
static void write_node(const struct rs_yaml_node *node, struct rs_text *text) {
  static const char *const open[] = {"null", "", "[", "{"}, *const close[] = {"", "", "]", "}"};
  if (node->key)
    rs_text_append(text, "%s@%zu:%zu=", node->key, node->key_at.line, node->key_at.column);
  rs_text_append(text, "%s%s", open[node->kind], node->text ? node->text : "");
  for (const struct rs_yaml_node *child = node->first; child; child = child->next) {
    write_node(child, text);
    rs_text_append(text, child->next ? " " : "");
  }
  rs_text_append(text, "%s@%zu:%zu", close[node->kind], node->at.line, node->at.column);
}

static void everything_has_its_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *tree;
  } rows[] = {
      {"a: 1\nb:\n  - x\n  - [y, 'z']\nc: {d: e}\nf:\n", "{a@1:1=1@1:4 b@2:1=[x@3:5 [y@4:6 z@4:9]@4:5]@3:3 "
                                                         "c@5:1={d@5:5=e@5:8}@5:4 f@6:1=null@6:3}@1:1"},
      {"\xef\xbb\xbf# only\n---\n\"n[1-2]\": \"~\"\n", "{n[1-2]@3:1=~@3:11}@3:1"},
      {"é: ~\n", "{é@1:1=null@1:4}@1:1"},
      {"word", "word@1:1"},
      {"{}", "{}@1:1"},
      {"[]", "[]@1:1"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_yaml_node *root = NULL;
    struct rs_error error = {0};
    struct rs_text text = {0};
    if (parse(rows[i].text, &root, &error) != RS_OK)
      fail_msg("%s", error.text);
    write_node(root, &text);
    assert_string_equal(text.data, rows[i].tree);
    rs_text_fini(&text);
    rs_yaml_tree_close(root);
  }
}

static void an_empty_document_has_no_root(void **state) {
  (void)state;
  static const char *const texts[] = {"", "# nothing\n", "---\n", "~\n", "null", "\xef\xbb\xbf"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(texts); i++) {
    struct rs_yaml_node *root = (struct rs_yaml_node *)&root;
    struct rs_error error = {0};
    assert_int_equal(parse(texts[i], &root, &error), RS_OK);
    assert_null(root);
  }
  rs_yaml_tree_close(NULL);
}

static void refusals_name_the_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *refusal;
  } rows[] = {
      {"a: 1\nb: 2\na: 3\n", "h.yaml:3:1: 'a' is given twice, first at line 1; keep one of them"},
      {"x: {b: 1, a: 1, b: 2}\n", "h.yaml:1:17: 'b' is given twice, first at line 1; keep one of them"},
      {"? [a]\n: 1\n", "h.yaml:1:3: a key is a single word, not a list or a mapping"},
      {"a: &x 1\n", "h.yaml:1:4: the anchor '&x' is not supported; write each value where it is used"},
      {"a: 1\n---\nb: 1\n", "h.yaml:2:1: a second document starts here; a host file has one"},
      {"[[[[[[[[[[[[[[[[[", "h.yaml:1:17: more than 16 levels deep; a host file is flat"},
      {"a: [1,\n", "h.yaml:2:1: not valid YAML: did not find expected node content while parsing a flow node that "
                   "starts at line 2"},
  };
  for (size_t i = 0; i < RS_ARRAY_LENGTH(rows); i++) {
    struct rs_yaml_node *root = NULL;
    struct rs_error error = {0};
    assert_int_equal(parse(rows[i].text, &root, &error), RS_ERROR_USAGE);
    assert_string_equal(error.text, rows[i].refusal);
    assert_null(root);
  }
}

static void sixteen_levels_are_read(void **state) {
  (void)state;
  struct rs_yaml_node *root = NULL;
  struct rs_error error = {0};
  assert_int_equal(parse("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", &root, &error), RS_OK);
  rs_yaml_tree_close(root);
}

// Broken files neither crash nor leak; run under the sanitizers this is the proof.
static void mutilated_files_are_refused_with_a_place(void **state) {
  (void)state;
  static const char text[] =
      "hosts:\n  node[1-2]: {zone: a, switch: s1}\n  n3: [x, 'y']\nswitches:\n  s1: {parent: s2}\n";
  static const char shards[] = "[]{}:,&*!|>'\"%@`#-? \n\t\\0.\xc3\xff~";
  const uint64_t seed = 20261124;
  struct rs_random random = {seed};
  for (int round = 0; round < 10000; round++) {
    char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    for (uint64_t i = rs_random_below(&random, 4) + 1; i > 0; i--)
      copy[rs_random_below(&random, sizeof text - 1)] = shards[rs_random_below(&random, sizeof shards - 1)];
    struct rs_yaml_node *root = NULL;
    struct rs_error error = {0};
    enum rs_status status = rs_yaml_tree_parse("file", "f", copy, sizeof text - 1, &root, &error);
    if (status != RS_OK && (status != RS_ERROR_USAGE || strncmp(error.text, "f:", 2) != 0))
      fail_msg("seed %llu, round %d: %s\n%s", (unsigned long long)seed, round, error.text, copy);
    rs_yaml_tree_close(root);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_has_its_place),
      cmocka_unit_test(an_empty_document_has_no_root),
      cmocka_unit_test(refusals_name_the_place),
      cmocka_unit_test(sixteen_levels_are_read),
      cmocka_unit_test(mutilated_files_are_refused_with_a_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
