// The window: the steps of a schedule that are in flight on this rank, and what each of them waits for.
//
// Steps enter in the order of rs_order (diagonal, round), piece by piece, list order last; all ranks use the same
// order. A step is a slot, and sets of slots are bits of a word, so that a dependency is one AND:
//   after   the older steps whose data this one reads, or whose data it overwrites; it must not touch its own data
//           before they are done;
//   behind  the older messages to (or from) the same peer on the same lane; it is posted after they are posted, so that
//           the i-th send meets the i-th receive.
// Why this cannot deadlock: look at the least (diagonal, round, piece) that is unfinished on any rank. Everything older
// is done everywhere, so its steps wait for nothing and are in the window of their ranks (which holds at least
// RS_ROUND_STEPS_MAX steps, and nothing newer came in before them), and both ends of its messages are posted. Within a
// round only RECV_REDUCEs into one slice wait for each other, in list order: where none is staged, the first is posted,
// and when it is done the next one is.
#ifndef RINGSIDE_EXECUTE_WINDOW_H
#define RINGSIDE_EXECUTE_WINDOW_H

#include "ringside/execute.h"

#define WINDOW_SLOTS_MAX 64

enum slot_state {
  SLOT_WAITING,  // not posted, or a local step that is not yet due
  SLOT_POSTED,   // with a device
  SLOT_RECEIVED, // a staged RECV_REDUCE: the message has come, the reduction is not yet due
};

// A run of places of one real buffer, at one chunk; count 0: nothing.
struct access {
  uint32_t memory; // enum memory_id
  uint32_t place, count;
};

// The real buffers. In place, input and output are one.
enum memory_id { MEMORY_INPUT, MEMORY_OUTPUT, MEMORY_SCRATCH, MEMORY_STAGING, MEMORY_COUNT };

struct slot {
  enum slot_state state;
  enum rs_step_kind kind;
  bool final;
  bool staged; // RECV_REDUCE: the message waits in staging; otherwise it is reduced as it comes
  uint64_t after, behind;
  uint32_t round, chunk, peer, lane, staging;
  struct access reads[2], writes;
  uint64_t source, target; // offsets in bytes
  uint64_t elements;
};

struct rs_executor {
  struct rs_executor_params params;
  struct rs_partition partition;
  uint64_t *places[RS_BUFFER_ID_COUNT]; // where each place begins, and the end, in elements
  uint32_t rounds, element_bytes;
  uint32_t window_slots, staging_slots;
  size_t staging_bytes;                  // of one staging slot
  struct rs_buffer memory[MEMORY_COUNT]; // scratch and staging are owned
  struct rs_region **regions;            // [memory_id * devices + device]

  // Where the schedule stands: the next step to enter the window.
  struct rs_order order;
  struct rs_step steps[RS_ROUND_STEPS_MAX];
  uint32_t step_count, step, piece, pieces, round, chunk;
  bool entered_all;

  struct slot slots[WINDOW_SLOTS_MAX];
  uint64_t live, staging_free; // sets
  struct rs_taker taker;       // reduces the pieces of messages that are not staged
  struct rs_executor_counts counts;
  int64_t yield_ns; // how long a wait yields before it sleeps
};

// Forgets everything and goes to the start of the schedule.
void window_start(struct rs_executor *executor);
// Takes in what fits, posts and computes what is due; *changed tells whether anything happened. OK: the collective is
// complete. IN_PROGRESS: it waits for the devices.
enum rs_status window_advance(struct rs_executor *executor, bool *changed, struct rs_error *error);
// The oldest step that is not done, in words, for the error of a timeout.
void window_describe(const struct rs_executor *executor, char *text, size_t bytes);

#endif
