#include "support/world_fork.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// The sockets of one rank: to[peer].
struct fork_state {
  int *to;
};

#define SPIN_NS 200000

// Waits as an MPI does: yields for a while, then sleeps, so that ranks that wait long leave the cores to others.
static enum rs_status move(int fd, void *data, size_t bytes, bool out, struct rs_error *error) {
  int64_t since = rs_clock_ns();
  for (size_t done = 0; done < bytes;) {
    char *at = (char *)data + done;
    int flags = MSG_NOSIGNAL | (rs_clock_ns() - since < SPIN_NS ? MSG_DONTWAIT : 0);
    ssize_t moved = out ? send(fd, at, bytes - done, flags) : recv(fd, at, bytes - done, flags);
    if (moved == 0 || (moved < 0 && errno != EINTR && errno != EAGAIN))
      return rs_error_set_errno(error, RS_ERROR_PEER, moved ? errno : ECONNRESET, "fork world");
    if (moved < 0)
      sched_yield();
    else
      done += (size_t)moved;
  }
  return RS_OK;
}

static enum rs_status fork_send(struct rs_world *world, const void *data, size_t bytes, size_t peer,
                                struct rs_error *error) {
  const struct fork_state *state = world->state;
  return move(state->to[peer], (void *)(uintptr_t)data, bytes, true, error);
}

static enum rs_status fork_receive(struct rs_world *world, void *data, size_t bytes, size_t peer,
                                   struct rs_error *error) {
  const struct fork_state *state = world->state;
  return move(state->to[peer], data, bytes, false, error);
}

static enum rs_status fork_gather(struct rs_world *world, const void *mine, size_t bytes, void *all, size_t root,
                                  struct rs_error *error) {
  if (world->rank != root)
    return fork_send(world, mine, bytes, root, error);
  for (size_t r = 0; r < world->size; r++) {
    if (r == root)
      memcpy((char *)all + r * bytes, mine, bytes);
    else if (fork_receive(world, (char *)all + r * bytes, bytes, r, error) < 0)
      return error->status;
  }
  return RS_OK;
}

static enum rs_status fork_broadcast(struct rs_world *world, void *data, size_t bytes, size_t root,
                                     struct rs_error *error) {
  if (world->rank != root)
    return fork_receive(world, data, bytes, root, error);
  for (size_t r = 0; r < world->size; r++)
    if (r != root && fork_send(world, data, bytes, r, error) < 0)
      return error->status;
  return RS_OK;
}

static enum rs_status fork_allgather(struct rs_world *world, const void *mine, size_t bytes, void *all,
                                     struct rs_error *error) {
  if (fork_gather(world, mine, bytes, all, 0, error) < 0)
    return error->status;
  return fork_broadcast(world, all, bytes * world->size, 0, error);
}

static enum rs_status fork_barrier(struct rs_world *world, struct rs_error *error) {
  uint8_t byte = 0, all[256];
  return fork_allgather(world, &byte, sizeof byte, all, error);
}

static void __attribute__((noreturn)) fork_abort(struct rs_world *world, int exit_code) {
  (void)world;
  _Exit(exit_code);
}

static const struct rs_world_ops fork_ops = {
    .name = "fork",
    .barrier = fork_barrier,
    .broadcast = fork_broadcast,
    .allgather = fork_allgather,
    .gather = fork_gather,
    .send = fork_send,
    .receive = fork_receive,
    .abort = fork_abort,
};

static void __attribute__((noreturn))
run_child(size_t rank, size_t size, int *to, world_fork_body body, void *argument) {
  struct fork_state state = {to};
  struct rs_world world = {.ops = &fork_ops, .rank = rank, .size = size, .state = &state};
  struct rs_error error = {0};
  enum rs_status status = body(&world, argument, &error);
  if (status < 0)
    fprintf(stderr, "fork world: rank %zu: %s\n", rank, error.text);
  _Exit(rs_status_exit_code(status));
}

enum rs_status world_fork(size_t rank_count, world_fork_body body, void *argument) {
  int *sockets = calloc(rank_count * rank_count, sizeof *sockets); // [from * n + to]
  for (size_t a = 0; a < rank_count; a++)
    for (size_t b = a + 1; b < rank_count; b++) {
      int pair[2];
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        abort();
      sockets[a * rank_count + b] = pair[0];
      sockets[b * rank_count + a] = pair[1];
    }
  fflush(NULL);
  for (size_t r = 0; r < rank_count; r++) {
    pid_t pid = fork();
    if (pid < 0)
      abort();
    if (pid > 0)
      continue;
    // Sockets of others are closed, so that a rank that ends is noticed.
    for (size_t i = 0; i < rank_count * rank_count; i++)
      if (i / rank_count != r && i / rank_count != i % rank_count)
        close(sockets[i]);
    run_child(r, rank_count, &sockets[r * rank_count], body, argument);
  }
  for (size_t i = 0; i < rank_count * rank_count; i++)
    if (i / rank_count != i % rank_count)
      close(sockets[i]);
  free(sockets);
  enum rs_status worst = RS_OK;
  for (size_t r = 0; r < rank_count; r++) {
    int status;
    wait(&status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      worst = RS_ERROR_PEER;
  }
  return worst;
}
