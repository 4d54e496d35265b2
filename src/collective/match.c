#include "collective/match.h"

#include "collective/step.h"

const struct rs_step *rs_match_find(const struct rs_step *steps, uint32_t rank, uint32_t index,
                                    const struct rs_step *peer_steps, uint32_t peer_count) {
  const bool sends = rs_step_traits[steps[index].kind].sends;
  uint32_t ordinal = 0;
  for (uint32_t i = 0; i < index; i++) {
    const struct rs_step_traits *traits = &rs_step_traits[steps[i].kind];
    ordinal += steps[i].peer == steps[index].peer && (sends ? traits->sends : traits->receives);
  }
  for (uint32_t i = 0; i < peer_count; i++) {
    const struct rs_step_traits *traits = &rs_step_traits[peer_steps[i].kind];
    if (peer_steps[i].peer == rank && (sends ? traits->receives : traits->sends) && ordinal-- == 0) {
      return &peer_steps[i];
    }
  }
  return NULL;
}
