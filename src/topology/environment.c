// How this host is set up, as far as that changes what a network benchmark measures: clock frequencies and sleep
// states, where tasks and interrupts run, memory, the kernel's network settings, and whether the machine is virtual.
#include "topology/environment.h"
#include "topology/host.h"
#include "topology/system_file.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void rs_environment_add(struct rs_environment *environment, const char *key, const char *format, ...) {
  struct rs_environment_fact *fact = &environment->facts[environment->count];
  char value[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(value, sizeof(value), format, arguments);
  va_end(arguments);
  if (value[0] == '\0' || environment->count == RS_ENVIRONMENT_FACTS_MAX)
    return;
  for (char *c = value; *c; c++)
    if (*c == '\t')
      *c = ' ';
  rs_host_copy_text(fact->key, sizeof(fact->key), key);
  rs_host_copy_text(fact->value, sizeof(fact->value), value);
  environment->count++;
}

void rs_environment_append(struct rs_environment *environment, const struct rs_environment *other) {
  for (size_t f = 0; f < other->count && environment->count < RS_ENVIRONMENT_FACTS_MAX; f++)
    environment->facts[environment->count++] = other->facts[f];
}

// ---- files that are facts ---------------------------------------------------------------------------------

enum form {
  LINE,   // as it stands
  CHOICE, // "always [madvise] never": the word in brackets
  SWITCH, // 1: on, 0: off
  NEGATED // 0: on, 1: off
};
static const struct file_fact {
  const char *key, *path;
  enum form form;
} file_facts[] = {
    {"cpu.boost", "/sys/devices/system/cpu/cpufreq/boost", SWITCH},
    {"cpu.boost", "/sys/devices/system/cpu/intel_pstate/no_turbo", NEGATED},
    {"cpu.smt", "/sys/devices/system/cpu/smt/control", LINE},
    {"cpu.isolated", "/sys/devices/system/cpu/isolated", LINE},
    {"cpu.idle_driver", "/sys/devices/system/cpu/cpuidle/current_driver", LINE},
    {"cpu.idle_governor", "/sys/devices/system/cpu/cpuidle/current_governor", LINE},
    {"memory.transparent_huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled", CHOICE},
    {"memory.numa_balancing", "/proc/sys/kernel/numa_balancing", SWITCH},
    {"memory.swappiness", "/proc/sys/vm/swappiness", LINE},
    {"kernel.clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", LINE},
    {"machine.vendor", "/sys/devices/virtual/dmi/id/sys_vendor", LINE},
    {"machine.product", "/sys/devices/virtual/dmi/id/product_name", LINE},
    {"net.tcp_rmem", "/proc/sys/net/ipv4/tcp_rmem", LINE},
    {"net.tcp_wmem", "/proc/sys/net/ipv4/tcp_wmem", LINE},
    {"net.tcp_available_congestion_control", "/proc/sys/net/ipv4/tcp_available_congestion_control", LINE},
    {"net.tcp_slow_start_after_idle", "/proc/sys/net/ipv4/tcp_slow_start_after_idle", SWITCH},
    {"net.rmem_max", "/proc/sys/net/core/rmem_max", LINE},
    {"net.wmem_max", "/proc/sys/net/core/wmem_max", LINE},
    {"net.busy_poll", "/proc/sys/net/core/busy_poll", LINE},
    {"net.busy_read", "/proc/sys/net/core/busy_read", LINE},
    {"net.default_qdisc", "/proc/sys/net/core/default_qdisc", LINE},
};

static void add_file(struct rs_environment *environment, const char *root, const struct file_fact *fact) {
  char line[256];
  if (!rs_system_file_line(root, line, sizeof(line), "%s", fact->path))
    return;
  const char *chosen = strchr(line, '[');
  if (fact->form == SWITCH || fact->form == NEGATED)
    rs_environment_add(environment, fact->key, "%s",
                       (strcmp(line, "0") == 0) == (fact->form == NEGATED) ? "on" : "off");
  else if (fact->form == CHOICE && chosen)
    rs_environment_add(environment, fact->key, "%.*s", (int)strcspn(chosen + 1, "]"), chosen + 1);
  else
    rs_environment_add(environment, fact->key, "%s", line);
}

// ---- the kernel's command line ----------------------------------------------------------------------------

static const char *const kernel_parameters[] = {
    "isolcpus",     "nohz_full", "rcu_nocbs", "mitigations", "idle", "intel_idle.max_cstate", "processor.max_cstate",
    "intel_pstate", "amd_pstate"};

static void add_kernel_parameters(struct rs_environment *environment, const char *root) {
  char line[4096], *rest = line;
  rs_system_file_line(root, line, sizeof(line), "/proc/cmdline");
  for (const char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
    for (size_t p = 0; p < RS_ARRAY_LENGTH(kernel_parameters); p++) {
      size_t length = strlen(kernel_parameters[p]);
      char key[64];
      snprintf(key, sizeof(key), "kernel.%s", kernel_parameters[p]);
      if (strncmp(word, kernel_parameters[p], length) == 0 && word[length] == '=')
        rs_environment_add(environment, key, "%s", word + length + 1);
    }
  }
}

// ---- clock frequencies ------------------------------------------------------------------------------------

// CPUs that change their clock together share a policy: /sys/devices/system/cpu/cpufreq/policy*.
static const struct policy_fact {
  const char *key, *file;
  bool number; // over several policies: a range of numbers, a list of different words
} policy_facts[] = {
    {"cpu.governor", "scaling_governor", false},         {"cpu.frequency_driver", "scaling_driver", false},
    {"cpu.frequency_khz", "scaling_cur_freq", true},     {"cpu.frequency_min_khz", "scaling_min_freq", true},
    {"cpu.frequency_max_khz", "scaling_max_freq", true},
};

// Whether one of the words of "powersave, performance" is this one.
static bool has_word(const char *words, const char *word) {
  size_t length = strlen(word);
  for (const char *item = words; *item; item += strcspn(item, ", "), item += strspn(item, ", "))
    if (strcspn(item, ", ") == length && strncmp(item, word, length) == 0)
      return true;
  return false;
}

static void add_policies(struct rs_environment *environment, const char *root, struct dirent *const *policies,
                         int count, const struct policy_fact *fact) {
  char words[sizeof(environment->facts->value)] = "", line[64];
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int p = 0; p < count; p++) {
    if (!rs_system_file_line(root, line, sizeof(line), "/sys/devices/system/cpu/cpufreq/%s/%s", policies[p]->d_name,
                             fact->file))
      continue;
    const char *start = line;
    int64_t number;
    if (fact->number && rs_system_file_take(&start, &number)) {
      low = number < low ? number : low;
      high = number > high ? number : high;
    } else if (!fact->number && !has_word(words, line)) {
      size_t used = strlen(words);
      snprintf(words + used, sizeof(words) - used, "%s%s", used > 0 ? ", " : "", line);
    }
  }
  if (low < high)
    rs_environment_add(environment, fact->key, "%" PRId64 "-%" PRId64, low, high);
  else if (low == high)
    rs_environment_add(environment, fact->key, "%" PRId64, low);
  else
    rs_environment_add(environment, fact->key, "%s", words);
}

static int is_policy(const struct dirent *entry) {
  return strncmp(entry->d_name, "policy", strlen("policy")) == 0;
}

static void add_frequencies(struct rs_environment *environment, const char *root) {
  char path[4096];
  struct dirent **policies = NULL;
  snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpufreq", root);
  int count = scandir(path, &policies, is_policy, alphasort);
  for (size_t f = 0; f < RS_ARRAY_LENGTH(policy_facts); f++)
    add_policies(environment, root, policies, count, &policy_facts[f]);
  for (int p = 0; p < count; p++)
    free(policies[p]);
  free(policies);
}

// ---- the rest ---------------------------------------------------------------------------------------------

// x86 hypervisors set a CPU flag; other processors do not tell, and the vendor's name is the hint.
static void add_virtual(struct rs_environment *environment, const char *root) {
  char text[16384];
  rs_system_file_text(root, text, sizeof(text), "/proc/cpuinfo");
  const char *flags = rs_system_file_find(text, "flags");
  if (!flags)
    return;
  static const char flag[] = " hypervisor";
  const char *found = memmem(flags, strcspn(flags, "\n"), flag, strlen(flag));
  rs_environment_add(environment, "machine.virtual", "%s", found ? "yes" : "no");
}

static void add_swap(struct rs_environment *environment, const char *root) {
  char text[8192];
  int64_t total, unused;
  rs_system_file_text(root, text, sizeof(text), "/proc/meminfo");
  const char *total_kib = rs_system_file_find(text, "SwapTotal:"), *free_kib = rs_system_file_find(text, "SwapFree:");
  if (total_kib && free_kib && rs_system_file_take(&total_kib, &total) && rs_system_file_take(&free_kib, &unused))
    rs_environment_add(environment, "memory.swap_used_bytes", "%" PRId64, (total - unused) * 1024);
}

// It moves interrupts between CPUs while we measure. In a container, only the container's processes can be seen.
static void add_irqbalance(struct rs_environment *environment, const char *root) {
  char path[4096], name[32];
  snprintf(path, sizeof(path), "%s/proc", root);
  DIR *directory = opendir(path);
  if (!directory)
    return;
  bool running = false;
  for (const struct dirent *entry = readdir(directory); entry && !running; entry = readdir(directory))
    running = isdigit((unsigned char)entry->d_name[0]) &&
              rs_system_file_line(root, name, sizeof(name), "/proc/%s/comm", entry->d_name) &&
              strcmp(name, "irqbalance") == 0;
  closedir(directory);
  rs_environment_add(environment, "kernel.irqbalance", "%s", running ? "running" : "not seen");
}

static void add_limit(struct rs_environment *environment, const char *key, rlim_t limit) {
  if (limit == RLIM_INFINITY)
    rs_environment_add(environment, key, "unlimited");
  else
    rs_environment_add(environment, key, "%" PRIu64, (uint64_t)limit);
}

static void add_limits(struct rs_environment *environment) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
    add_limit(environment, "limit.memlock_bytes", limit.rlim_cur);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    add_limit(environment, "limit.open_files", limit.rlim_cur);
}

void rs_environment_read_from(const char *root, struct rs_environment *environment) {
  environment->count = 0;
  add_frequencies(environment, root);
  for (size_t f = 0; f < RS_ARRAY_LENGTH(file_facts); f++)
    add_file(environment, root, &file_facts[f]);
  add_kernel_parameters(environment, root);
  add_irqbalance(environment, root);
  add_virtual(environment, root);
  add_swap(environment, root);
  add_limits(environment);
}

void rs_environment_read(struct rs_environment *environment) {
  rs_environment_read_from("", environment);
}
