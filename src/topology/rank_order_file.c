// Orders of ranks as files: our own, read and written, and those of launchers.
//
// A launcher's file makes the new rank p start where ranks[p] of this launch is, so hosts are listed in the order of
// positions. How each one reads it (mpirun(1) of Open MPI 4.1 and orte_hosts(7), srun(1), Hydra's documentation):
//   Open MPI rankfile   "rank P=HOST slot=CORES", and binds P to these logical cores
//   Open MPI hostfile   lines of one host are added up and filled together, unless --map-by seq takes them line by line
//   Slurm               one host a task, line by line; "HOST*N" would be N lines
//   MPICH               "HOST:N" starts N ranks; a host that comes again later gets its next ranks then
#include "ringside/topology.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const rs_rank_order_format_names[] = {"order", "openmpi-rankfile", "openmpi-hostfile", "slurm", "mpich",
                                                  NULL};

// How to use each; the number of ranks follows.
static const char *const uses[RS_RANK_ORDER_FORMAT_COUNT] = {
    [RS_RANK_ORDER_OWN] = "ringside run --order THIS_FILE, under mpirun -np",
    [RS_RANK_ORDER_RANKFILE] = "mpirun --rankfile THIS_FILE -np",
    [RS_RANK_ORDER_HOSTFILE] = "mpirun --map-by seq --hostfile THIS_FILE -np",
    [RS_RANK_ORDER_SLURM] = "SLURM_HOSTFILE=THIS_FILE srun --distribution=arbitrary -n",
    [RS_RANK_ORDER_MPICH] = "mpiexec -f THIS_FILE -n",
};

// ---- writing ----------------------------------------------------------------------------------------------

static const struct rs_host_facts *host_of(const struct rs_placement *placement, uint32_t rank) {
  return &placement->hosts[placement->ranks[rank].host];
}

// The ranks of a host share its cores evenly; where there are more ranks than cores they take turns.
static void format_cores(const struct rs_placement *placement, uint32_t rank, struct rs_text *text) {
  const struct rs_rank_facts *facts = &placement->ranks[rank];
  uint32_t cores = host_of(placement, rank)->cores ? host_of(placement, rank)->cores : facts->local_ranks;
  uint32_t each = facts->local_ranks && cores > facts->local_ranks ? cores / facts->local_ranks : 1;
  uint32_t first = facts->local_rank * each % (cores ? cores : 1);
  rs_text_append(text, each == 1 ? " slot=%u\n" : " slot=%u-%u\n", first, first + each - 1);
}

static size_t run_of_host(const struct rs_placement *placement, const uint32_t *ranks, size_t position) {
  size_t end = position + 1;
  while (end < placement->rank_count && placement->ranks[ranks[end]].host == placement->ranks[ranks[position]].host)
    end++;
  return end - position;
}

void rs_rank_order_format(enum rs_rank_order_format format, const struct rs_placement *placement, const uint32_t *ranks,
                          struct rs_text *text) {
  size_t n = placement->rank_count;
  rs_text_append(text, "# Order of ranks by ringside %s. Use: %s %zu\n", RS_VERSION_STRING, uses[format], n);
  for (size_t p = 0; p < n; p++) {
    const char *host = host_of(placement, ranks[p])->hostname;
    switch (format) {
    case RS_RANK_ORDER_OWN:
      rs_text_append(text, "%u %s\n", ranks[p], host);
      break;
    case RS_RANK_ORDER_RANKFILE:
      rs_text_append(text, "rank %zu=%s", p, host);
      format_cores(placement, ranks[p], text);
      break;
    case RS_RANK_ORDER_MPICH: {
      size_t run = run_of_host(placement, ranks, p);
      rs_text_append(text, "%s:%zu\n", host, run);
      p += run - 1;
      break;
    }
    default:
      rs_text_append(text, "%s\n", host);
      break;
    }
  }
}

// ---- reading ----------------------------------------------------------------------------------------------

#define LINE_BYTES 256
#define COMMENT_LINES_MAX 10000

struct reader {
  const char *path;
  const struct rs_placement *placement;
  uint32_t *ranks;
  size_t *lines; // lines[rank]: where it stood; 0: not yet
  size_t line, count;
};

static enum rs_status check_rank(struct reader *reader, unsigned long rank, const char *host, struct rs_error *error) {
  const struct rs_placement *placement = reader->placement;
  size_t n = placement->rank_count;
  if (rank >= n)
    return rs_error_set(error, RS_ERROR_USAGE, "%s:%zu: there is no rank %lu; the launch has ranks 0 to %zu",
                        reader->path, reader->line, rank, n - 1);
  if (reader->lines[rank])
    return rs_error_set(error, RS_ERROR_USAGE, "%s:%zu: rank %lu stands in line %zu already; each rank comes once",
                        reader->path, reader->line, rank, reader->lines[rank]);
  const char *real = host_of(placement, (uint32_t)rank)->hostname;
  if (*host != '\0' && strcmp(host, real) != 0)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "%s:%zu: rank %lu is on host %s in this launch, not on %s; make the order anew for this launch",
                        reader->path, reader->line, rank, real, host);
  return RS_OK;
}

static enum rs_status take_line(struct reader *reader, char *line, struct rs_error *error) {
  line[strcspn(line, "#\n")] = '\0';
  size_t length = strlen(line);
  while (length > 0 && isspace((unsigned char)line[length - 1]))
    line[--length] = '\0';
  while (isspace((unsigned char)*line))
    line++;
  if (*line == '\0')
    return RS_OK;
  char *host;
  unsigned long rank = strtoul(line, &host, 10); // ULONG_MAX when out of range
  bool number = isdigit((unsigned char)*line) && (*host == '\0' || isspace((unsigned char)*host));
  while (isspace((unsigned char)*host))
    host++;
  if (!number || strpbrk(host, " \t"))
    return rs_error_set(error, RS_ERROR_USAGE, "%s:%zu: '%s' is not a rank with its host; write lines like '3 node-1'",
                        reader->path, reader->line, line);
  if (check_rank(reader, rank, host, error) < 0)
    return error->status;
  reader->lines[rank] = reader->line;
  reader->ranks[reader->count++] = (uint32_t)rank;
  return RS_OK;
}

static enum rs_status read_lines(struct reader *reader, FILE *file, struct rs_error *error) {
  char line[LINE_BYTES];
  size_t n = reader->placement->rank_count;
  while (fgets(line, sizeof line, file)) {
    reader->line++;
    if (strchr(line, '\n') == NULL && !feof(file))
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s:%zu: the line is longer than %d bytes; write lines like '3 node-1'", reader->path,
                          reader->line, LINE_BYTES - 2);
    if (reader->line > n + COMMENT_LINES_MAX)
      return rs_error_set(error, RS_ERROR_USAGE, "%s:%zu: the file does not end; an order of %zu ranks is shorter",
                          reader->path, reader->line, n);
    if (take_line(reader, line, error) < 0)
      return error->status;
  }
  if (ferror(file))
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "reading the order of ranks %s", reader->path);
  for (size_t rank = 0; rank < n && reader->count < n; rank++)
    if (!reader->lines[rank])
      return rs_error_set(error, RS_ERROR_USAGE,
                          "%s:%zu: the file ends after %zu of %zu ranks; rank %zu is the first that is missing",
                          reader->path, reader->line, reader->count, n, rank);
  return RS_OK;
}

enum rs_status rs_rank_order_load(const char *path, const struct rs_placement *placement, uint32_t *ranks,
                                  struct rs_error *error) {
  size_t n = placement->rank_count;
  struct reader reader = {.path = path, .placement = placement};
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return rs_error_set_errno(error, RS_ERROR_USAGE, errno, "opening the order of ranks %s", path);
  reader.ranks = rs_allocate(n, sizeof *reader.ranks, "the order of ranks", error);
  reader.lines = rs_allocate(n, sizeof *reader.lines, "the order of ranks", error);
  if (reader.ranks && reader.lines && read_lines(&reader, file, error) == RS_OK)
    memcpy(ranks, reader.ranks, n * sizeof *ranks);
  free(reader.ranks);
  free(reader.lines);
  fclose(file);
  return error->status;
}
