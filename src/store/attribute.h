// attribute: the root group's attributes. A struct rs_attribute is {key, text}; numbers are uint32.
#ifndef RS_STORE_ATTRIBUTE_H
#define RS_STORE_ATTRIBUTE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

// Scalar, fixed-length, NUL-padded UTF-8 of any length.
herr_t rs_attribute_write_text(hid_t object, const char *name, const char *value);
herr_t rs_attribute_write_number(hid_t object, const char *name, uint32_t value);
// False when it is not there or not one integer.
bool rs_attribute_read_number(hid_t object, const char *name, uint32_t *value);
// NULL when it is not one text, is longer than `limit` bytes, or there is no memory; the caller frees it. Reads
// variable-length text too, since that is what h5py writes when somebody adds a label.
char *rs_attribute_read_text(hid_t attribute, size_t limit);

#endif
