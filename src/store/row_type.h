// row_type: the tables' columns. One const table per row type, made from the C struct itself, drives writing and
// reading, so a field stands in one place: the struct's member and one FIELD line.
#ifndef RS_STORE_ROW_TYPE_H
#define RS_STORE_ROW_TYPE_H

#include "ringside/base.h"

#include <hdf5.h>

enum rs_field_kind {
  RS_FIELD_TEXT, // char array: NUL-terminated in memory, NUL-padded in the file
  RS_FIELD_BOOL, // uint8, 0 or 1
  RS_FIELD_UINT8,
  RS_FIELD_INT8,
  RS_FIELD_UINT32,
  RS_FIELD_INT32,
  RS_FIELD_UINT64,
  RS_FIELD_INT64,
  RS_FIELD_DOUBLE,
};
struct rs_field {
  const char *name;
  size_t offset, bytes;
  enum rs_field_kind kind;
};
struct rs_row_type {
  const char *dataset;
  size_t bytes; // of one row in memory
  const struct rs_field *fields;
  size_t field_count;
};

extern const struct rs_row_type rs_host_row_type, rs_rank_row_type, rs_device_row_type, rs_link_row_type,
    rs_environment_row_type, rs_counter_row_type, rs_case_row_type, rs_pair_row_type, rs_iteration_row_type;

// Creates the dataset for `count` rows; the caller closes it. Negative on failure.
hid_t rs_row_type_create(const struct rs_row_type *type, hid_t file, hsize_t count, bool compressed);
herr_t rs_row_type_write(const struct rs_row_type *type, hid_t dataset, hsize_t first, hsize_t count, const void *rows);
// Members that the file lacks stay as they are. Text is terminated and bools are bools, whatever the file says.
herr_t rs_row_type_read(const struct rs_row_type *type, hid_t dataset, hsize_t first, hsize_t count, void *rows);
// Gives the members that the file lacks their values in `absent`, in every row.
void rs_row_type_complete(const struct rs_row_type *type, hid_t dataset, hsize_t count, const void *absent, void *rows);

#endif
