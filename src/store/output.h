// output: how a file gets to its final name without ever harming what is there: written under a hidden name of its own
// in the same directory, made durable, then renamed.
#ifndef RS_STORE_OUTPUT_H
#define RS_STORE_OUTPUT_H

#include "ringside/base.h"

struct rs_output {
  char *path, *directory, *temporary;
};
// Checks that `path` can become the result: the directory exists and can be written, nothing but a regular file is
// there, and that only when `force` is set. `tag` tells temporary names of different runs apart.
enum rs_status rs_output_init(struct rs_output *output, const char *path, bool force, const char *tag,
                              struct rs_error *error);
void rs_output_fini(struct rs_output *output);

// Reserves disk space for the first `bytes` bytes, where the file system can. IO with the bytes when it is too full.
enum rs_status rs_output_reserve(int descriptor, uint64_t bytes, struct rs_error *error);
// Renames the temporary file, whose content is on the disk already, to the final name, and makes that durable. Without
// `replace` a file that is there stays, and the status is USAGE.
enum rs_status rs_output_publish(const struct rs_output *output, bool replace, struct rs_error *error);
// True when the final name still stands for the open file.
bool rs_output_is(const struct rs_output *output, int descriptor);
// True when the open file has no name left anywhere, since it was removed or the directory that it was in, and the
// final name is free. A file that was replaced by another run's is not to come back over that.
bool rs_output_is_removed(const struct rs_output *output, int descriptor);
// Makes the directory again if it is gone.
enum rs_status rs_output_make_directory(const struct rs_output *output, struct rs_error *error);
// Gives the content of the open file, which was removed, the final name again: as a copy, for a file without a name
// cannot get one. Whoever takes the name meanwhile keeps it, and the copy stays under the temporary name.
enum rs_status rs_output_restore(const struct rs_output *output, int descriptor, struct rs_error *error);
// fsync by name, for a file that HDF5 has closed.
enum rs_status rs_output_sync(const struct rs_output *output, struct rs_error *error);

#endif
