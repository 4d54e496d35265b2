// From addresses to pairs. Of two ranks the higher one offers: it makes the memory that both will share and two
// connected sockets, and sends the memory and one socket to the other's door. The lower one maps it and answers over
// the socket. Each shows half of the launch's token, so neither proves itself by sending back what it got.
//
//   rank 5 (offers)                                          rank 2 (awaits)
//   memfd, socketpair ── hello, half 0, [memory, socket] ──► door
//                     ◄──────────── half 1 ───────────────── socket
#include "transport/shm_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROTOCOL 1
#define HALF_BYTES (RS_TOKEN_BYTES / 2)

static const char hello_magic[8] = "rsSHARE";

struct hello {
  char magic[8];
  uint32_t protocol, rank, peer, lanes;
  uint64_t ring_bytes, piece_bytes;
  uint8_t half[HALF_BYTES];
};

// "rank 3 (process 4711)"
struct peer_text {
  char text[48];
};

static struct peer_text peer_format(const struct rs_shm_peer *peer) {
  struct peer_text result;
  snprintf(result.text, sizeof result.text, "rank %zu (process %u)", peer->rank, peer->process);
  return result;
}

// ---- who is wanted ----------------------------------------------------------------------------------------

static struct rs_shm_address address_of(const uint8_t *addresses, size_t rank) {
  struct rs_shm_address address;
  memcpy(&address, addresses + rank * RS_ADDRESS_BYTES_MAX, sizeof address);
  address.host[sizeof address.host - 1] = address.name[sizeof address.name - 1] = '\0';
  return address;
}

static enum rs_status check_reach(const struct rs_shm_device *shm, size_t peer, const struct rs_shm_address *address,
                                  struct rs_error *error) {
  size_t low = rs_min_size(shm->rank, peer), high = rs_max_size(shm->rank, peer);
  if (strcmp(address->host, shm->address.host) != 0)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "shm: ranks %zu and %zu are on different hosts and share no memory; use transport=tcp", low,
                        high);
  if (address->network != shm->address.network)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "shm: ranks %zu and %zu are on one host but in different network namespaces, so they cannot "
                        "hand each other memory; use transport=tcp, or give the containers one network",
                        low, high);
  return RS_OK;
}

static enum rs_status init_peer(struct rs_shm_device *shm, struct rs_shm_peer *peer, struct rs_shm_channel *channels,
                                struct rs_error *error) {
  peer->views = rs_allocate(RS_SHM_REGIONS_MAX, sizeof *peer->views, "shm regions", error);
  if (peer->views == NULL)
    return error->status;
  peer->channels = channels;
  for (size_t lane = 0; lane < shm->lanes; lane++) {
    channels[lane].peer = peer;
    channels[lane].lane = lane;
  }
  return RS_OK;
}

static enum rs_status begin(struct rs_shm_device *shm, const uint8_t *addresses, const bool *peers,
                            struct rs_error *error) {
  size_t channels;
  shm->peers = rs_allocate(shm->rank_count, sizeof *shm->peers, "shm peers", error);
  if (shm->peers == NULL)
    return error->status;
  for (size_t r = 0; r < shm->rank_count; r++) {
    struct rs_shm_peer *peer = &shm->peers[r];
    struct rs_shm_address address = address_of(addresses, r);
    *peer = (struct rs_shm_peer){.rank = r, .process = address.process, .socket = -1, .offer = {-1, -1}};
    if (r == shm->rank || !peers[r])
      continue;
    peer->stage = r < shm->rank ? RS_SHM_TO_OFFER : RS_SHM_AWAITED;
    shm->missing++;
  }
  for (size_t r = 0; r < shm->rank_count; r++) {
    struct rs_shm_address address = address_of(addresses, r);
    if (shm->peers[r].stage != RS_SHM_UNWANTED && check_reach(shm, r, &address, error) < 0)
      return error->status;
  }
  if (!rs_multiply_size(shm->missing, shm->lanes, &channels))
    return rs_error_set_memory(error, SIZE_MAX, "shm channels");
  shm->channels = rs_allocate(channels, sizeof *shm->channels, "shm channels", error);
  shm->active = rs_allocate(channels, sizeof *shm->active, "shm channels", error);
  if (shm->channels == NULL || shm->active == NULL)
    return error->status;
  for (size_t r = 0, used = 0; r < shm->rank_count; r++)
    if (shm->peers[r].stage != RS_SHM_UNWANTED &&
        init_peer(shm, &shm->peers[r], shm->channels + shm->lanes * used++, error) < 0)
      return error->status;
  shm->deadline_ns = rs_clock_ns() + shm->timeout_ns;
  return RS_OK;
}

// ---- a pair -----------------------------------------------------------------------------------------------

// All pages are there when this returns, so none is missing in a timed region.
static enum rs_status map_pair(struct rs_shm_device *shm, struct rs_shm_peer *peer, int memory,
                               struct rs_error *error) {
  void *shared = mmap(NULL, shm->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, memory, 0);
  if (shared == MAP_FAILED)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: mapping %zu bytes shared with %s", shm->shared_bytes,
                              peer_format(peer).text);
  peer->shared = shared;
  size_t higher = shm->rank > peer->rank;
  struct rs_shm_side *sides = shared;
  peer->mine = &sides[higher];
  peer->theirs = &sides[1 - higher];
  uint8_t *wire = peer->shared + 2 * sizeof *sides;
  for (size_t lane = 0; lane < shm->lanes; lane++, wire += 2 * shm->wire_bytes) {
    peer->channels[lane].out = (struct rs_shm_wire *)(wire + higher * shm->wire_bytes);
    peer->channels[lane].in = (struct rs_shm_wire *)(wire + (1 - higher) * shm->wire_bytes);
  }
  return RS_OK;
}

static enum rs_status joined(struct rs_shm_device *shm, struct rs_shm_peer *peer, struct rs_error *error) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  if (epoll_ctl(shm->epoll_fd, EPOLL_CTL_ADD, peer->socket, &event) < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: epoll_ctl");
  peer->stage = RS_SHM_JOINED;
  shm->missing--;
  return RS_OK;
}

static enum rs_status refused(const struct rs_shm_peer *peer, struct rs_error *error) {
  return rs_error_set(error, RS_ERROR_PEER,
                      "shm: connecting to %s: it has closed its device, or died; look at its own message",
                      peer_format(peer).text);
}

// ---- the offering side ------------------------------------------------------------------------------------

// Memory is reserved before anyone writes to it: none left is an error here, and no SIGBUS later.
static enum rs_status make_offer(struct rs_shm_device *shm, struct rs_shm_peer *peer, struct rs_error *error) {
  int sockets[2], code;
  peer->offer[0] = memfd_create("ringside-shm", MFD_CLOEXEC);
  if (peer->offer[0] < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: memfd_create");
  do
    code = posix_fallocate(peer->offer[0], 0, (off_t)shm->shared_bytes);
  while (code == EINTR);
  if (code != 0)
    return rs_error_set_errno(error, RS_ERROR_MEMORY, code,
                              "shm: reserving %zu bytes to share with %s (%zu lanes, twice shm.ring=%zu each); lower "
                              "shm.ring, or run with fewer lanes or ranks",
                              shm->shared_bytes, peer_format(peer).text, shm->lanes, shm->ring_bytes);
  if (map_pair(shm, peer, peer->offer[0], error) < 0)
    return error->status;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets) < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "shm: a pair of sockets to share with %s",
                              peer_format(peer).text);
  peer->socket = sockets[0];
  peer->offer[1] = sockets[1];
  return RS_OK;
}

static enum rs_status offer(struct rs_shm_device *shm, struct rs_shm_peer *peer, const struct rs_shm_address *address,
                            struct rs_error *error) {
  if (peer->socket < 0 && make_offer(shm, peer, error) < 0)
    return error->status;
  struct hello hello = {
      .protocol = PROTOCOL,
      .rank = (uint32_t)shm->rank,
      .peer = (uint32_t)peer->rank,
      .lanes = (uint32_t)shm->lanes,
      .ring_bytes = shm->ring_bytes,
      .piece_bytes = shm->piece_bytes,
  };
  memcpy(hello.magic, hello_magic, sizeof hello.magic);
  memcpy(hello.half, shm->token, HALF_BYTES);
  int code = rs_shm_message_send(shm->door, address, &hello, sizeof hello, peer->offer, 2);
  if (code == EAGAIN) // others stand at the door
    return RS_OK;
  if (code == ECONNREFUSED || code == ENOENT)
    return refused(peer, error);
  if (code != 0)
    return rs_error_set_errno(error, RS_ERROR_PEER, code, "shm: connecting to %s", peer_format(peer).text);
  for (size_t i = 0; i < 2; i++) {
    close(peer->offer[i]);
    peer->offer[i] = -1;
  }
  peer->stage = RS_SHM_OFFERED;
  return RS_OK;
}

static enum rs_status hear_answer(struct rs_shm_device *shm, struct rs_shm_peer *peer, struct rs_error *error) {
  uint8_t half[HALF_BYTES];
  ssize_t got = recv(peer->socket, half, sizeof half, 0);
  if (got < 0 && errno == EAGAIN)
    return RS_OK;
  if (got != HALF_BYTES || memcmp(half, shm->token + HALF_BYTES, HALF_BYTES) != 0)
    return refused(peer, error);
  return joined(shm, peer, error);
}

// ---- the awaiting side ------------------------------------------------------------------------------------

// In a time that does not depend on where they differ, so that the token cannot be guessed byte by byte.
static bool equal_half(const uint8_t *a, const uint8_t *b) {
  volatile uint8_t differences = 0;
  for (size_t i = 0; i < HALF_BYTES; i++)
    differences |= a[i] ^ b[i];
  return differences == 0;
}

static bool proven(const struct rs_shm_device *shm, const struct hello *hello, ssize_t bytes) {
  return bytes == sizeof *hello && memcmp(hello->magic, hello_magic, sizeof hello_magic) == 0 &&
         equal_half(hello->half, shm->token) && hello->peer == shm->rank && hello->rank < shm->rank_count &&
         shm->peers[hello->rank].stage == RS_SHM_AWAITED;
}

static enum rs_status check_hello(const struct rs_shm_device *shm, const struct hello *hello, int memory,
                                  struct rs_error *error) {
  struct stat facts;
  if (hello->protocol != PROTOCOL)
    return rs_error_set(error, RS_ERROR_PEER,
                        "shm: rank %u speaks protocol %u, this rank %d: install one version of ringside", hello->rank,
                        hello->protocol, PROTOCOL);
  if (hello->lanes != shm->lanes || hello->ring_bytes != shm->ring_bytes || hello->piece_bytes != shm->piece_bytes)
    return rs_error_set(
        error, RS_ERROR_PEER,
        "shm: rank %u has %u lanes, shm.ring=%llu and shm.piece=%llu, this rank %zu lanes, %zu and %zu: "
        "the ranks do not run with the same options",
        hello->rank, hello->lanes, (unsigned long long)hello->ring_bytes, (unsigned long long)hello->piece_bytes,
        shm->lanes, shm->ring_bytes, shm->piece_bytes);
  if (fstat(memory, &facts) < 0 || (uint64_t)facts.st_size != shm->shared_bytes)
    return rs_error_set(error, RS_ERROR_PEER, "shm: rank %u offers memory of another size; this is a bug in ringside",
                        hello->rank);
  return RS_OK;
}

static enum rs_status accept_offer(struct rs_shm_device *shm, const struct hello *hello, int fds[RS_SHM_FDS_MAX],
                                   struct rs_error *error) {
  struct rs_shm_peer *peer = &shm->peers[hello->rank];
  if (check_hello(shm, hello, fds[0], error) < 0 || map_pair(shm, peer, fds[0], error) < 0)
    return error->status;
  peer->socket = fds[1];
  fds[1] = -1;
  if (rs_shm_message_send(peer->socket, NULL, shm->token + HALF_BYTES, HALF_BYTES, NULL, 0) != 0)
    return refused(peer, error);
  return joined(shm, peer, error);
}

// Takes one offer from the door; IN_PROGRESS: there is none.
static enum rs_status open_door(struct rs_shm_device *shm, struct rs_error *error) {
  struct hello hello;
  int fds[RS_SHM_FDS_MAX];
  ssize_t got = rs_shm_message_receive(shm->door, &hello, sizeof hello, fds);
  if (got < 0 && errno == EMFILE)
    return rs_error_set(error, RS_ERROR_IO, "shm: no descriptor left to connect with; raise the limit (ulimit -n)");
  if (got < 0)
    return RS_IN_PROGRESS;
  enum rs_status status = RS_OK;
  if (proven(shm, &hello, got) && fds[0] >= 0 && fds[1] >= 0)
    status = accept_offer(shm, &hello, fds, error);
  else
    shm->turned_away++;
  for (size_t i = 0; i < RS_SHM_FDS_MAX; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  return status;
}

// ---- all --------------------------------------------------------------------------------------------------

static enum rs_status timed_out(const struct rs_shm_device *shm, struct rs_error *error) {
  const struct rs_shm_peer *peer = shm->peers;
  while (peer->stage == RS_SHM_UNWANTED || peer->stage == RS_SHM_JOINED)
    peer++;
  return rs_error_set(error, RS_ERROR_TIMEOUT,
                      "shm: connecting to %s: no answer in %.3g s; that process hangs, or waits for another rank",
                      peer_format(peer).text, (double)shm->timeout_ns / 1e9);
}

static void finish(struct rs_shm_device *shm) {
  if (shm->turned_away)
    rs_log(shm->log, RS_LOG_WARNING, "shm: turned away %zu offers that did not prove to be of this launch",
           shm->turned_away);
  close(shm->door);
  shm->door = -1;
}

enum rs_status rs_shm_connect(struct rs_device *device, const uint8_t *addresses, const bool *peers,
                              struct rs_error *error) {
  struct rs_shm_device *shm = rs_shm_device_of(device);
  if (shm->door < 0)
    return RS_OK;
  if (shm->deadline_ns == 0 && begin(shm, addresses, peers, error) < 0)
    return error->status;
  enum rs_status status = RS_OK;
  for (size_t r = 0; r < shm->rank && status == RS_OK; r++) {
    struct rs_shm_peer *peer = &shm->peers[r];
    struct rs_shm_address address = address_of(addresses, r);
    if (peer->stage == RS_SHM_TO_OFFER)
      status = offer(shm, peer, &address, error);
    else if (peer->stage == RS_SHM_OFFERED)
      status = hear_answer(shm, peer, error);
  }
  while (status == RS_OK)
    status = open_door(shm, error);
  if (status < 0)
    return status;
  if (shm->missing == 0) {
    finish(shm);
    return RS_OK;
  }
  return rs_clock_ns() > shm->deadline_ns ? timed_out(shm, error) : RS_IN_PROGRESS;
}
