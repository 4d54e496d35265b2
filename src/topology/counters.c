// Counters from /proc, /sys, the network drivers and getrusage. Formats: proc(5), and Documentation/ of Linux:
// scheduler/sched-stats.rst, networking/statistics.rst, networking/snmp_counter.rst.
#include "topology/counters.h"
#include "topology/system_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define INTERFACES_MAX 64 // hosts of many containers have hundreds of virtual ones

// ---- a growing list ---------------------------------------------------------------------------------------

struct collector {
  const char *root;
  const struct rs_ethtool *tool;
  enum rs_counter_scope scope; // of what is added
  struct rs_counters counters;
  struct rs_error *error; // set: nothing is added any more
};

// A name that does not fit is left out: cut, two could become one.
RS_PRINTF(3, 4) static void add(struct collector *collector, int64_t value, const char *name, ...) {
  char text[sizeof collector->counters.items->name];
  va_list arguments;
  va_start(arguments, name);
  bool fits = vsnprintf(text, sizeof(text), name, arguments) < (int)sizeof(text);
  va_end(arguments);
  if (fits && collector->error->status >= 0)
    rs_counters_add(&collector->counters, collector->scope, text, value, collector->error);
}

enum rs_status rs_counters_add(struct rs_counters *counters, enum rs_counter_scope scope, const char *name,
                               int64_t value, struct rs_error *error) {
  if (counters->count == counters->capacity) {
    size_t capacity = counters->capacity * 2 + 64;
    struct rs_counter *larger = realloc(counters->items, capacity * sizeof(*larger));
    if (!larger)
      return rs_error_set_memory(error, capacity * sizeof(*larger), "counters");
    counters->items = larger;
    counters->capacity = capacity;
  }
  struct rs_counter *counter = &counters->items[counters->count++];
  *counter = (struct rs_counter){.scope = scope, .value = value};
  snprintf(counter->name, sizeof(counter->name), "%s", name);
  return RS_OK;
}

// ---- processors -------------------------------------------------------------------------------------------

// The first line of /proc/stat, in its order, in ticks.
static void add_cpu_time(struct collector *collector) {
  static const char *const states[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};
  char line[512];
  int64_t ticks, ns;
  if (!rs_system_file_line(collector->root, line, sizeof(line), "/proc/stat"))
    return;
  const char *times = rs_system_file_find(line, "cpu ");
  for (size_t s = 0; times && s < RS_ARRAY_LENGTH(states) && rs_system_file_take(&times, &ticks); s++)
    if (!__builtin_mul_overflow(ticks, NS_PER_S / sysconf(_SC_CLK_TCK), &ns)) // 292 years, all CPUs together
      add(collector, ns, "cpu.%s_ns", states[s]);
}

// /proc/schedstat has a line per CPU, whose eighth number is the ns that tasks have waited for it, and many lines in
// between that grow with the machine; so it is read by lines.
static void add_run_queue(struct collector *collector) {
  char path[4096], *line = NULL;
  size_t capacity = 0;
  int64_t number, total = 0;
  bool found = false;
  snprintf(path, sizeof(path), "%s/proc/schedstat", collector->root);
  FILE *file = fopen(path, "re");
  while (file && getline(&line, &capacity, file) > 0) {
    size_t numbers = 0;
    const char *rest = line + strcspn(line, " ");
    while (strncmp(line, "cpu", 3) == 0 && numbers < 8 && rs_system_file_take(&rest, &number))
      numbers++;
    total += numbers == 8 ? number : 0;
    found |= numbers == 8;
  }
  free(line);
  if (file)
    fclose(file);
  if (found)
    add(collector, total, "cpu.run_queue_wait_ns");

  char load[128]; // "0.20 0.18 0.12 3/808 11206": runnable / existing
  const char *runnable = load;
  if (rs_system_file_line(collector->root, load, sizeof(load), "/proc/loadavg"))
    for (size_t word = 0; word < 3; word++)
      runnable += strcspn(runnable, " ") + 1;
  if (runnable < load + strlen(load) && rs_system_file_take(&runnable, &number))
    add(collector, number, "cpu.runnable");
}

// ---- network interfaces -----------------------------------------------------------------------------------

static const char *const statistics[] = {"rx_bytes",  "tx_bytes",   "rx_packets", "tx_packets",      "rx_errors",
                                         "tx_errors", "rx_dropped", "tx_dropped", "rx_missed_errors"};

// Words in the names of driver counters that tell of loss, refusal, congestion and limits: ENA's
// bw_in_allowance_exceeded, mlx5's rx_discards_phy, tx_pause_ctrl_phy and rx_ecn_mark, gve's and virtio's drops.
static const char *const telling_words[] = {"err", "drop", "discard", "allowance_exceeded", "retrans", "pause",
                                            "ecn", "cnp",  "timeout"};

// "err" stands in these too: interrupts, deferred, transferred.
static const char *const harmless_words[] = {"interrupt", "ferred"};

static bool has_word(const char *name, const char *const *words, size_t count) {
  for (size_t w = 0; w < count; w++)
    if (strcasestr(name, words[w]))
      return true;
  return false;
}

static bool is_telling(const char *name) {
  return has_word(name, telling_words, RS_ARRAY_LENGTH(telling_words)) &&
         !has_word(name, harmless_words, RS_ARRAY_LENGTH(harmless_words));
}

// Some drivers repeat the kernel's own statistics under the same names.
static bool is_statistic(const char *name) {
  for (size_t s = 0; s < RS_ARRAY_LENGTH(statistics); s++)
    if (strcmp(name, statistics[s]) == 0)
      return true;
  return false;
}

struct driver_counters {
  struct collector *collector;
  const char *interface;
};

static void add_driver_counter(void *state, const char *name, uint64_t value) {
  const struct driver_counters *driver = state;
  if (is_telling(name) && !is_statistic(name))
    add(driver->collector, value > INT64_MAX ? INT64_MAX : (int64_t)value, "nic.%s.%s", driver->interface, name);
}

// Up, and not a port of a bridge: those are the containers' ends, and there can be very many.
static bool is_wanted(const char *root, const char *interface) {
  char flags[32], state[32], bridge[32];
  if (!rs_system_file_line(root, flags, sizeof(flags), "/sys/class/net/%s/flags", interface) ||
      (strtoul(flags, NULL, 16) & IFF_UP) == 0)
    return false;
  // "unknown" is what loopback and some virtual interfaces say.
  if (rs_system_file_line(root, state, sizeof(state), "/sys/class/net/%s/operstate", interface) &&
      strcmp(state, "up") != 0 && strcmp(state, "unknown") != 0)
    return false;
  return !rs_system_file_line(root, bridge, sizeof(bridge), "/sys/class/net/%s/brport/state", interface);
}

static void add_interface(struct collector *collector, const char *interface) {
  int64_t value;
  for (size_t s = 0; s < RS_ARRAY_LENGTH(statistics); s++)
    if (rs_system_file_number(collector->root, &value, "/sys/class/net/%s/statistics/%s", interface, statistics[s]))
      add(collector, value, "nic.%s.%s", interface, statistics[s]);
  struct driver_counters driver = {collector, interface};
  rs_ethtool_visit(collector->tool, interface, add_driver_counter, &driver);
}

// False: the entry was passed over.
typedef bool visit_entry(struct collector *collector, const char *name, const void *context);

// Calls `visit` for the entries of a directory, by name, so that two snapshots have one order, until it took `max`.
static void visit_directory(struct collector *collector, const char *directory, size_t max, visit_entry *visit,
                            const void *context) {
  char path[4096];
  struct dirent **entries = NULL;
  snprintf(path, sizeof(path), "%s%s", collector->root, directory);
  int count = scandir(path, &entries, NULL, alphasort);
  size_t taken = 0;
  for (int e = 0; e < count; e++) {
    if (entries[e]->d_name[0] != '.' && taken < max)
      taken += visit(collector, entries[e]->d_name, context);
    free(entries[e]);
  }
  free(entries);
}

static bool visit_interface(struct collector *collector, const char *interface, const void *context) {
  (void)context;
  bool wanted = is_wanted(collector->root, interface);
  if (wanted)
    add_interface(collector, interface);
  return wanted;
}

// ---- RDMA devices -----------------------------------------------------------------------------------------

#define RDMA_COUNTERS_MAX 128 // of one port

struct rdma_port {
  const char *device, *port, *kind;
};

static bool visit_rdma_counter(struct collector *collector, const char *name, const void *context) {
  const struct rdma_port *port = context;
  int64_t value;
  if (strcmp(name, "lifespan") != 0 && // how often the driver asks the device
      rs_system_file_number(collector->root, &value, "/sys/class/infiniband/%s/ports/%s/%s/%s", port->device,
                            port->port, port->kind, name))
    add(collector, value, "rdma.%s.%s.%s", port->device, port->port, name);
  return true;
}

// "counters" are the standard's, "hw_counters" the device's own.
static bool visit_rdma_port(struct collector *collector, const char *port, const void *context) {
  static const char *const kinds[] = {"counters", "hw_counters"};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(kinds); k++) {
    const struct rdma_port of = {.device = context, .port = port, .kind = kinds[k]};
    char directory[512];
    snprintf(directory, sizeof(directory), "/sys/class/infiniband/%s/ports/%s/%s", of.device, port, of.kind);
    visit_directory(collector, directory, RDMA_COUNTERS_MAX, visit_rdma_counter, &of);
  }
  return true;
}

static bool visit_rdma_device(struct collector *collector, const char *device, const void *context) {
  (void)context;
  char directory[300];
  snprintf(directory, sizeof(directory), "/sys/class/infiniband/%.255s/ports", device);
  visit_directory(collector, directory, INTERFACES_MAX, visit_rdma_port, device);
  return true;
}

// ---- protocols --------------------------------------------------------------------------------------------

static const struct protocol_counter {
  const char *file, *group, *name, *prefix;
} protocol_counters[] = {
    {"snmp", "Tcp:", "RetransSegs", "tcp"},       {"snmp", "Tcp:", "InErrs", "tcp"},
    {"snmp", "Tcp:", "OutRsts", "tcp"},           {"netstat", "TcpExt:", "TCPLostRetransmit", "tcp"},
    {"netstat", "TcpExt:", "TCPTimeouts", "tcp"}, {"netstat", "TcpExt:", "ListenOverflows", "tcp"},
    {"netstat", "TcpExt:", "ListenDrops", "tcp"}, {"netstat", "IpExt:", "InCEPkts", "ip"},
};

// A group has two lines: "Tcp: RtoAlgorithm RtoMin ..." and "Tcp: 1 200 ...".
static bool find_protocol_counter(const char *text, const struct protocol_counter *wanted, int64_t *value) {
  const char *names = rs_system_file_find(text, wanted->group);
  const char *values = names ? rs_system_file_find(names, wanted->group) : NULL;
  size_t length = strlen(wanted->name);
  while (values && *names == ' ' && rs_system_file_take(&values, value)) {
    names++;
    size_t word = strcspn(names, " \n");
    if (word == length && strncmp(names, wanted->name, word) == 0)
      return true;
    names += word;
  }
  return false;
}

static void add_protocols(struct collector *collector) {
  char text[16384];
  const char *file = "";
  for (size_t c = 0; c < RS_ARRAY_LENGTH(protocol_counters); c++) {
    const struct protocol_counter *counter = &protocol_counters[c];
    int64_t value;
    if (strcmp(counter->file, file) != 0) {
      file = counter->file;
      rs_system_file_text(collector->root, text, sizeof(text), "/proc/net/%s", file);
    }
    if (find_protocol_counter(text, counter, &value))
      add(collector, value, "%s.%s", counter->prefix, counter->name);
  }
}

// ---- this process -----------------------------------------------------------------------------------------

static int64_t to_ns(struct timeval time) {
  return time.tv_sec * NS_PER_S + time.tv_usec * 1000;
}

static void add_process(struct collector *collector) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    add(collector, usage.ru_nvcsw, "process.voluntary_switches");
    add(collector, usage.ru_nivcsw, "process.involuntary_switches");
    add(collector, usage.ru_minflt, "process.minor_faults");
    add(collector, usage.ru_majflt, "process.major_faults");
    add(collector, to_ns(usage.ru_utime), "process.user_ns");
    add(collector, to_ns(usage.ru_stime), "process.system_ns");
  }
  char line[128]; // "ns on a CPU, ns waiting for one, time slices"; of a thread, for there is no sum over them
  const char *numbers = line;
  int64_t running, waiting;
  rs_system_file_line(collector->root, line, sizeof(line), "/proc/thread-self/schedstat");
  if (rs_system_file_take(&numbers, &running) && rs_system_file_take(&numbers, &waiting)) {
    add(collector, running, "thread.cpu_ns");
    add(collector, waiting, "thread.run_queue_wait_ns");
  }
}

// ---- snapshots --------------------------------------------------------------------------------------------

enum rs_status rs_counters_read_from(const char *root, const struct rs_ethtool *tool, unsigned scopes,
                                     struct rs_counters *counters, struct rs_error *error) {
  struct collector collector = {.root = root, .tool = tool, .error = error};
  if (scopes & RS_COUNTER_HOST) {
    collector.scope = RS_COUNTER_HOST;
    add_cpu_time(&collector);
    add_run_queue(&collector);
    visit_directory(&collector, "/sys/class/net", INTERFACES_MAX, visit_interface, NULL);
    visit_directory(&collector, "/sys/class/infiniband", INTERFACES_MAX, visit_rdma_device, NULL);
    add_protocols(&collector);
  }
  if (scopes & RS_COUNTER_RANK) {
    collector.scope = RS_COUNTER_RANK;
    add_process(&collector);
  }
  if (error->status < 0)
    rs_counters_fini(&collector.counters);
  else
    *counters = collector.counters;
  return error->status;
}

enum rs_status rs_counters_read(unsigned scopes, struct rs_counters *counters, struct rs_error *error) {
  struct rs_ethtool tool = rs_ethtool_open();
  enum rs_status status = rs_counters_read_from("", &tool, scopes, counters, error);
  rs_ethtool_close(&tool);
  return status;
}

void rs_counters_fini(struct rs_counters *counters) {
  free(counters->items);
  *counters = (struct rs_counters){0};
}

// Both have nearly the same order: the search starts where the last one ended, so that it takes one step as a rule, and
// the n-th of several equal names (some drivers have them) meets the n-th.
size_t rs_counters_compare(const struct rs_counters *before, const struct rs_counters *after,
                           struct rs_counter_change *changes) {
  size_t changed = 0, start = 0;
  for (size_t b = 0; b < before->count; b++) {
    const struct rs_counter *counter = &before->items[b];
    int64_t value = RS_COUNTER_UNKNOWN;
    for (size_t step = 0; step < after->count && value == RS_COUNTER_UNKNOWN; step++) {
      size_t a = (start + step) % after->count;
      if (after->items[a].scope != counter->scope || strcmp(after->items[a].name, counter->name) != 0)
        continue;
      value = after->items[a].value;
      start = a + 1;
    }
    if (value != counter->value)
      changes[changed++] = (struct rs_counter_change){b, value};
  }
  return changed;
}
