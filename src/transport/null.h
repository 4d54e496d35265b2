#ifndef RINGSIDE_TRANSPORT_NULL_H
#define RINGSIDE_TRANSPORT_NULL_H

#include "ringside/transport.h"

extern const struct rs_transport rs_transport_null;

#endif
