// What this machine takes for the exchanges of small allreduces when nothing but the exchange is done: bare loops over
// a socket and over shared memory, without messages, schedules or checks. No transport is faster, so they say how much
// of a collective's time is ringside's. Medians, by one process of the several; prints figures; no test. bench/truth
// cost runs it.
#include "ringside/memory.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITERATIONS 50000
#define PROCESSES_MAX 8
#define VECTOR_BYTES_MAX ((size_t)1 << 20)
// As much as a header and 8 bytes of ringside's over tcp.
#define MESSAGE_BYTES 24

struct process {
  _Alignas(128) atomic_uint_fast64_t told;
  _Alignas(4096) uint8_t input[VECTOR_BYTES_MAX];
  uint8_t output[VECTOR_BYTES_MAX];
};

struct loop {
  const char *what;
  size_t processes, bytes;
  void (*iterate)(const struct loop *loop, size_t me);
};

static struct process *shared; // [PROCESSES_MAX], of all
static size_t processors;
static int sockets[2]; // [process], connected with each other
static uint64_t said;  // by this process, in `told`

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(5);
}

// ---- the loops --------------------------------------------------------------------------------------------

// Both send, then both take what came, without sleeping.
static void exchange_socket(const struct loop *loop, size_t me) {
  uint8_t message[MESSAGE_BYTES] = {0};
  if (send(sockets[me], message, loop->bytes, MSG_NOSIGNAL) != (ssize_t)loop->bytes)
    fail("bare_loops: send");
  for (size_t got = 0; got < loop->bytes;) {
    ssize_t part = recv(sockets[me], message, loop->bytes - got, MSG_DONTWAIT);
    if (part == 0)
      exit(5); // the other process has said why
    got += part > 0 ? (size_t)part : 0;
  }
}

static void meet(size_t me, size_t other, bool yields) {
  atomic_store(&shared[me].told, ++said);
  while (atomic_load(&shared[other].told) < said)
    if (yields)
      sched_yield();
}

// Recursive doubling of nothing at all.
static void exchange_flags(const struct loop *loop, size_t me) {
  for (size_t distance = 1; distance < loop->processes; distance *= 2)
    meet(me, me ^ distance, loop->processes > processors);
}

// Each sums its half of both inputs, and copies the other's half of the result.
static void sum_halves(const struct loop *loop, size_t me) {
  size_t other = 1 - me, half = loop->bytes / 2;
  meet(me, other, false);
  rs_kernel_reduce(RS_FLOAT32, RS_SUM, shared[me].output + me * half, shared[me].input + me * half,
                   shared[other].input + me * half, half / sizeof(float));
  meet(me, other, false);
  rs_kernel_copy(shared[me].output + other * half, shared[other].output + other * half, half);
  meet(me, other, false);
}

static const struct loop loops[] = {
    {"2 processes exchange 24 bytes over a TCP connection of loopback", 2, MESSAGE_BYTES, exchange_socket},
    {"2 processes exchange a flag in shared memory", 2, 0, exchange_flags},
    {"4 processes exchange a flag, twice each, yielding where processors are fewer", 4, 0, exchange_flags},
    {"8 processes, three times each", 8, 0, exchange_flags},
    {"2 processes allreduce 64 KiB of float32 in shared memory", 2, (size_t)64 << 10, sum_halves},
    {"2 processes allreduce 1 MiB", 2, VECTOR_BYTES_MAX, sum_halves},
};

// ---- running them -----------------------------------------------------------------------------------------

static void connect_sockets(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) < 0)
    fail("bare_loops: listening on loopback");
  sockets[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sockets[0] < 0 || connect(sockets[0], (struct sockaddr *)&address, length) < 0)
    fail("bare_loops: connecting");
  sockets[1] = accept(listener, NULL, NULL);
  if (sockets[1] < 0)
    fail("bare_loops: accepting");
  for (size_t i = 0; i < 2; i++)
    if (setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
      fail("bare_loops: TCP_NODELAY");
  close(listener);
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double run_loop(const struct loop *loop, size_t me) {
  static int64_t ns[ITERATIONS];
  said = 0;
  for (size_t i = 0; i < ITERATIONS; i++) {
    int64_t begin = rs_clock_ns();
    loop->iterate(loop, me);
    ns[i] = rs_clock_ns() - begin;
  }
  qsort(ns, ITERATIONS, sizeof *ns, compare);
  size_t middle = ITERATIONS / 2;
  return (double)ns[middle];
}

// The median as process 0 saw it, in ns.
static double measure(const struct loop *loop) {
  pid_t children[PROCESSES_MAX];
  for (size_t i = 0; i < loop->processes; i++)
    atomic_store(&shared[i].told, 0);
  for (size_t me = 1; me < loop->processes; me++) {
    children[me] = fork();
    if (children[me] < 0)
      fail("bare_loops: fork");
    if (children[me] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL); // it would wait for process 0 for ever
      run_loop(loop, me);
      _exit(0);
    }
  }
  double median = run_loop(loop, 0);
  for (size_t me = 1; me < loop->processes; me++)
    waitpid(children[me], NULL, 0);
  return median;
}

int main(void) {
  processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
  shared = mmap(NULL, PROCESSES_MAX * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    fail("bare_loops: mmap");
  memset(shared, 0, PROCESSES_MAX * sizeof *shared);
  connect_sockets();
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "bare loop");
  rs_table_column(table, RS_ALIGN_RIGHT, "us");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(loops); i++) {
    rs_table_cell(table, "%s", loops[i].what);
    rs_table_cell(table, "%.2f", measure(&loops[i]) / 1e3);
  }
  printf("\n");
  rs_table_print(table, stdout);
  rs_table_close(table);
  return 0;
}
