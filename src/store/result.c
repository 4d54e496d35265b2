#include "store/attribute.h"
#include "store/h5error.h"
#include "store/h5file.h"
#include "store/row_type.h"
#include "store/run_file.h"
#include "store/slowdown.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Deflate makes at most 1032 bytes of one; a file that claims more is damaged, and must not make us ask for the memory.
#define MOST_EXPANSION 1032

// ---- opening: from "is there a file" to "is it a result that we can read"

// Whatever is wrong with the content, the remedy is the same.
static enum rs_status set_damaged(const char *path, const char *part, struct rs_error *error) {
  return rs_h5_error_set(error, RS_ERROR_USAGE,
                         "%s is damaged (%s), or was cut short when it was copied; copy it again or repeat the run",
                         path, part);
}

static enum rs_status check_signature(const char *path, int descriptor, struct rs_error *error) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char start[sizeof signature];
  struct stat file;
  if (fstat(descriptor, &file) != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "cannot read %s", path);
  if (!S_ISREG(file.st_mode))
    return rs_error_set(error, RS_ERROR_USAGE, "cannot read %s: not a file; name a result file of ringside run", path);
  if (pread(descriptor, start, sizeof start, 0) != (ssize_t)sizeof start || memcmp(start, signature, sizeof start) != 0)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s is not a result file (it does not begin like HDF5); name a file that ringside run wrote",
                        path);
  return RS_OK;
}

// O_NONBLOCK: a named pipe must not make us wait for a writer.
static enum rs_status open_hdf5(const char *path, hid_t *file, struct rs_error *error) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "cannot read %s; name a result file of ringside run", path);
  enum rs_status status = check_signature(path, descriptor, error);
  close(descriptor);
  if (status != RS_OK)
    return status;
  *file = rs_h5_open(path);
  return *file >= 0 ? RS_OK : set_damaged(path, "its structure", error);
}

static char *root_text(hid_t file, const char *name, size_t limit) {
  if (H5Aexists(file, name) <= 0)
    return NULL;
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  char *text = attribute < 0 ? NULL : rs_attribute_read_text(attribute, limit);
  rs_h5_close(attribute);
  return text;
}

static enum rs_status check_format(const char *path, hid_t file, uint32_t *schema_version, struct rs_error *error) {
  char *format = root_text(file, "format", sizeof RS_FORMAT_NAME);
  bool ours =
      format && strcmp(format, RS_FORMAT_NAME) == 0 && rs_attribute_read_number(file, "schema_version", schema_version);
  free(format);
  if (!ours)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s is an HDF5 file, but not ringside's (no attribute format=\"ringside\" with a "
                        "schema_version); name a file that ringside run wrote",
                        path);
  if (*schema_version > RS_SCHEMA_VERSION)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s has schema %u, but ringside " RS_VERSION_STRING
                        " reads schemas up to %d; read it with a newer ringside",
                        path, *schema_version, RS_SCHEMA_VERSION);
  return RS_OK;
}

// Opens `path` as a result file; the caller closes *file.
static enum rs_status open_result(const char *path, hid_t *file, uint32_t *schema_version, struct rs_error *error) {
  hid_t opened = -1;
  enum rs_status status = open_hdf5(path, &opened, error);
  if (status != RS_OK)
    return status;
  status = check_format(path, opened, schema_version, error);
  if (status == RS_OK)
    *file = opened;
  else
    rs_h5_close(opened);
  return status;
}

static hsize_t file_bytes(hid_t file) {
  hsize_t bytes;
  return H5Fget_filesize(file, &bytes) < 0 ? 0 : bytes;
}

// ---- attributes

struct attribute_reader {
  struct rs_result *result;
  size_t limit, capacity;
  struct rs_error *error;
};

static bool keep_fixed(struct rs_result *result, const char *name, char *text) {
  const struct {
    const char *name;
    char *value;
    size_t bytes;
  } fields[] = {
      {"created", result->created, sizeof result->created},
      {"ringside_version", result->ringside_version, sizeof result->ringside_version},
      {"run_uuid", result->run_uuid, sizeof result->run_uuid},
      {"status", result->status, sizeof result->status},
  };
  for (size_t f = 0; f < RS_ARRAY_LENGTH(fields); f++)
    if (strcmp(name, fields[f].name) == 0) {
      snprintf(fields[f].value, fields[f].bytes, "%s", text);
      return true;
    }
  return strcmp(name, "format") == 0;
}

static char **long_text(struct rs_result *result, const char *name) {
  if (strcmp(name, "command_line") == 0)
    return &result->command_line;
  return strcmp(name, "config") == 0 ? &result->config : NULL;
}

// Takes `text` over.
static enum rs_status keep_text(struct attribute_reader *reader, const char *name, char *text) {
  struct rs_result *result = reader->result;
  char **place = long_text(result, name);
  if (place && *place == NULL) {
    *place = text;
    return RS_OK;
  }
  if (place || strlen(name) >= sizeof result->attributes->key || keep_fixed(result, name, text)) {
    free(text);
    return RS_OK;
  }
  if (result->attribute_count == reader->capacity) {
    size_t capacity = 2 * reader->capacity + 16;
    struct rs_attribute *larger = realloc(result->attributes, capacity * sizeof *larger);
    if (larger == NULL) {
      free(text);
      return rs_error_set_memory(reader->error, capacity * sizeof *larger, "attributes");
    }
    result->attributes = larger;
    reader->capacity = capacity;
  }
  struct rs_attribute *kept = &result->attributes[result->attribute_count++];
  snprintf(kept->key, sizeof kept->key, "%s", name);
  kept->value = text;
  return RS_OK;
}

static herr_t read_attribute(hid_t file, const char *name, const H5A_info_t *info, void *data) {
  (void)info;
  struct attribute_reader *reader = data;
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  if (attribute < 0)
    return -1;
  char *text = rs_attribute_read_text(attribute, reader->limit);
  rs_h5_close(attribute);
  // Not a text: a number of ours, or somebody's own.
  if (text == NULL)
    return 0;
  return keep_text(reader, name, text) == RS_OK ? 0 : -1;
}

static enum rs_status read_attributes(struct rs_result *result, hid_t file, struct rs_error *error) {
  struct attribute_reader reader = {.result = result, .limit = file_bytes(file), .error = error};
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, NULL, read_attribute, &reader) >= 0) {
    if (result->command_line == NULL)
      result->command_line = calloc(1, 1);
    if (result->config == NULL)
      result->config = calloc(1, 1);
    if (result->command_line && result->config)
      return RS_OK;
    return rs_error_set_memory(error, 1, "attributes");
  }
  return error->status != RS_OK ? error->status : set_damaged(result->path, "its attributes", error);
}

// ---- tables

// A dataset of `columns` columns (0: a table) and a believable number of rows; negative when it is not that.
static hid_t open_dataset(hid_t file, const char *name, hsize_t columns, size_t row_bytes, hsize_t *rows) {
  hsize_t found, limit = file_bytes(file);
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset >= 0 && rs_h5_dataset_extent(dataset, rows, &found) >= 0 && found == columns &&
      *rows <= limit * MOST_EXPANSION / row_bytes)
    return dataset;
  rs_h5_close(dataset);
  return -1;
}

// The whole table, never NULL on success; the caller frees it. What a row lacks in the file it has from `absent`, or is
// 0 where that is NULL.
static void *read_table(const struct rs_result *result, hid_t file, const struct rs_row_type *type, const void *absent,
                        size_t *count, struct rs_error *error) {
  hsize_t found;
  hid_t dataset = open_dataset(file, type->dataset, 0, type->bytes, &found);
  if (dataset < 0) {
    set_damaged(result->path, type->dataset, error);
    return NULL;
  }
  void *rows = rs_allocate(found, type->bytes, "a table of the result file", error);
  if (rows && rs_row_type_read(type, dataset, 0, found, rows) < 0) {
    set_damaged(result->path, type->dataset, error);
    free(rows);
    rows = NULL;
  } else if (rows && absent) {
    rs_row_type_complete(type, dataset, found, absent, rows);
  }
  rs_h5_close(dataset);
  if (rows)
    *count = found;
  return rows;
}

// A table that came later than the schema: files without it are good files.
static enum rs_status read_later_table(const struct rs_result *result, hid_t file, const struct rs_row_type *type,
                                       void **rows, size_t *count, struct rs_error *error) {
  if (H5Lexists(file, type->dataset, H5P_DEFAULT) <= 0)
    return RS_OK;
  *rows = read_table(result, file, type, NULL, count, error);
  return *rows ? RS_OK : error->status;
}

static struct rs_device_row *read_devices(const struct rs_result *result, hid_t file, size_t *count,
                                          struct rs_error *error) {
  static const struct rs_device_row absent = {.numa_node = -1};
  return read_table(result, file, &rs_device_row_type, &absent, count, error);
}

static struct rs_case_row *read_cases(const struct rs_result *result, hid_t file, size_t *count,
                                      struct rs_error *error) {
  static const struct rs_case_row absent = {.root = -1, .slowdown = 1, .cpu_ns = NAN};
  struct rs_case_row *cases = read_table(result, file, &rs_case_row_type, &absent, count, error);
  for (size_t c = 0; cases && c < *count; c++)
    if (cases[c].measured_ranks == 0)
      cases[c].measured_ranks = cases[c].rank_count;
  return cases;
}

static enum rs_status check_pairs(const struct rs_result *result, struct rs_error *error) {
  size_t rank_count = result->placement.rank_count;
  for (size_t p = 0; p < result->pair_count; p++) {
    const struct rs_pair_row *pair = &result->pairs[p];
    if (pair->case_id >= result->case_count || pair->rank_a >= rank_count || pair->rank_b >= rank_count)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s is damaged: row %zu of /pairs is of ranks %u and %u of %zu in case %u; repeat the run",
                          result->path, p, pair->rank_a, pair->rank_b, rank_count, pair->case_id);
  }
  return RS_OK;
}

// What every reader of a result relies on without looking.
static enum rs_status check_tables(const struct rs_result *result, struct rs_error *error) {
  const struct rs_placement *placement = &result->placement;
  for (size_t r = 0; r < placement->rank_count; r++)
    if (placement->ranks[r].host >= placement->host_count)
      return rs_error_set(error, RS_ERROR_USAGE, "%s is damaged: rank %zu is on host %u of %zu; repeat the run",
                          result->path, r, placement->ranks[r].host, placement->host_count);
  for (size_t l = 0; l < result->link_count; l++)
    if (result->links[l].source >= placement->rank_count || result->links[l].target >= placement->rank_count)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s is damaged: row %zu of /links is from rank %u to rank %u of %zu; repeat the run",
                          result->path, l, result->links[l].source, result->links[l].target, placement->rank_count);
  for (size_t e = 0; e < result->environment_count; e++)
    if (result->environment[e].host >= placement->host_count)
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s is damaged: row %zu of /environment is of host %u of %zu; repeat the run", result->path,
                          e, result->environment[e].host, placement->host_count);
  for (size_t c = 0; c < result->counter_count; c++) {
    const struct rs_counter_row *counter = &result->counters[c];
    if (counter->host >= placement->host_count ||
        (counter->rank >= 0 && (size_t)counter->rank >= placement->rank_count))
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s is damaged: row %zu of /counters is of rank %d on host %u; repeat the run", result->path,
                          c, counter->rank, counter->host);
  }
  for (size_t c = 0; c < result->case_count; c++)
    if (result->cases[c].case_id != c)
      return rs_error_set(error, RS_ERROR_USAGE, "%s is damaged: row %zu of /cases has case_id %u; repeat the run",
                          result->path, c, result->cases[c].case_id);
  return check_pairs(result, error);
}

static enum rs_status read_tables(struct rs_result *result, hid_t file, struct rs_error *error) {
  struct rs_placement *placement = &result->placement;
  placement->hosts = read_table(result, file, &rs_host_row_type, NULL, &placement->host_count, error);
  if (placement->hosts)
    placement->ranks = read_table(result, file, &rs_rank_row_type, NULL, &placement->rank_count, error);
  if (placement->ranks)
    result->devices = read_devices(result, file, &result->device_count, error);
  if (result->devices)
    result->cases = read_cases(result, file, &result->case_count, error);
  if (result->cases == NULL)
    return error->status;
  void *links = NULL, *environment = NULL, *counters = NULL, *pairs = NULL;
  enum rs_status status = read_later_table(result, file, &rs_link_row_type, &links, &result->link_count, error);
  if (status == RS_OK)
    status = read_later_table(result, file, &rs_environment_row_type, &environment, &result->environment_count, error);
  if (status == RS_OK)
    status = read_later_table(result, file, &rs_counter_row_type, &counters, &result->counter_count, error);
  if (status == RS_OK)
    status = read_later_table(result, file, &rs_pair_row_type, &pairs, &result->pair_count, error);
  result->links = links;
  result->environment = environment;
  result->counters = counters;
  result->pairs = pairs;
  return status == RS_OK ? check_tables(result, error) : status;
}

static enum rs_status result_open(const char *path, struct rs_result **opened, struct rs_error *error) {
  hid_t file = -1;
  uint32_t schema_version = 0;
  enum rs_status status = open_result(path, &file, &schema_version, error);
  if (status != RS_OK)
    return status;
  struct rs_result *result = rs_allocate(1, sizeof *result, "a result", error);
  if (result == NULL) {
    status = error->status;
    goto close_file;
  }
  result->schema_version = schema_version;
  result->path = strdup(path);
  status = result->path ? read_attributes(result, file, error) : rs_error_set_memory(error, strlen(path), "a path");
  if (status == RS_OK)
    status = read_tables(result, file, error);
  if (status == RS_OK) {
    rs_slowdown_remove(result);
    *opened = result;
  } else {
    rs_result_close(result);
  }
close_file:
  rs_h5_close(file);
  return status;
}

enum rs_status rs_result_open(const char *path, struct rs_result **result, struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = result_open(path, result, error);
  rs_h5_silence_end(&silence);
  return status;
}

// ---- samples

// The file may have been completed since the result was read, which moves the samples: its own row says where they are.
static enum rs_status find_samples(const struct rs_result *result, const struct rs_case_row *row, hid_t file,
                                   uint64_t *offset, struct rs_error *error) {
  hsize_t cases;
  struct rs_case_row now = {0};
  enum rs_status status = RS_OK;
  char *run_uuid = root_text(file, "run_uuid", sizeof result->run_uuid);
  hid_t dataset = open_dataset(file, rs_case_row_type.dataset, 0, rs_case_row_type.bytes, &cases);
  if (run_uuid == NULL || strcmp(run_uuid, result->run_uuid) != 0)
    status = rs_error_set(error, RS_ERROR_USAGE,
                          "%s was replaced by another run while it was being read; read it again", result->path);
  else if (dataset < 0 || row->case_id >= cases ||
           rs_row_type_read(&rs_case_row_type, dataset, row->case_id, 1, &now) < 0)
    status = set_damaged(result->path, rs_case_row_type.dataset, error);
  else if (!now.finished || now.iterations != row->iterations || now.rank_count != row->rank_count ||
           now.rank_count == 0)
    status = rs_error_set(error, RS_ERROR_USAGE, "case %u of %s is not finished and has no samples", row->case_id,
                          result->path);
  rs_h5_close(dataset);
  free(run_uuid);
  if (status == RS_OK)
    *offset = now.sample_offset;
  return status;
}

// Every number in the file is doubted before memory is asked for.
// No clock shows them, and whoever takes differences need not think of overflow.
#define TIME_NS_MAX (INT64_MAX / 4)

static bool times_are_possible(const struct rs_sample *times, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (times[i].entry_ns < -TIME_NS_MAX || times[i].entry_ns > TIME_NS_MAX || times[i].exit_ns < -TIME_NS_MAX ||
        times[i].exit_ns > TIME_NS_MAX)
      return false;
  return true;
}

static enum rs_status read_samples(const struct rs_result *result, const struct rs_case_row *row, hid_t file,
                                   uint64_t offset, struct rs_iteration_row **iterations, struct rs_sample **samples,
                                   struct rs_error *error) {
  struct rs_iteration_row *flags = NULL;
  struct rs_sample *times = NULL;
  enum rs_status status = RS_OK;
  hsize_t iteration_rows, sample_rows;
  size_t count = 0;
  uint64_t first = offset / row->rank_count;
  hid_t iteration_set = open_dataset(file, rs_iteration_row_type.dataset, 0, sizeof *flags, &iteration_rows);
  hid_t sample_set = open_dataset(file, "samples", RS_SAMPLE_COLUMNS, sizeof *times, &sample_rows);
  if (iteration_set < 0 || sample_set < 0 || !rs_multiply_size(row->iterations, row->rank_count, &count) ||
      offset > sample_rows || count > sample_rows - offset || first > iteration_rows ||
      row->iterations > iteration_rows - first) {
    status = set_damaged(result->path, "the place of the samples", error);
    goto close_sets;
  }
  flags = rs_allocate(row->iterations, sizeof *flags, "the iterations of a case", error);
  times = flags ? rs_allocate(count, sizeof *times, "the samples of a case", error) : NULL;
  if (times == NULL)
    status = error->status;
  else if (rs_row_type_read(&rs_iteration_row_type, iteration_set, first, row->iterations, flags) < 0 ||
           rs_h5_rows_read(sample_set, H5T_NATIVE_INT64, offset, count, times) < 0 || !times_are_possible(times, count))
    status = set_damaged(result->path, "its samples", error);
close_sets:
  rs_h5_close(sample_set);
  rs_h5_close(iteration_set);
  if (status == RS_OK) {
    rs_slowdown_remove_samples(row, times, count);
    *iterations = flags;
    *samples = times;
  } else {
    free(times);
    free(flags);
  }
  return status;
}

enum rs_status rs_result_samples(const struct rs_result *result, const struct rs_case_row *row,
                                 struct rs_iteration_row **iterations, struct rs_sample **samples,
                                 struct rs_error *error) {
  hid_t file = -1;
  uint64_t offset = 0;
  uint32_t schema_version;
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = open_result(result->path, &file, &schema_version, error);
  if (status == RS_OK) {
    status = find_samples(result, row, file, &offset, error);
    if (status == RS_OK)
      status = read_samples(result, row, file, offset, iterations, samples, error);
    rs_h5_close(file);
  }
  rs_h5_silence_end(&silence);
  return status;
}

void rs_result_close(struct rs_result *result) {
  if (result == NULL)
    return;
  for (size_t a = 0; a < result->attribute_count; a++)
    free(result->attributes[a].value);
  free(result->attributes);
  free(result->command_line);
  free(result->config);
  rs_placement_fini(&result->placement);
  free(result->devices);
  free(result->links);
  free(result->environment);
  free(result->counters);
  free(result->cases);
  free(result->pairs);
  free(result->path);
  free(result);
}

const char *rs_result_attribute(const struct rs_result *result, const char *key) {
  for (size_t a = 0; a < result->attribute_count; a++)
    if (strcmp(result->attributes[a].key, key) == 0)
      return result->attributes[a].value;
  return NULL;
}

void rs_store_library(char *text, size_t bytes) {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, bytes, "HDF5 %u.%u.%u", major, minor, release);
}
