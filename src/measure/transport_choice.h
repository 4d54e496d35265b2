// transport_choice: which transport `auto` is, and with what each is opened.
#ifndef RS_MEASURE_TRANSPORT_CHOICE_H
#define RS_MEASURE_TRANSPORT_CHOICE_H

#include "ringside/measure.h"

// For row `index` of rs_transports on this rank, the first rail.
struct rs_transport_params transport_params_of(const struct rs_runner_params *params, size_t index, size_t lanes,
                                               const uint8_t token[RS_TOKEN_BYTES]);

#endif
