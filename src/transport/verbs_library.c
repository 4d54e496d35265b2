#include "transport/verbs_library.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
  const char *name;
  size_t offset; // of the pointer in struct rs_verbs
};
#define SYMBOL(name)                                                                                                   \
  { "ibv_" #name, offsetof(struct rs_verbs, name) }
static const struct symbol ibv_symbols[] = {
    SYMBOL(get_device_list),
    SYMBOL(free_device_list),
    SYMBOL(get_device_name),
    SYMBOL(open_device),
    SYMBOL(close_device),
    SYMBOL(query_device),
    SYMBOL(query_gid),
    SYMBOL(alloc_pd),
    SYMBOL(dealloc_pd),
    SYMBOL(reg_mr),
    SYMBOL(dereg_mr),
    SYMBOL(create_comp_channel),
    SYMBOL(destroy_comp_channel),
    SYMBOL(create_cq),
    SYMBOL(destroy_cq),
    SYMBOL(get_cq_event),
    SYMBOL(ack_cq_events),
    SYMBOL(create_qp),
    SYMBOL(modify_qp),
    SYMBOL(destroy_qp),
    SYMBOL(create_ah),
    SYMBOL(destroy_ah),
    SYMBOL(get_async_event),
    SYMBOL(ack_async_event),
    SYMBOL(qp_to_qp_ex),
    SYMBOL(query_port),
};
#if RS_HAVE_EFADV
static const struct symbol efadv_symbols[] = {
    {"efadv_create_qp_ex", offsetof(struct rs_verbs, efadv_create_qp_ex)},
    {"efadv_query_device", offsetof(struct rs_verbs, efadv_query_device)},
};
#endif

// Returns the name of the first symbol that the library lacks; NULL: it has all.
static const char *bind_symbols(void *library, const struct symbol *symbols, size_t count, struct rs_verbs *verbs) {
  for (size_t s = 0; s < count; s++) {
    void *address = dlsym(library, symbols[s].name);
    if (address == NULL)
      return symbols[s].name;
    // POSIX lets a function's address travel as void *, ISO C does not let it be cast.
    memcpy((char *)verbs + symbols[s].offset, &address, sizeof address);
  }
  return NULL;
}

// Libraries that load drivers of their own are not made to be unloaded: each time would leak a little.
#define LOAD_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)

enum rs_status rs_verbs_open(struct rs_verbs *verbs, struct rs_error *error) {
  struct rs_verbs opened = {0};
  const char *instead = getenv("RINGSIDE_VERBS_LIBRARY");
  const char *name = instead ? instead : "libibverbs.so.1";
  opened.handles[0] = dlopen(name, LOAD_FLAGS);
  if (opened.handles[0] == NULL)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED,
                        "no RDMA here: %s cannot be loaded (%s); install it (Debian: libibverbs1 ibverbs-providers; "
                        "Amazon Linux: rdma-core, or AWS's EFA installer), or use transport tcp",
                        name, dlerror());
  const char *missing = bind_symbols(opened.handles[0], ibv_symbols, RS_ARRAY_LENGTH(ibv_symbols), &opened);
  if (missing != NULL) {
    rs_error_set(error, RS_ERROR_UNSUPPORTED, "no RDMA here: %s has no %s; install a newer rdma-core", name, missing);
    rs_verbs_close(&opened);
    return error->status;
  }
#if RS_HAVE_EFADV
  opened.handles[1] = dlopen(instead ? instead : "libefa.so.1", LOAD_FLAGS);
  if (opened.handles[1] != NULL &&
      bind_symbols(opened.handles[1], efadv_symbols, RS_ARRAY_LENGTH(efadv_symbols), &opened) != NULL)
    opened.efadv_create_qp_ex = NULL; // both or none
#endif
  *verbs = opened;
  return RS_OK;
}

void rs_verbs_close(struct rs_verbs *verbs) {
  for (size_t h = RS_ARRAY_LENGTH(verbs->handles); h-- > 0;)
    if (verbs->handles[h] != NULL)
      dlclose(verbs->handles[h]);
  *verbs = (struct rs_verbs){0};
}

// The file that holds a symbol of `library`; "" when that is not known.
static void file_of(void *library, const char *symbol, char path[PATH_MAX]) {
  Dl_info about;
  void *address = dlsym(library, symbol);
  if (address == NULL || dladdr(address, &about) == 0 || realpath(about.dli_fname, path) == NULL)
    path[0] = '\0';
}

void rs_verbs_name(char *text, size_t bytes) {
  struct rs_verbs verbs;
  struct rs_error error = {0};
  char path[PATH_MAX];
  if (rs_verbs_open(&verbs, &error) < 0) {
    snprintf(text, bytes, "%s", error.text);
    return;
  }
  file_of(verbs.handles[0], ibv_symbols[0].name, path);
  int length = snprintf(text, bytes, "%s", path);
#if RS_HAVE_EFADV
  if (verbs.efadv_create_qp_ex != NULL && length >= 0 && (size_t)length < bytes) {
    file_of(verbs.handles[1], efadv_symbols[0].name, path);
    snprintf(text + length, bytes - (size_t)length, ", %s", path);
  }
#else
  (void)length;
#endif
  rs_verbs_close(&verbs);
}

int rs_verbs_query_port(const struct rs_verbs *verbs, struct ibv_context *context, uint8_t port,
                        struct ibv_port_attr *attributes) {
  // What verbs_get_ctx_op does, which is an expression that ISO C does not have.
  const struct verbs_context *extended = verbs_get_ctx(context);
  size_t needed = sizeof *extended - offsetof(struct verbs_context, query_port);
  memset(attributes, 0, sizeof *attributes);
  if (extended != NULL && extended->sz >= needed && extended->query_port != NULL)
    return extended->query_port(context, port, attributes, sizeof *attributes);
  return verbs->query_port(context, port, (struct _compat_ibv_port_attr *)attributes);
}
