#include "ringside/transport.h"
#include "transport/emulated.h"
#include "transport/loop.h"
#include "transport/null.h"
#include "transport/shm.h"
#if RS_HAVE_VERBS
#include "transport/srd.h"
#endif
#include "transport/tcp.h"
#if RS_HAVE_VERBS
#include "transport/verbs_library.h"
#include "transport/verbs_rc.h"
#endif

#include <stdio.h>
#include <string.h>

const struct rs_transport *const rs_transports[] = {
    &rs_transport_tcp,      &rs_transport_shm,
#if RS_HAVE_VERBS
    &rs_transport_verbs_rc, &rs_transport_srd,
#endif
    &rs_transport_emulated, &rs_transport_loop, &rs_transport_null,
};
const size_t rs_transport_count = RS_ARRAY_LENGTH(rs_transports);

const struct rs_transport *rs_transport_find(const char *name) {
  for (size_t i = 0; i < rs_transport_count; i++)
    if (strcmp(rs_transports[i]->name, name) == 0)
      return rs_transports[i];
  return NULL;
}

bool rs_transport_route(const char *word, const struct rs_transport **inside, const struct rs_transport **between) {
  const char *plus = strchr(word, '+');
  const struct rs_transport *first = NULL, *last = rs_transport_find(plus ? plus + 1 : word);
  char name[32];
  if (plus && snprintf(name, sizeof name, "%.*s", (int)(plus - word), word) < (int)sizeof name)
    first = rs_transport_find(name);
  bool fits = plus == NULL || (first && first->span == RS_SPAN_HOST && last && last->span == RS_SPAN_NETWORK);
  if (last == NULL || !fits)
    return false;
  *inside = first;
  *between = last;
  return true;
}

void rs_transport_rdma_library(char *text, size_t bytes) {
#if RS_HAVE_VERBS
  rs_verbs_name(text, bytes);
#else
  snprintf(text, bytes, "built without verbs");
#endif
}
