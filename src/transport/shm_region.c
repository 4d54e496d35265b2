// Regions that peers may read where they lie: buffers of HOST_SHARED memory.
//
// A peer is told of a region just before the first message from it: its descriptor goes over the pair's socket, and the
// message follows through the ring. So the peer, which finds a message from a region that it does not know, finds the
// region in its socket. A region that is forgotten needs no word: its place's next use takes its view away.
#include "transport/shm_device.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define EVENTS_MAX 16

struct announcement {
  struct rs_shm_region_id id;
  uint64_t bytes;
};

// ---- this rank's ------------------------------------------------------------------------------------------

static bool find_place(struct rs_shm_device *shm, struct rs_region *region) {
  for (uint32_t place = 0; place < RS_SHM_REGIONS_MAX; place++)
    if (shm->regions[place] == NULL) {
      shm->regions[place] = region;
      region->id = (struct rs_shm_region_id){place, ++shm->region_uses};
      return true;
    }
  return false;
}

enum rs_status rs_shm_register(struct rs_device *device, const struct rs_buffer *buffer, struct rs_region **region,
                               struct rs_error *error) {
  struct rs_shm_device *shm = rs_shm_device_of(device);
  if (!rs_buffer_is_host(buffer))
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "shm: processors reach host memory only");
  struct rs_region *opened = rs_allocate(1, sizeof *opened, "shm region", error);
  if (opened == NULL)
    return error->status;
  *opened = (struct rs_region){.address = buffer->address, .bytes = buffer->bytes, .memory = -1};
  if (buffer->kind == RS_MEMORY_HOST_SHARED) {
    opened->told = rs_allocate(shm->rank_count, sizeof *opened->told, "shm region", error);
    if (opened->told == NULL) {
      free(opened);
      return error->status;
    }
    if (find_place(shm, opened)) // the others go through the ring
      opened->memory = buffer->device;
  }
  *region = opened;
  return RS_OK;
}

void rs_shm_deregister(struct rs_device *device, struct rs_region *region) {
  if (region == NULL)
    return;
  if (region->memory >= 0)
    rs_shm_device_of(device)->regions[region->id.place] = NULL;
  free(region->told);
  free(region);
}

bool rs_shm_region_tell(const struct rs_region *region, const struct rs_shm_peer *peer) {
  if (region->memory < 0)
    return false;
  if (region->told[peer->rank])
    return true;
  const struct announcement announcement = {region->id, region->bytes};
  // When the socket is full, a later message gets through.
  region->told[peer->rank] =
      rs_shm_message_send(peer->socket, NULL, &announcement, sizeof announcement, &region->memory, 1) == 0;
  return region->told[peer->rank];
}

// ---- peers' -----------------------------------------------------------------------------------------------

static void drop_view(struct rs_shm_view *view) {
  if (view->address)
    munmap(view->address, view->bytes);
  *view = (struct rs_shm_view){0};
}

// What cannot be mapped stays unknown, and its first message says so.
static void hear_region(struct rs_shm_peer *peer, const struct announcement *announcement, int memory) {
  if (announcement->id.place >= RS_SHM_REGIONS_MAX || announcement->bytes > PTRDIFF_MAX || memory < 0)
    return;
  struct rs_shm_view *view = &peer->views[announcement->id.place];
  drop_view(view);
  void *address = mmap(NULL, announcement->bytes, PROT_READ, MAP_SHARED, memory, 0);
  if (address == MAP_FAILED)
    return;
  *view = (struct rs_shm_view){announcement->id.use, announcement->bytes, address};
  // Both only cost speed where a kernel has them not: huge pages as in the owner's mapping, and no faults later.
  (void)madvise(address, announcement->bytes, MADV_HUGEPAGE);
  (void)madvise(address, announcement->bytes, MADV_POPULATE_READ);
}

// Takes up what a peer's socket holds; false: it has ended.
static bool hear(struct rs_shm_peer *peer) {
  struct announcement announcement;
  int fds[RS_SHM_FDS_MAX];
  ssize_t got;
  while ((got = rs_shm_message_receive(peer->socket, &announcement, sizeof announcement, fds)) > 0) {
    if (got == sizeof announcement) // else a bell
      hear_region(peer, &announcement, fds[0]);
    for (size_t i = 0; i < RS_SHM_FDS_MAX; i++)
      if (fds[i] >= 0)
        close(fds[i]);
  }
  return got < 0 && (errno == EAGAIN || errno == EMFILE);
}

const struct rs_shm_view *rs_shm_view_find(struct rs_shm_peer *peer, struct rs_shm_region_id id) {
  const struct rs_shm_view *view = &peer->views[id.place % RS_SHM_REGIONS_MAX];
  if (view->use != id.use)
    (void)hear(peer); // its end, too, is heard again by rs_shm_look
  return view->use == id.use ? view : NULL;
}

void rs_shm_views_close(struct rs_shm_peer *peer) {
  for (size_t i = 0; peer->views && i < RS_SHM_REGIONS_MAX; i++)
    drop_view(&peer->views[i]);
  free(peer->views);
}

void rs_shm_look(struct rs_shm_device *shm) {
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(shm->epoll_fd, events, EVENTS_MAX, 0);
  for (int i = 0; i < count; i++) {
    struct rs_shm_peer *peer = events[i].data.ptr;
    if (hear(peer))
      continue;
    peer->gone = true;
    epoll_ctl(shm->epoll_fd, EPOLL_CTL_DEL, peer->socket, NULL);
  }
}
