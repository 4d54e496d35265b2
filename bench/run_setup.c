#include "run_setup.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  OPTION_SET = 256,
  OPTION_LABEL,
  OPTION_FORCE,
  OPTION_DRY_RUN,
  OPTION_PROGRESS,
  OPTION_ORDER,
  OPTION_TOPOLOGY,
  OPTION_REDACT,
  OPTION_CHECK_NETWORK
};

static const struct option long_options[] = {
    {"set", required_argument, NULL, OPTION_SET},
    {"label", required_argument, NULL, OPTION_LABEL},
    {"output", required_argument, NULL, 'o'},
    {"order", required_argument, NULL, OPTION_ORDER},
    {"topology", required_argument, NULL, OPTION_TOPOLOGY},
    {"redact", no_argument, NULL, OPTION_REDACT},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"check-network", no_argument, NULL, OPTION_CHECK_NETWORK},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"quiet", no_argument, NULL, 'q'},
    {"progress", no_argument, NULL, OPTION_PROGRESS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

// ---- option groups ----------------------------------------------------------------------------------------

static enum rs_status bind_groups(struct run_setup *setup, struct rs_error *error) {
  size_t fixed = 4;
  setup->groups = rs_allocate(fixed + rs_transport_count, sizeof *setup->groups, "options", error);
  setup->transport_options = rs_allocate(rs_transport_count, sizeof(void *), "options", error);
  if (setup->groups == NULL || setup->transport_options == NULL)
    return error->status;
  setup->groups[0] = (struct rs_option_group){"", rs_sweep_options, &setup->config};
  setup->groups[1] = (struct rs_option_group){"run", rs_run_options, &setup->config};
  setup->groups[2] = (struct rs_option_group){"samples", rs_sample_options, &setup->config};
  setup->groups[3] = (struct rs_option_group){"placement", observe_option_table, &setup->observe};
  size_t count = fixed;
  for (size_t i = 0; i < rs_transport_count; i++) {
    const struct rs_transport *transport = rs_transports[i];
    if (transport->options == NULL)
      continue;
    setup->transport_options[i] = rs_allocate(1, transport->option_bytes, "options", error);
    if (setup->transport_options[i] == NULL)
      return error->status;
    setup->groups[count++] = (struct rs_option_group){transport->name, transport->options, setup->transport_options[i]};
  }
  setup->options = (struct rs_options){setup->groups, count};
  return rs_options_set_defaults(&setup->options, error);
}

// ---- command line -----------------------------------------------------------------------------------------

static enum rs_status add_label(struct run_setup *setup, const char *text, struct rs_error *error) {
  size_t key_length = strcspn(text, "=");
  bool good = key_length > 0 && text[key_length] == '=';
  for (size_t i = 0; i < key_length; i++)
    good &= isalnum((unsigned char)text[i]) || strchr("_.-", text[i]) != NULL;
  struct rs_attribute label = {0};
  if (!good || key_length >= sizeof label.key - strlen("label."))
    return rs_error_set(error, RS_ERROR_USAGE,
                        "--label %s: write KEY=VALUE, with a KEY of letters, digits, '_', '.', '-', like "
                        "placement=cluster",
                        text);
  snprintf(label.key, sizeof label.key, "label.%.*s", (int)key_length, text);
  for (size_t i = 0; i < setup->label_count; i++)
    if (strcmp(setup->labels[i].key, label.key) == 0)
      return rs_error_set(error, RS_ERROR_USAGE, "--label %s: %.*s is given twice", text, (int)key_length, text);
  label.value = strdup(text + key_length + 1);
  if (label.value == NULL)
    return rs_error_set_memory(error, strlen(text), "a label");
  setup->labels[setup->label_count++] = label; // room for argc labels
  return RS_OK;
}

static enum rs_status keep_command_line(struct run_setup *setup, int argc, char **argv, struct rs_error *error) {
  struct rs_text text = {0};
  rs_text_append(&text, "ringside");
  for (int i = 0; i < argc; i++)
    rs_text_append(&text, strpbrk(argv[i], " \t\n'\"\\$*?") ? " '%s'" : " %s", argv[i]);
  if (text.failed) {
    rs_text_fini(&text);
    return rs_error_set_memory(error, text.length, "the command line");
  }
  setup->command_line = text.data;
  return RS_OK;
}

// Flags are taken at once; --set waits until the file is read, so that the command line wins wherever it stands.
static enum rs_status take_option(struct run_setup *setup, int option, const char **sets, size_t *set_count,
                                  const char *word, struct rs_error *error) {
  switch (option) {
  case OPTION_SET:
    sets[(*set_count)++] = optarg;
    return RS_OK;
  case OPTION_LABEL:
    return add_label(setup, optarg, error);
  case 'o':
    setup->output = optarg;
    return RS_OK;
  case OPTION_ORDER:
    setup->order = optarg;
    return RS_OK;
  case OPTION_TOPOLOGY:
    setup->topology = optarg;
    return RS_OK;
  case OPTION_REDACT:
    setup->redact = true;
    return RS_OK;
  case OPTION_FORCE:
    setup->force = true;
    return RS_OK;
  case OPTION_DRY_RUN:
    setup->dry_run = true;
    return RS_OK;
  case OPTION_CHECK_NETWORK:
    setup->check_network = true;
    return RS_OK;
  case OPTION_PROGRESS:
    setup->progress = true;
    return RS_OK;
  case 'q':
    setup->quiet = true;
    return RS_OK;
  case 'h':
    setup->help = true;
    return RS_OK;
  case ':':
    return rs_error_set(error, RS_ERROR_USAGE, "%s needs a value", word);
  default:
    return rs_error_set(error, RS_ERROR_USAGE, "there is no option %s", word);
  }
}

static enum rs_status take_arguments(struct run_setup *setup, int argc, char **argv, const char **sets,
                                     struct rs_error *error) {
  size_t set_count = 0;
  opterr = 0;
  optind = 1;
  for (int option; (option = getopt_long(argc, argv, ":o:qh", long_options, NULL)) != -1;)
    if (take_option(setup, option, sets, &set_count, argv[optind - 1], error) < 0)
      return error->status;
  if (argc - optind > 1)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "one configuration file at a time: '%s' is one too many; use --set to change "
                        "single keys",
                        argv[optind + 1]);
  if (setup->dry_run && setup->check_network)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "--dry-run and --check-network exclude each other; leave one of them out");
  if (optind < argc && rs_options_load_yaml(&setup->options, argv[optind], error) < 0)
    return error->status;
  if (setup->topology && rs_options_set(&setup->options, "--topology", "placement.file", setup->topology, error) < 0)
    return error->status;
  if (setup->redact && rs_options_set(&setup->options, "--redact", "placement.redact", "yes", error) < 0)
    return error->status;
  for (size_t i = 0; i < set_count; i++)
    if (rs_options_set_assignment(&setup->options, sets[i], error) < 0)
      return error->status;
  return RS_OK;
}

enum rs_status run_setup_init(struct run_setup *setup, int argc, char **argv, struct rs_error *error) {
  *setup = (struct run_setup){.progress = isatty(STDERR_FILENO) == 1};
  setup->labels = rs_allocate((size_t)argc, sizeof *setup->labels, "labels", error);
  const char **sets = rs_allocate((size_t)argc, sizeof *sets, "options", error);
  if (setup->labels && sets && bind_groups(setup, error) == RS_OK &&
      keep_command_line(setup, argc, argv, error) == RS_OK)
    take_arguments(setup, argc, argv, sets, error);
  free(sets);
  return error->status;
}

void run_setup_fini(struct run_setup *setup) {
  for (size_t i = 0; i < setup->label_count; i++)
    free(setup->labels[i].value);
  for (size_t i = 0; setup->transport_options && i < rs_transport_count; i++)
    free(setup->transport_options[i]);
  free(setup->labels);
  free(setup->transport_options);
  free(setup->groups);
  free(setup->command_line);
}

void run_setup_help(struct run_setup *setup) {
  struct rs_text keys = {0};
  rs_options_help(&setup->options, &keys);
  printf(
      "usage: ringside run [CONFIG.yaml] [--set KEY=VALUE]... [--label KEY=VALUE]... [-o FILE.h5]\n\n"
      "Measures every case of a sweep and writes all samples to one HDF5 file. Start it with mpirun or srun; alone it\n"
      "is one rank.\n\n"
      "  -o, --output FILE   where the result goes (default: results/ringside-TIME.h5, or here without results/)\n"
      "      --topology FILE what an operator knows of the hosts (docs/topology.md)\n"
      "      --redact        identifiers of instances, networks and addresses become pseudonyms in the file\n"
      "      --force         replace FILE if it exists\n"
      "      --set KEY=VALUE change one key of the configuration; comes after the file, may be repeated\n"
      "      --label KEY=VALUE  a note kept in the file, such as placement=cluster; may be repeated\n"
      "      --order FILE|auto  the order of ranks in our algorithms: a file of 'ringside order', or the ring that\n"
      "                      crosses far distances least; baselines and pairs stay as they are\n"
      "      --dry-run       print the plan and stop\n"
      "      --check-network connect every rank with every other as this run would, try full-size packets between the\n"
      "                      hosts, look at addresses and clocks, and stop: exit code 0 and one line when all is "
      "well,\n"
      "                      1 and a table of what is not, with what to do\n"
      "      --progress      show progress although stderr is no terminal (mpirun takes the terminal away)\n"
      "  -q, --quiet         no table at the end\n"
      "  -h, --help          this text\n\n"
      "examples:\n"
      "  mpirun -np 4 ringside run --set size=8..1MiB --set algorithm=ring\n"
      "  mpirun -np 16 --hostfile hosts ringside run configs/allreduce.yaml --label placement=cluster -o cluster.h5\n"
      "  mpirun -np 16 --hostfile hosts ringside run --check-network && mpirun -np 16 --hostfile hosts ringside run\n"
      "  ringside run --set run.threads=4 --set transport=loop --set baseline=none   # without mpirun\n\n"
      "keys (in a YAML file, or with --set):\n%s",
      keys.data ? keys.data : "");
  rs_text_fini(&keys);
}
