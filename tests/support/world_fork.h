// Ranks as processes made by fork, with a socket between every two of them: a world without MPI.
#ifndef RINGSIDE_TESTS_WORLD_FORK_H
#define RINGSIDE_TESTS_WORLD_FORK_H

#include "ringside/base.h"

typedef enum rs_status (*world_fork_body)(struct rs_world *world, void *argument, struct rs_error *error);

// Runs `body` in rank_count child processes and waits for them; *argument is theirs by copy-on-write, so results go
// through memory that is shared (mmap). The worst status of all ranks; the words of a failure go to stderr.
enum rs_status world_fork(size_t rank_count, world_fork_body body, void *argument);

#endif
