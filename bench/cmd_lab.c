// ringside lab: several hosts on one machine, and one mpirun across them.
#include "command.h"
#include "lab_request.h"
#include "printout.h"

#include "ringside/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: ringside lab up [FILE.yaml] [--set KEY=VALUE]... [--name NAME] [--without-delay] [--dry-run]\n"
    "       ringside lab run [--name NAME] [-n RANKS] [--mpirun PROGRAM] [--verbose] -- COMMAND [ARGUMENTS]\n"
    "       ringside lab status [--name NAME] [--json]\n"
    "       ringside lab down [--name NAME | --all]\n"
    "\n"
    "Several hosts on one machine, as network namespaces with shaped links between them, and one mpirun across them\n"
    "without ssh. Takes root. Several labs can be up at once; --name says which, and is not needed for the only one.\n"
    "\n"
    "  up       makes the hosts of FILE.yaml, or two without a file\n"
    "             --without-delay  leaves delay, jitter and loss out, where the kernel has no netem\n"
    "             --dry-run        prints the commands that would make it\n"
    "  run      starts ranks on the hosts, filled one after the other; COMMAND is one of ringside's, or a program.\n"
    "           The exit code is mpirun's: 0 when all ranks end with 0\n"
    "             -n RANKS         instead of all that the hosts have room for\n"
    "             --mpirun PROGRAM of the MPI that COMMAND was built with\n"
    "             --verbose        prints mpirun's command line first\n"
    "  status   what is up, with the processes inside; of one lab also its hosts\n"
    "  down     ends what still runs inside and removes everything, also what a killed 'up' or 'run' left\n"
    "\n"
    "Exit code, but of run: 0 done; 2 bad usage, or it cannot be had here; 4 a step failed, and what was made is "
    "gone.\n"
    "\n"
    "examples:\n"
    "  ringside lab up configs/labs/four-hosts-1gbit.yaml\n"
    "  ringside lab run -- run --set algorithm=ring,tree --set size=1KiB..16MiB*4 -o lab.h5\n"
    "  ringside lab run -n 2 -- hostname\n"
    "  ringside lab down\n"
    "\n"
    "keys of FILE.yaml and --set:\n";

// ---- up ---------------------------------------------------------------------------------------------------

static enum rs_status describe(const struct lab_request *request, struct rs_lab *lab, struct rs_error *error) {
  struct rs_lab_binding binding;
  rs_lab_bind(lab, &binding);
  enum rs_status status = rs_options_set_defaults(&binding.options, error);
  if (status == RS_OK && request->word_count > 0)
    status = rs_options_load_yaml(&binding.options, request->words[0], error);
  for (size_t s = 0; status == RS_OK && s < request->set_count; s++)
    status = rs_options_set_assignment(&binding.options, request->sets[s], error);
  if (status == RS_OK && request->name != NULL)
    status = rs_options_set(&binding.options, "--name", "name", request->name, error);
  return status == RS_OK ? rs_lab_check(lab, error) : status;
}

static enum rs_status print_commands(const struct rs_lab *lab, struct rs_error *error) {
  struct rs_commands commands = {0};
  struct rs_text text = {0};
  enum rs_status status = rs_lab_commands(lab, &commands, error);
  for (size_t c = 0; c < commands.count; c++) {
    rs_command_format(&commands.items[c], &text);
    rs_text_append(&text, "\n");
  }
  if (status == RS_OK && !text.failed)
    fputs(text.data, stdout);
  rs_text_fini(&text);
  rs_commands_fini(&commands);
  return status;
}

static enum rs_status up(const struct lab_request *request, struct rs_error *error) {
  struct rs_lab lab;
  char link[96], zone[96];
  if (describe(request, &lab, error) < 0)
    return error->status;
  if (request->without_delay && rs_lab_needs_netem(&lab)) {
    rs_lab_remove_delay(&lab);
    fputs("ringside lab: delay, jitter and loss are left out\n", stderr);
  }
  if (request->dry_run)
    return print_commands(&lab, error);
  if (rs_lab_up(&lab, error) < 0)
    return error->status;
  rs_lab_link_words(&lab.link, link, sizeof link);
  rs_lab_link_words(&lab.zone, zone, sizeof zone);
  printf("lab %s is up: %llu hosts, room for %llu rank%s on each; links %s%s%s\n", lab.name.text,
         (unsigned long long)lab.hosts, (unsigned long long)lab.ranks, lab.ranks == 1 ? "" : "s", link,
         lab.zones > 1 ? "; between zones " : "", lab.zones > 1 ? zone : "");
  return RS_OK;
}

// ---- run --------------------------------------------------------------------------------------------------

static enum rs_lab_mpi own_mpi(void) {
  char library[256];
  rs_launch_library(library, sizeof library);
  return strncmp(library, "MPICH", strlen("MPICH")) == 0 ? RS_LAB_MPICH : RS_LAB_OPENMPI;
}

// By its family's name first, as 'mpirun' may be the other's.
static enum rs_status find_mpirun(enum rs_lab_mpi mpi, const char *wanted, char *path, size_t bytes,
                                  struct rs_error *error) {
  const char *const names[] = {wanted != NULL          ? wanted
                               : mpi == RS_LAB_OPENMPI ? "mpirun.openmpi"
                                                       : "mpirun.mpich",
                               wanted != NULL ? NULL : "mpirun", NULL};
  if (wanted == NULL || strchr(wanted, '/') == NULL)
    return rs_lab_find_program(names, "name the one of the MPI that ringside was built with: --mpirun PROGRAM", path,
                               bytes, error);
  snprintf(path, bytes, "%s", wanted);
  return RS_OK;
}

// What every rank runs: the words as they are, after this program when they begin with one of its commands.
static enum rs_status rank_words(const struct lab_request *request, char *program, size_t bytes, char **words,
                                 struct rs_error *error) {
  size_t count = 0;
  if (command_is_known(request->words[0])) {
    ssize_t length = readlink("/proc/self/exe", program, bytes - 1);
    if (length < 0)
      return rs_error_set_errno(error, RS_ERROR_IO, errno, "reading /proc/self/exe");
    program[length] = '\0';
    words[count++] = program;
  }
  for (size_t w = 0; w < request->word_count; w++)
    words[count++] = request->words[w];
  words[count] = NULL;
  return RS_OK;
}

// Becomes mpirun, so that signals reach it and its exit code is that of this process.
static enum rs_status become(const struct lab_request *request, const struct rs_command *command,
                             struct rs_error *error) {
  struct rs_text line = {0};
  rs_command_format(command, &line);
  if (request->verbose && line.data != NULL)
    fprintf(stderr, "%s\n", line.data);
  rs_text_fini(&line);
  fflush(NULL);
  execvp(command->words[0], command->words);
  return rs_error_set_errno(error, RS_ERROR_IO, errno, "starting %s", command->words[0]);
}

static enum rs_status run(const struct lab_request *request, const char *name, struct rs_error *error) {
  struct rs_lab_status lab;
  struct rs_command command = {0};
  enum rs_lab_mpi mpi = own_mpi();
  char mpirun[PATH_MAX], program[PATH_MAX];
  if (request->word_count == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "run what? give a command after --");
  if (rs_lab_inspect(name, &lab, error) < 0)
    return error->status;
  if (!lab.ready)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "lab %s is not whole; remove it with 'ringside lab down --name %s' and make it again", name,
                        name);
  if (geteuid() != 0)
    return rs_error_set(error, RS_ERROR_USAGE, "running in a lab takes root, as entering network namespaces does");
  char **words = rs_allocate(request->word_count + 2, sizeof *words, "arguments", error);
  enum rs_status status = words == NULL ? error->status : find_mpirun(mpi, request->mpirun, mpirun, PATH_MAX, error);
  if (status == RS_OK)
    status = rank_words(request, program, sizeof program, words, error);
  size_t ranks = request->ranks > 0 ? request->ranks : (size_t)(lab.lab.hosts * lab.lab.ranks);
  if (status == RS_OK)
    status = rs_lab_mpirun(&lab.lab, mpi, mpirun, ranks, words, &command, error);
  if (status == RS_OK)
    status = become(request, &command, error);
  rs_command_fini(&command);
  free(words);
  return status;
}

// ---- status -----------------------------------------------------------------------------------------------

static size_t count_processes(const struct rs_lab_status *status) {
  size_t sum = status->switch_processes;
  for (size_t h = 0; h < RS_LAB_HOSTS_MAX; h++)
    sum += status->host_processes[h];
  return sum;
}

static void print_hosts(const struct rs_lab_status *status) {
  static const char *const headings[] = {"host", "address", "zone", "processes"};
  struct rs_table *table = rs_table_open();
  for (size_t c = 0; c < RS_ARRAY_LENGTH(headings); c++)
    rs_table_column(table, c < 2 ? RS_ALIGN_LEFT : RS_ALIGN_RIGHT, headings[c]);
  for (size_t h = 0; h < status->lab.hosts; h++) {
    char name[64], address[32];
    rs_lab_host_name(&status->lab, h, name, sizeof name);
    rs_lab_host_address(&status->lab, h, address, sizeof address);
    rs_table_cell(table, "%s", name);
    rs_table_cell(table, "%s", address);
    rs_table_cell(table, "%zu", rs_lab_host_zone(&status->lab, h));
    rs_table_cell(table, "%zu", status->host_processes[h]);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static void print_row(struct rs_table *table, const char *name, const struct rs_lab_status *status) {
  char link[96] = "-", zone[96] = "-";
  if (status->lab.hosts > 0)
    rs_lab_link_words(&status->lab.link, link, sizeof link);
  if (status->lab.zones > 1)
    rs_lab_link_words(&status->lab.zone, zone, sizeof zone);
  rs_table_cell(table, "%s", name);
  rs_table_cell(table, "%s", status->ready ? "up" : "half-made");
  rs_table_cell(table, "%llu", (unsigned long long)status->lab.hosts);
  rs_table_cell(table, "%llu", (unsigned long long)status->lab.ranks);
  rs_table_cell(table, "%s", status->lab.subnet.text);
  rs_table_cell(table, "%s", link);
  rs_table_cell(table, "%s", zone);
  rs_table_cell(table, "%zu", count_processes(status));
}

// Names and links have no character that JSON would quote.
static void print_json(const char *name, const struct rs_lab_status *status, bool first) {
  printf("%s\n  {\"name\": \"%s\", \"state\": \"%s\", \"subnet\": \"%s\", \"ranks_per_host\": %llu, "
         "\"link_rate_bit_s\": %llu, \"link_delay_ns\": %lld, \"zone_rate_bit_s\": %llu, \"zone_delay_ns\": %lld, "
         "\"processes\": %zu,\n   \"hosts\": [",
         first ? "" : ",", name, status->ready ? "up" : "half-made",
         status->lab.hosts > 0 ? status->lab.subnet.text : "", (unsigned long long)status->lab.ranks,
         (unsigned long long)status->lab.link.rate, (long long)status->lab.link.delay_ns,
         (unsigned long long)status->lab.zone.rate, (long long)status->lab.zone.delay_ns, count_processes(status));
  for (size_t h = 0; h < status->lab.hosts; h++) {
    char host[64], address[32];
    rs_lab_host_name(&status->lab, h, host, sizeof host);
    rs_lab_host_address(&status->lab, h, address, sizeof address);
    printf("%s\n    {\"name\": \"%s\", \"namespace\": \"rslab-%s\", \"address\": \"%s\", \"zone\": %zu, \"processes\": "
           "%zu}",
           h > 0 ? "," : "", host, host, address, rs_lab_host_zone(&status->lab, h), status->host_processes[h]);
  }
  fputs("]}", stdout);
}

static enum rs_status show(const struct lab_request *request, const struct rs_lab_names *names,
                           struct rs_error *error) {
  static const char *const headings[] = {"lab",    "state", "hosts", "ranks each",
                                         "subnet", "links", "zones", "processes"};
  struct rs_table *table = rs_table_open();
  struct rs_lab_status status = {0};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(headings); c++)
    rs_table_column(table, c == 2 || c == 3 || c == 7 ? RS_ALIGN_RIGHT : RS_ALIGN_LEFT, headings[c]);
  fputs(request->json ? "[" : "", stdout);
  for (size_t n = 0; n < names->count && error->status == RS_OK; n++)
    if (rs_lab_inspect(names->names[n], &status, error) == RS_OK) {
      if (request->json)
        print_json(names->names[n], &status, n == 0);
      else
        print_row(table, names->names[n], &status);
    }
  if (request->json)
    puts("\n]");
  else if (names->count > 0)
    rs_table_print(table, stdout);
  else
    puts("no lab is up");
  rs_table_close(table);
  if (error->status == RS_OK && !request->json && names->count == 1 && status.lab.hosts > 0) {
    puts("");
    print_hosts(&status);
  }
  return error->status;
}

// ---- down -------------------------------------------------------------------------------------------------

static enum rs_status down(const struct rs_lab_names *names, struct rs_error *error) {
  for (size_t n = 0; n < names->count; n++) {
    if (rs_lab_down(names->names[n], error) < 0)
      return error->status;
    printf("lab %s is gone\n", names->names[n]);
  }
  return RS_OK;
}

// ---- the command ------------------------------------------------------------------------------------------

// The labs that are meant: the one that is named, the only one there is, or all.
static enum rs_status choose(const struct lab_request *request, bool all, struct rs_lab_names *names,
                             struct rs_error *error) {
  if (request->name != NULL) {
    names->count = 1;
    if (strlen(request->name) >= RS_LAB_NAME_BYTES)
      return rs_error_set(error, RS_ERROR_USAGE, "there is no lab called %s", request->name);
    strcpy(names->names[0], request->name);
    return RS_OK;
  }
  if (rs_lab_list(names, error) < 0 || all || names->count == 1)
    return error->status;
  if (names->count == 0)
    return rs_error_set(error, RS_ERROR_USAGE, "there is no lab; make one with 'ringside lab up'");
  return rs_error_set(error, RS_ERROR_USAGE, "there are %zu labs, among them %s and %s; say which with --name",
                      names->count, names->names[0], names->names[1]);
}

static enum rs_status obey(const struct lab_request *request, struct rs_error *error) {
  struct rs_lab_names names;
  if (request->verb == LAB_UP)
    return up(request, error);
  bool all = request->verb == LAB_STATUS || (request->verb == LAB_DOWN && request->all);
  if (choose(request, all, &names, error) < 0)
    return error->status;
  if (request->verb == LAB_RUN)
    return run(request, names.names[0], error);
  return request->verb == LAB_STATUS ? show(request, &names, error) : down(&names, error);
}

static void print_help(void) {
  struct rs_lab lab;
  struct rs_lab_binding binding;
  struct rs_text keys = {0};
  rs_lab_bind(&lab, &binding);
  rs_options_help(&binding.options, &keys);
  printf("%s%s", help, keys.data != NULL ? keys.data : "");
  rs_text_fini(&keys);
}

int cmd_lab(int argc, char **argv) {
  struct lab_request request;
  struct rs_error error = {0};
  enum rs_status status = lab_request_init(&request, argc, argv, &error);
  printout_begin();
  if (status == RS_OK && request.help)
    print_help();
  else if (status == RS_OK)
    status = obey(&request, &error);
  lab_request_fini(&request);
  return status < 0 ? command_fail("lab", &error) : printout_end("lab");
}
