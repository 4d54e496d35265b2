#include "baseline/gloo.h"
#include "baseline/mpi.h"

#include <string.h>

const struct rs_baseline *const rs_baselines[] = {
    &rs_baseline_mpi,
#ifdef RS_HAVE_GLOO
    &rs_baseline_gloo_ring,
    &rs_baseline_gloo_bcube,
    &rs_baseline_gloo_ring_whole,
    &rs_baseline_gloo_ring_chunked,
    &rs_baseline_gloo_halving_doubling,
#endif
};
const size_t rs_baseline_count = RS_ARRAY_LENGTH(rs_baselines);

const struct rs_baseline *rs_baseline_find(const char *name) {
  for (size_t i = 0; i < rs_baseline_count; i++)
    if (strcmp(rs_baselines[i]->name, name) == 0)
      return rs_baselines[i];
  return NULL;
}
