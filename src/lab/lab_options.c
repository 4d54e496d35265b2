#include "ringside/lab.h"

#include "lab/subnet.h"

#include <ctype.h>
#include <string.h>

#define FIELD(name) offsetof(struct rs_lab, name)
#define LINK(name) offsetof(struct rs_lab_link, name)

static const struct rs_option lab_table[] = {
    {.name = "name",
     .type = RS_OPTION_STRING,
     .offset = FIELD(name),
     .default_text = "lab",
     .help = "of the lab and, before -h1, -h2, ..., of its hosts: small letters, digits, '-'"},
    {.name = "hosts",
     .type = RS_OPTION_UINT,
     .offset = FIELD(hosts),
     .default_text = "2",
     .minimum = 1,
     .maximum = RS_LAB_HOSTS_MAX,
     .help = "how many"},
    {.name = "ranks",
     .type = RS_OPTION_UINT,
     .offset = FIELD(ranks),
     .default_text = "1",
     .minimum = 1,
     .maximum = 64,
     .help = "per host"},
    {.name = "subnet",
     .type = RS_OPTION_STRING,
     .offset = FIELD(subnet),
     .default_text = "10.77.0.0/24",
     .help = "of the hosts' addresses; mpirun gets the last one"},
    {.name = "mtu",
     .type = RS_OPTION_UINT,
     .offset = FIELD(mtu),
     .default_text = "1500",
     .minimum = 576,
     .maximum = 65535,
     .help = "bytes per packet"},
    {.name = "congestion",
     .type = RS_OPTION_STRING,
     .offset = FIELD(congestion),
     .default_text = "",
     .help = "TCP's congestion control, by route, such as cubic (empty: the system's)"},
    {.name = "zones",
     .type = RS_OPTION_UINT,
     .offset = FIELD(zones),
     .default_text = "1",
     .minimum = 1,
     .maximum = 2,
     .help = "2: the second half of the hosts is on a bridge of its own"},
    {.name = NULL},
};

static const struct rs_option link_table[] = {
    {.name = "rate",
     .type = RS_OPTION_RATE,
     .offset = LINK(rate),
     .default_text = "0",
     .maximum = 400000000000,
     .help = "of whole frames, each way, such as 1Gbit/s (0: not shaped)"},
    {.name = "burst",
     .type = RS_OPTION_SIZE,
     .offset = LINK(burst_bytes),
     .default_text = "0",
     .maximum = 1 << 30,
     .help = "what passes unshaped after a pause (0: 1.6 ms of the rate, at least 256KiB)"},
    {.name = "delay",
     .type = RS_OPTION_DURATION,
     .offset = LINK(delay_ns),
     .default_text = "0",
     .maximum = 10000000000,
     .help = "one way; needs netem, as jitter and loss do"},
    {.name = "jitter",
     .type = RS_OPTION_DURATION,
     .offset = LINK(jitter_ns),
     .default_text = "0",
     .maximum = 10000000000,
     .help = "the delay varies by so much either way"},
    {.name = "loss",
     .type = RS_OPTION_DOUBLE,
     .offset = LINK(loss),
     .default_text = "0",
     .help = "share of packets that are lost, one way, such as 0.1%"},
    {.name = NULL},
};

void rs_lab_bind(struct rs_lab *lab, struct rs_lab_binding *binding) {
  binding->groups[0] = (struct rs_option_group){"", lab_table, lab};
  binding->groups[1] = (struct rs_option_group){"link", link_table, &lab->link};
  binding->groups[2] = (struct rs_option_group){"zone", link_table, &lab->zone};
  binding->options = (struct rs_options){binding->groups, RS_LAB_GROUPS};
}

// ---- check ------------------------------------------------------------------------------------------------

// A word that stands in other names and in commands.
static bool is_word(const char *text, size_t bytes_max) {
  size_t length = strlen(text);
  return length > 0 && length < bytes_max && islower((unsigned char)text[0]) &&
         strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

bool rs_lab_is_name(const char *text) {
  return is_word(text, RS_LAB_NAME_BYTES) && strchr(text, '_') == NULL;
}

static bool link_needs_netem(const struct rs_lab_link *link) {
  return link->delay_ns > 0 || link->jitter_ns > 0 || link->loss > 0;
}

static enum rs_status check_link(const char *group, const struct rs_lab_link *link, struct rs_error *error) {
  if (link->jitter_ns > link->delay_ns)
    return rs_error_set(error, RS_ERROR_USAGE, "%s.jitter is longer than %s.delay, which it varies", group, group);
  if (!(link->loss >= 0 && link->loss < 1))
    return rs_error_set(error, RS_ERROR_USAGE, "%s.loss is a share from 0%% to below 100%%, not %g", group, link->loss);
  // One segment as TCP hands it down, before it is cut into packets.
  if (link->burst_bytes > 0 && link->burst_bytes < 1 << 16)
    return rs_error_set(error, RS_ERROR_USAGE, "%s.burst has to hold a segment of 64KiB, or nothing passes", group);
  return RS_OK;
}

enum rs_status rs_lab_check(const struct rs_lab *lab, struct rs_error *error) {
  struct rs_subnet subnet;
  if (!rs_lab_is_name(lab->name.text))
    return rs_error_set(error, RS_ERROR_USAGE,
                        "'%s' is no name for a lab: a small letter, then small letters, digits and '-', at most %d",
                        lab->name.text, RS_LAB_NAME_BYTES - 1);
  if (lab->congestion.text[0] != '\0' && !is_word(lab->congestion.text, 16))
    return rs_error_set(error, RS_ERROR_USAGE, "congestion: '%s' is no congestion control", lab->congestion.text);
  if (rs_subnet_parse(lab->subnet.text, &subnet, error) < 0)
    return error->status;
  if (lab->hosts + 1 > rs_subnet_addresses(&subnet))
    return rs_error_set(error, RS_ERROR_USAGE, "subnet %s has %u addresses; %u hosts and mpirun need %u",
                        lab->subnet.text, rs_subnet_addresses(&subnet), (unsigned)lab->hosts, (unsigned)lab->hosts + 1);
  if (lab->zones > lab->hosts)
    return rs_error_set(error, RS_ERROR_USAGE, "two zones take at least two hosts");
  if (lab->zones == 1 && (lab->zone.rate > 0 || lab->zone.burst_bytes > 0 || link_needs_netem(&lab->zone)))
    return rs_error_set(error, RS_ERROR_USAGE, "zone.* describes the cable between two zones; set zones to 2");
  if (check_link("link", &lab->link, error) < 0)
    return error->status;
  return check_link("zone", &lab->zone, error);
}

// ---- questions --------------------------------------------------------------------------------------------

bool rs_lab_needs_netem(const struct rs_lab *lab) {
  return link_needs_netem(&lab->link) || link_needs_netem(&lab->zone);
}

static void remove_link_delay(struct rs_lab_link *link) {
  link->delay_ns = link->jitter_ns = 0;
  link->loss = 0;
}

void rs_lab_remove_delay(struct rs_lab *lab) {
  remove_link_delay(&lab->link);
  remove_link_delay(&lab->zone);
}

void rs_lab_host_name(const struct rs_lab *lab, size_t host, char *text, size_t bytes) {
  snprintf(text, bytes, "%s-h%zu", lab->name.text, host + 1);
}

void rs_lab_host_address(const struct rs_lab *lab, size_t host, char *text, size_t bytes) {
  struct rs_subnet subnet;
  struct rs_error error = {0};
  text[0] = '\0';
  if (rs_subnet_parse(lab->subnet.text, &subnet, &error) == RS_OK)
    rs_subnet_address(&subnet, (uint32_t)host, text, bytes);
}

size_t rs_lab_host_zone(const struct rs_lab *lab, size_t host) {
  return host * lab->zones / lab->hosts;
}

void rs_lab_link_words(const struct rs_lab_link *link, char *text, size_t bytes) {
  char delay[32], jitter[32];
  struct rs_text words = {0};
  if (link->rate > 0)
    rs_text_append(&words, ", %g Gbit/s", (double)link->rate / 1e9);
  if (link->delay_ns > 0)
    rs_text_append(&words, ", %s", rs_format_ns((double)link->delay_ns, delay, sizeof delay));
  if (link->jitter_ns > 0)
    rs_text_append(&words, " +- %s", rs_format_ns((double)link->jitter_ns, jitter, sizeof jitter));
  if (link->loss > 0)
    rs_text_append(&words, ", loss %g%%", link->loss * 100);
  snprintf(text, bytes, "%s", words.data != NULL ? words.data + strlen(", ") : "not shaped");
  rs_text_fini(&words);
}
