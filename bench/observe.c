#include "observe.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_BYTES 400

const struct rs_option observe_option_table[] = {
    {.name = "cloud",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct observe_options, cloud),
     .default_text = "auto",
     .choices = rs_cloud_names,
     .help = "whose metadata service is asked where the hosts are; auto: the one that the firmware names"},
    {.name = "file",
     .type = RS_OPTION_STRING,
     .offset = offsetof(struct observe_options, file),
     .default_text = "",
     .help = "what an operator knows of the hosts, over what is found (docs/topology.md)"},
    {.name = "bind",
     .type = RS_OPTION_CHOICE,
     .offset = offsetof(struct observe_options, bind),
     .default_text = "auto",
     .choices = rs_bind_policy_names,
     .help = "where ranks run; auto: on cores of their own near their NIC, unless the launcher has bound them or there "
             "are too few"},
    {.name = "redact",
     .type = RS_OPTION_BOOL,
     .offset = offsetof(struct observe_options, redact),
     .default_text = "no",
     .help = "replace identifiers of instances, networks and addresses in the file by pseudonyms"},
    {.name = NULL},
};

// ---- cloud ------------------------------------------------------------------------------------------------

// Rank 0 tells of the hosts of which a cloud said less than it should: how many, and the first one's trouble.
static enum rs_status gather_notes(struct rs_world *world, const char *mine, struct rs_text *notes,
                                   struct rs_error *error) {
  char line[NOTE_BYTES] = {0};
  snprintf(line, sizeof line, "%s", mine);
  char *all = world->rank == 0 ? rs_allocate(world->size, sizeof line, "notes of the hosts", error) : NULL;
  enum rs_status status = rs_world_agree(world, world->rank != 0 || all ? RS_OK : error->status, error);
  if (status == RS_OK)
    status = rs_world_gather(world, line, sizeof line, all, 0, error);
  size_t hosts = 0, first = 0;
  for (size_t r = world->rank == 0 && status == RS_OK ? world->size : 0; r-- > 0;) {
    hosts += all[r * sizeof line] != '\0';
    first = all[r * sizeof line] != '\0' ? r : first;
  }
  if (hosts > 0)
    rs_text_append(notes, "%s (%zu host%s)\n", &all[first * sizeof line], hosts, hosts == 1 ? "" : "s");
  free(all);
  return status;
}

// Each host's first rank asks; everyone gets all the answers.
static enum rs_status ask_clouds(struct rs_world *world, const struct observe_options *options,
                                 struct observed *observed, struct rs_error *error) {
  struct rs_placement *placement = &observed->placement;
  const struct rs_rank_facts *rank = &placement->ranks[world->rank];
  const struct rs_cloud_params params = {.cloud = (enum rs_cloud)options->cloud, .redact = options->redact};
  struct rs_host_facts mine = placement->hosts[rank->host];
  struct rs_text note = {0};
  if (rank->local_rank == 0)
    rs_cloud_read(&params, &mine, &observed->cloud, &note); // trouble is a note
  struct rs_host_facts *all = rs_allocate(world->size, sizeof *all, "facts of all hosts", error);
  enum rs_status status = rs_world_agree(world, all ? RS_OK : error->status, error);
  if (status == RS_OK)
    status = rs_world_allgather(world, &mine, sizeof mine, all, error);
  for (size_t r = 0; status == RS_OK && r < world->size; r++)
    if (placement->ranks[r].local_rank == 0)
      placement->hosts[placement->ranks[r].host] = all[r];
  free(all);
  if (status == RS_OK)
    status = gather_notes(world, note.data ? note.data : "", &observed->notes, error);
  rs_text_fini(&note);
  return status;
}

// ---- operator's file --------------------------------------------------------------------------------------

// Rank 0 reads it, so that only its host needs it.
static enum rs_status apply_file(struct rs_world *world, const char *path, struct observed *observed,
                                 struct rs_error *error) {
  struct rs_placement *placement = &observed->placement;
  struct rs_topology_file *file = NULL;
  enum rs_status status = RS_OK;
  if (path[0] == '\0')
    return RS_OK;
  if (world->rank == 0 && (status = rs_topology_file_load(path, &file, error)) == RS_OK)
    status = rs_topology_file_apply(file, placement, &observed->notes, error);
  rs_topology_file_close(file);
  status = rs_world_agree(world, status, error);
  if (status == RS_OK)
    status = rs_world_broadcast(world, placement->hosts, placement->host_count * sizeof *placement->hosts, 0, error);
  return status;
}

// ---- all of it --------------------------------------------------------------------------------------------

static void redact(struct observed *observed) {
  for (size_t h = 0; h < observed->placement.host_count; h++)
    rs_host_facts_redact(&observed->placement.hosts[h]);
  for (size_t f = 0; f < observed->scheduler.count; f++) {
    struct rs_environment_fact *fact = &observed->scheduler.facts[f];
    rs_redact_field(fact->value, sizeof fact->value, false);
  }
}

enum rs_status observe_launch(struct rs_world *world, const struct observe_options *options, const char *interface,
                              struct rs_topology *topology, struct observed *observed, struct rs_error *error) {
  struct rs_host_facts host = *rs_topology_host(topology);
  rs_scheduler_read(&host, &observed->scheduler);
  rs_topology_set_host(topology, &host);
  enum rs_status status = rs_placement_gather(world, topology, &observed->placement, error);
  if (status == RS_OK)
    status = ask_clouds(world, options, observed, error);
  if (status == RS_OK)
    status = apply_file(world, options->file.text, observed, error);
  if (status == RS_OK)
    status =
        rs_placement_bind(world, topology, (enum rs_bind_policy)options->bind, interface, &observed->placement, error);
  if (status == RS_OK && options->redact)
    redact(observed);
  return status;
}

void observed_fini(struct observed *observed) {
  rs_placement_fini(&observed->placement);
  rs_text_fini(&observed->cloud);
  rs_text_fini(&observed->notes);
  *observed = (struct observed){0};
}
