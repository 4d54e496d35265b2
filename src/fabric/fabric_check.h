// Internal to fabric: what the option tables cannot check, as it takes several values.
#ifndef RINGSIDE_FABRIC_CHECK_H
#define RINGSIDE_FABRIC_CHECK_H

#include "ringside/fabric.h"

#define RS_FABRIC_KEY_BYTES 48
// USAGE for what cannot be true; `key` then names the key to blame. A latency that falls with distance is allowed.
enum rs_status rs_fabric_check(const struct rs_fabric *fabric, char key[RS_FABRIC_KEY_BYTES], struct rs_error *error);

#endif
