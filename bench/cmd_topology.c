// ringside topology: what is known of where the ranks sit, of this launch or of results.
#include "command.h"
#include "observe.h"
#include "printout.h"
#include "result_set.h"

#include "ringside/launch.h"
#include "ringside/report.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

// Rank 0 waits no longer than this for the others.
#define TIMEOUT_NS INT64_C(60000000000)
#define NEAR_DEVICES_MAX 64

static const char help[] =
    "usage: ringside topology [RESULT.h5]... [--topology FILE] [--label KEY=VALUE]... [--json] [--strict]\n"
    "\n"
    "Shows where the ranks sit: region, zone, network, host, NUMA node and interface as a tree, how far they are from\n"
    "each other, and what contradicts the placement that was asked for or makes figures doubtful. Without RESULT it "
    "is\n"
    "of this launch: start it with mpirun or srun, like 'ringside run'.\n"
    "\n"
    "  --topology FILE    what an operator knows of the hosts, over what was found: YAML, the JSON of\n"
    "                     'aws ec2 describe-instance-topology', or Slurm's topology.conf (docs/topology.md)\n"
    "  --label KEY=VALUE  placement=cluster|spread|partition|compact|proximity|zones: what was asked for;\n"
    "                     hosts=N: how many hosts the run claims; over the labels of RESULT\n"
    "  --json             as JSON; an array when there are several results\n"
    "  --strict           exit code 1 when there are warnings\n"
    "  --help             this text\n"
    "\n"
    "examples:\n"
    "  mpirun -np 16 --hostfile hosts ringside topology --label placement=cluster\n"
    "  aws ec2 describe-instance-topology > nodes.json && mpirun -np 16 ringside topology --topology nodes.json\n"
    "  ringside topology results/quick.h5\n"
    "  ringside topology --strict --label hosts=4 results/quick.h5 && echo as asked\n"
    "  ringside topology --json results/quick.h5 | jq .warnings\n";

struct request {
  bool help, json, strict;
  const char *topology_path;
  const char **labels; // KEY=VALUE
  size_t label_count;
  const char *const *paths; // of results
  size_t path_count;
  struct rs_topology_file *file; // NULL: none given
  size_t warnings;               // of all placements that were shown
};

// ---- command line -----------------------------------------------------------------------------------------

// The value of the last label with this key; NULL: none given.
static const char *label(const struct request *request, const char *key) {
  const char *value = NULL;
  for (size_t i = 0; i < request->label_count; i++) {
    size_t length = strcspn(request->labels[i], "=");
    if (length == strlen(key) && strncmp(request->labels[i], key, length) == 0)
      value = request->labels[i] + length + 1;
  }
  return value;
}

static enum rs_status take_option(struct request *request, int option, const char *word, struct rs_error *error) {
  switch (option) {
  case 't':
    request->topology_path = optarg;
    return RS_OK;
  case 'l':
    if (strchr(optarg, '=') == NULL || optarg[0] == '=')
      return rs_error_set(error, RS_ERROR_USAGE, "--label %s: write KEY=VALUE, like placement=cluster", optarg);
    request->labels[request->label_count++] = optarg;
    return RS_OK;
  case 'j':
    request->json = true;
    return RS_OK;
  case 's':
    request->strict = true;
    return RS_OK;
  case 'h':
    request->help = true;
    return RS_OK;
  case ':':
    return rs_error_set(error, RS_ERROR_USAGE, "option '%s' needs a value", word);
  default:
    return rs_error_set(error, RS_ERROR_USAGE, "there is no option '%s'", word);
  }
}

static enum rs_status parse(int argc, char **argv, struct request *request, struct rs_error *error) {
  static const struct option options[] = {
      {"topology", required_argument, NULL, 't'}, {"label", required_argument, NULL, 'l'},
      {"json", no_argument, NULL, 'j'},           {"strict", no_argument, NULL, 's'},
      {"help", no_argument, NULL, 'h'},           {0}};
  request->labels = rs_allocate((size_t)argc, sizeof *request->labels, "labels", error);
  if (request->labels == NULL)
    return error->status;
  optind = 0; // start anew, whoever used getopt before
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, ":h", options, NULL)) != -1;)
    if (take_option(request, option, argv[optind - 1], error) < 0)
      return error->status;
  request->paths = (const char *const *)argv + optind;
  request->path_count = (size_t)(argc - optind);
  if (request->path_count > 0 && rs_launch_present())
    return rs_error_set(error, RS_ERROR_USAGE, "results are shown by one process; leave mpirun out");
  return RS_OK;
}

// A label that is not a number of hosts is a mistake, unless it is in a result, where it may mean something else.
static enum rs_status check_claim(const struct request *request, struct rs_error *error) {
  const char *hosts = label(request, "hosts");
  if (hosts == NULL || (hosts[0] != '\0' && strspn(hosts, "0123456789") == strlen(hosts) && strlen(hosts) < 7))
    return RS_OK;
  return rs_error_set(error, RS_ERROR_USAGE, "--label hosts=%s: write the number of hosts, like hosts=4", hosts);
}

// By the one process that shows placements, so that only its host needs the file.
static enum rs_status load_file(struct request *request, struct rs_error *error) {
  return request->topology_path ? rs_topology_file_load(request->topology_path, &request->file, error) : RS_OK;
}

// ---- one placement ----------------------------------------------------------------------------------------

static void print_text(const char *name, const struct rs_placement_view *view, const struct rs_text *warnings) {
  const struct rs_placement *placement = view->placement;
  struct rs_text text = {0};
  rs_text_append(&text, "%s%s%zu rank%s on %zu host%s", name ? name : "", name ? ": " : "", placement->rank_count,
                 placement->rank_count == 1 ? "" : "s", placement->host_count, placement->host_count == 1 ? "" : "s");
  if (view->strategy)
    rs_text_append(&text, ", asked for %s", view->strategy);
  rs_text_append(&text, view->fabric ? ", of the EMULATED network %s\n\n" : "\n\n", view->fabric);
  rs_placement_tree(view, &text);
  rs_text_append(&text, "\n");
  rs_placement_distances(placement, &text);
  rs_text_append(&text, "\n%s", warnings->length > 0 ? "" : "no warnings\n");
  for (const char *line = warnings->data; line && *line; line += strcspn(line, "\n") + 1)
    rs_text_append(&text, "warning: %.*s\n", (int)strcspn(line, "\n"), line);
  fputs(text.failed ? "out of memory\n" : text.data, stdout);
  rs_text_fini(&text);
}

// Lays the operator's file over the placement and shows it; `name` is the result's path, or NULL.
static enum rs_status show(struct request *request, const char *name, struct rs_placement_view *view,
                           struct rs_placement *placement, struct rs_error *error) {
  struct rs_text warnings = {0}, missing = {0};
  enum rs_status status = RS_OK;
  const char *strategy = label(request, "placement"), *hosts = label(request, "hosts");
  view->placement = placement;
  view->strategy = strategy ? strategy : view->strategy;
  view->claimed_hosts = hosts ? strtoul(hosts, NULL, 10) : view->claimed_hosts;
  if (request->file != NULL)
    status = rs_topology_file_apply(request->file, placement, &missing, error);
  if (status == RS_OK)
    request->warnings += rs_placement_warnings(view, &warnings);
  if (status == RS_OK && missing.data != NULL)
    fprintf(stderr, "ringside topology: %s", missing.data);
  if (status == RS_OK && request->json)
    status = rs_report_topology(name, view, stdout, error);
  else if (status == RS_OK)
    print_text(name, view, &warnings);
  rs_text_fini(&missing);
  rs_text_fini(&warnings);
  return status;
}

// ---- results ----------------------------------------------------------------------------------------------

static enum rs_status show_result(struct request *request, struct rs_result *result, struct rs_error *error) {
  struct rs_rank_device *devices;
  struct rs_placement_view view;
  if (rs_report_placement(result, &devices, &view, error) < 0)
    return error->status;
  enum rs_status status = show(request, result->path, &view, &result->placement, error);
  free(devices);
  return status;
}

static enum rs_status show_results(struct request *request, struct rs_error *error) {
  struct result_set set = {0};
  enum rs_status status = load_file(request, error);
  if (status == RS_OK)
    status = result_set_open(request->paths, request->path_count, "result", &set, error);
  bool array = request->json && set.count > 1;
  fputs(array ? "[\n" : "", stdout);
  for (size_t i = 0; i < set.count && status == RS_OK; i++) {
    fputs(i == 0 ? "" : array ? ",\n" : "\n\n", stdout);
    status = show_result(request, set.results[i], error);
  }
  fputs(array ? "]\n" : "", stdout);
  result_set_close(&set);
  return status;
}

// ---- this launch ------------------------------------------------------------------------------------------

// What this rank would talk through: the nearest interface that is up and leads out of the host.
static void find_device(const struct rs_topology *topology, const struct rs_placement *placement, size_t rank,
                        struct rs_rank_device *device) {
  struct rs_near_device near[NEAR_DEVICES_MAX];
  size_t count = rs_topology_near(topology, placement->ranks[rank].cpus, near, NEAR_DEVICES_MAX), n = 0;
  *device = (struct rs_rank_device){.rank = (uint32_t)rank, .numa_node = -1};
  while (n < count && (near[n].device.kind != RS_HOST_DEVICE_NIC || !near[n].device.up || near[n].device.loopback))
    n++;
  if (n == count)
    return;
  device->mtu = near[n].device.mtu;
  device->speed_mbit = near[n].device.speed_mbit;
  device->numa_node = near[n].device.numa_node;
  memcpy(device->interface, near[n].device.name, sizeof device->interface);
  memcpy(device->address, near[n].device.address, sizeof device->address);
}

// Everything is known to every rank by now but the devices, which rank 0 gathers.
static enum rs_status show_observed(struct rs_world *world, struct request *request, const struct rs_topology *topology,
                                    struct observed *observed, struct rs_error *error) {
  struct rs_rank_device mine,
      *devices = world->rank == 0 ? rs_allocate(world->size, sizeof *devices, "devices", error) : NULL;
  enum rs_status status = rs_world_agree(world, world->rank != 0 || devices ? RS_OK : error->status, error);
  memset(&mine, 0, sizeof mine); // the padding too, since it travels as bytes
  find_device(topology, &observed->placement, world->rank, &mine);
  if (status == RS_OK)
    status = rs_world_gather(world, &mine, sizeof mine, devices, 0, error);
  struct rs_placement_view view = {.devices = devices};
  for (size_t r = 0; devices && status == RS_OK && r < world->size; r++)
    if (devices[r].interface[0] != '\0')
      devices[view.device_count++] = devices[r];
  if (status == RS_OK && world->rank == 0 && observed->notes.data)
    fprintf(stderr, "ringside topology: %s", observed->notes.data);
  if (status == RS_OK && world->rank == 0)
    status = show(request, NULL, &view, &observed->placement, error);
  free(devices);
  return rs_world_agree(world, status, error);
}

static enum rs_status show_launch(struct rs_world *world, struct request *request, struct rs_error *error) {
  struct rs_topology *topology = NULL;
  struct observed observed = {0};
  const struct observe_options options = {.cloud = RS_CLOUD_AUTO, .bind = RS_BIND_OFF};
  enum rs_status status = world->rank == 0 ? load_file(request, error) : RS_OK;
  if (status == RS_OK)
    status = rs_topology_open(&topology, error);
  status = rs_world_agree(world, status, error);
  if (status == RS_OK)
    status = observe_launch(world, &options, "", topology, &observed, error);
  if (status == RS_OK)
    status = show_observed(world, request, topology, &observed, error);
  uint64_t warnings = request->warnings;
  if (status == RS_OK)
    status = rs_world_broadcast(world, &warnings, sizeof warnings, 0, error);
  request->warnings = warnings;
  observed_fini(&observed);
  rs_topology_close(topology);
  return status;
}

// Under mpirun all ranks hear of bad usage before one of them says it.
static int run_launch(struct request *request, enum rs_status parsed, struct rs_error *error) {
  struct rs_world *world;
  if (rs_launch_init(TIMEOUT_NS, &world, error) < 0)
    return command_fail("topology", error);
  world->timeout_ns = TIMEOUT_NS;
  enum rs_status status = rs_world_agree(world, parsed, error);
  if (status == RS_OK)
    status = show_launch(world, request, error);
  int code = status < 0 ? rs_status_exit_code(status) : printout_end("topology");
  if (status < 0 && world->rank == 0)
    command_fail("topology", error);
  rs_launch_fini(world);
  return code;
}

int cmd_topology(int argc, char **argv) {
  struct request request = {0};
  struct rs_error error = {0};
  int code;
  printout_begin();
  enum rs_status status = rs_cloud_init(&error);
  if (status == RS_OK)
    status = parse(argc, argv, &request, &error);
  if (status == RS_OK)
    status = check_claim(&request, &error);
  if (status == RS_OK && request.help) {
    fputs(help, stdout);
    code = printout_end("topology");
  } else if (rs_launch_present() || (status == RS_OK && request.path_count == 0)) {
    code = run_launch(&request, status, &error);
  } else {
    status = status == RS_OK ? show_results(&request, &error) : status;
    code = status == RS_OK ? printout_end("topology") : command_fail("topology", &error);
  }
  rs_topology_file_close(request.file);
  free(request.labels);
  rs_cloud_fini();
  return code == EXIT_YES && request.strict && request.warnings > 0 ? EXIT_NO : code;
}
