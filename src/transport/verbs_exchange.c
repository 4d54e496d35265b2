// A tcp device of one lane is all that is needed: it proves both sides, pairs messages and says who is missing.
#include "transport/verbs_exchange.h"
#include "transport/tcp.h"

#include <stdlib.h>
#include <string.h>

#define STRIPE_BYTES 65536
#define BATCH 32

struct rs_verbs_exchange {
  const char *name;
  struct rs_device *tcp;
  size_t rank, rank_count;
  int64_t timeout_ns, deadline_ns; // deadline of the round; 0: between rounds
  struct rs_region *mine, *theirs; // of the round
  bool *awaited;                   // by rank: its message is still to come
  size_t left;                     // completions to come
};

enum rs_status rs_verbs_exchange_open(const char *name, const struct rs_transport_params *params,
                                      const struct rs_verbs_exchange_options *options,
                                      struct rs_verbs_exchange **exchange, struct rs_error *error) {
  const struct rs_tcp_options tcp_options = {
      .interface = options->interface, .ports = options->ports, .streams = 1, .stripe_bytes = STRIPE_BYTES};
  struct rs_transport_params tcp_params = *params;
  tcp_params.lanes = 1;
  tcp_params.options = &tcp_options;
  struct rs_verbs_exchange *opened = rs_allocate(1, sizeof *opened, "exchange of addresses", error);
  if (opened == NULL)
    return error->status;
  opened->name = name;
  opened->rank = params->rank;
  opened->rank_count = params->rank_count;
  opened->timeout_ns = params->timeout_ns;
  opened->awaited = rs_allocate(params->rank_count, sizeof *opened->awaited, "exchange of addresses", error);
  if (opened->awaited == NULL)
    goto free_exchange;
  if (rs_transport_tcp.open(&tcp_params, &opened->tcp, error) < 0) {
    rs_error_prefix(error, "%s: opening the place where ranks meet", name);
    goto free_awaited;
  }
  *exchange = opened;
  return RS_OK;
free_awaited:
  free(opened->awaited);
free_exchange:
  free(opened);
  return error->status;
}

static void end_round(struct rs_verbs_exchange *exchange) {
  rs_transport_tcp.deregister_memory(exchange->tcp, exchange->mine);
  rs_transport_tcp.deregister_memory(exchange->tcp, exchange->theirs);
  exchange->mine = exchange->theirs = NULL;
  exchange->deadline_ns = 0;
}

void rs_verbs_exchange_close(struct rs_verbs_exchange *exchange) {
  if (exchange == NULL)
    return;
  end_round(exchange);
  rs_transport_tcp.close(exchange->tcp);
  free(exchange->awaited);
  free(exchange);
}

void rs_verbs_exchange_address(const struct rs_verbs_exchange *exchange, uint8_t blob[RS_ADDRESS_BYTES_MAX]) {
  rs_transport_tcp.address(exchange->tcp, blob);
}

static enum rs_status begin_round(struct rs_verbs_exchange *exchange, const bool *peers, void *mine, void *theirs,
                                  size_t bytes, struct rs_error *error) {
  struct rs_device *tcp = exchange->tcp;
  const struct rs_buffer out = {mine, exchange->rank_count * bytes, RS_MEMORY_HOST, -1};
  const struct rs_buffer in = {theirs, exchange->rank_count * bytes, RS_MEMORY_HOST, -1};
  if (rs_transport_tcp.register_memory(tcp, &out, &exchange->mine, error) < 0 ||
      rs_transport_tcp.register_memory(tcp, &in, &exchange->theirs, error) < 0)
    return error->status;
  exchange->deadline_ns = rs_clock_ns() + exchange->timeout_ns;
  exchange->left = 0;
  for (size_t peer = 0; peer < exchange->rank_count; peer++) {
    exchange->awaited[peer] = peers[peer] && peer != exchange->rank;
    if (!exchange->awaited[peer])
      continue;
    enum rs_status received =
        rs_transport_tcp.post_recv(tcp, peer, 0, exchange->theirs, peer * bytes, bytes, peer, error);
    if (received < 0)
      return received;
    enum rs_status sent =
        rs_transport_tcp.post_send(tcp, peer, 0, exchange->mine, peer * bytes, bytes, exchange->rank_count, error);
    if (sent < 0)
      return sent;
    exchange->left += (size_t)(received == RS_IN_PROGRESS) + (sent == RS_IN_PROGRESS);
  }
  return RS_OK;
}

static enum rs_status late(const struct rs_verbs_exchange *exchange, struct rs_error *error) {
  size_t peer = 0;
  while (peer < exchange->rank_count && !exchange->awaited[peer])
    peer++;
  if (peer == exchange->rank_count)
    return rs_error_set(error, RS_ERROR_TIMEOUT, "the addresses of rank %zu cannot be sent within %.3g s",
                        exchange->rank, (double)exchange->timeout_ns / 1e9);
  return rs_error_set(error, RS_ERROR_TIMEOUT,
                      "rank %zu is connected over TCP but did not tell its address within %.3g s; it hangs, or it has "
                      "failed: look at its own message",
                      peer, (double)exchange->timeout_ns / 1e9);
}

static enum rs_status advance(struct rs_verbs_exchange *exchange, struct rs_error *error) {
  struct rs_completion completions[BATCH];
  size_t count;
  if (rs_transport_tcp.progress(exchange->tcp, completions, BATCH, &count, error) < 0)
    return error->status;
  for (size_t c = 0; c < count; c++)
    if (completions[c].cookie < exchange->rank_count)
      exchange->awaited[completions[c].cookie] = false;
  exchange->left -= count;
  if (exchange->left > 0)
    return rs_clock_ns() > exchange->deadline_ns ? late(exchange, error) : RS_IN_PROGRESS;
  end_round(exchange);
  return RS_OK;
}

enum rs_status rs_verbs_exchange_run(struct rs_verbs_exchange *exchange, const uint8_t *addresses, const bool *peers,
                                     void *mine, void *theirs, size_t bytes, struct rs_error *error) {
  enum rs_status status = RS_OK;
  if (exchange->deadline_ns == 0) {
    status = rs_transport_tcp.connect(exchange->tcp, addresses, peers, error);
    if (status == RS_OK)
      status = begin_round(exchange, peers, mine, theirs, bytes, error);
  }
  if (status == RS_OK)
    status = advance(exchange, error);
  if (status < 0)
    rs_error_prefix(error, "%s: exchanging addresses", exchange->name);
  return status;
}
