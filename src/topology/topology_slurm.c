// Topology files that are Slurm's topology.conf (man topology.conf), of the tree and of the block plugin:
//
//   SwitchName=s0 Nodes=n[0-5]           # a leaf
//   SwitchName=s2 Switches=s[0-1] \      # a line may go on in the next one
//     LinkSpeed=100
//   BlockName=b1 Nodes=n[06-11]
//
// Keys are case-insensitive. A block is a leaf without anything above it.
#include "topology/topology_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum key { KEY_SWITCH, KEY_BLOCK, KEY_NODES, KEY_SWITCHES, KEY_LINK_SPEED, KEY_BLOCK_SIZES, KEY_COUNT };
static const char *const key_names[] = {"SwitchName", "BlockName", "Nodes", "Switches", "LinkSpeed", "BlockSizes"};

// One line as it is meant: without its comment, and joined with those that continue it.
struct reader {
  struct rs_topology_file *file;
  struct rs_error *error;
  char *line;                    // joined, of any length
  const char *start;             // of the line in the file's text
  size_t number;                 // of its first line
  char name[RS_HOST_NAME_BYTES]; // the switch that it describes
  size_t value;                  // where in `line` the list that is being expanded starts
};

// ---- lines and places -------------------------------------------------------------------------------------

// Length of a line's end with a backslash before it, which the line goes on behind; 0: none at `at`.
static size_t continuation(const char *at) {
  if (*at != '\\')
    return 0;
  size_t blanks = strspn(at + 1, " \t\r");
  return at[1 + blanks] == '\n' ? blanks + 2 : 0;
}

// Joins the line at `at` into reader->line, and moves behind it.
static void take_line(struct reader *reader, const char **at, size_t *line_number) {
  size_t length = 0;
  reader->start = *at;
  reader->number = *line_number;
  for (;;) {
    size_t skipped = continuation(*at);
    if (skipped > 0) {
      *at += skipped;
      ++*line_number;
    } else if (**at == '#') {
      *at += strcspn(*at, "\n");
    } else if (**at == '\n' || **at == '\0') {
      break;
    } else {
      reader->line[length++] = *(*at)++;
    }
  }
  reader->line[length] = '\0';
  if (**at == '\n') {
    ++*at;
    ++*line_number;
  }
}

// Where in the file byte `offset` of the joined line stands.
static struct rs_file_place place_of(const struct reader *reader, size_t offset) {
  struct rs_file_place place = {reader->number, 1};
  const char *at = reader->start;
  for (size_t skipped;;) {
    if ((skipped = continuation(at)) > 0) {
      at += skipped;
      place = (struct rs_file_place){place.line + 1, 1};
    } else if (offset-- == 0) {
      return place;
    } else {
      place.column += (*at++ & 0xc0) != 0x80; // characters, not bytes
    }
  }
}

// Fails at a byte of the joined line; the value is the status.
#define FAIL(reader, offset, ...)                                                                                      \
  RS_TOPOLOGY_FAIL((reader)->file, place_of(reader, offset), (reader)->error, __VA_ARGS__)

// ---- KEY=VALUE --------------------------------------------------------------------------------------------

struct pair {
  enum key key;
  size_t key_at, value_at; // offsets in the line
};

// Takes the pair at *at, whose value it ends with a NUL, and moves behind it and the blanks that follow.
static enum rs_status take_pair(const struct reader *reader, size_t *at, struct pair *pair) {
  char *line = reader->line;
  size_t start = *at, key_end = start, key = 0;
  while (isalnum((unsigned char)line[key_end]) || line[key_end] == '_')
    key_end++;
  while (key < KEY_COUNT &&
         (strncasecmp(line + start, key_names[key], key_end - start) != 0 || key_names[key][key_end - start] != '\0'))
    key++;
  size_t equals = key_end + strspn(line + key_end, " \t");
  if (key_end == start || line[equals] != '=')
    return FAIL(reader, start, "KEY=VALUE is expected here, such as SwitchName=s0 Nodes=n[0-5]");
  if (key == KEY_COUNT) {
    line[key_end] = '\0';
    const char *nearest = rs_text_nearest(line + start, key_names, KEY_COUNT);
    return FAIL(reader, start, "unknown key '%.60s'; %s%s", line + start, nearest ? "did you mean " : "the keys are ",
                nearest ? nearest : "SwitchName, Nodes, Switches, LinkSpeed, BlockName and BlockSizes");
  }
  size_t value = equals + 1 + strspn(line + equals + 1, " \t");
  bool quoted = line[value] == '"';
  value += quoted;
  size_t length = strcspn(line + value, quoted ? "\"" : " \t\r");
  if (length == 0)
    return FAIL(reader, start, "%s has no value", key_names[key]);
  size_t end = value + length;
  if (quoted && line[end] == '\0')
    return FAIL(reader, value - 1, "the quote is not closed");
  *at = end + (line[end] != '\0');
  line[end] = '\0';
  *at += strspn(line + *at, " \t\r");
  *pair = (struct pair){(enum key)key, start, value};
  return RS_OK;
}

// ---- switches and nodes -----------------------------------------------------------------------------------

static enum rs_status visit_node(void *state, const char *name, struct rs_error *error) {
  const struct reader *reader = state;
  return rs_topology_file_add_name(reader->file, name, place_of(reader, reader->value), error);
}

static enum rs_status visit_child(void *state, const char *name, struct rs_error *error) {
  const struct reader *reader = state;
  return rs_topology_file_add_link(reader->file, name, reader->name, place_of(reader, reader->value), error);
}

static enum rs_status expand(struct reader *reader, const struct pair *pair, rs_hostlist_visit visit) {
  size_t offset;
  reader->value = pair->value_at;
  if (rs_hostlist_expand(reader->line + pair->value_at, visit, reader, &offset, reader->error) == RS_OK)
    return RS_OK;
  return rs_topology_file_place(reader->file, place_of(reader, pair->value_at + offset), reader->error);
}

static enum rs_status read_nodes(struct reader *reader, const struct pair *pair) {
  struct rs_topology_facts *facts;
  if (rs_topology_file_add_facts(reader->file, &facts, reader->error) < 0)
    return reader->error->status;
  memcpy(facts->leaf, reader->name, sizeof facts->leaf);
  facts->leaf_at = place_of(reader, pair->value_at);
  return expand(reader, pair, visit_node);
}

static enum rs_status read_name(struct reader *reader, const struct pair *pair) {
  const char *name = reader->line + pair->value_at;
  size_t length = strlen(name);
  if (strpbrk(name, "[],/") != NULL)
    return FAIL(reader, pair->value_at, "'%.60s' is not the name of one switch; write a line for each", name);
  if (length >= sizeof reader->name)
    return FAIL(reader, pair->value_at, "the name '%.20s...' is longer than %zu characters", name,
                sizeof reader->name - 1);
  memcpy(reader->name, name, length + 1);
  return rs_topology_file_add_switch(reader->file, name, place_of(reader, pair->value_at), reader->error);
}

// The rest of a line that has named its switch.
static enum rs_status read_members(struct reader *reader, size_t at) {
  bool given[KEY_COUNT] = {false};
  while (reader->line[at] != '\0') {
    struct pair pair = {0};
    enum rs_status status = take_pair(reader, &at, &pair);
    if (status != RS_OK)
      return status;
    if (given[pair.key] || pair.key == KEY_SWITCH || pair.key == KEY_BLOCK)
      return FAIL(reader, pair.key_at, "%s stands a second time in this line", key_names[pair.key]);
    given[pair.key] = true;
    if (pair.key == KEY_NODES)
      status = read_nodes(reader, &pair);
    else if (pair.key == KEY_SWITCHES)
      status = expand(reader, &pair, visit_child);
    if (status != RS_OK)
      return status;
  }
  if (!given[KEY_NODES] && !given[KEY_SWITCHES])
    return FAIL(reader, 0, "%s has neither Nodes nor Switches", reader->name);
  return RS_OK;
}

static enum rs_status read_line(struct reader *reader) {
  struct pair first = {0};
  size_t at = strspn(reader->line, " \t\r");
  if (reader->line[at] == '\0')
    return RS_OK;
  if (take_pair(reader, &at, &first) < 0)
    return reader->error->status;
  if (first.key == KEY_BLOCK_SIZES)
    return RS_OK;
  if (first.key != KEY_SWITCH && first.key != KEY_BLOCK)
    return FAIL(reader, first.key_at, "a line starts with SwitchName or BlockName, not with %s", key_names[first.key]);
  if (read_name(reader, &first) < 0)
    return reader->error->status;
  return read_members(reader, at);
}

enum rs_status rs_topology_slurm_read(struct rs_topology_file *file, const char *text, size_t bytes,
                                      struct rs_error *error) {
  struct reader reader = {.file = file, .error = error};
  reader.line = rs_allocate(bytes + 1, 1, "a line of a topology file", error);
  if (reader.line == NULL)
    return error->status;
  enum rs_status status = RS_OK;
  size_t line_number = 1;
  for (const char *at = text; *at != '\0' && status == RS_OK;) {
    take_line(&reader, &at, &line_number);
    status = read_line(&reader);
  }
  free(reader.line);
  return status;
}
