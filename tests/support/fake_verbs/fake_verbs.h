// A stand-in for libibverbs and libefa, for tests: RINGSIDE_VERBS_LIBRARY names the built module. It has two devices,
// "fake_efa" (SRD and UD queue pairs) and "fake_ud" (UD), whose packets are datagrams of Unix sockets with abstract
// names, so they reach ranks of this process and of others. It does what a NIC may do at its worst, by seed, and
// refuses what EFA refuses.
//
// RINGSIDE_FAKE_VERBS="seed=7,late=4,rnr=5": comma-separated, all 0 by default, chances in percent:
//   seed                     of the dice
//   mtu                      longest packet in bytes (4096, and 8192 on fake_efa)
//   late                     completions are handed out up to so many polls late, and so in any order
//   rnr                      chance that an SRD send finds the receiver not ready
//   short                    places in the send queue, whatever was asked for
//   status, status_at        the status_at-th SRD send and all after it end with this EFA status (13, 14, 15)
//   loss, duplicate, corrupt chances of a UD packet
//   nochannel                1: no completion channels, as with early EFAs
#ifndef TESTS_SUPPORT_FAKE_VERBS_H
#define TESTS_SUPPORT_FAKE_VERBS_H

#include <infiniband/efadv.h>
#include <infiniband/verbs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_VENDOR_AMAZON 0x1d0f
#define FAKE_INLINE_MAX 32u
#define FAKE_GRH_BYTES 40u
#define FAKE_PACKET_MAX 16384u
#define FAKE_REQUESTS_MAX 4096u

struct fake_settings {
  uint64_t seed, mtu, late, rnr, short_queue, status, status_at, loss, duplicate, corrupt, no_channel;
};

struct fake_memory {
  struct ibv_mr base;
  struct fake_memory *next;
};

struct fake_context {
  struct ibv_context base;
  bool efa;
  struct fake_settings settings;
  uint64_t dice;
  union ibv_gid gid; // of its own, so that address handles tell who knows whom
  pthread_mutex_t lock;
  struct fake_memory *memories;
  uint32_t next_key;
};

struct fake_handle {
  struct ibv_ah base;
  union ibv_gid gid;
  int mark;   // a socket whose name says that this side knows that GID; -1: another handle has it
  bool known; // the other side was seen to know this one
};

struct fake_channel {
  struct ibv_comp_channel base; // its fd is an epoll descriptor over `event` and the sockets of pairs
  int event;
  struct fake_queue *queue;
};

struct fake_entry {
  struct ibv_wc completion;
  uint64_t late;
};

struct fake_queue {
  struct ibv_cq base;
  struct fake_channel *channel;
  struct fake_pair *pair;
  bool armed;
  uint32_t count;
  struct fake_entry *entries; // cqe
};

struct fake_send {
  uint64_t id;
  struct fake_handle *handle;
  uint32_t number, key, piece_count, inline_bytes;
  struct ibv_sge pieces[2];
  uint8_t inline_data[FAKE_INLINE_MAX];
};

struct fake_pair {
  struct ibv_qp_ex base;
  struct fake_context *context;
  struct fake_queue *queue;
  bool reliable;
  int socket;
  uint32_t key, send_max, receive_max;
  uint64_t sent;                     // SRD sends begun
  struct fake_send *sends, *session; // waiting, oldest first; of the wr_ calls
  uint32_t send_count, session_count;
  uint32_t sends_open; // posted and not polled
  int session_error;
  struct ibv_recv_wr *receives;
  struct ibv_sge *receive_pieces;
  uint32_t receive_first, receive_count;
};

static inline struct fake_context *fake_context_of(struct ibv_context *context) {
  return (struct fake_context *)context;
}

void fake_settings_read(struct fake_settings *settings);
// Uniform in 0 .. bound - 1, and a chance in percent.
uint64_t fake_below(struct fake_context *context, uint64_t bound);
bool fake_chance(struct fake_context *context, uint64_t percent);

// Whether these bytes lie in memory that is registered under this key.
bool fake_memory_holds(const struct fake_context *context, uint32_t key, uint64_t address, uint64_t bytes);
// Whether the side with that GID has an address handle for this one.
bool fake_handle_is_known(struct fake_context *context, struct fake_handle *handle);

// The context's lock is held.
void fake_queue_add(struct fake_queue *queue, const struct ibv_wc *completion);
// Moves packets from and to the sockets.
void fake_pair_step(struct fake_pair *pair);

int fake_poll_cq(struct ibv_cq *queue, int count, struct ibv_wc *completions);
int fake_req_notify_cq(struct ibv_cq *queue, int solicited);
int fake_post_send(struct ibv_qp *pair, struct ibv_send_wr *request, struct ibv_send_wr **bad);
int fake_post_recv(struct ibv_qp *pair, struct ibv_recv_wr *request, struct ibv_recv_wr **bad);
int fake_session_end(struct ibv_qp_ex *pair);
void fake_session_install(struct ibv_qp_ex *pair);

#endif
