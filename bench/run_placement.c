#include "run_placement.h"

#include "ringside/fabric.h"

#include <string.h>

bool run_emulates(const char *transport) {
  return strcmp(transport, "emulated") == 0;
}

// Every transport of the sweep is the emulated one, so that no case sees the real hosts.
static bool emulates(const struct rs_config *config) {
  for (size_t t = 0; t < config->transports.count; t++)
    if (!run_emulates(config->transports.words[t]))
      return false;
  return config->transports.count > 0;
}

// Puts the ranks where the fabric's layout has them; what a rank knows of itself stays.
static enum rs_status place_on_fabric(const struct run_setup *setup, struct run_placement *placement,
                                      struct rs_error *error) {
  const struct rs_placement *real = &placement->observed.placement;
  struct rs_placement emulated = {0};
  struct rs_fabric fabric;
  struct rs_text path = {0};
  enum rs_status status = RS_OK;
  rs_options_get(&setup->options, "emulated.fabric", &path);
  if (path.length == 0) // the transport says what is missing
    goto fini_path;
  status = rs_fabric_load(path.data, &fabric, error);
  if (status == RS_OK)
    status = rs_fabric_place(&fabric, real->rank_count, &real->hosts[0], &emulated, error);
  if (status < 0)
    goto fini_path;
  for (size_t r = 0; r < real->rank_count; r++) {
    struct rs_rank_facts rank = real->ranks[r];
    rank.host = emulated.ranks[r].host;
    rank.local_rank = emulated.ranks[r].local_rank;
    rank.local_ranks = emulated.ranks[r].local_ranks;
    rank.numa_node = -1;
    emulated.ranks[r] = rank;
  }
  memcpy(placement->fabric_name, fabric.name.text, sizeof placement->fabric_name);
  rs_fabric_format(&fabric, &placement->fabric);
  placement->placement = emulated;
  placement->emulated = true;
fini_path:
  rs_text_fini(&path);
  return status;
}

// The interface that tcp was told to use, or the first of them; "": it chooses.
static void chosen_interface(const struct run_setup *setup, struct rs_text *name) {
  rs_options_get(&setup->options, "tcp.interface", name);
  if (name->data != NULL)
    name->data[strcspn(name->data, ",")] = '\0';
  if (name->data != NULL && (strcmp(name->data, "auto") == 0 || strchr(name->data, '/') != NULL))
    name->data[0] = '\0';
}

enum rs_status run_placement_init(struct rs_world *world, const struct run_setup *setup, struct rs_topology *topology,
                                  struct run_placement *placement, struct rs_error *error) {
  struct rs_text interface = {0};
  chosen_interface(setup, &interface);
  enum rs_status status = observe_launch(world, &setup->observe, interface.data ? interface.data : "", topology,
                                         &placement->observed, error);
  rs_text_fini(&interface);
  if (status == RS_OK && emulates(&setup->config))
    status = place_on_fabric(setup, placement, error);
  status = rs_world_agree(world, status, error);
  if (status == RS_OK && !placement->emulated)
    placement->placement = placement->observed.placement;
  const char *notes = placement->observed.notes.data;
  for (const char *line = status == RS_OK && notes ? notes : ""; *line; line += strcspn(line, "\n") + 1)
    fprintf(stderr, "ringside run: %.*s\n", (int)strcspn(line, "\n"), line);
  return status;
}

void run_placement_fini(struct run_placement *placement) {
  if (placement->emulated)
    rs_placement_fini(&placement->placement);
  observed_fini(&placement->observed);
  rs_text_fini(&placement->fabric);
  *placement = (struct run_placement){0};
}
