#include "version.h"

#include "ringside/launch.h"
#include "ringside/options.h"
#include "ringside/report.h"
#include "ringside/store.h"
#include "ringside/topology.h"
#include "ringside/transport.h"

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

static void name_compiler(char *text, size_t bytes) {
#ifdef __clang__
  snprintf(text, bytes, "%s", __VERSION__); // "Debian Clang 14.0.6"
#else
  snprintf(text, bytes, "gcc %s", __VERSION__);
#endif
}

static void name_c_library(char *text, size_t bytes) {
#ifdef __GLIBC__
  snprintf(text, bytes, "glibc %s", gnu_get_libc_version());
#else
  snprintf(text, bytes, "not glibc");
#endif
}

// What it was built for, and what this host has.
static void name_verbs(char *text, size_t bytes) {
#if RS_HAVE_VERBS
#if RS_HAVE_EFADV
  static const char efa[] = ", with EFA";
#else
  static const char efa[] = ", without EFA";
#endif
  char here[448];
  rs_transport_rdma_library(here, sizeof here);
  snprintf(text, bytes, "built for libibverbs %s%s; %s", RS_VERBS_VERSION, efa, here);
#else
  rs_transport_rdma_library(text, bytes);
#endif
}

static void name_cloud(char *text, size_t bytes) {
  (void)rs_cloud_library(text, bytes);
}

static void name_page(char *text, size_t bytes) {
  (void)rs_report_page_library(text, bytes);
}

static const struct {
  const char *purpose;
  void (*name)(char *text, size_t bytes);
} parts[] = {
    {"compiler", name_compiler},   {"C library", name_c_library},  {"launch", rs_launch_library},
    {"results", rs_store_library}, {"hosts", rs_topology_library}, {"YAML", rs_options_library},
    {"JSON", rs_report_library},   {"cloud", name_cloud},          {"RDMA", name_verbs},
    {"report", name_page},
};

void version_print(FILE *file) {
  fputs("ringside " RS_VERSION_STRING "\n\n", file);
  for (size_t i = 0; i < RS_ARRAY_LENGTH(parts); i++) {
    char text[512] = "";
    parts[i].name(text, sizeof text);
    fprintf(file, "  %-9s  %s\n", parts[i].purpose, text);
  }
}
