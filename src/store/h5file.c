#include "store/h5file.h"
#include "store/h5error.h"

#include <unistd.h>

// About 512 KiB of samples; a chunk has to fit HDF5's cache of 1 MiB.
#define CHUNK_BYTES (512u << 10)
#define DEFLATE_LEVEL 1 // higher levels save 2% of the samples' space

// H5Pset_file_locking came with 1.10.7 and 1.12.1, but not with 1.12.0.
#define HAVE_FILE_LOCKING (H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0)))

static herr_t set_locking(hid_t access, bool lock) {
#if HAVE_FILE_LOCKING
  return H5Pset_file_locking(access, lock, true);
#else
  (void)access, (void)lock;
  return 0;
#endif
}

static hid_t access_properties(bool lock) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  // Without a sieve buffer raw data goes to the kernel within H5Dwrite, and nowhere else.
  if (access >= 0 && H5Pset_sieve_buf_size(access, 0) >= 0 && set_locking(access, lock) >= 0)
    return access;
  rs_h5_close(access);
  return -1;
}

static hid_t create_with(const char *path, hid_t creation, bool lock) {
  hid_t file = -1, access = access_properties(lock);
  if (access >= 0)
    file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
  rs_h5_close(access);
  return file;
}

hid_t rs_h5_create(const char *path) {
  hid_t file = -1, creation = H5Pcreate(H5P_FILE_CREATE);
  // Tracking the order gives the root group the newer header, which holds attributes of more than 64 KiB.
  if (creation < 0 || H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED) < 0)
    goto close_creation;
  file = create_with(path, creation, true);
  // Where the file system refuses the lock, HDF5 fails and leaves the file that it has just made.
  if (file < 0 && HAVE_FILE_LOCKING && unlink(path) == 0)
    file = create_with(path, creation, false);
close_creation:
  rs_h5_close(creation);
  return file;
}

static hid_t open_with(const char *path, unsigned flags, bool lock) {
  hid_t file = -1, access = access_properties(lock);
  if (access >= 0)
    file = H5Fopen(path, flags, access);
  rs_h5_close(access);
  return file;
}

hid_t rs_h5_open_to_write(const char *path) {
  hid_t file = open_with(path, H5F_ACC_RDWR, true);
  return file < 0 && HAVE_FILE_LOCKING ? open_with(path, H5F_ACC_RDWR, false) : file;
}

hid_t rs_h5_open(const char *path) {
  hid_t file = open_with(path, H5F_ACC_RDONLY, false);
  // A file that this very process is writing is shared inside HDF5, and only under the writer's setting.
  return file < 0 && HAVE_FILE_LOCKING ? open_with(path, H5F_ACC_RDONLY, true) : file;
}

int rs_h5_descriptor(hid_t file) {
  void *handle;
  return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 ? -1 : *(int *)handle;
}

hid_t rs_h5_text_type(size_t bytes, H5T_str_t padding) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && H5Tset_size(type, bytes) >= 0 && H5Tset_strpad(type, padding) >= 0 &&
      H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
    return type;
  rs_h5_close(type);
  return -1;
}

static herr_t set_plain(hid_t creation) {
  if (H5Pset_layout(creation, H5D_CONTIGUOUS) < 0 || H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) < 0)
    return -1;
  return H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
}

static herr_t set_compressed(hid_t creation, int rank, const hsize_t *dims, size_t row_bytes) {
  hsize_t rows = CHUNK_BYTES / row_bytes;
  hsize_t chunk[2] = {rows == 0 ? 1 : rows < dims[0] ? rows : dims[0], dims[1]};
  if (H5Pset_chunk(creation, rank, chunk) < 0 || H5Pset_shuffle(creation) < 0)
    return -1;
  return H5Pset_deflate(creation, DEFLATE_LEVEL);
}

hid_t rs_h5_dataset_create(hid_t parent, const char *name, hid_t type, hsize_t rows, hsize_t columns, bool compressed) {
  hsize_t dims[2] = {rows, columns};
  int rank = columns == 0 ? 1 : 2;
  size_t row_bytes = H5Tget_size(type) * (columns == 0 ? 1 : columns);
  hid_t dataset = -1, space = H5Screate_simple(rank, dims, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  if (space < 0 || creation < 0)
    goto close_properties;
  // Chunks of nothing do not exist, and HDF5 can be built without zlib.
  bool chunked = compressed && rows > 0 && H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0;
  if ((chunked ? set_compressed(creation, rank, dims, row_bytes) : set_plain(creation)) >= 0)
    dataset = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
close_properties:
  rs_h5_close(creation);
  rs_h5_close(space);
  return dataset;
}

herr_t rs_h5_dataset_extent(hid_t dataset, hsize_t *rows, hsize_t *columns) {
  herr_t result = -1;
  hsize_t dims[2] = {0, 0};
  hid_t space = H5Dget_space(dataset);
  int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  if ((rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, dims, NULL) == rank) {
    *rows = dims[0];
    *columns = dims[1];
    result = 0;
  }
  rs_h5_close(space);
  return result;
}

// Selects the rows in the file and describes the same block in memory.
static herr_t select_rows(hid_t dataset, hsize_t first, hsize_t count, hid_t *file_space, hid_t *memory_space) {
  hsize_t rows, columns;
  *file_space = *memory_space = -1;
  if (rs_h5_dataset_extent(dataset, &rows, &columns) < 0)
    return -1;
  hsize_t start[2] = {first, 0}, block[2] = {count, columns};
  *file_space = H5Dget_space(dataset);
  *memory_space = H5Screate_simple(columns == 0 ? 1 : 2, block, NULL);
  if (*file_space < 0 || *memory_space < 0)
    return -1;
  return H5Sselect_hyperslab(*file_space, H5S_SELECT_SET, start, NULL, block, NULL);
}

herr_t rs_h5_rows_write(hid_t dataset, hid_t memory_type, hsize_t first, hsize_t count, const void *rows) {
  if (count == 0)
    return 0;
  hid_t file_space, memory_space;
  herr_t result = select_rows(dataset, first, count, &file_space, &memory_space);
  if (result >= 0)
    result = H5Dwrite(dataset, memory_type, memory_space, file_space, H5P_DEFAULT, rows);
  rs_h5_close(memory_space);
  rs_h5_close(file_space);
  return result;
}

herr_t rs_h5_rows_read(hid_t dataset, hid_t memory_type, hsize_t first, hsize_t count, void *rows) {
  if (count == 0)
    return 0;
  hid_t file_space, memory_space;
  herr_t result = select_rows(dataset, first, count, &file_space, &memory_space);
  if (result >= 0)
    result = H5Dread(dataset, memory_type, memory_space, file_space, H5P_DEFAULT, rows);
  rs_h5_close(memory_space);
  rs_h5_close(file_space);
  return result;
}
