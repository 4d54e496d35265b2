// The verbs, loaded when they are first needed: a binary built with verbs runs on hosts without them, and a test's
// library can stand in. Calls that verbs.h makes inline go through the context and need no entry here.
#ifndef RS_TRANSPORT_VERBS_LIBRARY_H
#define RS_TRANSPORT_VERBS_LIBRARY_H

#include "ringside/base.h"

#include <infiniband/verbs.h>
#if RS_HAVE_EFADV
#include <infiniband/efadv.h>
#endif

// In parentheses, as verbs.h hides some functions behind macros of the same name.
#define RS_VERB(name) __typeof__(ibv_##name) *name
struct rs_verbs {
  RS_VERB(get_device_list);
  RS_VERB(free_device_list);
  RS_VERB(get_device_name);
  RS_VERB(open_device);
  RS_VERB(close_device);
  RS_VERB(query_device);
  RS_VERB(query_gid);
  RS_VERB(alloc_pd);
  RS_VERB(dealloc_pd);
  RS_VERB(reg_mr);
  RS_VERB(dereg_mr);
  RS_VERB(create_comp_channel);
  RS_VERB(destroy_comp_channel);
  RS_VERB(create_cq);
  RS_VERB(destroy_cq);
  RS_VERB(get_cq_event);
  RS_VERB(ack_cq_events);
  RS_VERB(create_qp);
  RS_VERB(modify_qp);
  RS_VERB(destroy_qp);
  RS_VERB(create_ah);
  RS_VERB(destroy_ah);
  RS_VERB(get_async_event);
  RS_VERB(ack_async_event);
  RS_VERB(qp_to_qp_ex);
  // An older structure than verbs.h's own: use rs_verbs_query_port.
  int (*query_port)(struct ibv_context *context, uint8_t port, struct _compat_ibv_port_attr *attributes);
#if RS_HAVE_EFADV
  // From libefa; NULL where the library is not there.
  __typeof__(efadv_create_qp_ex) *efadv_create_qp_ex;
  __typeof__(efadv_query_device) *efadv_query_device;
#endif
  void *handles[2]; // libibverbs, libefa
};
#undef RS_VERB

// Loads libibverbs.so.1 and, if it is there, libefa.so.1; or for both the library that the environment variable
// RINGSIDE_VERBS_LIBRARY names. UNSUPPORTED, with what to install, when there is none.
enum rs_status rs_verbs_open(struct rs_verbs *verbs, struct rs_error *error);
void rs_verbs_close(struct rs_verbs *verbs); // {0} is fine
// What rs_verbs_open would use: the files, without symbolic links; or why it fails.
void rs_verbs_name(char *text, size_t bytes);

// 0 or an errno.
int rs_verbs_query_port(const struct rs_verbs *verbs, struct ibv_context *context, uint8_t port,
                        struct ibv_port_attr *attributes);

#endif
