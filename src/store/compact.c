#include "store/compact.h"
#include "store/attribute.h"
#include "store/h5error.h"
#include "store/h5file.h"
#include "store/row_type.h"

#include <stdlib.h>
#include <string.h>

// ---- everything that is copied as it is, whatever it is: attributes, small tables, topology

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *data) {
  const hid_t to = *(const hid_t *)data;
  if (strcmp(name, "status") == 0)
    return rs_attribute_write_text(to, name, "complete");
  herr_t result = -1;
  void *value = malloc(info->data_size);
  hid_t copy = -1, attribute = H5Aopen(from, name, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (value && H5Aread(attribute, type, value) >= 0)
    copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (copy >= 0)
    result = H5Awrite(copy, type, value);
  rs_h5_close(copy);
  rs_h5_close(space);
  rs_h5_close(type);
  rs_h5_close(attribute);
  free(value);
  return result;
}

static herr_t copy_dataset(hid_t from, hid_t to, const char *name) {
  herr_t result = -1;
  hsize_t rows, columns;
  void *data = NULL;
  hid_t copy = -1, type = H5Dget_type(from);
  if (type < 0 || rs_h5_dataset_extent(from, &rows, &columns) < 0)
    goto close_type;
  // One byte more, since a table may be empty.
  data = malloc(rows * (columns == 0 ? 1 : columns) * H5Tget_size(type) + 1);
  if (data && rs_h5_rows_read(from, type, 0, rows, data) >= 0)
    copy = rs_h5_dataset_create(to, name, type, rows, columns, true);
  if (copy >= 0)
    result = rs_h5_rows_write(copy, type, 0, rows, data);
  rs_h5_close(copy);
  free(data);
close_type:
  rs_h5_close(type);
  return result;
}

static bool is_large(const char *name) {
  return strcmp(name, "cases") == 0 || strcmp(name, "iterations") == 0 || strcmp(name, "samples") == 0;
}

static herr_t copy_object(hid_t from, const char *name, const H5L_info_t *info, void *data) {
  (void)info;
  const hid_t to = *(const hid_t *)data;
  if (is_large(name))
    return 0;
  herr_t result = -1;
  hid_t group = -1, object = H5Oopen(from, name, H5P_DEFAULT);
  if (H5Iget_type(object) == H5I_GROUP) {
    group = H5Gcreate2(to, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group >= 0)
      result = H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_object, &group);
  } else {
    result = copy_dataset(object, to, name);
  }
  rs_h5_close(group);
  rs_h5_close(object);
  return result;
}

// ---- cases, iterations and samples: the used rows, moved together

// Where the rows of a case stand in the two files.
struct move {
  hsize_t from, to, iterations;
};

static herr_t move_iterations(hid_t from, hid_t to, const struct move *move, void *buffer) {
  if (rs_row_type_read(&rs_iteration_row_type, from, move->from, move->iterations, buffer) < 0)
    return -1;
  return rs_row_type_write(&rs_iteration_row_type, to, move->to, move->iterations, buffer);
}

static herr_t move_samples(hid_t from, hid_t to, const struct move *move, size_t rank_count, void *buffer) {
  hsize_t count = move->iterations * rank_count;
  if (rs_h5_rows_read(from, H5T_NATIVE_INT64, move->from * rank_count, count, buffer) < 0)
    return -1;
  return rs_h5_rows_write(to, H5T_NATIVE_INT64, move->to * rank_count, count, buffer);
}

static herr_t move_cases(const struct rs_run_file *from, const struct rs_run_file *to, struct rs_case_row *cases,
                         size_t case_count, size_t rank_count, void *buffer) {
  struct move move = {0};
  herr_t result = 0;
  for (size_t c = 0; result >= 0 && c < case_count; c++) {
    move.from = cases[c].sample_offset / rank_count;
    move.iterations = cases[c].iterations;
    result = move_iterations(from->iterations, to->iterations, &move, buffer);
    if (result >= 0)
      result = move_samples(from->samples, to->samples, &move, rank_count, buffer);
    cases[c].sample_offset = move.to * rank_count;
    move.to += move.iterations;
  }
  return result < 0 ? result : rs_row_type_write(&rs_case_row_type, to->cases, 0, case_count, cases);
}

static enum rs_status copy_all(const struct rs_run_file *from, struct rs_run_file *to, const char *path,
                               struct rs_case_row *cases, size_t case_count, size_t rank_count,
                               struct rs_error *error) {
  hsize_t used = 0, longest = 0;
  for (size_t c = 0; c < case_count; c++) {
    used += cases[c].iterations;
    longest = cases[c].iterations > longest ? cases[c].iterations : longest;
  }
  // The larger of the two row types serves both; there is a sample per rank, and at least one rank.
  void *buffer = rs_allocate(longest, rank_count * sizeof(struct rs_sample), "the samples of one case", error);
  if (buffer == NULL)
    return error->status;
  herr_t result = -1;
  to->file = rs_h5_create(path);
  if (to->file < 0 || H5Aiterate2(from->file, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &to->file) < 0 ||
      H5Literate(from->file, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_object, &to->file) < 0)
    goto free_buffer;
  to->cases = rs_row_type_create(&rs_case_row_type, to->file, case_count, true);
  to->iterations = rs_row_type_create(&rs_iteration_row_type, to->file, used, true);
  to->samples = rs_h5_dataset_create(to->file, "samples", H5T_STD_I64LE, used * rank_count, RS_SAMPLE_COLUMNS, true);
  if (to->cases >= 0 && to->iterations >= 0 && to->samples >= 0)
    result = move_cases(from, to, cases, case_count, rank_count, buffer);
  if (result >= 0)
    result = H5Fflush(to->file, H5F_SCOPE_GLOBAL);
free_buffer:
  free(buffer);
  return result >= 0 ? RS_OK : rs_h5_error_set(error, RS_ERROR_IO, "writing the compressed copy %s", path);
}

enum rs_status rs_compact_write(const struct rs_run_file *run, const char *path, struct rs_case_row *cases,
                                size_t case_count, size_t rank_count, struct rs_error *error) {
  struct rs_run_file copy = {0};
  enum rs_status status = copy_all(run, &copy, path, cases, case_count, rank_count, error);
  if (rs_run_file_close(&copy) < 0 && status == RS_OK)
    status = rs_h5_error_set(error, RS_ERROR_IO, "closing the compressed copy %s", path);
  return status;
}
