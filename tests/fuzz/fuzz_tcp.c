// A peer over TCP that says anything: the handshake from either side, then messages. The peer is this program, over the
// loopback interface, and the token is known, so that the fuzzer gets past it.
//
//   byte 0    bit 0: the device connects to the peer, else the peer to the device; bit 1: two sockets, else one
//   byte 1    how many bytes the peer sends at a time, 0: all
//   the rest  what it sends, each socket's share: a hello (64 bytes) or a reply (32), then headers and messages
#include "fuzz/fuzz.h"
#include "transport/tcp_device.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS_MAX 2
#define POSTS 3
#define TURNS_MAX 100

// The second is cut in two where there are two sockets.
static const size_t post_bytes[POSTS] = {1, 300, 40};

struct meeting {
  struct rs_device *device;
  size_t rank; // of the device; the peer is the other one of two
  size_t sockets;
  int listener, peers[SOCKETS_MAX];
  uint8_t addresses[2 * RS_ADDRESS_BYTES_MAX];
  uint8_t *data[POSTS];
  struct rs_region *regions[POSTS];
  struct rs_error error;
};

static struct sockaddr_in loopback(void) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// One listener for all inputs.
static int peer_listener(uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  static int listener = -1;
  struct rs_tcp_address address = {.v4 = loopback()};
  socklen_t bytes = sizeof address.v4;
  if (listener < 0) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    FUZZ_REQUIRE(bind(listener, &address.any, bytes) == 0 && listen(listener, SOCKETS_MAX) == 0);
  }
  FUZZ_REQUIRE(getsockname(listener, &address.any, &bytes) == 0);
  rs_tcp_address_encode(&address, blob);
  return listener;
}

static void open_meeting(struct meeting *meeting, bool device_connects, size_t sockets) {
  const struct rs_tcp_options options = {.interface = {"127.0.0.1"}, .streams = sockets, .stripe_bytes = 64};
  *meeting = (struct meeting){.rank = device_connects, .sockets = sockets, .peers = {-1, -1}};
  struct rs_transport_params params = {.rank = meeting->rank,
                                       .rank_count = 2,
                                       .lanes = 1,
                                       .one_host = true,
                                       .timeout_ns = INT64_C(5000000000),
                                       .options = &options};
  memset(params.token, 'T', sizeof params.token);
  if (rs_transport_tcp.open(&params, &meeting->device, &meeting->error) < 0)
    fprintf(stderr, "%s\n", meeting->error.text);
  FUZZ_REQUIRE(meeting->device != NULL);
  rs_transport_tcp.address(meeting->device, meeting->addresses + meeting->rank * RS_ADDRESS_BYTES_MAX);
  meeting->listener = peer_listener(meeting->addresses + (1 - meeting->rank) * RS_ADDRESS_BYTES_MAX);
}

// A reset leaves no port in TIME_WAIT, of which there would soon be too many.
static void hang_up(int fd) {
  const struct linger at_once = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

static void close_meeting(struct meeting *meeting) {
  for (size_t s = 0; s < meeting->sockets; s++)
    if (meeting->peers[s] >= 0)
      hang_up(meeting->peers[s]);
  for (size_t p = 0; p < POSTS; p++)
    rs_transport_tcp.deregister_memory(meeting->device, meeting->regions[p]);
  rs_transport_tcp.close(meeting->device);
  for (size_t p = 0; p < POSTS; p++)
    free(meeting->data[p]);
  // What connected and was not taken.
  for (int fd; (fd = accept4(meeting->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
    hang_up(fd);
}

static enum rs_status connect_device(struct meeting *meeting) {
  const bool peers[2] = {true, true};
  enum rs_status status = rs_transport_tcp.connect(meeting->device, meeting->addresses, peers, &meeting->error);
  fuzz_require_words(status, &meeting->error);
  return status;
}

// As connect, also when a signal comes meanwhile: libFuzzer's alarm, after which the kernel goes on connecting.
static int connect_through(int fd, const struct rs_tcp_address *address) {
  int connected = connect(fd, &address->any, sizeof address->v4);
  while (connected < 0 && (errno == EINTR || errno == EALREADY))
    connected = connect(fd, &address->any, sizeof address->v4);
  return connected < 0 && errno == EISCONN ? 0 : connected;
}

// False: every port is taken, for seconds, where other fuzzers run.
static bool dial(struct meeting *meeting, size_t s) {
  struct rs_tcp_address address, local = {.v4 = loopback()};
  FUZZ_REQUIRE(rs_tcp_address_decode(meeting->addresses, &local, &address));
  meeting->peers[s] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int connected = connect_through(meeting->peers[s], &address);
  for (int turn = 0; connected < 0 && errno == EADDRNOTAVAIL && turn < 1000; turn++) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    connected = connect_through(meeting->peers[s], &address);
  }
  if (connected < 0 && errno != EADDRNOTAVAIL)
    perror("fuzz_tcp: connect");
  FUZZ_REQUIRE(connected == 0 || errno == EADDRNOTAVAIL);
  return connected == 0;
}

// Both sides know each other's sockets; the device has said its hellos, if it is the one to do so.
static enum rs_status meet(struct meeting *meeting) {
  enum rs_status status = connect_device(meeting);
  for (size_t s = 0; s < meeting->sockets && status == RS_IN_PROGRESS; s++) {
    if (meeting->rank == 0 && !dial(meeting, s))
      return status;
    if (meeting->rank != 0)
      meeting->peers[s] = accept4(meeting->listener, NULL, NULL, SOCK_CLOEXEC);
    status = connect_device(meeting);
  }
  return status;
}

static void post(struct meeting *meeting) {
  for (size_t p = 0; p < POSTS; p++) {
    meeting->data[p] = malloc(post_bytes[p]);
    FUZZ_REQUIRE(meeting->data[p] != NULL);
    memset(meeting->data[p], 'd', post_bytes[p]);
    const struct rs_buffer buffer = {meeting->data[p], post_bytes[p], RS_MEMORY_HOST, -1};
    FUZZ_REQUIRE(rs_transport_tcp.register_memory(meeting->device, &buffer, &meeting->regions[p], &meeting->error) ==
                 RS_OK);
    enum rs_status status = rs_transport_tcp.post_recv(meeting->device, 1 - meeting->rank, 0, meeting->regions[p], 0,
                                                       post_bytes[p], p, &meeting->error);
    fuzz_require_words(status, &meeting->error);
  }
}

// One step of the device; false when it has failed or has all that it waits for.
static bool drive(struct meeting *meeting, enum rs_status *connected, unsigned *completed) {
  if (*connected == RS_IN_PROGRESS) {
    *connected = connect_device(meeting);
    if (*connected == RS_OK)
      post(meeting);
    return *connected >= 0;
  }
  struct rs_completion completions[POSTS];
  size_t count;
  enum rs_status status = rs_transport_tcp.progress(meeting->device, completions, POSTS, &count, &meeting->error);
  fuzz_require_words(status, &meeting->error);
  for (size_t c = 0; status == RS_OK && c < count; c++) {
    FUZZ_REQUIRE(completions[c].cookie < POSTS && !(*completed & 1U << completions[c].cookie));
    *completed |= 1U << completions[c].cookie;
  }
  return status == RS_OK && *completed != (1U << POSTS) - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  struct fuzz_bytes input = {data, bytes};
  struct meeting meeting;
  unsigned completed = 0;
  int mode = fuzz_byte(&input);
  size_t step = fuzz_byte(&input);
  open_meeting(&meeting, mode & 1, mode & 2 ? 2 : 1);
  enum rs_status connected = meet(&meeting);
  bool goes_on = connected >= 0;
  size_t share = input.left / meeting.sockets;
  for (size_t s = 0; s < meeting.sockets && goes_on; s++) {
    const uint8_t *from = input.data + s * share,
                  *end = s + 1 == meeting.sockets ? input.data + input.left : from + share;
    while (from < end && goes_on && meeting.peers[s] >= 0) {
      size_t count = step ? rs_min_size(step, (size_t)(end - from)) : (size_t)(end - from);
      goes_on = send(meeting.peers[s], from, count, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 &&
                drive(&meeting, &connected, &completed);
      from += count;
    }
  }
  for (size_t s = 0; s < meeting.sockets; s++)
    if (meeting.peers[s] >= 0)
      shutdown(meeting.peers[s], SHUT_WR);
  for (int turns = 0; goes_on && turns < TURNS_MAX; turns++)
    goes_on = drive(&meeting, &connected, &completed);
  close_meeting(&meeting);
  return 0;
}
