// redact: pseudonyms for identifiers; ringside/topology.h has rs_redact_append, for what is found inside other text.
#ifndef TOPOLOGY_REDACT_H
#define TOPOLOGY_REDACT_H

#include "ringside/topology.h"

// Appends a pseudonym for the whole of `value`, which is an identifier or a name of somebody's: the one that
// rs_redact_append gives where that knows the form, so that both agree. Nothing for an empty value.
void rs_redact_whole(struct rs_text *text, const char *value);

#endif
