// compact: the compressed copy that replaces the working file when a run ends normally.
#ifndef RS_STORE_COMPACT_H
#define RS_STORE_COMPACT_H

#include "store/run_file.h"

// Writes `path` with everything of `run`, status "complete", and of /iterations and /samples only the rows that hold
// something, in the order of the cases. `cases` are the rows as they stand in `run`; their sample_offset becomes the
// copy's. The file is closed, not yet synchronised; on an error it may be left half-written.
enum rs_status rs_compact_write(const struct rs_run_file *run, const char *path, struct rs_case_row *cases,
                                size_t case_count, size_t rank_count, struct rs_error *error);

#endif
