#include "ringside/lab.h"

#include <stdlib.h>
#include <string.h>

static void add_word(struct rs_command *command, const char *word, size_t length) {
  char *copy = command->failed ? NULL : strndup(word, length);
  char **words = copy == NULL ? NULL : realloc(command->words, (command->count + 2) * sizeof *words);
  if (words == NULL) {
    free(copy);
    command->failed = true;
    return;
  }
  words[command->count++] = copy;
  words[command->count] = NULL;
  command->words = words;
}

void rs_command_add_word(struct rs_command *command, const char *word) {
  add_word(command, word, strlen(word));
}

void rs_command_add(struct rs_command *command, const char *format, ...) {
  char *line = NULL;
  va_list arguments;
  va_start(arguments, format);
  if (vasprintf(&line, format, arguments) < 0)
    line = NULL;
  va_end(arguments);
  command->failed = command->failed || line == NULL;
  for (const char *at = line; at != NULL && *(at += strspn(at, " ")) != '\0';) {
    size_t length = strcspn(at, " ");
    add_word(command, at, length);
    at += length;
  }
  free(line);
}

void rs_command_format(const struct rs_command *command, struct rs_text *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+%@";
  for (size_t w = 0; w < command->count; w++) {
    const char *word = command->words[w];
    rs_text_append(text, "%s", w > 0 ? " " : "");
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
      rs_text_append(text, "%s", word);
      continue;
    }
    // Between single quotes everything is itself, but the quote: it's becomes 'it'\''s'.
    rs_text_append(text, "'");
    for (const char *c = word; *c != '\0'; c++)
      rs_text_append(text, *c == '\'' ? "'\\''" : "%c", *c);
    rs_text_append(text, "'");
  }
}

void rs_command_fini(struct rs_command *command) {
  for (size_t w = 0; w < command->count; w++)
    free(command->words[w]);
  free(command->words);
  *command = (struct rs_command){0};
}

void rs_commands_fini(struct rs_commands *commands) {
  for (size_t c = 0; c < commands->count; c++)
    rs_command_fini(&commands->items[c]);
  free(commands->items);
  *commands = (struct rs_commands){0};
}
