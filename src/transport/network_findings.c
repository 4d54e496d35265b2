// From what each rank found to what is wrong, host by host. Pure: the same input gives the same findings.
//
// A rule of a cloud is about hosts, while ranks meet in pairs: 8 ranks on each of two hosts find 128 times that one
// host drops what the other sends. So findings of one kind about the same two hosts become one, which says of how many
// pairs it is.
#include "ringside/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_APART_NS INT64_C(1000000000)
#define SUBNETS_COUNTED 64

struct judge {
  const struct rs_placement *placement;
  const struct rs_network_end *ends;
  const struct rs_network_link *links;
  int64_t timeout_ns;
  uint32_t *made; // [from host x hosts + to host]: 1 + the finding of this trouble, 0: none yet
  struct rs_network_findings *findings;
  size_t capacity;
  struct rs_error *error;
};

static uint32_t host_of(const struct judge *judge, size_t rank) {
  return judge->placement->ranks[rank].host;
}

static const struct rs_network_link *link_of(const struct judge *judge, size_t from, size_t to) {
  return &judge->links[from * judge->placement->rank_count + to];
}

// The finding about the hosts of these two ranks, with room for its words; NULL when it is there already, or for lack
// of memory.
static char *find(struct judge *judge, enum rs_network_trouble trouble, size_t rank, size_t peer) {
  struct rs_network_findings *findings = judge->findings;
  uint32_t *made = &judge->made[host_of(judge, rank) * judge->placement->host_count + host_of(judge, peer)];
  if (*made > 0) {
    findings->items[*made - 1].pairs++;
    return NULL;
  }
  if (findings->count == judge->capacity) {
    size_t capacity = 2 * judge->capacity + 16;
    struct rs_network_finding *items = realloc(findings->items, capacity * sizeof *items);
    if (items == NULL) {
      rs_error_set_memory(judge->error, capacity * sizeof *items, "findings of the network check");
      return NULL;
    }
    findings->items = items;
    judge->capacity = capacity;
  }
  struct rs_network_finding *finding = &findings->items[findings->count++];
  *finding =
      (struct rs_network_finding){.trouble = trouble, .rank = (uint32_t)rank, .peer = (uint32_t)peer, .pairs = 1};
  *made = (uint32_t)findings->count;
  return finding->words;
}

#define WORDS_BYTES sizeof((struct rs_network_finding){0}.words)

// ---- addresses --------------------------------------------------------------------------------------------

static enum rs_reach reach_of(const struct rs_network_end *end) {
  return rs_address_reach(end->interface, end->address);
}

static void judge_loopback(struct judge *judge) {
  for (size_t r = 0; r < judge->placement->rank_count; r++) {
    if (judge->placement->host_count < 2 || reach_of(&judge->ends[r]) != RS_REACH_LOOPBACK)
      continue;
    char *words = find(judge, RS_TROUBLE_LOOPBACK, r, r);
    if (words)
      snprintf(words, WORDS_BYTES, "a loopback address, which leads to no other host");
  }
}

// Two machines, not two names of one: containers may share their machine's network.
static bool on_two_machines(const struct judge *judge, size_t a, size_t b) {
  const struct rs_host_facts *hosts = judge->placement->hosts;
  return strcmp(hosts[host_of(judge, a)].boot_id, hosts[host_of(judge, b)].boot_id) != 0;
}

static void judge_same_address(struct judge *judge) {
  for (size_t a = 0; a < judge->placement->rank_count; a++)
    for (size_t b = a + 1; b < judge->placement->rank_count; b++) {
      if (strcmp(judge->ends[a].address, judge->ends[b].address) != 0 || !on_two_machines(judge, a, b) ||
          reach_of(&judge->ends[a]) == RS_REACH_LOOPBACK)
        continue;
      char *words = find(judge, RS_TROUBLE_SAME_ADDRESS, a, b);
      if (words)
        snprintf(words, WORDS_BYTES, "both hosts have this address, on %s and %s", judge->ends[a].interface,
                 judge->ends[b].interface);
    }
}

static void judge_public(struct judge *judge) {
  bool any_private = false;
  for (size_t r = 0; r < judge->placement->rank_count; r++)
    any_private |= reach_of(&judge->ends[r]) == RS_REACH_PRIVATE;
  for (size_t r = 0; any_private && r < judge->placement->rank_count; r++) {
    char *words = reach_of(&judge->ends[r]) == RS_REACH_PUBLIC ? find(judge, RS_TROUBLE_PUBLIC, r, r) : NULL;
    if (words)
      snprintf(words, WORDS_BYTES, "a public address, and private ones elsewhere");
  }
}

// ---- connections ------------------------------------------------------------------------------------------

static enum rs_network_trouble trouble_of(const struct rs_network_link *link) {
  static const enum rs_network_trouble troubles[] = {
      [RS_LINK_FINE] = RS_TROUBLE_COUNT,         [RS_LINK_NO_ANSWER] = RS_TROUBLE_NO_ANSWER,
      [RS_LINK_REFUSED] = RS_TROUBLE_REFUSED,    [RS_LINK_UNREACHABLE] = RS_TROUBLE_UNREACHABLE,
      [RS_LINK_CLOSED] = RS_TROUBLE_HANDSHAKE,   [RS_LINK_SILENT] = RS_TROUBLE_HANDSHAKE,
      [RS_LINK_STRANGER] = RS_TROUBLE_HANDSHAKE, [RS_LINK_SHORT_ONLY] = RS_TROUBLE_SHORT_ONLY,
  };
  return link->state < RS_ARRAY_LENGTH(troubles) ? troubles[link->state] : RS_TROUBLE_HANDSHAKE;
}

static void describe(const struct judge *judge, size_t from, size_t to, char *words) {
  const struct rs_network_link *link = link_of(judge, from, to);
  const char *other = link_of(judge, to, from)->state == RS_LINK_FINE ? "; the other way is open" : "";
  double seconds = (double)judge->timeout_ns / 1e9;
  switch ((enum rs_network_link_state)link->state) {
  case RS_LINK_NO_ANSWER:
    snprintf(words, WORDS_BYTES, "no answer in %.3g s%s", seconds, other);
    return;
  case RS_LINK_REFUSED:
    snprintf(words, WORDS_BYTES, "connection refused%s", other);
    return;
  case RS_LINK_UNREACHABLE:
    snprintf(words, WORDS_BYTES, "%s%s", strerror(link->code), other);
    return;
  case RS_LINK_CLOSED:
    snprintf(words, WORDS_BYTES, "closed in the handshake: %s",
             link->code ? strerror(link->code) : "by the other side");
    return;
  case RS_LINK_SILENT:
    snprintf(words, WORDS_BYTES, "connected, but no word in %.3g s", seconds);
    return;
  case RS_LINK_SHORT_ONLY:
    snprintf(words, WORDS_BYTES,
             "full-size packets are lost, short ones pass (MTU %" PRIu64 " here, %" PRIu64 " there)",
             judge->ends[from].mtu, judge->ends[to].mtu);
    return;
  case RS_LINK_STRANGER:
  case RS_LINK_FINE:
    break;
  }
  snprintf(words, WORDS_BYTES, "who answers there is not of this launch");
}

// Between hosts over a loopback address: whatever came of it, that is why.
static bool in_vain(const struct judge *judge, size_t from, size_t to) {
  return host_of(judge, from) != host_of(judge, to) &&
         (reach_of(&judge->ends[from]) == RS_REACH_LOOPBACK || reach_of(&judge->ends[to]) == RS_REACH_LOOPBACK);
}

static void judge_links(struct judge *judge, enum rs_network_trouble trouble) {
  size_t count = judge->placement->rank_count;
  for (size_t from = 0; from < count; from++)
    for (size_t to = 0; to < count; to++) {
      bool meant = from != to && trouble_of(link_of(judge, from, to)) == trouble && !in_vain(judge, from, to);
      char *words = meant ? find(judge, trouble, from, to) : NULL;
      if (words)
        describe(judge, from, to, words);
    }
}

static void judge_no_answer(struct judge *judge) {
  judge_links(judge, RS_TROUBLE_NO_ANSWER);
}
static void judge_refused(struct judge *judge) {
  judge_links(judge, RS_TROUBLE_REFUSED);
}
static void judge_unreachable(struct judge *judge) {
  judge_links(judge, RS_TROUBLE_UNREACHABLE);
}
static void judge_handshake(struct judge *judge) {
  judge_links(judge, RS_TROUBLE_HANDSHAKE);
}
static void judge_short_only(struct judge *judge) {
  judge_links(judge, RS_TROUBLE_SHORT_ONLY);
}

// ---- MTU and clocks ---------------------------------------------------------------------------------------

static void judge_path_mtu(struct judge *judge) {
  size_t count = judge->placement->rank_count;
  for (size_t from = 0; from < count; from++)
    for (size_t to = 0; to < count; to++) {
      const struct rs_network_link *link = link_of(judge, from, to);
      uint64_t least = judge->ends[from].mtu < judge->ends[to].mtu ? judge->ends[from].mtu : judge->ends[to].mtu;
      bool narrow = from != to && link->mtu > 0 && link->mtu < least;
      char *words = narrow ? find(judge, RS_TROUBLE_PATH_MTU, from, to) : NULL;
      if (words)
        snprintf(words, WORDS_BYTES, "the path has MTU %" PRIu32 ", the interfaces at its ends %" PRIu64, link->mtu,
                 least);
    }
}

// Ranks whose interface has this MTU.
static size_t mtu_ranks(const struct judge *judge, uint64_t mtu) {
  size_t ranks = 0;
  for (size_t r = 0; r < judge->placement->rank_count; r++)
    ranks += judge->ends[r].mtu == mtu;
  return ranks;
}

// The odd ones are those that differ from what most ranks have, or from rank 0 where that is a draw.
static void judge_mtu(struct judge *judge) {
  uint64_t usual = judge->ends[0].mtu;
  size_t most = mtu_ranks(judge, usual);
  for (size_t r = 1; r < judge->placement->rank_count; r++) {
    if (judge->ends[r].mtu == judge->ends[r - 1].mtu)
      continue;
    size_t ranks = mtu_ranks(judge, judge->ends[r].mtu);
    usual = ranks > most ? judge->ends[r].mtu : usual;
    most = rs_max_size(most, ranks);
  }
  for (size_t r = 0; r < judge->placement->rank_count; r++) {
    char *words = judge->ends[r].mtu != usual ? find(judge, RS_TROUBLE_MTU, r, r) : NULL;
    if (words)
      snprintf(words, WORDS_BYTES, "%s has MTU %" PRIu64 ", others have %" PRIu64, judge->ends[r].interface,
               judge->ends[r].mtu, usual);
  }
}

static void judge_clock(struct judge *judge) {
  for (size_t r = 1; r < judge->placement->rank_count; r++) {
    int64_t ahead = judge->ends[r].clock_ns - judge->ends[0].clock_ns;
    bool apart = ahead > CLOCK_APART_NS || ahead < -CLOCK_APART_NS;
    char *words = apart ? find(judge, RS_TROUBLE_CLOCK, r, r) : NULL;
    if (words)
      snprintf(words, WORDS_BYTES, "its clock is %.3g s %s rank 0's", (double)(ahead < 0 ? -ahead : ahead) / 1e9,
               ahead < 0 ? "behind" : "ahead of");
  }
}

// ---- all of it --------------------------------------------------------------------------------------------

static const struct {
  const char *name;
  void (*judge)(struct judge *judge);
  const char *advice; // "%s": the ports
} troubles[RS_TROUBLE_COUNT] = {
    [RS_TROUBLE_LOOPBACK] = {"loopback", judge_loopback,
                             "choose the interface that leads to the other hosts, as in tcp.interface=10.0.0.0/16"},
    [RS_TROUBLE_SAME_ADDRESS] = {"same address", judge_same_address,
                                 "such a network exists on every host by itself (a bridge of containers or virtual "
                                 "machines); choose the real one, as in tcp.interface=10.0.0.0/16"},
    [RS_TROUBLE_PUBLIC] = {"public", judge_public,
                           "traffic leaves the private network through a gateway; choose the private interface on all "
                           "hosts, as in tcp.interface=10.0.0.0/16"},
    [RS_TROUBLE_NO_ANSWER] =
        {"no answer", judge_no_answer,
         "a security group or network ACL that drops? A security group is stateful: allow %s "
         "inbound from the group itself. A network ACL is stateless: allow, in the ACLs of both "
         "subnets, %s and the ephemeral ports 1024-65535 that answers go to, inbound and outbound. "
         "Then the hosts' own firewalls (nft list ruleset)"},
    [RS_TROUBLE_REFUSED] = {"refused", judge_refused,
                            "a firewall of the host that rejects (nft list ruleset), or another host answers at this "
                            "address: open %s; choose another interface with tcp.interface"},
    [RS_TROUBLE_UNREACHABLE] = {"unreachable", judge_unreachable,
                                "no route (ip route get ADDRESS): put the hosts into one virtual network, or peer the "
                                "two, and choose the interface in it with tcp.interface"},
    [RS_TROUBLE_HANDSHAKE] = {"handshake", judge_handshake,
                              "a proxy, a service mesh or another program stands there: leave %s out of it, or choose "
                              "others with tcp.ports=LOW-HIGH"},
    [RS_TROUBLE_SHORT_ONLY] = {"MTU", judge_short_only,
                               "something on the way has a smaller MTU and does not say so: set the smaller one on all "
                               "hosts (ip link set dev eth0 mtu 1500), and let ICMP type 3 code 4 through security "
                               "groups and ACLs. Jumbo frames (9001 on AWS, 8896 on GCP) pass inside one network only"},
    [RS_TROUBLE_PATH_MTU] = {"path MTU", judge_path_mtu,
                             "a peering, VPN or gateway on the way has no jumbo frames, so packets are smaller there; "
                             "put the hosts into one network"},
    [RS_TROUBLE_MTU] = {"MTU differs", judge_mtu,
                        "jumbo against standard frames: set one MTU on all hosts (ip link set "
                        "dev eth0 mtu N)"},
    [RS_TROUBLE_CLOCK] = {"clock", judge_clock,
                          "launches are put in order by these clocks: start chrony (AWS 169.254.169.123, GCP "
                          "metadata.google.internal, Azure /dev/ptp_hyperv)"},
};

enum rs_status rs_network_judge(const struct rs_placement *placement, const struct rs_network_end *ends,
                                const struct rs_network_link *links, int64_t timeout_ns,
                                struct rs_network_findings *findings, struct rs_error *error) {
  size_t hosts = placement->host_count;
  struct judge judge = {.placement = placement,
                        .ends = ends,
                        .links = links,
                        .timeout_ns = timeout_ns,
                        .made = rs_allocate(hosts, hosts * sizeof(uint32_t), "findings of the network check", error),
                        .findings = findings,
                        .error = error};
  *findings = (struct rs_network_findings){0};
  if (judge.made == NULL)
    return error->status;
  for (size_t t = 0; t < RS_TROUBLE_COUNT && error->status == RS_OK; t++) {
    memset(judge.made, 0, hosts * hosts * sizeof *judge.made);
    troubles[t].judge(&judge);
  }
  free(judge.made);
  if (error->status < 0)
    rs_network_findings_fini(findings);
  return error->status;
}

void rs_network_findings_fini(struct rs_network_findings *findings) {
  free(findings->items);
  *findings = (struct rs_network_findings){0};
}

void rs_network_advise(enum rs_network_trouble trouble, const char *ports, struct rs_text *text) {
  const char *advice = troubles[trouble].advice;
  rs_text_append(text, "%s: ", troubles[trouble].name);
  for (const char *hole; (hole = strstr(advice, "%s")) != NULL; advice = hole + 2)
    rs_text_append(text, "%.*s%s", (int)(hole - advice), advice, ports);
  rs_text_append(text, "%s", advice);
}

// ---- praise -----------------------------------------------------------------------------------------------

struct subnet {
  uint8_t bytes[16];
  uint32_t bits;
};

static struct subnet subnet_of(const struct rs_network_end *end) {
  struct subnet subnet = {.bits = end->prefix_bits};
  if (inet_pton(strchr(end->address, ':') ? AF_INET6 : AF_INET, end->address, subnet.bytes) != 1)
    return subnet;
  for (size_t bit = subnet.bits; bit < 8 * sizeof subnet.bytes; bit++)
    subnet.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
  return subnet;
}

static size_t count_subnets(const struct rs_placement *placement, const struct rs_network_end *ends) {
  struct subnet seen[SUBNETS_COUNTED];
  size_t count = 0;
  for (size_t r = 0; r < placement->rank_count && count < SUBNETS_COUNTED; r++) {
    struct subnet subnet = subnet_of(&ends[r]);
    size_t s = 0;
    while (s < count && memcmp(&seen[s], &subnet, sizeof subnet) != 0)
      s++;
    if (s == count)
      seen[count++] = subnet;
  }
  return count;
}

void rs_network_praise(const struct rs_placement *placement, const struct rs_network_end *ends,
                       const struct rs_network_link *links, struct rs_text *text) {
  static const char *const reaches[] = {"", "loopback ", "private ", "public "};
  bool probed = false;
  for (size_t i = 0; i < placement->rank_count * placement->rank_count; i++)
    probed |= links[i].mtu > 0;
  if (probed)
    rs_text_append(text, "MTU %" PRIu64 " both ways, ", ends[0].mtu);
  size_t subnets = count_subnets(placement, ends);
  rs_text_append(text, "%saddresses of %zu subnet%s", reaches[reach_of(&ends[0])], subnets, subnets == 1 ? "" : "s");
  if (placement->host_count > 1)
    rs_text_append(text, ", clocks within a second");
}
