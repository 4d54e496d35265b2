// launch: how the ranks came to be. The only module, besides baseline/mpi*, that sees MPI.
#ifndef RINGSIDE_LAUNCH_H
#define RINGSIDE_LAUNCH_H

#include "ringside/base.h"

// Joins the launch that started this process (MPI_Init); alone, the world has one rank. Once per process. *world
// stays valid until rs_launch_fini. MPI waits for ever for a rank that does not come: after timeout_ns (0: no limit)
// the process says so and ends with exit code 4.
enum rs_status rs_launch_init(int64_t timeout_ns, struct rs_world **world, struct rs_error *error);
// Leaves it (MPI_Finalize); collective, within twice the world's timeout in the same way. NULL is fine.
void rs_launch_fini(struct rs_world *world);

// "Open MPI v4.1.4"; before rs_launch_init too.
void rs_launch_library(char *text, size_t bytes);
// True when this process was started by a launcher (mpirun, srun) with more than one rank.
bool rs_launch_present(void);

// Runs `body` as `rank_count` ranks on threads of this process; each gets a world of its own ("threads") and
// `argument`. Returns the worst status; the error is that rank's. abort in such a world ends the process.
typedef enum rs_status (*rs_rank_body)(struct rs_world *world, void *argument, struct rs_error *error);
enum rs_status rs_launch_threads(size_t rank_count, rs_rank_body body, void *argument, struct rs_error *error);

#endif
