// h5error: HDF5's own error stack, kept quiet while ringside is inside HDF5 and turned into a struct rs_error.
#ifndef RS_STORE_H5ERROR_H
#define RS_STORE_H5ERROR_H

#include "ringside/base.h"

#include <hdf5.h>

// HDF5 prints its errors on stderr unless told otherwise; the setting belongs to the caller's thread, so every public
// function puts it aside on entry and restores it on return.
struct rs_h5_silence {
  H5E_auto2_t print;
  void *data;
};
void rs_h5_silence_begin(struct rs_h5_silence *silence);
void rs_h5_silence_end(const struct rs_h5_silence *silence);

// rs_error_set with ": <the innermost message on HDF5's stack>" behind it, if there is one.
enum rs_status rs_h5_error_set(struct rs_error *error, enum rs_status status, const char *format, ...) RS_PRINTF(3, 4);

// Closes whatever the id stands for; ids that were never opened (<= 0) are fine. Every other HDF5 call clears the error
// stack; this one keeps it, so that clean-up may come before rs_h5_error_set.
void rs_h5_close(hid_t id);

#endif
