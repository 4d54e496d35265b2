#include "topology/redact.h"

#include "topology/host.h"

#include <ctype.h>
#include <string.h>

// What an identifier looks like: `match` returns the length of one at the start of the text, 0 when there is none.
// A pseudonym is the prefix, "redacted-" and `digits` hexadecimal digits of a hash. Few digits where the identifiers
// are so few that with many digits one could try them all and find the only one that fits.
struct form {
  size_t (*match)(const char *text);
  const char *prefix; // NULL: the identifier's own, up to its first '-'
  int digits;
};

// ---- forms ------------------------------------------------------------------------------------------------

// Length of the run of hexadecimal digits.
static size_t hex_run(const char *text) {
  return strspn(text, "0123456789abcdefABCDEF");
}

static bool ends_here(const char *text) {
  return !isalnum((unsigned char)*text);
}

// Groups of hexadecimal digits of these lengths, a separator between them, and not one more group.
static size_t match_groups(const char *text, const size_t *lengths, size_t count, char separator) {
  const char *at = text;
  for (size_t g = 0; g < count; g++) {
    if (g > 0 && *at++ != separator)
      return 0;
    if (hex_run(at) != lengths[g])
      return 0;
    at += lengths[g];
  }
  bool more = *at == separator && isxdigit((unsigned char)at[1]);
  return ends_here(at) && !more ? (size_t)(at - text) : 0;
}

static size_t match_uuid(const char *text) {
  static const size_t lengths[] = {8, 4, 4, 4, 12};
  return match_groups(text, lengths, RS_ARRAY_LENGTH(lengths), '-');
}

static size_t match_mac(const char *text) {
  static const size_t lengths[] = {2, 2, 2, 2, 2, 2};
  return match_groups(text, lengths, RS_ARRAY_LENGTH(lengths), ':');
}

// "10.0.0.1", and "ip-10-0-0-1" of AWS's host names.
static size_t match_ipv4(const char *text) {
  bool name = strncmp(text, "ip-", 3) == 0;
  const char *at = text + (name ? 3 : 0);
  for (size_t part = 0; part < 4; part++) {
    if (part > 0 && *at++ != (name ? '-' : '.'))
      return 0;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 3)
      return 0;
    at += digits;
  }
  return ends_here(at) ? (size_t)(at - text) : 0;
}

// Up to eight groups of at most four hexadecimal digits; "::" stands for those that are left out.
static size_t match_ipv6(const char *text) {
  size_t length = 0, colons = 0;
  bool gap = false;
  for (size_t digits = hex_run(text); digits <= 4; digits = hex_run(text + length)) {
    gap = gap || (digits == 0 && colons > 0);
    length += digits;
    if (text[length] != ':')
      return (colons == 7 || (gap && length > 2)) && ends_here(text + length) ? length : 0;
    length++;
    colons++;
  }
  return 0;
}

// AWS: a short word, '-', 8 (before 2016) or 17 hexadecimal digits.
static size_t match_resource(const char *text) {
  static const char *const kinds[] = {"i", "eni", "subnet", "vpc", "sg", "h", "pg", "cr", "r", "ami", "vol"};
  for (size_t k = 0; k < RS_ARRAY_LENGTH(kinds); k++) {
    size_t length = strlen(kinds[k]);
    if (strncmp(text, kinds[k], length) != 0 || text[length] != '-')
      continue;
    size_t digits = hex_run(text + length + 1);
    if ((digits == 8 || digits == 17) && ends_here(text + length + 1 + digits))
      return length + 1 + digits;
  }
  return 0;
}

static size_t match_number(const char *text) {
  size_t digits = strspn(text, "0123456789");
  return digits >= 10 && ends_here(text + digits) ? digits : 0;
}

static size_t match_long_number(const char *text) {
  size_t digits = match_number(text);
  return digits >= 16 ? digits : 0;
}

// The first that matches.
static const struct form forms[] = {
    {match_uuid, "", 8},       {match_mac, "mac-", 4},     {match_ipv4, "ip-", 4}, {match_ipv6, "ip-", 4},
    {match_resource, NULL, 8}, {match_long_number, "", 8}, {match_number, "", 4},
};

// ---- pseudonyms -------------------------------------------------------------------------------------------

static size_t find_form(const char *text, const struct form **form) {
  for (size_t f = 0; f < RS_ARRAY_LENGTH(forms); f++) {
    size_t length = forms[f].match(text);
    if (length > 0) {
      *form = &forms[f];
      return length;
    }
  }
  return 0;
}

// FNV-1a, finished by splitmix64's mixer. Case does not count, and "ip-10-0-0-1" is "10.0.0.1".
static uint64_t hash_of(const char *text, size_t length) {
  bool name = strncmp(text, "ip-", 3) == 0;
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = name ? 3 : 0; i < length; i++) {
    char c = (char)tolower((unsigned char)text[i]);
    hash = (hash ^ (unsigned char)(name && c == '-' ? '.' : c)) * UINT64_C(1099511628211);
  }
  return rs_hash64(hash);
}

static void append_pseudonym(struct rs_text *text, const char *value, size_t length, const struct form *form) {
  const char *prefix = form->prefix ? form->prefix : value;
  size_t prefix_length = form->prefix ? strlen(prefix) : strcspn(value, "-") + 1;
  unsigned long long shown = hash_of(value, length) >> (64 - 4 * form->digits);
  rs_text_append(text, "%.*sredacted-%0*llx", (int)prefix_length, prefix, form->digits, shown);
}

void rs_redact_append(struct rs_text *text, const char *words) {
  const char *plain = words; // not yet appended
  for (const char *at = words; *at != '\0';) {
    const struct form *form = NULL;
    size_t length = at == words || !isalnum((unsigned char)at[-1]) ? find_form(at, &form) : 0;
    if (length == 0) {
      at++;
      continue;
    }
    rs_text_append(text, "%.*s", (int)(at - plain), plain);
    append_pseudonym(text, at, length, form);
    at = plain = at + length;
  }
  rs_text_append(text, "%s", plain);
}

void rs_redact_whole(struct rs_text *text, const char *value) {
  static const struct form any = {NULL, "", 8};
  const struct form *form = NULL;
  size_t length = strlen(value);
  if (length > 0)
    append_pseudonym(text, value, length, find_form(value, &form) == length ? form : &any);
}

void rs_redact_field(char *field, size_t field_bytes, bool whole) {
  struct rs_text text = {0};
  if (whole)
    rs_redact_whole(&text, field);
  else
    rs_redact_append(&text, field);
  // Without memory the field is emptied: better unknown than told.
  rs_host_copy_text(field, field_bytes, text.data && !text.failed ? text.data : "");
  rs_text_fini(&text);
}

void rs_host_facts_redact(struct rs_host_facts *facts) {
  rs_redact_field(facts->hostname, sizeof(facts->hostname), false);
  rs_redact_field(facts->instance_id, sizeof(facts->instance_id), true);
  rs_redact_field(facts->network, sizeof(facts->network), true);
  rs_redact_field(facts->subnet, sizeof(facts->subnet), false);
  rs_redact_field(facts->placement_group, sizeof(facts->placement_group), false);
  rs_redact_field(facts->physical_host, sizeof(facts->physical_host), false);
}
