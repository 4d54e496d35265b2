#include "measure/transport_choice.h"

#include <string.h>

static const char automatic[] = "auto";

struct rs_transport_params transport_params_of(const struct rs_runner_params *params, size_t index, size_t lanes,
                                               const uint8_t token[RS_TOKEN_BYTES]) {
  const struct rs_rank_facts *rank = &params->placement->ranks[params->world->rank];
  struct rs_transport_params made = {
      .rank = params->world->rank,
      .rank_count = params->world->size,
      .lanes = lanes,
      .one_host = params->placement->host_count == 1,
      .local_rank = rank->local_rank,
      .numa_node = rank->numa_node,
      .timeout_ns = params->config->timeout_ns,
      .options = params->transport_options[index],
      .hub = params->hub,
      .log = params->log,
  };
  memcpy(made.token, token, sizeof made.token);
  return made;
}

// The row of highest preference below `limit` among those of a span; rs_transport_count: there is none.
static size_t next_best(enum rs_span span, uint32_t limit) {
  size_t best = rs_transport_count;
  for (size_t i = 0; i < rs_transport_count; i++) {
    uint32_t preference = rs_transports[i]->preference;
    if (rs_transports[i]->span == span && preference > 0 && preference < limit &&
        (best == rs_transport_count || preference > rs_transports[best]->preference))
      best = i;
  }
  return best;
}

// Opening needs no peer, so it tells what this host has; the token of this trial is nobody's.
static enum rs_status try_open(const struct rs_runner_params *params, size_t index, struct rs_error *reason) {
  const uint8_t token[RS_TOKEN_BYTES] = {0};
  struct rs_transport_params open = transport_params_of(params, index, 1, token);
  size_t rails = rs_transport_rails(rs_transports[index], open.options);
  for (; open.rail < rails && reason->status == RS_OK; open.rail++) {
    struct rs_device *device = NULL;
    rs_transports[index]->open(&open, &device, reason);
    rs_transports[index]->close(device);
  }
  return rs_world_agree(params->world, reason->status, reason);
}

// The best of a span that every rank can open; NULL: none, and *error says why not the last.
static const struct rs_transport *best_of(const struct rs_runner_params *params, enum rs_span span,
                                          struct rs_text *reasons, struct rs_error *error) {
  struct rs_error reason = {0};
  uint32_t limit = UINT32_MAX;
  for (size_t i; (i = next_best(span, limit)) < rs_transport_count; limit = rs_transports[i]->preference) {
    reason = (struct rs_error){0};
    if (try_open(params, i, &reason) == RS_OK)
      return rs_transports[i];
    rs_text_append(reasons, "  %s\n", reason.text);
  }
  *error = reason;
  return NULL;
}

// Within hosts, where one has several ranks, and between hosts, where there are several.
static enum rs_status choose(const struct rs_runner_params *params, char *word, size_t bytes, struct rs_text *reasons,
                             struct rs_error *error) {
  const struct rs_placement *placement = params->placement;
  const struct rs_transport *inside = NULL, *between = NULL;
  struct rs_error unshared = {0}; // what is between hosts serves inside them, too
  if (placement->rank_count > placement->host_count)
    inside = best_of(params, RS_SPAN_HOST, reasons, &unshared);
  if (inside == NULL || placement->host_count > 1) {
    between = best_of(params, RS_SPAN_NETWORK, reasons, error);
    if (between == NULL)
      return error->status; // of tcp, which is among them
  }
  snprintf(word, bytes, "%s%s%s", inside ? inside->name : "", inside && between ? "+" : "",
           between ? between->name : "");
  return RS_OK;
}

enum rs_status rs_transport_choose(const struct rs_runner_params *params, struct rs_config *config,
                                   struct rs_text *said, struct rs_error *error) {
  const struct rs_word_list given = config->transports;
  struct rs_word_list *made = &config->transports;
  char chosen[sizeof *given.words] = "";
  struct rs_text reasons = {0};
  made->count = 0;
  for (size_t i = 0; i < given.count; i++) {
    const char *word = given.words[i];
    if (strcmp(word, automatic) == 0) {
      if (chosen[0] == '\0' && choose(params, chosen, sizeof chosen, &reasons, error) < 0)
        goto free_reasons;
      word = chosen;
    }
    bool again = false; // auto,tcp
    for (size_t k = 0; k < made->count; k++)
      again |= chosen[0] != '\0' && strcmp(made->words[k], word) == 0;
    if (!again)
      snprintf(made->words[made->count++], sizeof *made->words, "%s", word);
  }
  if (chosen[0] != '\0')
    rs_text_append(said, "transport=auto is %s%s%s", chosen, reasons.length ? "; left out:\n" : "\n",
                   reasons.length ? reasons.data : "");
free_reasons:
  rs_text_fini(&reasons);
  return error->status;
}
