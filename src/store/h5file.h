// h5file: how ringside creates and opens HDF5 files, datasets and text, in one place.
#ifndef RS_STORE_H5FILE_H
#define RS_STORE_H5FILE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

// Every function returns a negative id or value on failure and leaves HDF5's error stack as it is.

// A new file under a name that nobody else uses. HDF5's lock is taken where the file system has locks.
hid_t rs_h5_create(const char *path);
// An existing file for reading and writing, locked like a new one.
hid_t rs_h5_open_to_write(const char *path);
// Read-only and without a lock, so that a file in the making can be read.
hid_t rs_h5_open(const char *path);
// The file descriptor that HDF5 writes through; it stays HDF5's.
int rs_h5_descriptor(hid_t file);

// Fixed-length UTF-8, bytes >= 1: NUL-padded in files, NUL-terminated in memory.
hid_t rs_h5_text_type(size_t bytes, H5T_str_t padding);

// A dataset of rows x columns elements (columns 0: one dimension). Plain: contiguous, allocated now, never filled, so
// that later writes touch its own bytes only. Compressed: chunks with shuffle and deflate.
hid_t rs_h5_dataset_create(hid_t parent, const char *name, hid_t type, hsize_t rows, hsize_t columns, bool compressed);
// Rows first .. first + count - 1 over all columns.
herr_t rs_h5_rows_write(hid_t dataset, hid_t memory_type, hsize_t first, hsize_t count, const void *rows);
herr_t rs_h5_rows_read(hid_t dataset, hid_t memory_type, hsize_t first, hsize_t count, void *rows);
// Dimensions of a dataset of one or two; columns is 0 for one.
herr_t rs_h5_dataset_extent(hid_t dataset, hsize_t *rows, hsize_t *columns);

#endif
