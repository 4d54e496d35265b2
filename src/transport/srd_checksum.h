// CRC32C (Castagnoli), as iSCSI and SCTP use it: by the processor's own instruction or eight bytes at a time by tables.
#ifndef RS_TRANSPORT_SRD_CHECKSUM_H
#define RS_TRANSPORT_SRD_CHECKSUM_H

#include "ringside/base.h"

struct rs_srd_checksum {
  uint32_t tables[8][256];
  bool hardware;
};
// The instruction is used where this processor has it; FASTEST: and where a trial of some microseconds says that it is
// the faster way, which it is not on emulated processors.
enum rs_srd_checksum_way { RS_SRD_CHECKSUM_FASTEST, RS_SRD_CHECKSUM_TABLES, RS_SRD_CHECKSUM_INSTRUCTION };
void rs_srd_checksum_init(struct rs_srd_checksum *checksum, enum rs_srd_checksum_way way);
// The sum of `sum`'s bytes followed by these; begin with 0.
uint32_t rs_srd_checksum_add(const struct rs_srd_checksum *checksum, uint32_t sum, const void *data, size_t bytes);

#endif
