// The handshake of the tcp transport: the connecting side says who it is and shows one half of the launch's token, the
// accepting side checks it and shows the other half. Both have a fixed length, and nothing else is read before.
//
// What that proves: that the other side got the token (32 random bytes of rank 0, made anew for each launch and handed
// out over MPI), or has read it on the wire, where both halves travel in clear. So
//   - who cannot read the wire gets in with a chance of 2^-128 a try: scanners, HTTP clients, ranks of other launches,
//     and a hello that was recorded from another launch;
//   - a hello recorded from this launch is worth something until the last stream is proven (within run.timeout): where
//     it comes second it is a DUPLICATE and is turned away, where it comes before the rank itself, it is taken for that
//     rank, which is then told DUPLICATE and ends the launch. It also gives away the half that all hellos show. After
//     that nobody listens, and no reply is given to anything;
//   - streams are not encrypted or signed: who can change packets on the path can change data, whatever the handshake.
// Ranks belong in a private network; the token keeps launches apart there, and is no defence against those on the path.
#ifndef RINGSIDE_TRANSPORT_TCP_HELLO_H
#define RINGSIDE_TRANSPORT_TCP_HELLO_H

#include "ringside/transport.h"

#define RS_TCP_PROTOCOL 1u
#define RS_TCP_HELLO_BYTES 64
#define RS_TCP_REPLY_BYTES 32

struct rs_tcp_hello {
  uint32_t protocol;
  uint32_t rank, peer; // who connects, and to whom
  uint32_t lane, stream;
  uint32_t lanes, streams; // must be equal on both sides, like stripe_bytes
  uint64_t stripe_bytes;
};

enum rs_tcp_verdict {
  RS_TCP_WELCOME,
  RS_TCP_WRONG_PROTOCOL,
  RS_TCP_WRONG_SHAPE, // lanes, streams or stripe differ
  RS_TCP_WRONG_PLACE, // not this rank, or no connection with that rank, lane or stream is wanted
  RS_TCP_DUPLICATE,
};

void rs_tcp_hello_encode(const struct rs_tcp_hello *hello, const uint8_t token[RS_TOKEN_BYTES],
                         uint8_t bytes[RS_TCP_HELLO_BYTES]);
// False as soon as the first `count` bytes cannot be the beginning of a hello, so that a stranger who speaks another
// protocol is not waited for.
bool rs_tcp_hello_plausible(const uint8_t *bytes, size_t count);
// False when the magic or the token is wrong. The token is compared in constant time.
bool rs_tcp_hello_decode(const uint8_t bytes[RS_TCP_HELLO_BYTES], const uint8_t token[RS_TOKEN_BYTES],
                         struct rs_tcp_hello *hello);

void rs_tcp_reply_encode(enum rs_tcp_verdict verdict, const uint8_t token[RS_TOKEN_BYTES],
                         uint8_t bytes[RS_TCP_REPLY_BYTES]);
bool rs_tcp_reply_decode(const uint8_t bytes[RS_TCP_REPLY_BYTES], const uint8_t token[RS_TOKEN_BYTES],
                         enum rs_tcp_verdict *verdict);

#endif
