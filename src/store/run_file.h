// run_file: what stands in a result file in the making: every dataset in its full size, and all that is known before
// the first case runs.
#ifndef RS_STORE_RUN_FILE_H
#define RS_STORE_RUN_FILE_H

#include "ringside/store.h"

#include <hdf5.h>

#define RS_FORMAT_NAME "ringside"
#define RS_SAMPLE_COLUMNS 2 // entry_ns, exit_ns

struct rs_run_file {
  hid_t file, counters, pairs, cases, iterations, samples; // what changes while the run goes on
};
// Creates the file with the three large datasets; `facts` has been checked: its products fit.
enum rs_status rs_run_file_create(const char *path, const struct rs_run_facts *facts, struct rs_run_file *run,
                                  struct rs_error *error);
// Writes attributes (status "partial"), hosts, ranks, devices, environment, counters, topology and the planned rows
// `cases` and `pairs`.
enum rs_status rs_run_file_describe(const struct rs_run_file *run, const struct rs_run_facts *facts,
                                    const struct rs_case_row *cases, const struct rs_pair_row *pairs,
                                    const char *run_uuid, struct rs_error *error);
// Opens a described file for writing its cases, pairs and counters. Unlike with the one just created, no metadata is
// left to write: from here on closing clears one byte, the superblock's mark of a file that is open, which no reader of
// this format heeds.
enum rs_status rs_run_file_open(const char *path, struct rs_run_file *run, struct rs_error *error);
// Negative when what was left to write could not be written. Safe on {0}.
herr_t rs_run_file_close(struct rs_run_file *run);

#endif
