// What happened on the hosts and to the ranks while the run went on, as far as it could explain a time: errors, drops,
// exceeded allowances and retransmissions of the network, time that a hypervisor took away, ranks that lost their CPU.
#include "report/report_table.h"

#include <inttypes.h>
#include <string.h>

#define LINES_MAX 8
#define STEAL_NOTABLE 0.01   // of the time of all CPUs
#define WAITING_NOTABLE 0.01 // of a rank's time; alone on its core it waits much less

// By how much a counter rose; 0 where that is not known.
static int64_t rise(const struct rs_counter_row *row) {
  return row->after == RS_COUNTER_UNKNOWN || row->after < row->before ? 0 : row->after - row->before;
}

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_network_trouble(const struct rs_counter_row *row) {
  // Traffic is no trouble, and connections that end may be reset.
  static const char *const traffic[] = {".rx_bytes", ".tx_bytes", ".rx_packets", ".tx_packets", ".OutRsts"};
  for (size_t t = 0; t < RS_ARRAY_LENGTH(traffic); t++)
    if (ends_with(row->name, traffic[t]))
      return false;
  return starts_with(row->name, "nic.") || starts_with(row->name, "tcp.") || starts_with(row->name, "ip.");
}

// "nic.eth0.rx_dropped" is written "eth0 rx_dropped", "tcp.RetransSegs" as "tcp RetransSegs".
static void print_network(const struct rs_result *result, FILE *file) {
  size_t risen = 0;
  for (size_t c = 0; c < result->counter_count; c++) {
    const struct rs_counter_row *row = &result->counters[c];
    if (rise(row) == 0 || !is_network_trouble(row) || risen++ >= LINES_MAX)
      continue;
    const char *group = row->name + (starts_with(row->name, "nic.") ? strlen("nic.") : 0);
    int group_length = (int)strcspn(group, ".");
    const char *name = group + group_length + (group[group_length] == '.');
    rs_report_begin_line("network", file);
    fprintf(file, "%.*s %s +%" PRId64 " on %s during the run\n", group_length, group, name, rise(row),
            result->placement.hosts[row->host].hostname);
  }
  if (risen > LINES_MAX) {
    rs_report_begin_line("", file);
    fprintf(file, "and %zu more such counters rose\n", risen - LINES_MAX);
  }
}

// The rows of one host or one rank, which stand together.
struct group {
  const struct rs_counter_row *rows;
  size_t count;
};

static struct group next_group(const struct rs_result *result, size_t first) {
  struct group group = {&result->counters[first], 0};
  while (first + group.count < result->counter_count && group.rows[group.count].host == group.rows->host &&
         group.rows[group.count].rank == group.rows->rank)
    group.count++;
  return group;
}

// What the counters rose by, all together, whose names begin and end so.
static double sum(const struct group *group, const char *start, const char *end) {
  double total = 0;
  for (size_t c = 0; c < group->count; c++) {
    const struct rs_counter_row *row = &group->rows[c];
    if (starts_with(row->name, start) && ends_with(row->name, end))
      total += (double)rise(row);
  }
  return total;
}

static void print_steal(const struct rs_result *result, FILE *file) {
  struct group group;
  for (size_t c = 0; c < result->counter_count; c += group.count) {
    group = next_group(result, c);
    double steal = sum(&group, "cpu.steal_ns", ""), waiting = sum(&group, "cpu.run_queue_wait_ns", "");
    double time = sum(&group, "cpu.", "_ns") - waiting;
    if (steal <= STEAL_NOTABLE * time)
      continue;
    rs_report_begin_line("cpu", file);
    fprintf(file, "%.1f%% of the time on %s was stolen by other virtual machines during the run\n", 100 * steal / time,
            result->placement.hosts[group.rows->host].hostname);
  }
}

// Involuntary switches alone do not tell: ranks that share a CPU yield it, which counts as such.
static void print_waiting(const struct rs_result *result, FILE *file) {
  struct group group, worst = {0};
  double highest = WAITING_NOTABLE;
  size_t count = 0;
  for (size_t c = 0; c < result->counter_count; c += group.count) {
    group = next_group(result, c);
    double on_cpu = sum(&group, "thread.cpu_ns", ""), waiting = sum(&group, "thread.run_queue_wait_ns", "");
    if (waiting <= WAITING_NOTABLE * (on_cpu + waiting))
      continue;
    count++;
    if (waiting > highest * (on_cpu + waiting)) {
      highest = waiting / (on_cpu + waiting);
      worst = group;
    }
  }
  if (count == 0)
    return;
  rs_report_begin_line("cpu", file);
  fprintf(file,
          "%zu of %zu ranks waited for a CPU over %.0f%% of the time, most of all rank %" PRId32
          " (%.0f%%, %.0f involuntary switches)\n",
          count, result->placement.rank_count, 100 * WAITING_NOTABLE, worst.rows->rank, 100 * highest,
          sum(&worst, "process.involuntary_switches", ""));
}

void rs_report_counters(const struct rs_result *result, FILE *file) {
  print_network(result, file);
  print_steal(result, file);
  print_waiting(result, file);
}
