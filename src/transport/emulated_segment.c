#include "transport/emulated_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 64
#define PAGE 4096
// Rings are as long as they can be within this much memory, but at least RING_MIN.
#define RINGS_BYTES ((size_t)32 << 20)
#define RING_MIN 32
#define RING_MAX 256

// ---- shape ------------------------------------------------------------------------------------------------

// Adds count x bytes, from a cache line on; *at is where they begin.
static bool add_section(size_t *end, size_t count, size_t bytes, size_t *at) {
  size_t length;
  *at = rs_round_up(*end, LINE);
  return rs_multiply_size(count, bytes, &length) && rs_add_size(*at, length, end) && *end < SIZE_MAX / 2;
}

enum rs_status rs_emulated_shape_init(struct rs_emulated_shape *shape, size_t rank_count, size_t lanes,
                                      size_t queue_count, struct rs_error *error) {
  struct rs_emulated_shape made = {.rank_count = rank_count, .lanes = lanes, .queue_count = queue_count};
  size_t rings, channels, end = PAGE;
  if (!rs_multiply_size(rank_count, lanes, &channels) || !rs_multiply_size(channels, rank_count, &rings))
    return rs_error_set_memory(error, SIZE_MAX, "the shared memory of emulated ranks");
  made.ring_quanta = RING_MAX;
  while (made.ring_quanta > RING_MIN && rings > RINGS_BYTES / sizeof(struct rs_emulated_quantum) / made.ring_quanta)
    made.ring_quanta /= 2;
  made.ring_bytes =
      rs_round_up(sizeof(struct rs_emulated_ring) + made.ring_quanta * sizeof(struct rs_emulated_quantum), LINE);
  // A rank's words fill whole cache lines, which others write.
  made.news_words = rs_round_up(rs_divide_up(channels, 64), LINE / sizeof(uint64_t));
  if (!add_section(&end, queue_count, sizeof(struct rs_emulated_queue), &made.queues_at) ||
      !add_section(&end, rank_count, sizeof(struct rs_emulated_sleeper), &made.sleepers_at) ||
      !add_section(&end, rank_count * made.news_words, sizeof(uint64_t), &made.news_at) ||
      !add_section(&end, rings, made.ring_bytes, &made.rings_at))
    return rs_error_set_memory(error, SIZE_MAX, "the shared memory of emulated ranks");
  made.bytes = rs_round_up(end, PAGE);
  *shape = made;
  return RS_OK;
}

// ---- segment ----------------------------------------------------------------------------------------------

void rs_emulated_segment_init(struct rs_emulated_segment *segment, const struct rs_emulated_shape *shape,
                              const uint8_t token[RS_TOKEN_BYTES]) {
  uint64_t words[RS_TOKEN_BYTES / sizeof(uint64_t)], first = 1, second = 2;
  memcpy(words, token, sizeof words);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(words); i++) {
    first = rs_hash64(first ^ words[i]);
    second = rs_hash64(second + words[i]);
  }
  *segment = (struct rs_emulated_segment){.shape = *shape};
  snprintf(segment->name, sizeof segment->name, "/ringside-%016" PRIx64 "%016" PRIx64, first, second);
}

static enum rs_status map_segment(struct rs_emulated_segment *segment, int fd, struct rs_error *error) {
  void *base = mmap(NULL, segment->shape.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: mapping %zu bytes of shared memory",
                              segment->shape.bytes);
  segment->base = base;
  segment->head = base;
  segment->mapped = true;
  return RS_OK;
}

// Memory is reserved before anyone writes to it: a full /dev/shm is an error here, and no SIGBUS later. The size of the
// file grows when all of it is there.
static enum rs_status make_segment(struct rs_emulated_segment *segment, int fd, struct rs_error *error) {
  int code;
  do
    code = posix_fallocate(fd, 0, (off_t)segment->shape.bytes);
  while (code == EINTR);
  if (code != 0)
    return rs_error_set_errno(error, RS_ERROR_IO, code,
                              "emulated: reserving %zu bytes of shared memory in /dev/shm for %zu ranks and %zu lanes; "
                              "make /dev/shm larger (docker run --shm-size), or run with fewer ranks or lanes",
                              segment->shape.bytes, segment->shape.rank_count, segment->shape.lanes);
  if (map_segment(segment, fd, error) < 0)
    return error->status;
  struct rs_emulated_head *head = segment->head;
  head->rank_count = (uint32_t)segment->shape.rank_count;
  head->lanes = (uint32_t)segment->shape.lanes;
  head->queue_count = (uint32_t)segment->shape.queue_count;
  head->epoch_ns = rs_clock_ns();
  for (size_t r = 0; r < segment->shape.rank_count; r++)
    atomic_init(&rs_emulated_segment_sleeper(segment, r)->wake_ps, RS_EMULATED_AWAKE);
  atomic_store_explicit(&head->ready, 1, memory_order_release);
  return RS_OK;
}

static enum rs_status join_segment(struct rs_emulated_segment *segment, int fd, struct rs_error *error) {
  struct stat facts;
  if (fstat(fd, &facts) < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: looking at shared memory %s", segment->name);
  if (facts.st_size == 0)
    return RS_IN_PROGRESS;
  if ((size_t)facts.st_size != segment->shape.bytes)
    return rs_error_set(
        error, RS_ERROR_PEER,
        "emulated: shared memory %s has %lld bytes where this rank needs %zu: the ranks do not run with "
        "the same fabric and lanes",
        segment->name, (long long)facts.st_size, segment->shape.bytes);
  return map_segment(segment, fd, error);
}

static enum rs_status open_segment(struct rs_emulated_segment *segment, struct rs_error *error) {
  int fd = shm_open(segment->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  segment->made = fd >= 0;
  if (fd < 0 && errno == EEXIST)
    fd = shm_open(segment->name, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && errno == ENOENT) // its maker has just given up
    return RS_IN_PROGRESS;
  if (fd < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "emulated: opening shared memory %s", segment->name);
  enum rs_status status = segment->made ? make_segment(segment, fd, error) : join_segment(segment, fd, error);
  close(fd);
  return status;
}

enum rs_status rs_emulated_segment_attach(struct rs_emulated_segment *segment, struct rs_error *error) {
  enum rs_status status = segment->mapped ? RS_OK : open_segment(segment, error);
  if (status != RS_OK)
    return status;
  struct rs_emulated_head *head = segment->head;
  const struct rs_emulated_shape *shape = &segment->shape;
  if (atomic_load_explicit(&head->ready, memory_order_acquire) == 0)
    return RS_IN_PROGRESS;
  if (head->rank_count != shape->rank_count || head->lanes != shape->lanes || head->queue_count != shape->queue_count)
    return rs_error_set(error, RS_ERROR_PEER, "emulated: the ranks do not run with the same fabric and lanes");
  if (atomic_fetch_add(&head->attached, 1) + 1 == shape->rank_count)
    shm_unlink(segment->name);
  return RS_OK;
}

void rs_emulated_segment_close(struct rs_emulated_segment *segment) {
  bool complete = segment->mapped && atomic_load(&segment->head->attached) == segment->shape.rank_count;
  if (segment->made && !complete)
    shm_unlink(segment->name);
  if (segment->mapped)
    munmap(segment->base, segment->shape.bytes);
  segment->made = segment->mapped = false;
}

// ---- ring -------------------------------------------------------------------------------------------------

bool rs_emulated_ring_full(const struct rs_emulated_segment *segment, const struct rs_emulated_ring *ring) {
  uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
  return pushed - atomic_load_explicit(&ring->popped, memory_order_acquire) >= segment->shape.ring_quanta;
}

void rs_emulated_ring_push(const struct rs_emulated_segment *segment, struct rs_emulated_ring *ring,
                           const struct rs_emulated_quantum *quantum) {
  uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
  ring->quanta[pushed & (segment->shape.ring_quanta - 1)] = *quantum;
  atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
}

const struct rs_emulated_quantum *rs_emulated_ring_peek(const struct rs_emulated_segment *segment,
                                                        const struct rs_emulated_ring *ring) {
  uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
  if (atomic_load_explicit(&ring->pushed, memory_order_acquire) == popped)
    return NULL;
  return &ring->quanta[popped & (segment->shape.ring_quanta - 1)];
}

void rs_emulated_ring_pop(struct rs_emulated_ring *ring) {
  uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
  atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
}
