// verbs_exchange: how ranks tell each other, before there are queue pairs, what queue pairs need: messages of one
// length between all pairs that are to be connected, over TCP connections that both sides prove by the launch's token.
#ifndef RS_TRANSPORT_VERBS_EXCHANGE_H
#define RS_TRANSPORT_VERBS_EXCHANGE_H

#include "ringside/transport.h"

// Part of a transport's own options.
struct rs_verbs_exchange_options {
  struct rs_string interface;
  struct rs_uint_range ports;
};
// The rows of a transport's option table for its member `exchange`.
#define RS_VERBS_EXCHANGE_OPTIONS(owner, exchange)                                                                     \
  {.name = "interface",                                                                                                \
   .type = RS_OPTION_STRING,                                                                                           \
   .offset = offsetof(owner, exchange.interface),                                                                      \
   .default_text = "auto",                                                                                             \
   .help = "where ranks meet to exchange addresses, as in tcp.interface"},                                             \
  {                                                                                                                    \
    .name = "ports", .type = RS_OPTION_RANGE, .offset = offsetof(owner, exchange.ports), .default_text = "",           \
    .help = "LOW-HIGH: meet only on these TCP ports (empty: any)"                                                      \
  }

// What of the address blob it uses; the rest is the transport's.
#define RS_VERBS_EXCHANGE_BLOB_BYTES 128

struct rs_verbs_exchange;

// Listens; `params` as given to the transport, whose `name` opens every error.
enum rs_status rs_verbs_exchange_open(const char *name, const struct rs_transport_params *params,
                                      const struct rs_verbs_exchange_options *options,
                                      struct rs_verbs_exchange **exchange, struct rs_error *error);
void rs_verbs_exchange_close(struct rs_verbs_exchange *exchange); // NULL is fine; waits for nobody

void rs_verbs_exchange_address(const struct rs_verbs_exchange *exchange, uint8_t blob[RS_ADDRESS_BYTES_MAX]);

// One round: sends `bytes` > 0 at mine + peer x bytes to each wanted peer and receives as many from it into theirs +
// peer x bytes. Called with the same arguments until it does not return IN_PROGRESS; the next call begins the next
// round. addresses, peers: as in rs_transport.connect. TIMEOUT names who did not answer.
enum rs_status rs_verbs_exchange_run(struct rs_verbs_exchange *exchange, const uint8_t *addresses, const bool *peers,
                                     void *mine, void *theirs, size_t bytes, struct rs_error *error);

#endif
