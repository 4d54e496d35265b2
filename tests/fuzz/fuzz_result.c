// Result files that are good HDF5 and bad results: other types, shapes and values than ringside writes, things missing
// or in the wrong place. Then all that reads results: show, compare, gate, choose, the page's data.
//
// HDF5 itself can crash on a file whose bytes are damaged (tests/unit/test_store_damage.c); that is its own business.
// So the input is no file but a list of edits, which HDF5 makes in a good file:
//
//   c dataset row member value   a cell; value: see put_value
//   n dataset rows               as many rows; few, as pairs of hosts and of ranks are counted
//   s dataset shape              other dimensions: none, one without rows, two, three
//   t dataset member type        a member of another type; in the samples, the type
//   o dataset                    the members in another order, one left out
//   d dataset, g dataset         gone; a group in its place
//   l dataset target             a soft link to another, or in a circle
//   a attribute type             a root attribute of another type
#include "fuzz/fuzz.h"
#include "report/page_data.h"
#include "ringside/report.h"
#include "store/sample_run.h"

#include <hdf5.h>
#include <sys/stat.h>

#define EDITS_MAX 12
#define ROW_BYTES_MAX 65536
#define ROWS_MAX 300

static const char *const datasets[] = {"hosts",    "ranks", "rank_devices", "links",      "environment",
                                       "counters", "cases", "pairs",        "iterations", "samples"};
static const char *const attributes[] = {"format",          "schema_version",   "created",      "run_uuid",
                                         "status",          "config",           "command_line", "world",
                                         "label.placement", "ringside_version", "a.new.one"};

// HDF5 1.10 loses memory over types that it cannot convert. What of ours is not given back to it, read_all counts.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5";
}

// ---- a good file ------------------------------------------------------------------------------------------

struct file_bytes {
  void *data;
  size_t count;
};

static struct file_bytes make_file(void) {
  static struct sample_run run;
  struct sample_place *place = NULL;
  struct rs_error error = {0};
  struct stat facts;
  struct file_bytes file;
  void *state;
  sample_run_init(&run);
  strcpy(run.cases[1].benchmark, "p2p");
  strcpy(run.cases[1].collective, "pingpong");
  strcpy(run.cases[2].benchmark, "reduce");
  FUZZ_REQUIRE(sample_place_make(&state) == 0);
  place = state;
  // Not finished, as reading chunks of 512 KiB would take most of the time; two cases have samples.
  struct rs_writer *writer = NULL;
  FUZZ_REQUIRE(rs_writer_open(place->path, false, &run.facts, &writer, &error) == RS_OK);
  for (size_t c = 0; c < 2; c++)
    FUZZ_REQUIRE(sample_write_case(writer, &run, c, &error) == RS_OK);
  rs_writer_abandon(writer);
  FILE *from = fopen(place->path, "rb");
  FUZZ_REQUIRE(from != NULL && fstat(fileno(from), &facts) == 0);
  file.count = (size_t)facts.st_size;
  file.data = malloc(file.count);
  FUZZ_REQUIRE(file.data != NULL && fread(file.data, 1, file.count, from) == file.count);
  fclose(from);
  sample_place_remove(&state);
  return file;
}

// HDF5 wants a file that has a name; in memory where there is such a place. The caller removes it.
static void copy_file(const struct file_bytes *bytes, char path[64]) {
  snprintf(path, 64, "%s/rs-fuzz-XXXXXX", access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
  int fd = mkstemp(path);
  FUZZ_REQUIRE(fd >= 0 && write(fd, bytes->data, bytes->count) == (ssize_t)bytes->count);
  close(fd);
}

// ---- edits ------------------------------------------------------------------------------------------------

// Rows as they are in the file, in its own type.
struct table {
  hid_t type;
  size_t row_bytes;
  hsize_t rows, columns; // columns: 0 in tables
  uint8_t *data;
};

static bool table_read(hid_t file, const char *name, struct table *table) {
  hsize_t dimensions[2] = {0};
  *table = (struct table){.type = -1};
  if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
    return false;
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = set < 0 ? -1 : H5Dget_space(set);
  bool good = space >= 0 && H5Sget_simple_extent_ndims(space) >= 1 && H5Sget_simple_extent_ndims(space) <= 2 &&
              H5Sget_simple_extent_dims(space, dimensions, NULL) >= 1;
  table->type = set < 0 ? -1 : H5Dget_type(set);
  table->row_bytes = table->type < 0 ? 0 : H5Tget_size(table->type);
  table->rows = dimensions[0];
  table->columns = dimensions[1];
  good = good && table->row_bytes <= ROW_BYTES_MAX && table->rows <= ROWS_MAX && table->columns <= 2 &&
         H5Tdetect_class(table->type, H5T_VLEN) <= 0 && H5Tis_variable_str(table->type) <= 0;
  if (good) {
    table->data = calloc((ROWS_MAX + 1) * rs_max_size(table->columns, 1), table->row_bytes);
    good = table->data != NULL && H5Dread(set, table->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->data) >= 0;
  }
  H5Sclose(space);
  H5Dclose(set);
  return good;
}

static void table_close(struct table *table) {
  if (table->type >= 0)
    H5Tclose(table->type);
  free(table->data);
}

// Puts the rows into a dataset of this type and shape, as far as they fit. rank 0: no dimensions.
static void table_write(hid_t file, const char *name, const struct table *table, hid_t type, int rank,
                        const hsize_t *dimensions) {
  hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dimensions, NULL);
  H5Ldelete(file, name, H5P_DEFAULT);
  hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  size_t columns = rs_max_size(table->columns, 1), total = rank == 0 ? 1 : (size_t)H5Sget_simple_extent_npoints(space);
  if (set >= 0 && total <= ROWS_MAX * columns)
    H5Dwrite(set, table->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->data);
  H5Dclose(set);
  H5Sclose(space);
}

static void put_value(struct fuzz_bytes *input, uint8_t *cell, size_t bytes) {
  static const char *const words[] = {"p2p",  "pingpong",  "reduce",       "streaming", "incast",
                                      "ring", "round 1",   "avx2",         "mpi",       "float64",
                                      "ends", "broadcast", "0-4294967295", "\"<&\n\\",  "i-0abc"};
  static const double numbers[] = {NAN, INFINITY, -1, 0, 1e300, 1e-300, 0.5, 1e18};
  static const int64_t integers[] = {0, 1, -1, INT64_MAX, INT64_MIN, UINT32_MAX, INT32_MIN, 1 << 20, 2, 3, 256, 65536};
  size_t kind = fuzz_byte(input);
  uint8_t raw[8];
  for (size_t b = 0; b < sizeof raw; b++)
    raw[b] = kind < 8 ? fuzz_byte(input) : 0;
  if (kind < 8) { // as it stands in the input
    memcpy(cell, raw, rs_min_size(bytes, sizeof raw));
  } else if (kind < 32) { // text without an end
    memset(cell, kind % 2 ? 'x' : (int)(0x80 + kind), bytes);
  } else if (kind < 96) {
    memset(cell, 0, bytes);
    snprintf((char *)cell, bytes, "%s", words[kind % RS_ARRAY_LENGTH(words)]);
  } else if (kind < 160) {
    memcpy(cell, &numbers[kind % RS_ARRAY_LENGTH(numbers)], rs_min_size(bytes, sizeof numbers[0]));
  } else {
    memcpy(cell, &integers[kind % RS_ARRAY_LENGTH(integers)], rs_min_size(bytes, sizeof integers[0]));
  }
}

static void edit_cell(hid_t file, const char *name, struct table *table, struct fuzz_bytes *input) {
  size_t row = fuzz_byte(input), offset = 0, bytes = table->row_bytes;
  unsigned member = fuzz_byte(input);
  hsize_t dimensions[2] = {table->rows, table->columns};
  if (table->rows == 0)
    return;
  if (H5Tget_class(table->type) == H5T_COMPOUND) {
    member %= (unsigned)H5Tget_nmembers(table->type);
    hid_t type = H5Tget_member_type(table->type, member);
    offset = H5Tget_member_offset(table->type, member);
    bytes = H5Tget_size(type);
    H5Tclose(type);
  }
  size_t cells = (size_t)table->rows * rs_max_size(table->columns, 1);
  put_value(input, table->data + row % cells * table->row_bytes + offset, bytes);
  table_write(file, name, table, table->type, table->columns ? 2 : 1, dimensions);
}

static void edit_rows(hid_t file, const char *name, const struct table *table, struct fuzz_bytes *input) {
  static const hsize_t counts[] = {0, 1, 2, 3, 5, 17, ROWS_MAX, 400};
  const hsize_t dimensions[2] = {counts[fuzz_byte(input) % RS_ARRAY_LENGTH(counts)], table->columns};
  table_write(file, name, table, table->type, table->columns ? 2 : 1, dimensions);
}

static void edit_shape(hid_t file, const char *name, const struct table *table, struct fuzz_bytes *input) {
  static const hsize_t shapes[][3] = {{0}, {0}, {2, 3}, {3, 2, 2}, {1, 1, 1}, {5, 1}};
  static const int ranks[] = {0, 1, 2, 3, 3, 2};
  size_t shape = fuzz_byte(input) % RS_ARRAY_LENGTH(ranks);
  table_write(file, name, table, table->type, ranks[shape], shapes[shape]);
}

// A type that no member has, or that a member of another kind has.
static hid_t odd_type(size_t which) {
  const hsize_t three = 3;
  hid_t type = -1, base = -1;
  switch (which % 10) {
  case 0:
    return H5Tcopy(H5T_STD_I8BE);
  case 1:
    return H5Tcopy(H5T_IEEE_F32BE);
  case 2:
    return H5Tcopy(H5T_STD_U64LE);
  case 3:
    return H5Tcopy(H5T_STD_REF_OBJ);
  case 4:
    return H5Tarray_create2(H5T_STD_I32LE, 1, &three);
  case 5:
    return H5Tvlen_create(H5T_STD_I32LE);
  case 6:
    return H5Tenum_create(H5T_STD_I32LE);
  case 7:
    type = H5Tcreate(H5T_OPAQUE, 300);
    return type;
  case 8:
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    return type;
  default:
    base = H5Tcopy(H5T_C_S1);
    H5Tset_size(base, 1 + which);
    return base;
  }
}

static void edit_type(hid_t file, const char *name, const struct table *table, struct fuzz_bytes *input) {
  const hsize_t dimensions[2] = {table->rows, table->columns};
  unsigned odd = fuzz_byte(input), members = 0;
  hid_t type, other = odd_type(fuzz_byte(input));
  if (H5Tget_class(table->type) != H5T_COMPOUND) {
    type = H5Tcopy(other);
  } else {
    members = (unsigned)H5Tget_nmembers(table->type);
    type = H5Tcreate(H5T_COMPOUND, table->row_bytes + H5Tget_size(other));
  }
  for (unsigned m = 0, offset = 0; m < members; m++) {
    char *member_name = H5Tget_member_name(table->type, m);
    hid_t member = m == odd % members ? H5Tcopy(other) : H5Tget_member_type(table->type, m);
    H5Tinsert(type, member_name, offset, member);
    offset += (unsigned)H5Tget_size(member);
    H5free_memory(member_name);
    H5Tclose(member);
  }
  table_write(file, name, table, type, table->columns ? 2 : 1, dimensions);
  H5Tclose(type);
  H5Tclose(other);
}

// Backwards and without its last member, which is the first of the file's.
static void edit_order(hid_t file, const char *name, const struct table *table) {
  const hsize_t dimensions[1] = {table->rows};
  if (H5Tget_class(table->type) != H5T_COMPOUND)
    return;
  hid_t type = H5Tcreate(H5T_COMPOUND, table->row_bytes);
  size_t offset = 0;
  for (unsigned m = (unsigned)H5Tget_nmembers(table->type); m-- > 1;) {
    char *member_name = H5Tget_member_name(table->type, m);
    hid_t member = H5Tget_member_type(table->type, m);
    H5Tinsert(type, member_name, offset, member);
    offset += H5Tget_size(member);
    H5free_memory(member_name);
    H5Tclose(member);
  }
  table_write(file, name, table, type, 1, dimensions);
  H5Tclose(type);
}

static void edit_attribute(hid_t file, struct fuzz_bytes *input) {
  static const hsize_t two[] = {2};
  const char *name = attributes[fuzz_byte(input) % RS_ARRAY_LENGTH(attributes)];
  size_t kind = fuzz_byte(input);
  uint8_t *value = malloc(ROW_BYTES_MAX);
  FUZZ_REQUIRE(value != NULL);
  memset(value, fuzz_byte(input), ROW_BYTES_MAX);
  hid_t type = odd_type(kind);
  hid_t space = kind >= 192   ? H5Screate(H5S_NULL)
                : kind >= 128 ? H5Screate_simple(1, two, NULL)
                              : H5Screate(H5S_SCALAR);
  H5Adelete(file, name);
  hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Tdetect_class(type, H5T_VLEN) <= 0 && H5Tis_variable_str(type) <= 0)
    H5Awrite(attribute, type, value);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  free(value);
}

static void edit_link(hid_t file, const char *name, int letter, struct fuzz_bytes *input) {
  H5Ldelete(file, name, H5P_DEFAULT);
  if (letter == 'g')
    H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (letter == 'l')
    H5Lcreate_soft(datasets[fuzz_byte(input) % RS_ARRAY_LENGTH(datasets)], file, name, H5P_DEFAULT, H5P_DEFAULT);
}

static void edit(hid_t file, struct fuzz_bytes *input) {
  int letter = fuzz_byte(input);
  if (letter == 'a') {
    edit_attribute(file, input);
    return;
  }
  const char *name = datasets[fuzz_byte(input) % RS_ARRAY_LENGTH(datasets)];
  struct table table;
  bool readable = table_read(file, name, &table);
  if (letter == 'd' || letter == 'g' || letter == 'l')
    edit_link(file, name, letter, input);
  else if (readable && letter == 'c')
    edit_cell(file, name, &table, input);
  else if (readable && letter == 'n')
    edit_rows(file, name, &table, input);
  else if (readable && letter == 's')
    edit_shape(file, name, &table, input);
  else if (readable && letter == 't')
    edit_type(file, name, &table, input);
  else if (readable && letter == 'o')
    edit_order(file, name, &table);
  table_close(&table);
}

// ---- readers ----------------------------------------------------------------------------------------------

static void show(const struct rs_result *result, FILE *file) {
  struct rs_stragglers stragglers = {0};
  struct rs_error error = {0};
  uint64_t kept = 0;
  rs_report_table(result, file);
  rs_report_csv(result, true, file);
  rs_report_nccl_tests(result, file);
  rs_report_prometheus(&result, 1, file);
  fuzz_require_words(rs_report_jsonl(result, file, &error), &error);
  error = (struct rs_error){0};
  enum rs_status status = rs_stragglers_find(result, &stragglers, &error);
  fuzz_require_words(status, &error);
  if (status == RS_OK) {
    rs_stragglers_print(result, &stragglers, file);
    rs_stragglers_note(result, &stragglers, file);
    fuzz_require_words(rs_report_json(result, &stragglers, file, &error), &error);
    rs_stragglers_fini(&stragglers);
  }
  error = (struct rs_error){0};
  json_t *page = rs_page_data_make(result, 1, &kept, &error);
  fuzz_require_words(error.status, &error);
  json_decref(page);
}

static void show_placement(const struct rs_result *result, FILE *file) {
  struct rs_rank_device *devices = NULL;
  struct rs_placement_view view;
  struct rs_text text = {0};
  struct rs_error error = {0};
  enum rs_status status = rs_report_placement(result, &devices, &view, &error);
  fuzz_require_words(status, &error);
  if (status < 0)
    return;
  rs_placement_tree(&view, &text);
  rs_placement_warnings(&view, &text);
  fuzz_require_words(rs_report_topology(result->path, &view, file, &error), &error);
  rs_text_fini(&text);
  free(devices);
}

static void compare(const struct rs_result *good, const struct rs_result *result, FILE *file) {
  struct rs_comparison comparison = {0};
  struct rs_error error = {0};
  enum rs_status status = rs_comparison_make(&good, 1, &result, 1, NULL, &comparison, &error);
  fuzz_require_words(status, &error);
  if (status < 0)
    return;
  static const struct rs_gate_options options = {.allow_missing = true};
  struct rs_gate_outcome outcome;
  rs_comparison_print(&comparison, file);
  fuzz_require_words(rs_comparison_json(&comparison, file, &error), &error);
  rs_gate_judge(&comparison, &options, &outcome);
  rs_gate_print(&outcome, file);
  rs_gate_junit(&outcome, file);
  fuzz_require_words(rs_gate_json(&outcome, file, &error), &error);
  rs_comparison_fini(&comparison);
}

static void choose(const struct rs_result *good, const struct rs_result *result, FILE *file) {
  const struct rs_result *const results[] = {good, result};
  struct rs_result_groups groups = {0};
  struct rs_choice choice = {0};
  static const struct rs_comparison_options defaults = {0};
  struct rs_error error = {0};
  enum rs_status status = rs_result_groups_make(results, 2, "run_uuid", &groups, &error);
  if (status < 0) {
    error = (struct rs_error){0};
    status = rs_result_groups_make(results, 2, "placement", &groups, &error);
  }
  if (status == RS_OK)
    status = rs_choice_make(&groups, "placement", &defaults, &choice, &error);
  fuzz_require_words(status, &error);
  if (status == RS_OK) {
    rs_choice_print(&choice, file);
    fuzz_require_words(rs_choice_json(&choice, file, &error), &error);
  }
  rs_choice_fini(&choice);
  rs_result_groups_fini(&groups);
}

static void read_all(const char *path, const struct rs_result *good) {
  struct rs_result *result = NULL;
  struct rs_error error = {0};
  ssize_t ids = H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
  enum rs_status status = rs_result_open(path, &result, &error);
  fuzz_require_words(status, &error);
  FUZZ_REQUIRE((status == RS_OK) == (result != NULL));
  FUZZ_REQUIRE(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == ids);
  if (result == NULL)
    return;
  FILE *file = fopen("/dev/null", "w");
  FUZZ_REQUIRE(file != NULL);
  show(result, file);
  show_placement(result, file);
  compare(good, result, file);
  choose(good, result, file);
  fclose(file);
  rs_result_close(result);
  FUZZ_REQUIRE(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  static struct file_bytes base;
  static struct rs_result *good;
  struct fuzz_bytes input = {data, bytes};
  struct rs_error error = {0};
  char path[64];
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (good == NULL) {
    struct file_bytes other = make_file();
    copy_file(&other, path);
    if (rs_result_open(path, &good, &error) < 0)
      fprintf(stderr, "%s\n", error.text);
    FUZZ_REQUIRE(good != NULL);
    unlink(path);
    free(other.data);
    base = make_file();
  }
  copy_file(&base, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  FUZZ_REQUIRE(file >= 0);
  for (int e = 0; e < EDITS_MAX && input.left > 0; e++)
    edit(file, &input);
  H5Fclose(file);
  read_all(path, good);
  unlink(path);
  return 0;
}
