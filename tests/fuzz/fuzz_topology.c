// What tells who sits where: an operator's file in its three formats, hwloc's XML out of a result file, a file of an
// order of ranks, host lists, the labels of a Kubernetes node.
#include "fuzz/fuzz.h"
#include "ringside/topology.h"
#include "topology/hostlist.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOSTS 3
#define NAMES_MAX 1000

struct site {
  struct rs_host_facts hosts[HOSTS];
  struct rs_rank_facts ranks[HOSTS];
  struct rs_placement placement;
};

static void open_site(struct site *site) {
  static const char *const ids[HOSTS] = {"i-0a", "i-0b", "i-0c"};
  *site = (struct site){.placement = {HOSTS, HOSTS, site->hosts, site->ranks}};
  for (uint32_t h = 0; h < HOSTS; h++) {
    snprintf(site->hosts[h].hostname, sizeof site->hosts[h].hostname, "node%02u", h + 1);
    snprintf(site->hosts[h].instance_id, sizeof site->hosts[h].instance_id, "%s", ids[h]);
    site->ranks[h].host = h;
    site->ranks[h].local_ranks = 1;
  }
}

static void read_topology_file(const char *text, size_t bytes) {
  struct rs_topology_file *file = NULL;
  struct rs_error error = {0};
  struct rs_text words = {0};
  struct site site;
  open_site(&site);
  enum rs_status status = rs_topology_file_parse("site.yaml", text, bytes, &file, &error);
  if (status == RS_OK)
    status = rs_topology_file_apply(file, &site.placement, &words, &error);
  fuzz_require_words(status, &error);
  if (status == RS_OK) {
    const struct rs_placement_view view = {.placement = &site.placement};
    rs_placement_tree(&view, &words);
    rs_placement_warnings(&view, &words);
    rs_placement_distances(&site.placement, &words);
  }
  rs_text_fini(&words);
  rs_topology_file_close(file);
}

static void read_machine(const char *xml) {
  struct rs_host_device devices[4];
  struct rs_machine_summary summary;
  struct rs_error error = {0};
  size_t count = 0;
  fuzz_require_words(rs_topology_xml_devices(xml, devices, RS_ARRAY_LENGTH(devices), &count, &error), &error);
  error = (struct rs_error){0};
  fuzz_require_words(rs_topology_xml_summary(xml, &summary, &error), &error);
}

static enum rs_status count_name(void *state, const char *name, struct rs_error *error) {
  size_t *count = state;
  FUZZ_REQUIRE(name[0] != '\0' && strlen(name) < RS_HOST_NAME_BYTES);
  return ++*count < NAMES_MAX ? RS_OK : rs_error_set(error, RS_ERROR_USAGE, "enough");
}

static void read_host_list(const char *list) {
  size_t count = 0, offset = 0;
  struct rs_error error = {0};
  enum rs_status status = rs_hostlist_expand(list, count_name, &count, &offset, &error);
  fuzz_require_words(status, &error);
  FUZZ_REQUIRE(status == RS_OK || offset <= strlen(list));
}

// Readers of paths get a file that is in memory only.
static void read_files(const char *text, size_t bytes) {
  struct site site;
  char path[64];
  struct rs_error error = {0};
  uint32_t ranks[HOSTS];
  static struct rs_environment environment;
  int fd = memfd_create("input", MFD_CLOEXEC);
  FUZZ_REQUIRE(fd >= 0 && write(fd, text, bytes) == (ssize_t)bytes);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  open_site(&site);
  fuzz_require_words(rs_rank_order_load(path, &site.placement, ranks, &error), &error);
  setenv("RINGSIDE_NODE_LABELS", path, 1);
  setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
  environment.count = 0;
  rs_scheduler_read(&site.hosts[0], &environment);
  close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  struct rs_text redacted = {0};
  char *text = malloc(bytes + 1);
  FUZZ_REQUIRE(text != NULL);
  memcpy(text, data, bytes);
  text[bytes] = '\0';
  read_topology_file(text, bytes);
  read_machine(text);
  read_host_list(text);
  read_files(text, bytes);
  rs_redact_append(&redacted, text);
  rs_text_fini(&redacted);
  free(text);
  return 0;
}
