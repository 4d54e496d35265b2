// The ibv_wr_ calls of the fake: a session is taken as a whole or not at all.
#include "support/fake_verbs/fake_verbs.h"

#include <errno.h>
#include <string.h>

static void session_start(struct ibv_qp_ex *base) {
  struct fake_pair *pair = (struct fake_pair *)base;
  pair->session_count = 0;
  pair->session_error = 0;
}

static struct fake_send *current(struct ibv_qp_ex *base) {
  struct fake_pair *pair = (struct fake_pair *)base;
  return &pair->session[pair->session_count - 1];
}

static void session_send(struct ibv_qp_ex *base) {
  struct fake_pair *pair = (struct fake_pair *)base;
  if ((base->wr_flags & ~(unsigned)IBV_SEND_INLINE) != IBV_SEND_SIGNALED)
    pair->session_error = EINVAL;
  if (pair->session_count == pair->send_max)
    pair->session_error = ENOMEM;
  else
    pair->session_count++;
  *current(base) = (struct fake_send){.id = base->wr_id};
}

static void session_address(struct ibv_qp_ex *base, struct ibv_ah *handle, uint32_t number, uint32_t key) {
  struct fake_send *send = current(base);
  send->handle = (struct fake_handle *)handle;
  send->number = number;
  send->key = key;
}

static void session_pieces(struct ibv_qp_ex *base, size_t count, const struct ibv_sge *pieces) {
  if (count > 2) {
    ((struct fake_pair *)base)->session_error = EINVAL;
    return;
  }
  memcpy(current(base)->pieces, pieces, count * sizeof *pieces);
  current(base)->piece_count = (uint32_t)count;
}

static void session_inline(struct ibv_qp_ex *base, size_t count, const struct ibv_data_buf *parts) {
  struct fake_send *send = current(base);
  for (size_t p = 0; p < count; p++) {
    if (send->inline_bytes + parts[p].length > FAKE_INLINE_MAX) {
      ((struct fake_pair *)base)->session_error = EINVAL;
      return;
    }
    memcpy(send->inline_data + send->inline_bytes, parts[p].addr, parts[p].length);
    send->inline_bytes += (uint32_t)parts[p].length;
  }
}

static void session_abort(struct ibv_qp_ex *base) {
  ((struct fake_pair *)base)->session_count = 0;
}

void fake_session_install(struct ibv_qp_ex *pair) {
  pair->wr_start = session_start;
  pair->wr_send = session_send;
  pair->wr_set_ud_addr = session_address;
  pair->wr_set_sge_list = session_pieces;
  pair->wr_set_inline_data_list = session_inline;
  pair->wr_complete = fake_session_end;
  pair->wr_abort = session_abort;
}
