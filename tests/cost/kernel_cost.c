// What the reduction kernels cost: GB/s of every set that this processor runs, beside memcpy. The kernels take turns,
// each right after a turn of memcpy, so that what else the machine does falls on all alike; medians count. Prints
// figures; no test. bench/truth cost runs it.
#include "ringside/memory.h"

#include <stdlib.h>
#include <string.h>

#define REPEATS 15
#define TURN_BYTES ((size_t)512 << 10) // at least, in one turn

// AVG stands for its division alone, since it adds as SUM does.
struct task {
  size_t set;
  enum rs_datatype datatype;
  enum rs_operation operation;
  double ns[REPEATS], copy_ns[REPEATS], share[REPEATS]; // of a call, of memcpy's, the latter over the former
};

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double values[REPEATS]) {
  qsort(values, REPEATS, sizeof *values, compare);
  return values[REPEATS / 2];
}

static void call(const struct task *task, const struct rs_buffer buffers[3]) {
  void *dst = buffers[0].address;
  size_t count = buffers[0].bytes / rs_datatype_bytes(task->datatype);
  if (task->operation == RS_AVG)
    rs_kernel_set_finish(task->set, task->datatype, RS_AVG, dst, count, 1); // by 1, so that values stay ordinary
  else
    rs_kernel_set_reduce(task->set, task->datatype, task->operation, dst, buffers[1].address, buffers[2].address,
                         count);
}

static void take_turn(struct task *task, size_t turn, const struct rs_buffer buffers[3]) {
  size_t calls = rs_divide_up(TURN_BYTES, buffers[0].bytes);
  int64_t begin = rs_clock_ns();
  for (size_t c = 0; c < calls; c++)
    rs_kernel_copy(buffers[0].address, buffers[1].address, buffers[0].bytes);
  int64_t middle = rs_clock_ns();
  for (size_t c = 0; c < calls; c++)
    call(task, buffers);
  int64_t end = rs_clock_ns();
  task->copy_ns[turn] = (double)(middle - begin) / (double)calls;
  task->ns[turn] = (double)(end - middle) / (double)calls;
  task->share[turn] = task->copy_ns[turn] / task->ns[turn];
}

static void print(struct task *tasks, size_t task_count, size_t bytes) {
  char size[32];
  printf("\noperands of %s: GB/s of result, and (its share of memcpy's, just before)\n",
         rs_format_size(bytes, size, sizeof size));
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "set");
  rs_table_column(table, RS_ALIGN_LEFT, "datatype");
  rs_table_column(table, RS_ALIGN_RIGHT, "memcpy");
  for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
    rs_table_column(table, RS_ALIGN_RIGHT, operation == RS_AVG ? "division" : rs_operation_names[operation]);
  for (size_t t = 0; t < task_count; t++) {
    if (tasks[t].operation == 0) {
      rs_table_cell(table, "%s", rs_kernel_set_name(tasks[t].set));
      rs_table_cell(table, "%s", rs_datatype_names[tasks[t].datatype]);
      rs_table_cell(table, "%.1f", (double)bytes / median(tasks[t].copy_ns));
    }
    rs_table_cell(table, "%.1f (%.2f)", (double)bytes / median(tasks[t].ns), median(tasks[t].share));
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static size_t list_tasks(struct task *tasks) {
  size_t count = 0;
  for (size_t set = 0; set < rs_kernel_set_count(); set++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT && rs_kernel_set_runs(set); datatype++)
      for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
        tasks[count++] = (struct task){.set = set, .datatype = datatype, .operation = operation};
  return count;
}

static enum rs_status measure(size_t bytes, struct rs_error *error) {
  struct rs_buffer buffers[3] = {0};
  struct task *tasks = rs_allocate(rs_kernel_set_count() * RS_DATATYPE_COUNT * RS_OPERATION_COUNT, sizeof *tasks,
                                   "the list of kernels", error);
  if (!tasks)
    return error->status;
  for (size_t i = 0; i < RS_ARRAY_LENGTH(buffers); i++) {
    if (rs_buffer_open(RS_MEMORY_HOST, bytes, &buffers[i], error) < 0)
      goto close_buffers;
    // Bytes of which every datatype makes ordinary values: float32 0.7, float16 1.8, and so on.
    memset(buffers[i].address, 0x3f, bytes);
  }
  size_t task_count = list_tasks(tasks);
  for (size_t turn = 0; turn < REPEATS; turn++)
    for (size_t t = 0; t < task_count; t++)
      take_turn(&tasks[t], turn, buffers);
  print(tasks, task_count, bytes);
close_buffers:
  for (size_t i = 0; i < RS_ARRAY_LENGTH(buffers); i++)
    rs_buffer_close(&buffers[i]);
  free(tasks);
  return error->status;
}

int main(void) {
  // In the cache of a core, as a chunk may be; in memory.
  static const size_t sizes[] = {(size_t)64 << 10, (size_t)64 << 20};
  struct rs_error error = {0};
  for (size_t i = 0; i < RS_ARRAY_LENGTH(sizes) && error.status == RS_OK; i++)
    measure(sizes[i], &error);
  if (error.status < 0)
    fprintf(stderr, "kernel_cost: %s\n", error.text);
  return rs_status_exit_code(error.status);
}
