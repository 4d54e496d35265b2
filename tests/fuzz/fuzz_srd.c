// Segments from a peer of the srd transport that has a bug, or is none. The target stands in for srd_wire.c: what the
// device polls for comes out of the input, and what it sends is swallowed. The rest of the device is real, over the
// fake verbs library. A received buffer is freed as soon as its receive completes, so that a late write is seen.
//
//   byte 0    bit 0: flavour efa; bit 1: without checksums
//   the rest  operations of a letter and what belongs to it:
//               r, s  post a receive or a send: lane, length (2 bytes)
//               g     a segment that fits: kind, lane, message and sequence as differences from what is expected,
//                     acknowledgement as one from what was sent, offset, length and payload length (2 bytes each)
//               x     a segment as it is: length, then its bytes
//               p     progress
#include "fuzz/fuzz.h"

#if !defined(RS_FAKE_VERBS) || !RS_HAVE_VERBS
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  (void)data;
  (void)bytes;
  printf("skipped: built without infiniband/efadv.h\n");
  exit(77);
}
#else
#include "transport/srd_device.h"

#include <string.h>

#define RANKS 3
#define PEER 1
#define LANES 2
#define POSTS_MAX 64
#define SEGMENT_BYTES 256u
#define OPERATIONS_MAX 400

// ---- the wire that is not ---------------------------------------------------------------------------------

static struct {
  struct ibv_qp pair;
  const uint8_t *next; // a segment that has come, or NULL
  size_t next_bytes;
  bool *held;
  uint64_t ended[256]; // ids of sends whose end is to be told
  size_t ended_count;
} wire_state;

enum rs_status rs_srd_wire_open(const struct rs_verbs *verbs, const struct rs_verbs_nic *nic, bool reliable,
                                uint32_t depth, size_t spare, struct rs_srd_wire *wire, struct rs_error *error) {
  (void)error;
  *wire = (struct rs_srd_wire){.verbs = verbs,
                               .nic = nic,
                               .reliable = reliable,
                               .pair = &wire_state.pair,
                               .segment_bytes = SEGMENT_BYTES,
                               .depth = depth,
                               .buffer_bytes = SEGMENT_BYTES,
                               .buffer_count = depth + (uint32_t)spare};
  wire->slab = calloc(wire->buffer_count, SEGMENT_BYTES);
  wire_state.held = calloc(wire->buffer_count, 1);
  wire_state.next = NULL;
  wire_state.ended_count = 0;
  FUZZ_REQUIRE(wire->slab != NULL && wire_state.held != NULL);
  return RS_OK;
}

void rs_srd_wire_close(struct rs_srd_wire *wire) {
  free(wire->slab);
  free(wire_state.held);
  wire->slab = NULL;
  wire_state.held = NULL;
}

bool rs_srd_wire_send(struct rs_srd_wire *wire, const struct rs_srd_request *request) {
  FUZZ_REQUIRE(request->header_bytes + request->payload_bytes <= wire->segment_bytes);
  if (rs_srd_wire_full(wire))
    return false;
  wire_state.ended[wire_state.ended_count++] = request->id;
  return true;
}

void rs_srd_wire_flush(struct rs_srd_wire *wire) {
  (void)wire;
}

bool rs_srd_wire_full(const struct rs_srd_wire *wire) {
  (void)wire;
  return wire_state.ended_count == RS_ARRAY_LENGTH(wire_state.ended);
}

static uint32_t free_buffer(const struct rs_srd_wire *wire) {
  uint32_t buffer = 0;
  while (buffer < wire->buffer_count && wire_state.held[buffer])
    buffer++;
  FUZZ_REQUIRE(buffer < wire->buffer_count); // the device holds more than it asked for
  return buffer;
}

enum rs_status rs_srd_wire_poll(struct rs_srd_wire *wire, struct rs_srd_event *events, size_t *count,
                                struct rs_error *error) {
  (void)error;
  *count = 0;
  if (wire_state.next != NULL) {
    uint32_t buffer = free_buffer(wire);
    uint8_t *segment = wire->slab + buffer * SEGMENT_BYTES;
    memcpy(segment, wire_state.next, wire_state.next_bytes);
    wire_state.held[buffer] = true;
    wire_state.next = NULL;
    events[(*count)++] =
        (struct rs_srd_event){.segment = segment, .bytes = wire_state.next_bytes, .buffer = buffer, .received = true};
  }
  while (*count < RS_SRD_BATCH && wire_state.ended_count > 0)
    events[(*count)++] = (struct rs_srd_event){.id = wire_state.ended[--wire_state.ended_count]};
  return RS_OK;
}

enum rs_status rs_srd_wire_release(struct rs_srd_wire *wire, uint32_t buffer, struct rs_error *error) {
  (void)error;
  FUZZ_REQUIRE(buffer < wire->buffer_count && wire_state.held[buffer]);
  wire_state.held[buffer] = false;
  return RS_OK;
}

enum rs_status rs_srd_wire_arm(struct rs_srd_wire *wire, struct rs_error *error) {
  (void)wire;
  (void)error;
  return RS_OK;
}

size_t rs_srd_wire_segment_bytes(const struct rs_verbs_nic *nic) {
  (void)nic;
  return SEGMENT_BYTES;
}

// ---- the device and its posts -----------------------------------------------------------------------------

struct post {
  uint8_t *data; // NULL: a free place
  struct rs_region *region;
};
struct party {
  struct rs_device *device;
  struct rs_srd_device *srd;
  struct post posts[POSTS_MAX];
  struct rs_error error;
};

// The address of a peer is the device's own under another identity, and every peer has been met.
static void open_party(struct party *party, int mode) {
  const struct rs_srd_options options = {
      .choice = {.devices = {.count = 1, .words = {"fake_efa"}}, .gid_index = RS_VERBS_GID_AUTO},
      .flavour = mode & 1 ? RS_SRD_EFA : RS_SRD_UD,
      .checksum = !(mode & 2),
      .receives = 16,
      .bounce = 3};
  const struct rs_transport_params params = {
      .rank_count = RANKS, .lanes = LANES, .one_host = true, .timeout_ns = INT64_C(5000000000), .options = &options};
  uint8_t addresses[RANKS * RS_ADDRESS_BYTES_MAX] = {0};
  const bool peers[RANKS] = {[PEER] = true};
  setenv("RINGSIDE_VERBS_LIBRARY", RS_FAKE_VERBS, 0);
  *party = (struct party){0};
  if (rs_transport_srd.open(&params, &party->device, &party->error) < 0)
    fprintf(stderr, "%s\n", party->error.text);
  FUZZ_REQUIRE(party->device != NULL);
  party->srd = rs_srd_device_of(party->device);
  party->srd->id = 1;
  rs_srd_address(party->device, addresses + PEER * RS_ADDRESS_BYTES_MAX);
  FUZZ_REQUIRE(rs_srd_connect(party->device, addresses, peers, &party->error) == RS_IN_PROGRESS);
  pthread_mutex_lock(&party->srd->lock);
  party->srd->peers[PEER].heard = party->srd->peers[PEER].known = true;
  party->srd->connected = true;
  pthread_mutex_unlock(&party->srd->lock);
}

static void free_post(struct party *party, struct post *post) {
  rs_transport_srd.deregister_memory(party->device, post->region);
  free(post->data);
  *post = (struct post){0};
}

static void close_party(struct party *party) {
  for (size_t p = 0; p < POSTS_MAX; p++)
    free_post(party, &party->posts[p]);
  rs_transport_srd.close(party->device);
}

static enum rs_status post(struct party *party, bool sends, struct fuzz_bytes *input) {
  size_t lane = fuzz_byte(input) % LANES, bytes = (size_t)fuzz_word(input) % 4096 + 1, p = 0;
  while (p < POSTS_MAX && party->posts[p].data != NULL)
    p++;
  if (p == POSTS_MAX)
    return RS_BUSY;
  struct post *post = &party->posts[p];
  post->data = malloc(bytes);
  FUZZ_REQUIRE(post->data != NULL);
  memset(post->data, 'd', bytes);
  const struct rs_buffer buffer = {post->data, bytes, RS_MEMORY_HOST, -1};
  enum rs_status status = rs_transport_srd.register_memory(party->device, &buffer, &post->region, &party->error);
  if (status == RS_OK)
    status = (sends ? rs_srd_post_send : rs_srd_post_recv)(party->device, PEER, lane, post->region, 0, bytes, p,
                                                           &party->error);
  if (status == RS_BUSY)
    free_post(party, post);
  return status;
}

static enum rs_status progress(struct party *party) {
  struct rs_completion completions[4];
  size_t count;
  enum rs_status status =
      rs_transport_srd.progress(party->device, completions, RS_ARRAY_LENGTH(completions), &count, &party->error);
  for (size_t c = 0; status == RS_OK && c < count; c++) {
    uint64_t p = completions[c].cookie;
    FUZZ_REQUIRE(p < POSTS_MAX && party->posts[p].data != NULL);
    free_post(party, &party->posts[p]);
  }
  return status;
}

// ---- segments ---------------------------------------------------------------------------------------------

static enum rs_status arrive(struct party *party, const uint8_t *segment, size_t bytes) {
  pthread_mutex_lock(&party->srd->lock);
  wire_state.next = segment;
  wire_state.next_bytes = bytes;
  pthread_mutex_unlock(&party->srd->lock);
  return progress(party);
}

// A number up to 128 away.
static uint32_t near_to(uint32_t number, struct fuzz_bytes *input) {
  return number + fuzz_byte(input) - 128;
}

static enum rs_status fitting_segment(struct party *party, struct fuzz_bytes *input) {
  const struct rs_srd_peer *peer = &party->srd->peers[PEER];
  uint8_t segment[SEGMENT_BYTES] = {0};
  struct rs_srd_header header = {.connection = peer->connection_in, .source = PEER};
  header.kind = (enum rs_srd_kind)(fuzz_byte(input) % RS_SRD_KIND_COUNT);
  header.lane = fuzz_byte(input);
  header.message = (uint16_t)near_to((uint32_t)peer->channels[header.lane % LANES].recv.tail, input);
  header.sequence = near_to(peer->arrivals.next, input);
  header.ack = near_to(peer->first, input);
  header.offset = fuzz_word(input);
  header.length = fuzz_word(input);
  size_t payload = rs_min_size(fuzz_word(input), sizeof segment - RS_SRD_HEADER_BYTES);
  rs_srd_header_encode(&header, segment);
  if (party->srd->checked)
    rs_srd_header_seal(&party->srd->checksum, segment, segment + RS_SRD_HEADER_BYTES, payload);
  return arrive(party, segment, RS_SRD_HEADER_BYTES + payload);
}

static enum rs_status raw_segment(struct party *party, struct fuzz_bytes *input) {
  uint8_t segment[SEGMENT_BYTES] = {0};
  size_t bytes = rs_min_size(fuzz_byte(input), SEGMENT_BYTES);
  for (size_t b = 0; b < bytes; b++)
    segment[b] = fuzz_byte(input);
  return arrive(party, segment, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  struct fuzz_bytes input = {data, bytes};
  static struct party party;
  enum rs_status status = RS_OK;
  open_party(&party, fuzz_byte(&input));
  for (int o = 0; o < OPERATIONS_MAX && input.left > 0 && status >= 0; o++) {
    int letter = fuzz_byte(&input);
    if (letter == 'r' || letter == 's')
      status = post(&party, letter == 's', &input);
    else if (letter == 'g')
      status = fitting_segment(&party, &input);
    else if (letter == 'x')
      status = raw_segment(&party, &input);
    else
      status = progress(&party);
    fuzz_require_words(status, &party.error);
  }
  close_party(&party);
  return 0;
}
#endif
