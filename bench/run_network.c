#include "run_network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// Time for three attempts: the kernel repeats an unanswered one after 1 and 3 s.
#define TIMEOUT_NS INT64_C(4000000000)
#define ROWS_SHOWN 40
#define LINE_COLUMNS 110
// Of open files: what a process has anyway, and what a connection may need at both its ends, with some to spare.
#define FILES_OTHERS 128
#define FILES_PER_CALL 4
#define CALLS_MIN 4
#define CALLS_MAX 256

// ---- what the run needs -----------------------------------------------------------------------------------

// Where the ranks of a transport meet: its keys NAME.interface, or one of the NICs that are named there, and
// NAME.ports.
struct meeting {
  const char *transport;
  size_t rails;
  struct rs_string interface;
  const struct rs_uint_range *ports;
};

// What a transport's key has been set to; NULL: it has no such key.
static const void *find_value(const struct run_setup *setup, size_t transport, const char *name,
                              enum rs_option_type type) {
  for (const struct rs_option *option = rs_transports[transport]->options; option && option->name; option++)
    if (strcmp(option->name, name) == 0 && option->type == type)
      return (const char *)setup->transport_options[transport] + option->offset;
  return NULL;
}

// False when the ranks of this transport do not meet over TCP.
static bool find_meeting(const struct run_setup *setup, size_t transport, size_t rail, struct meeting *meeting) {
  const struct rs_string *interface = find_value(setup, transport, "interface", RS_OPTION_STRING);
  const struct rs_uint_range *ports = find_value(setup, transport, "ports", RS_OPTION_RANGE);
  if (interface == NULL || ports == NULL)
    return false;
  *meeting = (struct meeting){
      .transport = rs_transports[transport]->name,
      .rails = rs_transport_rails(rs_transports[transport], setup->transport_options[transport]),
      .interface = *interface,
      .ports = ports,
  };
  if (meeting->rails > 1)
    rs_text_item(interface->text, rail, meeting->interface.text, sizeof meeting->interface.text);
  return true;
}

static size_t calls_at_once(size_t ranks_here) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= FILES_OTHERS)
    return CALLS_MIN;
  size_t calls = (size_t)((limit.rlim_cur - FILES_OTHERS) / FILES_PER_CALL / ranks_here);
  return rs_min_size(rs_max_size(calls, CALLS_MIN), CALLS_MAX);
}

// ---- printing, on rank 0 ----------------------------------------------------------------------------------

struct verdict {
  const struct meeting *meeting;
  const struct rs_placement *placement;
  const struct rs_network_end *ends;
  const struct rs_network_link *links;
  struct rs_network_findings findings;
  double seconds;
};

static void print_row(const struct verdict *verdict, const struct rs_network_finding *finding, struct rs_table *table) {
  const struct rs_placement *placement = verdict->placement;
  const struct rs_network_end *end = &verdict->ends[finding->peer];
  bool alone = finding->rank == finding->peer;
  char peer[16] = "";
  if (!alone)
    snprintf(peer, sizeof peer, "%u", finding->peer);
  rs_table_cell(table, "%s", placement->hosts[placement->ranks[finding->rank].host].hostname);
  rs_table_cell(table, "%u", finding->rank);
  rs_table_cell(table, "%s", alone ? "" : placement->hosts[placement->ranks[finding->peer].host].hostname);
  rs_table_cell(table, "%s", peer);
  rs_table_cell(table, "%s", end->address);
  rs_table_cell(table, "%u", end->port);
  rs_table_cell(table, "%u", finding->pairs);
  rs_table_cell(table, "%s", finding->words);
}

// One paragraph of words.
static void print_wrapped(const char *text) {
  size_t column = 0;
  for (size_t length; *text; text += length) {
    text += strspn(text, " ");
    length = strcspn(text, " ");
    if (column > 0 && column + 1 + length > LINE_COLUMNS) {
      fputs("\n ", stdout);
      column = 1;
    }
    printf("%s%.*s", column > 0 ? " " : "", (int)length, text);
    column += length + (column > 0);
  }
  putchar('\n');
}

static void print_advice(const struct verdict *verdict) {
  const struct rs_network_findings *findings = &verdict->findings;
  const struct rs_uint_range *range = verdict->meeting->ports;
  struct rs_text ports = {0};
  if (range->high)
    rs_text_append(&ports, "TCP ports %llu-%llu", (unsigned long long)range->low, (unsigned long long)range->high);
  else
    rs_text_append(&ports, "all TCP ports (or those of --set %s.ports=LOW-HIGH)", verdict->meeting->transport);
  for (size_t i = 0; i < findings->count; i++) {
    if (i > 0 && findings->items[i].trouble == findings->items[i - 1].trouble)
      continue;
    struct rs_text advice = {0};
    rs_network_advise(findings->items[i].trouble, ports.data ? ports.data : "", &advice);
    putchar('\n');
    print_wrapped(advice.data ? advice.data : "");
    rs_text_fini(&advice);
  }
  rs_text_fini(&ports);
}

static void print_findings(const struct verdict *verdict) {
  static const struct {
    const char *name;
    enum rs_align align;
  } columns[] = {{"host", RS_ALIGN_LEFT},   {"rank", RS_ALIGN_RIGHT},   {"to host", RS_ALIGN_LEFT},
                 {"rank", RS_ALIGN_RIGHT},  {"address", RS_ALIGN_LEFT}, {"port", RS_ALIGN_RIGHT},
                 {"times", RS_ALIGN_RIGHT}, {"what", RS_ALIGN_LEFT}};
  const struct rs_network_findings *findings = &verdict->findings;
  struct rs_table *table = rs_table_open();
  for (size_t c = 0; c < RS_ARRAY_LENGTH(columns); c++)
    rs_table_column(table, columns[c].align, columns[c].name);
  for (size_t i = 0; i < findings->count && i < ROWS_SHOWN; i++)
    print_row(verdict, &findings->items[i], table);
  rs_table_print(table, stdout);
  rs_table_close(table);
  if (findings->count > ROWS_SHOWN)
    printf("and %zu more\n", findings->count - ROWS_SHOWN);
  print_advice(verdict);
}

static void print_verdict(const struct verdict *verdict) {
  const struct rs_placement *placement = verdict->placement;
  size_t ranks = placement->rank_count, hosts = placement->host_count;
  uint32_t low = verdict->ends[0].port, high = low;
  for (size_t r = 1; r < ranks; r++) {
    low = verdict->ends[r].port < low ? verdict->ends[r].port : low;
    high = verdict->ends[r].port > high ? verdict->ends[r].port : high;
  }
  const struct meeting *meeting = verdict->meeting;
  printf("network of %s%s%s: %zu connections among %zu rank%s on %zu host%s, ports %u-%u: ", meeting->transport,
         meeting->rails > 1 ? " over " : "", meeting->rails > 1 ? meeting->interface.text : "", ranks * (ranks - 1),
         ranks, ranks == 1 ? "" : "s", hosts, hosts == 1 ? "" : "s", low, high);
  if (verdict->findings.count == 0) {
    struct rs_text praise = {0};
    rs_network_praise(placement, verdict->ends, verdict->links, &praise);
    printf("all is well, %s (%.1f s)\n", praise.data ? praise.data : "", verdict->seconds);
    rs_text_fini(&praise);
    return;
  }
  printf("NOT READY (%.1f s)\n\n", verdict->seconds);
  print_findings(verdict);
}

// ---- what ranks tell each other ---------------------------------------------------------------------------

// This runs first of all, over MPI messages of less than a packet: where full-size packets are lost, MPI's are lost,
// too, and it would wait for ever before anything is said.
#define MESSAGE_BYTES 1000

struct card {
  struct rs_network_end end;
  char hostname[64], boot_id[40];
};
static_assert(sizeof(struct card) <= MESSAGE_BYTES, "a card is one message");

struct row {
  uint32_t to;
  struct rs_network_link link;
};
#define ROWS_PER_MESSAGE (MESSAGE_BYTES / sizeof(struct row))

struct gathering {
  struct rs_network_check_params params;
  struct rs_network_check *check;
  bool *full_size;
  struct rs_network_end *ends;
  struct rs_host_facts *hosts; // no more than ranks
  struct rs_rank_facts *ranks;
  struct rs_placement placement; // of the two above
  struct row *rows;
  struct rs_network_link *mine, *links; // links: of all ranks, on rank 0
};

static enum rs_status allocate(const struct rs_world *world, struct gathering *gathering, struct rs_error *error) {
  static const char what[] = "network check";
  size_t all;
  if (!rs_multiply_size(world->size, world->size, &all))
    return rs_error_set_memory(error, SIZE_MAX, what);
  gathering->full_size = rs_allocate(world->size, sizeof *gathering->full_size, what, error);
  gathering->ends = rs_allocate(world->size, sizeof *gathering->ends, what, error);
  gathering->hosts = rs_allocate(world->size, sizeof *gathering->hosts, what, error);
  gathering->ranks = rs_allocate(world->size, sizeof *gathering->ranks, what, error);
  gathering->rows = rs_allocate(world->size, sizeof *gathering->rows, what, error);
  gathering->mine = rs_allocate(world->size, sizeof *gathering->mine, what, error);
  if (world->rank == 0)
    gathering->links = rs_allocate(all, sizeof *gathering->links, what, error);
  return error->status;
}

static void release(struct gathering *gathering) {
  rs_network_check_close(gathering->check);
  free(gathering->links);
  free(gathering->mine);
  free(gathering->rows);
  free(gathering->ranks);
  free(gathering->hosts);
  free(gathering->ends);
  free(gathering->full_size);
}

static void name_host(struct card *card) {
  gethostname(card->hostname, sizeof card->hostname - 1);
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file == NULL)
    return;
  if (fgets(card->boot_id, sizeof card->boot_id, file))
    card->boot_id[strcspn(card->boot_id, "\n")] = '\0';
  fclose(file);
}

// Rank r is where its card says: on a host of before, or on a new one.
static void place_rank(struct gathering *gathering, size_t r, const struct card *card) {
  struct rs_placement *placement = &gathering->placement;
  struct rs_host_facts host = {0};
  snprintf(host.hostname, sizeof host.hostname, "%s", card->hostname);
  snprintf(host.boot_id, sizeof host.boot_id, "%s", card->boot_id);
  uint32_t h = 0;
  while (h < placement->host_count && !rs_host_same(&gathering->hosts[h], &host))
    h++;
  uint32_t local_rank = 0;
  for (size_t other = 0; other < r; other++)
    local_rank += gathering->ranks[other].host == h;
  gathering->hosts[h] = host;
  gathering->ranks[r].host = h;
  gathering->ranks[r].local_rank = local_rank;
  gathering->ends[r] = card->end;
  placement->host_count = rs_max_size(placement->host_count, h + 1);
}

static enum rs_status exchange_cards(struct rs_world *world, struct card *mine, struct gathering *gathering,
                                     struct rs_error *error) {
  gathering->placement =
      (struct rs_placement){.rank_count = world->size, .hosts = gathering->hosts, .ranks = gathering->ranks};
  for (size_t r = 0; r < world->size; r++) {
    struct card card = {0};
    if (r == world->rank)
      card = *mine;
    if (rs_world_broadcast(world, &card, sizeof card, r, error) < 0)
      return error->status;
    place_rank(gathering, r, &card);
  }
  return RS_OK;
}

// The first ranks of hosts try full-size packets on each other.
static void choose_full_size(struct gathering *gathering, size_t rank) {
  const struct rs_rank_facts *ranks = gathering->ranks;
  for (size_t r = 0; r < gathering->placement.rank_count; r++)
    gathering->full_size[r] =
        ranks[rank].local_rank == 0 && ranks[r].local_rank == 0 && ranks[r].host != ranks[rank].host;
}

// Of this rank: the links that rank 0 has to hear of. A path that carries full size is told once.
static size_t choose_rows(const struct gathering *gathering, size_t rank) {
  size_t count = 0;
  for (size_t to = 0; to < gathering->placement.rank_count; to++)
    if (to != rank && (gathering->mine[to].state != RS_LINK_FINE || gathering->mine[to].mtu > 0))
      gathering->rows[count++] = (struct row){.to = (uint32_t)to, .link = gathering->mine[to]};
  return count;
}

static enum rs_status send_rows(struct rs_world *world, const struct gathering *gathering, struct rs_error *error) {
  uint64_t count = choose_rows(gathering, world->rank);
  enum rs_status status = rs_world_send(world, &count, sizeof count, 0, error);
  for (size_t sent = 0; sent < count && status == RS_OK; sent += ROWS_PER_MESSAGE) {
    size_t rows = rs_min_size(count - sent, ROWS_PER_MESSAGE);
    status = rs_world_send(world, gathering->rows + sent, rows * sizeof *gathering->rows, 0, error);
  }
  return status;
}

// Rank 0; `from` is heard of.
static enum rs_status receive_rows(struct rs_world *world, struct gathering *gathering, size_t from,
                                   struct rs_error *error) {
  uint64_t count = 0;
  struct rs_network_link *links = gathering->links + from * world->size;
  enum rs_status status = rs_world_receive(world, &count, sizeof count, from, error);
  if (status == RS_OK && count > world->size)
    status = rs_error_set(error, RS_ERROR_PEER,
                          "rank %zu tells of more links than there are; start all ranks with the "
                          "same ringside",
                          from);
  for (size_t got = 0; got < count && status == RS_OK; got += ROWS_PER_MESSAGE) {
    size_t rows = rs_min_size(count - got, ROWS_PER_MESSAGE);
    status = rs_world_receive(world, gathering->rows, rows * sizeof *gathering->rows, from, error);
    for (size_t i = 0; i < rows && status == RS_OK; i++)
      if (gathering->rows[i].to < world->size)
        links[gathering->rows[i].to] = gathering->rows[i].link;
  }
  return status;
}

static enum rs_status gather_links(struct rs_world *world, struct gathering *gathering, struct rs_error *error) {
  if (world->rank != 0)
    return send_rows(world, gathering, error);
  memcpy(gathering->links, gathering->mine, world->size * sizeof *gathering->mine);
  enum rs_status status = RS_OK;
  for (size_t from = 1; from < world->size && status == RS_OK; from++)
    status = receive_rows(world, gathering, from, error);
  return status;
}

// ---- one meeting ------------------------------------------------------------------------------------------

static enum rs_status open_check(struct rs_world *world, const struct meeting *meeting, const struct rs_config *config,
                                 struct gathering *gathering, struct rs_error *error) {
  struct rs_network_check_params *params = &gathering->params;
  // All wait for all by rank 0's measure, so that nobody leaves before the last has called.
  uint64_t at_once = calls_at_once(config->threads ? config->threads : 1);
  *params = (struct rs_network_check_params){
      .rank = world->rank,
      .rank_count = world->size,
      .one_host = gathering->placement.host_count == 1,
      .interface = meeting->interface.text,
      .ports = *meeting->ports,
      .full_size = gathering->full_size,
      .timeout_ns = config->timeout_ns < TIMEOUT_NS ? config->timeout_ns : TIMEOUT_NS,
  };
  enum rs_status status = world->rank == 0 ? rs_random_bytes(params->token, sizeof params->token, error) : RS_OK;
  if (status < 0 || (status = rs_world_broadcast(world, params->token, sizeof params->token, 0, error)) < 0 ||
      (status = rs_world_broadcast(world, &at_once, sizeof at_once, 0, error)) < 0)
    return status;
  params->at_once = at_once;
  int64_t patience_ns = 2 * rs_network_check_limit(params);
  world->timeout_ns = world->timeout_ns > patience_ns ? world->timeout_ns : patience_ns;
  return rs_world_agree(world, rs_network_check_open(params, &gathering->check, error), error);
}

static enum rs_status connect_all(struct rs_world *world, struct gathering *gathering, struct rs_error *error) {
  enum rs_status status = rs_network_check_run(gathering->check, gathering->ends, gathering->mine, error);
  size_t strangers = rs_network_check_strangers(gathering->check);
  if (strangers > 0)
    fprintf(stderr,
            "ringside run: rank %zu: turned away %zu connections at %s:%u that did not prove to be of this launch\n",
            world->rank, strangers, gathering->ends[world->rank].address, gathering->ends[world->rank].port);
  status = rs_world_agree(world, status, error);
  return status < 0 ? status : gather_links(world, gathering, error);
}

// Where everyone is comes first: whether there are several hosts decides what a rank listens on.
static enum rs_status exchange_ends(struct rs_world *world, const struct meeting *meeting,
                                    const struct rs_config *config, struct gathering *gathering,
                                    struct rs_error *error) {
  struct card mine = {0};
  struct timespec now;
  name_host(&mine);
  enum rs_status status = exchange_cards(world, &mine, gathering, error);
  if (status == RS_OK)
    status = open_check(world, meeting, config, gathering, error);
  if (status < 0)
    return status;
  choose_full_size(gathering, world->rank);
  rs_network_check_end(gathering->check, &mine.end);
  if ((status = rs_world_barrier(world, error)) < 0) // which all leave at about the same time
    return status;
  clock_gettime(CLOCK_REALTIME, &now);
  mine.end.clock_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  return exchange_cards(world, &mine, gathering, error);
}

static enum rs_status judge(struct rs_world *world, const struct gathering *gathering, struct verdict *verdict,
                            bool *fine, struct rs_error *error) {
  enum rs_status status = RS_OK;
  if (world->rank == 0)
    status = rs_network_judge(&gathering->placement, gathering->ends, gathering->links, gathering->params.timeout_ns,
                              &verdict->findings, error);
  if (world->rank == 0 && status == RS_OK)
    print_verdict(verdict);
  uint64_t count = verdict->findings.count;
  rs_network_findings_fini(&verdict->findings);
  if ((status = rs_world_agree(world, status, error)) < 0 ||
      (status = rs_world_broadcast(world, &count, sizeof count, 0, error)) < 0)
    return status;
  *fine &= count == 0;
  return RS_OK;
}

static enum rs_status check_meeting(struct rs_world *world, const struct meeting *meeting,
                                    const struct rs_config *config, bool *fine, struct rs_error *error) {
  struct gathering gathering = {0};
  int64_t since_ns = rs_clock_ns();
  enum rs_status status = rs_world_agree(world, allocate(world, &gathering, error), error);
  if (status == RS_OK)
    status = exchange_ends(world, meeting, config, &gathering, error);
  if (status == RS_OK)
    status = connect_all(world, &gathering, error);
  struct verdict verdict = {.meeting = meeting,
                            .placement = &gathering.placement,
                            .ends = gathering.ends,
                            .links = gathering.links,
                            .seconds = (double)(rs_clock_ns() - since_ns) / 1e9};
  if (status == RS_OK)
    status = judge(world, &gathering, &verdict, fine, error);
  release(&gathering);
  return status;
}

// ---- all of them ------------------------------------------------------------------------------------------

// Whether any word of the sweep needs a transport between hosts.
static bool wanted(const struct rs_word_list *words, const struct rs_transport *transport) {
  const struct rs_transport *inside, *between;
  for (size_t i = 0; i < words->count; i++)
    if (rs_transport_route(words->words[i], &inside, &between) && between == transport)
      return true;
  return false;
}

// Of all NICs that the transport's options name.
static enum rs_status check_transport(struct rs_world *world, const struct run_setup *setup, size_t transport,
                                      bool *any, bool *fine, struct rs_error *error) {
  struct meeting meeting;
  enum rs_status status = RS_OK;
  for (size_t rail = 0; status == RS_OK && find_meeting(setup, transport, rail, &meeting); rail++) {
    *any = true;
    status = check_meeting(world, &meeting, &setup->config, fine, error);
    if (rail + 1 == meeting.rails)
      break;
  }
  return status;
}

enum rs_status run_network(struct rs_world *world, const struct run_setup *setup, bool *fine, struct rs_error *error) {
  const struct rs_word_list *words = &setup->config.transports;
  const struct rs_transport *inside, *between;
  enum rs_status status = RS_OK;
  bool any = false;
  *fine = true;
  for (size_t i = 0; i < words->count; i++)
    if (!rs_transport_route(words->words[i], &inside, &between))
      return rs_error_set(error, RS_ERROR_USAGE, "there is no transport '%s'; 'ringside list' names them",
                          words->words[i]);
  for (size_t i = 0; i < rs_transport_count && status == RS_OK; i++)
    if (wanted(words, rs_transports[i]))
      status = check_transport(world, setup, i, &any, fine, error);
  if (status == RS_OK && world->rank == 0 && !any)
    printf("no transport of this run needs the network, nothing was checked\n");
  return status;
}
