// Buffers of host memory. A buffer is a mapping of its own, so that its alignment and its page size are known and
// nothing else shares its pages.
#include "ringside/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

const char *const rs_memory_kind_names[] = {
    [RS_MEMORY_HOST] = "host",
    [RS_MEMORY_HOST_HUGE] = "host_huge",
    [RS_MEMORY_HOST_SHARED] = "host_shared",
    NULL,
};

static size_t page_bytes(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

// Alignment and unit of length of a mapping. 2 MiB is the huge page of x86-64, and of arm64 with 4 KiB pages.
static size_t mapping_unit(enum rs_memory_kind kind, size_t bytes) {
  bool huge = kind == RS_MEMORY_HOST_HUGE || (kind == RS_MEMORY_HOST_SHARED && bytes >= HUGE_PAGE_BYTES);
  return huge ? rs_max_size(HUGE_PAGE_BYTES, page_bytes()) : page_bytes();
}

// Length of the mapping behind `bytes`; an empty buffer still has an address of its own. False on overflow.
static bool mapping_bytes(enum rs_memory_kind kind, size_t bytes, size_t *length) {
  size_t unit = mapping_unit(kind, bytes), padded;
  if (!rs_add_size(rs_max_size(bytes, 1), unit - 1, &padded))
    return false;
  *length = padded / unit * unit;
  return true;
}

// mmap aligns to pages only: map up to one unit more than needed, then give back what hangs over on both sides.
static void *map_aligned(size_t length, size_t unit) {
  size_t slack = unit - page_bytes(), total;
  if (!rs_add_size(length, slack, &total))
    return NULL;
  char *start = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return NULL;
  size_t head = rs_round_up((uintptr_t)start, unit) - (uintptr_t)start;
  if (head > 0)
    munmap(start, head);
  if (slack > head)
    munmap(start + head + length, slack - head);
  return start + head;
}

// Puts the pages of a new memfd where these are; returns it, or -1 with errno.
static int share_mapping(void *address, size_t length) {
  int fd = memfd_create("ringside-buffer", MFD_CLOEXEC);
  if (fd < 0)
    return -1;
  if (ftruncate(fd, (off_t)length) == 0 &&
      mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
    return fd;
  int code = errno;
  close(fd);
  errno = code;
  return -1;
}

enum rs_status rs_buffer_open(enum rs_memory_kind kind, size_t bytes, struct rs_buffer *buffer,
                              struct rs_error *error) {
  size_t length, unit = mapping_unit(kind, bytes);
  int shared = -1;
  char *address = mapping_bytes(kind, bytes, &length) ? map_aligned(length, unit) : NULL;
  if (!address)
    return rs_error_set_memory(error, bytes, kind == RS_MEMORY_HOST_HUGE ? "a huge-page buffer" : "a host buffer");
  if (kind == RS_MEMORY_HOST_SHARED && (shared = share_mapping(address, length)) < 0) {
    rs_error_set_errno(error, RS_ERROR_MEMORY, errno, "sharing a buffer of %zu bytes by memfd_create", bytes);
    munmap(address, length);
    return error->status;
  }

  // Plain pages are asked for as well, so that a kind means the same whatever this system does by default. A kernel
  // without huge pages refuses both; the buffer then has plain pages, which only costs speed.
  (void)madvise(address, length, unit == page_bytes() ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);

  // The write makes the kernel find a page now, near the CPU that runs this.
  volatile char *touched = address;
  for (size_t offset = 0; offset < length; offset += page_bytes())
    touched[offset] = 0;
  *buffer = (struct rs_buffer){.address = address, .bytes = bytes, .kind = kind, .device = shared};
  return RS_OK;
}

void rs_buffer_close(struct rs_buffer *buffer) {
  size_t length;
  if (buffer->address && mapping_bytes(buffer->kind, buffer->bytes, &length))
    munmap(buffer->address, length);
  if (buffer->address && buffer->kind == RS_MEMORY_HOST_SHARED)
    close(buffer->device);
  *buffer = (struct rs_buffer){0};
}
