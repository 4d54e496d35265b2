// Completion statuses in words. Verbs: InfiniBand Architecture Specification 1.4, chapter 11.6.2. EFA's own codes are
// those of its kernel interface, efa_io_comp_status.
#include "transport/verbs_nic.h"

#include <inttypes.h>

static const struct {
  const char *what, *cause;
} statuses[] = {
    [IBV_WC_SUCCESS] = {"success", ""},
    [IBV_WC_LOC_LEN_ERR] = {"a message does not fit its buffer", "the ranks disagree about its length"},
    [IBV_WC_LOC_QP_OP_ERR] = {"the queue pair refused the request", "a bug in ringside or in the driver"},
    [IBV_WC_LOC_EEC_OP_ERR] = {"the end-to-end context refused the request", "a bug in ringside or in the driver"},
    [IBV_WC_LOC_PROT_ERR] = {"a local buffer is not registered for this", "a bug in ringside"},
    [IBV_WC_WR_FLUSH_ERR] = {"the queue pair had failed before", "see the first error of this or of the other rank"},
    [IBV_WC_MW_BIND_ERR] = {"a memory window could not be bound", "a bug in ringside or in the driver"},
    [IBV_WC_BAD_RESP_ERR] = {"the peer answered what no peer answers", "a broken peer or NIC"},
    [IBV_WC_LOC_ACCESS_ERR] = {"the peer wrote where it may not", "a bug in ringside"},
    [IBV_WC_REM_INV_REQ_ERR] = {"the peer refused the request as invalid",
                                "its buffer is too short, or a path of another MTU"},
    [IBV_WC_REM_ACCESS_ERR] = {"the peer's memory may not be accessed so", "its registration is gone, or it has ended"},
    [IBV_WC_REM_OP_ERR] = {"the peer could not complete the request", "its NIC or its memory failed"},
    [IBV_WC_RETRY_EXC_ERR] = {"the peer does not answer, after all retries",
                              "it has ended, its link is down, or packets are dropped: a security group or ACL, RoCE "
                              "without flow control, or another MTU on the path"},
    [IBV_WC_RNR_RETRY_EXC_ERR] = {"the peer was never ready to receive", "it is stopped or much too slow"},
    [IBV_WC_LOC_RDD_VIOL_ERR] = {"a reliable datagram domain was violated", "a bug in ringside or in the driver"},
    [IBV_WC_REM_INV_RD_REQ_ERR] = {"the peer refused a datagram request", "a bug in ringside or in the driver"},
    [IBV_WC_REM_ABORT_ERR] = {"the peer aborted the operation", "it has failed"},
    [IBV_WC_INV_EECN_ERR] = {"an end-to-end context is invalid", "a bug in ringside or in the driver"},
    [IBV_WC_INV_EEC_STATE_ERR] = {"an end-to-end context is in a wrong state", "a bug in ringside or in the driver"},
    [IBV_WC_FATAL_ERR] = {"the device failed", "see the kernel's log (dmesg)"},
    [IBV_WC_RESP_TIMEOUT_ERR] = {"the answer did not come in time", "the peer is gone or much too slow"},
    [IBV_WC_GENERAL_ERR] = {"the device failed in a way of its own", "see the kernel's log (dmesg)"},
};

static const struct {
  uint32_t code;
  const char *what, *cause;
} efa_codes[] = {
    {1, "flushed: the queue pair was closed or had failed", "see the first error of this or of the other rank"},
    {2, "the queue pair refused the request", "a bug in ringside or in the driver"},
    {3, "the operation is not supported by this device", "an older EFA generation"},
    {4, "the address handle is not valid", "a bug in ringside"},
    {5, "a local buffer's key is not valid", "a bug in ringside"},
    {6, "a request is longer than the device or its buffer allows", "a bug in ringside"},
    {7, "the peer's address is not valid", "it has closed its queue pair: it has ended"},
    {8, "the peer was reset", "it has failed, or its host was rebooted"},
    {9, "the peer's queue pair number is not known there", "it has ended, or was started anew"},
    {10, "the peer was never ready to receive (RNR)", "it is stopped or much too slow"},
    {11, "a message does not fit its buffer", "the ranks disagree about its length"},
    {12, "the peer answered a status that is not known", "a broken peer or NIC"},
    {13, "the peer has not answered",
     "on EC2 this usually means a security group that does not allow all traffic to and from itself, in both "
     "directions; or the peer's host is down"},
    {14, "the peer does not know this side yet", "it has no address handle for this rank: its handshake is not done"},
    {15, "the peer cannot be reached",
     "on EC2: other subnets or zones are out of EFA's reach, or a security group does not allow all traffic to and "
     "from itself"},
};

const char *rs_verbs_words(enum ibv_wc_status status, uint32_t vendor_error, bool efa, char *text, size_t bytes) {
  const char *what = "a status that is not known", *cause = "a newer driver";
  if ((size_t)status < RS_ARRAY_LENGTH(statuses) && statuses[status].what != NULL) {
    what = statuses[status].what;
    cause = statuses[status].cause;
  }
  for (size_t c = 0; efa && c < RS_ARRAY_LENGTH(efa_codes); c++) {
    if (efa_codes[c].code == vendor_error) {
      what = efa_codes[c].what;
      cause = efa_codes[c].cause;
    }
  }
  snprintf(text, bytes, "%s (status %d, vendor code %" PRIu32 "); likely cause: %s", what, (int)status, vendor_error,
           cause);
  return text;
}
