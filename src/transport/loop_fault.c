// Faults of the loop transport: each is one call of one kind, counted from the options, so that a seed can name it.
#include "transport/loop.h"

void loop_fault_init(struct loop_fault *fault, const struct rs_loop_options *options, size_t rank) {
  bool here = options->fail_rank == 0 || options->fail_rank == rank + 1;
  *fault = (struct loop_fault){
      .in = (enum loop_fail_in)options->fail_in,
      .at = here ? options->fail_at : 0,
      .busy = options->busy,
      .random = {rs_hash64(options->seed ^ 0x62757379) + rank},
      .rank = rank,
  };
}

enum rs_status loop_fault_call(struct loop_fault *fault, enum loop_fail_in in, size_t peer, struct rs_error *error) {
  if (fault->in != in || ++fault->calls != fault->at)
    return RS_OK;
  char whom[48] = "";
  if (peer != SIZE_MAX)
    snprintf(whom, sizeof whom, ", %s rank %zu", in == LOOP_FAIL_SEND ? "sending to" : "receiving from", peer);
  return rs_error_set(error, peer == SIZE_MAX ? RS_ERROR_IO : RS_ERROR_PEER,
                      "loop: injected failure at %s %llu of rank %zu%s", loop_fail_names[in],
                      (unsigned long long)fault->calls, fault->rank, whom);
}

bool loop_fault_refuses(struct loop_fault *fault) {
  if (fault->in == LOOP_FAIL_SILENT && ++fault->calls == fault->at)
    fault->silent = true;
  bool refuses = fault->busy > 0 && rs_random_below(&fault->random, 64) < fault->busy;
  fault->refused |= refuses;
  return fault->silent || refuses;
}
