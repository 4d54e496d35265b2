// Host facts from uname, /proc and /sys. Nothing here asks the network: which cloud this is stands in the firmware's
// tables (DMI); what only the cloud's metadata service knows is not read here.
#include "topology/host.h"
#include "topology/system_file.h"

#include <limits.h>
#include <string.h>
#include <sys/utsname.h>

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

// ---- cloud ------------------------------------------------------------------------------------------------

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
  return rs_system_file_line(root, line, line_bytes, "/sys/devices/virtual/dmi/id/%s", file);
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

// ---- memory -----------------------------------------------------------------------------------------------

// The number after `key` at the start of a line.
static bool find_number(const char *text, const char *key, uint64_t *number) {
  const char *found = rs_system_file_find(text, key);
  int64_t taken;
  if (!found || !rs_system_file_take(&found, &taken) || taken < 0)
    return false;
  *number = (uint64_t)taken;
  return true;
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
  int64_t limit, usage; // no number but "max": no limit
  if (!rs_system_file_number(root, &limit, "%s/%s", directory, version->limit) ||
      !rs_system_file_number(root, &usage, "%s/%s", directory, version->usage))
    return UINT64_MAX;
  uint64_t inactive = 0;
  char statistics[8192];
  if (rs_system_file_text(root, statistics, sizeof(statistics), "%s/memory.stat", directory))
    (void)find_number(statistics, version->inactive, &inactive);
  uint64_t used = (uint64_t)usage > inactive ? (uint64_t)usage - inactive : 0;
  return (uint64_t)limit > used ? (uint64_t)limit - used : 0;
}

// The tightest group from this process's own up to the top. In a container the path may name a place of the outer
// system that is not mounted; then only the top is there, and that is the container's own group.
static uint64_t cgroup_available(const char *root) {
  char groups[4096];
  uint64_t available = UINT64_MAX;
  if (!rs_system_file_text(root, groups, sizeof(groups), "/proc/self/cgroup"))
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
  bool known = rs_system_file_text(root, text, sizeof(text), "/proc/meminfo");
  if (known && find_number(text, "MemTotal:", &total_kib))
    facts->memory_bytes = total_kib * 1024;
  if (known && find_number(text, "MemAvailable:", &available_kib))
    facts->memory_available_bytes = available_kib * 1024 < group ? available_kib * 1024 : group;
  else if (group != UINT64_MAX)
    facts->memory_available_bytes = group;
}

// ---- all of it --------------------------------------------------------------------------------------------

void rs_host_read(const char *root, struct rs_host_facts *facts) {
  struct utsname system;
  char line[256];
  if (uname(&system) == 0) {
    rs_host_copy_text(facts->hostname, sizeof(facts->hostname), system.nodename);
    snprintf(line, sizeof(line), "%s %s", system.sysname, system.release);
    rs_host_copy_text(facts->kernel, sizeof(facts->kernel), line);
  }
  if (rs_system_file_line(root, line, sizeof(line), "/proc/sys/kernel/random/boot_id"))
    rs_host_copy_text(facts->boot_id, sizeof(facts->boot_id), line);
  if (rs_system_file_line(root, line, sizeof(line), "/proc/sys/net/ipv4/tcp_congestion_control"))
    rs_host_copy_text(facts->congestion_control, sizeof(facts->congestion_control), line);
  read_cloud(root, facts);
  read_memory(root, facts);
}
