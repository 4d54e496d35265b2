// The 32 bytes before every segment of the srd transport, and the seal that finds damage.
//
//    0 checksum    CRC32C of all that follows, header and payload; 0 where the device guarantees it
//    4 connection  made of the launch's token and of both sides: a stranger's or a former launch's segment has another
//    8 source      rank << 8 | kind
//   12 sequence    number of the segment between these two ranks
//   16 ack         every sequence number below it has come
//   20 lane, 22 message    16 bits each; of a message number the lower 16
//   24 offset, 28 length   of the segment's payload in its message, and of the whole message
//
// What the last four mean depends on the kind. Little-endian.
#ifndef RS_TRANSPORT_SRD_HEADER_H
#define RS_TRANSPORT_SRD_HEADER_H

#include "ringside/base.h"
#include "transport/srd_checksum.h"

#define RS_SRD_HEADER_BYTES 32u
#define RS_SRD_RANKS_MAX ((size_t)1 << 24)

enum rs_srd_kind {
  RS_SRD_HELLO,  // length: 1 when the sender has heard this rank, 2 when it needs no answer
  RS_SRD_ACK,    // offset: duplicates seen so far; payload: the bitmap of what has come from `ack` on
  RS_SRD_DATA,   // under a grant: its receive is posted
  RS_SRD_EAGER,  // data that takes one of the receiver's bounce buffers
  RS_SRD_CREDIT, // message: receives posted so far; offset: eager segments placed so far
  RS_SRD_PROBE,  // wants an acknowledgement and nothing else
  RS_SRD_KIND_COUNT,
};

struct rs_srd_header {
  uint32_t connection, source;
  enum rs_srd_kind kind;
  uint32_t sequence, ack;
  uint16_t lane, message;
  uint32_t offset, length;
};

void rs_srd_header_encode(const struct rs_srd_header *header, uint8_t bytes[RS_SRD_HEADER_BYTES]);
// False when no rank of any launch has written that.
bool rs_srd_header_decode(const uint8_t bytes[RS_SRD_HEADER_BYTES], struct rs_srd_header *header);

// Writes the checksum into an encoded header; `payload` follows it on the wire.
void rs_srd_header_seal(const struct rs_srd_checksum *checksum, uint8_t header[RS_SRD_HEADER_BYTES],
                        const void *payload, size_t payload_bytes);
bool rs_srd_header_intact(const struct rs_srd_checksum *checksum, const uint8_t *segment, size_t bytes);

#endif
