#include "store/attribute.h"
#include "store/h5error.h"
#include "store/h5file.h"

#include <stdlib.h>
#include <string.h>

static herr_t write_scalar(hid_t object, const char *name, hid_t file_type, hid_t memory_type, const void *value) {
  herr_t result = -1;
  hid_t attribute = -1, space = H5Screate(H5S_SCALAR);
  if (space >= 0)
    attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0)
    result = H5Awrite(attribute, memory_type, value);
  rs_h5_close(attribute);
  rs_h5_close(space);
  return result;
}

herr_t rs_attribute_write_text(hid_t object, const char *name, const char *value) {
  size_t length = strlen(value);
  // HDF5 has no text of 0 bytes; one byte of padding reads as "".
  hid_t type = rs_h5_text_type(length == 0 ? 1 : length, H5T_STR_NULLPAD);
  herr_t result = type < 0 ? -1 : write_scalar(object, name, type, type, value);
  rs_h5_close(type);
  return result;
}

herr_t rs_attribute_write_number(hid_t object, const char *name, uint32_t value) {
  return write_scalar(object, name, H5T_STD_U32LE, H5T_NATIVE_UINT32, &value);
}

static bool is_single(hid_t attribute) {
  hid_t space = H5Aget_space(attribute);
  bool single = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  rs_h5_close(space);
  return single;
}

bool rs_attribute_read_number(hid_t object, const char *name, uint32_t *value) {
  if (H5Aexists(object, name) <= 0)
    return false;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
  bool read = type >= 0 && H5Tget_class(type) == H5T_INTEGER && is_single(attribute) &&
              H5Aread(attribute, H5T_NATIVE_UINT32, value) >= 0;
  rs_h5_close(type);
  rs_h5_close(attribute);
  return read;
}

static char *read_fixed(hid_t attribute, hid_t type, size_t limit) {
  size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > limit)
    return NULL;
  char *text = calloc(1, bytes + 1);
  hid_t memory_type = rs_h5_text_type(bytes + 1, H5T_STR_NULLTERM);
  if (text && (memory_type < 0 || H5Tset_cset(memory_type, H5Tget_cset(type)) < 0 ||
               H5Aread(attribute, memory_type, text) < 0)) {
    free(text);
    text = NULL;
  }
  rs_h5_close(memory_type);
  return text;
}

static char *read_variable(hid_t attribute, hid_t type, size_t limit) {
  char *theirs = NULL, *text = NULL;
  if (H5Aread(attribute, type, &theirs) < 0)
    return NULL;
  if (theirs && strlen(theirs) <= limit)
    text = strdup(theirs);
  H5free_memory(theirs);
  return text;
}

char *rs_attribute_read_text(hid_t attribute, size_t limit) {
  char *text = NULL;
  hid_t type = H5Aget_type(attribute);
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && is_single(attribute))
    text = H5Tis_variable_str(type) > 0 ? read_variable(attribute, type, limit) : read_fixed(attribute, type, limit);
  rs_h5_close(type);
  return text;
}
