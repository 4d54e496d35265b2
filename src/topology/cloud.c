// Asks the metadata service of the cloud that this host is in. Answers come from the network, so nothing in them is
// believed to be short, printable or well-formed.
#include "topology/cloud.h"

#include "topology/host.h"
#include "topology/redact.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RAW_MAX ((size_t)256 << 10)
#define SECOND_NS INT64_C(1000000000)

const char *const rs_cloud_names[] = {"auto", "off", "aws", "gcp", "azure", NULL};

static const struct rs_cloud_source *const sources[] = {&rs_cloud_aws, &rs_cloud_gcp, &rs_cloud_azure};

// ---- what goes wrong --------------------------------------------------------------------------------------

void rs_cloud_trouble(struct rs_cloud_session *session, enum rs_status status, const char *format, ...) {
  if (session->status != RS_OK)
    return;
  char text[1600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  session->status = status;
  rs_text_append(session->note, "%s metadata: %s", session->source->title, text);
}

static const char *meaning(int status) {
  switch (status) {
  case 401:
    return "not authorised";
  case 403:
    return "forbidden";
  case 404:
    return "no such thing";
  case 429:
  case 503:
    return "too busy";
  default:
    return status >= 300 && status < 400 ? "elsewhere, which is not followed" : "unexpected";
  }
}

// Trouble with an answer that came. A service that is busy, or fails in one thing, is asked for the next; one that
// refuses, sends elsewhere, or does not know what every instance has, is not.
static void judge_status(struct rs_cloud_session *session, const char *question, bool needed) {
  int status = session->answer->status;
  if (status == 404 && !needed)
    return;
  rs_cloud_trouble(session, RS_ERROR_PEER, "%s was answered with %d (%s); %s", question, status, meaning(status),
                   session->source->advice);
  session->stopped = status == 401 || status == 403 || status == 404 || (status >= 300 && status < 400);
}

// ---- text -------------------------------------------------------------------------------------------------

// Drops control characters but the newline; a tab is a blank, and what is not ASCII a question mark.
static void make_printable(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    unsigned char c = (unsigned char)*from;
    if (c == '\n' || (c >= ' ' && c < 0x7f))
      *to++ = *from;
    else if (c == '\t' || c >= 0x80)
      *to++ = c == '\t' ? ' ' : '?';
  }
  *to = '\0';
}

void rs_cloud_copy_line(char *field, size_t field_bytes, const char *text) {
  char line[256];
  text += strspn(text, " \t\r\n");
  snprintf(line, sizeof(line), "%.*s", (int)rs_min_size(strcspn(text, "\n"), sizeof(line)), text);
  make_printable(line);
  size_t length = strlen(line);
  while (length > 0 && line[length - 1] == ' ')
    length--;
  line[length] = '\0';
  rs_host_copy_text(field, field_bytes, line);
}

bool rs_cloud_number(const char *text, int32_t *number) {
  char *end = NULL;
  long value = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1; // saturates
  if (value < 0 || value > INT32_MAX || end[strspn(end, " \r\n")] != '\0')
    return false;
  *number = (int32_t)value;
  return true;
}

// ---- raw answers ------------------------------------------------------------------------------------------

static void record_line(struct rs_cloud_session *session, const char *indent, const char *line, size_t length) {
  static const char more[] = "(the rest is left out: 256 KiB are full)\n";
  struct rs_text *raw = session->raw;
  if (session->raw_full)
    return;
  size_t used = raw->length - session->raw_start + sizeof(more);
  session->raw_full = used + strlen(indent) + length + 1 > RAW_MAX;
  if (session->raw_full)
    rs_text_append(raw, "%s", more);
  else
    rs_text_append(raw, "%s%.*s\n", indent, (int)length, line);
}

static void record_lines(struct rs_cloud_session *session, const char *indent, const char *text) {
  struct rs_text redacted = {0};
  if (session->params->redact) {
    rs_redact_append(&redacted, text);
    text = redacted.data && !redacted.failed ? redacted.data : "(out of memory)";
  }
  for (const char *line = text; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    record_line(session, indent, line, length);
    line += length + (line[length] == '\n');
  }
  rs_text_fini(&redacted);
}

void rs_cloud_record(struct rs_cloud_session *session, char *text) {
  make_printable(text);
  record_lines(session, "  ", text);
}

// "projects/123456789012/networks/mine": what stands before the name is redacted as any text.
static void record_named(struct rs_cloud_session *session, char *text) {
  struct rs_text line = {0};
  char name[256];
  make_printable(text);
  char *slash = strrchr(text, '/'), *start = slash ? slash + 1 : text;
  rs_cloud_copy_line(name, sizeof(name), start);
  if (session->params->redact) {
    *start = '\0';
    rs_text_append(&line, "%s", text);
    rs_redact_whole(&line, name);
    record_lines(session, "  ", line.data && !line.failed ? line.data : "(out of memory)");
    rs_text_fini(&line);
  } else
    record_lines(session, "  ", text);
}

// ---- questions --------------------------------------------------------------------------------------------

// Redacted already.
static void record_question(struct rs_cloud_session *session, const char *question, const char *outcome) {
  char line[1600];
  int length = snprintf(line, sizeof(line), "%s: %s", question, outcome);
  record_line(session, "", line, (size_t)length);
}

bool rs_cloud_ask(struct rs_cloud_session *session, const char *method, const char *path, bool needed) {
  char url[640], question[400], limit[32], outcome[64];
  if (session->stopped)
    return false;
  int64_t left_ns = session->deadline_ns - rs_clock_ns();
  if (left_ns <= 0) {
    rs_cloud_trouble(session, RS_ERROR_TIMEOUT, "not all was answered within %s; what was is kept",
                     rs_format_ns((double)session->total_ns, limit, sizeof(limit)));
    session->stopped = true;
    return false;
  }
  snprintf(url, sizeof(url), "%s%s", session->endpoint, path);
  snprintf(question, sizeof(question), "%s %s", method, path);
  if (session->params->redact)
    rs_redact_field(question, sizeof(question), false);
  struct rs_http_request request = {.method = method,
                                    .url = url,
                                    .header = session->header,
                                    .timeout_ns = left_ns < session->timeout_ns ? left_ns : session->timeout_ns};
  struct rs_error error = {0};
  if (rs_http_ask(session->http, &request, session->answer, &error) < 0) {
    make_printable(error.text); // libcurl may quote what it got
    error.text[strcspn(error.text, "\n")] = '\0';
    record_question(session, question, error.text);
    rs_cloud_trouble(session, error.status, "%s; %s", error.text, session->source->advice);
    session->stopped = true;
    return false;
  }
  snprintf(outcome, sizeof(outcome), "%d%s", session->answer->status,
           session->answer->cut ? ", more than 64 KiB, which is not believed" : "");
  record_question(session, question, outcome);
  if (session->answer->cut)
    rs_cloud_trouble(session, RS_ERROR_PEER, "%s was answered with more than 64 KiB, which is not believed; %s",
                     question, session->source->advice);
  else if (session->answer->status == 200)
    return true;
  else
    judge_status(session, question, needed);
  return false;
}

bool rs_cloud_fetch(struct rs_cloud_session *session, const char *path) {
  if (!rs_cloud_ask(session, "GET", path, false))
    return false;
  rs_cloud_record(session, session->answer->body);
  return true;
}

void rs_cloud_read_fields(struct rs_cloud_session *session, const char *prefix, const struct rs_cloud_field *fields,
                          size_t count) {
  for (size_t f = 0; f < count; f++) {
    const struct rs_cloud_field *field = &fields[f];
    char path[256], *body = session->answer->body;
    snprintf(path, sizeof(path), "%s%s", prefix, field->path);
    if (!rs_cloud_ask(session, "GET", path, field->needed))
      continue;
    const char *slash = field->last ? strrchr(body, '/') : NULL;
    rs_cloud_copy_line((char *)session->facts + field->offset, field->bytes, slash ? slash + 1 : body);
    if (field->named)
      record_named(session, body);
    else
      rs_cloud_record(session, body);
  }
}

// ---- one reading ------------------------------------------------------------------------------------------

static const struct rs_cloud_source *find_source(const struct rs_cloud_params *params,
                                                 const struct rs_host_facts *facts) {
  for (size_t s = 0; s < RS_ARRAY_LENGTH(sources); s++)
    if (params->cloud == sources[s]->cloud ||
        (params->cloud == RS_CLOUD_AUTO && strcmp(facts->cloud, rs_cloud_names[sources[s]->cloud]) == 0))
      return sources[s];
  return NULL;
}

// Not redacted: the address of a metadata service is nobody's.
static void record_heading(struct rs_cloud_session *session) {
  char heading[320];
  int length = snprintf(heading, sizeof(heading), "%s metadata of %s", session->source->title, session->endpoint);
  record_line(session, "", heading, (size_t)length);
}

// "HOST:PORT" and "http://HOST:PORT/" are both common.
static bool choose_endpoint(struct rs_cloud_session *session) {
  const struct rs_cloud_source *source = session->source;
  const char *given = session->params->endpoints[source->cloud];
  if (!given && source->environment)
    given = getenv(source->environment);
  if (!given || given[0] == '\0')
    given = source->endpoint;
  int length =
      snprintf(session->endpoint, sizeof(session->endpoint), "%s%s", strstr(given, "://") ? "" : "http://", given);
  if (length >= (int)sizeof(session->endpoint)) {
    rs_cloud_trouble(session, RS_ERROR_USAGE, "not asked, as its endpoint has %d characters; look at %s", length,
                     source->environment ? source->environment : "the configuration");
    return false;
  }
  while (length > 0 && session->endpoint[length - 1] == '/')
    session->endpoint[--length] = '\0';
  return true;
}

enum rs_status rs_cloud_read(const struct rs_cloud_params *params, struct rs_host_facts *facts, struct rs_text *raw,
                             struct rs_text *note) {
  struct rs_cloud_session session = {.source = find_source(params, facts),
                                     .params = params,
                                     .facts = facts,
                                     .timeout_ns = params->timeout_ns > 0 ? params->timeout_ns : SECOND_NS,
                                     .total_ns = params->total_ns > 0 ? params->total_ns : 3 * SECOND_NS,
                                     .raw = raw,
                                     .note = note,
                                     .raw_start = raw->length};
  struct rs_error error = {0};
  if (!session.source)
    return RS_OK;
  rs_host_copy_text(facts->cloud, sizeof(facts->cloud), rs_cloud_names[session.source->cloud]);
  session.answer = rs_allocate(1, sizeof(*session.answer), "a metadata answer", &error);
  if (!session.answer) {
    rs_cloud_trouble(&session, error.status, "%s", error.text);
    return session.status;
  }
  // A reader also reads files, so it runs even where nothing can be asked.
  session.stopped = !choose_endpoint(&session);
  if (rs_http_open(&session.http, &error) < 0) {
    rs_cloud_trouble(&session, error.status, "%s", error.text);
    session.stopped = true;
  }
  if (!session.stopped)
    record_heading(&session);
  session.deadline_ns = rs_clock_ns() + session.total_ns;
  session.source->read(&session);
  rs_http_close(session.http);
  free(session.answer);
  return session.status;
}
