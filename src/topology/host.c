// Host facts from uname, /proc and /sys. Nothing here asks the network: which cloud this is stands in the firmware's
// tables (DMI); what only the cloud's metadata service knows is not read here.
#include "topology/host.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void rs_host_copy_text(char *field, size_t field_bytes, const char *text) {
  size_t length = strnlen(text, field_bytes);
  if (length == field_bytes) {
    length--;
    while (length > 0 && (text[length] & 0xc0) == 0x80) // inside a character: 10xxxxxx continues one
      length--;
  }
  memcpy(field, text, length);
  memset(field + length, 0, field_bytes - length);
}

// Reads the start of a small file as text. False, and empty text, when there is none.
static bool read_text(const char *root, const char *path, char *text, size_t text_bytes) {
  char full[PATH_MAX];
  text[0] = '\0';
  if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
    return false;
  int file = open(full, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  size_t used = 0;
  ssize_t got = 1;
  while (got > 0 && used + 1 < text_bytes) {
    got = read(file, text + used, text_bytes - 1 - used);
    used += got > 0 ? (size_t)got : 0;
  }
  close(file);
  text[used] = '\0';
  return used > 0;
}

// The first line of a file, without blanks at its end.
static bool read_line(const char *root, const char *path, char *line, size_t line_bytes) {
  read_text(root, path, line, line_bytes);
  size_t length = strcspn(line, "\n");
  while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
    length--;
  line[length] = '\0';
  return length > 0;
}

// ---- cloud ----------------------------------------------------------------------------------------------------------

// The firmware's words that name a cloud. Azure's guests look like any Hyper-V guest but for the asset tag, the same on
// all of them; AWS's Xen instances show it in the BIOS version only.
static const struct {
  const char *file, *word, *cloud;
} cloud_signs[] = {
    {"sys_vendor", "Amazon EC2", "aws"},
    {"board_vendor", "Amazon EC2", "aws"},
    {"bios_version", "amazon", "aws"},
    {"product_name", "Google Compute Engine", "gcp"},
    {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"},
};

static bool read_dmi(const char *root, const char *file, char *line, size_t line_bytes) {
  char path[128];
  snprintf(path, sizeof(path), "/sys/devices/virtual/dmi/id/%s", file);
  return read_line(root, path, line, line_bytes);
}

static void read_cloud(const char *root, struct rs_host_facts *facts) {
  char line[256];
  for (size_t s = 0; s < RS_ARRAY_LENGTH(cloud_signs) && facts->cloud[0] == '\0'; s++)
    if (read_dmi(root, cloud_signs[s].file, line, sizeof(line)) && strstr(line, cloud_signs[s].word))
      rs_host_copy_text(facts->cloud, sizeof(facts->cloud), cloud_signs[s].cloud);
  // AWS writes the instance type, "c5n.18xlarge", where a vendor writes the model; under Xen it says "HVM domU".
  if (strcmp(facts->cloud, "aws") == 0 && read_dmi(root, "product_name", line, sizeof(line)) && strchr(line, '.'))
    rs_host_copy_text(facts->instance_type, sizeof(facts->instance_type), line);
}

// ---- memory ---------------------------------------------------------------------------------------------------------

// The number after `key` at the start of a line.
static bool find_number(const char *text, const char *key, uint64_t *number) {
  size_t length = strlen(key);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, key, length) == 0)
      return sscanf(line + length, "%" SCNu64, number) == 1;
  }
  return false;
}

static bool read_number(const char *root, const char *directory, const char *file, uint64_t *number) {
  char path[PATH_MAX], line[64];
  if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
    return false;
  return read_line(root, path, line, sizeof(line)) && sscanf(line, "%" SCNu64, number) == 1; // not for "max"
}

// The two versions of control groups keep the same facts under other names.
struct cgroup_version {
  const char *prefix; // of the process's line in /proc/self/cgroup
  const char *mount, *limit, *usage, *inactive;
};
static const struct cgroup_version cgroup_versions[] = {
    {"0::", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
    {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
};

// What one group leaves: limit - (usage - file cache that can be dropped), the "working set" that Kubernetes counts.
static uint64_t group_available(const char *root, const struct cgroup_version *version, const char *directory) {
  uint64_t limit, usage, inactive = 0;
  if (!read_number(root, directory, version->limit, &limit) || !read_number(root, directory, version->usage, &usage))
    return UINT64_MAX;
  char path[PATH_MAX], statistics[8192];
  if (snprintf(path, sizeof(path), "%s/memory.stat", directory) < (int)sizeof(path) &&
      read_text(root, path, statistics, sizeof(statistics)))
    (void)find_number(statistics, version->inactive, &inactive);
  uint64_t used = usage > inactive ? usage - inactive : 0;
  return limit > used ? limit - used : 0;
}

// The tightest group from this process's own up to the top. In a container the path may name a place of the outer
// system that is not mounted; then only the top is there, and that is the container's own group.
static uint64_t cgroup_available(const char *root) {
  char groups[4096];
  uint64_t available = UINT64_MAX;
  if (!read_text(root, "/proc/self/cgroup", groups, sizeof(groups)))
    return available;
  for (size_t v = 0; v < RS_ARRAY_LENGTH(cgroup_versions); v++) {
    const struct cgroup_version *version = &cgroup_versions[v];
    const char *line = strstr(groups, version->prefix);
    if (!line)
      continue;
    const char *group = line + strlen(version->prefix);
    char directory[PATH_MAX];
    int length = snprintf(directory, sizeof(directory), "%s%.*s", version->mount, (int)strcspn(group, "\n"), group);
    if (length >= (int)sizeof(directory))
      continue;
    size_t top = strlen(version->mount);
    for (char *end = directory + length; end; end = strrchr(directory + top, '/')) {
      *end = '\0';
      uint64_t here = group_available(root, version, directory);
      available = here < available ? here : available;
    }
  }
  return available;
}

static void read_memory(const char *root, struct rs_host_facts *facts) {
  char text[8192];
  uint64_t total_kib, available_kib, group = cgroup_available(root);
  bool known = read_text(root, "/proc/meminfo", text, sizeof(text));
  if (known && find_number(text, "MemTotal:", &total_kib))
    facts->memory_bytes = total_kib * 1024;
  if (known && find_number(text, "MemAvailable:", &available_kib))
    facts->memory_available_bytes = available_kib * 1024 < group ? available_kib * 1024 : group;
  else if (group != UINT64_MAX)
    facts->memory_available_bytes = group;
}

// ---- all of it
// --------------------------------------------------------------------------------------------------------

void rs_host_read(const char *root, struct rs_host_facts *facts) {
  struct utsname system;
  char line[256];
  if (uname(&system) == 0) {
    rs_host_copy_text(facts->hostname, sizeof(facts->hostname), system.nodename);
    snprintf(line, sizeof(line), "%s %s", system.sysname, system.release);
    rs_host_copy_text(facts->kernel, sizeof(facts->kernel), line);
  }
  if (read_line(root, "/proc/sys/kernel/random/boot_id", line, sizeof(line)))
    rs_host_copy_text(facts->boot_id, sizeof(facts->boot_id), line);
  if (read_line(root, "/proc/sys/net/ipv4/tcp_congestion_control", line, sizeof(line)))
    rs_host_copy_text(facts->congestion_control, sizeof(facts->congestion_control), line);
  read_cloud(root, facts);
  read_memory(root, facts);
}
