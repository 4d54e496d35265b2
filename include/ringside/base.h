// base: what every other module stands on: status and error, log, clock, checked arithmetic, text, random
// numbers, and the `world` interface. Depends on the C library alone; no function here blocks unless it says so.
#ifndef RINGSIDE_BASE_H
#define RINGSIDE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RS_VERSION_STRING "0.1.0"
#define RS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define RS_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// ---- status and error -------------------------------------------------------------------------------------

// 0 is success, positive is "not yet", negative is an error that a struct rs_error explains.
enum rs_status {
  RS_OK = 0,
  RS_IN_PROGRESS = 1,        // taken, completes later
  RS_BUSY = 2,               // nothing taken, try again after progress
  RS_ERROR_USAGE = -1,       // bad usage or bad input: exit code 2
  RS_ERROR_MEMORY = -2,      // out of memory
  RS_ERROR_IO = -3,          // a file or the operating system said no
  RS_ERROR_PEER = -4,        // a peer is gone, refused, reset, or broke the protocol
  RS_ERROR_TIMEOUT = -5,     // a deadline passed
  RS_ERROR_MISMATCH = -6,    // data came out wrong
  RS_ERROR_UNSUPPORTED = -7, // this build or this device cannot do it
  RS_ERROR_INTERNAL = -8,    // a bug in ringside
  RS_ERROR_LEFT = -9,        // a peer left in good order: its own error says why
};

// What went wrong, in one line that a person can act on: what was being done, to what, what happened, what to do.
// The caller owns it and starts it as {0}; the function that decides fills it once, everyone else propagates.
struct rs_error {
  enum rs_status status;
  char text[1000];
};

// Fills `error` (the first call wins) and returns its status. `status` must be negative.
enum rs_status rs_error_set(struct rs_error *error, enum rs_status status, const char *format, ...) RS_PRINTF(3, 4);
// The same, followed by ": " and strerror(code).
enum rs_status rs_error_set_errno(struct rs_error *error, enum rs_status status, int code, const char *format, ...)
    RS_PRINTF(4, 5);
// "out of memory" for `bytes` bytes of `what`.
enum rs_status rs_error_set_memory(struct rs_error *error, size_t bytes, const char *what);
// Puts "<prefix>: " before a text that is already there, for a caller that knows the context.
void rs_error_prefix(struct rs_error *error, const char *format, ...) RS_PRINTF(2, 3);

// The process exit code that stands for a status: 0, 2 (usage) or 4 (the run failed).
int rs_status_exit_code(enum rs_status status);

// ---- log --------------------------------------------------------------------------------------------------

enum rs_log_level { RS_LOG_ERROR, RS_LOG_WARNING, RS_LOG_INFO, RS_LOG_DEBUG };

// Where log lines go; stderr by default. A logger is carried, not global: {level, rank (SIZE_MAX = none), file}.
struct rs_log {
  enum rs_log_level level;
  size_t rank;
  FILE *file;
};

// Writes one line if log->level >= level. A NULL log is silent.
void rs_log(const struct rs_log *log, enum rs_log_level level, const char *format, ...) RS_PRINTF(3, 4);

// ---- clock ------------------------------------------------------------------------------------------------

// CLOCK_MONOTONIC in ns. Every process of one kernel sees the same clock.
int64_t rs_clock_ns(void);
// Wall-clock time as "2026-11-23T10:11:12Z"; `text` holds at least 21 bytes.
void rs_clock_utc(char *text, size_t bytes);

// ---- interrupts -------------------------------------------------------------------------------------------

// How long a rank may stand still before it takes an interrupt as a reason to stop and say what it was waiting for;
// one that moves on stops between two iterations.
#define RS_INTERRUPT_PATIENCE_NS INT64_C(300000000)
// From hold to release SIGINT, SIGTERM and SIGHUP wait for rs_interrupt_take instead of ending the process, in the
// calling thread and in those that it starts meanwhile. A signal that is ignored stays so.
void rs_interrupt_hold(void);
void rs_interrupt_release(void); // what waits still, ends the process now
// "SIGTERM" when that has come, which is then forgotten; NULL: nothing has.
const char *rs_interrupt_take(void);

// ---- checked arithmetic -----------------------------------------------------------------------------------

// False on overflow; *result is written on success only.
static inline bool rs_add_size(size_t a, size_t b, size_t *result) {
  return !__builtin_add_overflow(a, b, result);
}
static inline bool rs_multiply_size(size_t a, size_t b, size_t *result) {
  return !__builtin_mul_overflow(a, b, result);
}
static inline size_t rs_min_size(size_t a, size_t b) {
  return a < b ? a : b;
}
static inline size_t rs_max_size(size_t a, size_t b) {
  return a > b ? a : b;
}
// Smallest multiple of `step` that is >= value; step > 0.
static inline size_t rs_round_up(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}
static inline size_t rs_divide_up(size_t value, size_t divisor) {
  return value / divisor + (value % divisor != 0);
}

// Zeroed array of count x bytes, NULL and a filled error when it cannot be had or the product overflows.
void *rs_allocate(size_t count, size_t bytes, const char *what, struct rs_error *error);

// ---- random numbers: splitmix64 (Steele, Lea, Flood 2014) -------------------------------------------------

struct rs_random {
  uint64_t state;
};
uint64_t rs_random_next(struct rs_random *random);
// Uniform in 0 .. bound-1; bound > 0.
uint64_t rs_random_below(struct rs_random *random, uint64_t bound);
// The splitmix64 finaliser: a good 64-bit hash of one integer.
uint64_t rs_hash64(uint64_t value);
// Fills `bytes` from the kernel (getrandom).
enum rs_status rs_random_bytes(void *data, size_t bytes, struct rs_error *error);

// ---- text -------------------------------------------------------------------------------------------------

// A growing string. Start as {0}; rs_text_fini frees it. After a failed allocation `failed` is set and appends do
// nothing, so only the end needs a check. `data` is NULL or NUL-terminated.
struct rs_text {
  char *data;
  size_t length, capacity;
  bool failed;
};
void rs_text_append(struct rs_text *text, const char *format, ...) RS_PRINTF(2, 3);
void rs_text_fini(struct rs_text *text);

// "8 B", "64 KiB", "1.5 MiB": binary units, exact where it can be. Returns `buffer`.
const char *rs_format_size(uint64_t bytes, char *buffer, size_t buffer_bytes);
// "950 ns", "12.3 us", "4.56 ms", "1.20 s". Returns `buffer`.
const char *rs_format_ns(double ns, char *buffer, size_t buffer_bytes);

// A place in a text file, both from 1; columns count characters.
struct rs_file_place {
  size_t line, column;
};
// Reads a whole file of at most `bytes_max` bytes; `what` names its kind in errors: "run file". The caller frees *data,
// which has a NUL behind its *bytes. USAGE when there is none, or it is a directory or larger.
enum rs_status rs_file_read(const char *path, const char *what, size_t bytes_max, char **data, size_t *bytes,
                            struct rs_error *error);

// The candidate nearest to `word` by edit distance, or NULL when none is near enough to suggest.
const char *rs_text_nearest(const char *word, const char *const *candidates, size_t count);

// Of a list "a,b,c": how many items, 1 for a text without a comma; and item `index` of them.
size_t rs_text_items(const char *list);
void rs_text_item(const char *list, size_t index, char *item, size_t bytes);

// A text table: left- or right-aligned columns padded to their widest cell. UTF-8 is counted by code point.
struct rs_table;
enum rs_align { RS_ALIGN_LEFT, RS_ALIGN_RIGHT };
struct rs_table *rs_table_open(void); // NULL when out of memory; every other call accepts NULL
void rs_table_close(struct rs_table *table);
void rs_table_column(struct rs_table *table, enum rs_align align, const char *heading); // before the first cell
void rs_table_cell(struct rs_table *table, const char *format, ...) RS_PRINTF(2, 3);    // fills row by row
void rs_table_print(const struct rs_table *table, FILE *file);

// ---- world: the ranks of a launch, whatever started them --------------------------------------------------

// Every call except send, receive and rs_world_abort is collective: all ranks make it in the same order with the same
// sizes. It blocks until done, or until the world's timeout. Nothing here is used inside a timed region.
struct rs_world;
struct rs_world_ops {
  const char *name; // "mpi", "threads", "fork", "solo"
  enum rs_status (*barrier)(struct rs_world *world, struct rs_error *error);
  enum rs_status (*broadcast)(struct rs_world *world, void *data, size_t bytes, size_t root, struct rs_error *error);
  // all: size x bytes, rank r's at r x bytes; mine and all do not overlap.
  enum rs_status (*allgather)(struct rs_world *world, const void *mine, size_t bytes, void *all,
                              struct rs_error *error);
  // like allgather, but `all` is written on root only (NULL elsewhere).
  enum rs_status (*gather)(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                           struct rs_error *error);
  // Point to point, for short messages; per pair they arrive in order. send may wait for the receiver.
  enum rs_status (*send)(struct rs_world *world, const void *data, size_t bytes, size_t peer, struct rs_error *error);
  enum rs_status (*receive)(struct rs_world *world, void *data, size_t bytes, size_t peer, struct rs_error *error);
  // After a failure, when no message is sure to arrive any more: who gives a sign of life within wait_ns? Rank 0 learns
  // it of everyone, the others of rank 0. NULL: no rank can be lost without the others.
  void (*roll_call)(struct rs_world *world, int64_t wait_ns, bool *present);
  // Ends every rank with this exit code; does not return.
  void (*abort)(struct rs_world *world, int exit_code) __attribute__((noreturn));
};
struct rs_world {
  const struct rs_world_ops *ops;
  size_t rank, size;
  void *state;        // belongs to the implementation
  int64_t timeout_ns; // a rank that waits longer than this for others gives up (TIMEOUT); 0: never
};

enum rs_status rs_world_barrier(struct rs_world *world, struct rs_error *error);
enum rs_status rs_world_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                  struct rs_error *error);
enum rs_status rs_world_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                  struct rs_error *error);
enum rs_status rs_world_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                               struct rs_error *error);
enum rs_status rs_world_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                             struct rs_error *error);
enum rs_status rs_world_receive(struct rs_world *world, void *data, size_t bytes, size_t peer, struct rs_error *error);
// present[r] is false for a rank that the caller listened for in vain; a rank that failed calls it, and then nothing
// but rs_world_abort. Ranks that wait in the other calls hear of it and fail too.
void rs_world_roll_call(struct rs_world *world, int64_t wait_ns, bool *present);
_Noreturn void rs_world_abort(struct rs_world *world, int exit_code);

// Collective: every rank brings its own status; all get the worst one and its rank's text, prefixed with "rank R: "
// unless it is bad usage that every rank has seen. Worst is the most severe exit code, then what is rather a cause:
// trouble of its own, with a peer, a timeout, a peer that left; then the lowest rank's. RS_OK when all are fine.
enum rs_status rs_world_agree(struct rs_world *world, enum rs_status mine, struct rs_error *error);

// A world of one rank; needs no closing.
struct rs_world rs_world_solo(void);

#endif
