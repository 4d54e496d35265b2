// execute: runs a schedule over a route of devices. Depends on collective, transport, memory.
//
// While a collective runs there is no allocation, no log and no system call of the executor's own, except to sleep
// when the wait policy says so. Everything is allocated by rs_executor_open.
#ifndef RINGSIDE_EXECUTE_H
#define RINGSIDE_EXECUTE_H

#include "ringside/base.h"
#include "ringside/collective.h"
#include "ringside/memory.h"
#include "ringside/transport.h"

// ---- route ------------------------------------------------------------------------------------------------

#define RS_ROUTE_DEVICES_MAX 16
// Which device carries (peer, lane). The devices are not owned.
struct rs_route {
  size_t rank_count, lanes;
  struct rs_device **devices;
  size_t device_count;
  const uint8_t *device_of; // rank_count x lanes indices into devices; NULL: always device 0
};
static inline size_t rs_route_index(const struct rs_route *route, size_t peer, size_t lane) {
  return route->device_of ? route->device_of[peer * route->lanes + lane] : 0;
}

// What is true of all devices of a route together.
void rs_route_limits(const struct rs_route *route, struct rs_limits *limits);

// How to wait when nothing progresses. AUTO is resolved by the caller: SPIN when every rank of the host has a core of
// its own, SLEEP otherwise (yield for about 50 us, then arm every device and poll).
enum rs_wait { RS_WAIT_AUTO, RS_WAIT_SPIN, RS_WAIT_SLEEP };
extern const char *const rs_wait_names[]; // NULL-terminated

// ---- executor ---------------------------------------------------------------------------------------------

struct rs_executor_params {
  const struct rs_algorithm *algorithm;
  struct rs_schedule_params schedule; // its arrays live as long as the executor
  uint32_t rank;                      // among schedule.rank_count
  const uint32_t *members;            // members[r] = the rank on the route that r stands for; NULL: r itself. Not owned
  const struct rs_route *route;
  enum rs_datatype datatype;
  enum rs_operation operation;
  uint64_t count;                   // elements of the whole that is cut into parts
  const uint64_t *bounds;           // uneven parts, see rs_partition; NULL: even. Not owned
  uint64_t chunk_bytes;             // 0: parts are not cut
  size_t lanes;                     // lanes to use, 1 .. route->lanes: chunk c goes over lane c mod lanes
  size_t window;                    // messages and local steps in flight, at most; 0: default; RS_ROUND_STEPS_MAX .. 64
  struct rs_buffer *input, *output; // the same buffer: in place. Not owned; count and rs_output_elements long
  enum rs_wait wait;                // SPIN or SLEEP
  int64_t timeout_ns;               // for one collective
};

struct rs_executor;
// Plans the schedule, allocates scratch and staging, registers memory with every device of the route.
enum rs_status rs_executor_open(const struct rs_executor_params *params, struct rs_executor **executor,
                                struct rs_error *error);
void rs_executor_close(struct rs_executor *executor); // NULL is fine

// Bytes that open will allocate for these parameters, so that a run can be refused before it starts.
uint64_t rs_executor_memory(const struct rs_executor_params *params);

// Runs one collective from start to end. TIMEOUT names the round, the peer and what was owed.
enum rs_status rs_executor_run(struct rs_executor *executor, struct rs_error *error);

// The same in steps, for callers that drive several ranks from one thread: start once, then advance until it does not
// return IN_PROGRESS. advance never blocks and ignores the timeout.
void rs_executor_start(struct rs_executor *executor);
enum rs_status rs_executor_advance(struct rs_executor *executor, struct rs_error *error);

// What one collective does on this rank; constant for an executor.
struct rs_executor_counts {
  uint64_t rounds, messages_sent, bytes_sent, bytes_reduced;
  uint32_t chunks;
};
void rs_executor_counts(const struct rs_executor *executor, struct rs_executor_counts *counts);

#endif
