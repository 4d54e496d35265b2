// From a description to commands. Names of interfaces are those of the picture in ringside/lab.h.
#include "ringside/lab.h"

#include "lab/subnet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BURST_NS 1600000   // what a token bucket holds; see shape()
#define BURST_BYTES 262144 // at least
#define QUEUE_NS 16000000  // what may wait before it
#define QUEUE_BYTES 2097152
#define UNSHAPED_RATE 40000000000 // about what a veth carries, for the room that a delay needs

// Adds one command, given as one line.
RS_PRINTF(2, 3)
static void add(struct rs_commands *commands, const char *format, ...) {
  char *line = NULL;
  va_list arguments;
  va_start(arguments, format);
  if (vasprintf(&line, format, arguments) < 0)
    line = NULL;
  va_end(arguments);
  struct rs_command *items = realloc(commands->items, (commands->count + 1) * sizeof *items);
  commands->failed = commands->failed || line == NULL || items == NULL;
  if (items != NULL)
    commands->items = items;
  if (!commands->failed) {
    struct rs_command *command = &items[commands->count++];
    *command = (struct rs_command){0};
    rs_command_add(command, "%s", line);
    commands->failed = command->failed;
  }
  free(line);
}

static uint64_t bytes_in(uint64_t rate, int64_t ns) {
  return (uint64_t)((double)rate / 8e9 * (double)ns);
}

// What leaves `device` gets the link's rate, then its delay: a token bucket (tbf), and netem within it.
//
// TCP hands segments of 64 KiB down, which are cut into packets only after the bucket: a bucket that holds little more
// than one is often empty while the timer that fills it is late. 1.6 ms of the rate (1 MB at 5 Gbit/s) is enough; the
// price is that so much passes unshaped after a pause.
static void shape(struct rs_commands *commands, const char *namespace, const char *device,
                  const struct rs_lab_link *link, bool delays, uint64_t mtu) {
  char parent[16] = "root";
  if (link->rate > 0) {
    uint64_t burst = link->burst_bytes > 0 ? link->burst_bytes : bytes_in(link->rate, BURST_NS);
    uint64_t queue = bytes_in(link->rate, QUEUE_NS);
    burst = link->burst_bytes == 0 && burst < BURST_BYTES ? BURST_BYTES : burst;
    queue = queue < QUEUE_BYTES ? QUEUE_BYTES : queue;
    add(commands, "tc -n %s qdisc add dev %s root handle 1: tbf rate %llubit burst %llu limit %llu", namespace, device,
        (unsigned long long)link->rate, (unsigned long long)burst, (unsigned long long)queue);
    snprintf(parent, sizeof parent, "parent 1:1");
  }
  if (!delays || (link->delay_ns == 0 && link->loss <= 0))
    return;
  // Twice what is on its way meanwhile, in packets.
  uint64_t rate = link->rate > 0 ? link->rate : UNSHAPED_RATE;
  uint64_t packets = 1000 + 2 * bytes_in(rate, link->delay_ns + link->jitter_ns) / mtu;
  struct rs_text netem = {0};
  rs_text_append(&netem, "netem limit %llu", (unsigned long long)packets);
  if (link->delay_ns > 0)
    rs_text_append(&netem, " delay %.3fus", (double)link->delay_ns / 1e3);
  if (link->jitter_ns > 0)
    rs_text_append(&netem, " %.3fus", (double)link->jitter_ns / 1e3);
  if (link->loss > 0)
    rs_text_append(&netem, " loss %.6g%%", link->loss * 100);
  commands->failed = commands->failed || netem.failed;
  add(commands, "tc -n %s qdisc add dev %s %s handle 2: %s", namespace, device, parent,
      netem.data != NULL ? netem.data : "");
  rs_text_fini(&netem);
}

static void make_switch(struct rs_commands *commands, const struct rs_lab *lab, const char *ns,
                        const struct rs_subnet *subnet) {
  char address[32];
  rs_subnet_address(subnet, rs_subnet_addresses(subnet) - 1, address, sizeof address);
  add(commands, "ip netns add %s", ns);
  add(commands, "ip -n %s link set lo up", ns);
  for (size_t zone = 0; zone < lab->zones; zone++) {
    add(commands, "ip -n %s link add br%zu type bridge", ns, zone);
    add(commands, "ip -n %s link set br%zu up", ns, zone);
  }
  add(commands, "ip -n %s addr add %s/%u dev br0", ns, address, subnet->bits);
  if (lab->zones < 2)
    return;
  add(commands, "ip -n %s link add trunk0 mtu %llu type veth peer name trunk1 mtu %llu", ns,
      (unsigned long long)lab->mtu, (unsigned long long)lab->mtu);
  for (size_t zone = 0; zone < lab->zones; zone++) {
    char trunk[32];
    snprintf(trunk, sizeof trunk, "trunk%zu", zone);
    add(commands, "ip -n %s link set %s master br%zu up", ns, trunk, zone);
    shape(commands, ns, trunk, &lab->zone, true, lab->mtu);
  }
}

// Both ends of the cable have its rate, so that it is full duplex. The delay is the host's end alone: it is one way.
static void make_host(struct rs_commands *commands, const struct rs_lab *lab, const char *switch_ns, size_t host,
                      const struct rs_subnet *subnet) {
  char name[64], ns[80], address[32], port[32];
  rs_lab_host_name(lab, host, name, sizeof name);
  snprintf(ns, sizeof ns, "rslab-%s", name);
  snprintf(port, sizeof port, "port%zu", host + 1);
  rs_subnet_address(subnet, (uint32_t)host, address, sizeof address);
  add(commands, "ip netns add %s", ns);
  add(commands, "ip -n %s link set lo up", ns);
  add(commands, "ip -n %s link add %s mtu %llu type veth peer name eth0 mtu %llu netns %s", switch_ns, port,
      (unsigned long long)lab->mtu, (unsigned long long)lab->mtu, ns);
  add(commands, "ip -n %s link set %s master br%zu up", switch_ns, port, rs_lab_host_zone(lab, host));
  add(commands, "ip -n %s addr add %s/%u dev eth0", ns, address, subnet->bits);
  add(commands, "ip -n %s link set eth0 up", ns);
  if (lab->congestion.text[0] != '\0')
    add(commands, "ip -n %s route replace %s dev eth0 src %s congctl %s", ns, lab->subnet.text, address,
        lab->congestion.text);
  shape(commands, ns, "eth0", &lab->link, true, lab->mtu);
  shape(commands, switch_ns, port, &lab->link, false, lab->mtu);
}

enum rs_status rs_lab_commands(const struct rs_lab *lab, struct rs_commands *commands, struct rs_error *error) {
  char switch_ns[80];
  struct rs_subnet subnet;
  if (rs_subnet_parse(lab->subnet.text, &subnet, error) < 0)
    return error->status;
  snprintf(switch_ns, sizeof switch_ns, "rslab-%.*s-switch", RS_LAB_NAME_BYTES - 1, lab->name.text);
  make_switch(commands, lab, switch_ns, &subnet);
  for (size_t host = 0; host < lab->hosts; host++)
    make_host(commands, lab, switch_ns, host, &subnet);
  return commands->failed ? rs_error_set_memory(error, 0, "the commands that make a lab") : RS_OK;
}
