// store: the result file, schema 1. The only module that sees hdf5.h. docs/results-format.md describes the file.
//
// Writing is crash-proof: rs_writer_open creates every dataset and planned row up front, writes status="partial" and
// renames the file into place; after that no HDF5 metadata changes, so whatever kills the run, the file opens and
// holds every case for which rs_writer_case had returned. rs_writer_finish replaces it by a compressed, complete copy.
#ifndef RINGSIDE_STORE_H
#define RINGSIDE_STORE_H

#include "ringside/base.h"
#include "ringside/topology.h"

#define RS_SCHEMA_VERSION 1

// ---- rows: what the tables hold; text is UTF-8, NUL-padded ------------------------------------------------

struct rs_device_row { // /rank_devices
  uint32_t rank;
  char transport[24], interface[32], address[64], driver[32], congestion[32];
  uint64_t speed_mbit, mtu;
  // Files of before these were recorded read as empty, 0 and -1.
  char firmware[64], gid[48], pci[16];
  uint32_t port;
  int32_t numa_node;
};

struct rs_link_row {       // /links: one direction between two ranks, probed before the first case
  uint32_t source, target; // ranks
  char transport[24];
  double delay_ns, min_ns; // one way, of 8 bytes: the median and the least
};

// One counter of a host (rank -1: read by the host's first rank) or of a rank, when the run began and when it ended;
// see struct rs_counters for the names.
struct rs_counter_row { // /counters
  uint32_t host;
  int32_t rank;
  char name[64];
  int64_t before, after; // after: RS_COUNTER_UNKNOWN while the run goes on
};
struct rs_environment_row { // /environment
  uint32_t host;
  char key[48], value[208];
};

enum rs_verified { RS_NOT_VERIFIED = 0, RS_VERIFIED = 1, RS_VERIFY_FAILED = -1 };

struct rs_case_row { // /cases; times are of one operation; NaN: not known
  uint32_t case_id;
  uint8_t finished;
  char benchmark[24], collective[24], implementation[32], algorithm[32], transport[24];
  uint8_t emulated;
  char mode[16], datatype[16], operation[8];
  uint8_t in_place;
  uint64_t size_bytes, count;
  uint32_t rank_count;
  int32_t peer_a, peer_b; // -1: does not apply
  uint64_t chunk_bytes;
  uint32_t lanes;
  char order[16];
  uint32_t iterations; // rows in /iterations, warm-up included
  uint32_t batch;      // operations per iteration row: 1 in isolated mode
  uint64_t sample_offset;
  char stop_reason[24];
  int8_t verified;
  int64_t sync_error_ns; // by how far the clocks missed their prediction at the end of the case; -1: not synchronised
  int64_t sync_bound_ns; // what the clocks can be wrong by, whatever the network; times are of the common clock
  char start[16];        // "time" or "barrier"
  uint32_t warm_up, invalid; // iterations that are not counted: before times had settled; some rank came late
  uint8_t level_shift;       // the times change their level within the case
  double gap_ns;             // median time between two iterations, on rank 0
  double after_check_ns;     // median of the iterations that follow a check
  double median_ns, ci_low_ns, ci_high_ns, min_ns, max_ns, p95_ns, p99_ns, algbw_gb_s, busbw_gb_s;
  // Files of before these were recorded read as the values in brackets.
  int32_t root;       // -1: the collective has none [-1]
  char pairing[16];   // point to point: who is with whom: "round 3" (of a tournament), "halves", "ends"; else "" [""]
  char congestor[16]; // what the other ranks send meanwhile: "incast", "alltoall", "ring"; "none": the run has such
                      // cases and this is the quiet one; "": it has none [""]
  uint32_t measured_ranks; // ranks that take part in what is measured; the others congest or idle [rank_count]
  double slowdown;         // an emulated fabric's times are this many times those that it stands for [1]
  double cpu_ns;           // processor time of one operation, all ranks together, back to back [NaN]
  uint8_t chunk_auto;      // chunk_bytes was chosen for the size, as `algorithm` is where implementation is "auto" [0]
};

struct rs_pair_row { // /pairs: one pair of a point to point case; NaN until measured
  uint32_t case_id, rank_a, rank_b;
  double median_ns, ci_low_ns, ci_high_ns, p99_ns; // of one operation of the pair: a ping-pong is there and back
  double algbw_gb_s;                               // size / median
};

enum rs_iteration_flag {
  RS_ITERATION_WARM_UP = 1,
  RS_ITERATION_INVALID_START = 2,
  RS_ITERATION_VERIFIED = 4,
  RS_ITERATION_UNCOVERED = 8, // the background traffic ended before the measured ranks did
};
struct rs_iteration_row { // /iterations
  uint32_t case_id, flags;
};

// A sample is entry and exit of one rank in one iteration, ns since launch start on the common clock.
struct rs_sample {
  int64_t entry_ns, exit_ns;
};

// A root attribute of the caller's choice: labels ("label.KEY"), library versions ("library.hdf5"), environment
// ("environment.OMPI_MCA_btl"), seed. The fixed ones (format, schema_version, created, ...) have fields of their own.
struct rs_attribute {
  char key[80];
  char *value;
};

// Everything that is known when the run starts. Nothing is owned or kept.
struct rs_run_facts {
  const char *command_line, *config; // config: the resolved YAML
  const struct rs_attribute *attributes;
  size_t attribute_count;
  const struct rs_placement *placement;
  const char *const *host_xml;   // per host, or NULL
  const char *const *host_cloud; // the same: what the cloud answered, as it was
  const struct rs_device_row *devices;
  size_t device_count;
  const struct rs_link_row *links;
  size_t link_count;
  const struct rs_environment_row *environment;
  size_t environment_count;
  const struct rs_counter_row *counters; // after: RS_COUNTER_UNKNOWN
  size_t counter_count;
  const struct rs_case_row *cases; // planned rows: finished = 0, iterations = 0; case_id = index
  size_t case_count;
  const struct rs_pair_row *pairs; // planned rows: who is a pair in which case; the figures are set to NaN
  size_t pair_count;
  size_t rank_count;
  size_t max_iterations; // rows reserved for every case
};

// ---- writing ----------------------------------------------------------------------------------------------

struct rs_writer;
// Bytes that the sample space of such a run takes.
uint64_t rs_store_sample_bytes(size_t case_count, size_t rank_count, size_t max_iterations);
// USAGE when the directory cannot be written, or the file exists and force is false (with force it is replaced, by
// rename, at the moment the new one is complete enough to open). IO with the bytes needed when the disk is too full.
enum rs_status rs_writer_open(const char *path, bool force, const struct rs_run_facts *facts, struct rs_writer **writer,
                              struct rs_error *error);
// Stores one finished case: iterations rows and iterations x rank_count samples (iteration-major), then its row with
// finished = 1; everything is on the disk when this returns. row->iterations <= max_iterations.
enum rs_status rs_writer_case(struct rs_writer *writer, const struct rs_case_row *row,
                              const struct rs_iteration_row *iterations, const struct rs_sample *samples,
                              struct rs_error *error);
// Overwrites rows `first` and on of /pairs, which stay the pairs that were planned. Before rs_writer_case of their
// case, which makes them durable before it says that the case is finished.
enum rs_status rs_writer_pairs(struct rs_writer *writer, size_t first, const struct rs_pair_row *rows, size_t count,
                               struct rs_error *error);
// Overwrites all rows of /counters with the ones of rs_run_facts, now with `after`. Before rs_writer_finish.
enum rs_status rs_writer_counters(struct rs_writer *writer, const struct rs_counter_row *rows, size_t count,
                                  struct rs_error *error);
// Writes the compressed copy with status="complete" and renames it over the partial file. The writer is closed either
// way; on an error the partial file stays.
enum rs_status rs_writer_finish(struct rs_writer *writer, struct rs_error *error);
// Closes and leaves the partial file as it is. NULL is fine.
void rs_writer_abandon(struct rs_writer *writer);

// ---- reading ----------------------------------------------------------------------------------------------

// One file in memory, samples apart. Owned by rs_result_close. Times and bandwidths of an emulated fabric are those
// that it stands for: what the file holds, divided by /cases.slowdown.
struct rs_result {
  char *path;
  char created[24], ringside_version[24], run_uuid[40], status[16];
  uint32_t schema_version;
  char *command_line, *config;
  struct rs_attribute *attributes;
  size_t attribute_count;
  struct rs_placement placement;
  struct rs_device_row *devices;
  size_t device_count;
  struct rs_link_row *links; // none in files of before this was recorded; so are environment, counters and pairs
  size_t link_count;
  struct rs_environment_row *environment;
  size_t environment_count;
  struct rs_counter_row *counters;
  size_t counter_count;
  struct rs_case_row *cases;
  size_t case_count;
  struct rs_pair_row *pairs;
  size_t pair_count;
};
// Works on a file in the making. USAGE, with what to do, when the file is missing, truncated, not ringside's, or of a
// newer schema. Unknown extra fields and datasets are ignored.
enum rs_status rs_result_open(const char *path, struct rs_result **result, struct rs_error *error);
void rs_result_close(struct rs_result *result); // NULL is fine
// NULL when there is none.
const char *rs_result_attribute(const struct rs_result *result, const char *key);
// Reads the iterations and samples of one finished case; *iterations: row->iterations, *samples: iterations x
// rank_count; the caller frees both.
enum rs_status rs_result_samples(const struct rs_result *result, const struct rs_case_row *row,
                                 struct rs_iteration_row **iterations, struct rs_sample **samples,
                                 struct rs_error *error);

// Expands files, directories (their *.h5) and glob patterns into a sorted list without duplicates; the caller frees it
// with rs_paths_fini. USAGE when an argument matches nothing.
struct rs_paths {
  char **items;
  size_t count;
};
enum rs_status rs_paths_expand(const char *const *arguments, size_t count, struct rs_paths *paths,
                               struct rs_error *error);
void rs_paths_fini(struct rs_paths *paths);

void rs_store_library(char *text, size_t bytes); // "HDF5 1.10.8"

#endif
