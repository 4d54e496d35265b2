#include "ringside/launch.h"

#include <stdlib.h>

bool rs_launch_present(void) {
  // What Open MPI, MPICH (and Intel MPI), and Slurm tell every process about the size of its launch.
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(sizes); i++) {
    const char *value = getenv(sizes[i]);
    if (value != NULL && strtoul(value, NULL, 10) > 1)
      return true;
  }
  return false;
}
