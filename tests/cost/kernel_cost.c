// What the reduction kernels cost: GB/s of every set that this processor runs, beside memcpy. All of them take turns,
// so that what else the machine does falls on all alike; the median turn counts. Prints figures; no test. bench/truth
// cost runs it.
#include "ringside/memory.h"

#include <stdlib.h>
#include <string.h>

#define REPEATS 9
#define TURN_BYTES ((size_t)8 << 20) // at least, in one turn

// A kernel, or memcpy when `set` is SIZE_MAX. AVG stands for its division alone, since it adds as SUM does.
struct task {
  size_t set;
  enum rs_datatype datatype;
  enum rs_operation operation;
  double ns[REPEATS]; // per call
};

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void call(const struct task *task, const struct rs_buffer buffers[3]) {
  void *dst = buffers[0].address;
  size_t bytes = buffers[0].bytes, count = bytes / rs_datatype_bytes(task->datatype);
  if (task->set == SIZE_MAX)
    rs_kernel_copy(dst, buffers[1].address, bytes);
  else if (task->operation == RS_AVG)
    rs_kernel_set_finish(task->set, task->datatype, RS_AVG, dst, count, 1); // by 1, so that values stay ordinary
  else
    rs_kernel_set_reduce(task->set, task->datatype, task->operation, dst, buffers[1].address, buffers[2].address,
                         count);
}

static void take_turns(struct task *tasks, size_t task_count, const struct rs_buffer buffers[3]) {
  size_t calls = rs_divide_up(TURN_BYTES, buffers[0].bytes);
  for (size_t r = 0; r < REPEATS; r++)
    for (size_t t = 0; t < task_count; t++) {
      int64_t begin = rs_clock_ns();
      for (size_t c = 0; c < calls; c++)
        call(&tasks[t], buffers);
      tasks[t].ns[r] = (double)(rs_clock_ns() - begin) / (double)calls;
    }
  for (size_t t = 0; t < task_count; t++)
    qsort(tasks[t].ns, REPEATS, sizeof tasks[t].ns[0], compare);
}

static void print(const struct task *tasks, size_t task_count, size_t bytes) {
  char size[32];
  double copy = (double)bytes / tasks[0].ns[REPEATS / 2];
  printf("\noperands of %s: memcpy %.1f GB/s; GB/s of result, and that over memcpy's\n",
         rs_format_size(bytes, size, sizeof size), copy);
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "set");
  rs_table_column(table, RS_ALIGN_LEFT, "datatype");
  for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
    rs_table_column(table, RS_ALIGN_RIGHT, operation == RS_AVG ? "division" : rs_operation_names[operation]);
  for (size_t t = 1; t < task_count; t++) {
    double rate = (double)bytes / tasks[t].ns[REPEATS / 2];
    if (tasks[t].operation == 0) {
      rs_table_cell(table, "%s", rs_kernel_set_name(tasks[t].set));
      rs_table_cell(table, "%s", rs_datatype_names[tasks[t].datatype]);
    }
    rs_table_cell(table, "%.1f (%.2f)", rate, rate / copy);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static size_t list_tasks(struct task *tasks) {
  size_t count = 0;
  tasks[count++] = (struct task){.set = SIZE_MAX};
  for (size_t set = 0; set < rs_kernel_set_count(); set++)
    for (enum rs_datatype datatype = 0; datatype < RS_DATATYPE_COUNT && rs_kernel_set_runs(set); datatype++)
      for (enum rs_operation operation = 0; operation < RS_OPERATION_COUNT; operation++)
        tasks[count++] = (struct task){.set = set, .datatype = datatype, .operation = operation};
  return count;
}

static enum rs_status measure(size_t bytes, struct rs_error *error) {
  struct rs_buffer buffers[3] = {0};
  struct task *tasks = rs_allocate(1 + rs_kernel_set_count() * RS_DATATYPE_COUNT * RS_OPERATION_COUNT, sizeof *tasks,
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
  take_turns(tasks, task_count, buffers);
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
