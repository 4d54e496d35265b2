// CRC32C (Castagnoli), as iSCSI and SCTP use it: by the processor's own instruction or eight bytes at a time by tables.
#ifndef RS_TRANSPORT_SRD_CHECKSUM_H
#define RS_TRANSPORT_SRD_CHECKSUM_H

#include "ringside/base.h"

struct rs_srd_checksum {
  uint32_t tables[8][256];
  bool hardware;
};
// hardware: use the instruction where this processor has it.
void rs_srd_checksum_init(struct rs_srd_checksum *checksum, bool hardware);
// The sum of `sum`'s bytes followed by these; begin with 0.
uint32_t rs_srd_checksum_add(const struct rs_srd_checksum *checksum, uint32_t sum, const void *data, size_t bytes);

#endif
