// The life of a result file: plan, reserve, publish; a case at a time; a compressed copy at the end.
//
//   .NAME.TAG.partial --rename--> NAME (partial) --case, case, case--> NAME (partial)
//                                 .NAME.TAG.partial (compressed, complete) --rename--> NAME
//
// Once published, the working file changes in few places per case only: its samples, iterations and pairs, which no row
// speaks of yet, and its row, which says finished = 1 no sooner than everything it speaks of is on the disk. At the end
// the counters are overwritten, in place too. A file that somebody removes meanwhile comes back as a copy.
#include "ringside/store.h"
#include "store/compact.h"
#include "store/h5error.h"
#include "store/h5file.h"
#include "store/output.h"
#include "store/row_type.h"
#include "store/run_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct rs_sample) == RS_SAMPLE_COLUMNS * sizeof(int64_t), "samples are written as they stand");

struct rs_writer {
  struct rs_output output;
  struct rs_run_file run;
  int descriptor; // run.file's
  size_t case_count, pair_count, counter_count, rank_count, max_iterations;
  struct rs_case_row *cases; // as they stand in the file
  struct rs_pair_row *pairs; // as they were planned
};

uint64_t rs_store_sample_bytes(size_t case_count, size_t rank_count, size_t max_iterations) {
  size_t bytes;
  if (rs_multiply_size(case_count, rank_count, &bytes) && rs_multiply_size(bytes, max_iterations, &bytes) &&
      rs_multiply_size(bytes, sizeof(struct rs_sample), &bytes))
    return bytes;
  return UINT64_MAX;
}

// Version 4, variant 1 (RFC 9562).
static enum rs_status make_uuid(char uuid[static 37], struct rs_error *error) {
  unsigned char b[16];
  enum rs_status status = rs_random_bytes(b, sizeof b, error);
  if (status != RS_OK)
    return status;
  b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
  b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
  size_t used = 0;
  for (size_t i = 0; i < sizeof b; i++)
    used += (size_t)snprintf(uuid + used, 37 - used, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
  return RS_OK;
}

static enum rs_status check_facts(const struct rs_run_facts *facts, struct rs_error *error) {
  if (facts->rank_count == 0 || facts->rank_count != facts->placement->rank_count)
    return rs_error_set(error, RS_ERROR_INTERNAL, "the result file is planned for %zu ranks, but %zu are placed",
                        facts->rank_count, facts->placement->rank_count);
  for (size_t c = 0; c < facts->case_count; c++)
    if (facts->cases[c].case_id != c)
      return rs_error_set(error, RS_ERROR_INTERNAL, "planned case %zu of the result file has case_id %u", c,
                          facts->cases[c].case_id);
  for (size_t p = 0; p < facts->pair_count; p++) {
    const struct rs_pair_row *pair = &facts->pairs[p];
    if (pair->case_id >= facts->case_count || pair->rank_a >= facts->rank_count || pair->rank_b >= facts->rank_count)
      return rs_error_set(error, RS_ERROR_INTERNAL,
                          "planned pair %zu of the result file is of ranks %u and %u of %zu in case %u of %zu", p,
                          pair->rank_a, pair->rank_b, facts->rank_count, pair->case_id, facts->case_count);
  }
  // Half the range leaves room for the other datasets; no disk holds that much.
  if (rs_store_sample_bytes(facts->case_count, facts->rank_count, facts->max_iterations) > INT64_MAX / 2)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "samples of %zu cases x %zu ranks x %zu iterations cannot be stored; lower "
                        "samples.max_iterations",
                        facts->case_count, facts->rank_count, facts->max_iterations);
  return RS_OK;
}

static void plan_cases(const struct rs_run_facts *facts, struct rs_case_row *cases) {
  for (size_t c = 0; c < facts->case_count; c++) {
    cases[c] = facts->cases[c];
    cases[c].finished = 0;
    cases[c].iterations = 0;
    cases[c].sample_offset = (uint64_t)c * facts->max_iterations * facts->rank_count;
  }
}

static void plan_pairs(const struct rs_run_facts *facts, struct rs_pair_row *pairs) {
  for (size_t p = 0; p < facts->pair_count; p++) {
    const struct rs_pair_row *pair = &facts->pairs[p];
    pairs[p] = (struct rs_pair_row){pair->case_id, pair->rank_a, pair->rank_b, NAN, NAN, NAN, NAN, NAN};
  }
}

static enum rs_status reserve(const struct rs_writer *writer, struct rs_error *error) {
  hsize_t bytes;
  int descriptor = rs_h5_descriptor(writer->run.file);
  if (descriptor < 0 || H5Fget_filesize(writer->run.file, &bytes) < 0)
    return rs_h5_error_set(error, RS_ERROR_IO, "asking for the size of the file");
  return rs_output_reserve(descriptor, bytes, error);
}

// Space is reserved first, so that a full disk is found before anything depends on it, and again at the end, since
// closing cuts the file to what HDF5 uses. A file that was only flushed would be cut, and its superblock written, when
// the run ends: a kill between the two makes it unreadable. After closing and opening it again nothing of that is left.
static enum rs_status build(struct rs_writer *writer, const struct rs_run_facts *facts, const char *run_uuid,
                            struct rs_error *error) {
  const char *temporary = writer->output.temporary;
  enum rs_status status = rs_run_file_create(temporary, facts, &writer->run, error);
  if (status == RS_OK)
    status = reserve(writer, error);
  if (status == RS_OK)
    status = rs_run_file_describe(&writer->run, facts, writer->cases, writer->pairs, run_uuid, error);
  if (rs_run_file_close(&writer->run) < 0 && status == RS_OK)
    status = rs_h5_error_set(error, RS_ERROR_IO, "closing %s", temporary);
  if (status == RS_OK)
    status = rs_run_file_open(temporary, &writer->run, error);
  if (status == RS_OK)
    status = reserve(writer, error);
  writer->descriptor = rs_h5_descriptor(writer->run.file);
  if (status == RS_OK && fsync(writer->descriptor) != 0)
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "synchronising %s with the disk", temporary);
  if (status != RS_OK)
    rs_error_prefix(error, "cannot write %s", writer->output.path);
  return status;
}

static void writer_free(struct rs_writer *writer) {
  rs_run_file_close(&writer->run);
  rs_output_fini(&writer->output);
  free(writer->pairs);
  free(writer->cases);
  free(writer);
}

// What was measured costs money: a file that somebody removed while the run goes on is put back with all that it held.
static enum rs_status keep_file(struct rs_writer *writer, struct rs_error *error) {
  if (writer->descriptor < 0 || !rs_output_is_removed(&writer->output, writer->descriptor))
    return RS_OK;
  int content = fcntl(writer->descriptor, F_DUPFD_CLOEXEC, 0);
  if (content < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "keeping hold of %s, which was removed", writer->output.path);
  writer->descriptor = -1;
  rs_run_file_close(&writer->run); // all data is with the kernel already
  enum rs_status status = rs_output_restore(&writer->output, content, error);
  if (status == RS_OK)
    status = rs_run_file_open(writer->output.path, &writer->run, error);
  if (status == RS_OK)
    writer->descriptor = rs_h5_descriptor(writer->run.file);
  close(content);
  return status;
}

static enum rs_status writer_open(const char *path, bool force, const struct rs_run_facts *facts,
                                  struct rs_writer **opened, struct rs_error *error) {
  char uuid[37];
  enum rs_status status = check_facts(facts, error);
  if (status == RS_OK)
    status = make_uuid(uuid, error);
  if (status != RS_OK)
    return status;
  struct rs_writer *writer = rs_allocate(1, sizeof *writer, "the writer of the result file", error);
  if (writer == NULL)
    return error->status;
  writer->case_count = facts->case_count;
  writer->pair_count = facts->pair_count;
  writer->counter_count = facts->counter_count;
  writer->rank_count = facts->rank_count;
  writer->max_iterations = facts->max_iterations;
  char tag[9];
  snprintf(tag, sizeof tag, "%.8s", uuid);
  status = rs_output_init(&writer->output, path, force, tag, error);
  if (status != RS_OK)
    goto free_writer;
  writer->cases = rs_allocate(facts->case_count, sizeof *writer->cases, "the planned cases", error);
  writer->pairs = rs_allocate(facts->pair_count, sizeof *writer->pairs, "the planned pairs", error);
  if (writer->cases == NULL || writer->pairs == NULL) {
    status = error->status;
    goto free_writer;
  }
  plan_cases(facts, writer->cases);
  plan_pairs(facts, writer->pairs);
  status = build(writer, facts, uuid, error);
  if (status == RS_OK)
    status = rs_output_publish(&writer->output, force, error);
  if (status != RS_OK)
    goto remove_temporary;
  *opened = writer;
  return RS_OK;
remove_temporary:
  unlink(writer->output.temporary);
free_writer:
  writer_free(writer);
  return status;
}

enum rs_status rs_writer_open(const char *path, bool force, const struct rs_run_facts *facts, struct rs_writer **writer,
                              struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = writer_open(path, force, facts, writer, error);
  rs_h5_silence_end(&silence);
  return status;
}

static enum rs_status check_case(const struct rs_writer *writer, const struct rs_case_row *row,
                                 struct rs_error *error) {
  if (row->case_id >= writer->case_count || row->rank_count != writer->rank_count ||
      row->iterations > writer->max_iterations)
    return rs_error_set(error, RS_ERROR_INTERNAL,
                        "case %u with %u ranks and %u iterations does not fit %s, planned for %zu cases, %zu ranks "
                        "and %zu iterations",
                        row->case_id, row->rank_count, row->iterations, writer->output.path, writer->case_count,
                        writer->rank_count, writer->max_iterations);
  if (writer->cases[row->case_id].finished)
    return rs_error_set(error, RS_ERROR_INTERNAL, "case %u is in %s already", row->case_id, writer->output.path);
  return RS_OK;
}

static enum rs_status sync_data(const struct rs_writer *writer, uint32_t case_id, struct rs_error *error) {
  if (fdatasync(writer->descriptor) == 0)
    return RS_OK;
  return rs_error_set_errno(error, RS_ERROR_IO, errno, "cannot write case %u to %s; the cases before it are safe",
                            case_id, writer->output.path);
}

static enum rs_status write_data(const struct rs_writer *writer, const struct rs_case_row *row,
                                 const struct rs_iteration_row *iterations, const struct rs_sample *samples,
                                 struct rs_error *error) {
  const struct rs_run_file *run = &writer->run;
  uint64_t offset = row->sample_offset, ranks = row->rank_count;
  if (rs_row_type_write(&rs_iteration_row_type, run->iterations, offset / ranks, row->iterations, iterations) >= 0 &&
      rs_h5_rows_write(run->samples, H5T_NATIVE_INT64, offset, row->iterations * ranks, samples) >= 0)
    return RS_OK;
  return rs_h5_error_set(error, RS_ERROR_IO, "cannot write the samples of case %u to %s; the cases before it are safe",
                         row->case_id, writer->output.path);
}

static enum rs_status write_row(const struct rs_writer *writer, const struct rs_case_row *row, struct rs_error *error) {
  if (rs_row_type_write(&rs_case_row_type, writer->run.cases, row->case_id, 1, row) >= 0)
    return sync_data(writer, row->case_id, error);
  return rs_h5_error_set(error, RS_ERROR_IO, "cannot write the row of case %u to %s; the cases before it are safe",
                         row->case_id, writer->output.path);
}

// A row of some 400 bytes can be torn by a crash, one byte cannot: the row goes to the disk as unfinished, together
// with the samples, and then again with nothing but `finished` changed.
static enum rs_status writer_case(struct rs_writer *writer, const struct rs_case_row *row,
                                  const struct rs_iteration_row *iterations, const struct rs_sample *samples,
                                  struct rs_error *error) {
  enum rs_status status = check_case(writer, row, error);
  if (status != RS_OK)
    return status;
  struct rs_case_row stored = *row;
  stored.finished = 0;
  stored.sample_offset = writer->cases[row->case_id].sample_offset;
  status = write_data(writer, &stored, iterations, samples, error);
  if (status == RS_OK)
    status = write_row(writer, &stored, error);
  stored.finished = 1;
  if (status == RS_OK)
    status = write_row(writer, &stored, error);
  if (status == RS_OK)
    writer->cases[row->case_id] = stored;
  return status == RS_OK ? keep_file(writer, error) : status;
}

enum rs_status rs_writer_case(struct rs_writer *writer, const struct rs_case_row *row,
                              const struct rs_iteration_row *iterations, const struct rs_sample *samples,
                              struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = writer_case(writer, row, iterations, samples, error);
  rs_h5_silence_end(&silence);
  return status;
}

static enum rs_status check_pairs(const struct rs_writer *writer, size_t first, const struct rs_pair_row *rows,
                                  size_t count, struct rs_error *error) {
  if (first > writer->pair_count || count > writer->pair_count - first)
    return rs_error_set(error, RS_ERROR_INTERNAL, "pairs %zu .. %zu do not fit %s, planned for %zu", first,
                        first + count, writer->output.path, writer->pair_count);
  for (size_t p = 0; p < count; p++) {
    const struct rs_pair_row *planned = &writer->pairs[first + p];
    if (rows[p].case_id != planned->case_id || rows[p].rank_a != planned->rank_a || rows[p].rank_b != planned->rank_b)
      return rs_error_set(error, RS_ERROR_INTERNAL,
                          "pair %zu of %s is planned as ranks %u and %u in case %u, not ranks %u and %u in case %u",
                          first + p, writer->output.path, planned->rank_a, planned->rank_b, planned->case_id,
                          rows[p].rank_a, rows[p].rank_b, rows[p].case_id);
    if (writer->cases[planned->case_id].finished)
      return rs_error_set(error, RS_ERROR_INTERNAL, "case %u is in %s already, so its pairs stay", planned->case_id,
                          writer->output.path);
  }
  return RS_OK;
}

// Not synchronised here: a case that says finished = 1 has been synchronised before, and its pairs with it.
static enum rs_status writer_pairs(struct rs_writer *writer, size_t first, const struct rs_pair_row *rows, size_t count,
                                   struct rs_error *error) {
  enum rs_status status = check_pairs(writer, first, rows, count, error);
  if (status == RS_OK && rs_row_type_write(&rs_pair_row_type, writer->run.pairs, first, count, rows) < 0)
    status = rs_h5_error_set(error, RS_ERROR_IO, "cannot write the pairs of case %u to %s; the cases before are safe",
                             rows->case_id, writer->output.path);
  return status;
}

enum rs_status rs_writer_pairs(struct rs_writer *writer, size_t first, const struct rs_pair_row *rows, size_t count,
                               struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = writer_pairs(writer, first, rows, count, error);
  rs_h5_silence_end(&silence);
  return status;
}

static enum rs_status writer_counters(struct rs_writer *writer, const struct rs_counter_row *rows, size_t count,
                                      struct rs_error *error) {
  if (count != writer->counter_count)
    return rs_error_set(error, RS_ERROR_INTERNAL, "%zu counters do not fit %s, planned for %zu", count,
                        writer->output.path, writer->counter_count);
  if (rs_row_type_write(&rs_counter_row_type, writer->run.counters, 0, count, rows) >= 0)
    return RS_OK;
  return rs_h5_error_set(error, RS_ERROR_IO, "cannot write the counters to %s; the cases are safe",
                         writer->output.path);
}

enum rs_status rs_writer_counters(struct rs_writer *writer, const struct rs_counter_row *rows, size_t count,
                                  struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = writer_counters(writer, rows, count, error);
  rs_h5_silence_end(&silence);
  return status;
}

static enum rs_status writer_finish(struct rs_writer *writer, struct rs_error *error) {
  const struct rs_output *output = &writer->output;
  enum rs_status status = keep_file(writer, error);
  if (status != RS_OK)
    return status;
  status = rs_output_make_directory(output, error); // which may have got another name meanwhile
  if (status == RS_OK)
    status =
        rs_compact_write(&writer->run, output->temporary, writer->cases, writer->case_count, writer->rank_count, error);
  if (status == RS_OK)
    status = rs_output_sync(output, error);
  bool ours = rs_output_is(output, writer->descriptor);
  if (status == RS_OK && !ours && access(output->path, F_OK) == 0)
    return rs_error_set(error, RS_ERROR_IO,
                        "somebody else put a file at %s during the run; the complete result of this one is %s, rename "
                        "it",
                        output->path, output->temporary);
  if (status == RS_OK)
    status = rs_output_publish(output, ours, error);
  if (status != RS_OK) {
    rs_error_prefix(error, "all cases are safe in %s, but completing it failed", output->path);
    unlink(output->temporary);
  }
  return status;
}

enum rs_status rs_writer_finish(struct rs_writer *writer, struct rs_error *error) {
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  enum rs_status status = writer_finish(writer, error);
  writer_free(writer);
  rs_h5_silence_end(&silence);
  return status;
}

void rs_writer_abandon(struct rs_writer *writer) {
  if (writer == NULL)
    return;
  struct rs_h5_silence silence;
  rs_h5_silence_begin(&silence);
  struct rs_error unheard = {0}; // the run has failed already, and has said why
  keep_file(writer, &unheard);
  writer_free(writer);
  rs_h5_silence_end(&silence);
}
