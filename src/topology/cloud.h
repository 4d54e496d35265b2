// cloud: what the readers of the single clouds share. A reader asks questions one after the other, each within the time
// that is left; after trouble that further questions would meet too, they are no longer sent.
#ifndef TOPOLOGY_CLOUD_H
#define TOPOLOGY_CLOUD_H

#include "ringside/topology.h"
#include "topology/http_get.h"

struct rs_cloud_session;

// A cloud. cloud.c holds the table of them.
struct rs_cloud_source {
  enum rs_cloud cloud;
  const char *title;       // "AWS"
  const char *environment; // a variable that names the endpoint, NULL: none
  const char *endpoint;    // the cloud's own
  const char *advice;      // what to look at when it does not answer
  void (*read)(struct rs_cloud_session *session);
};
extern const struct rs_cloud_source rs_cloud_aws, rs_cloud_gcp, rs_cloud_azure;

struct rs_cloud_session {
  const struct rs_cloud_source *source;
  const struct rs_cloud_params *params;
  struct rs_host_facts *facts;
  char header[640]; // sent with each question
  struct rs_http *http;
  struct rs_http_answer *answer; // to the last question
  char endpoint[256];
  int64_t timeout_ns, total_ns, deadline_ns;
  struct rs_text *raw, *note;
  size_t raw_start; // length of raw at the start
  bool raw_full;
  bool stopped; // nothing more is asked
  enum rs_status status;
};

// Asks; true when the answer is 200 and whole. 404 says that there is no such thing, which is trouble only if it is
// `needed`. The path and the status go into raw, the answer does not.
bool rs_cloud_ask(struct rs_cloud_session *session, const char *method, const char *path, bool needed);
// Appends lines to raw, indented, redacted if asked for, within the limit. `text` is made printable in place.
void rs_cloud_record(struct rs_cloud_session *session, char *text);
// Sets the status and the note if this is the first trouble.
void rs_cloud_trouble(struct rs_cloud_session *session, enum rs_status status, const char *format, ...) RS_PRINTF(3, 4);

// Copies the first line of an answer, printable ASCII only ('?' for what is not), without blanks at its ends.
void rs_cloud_copy_line(char *field, size_t field_bytes, const char *text);
// The number that an answer is; false when it is none, or more than an int32_t holds.
bool rs_cloud_number(const char *text, int32_t *number);

// Questions whose answers are one fact each.
struct rs_cloud_field {
  const char *path;     // behind the common prefix
  size_t offset, bytes; // of the field in struct rs_host_facts
  bool needed;
  bool last;  // the fact is what follows the last '/'
  bool named; // that is a name of somebody's, to be redacted as a whole
};
#define RS_CLOUD_FIELD(field) offsetof(struct rs_host_facts, field), sizeof(((struct rs_host_facts *)NULL)->field)
void rs_cloud_read_fields(struct rs_cloud_session *session, const char *prefix, const struct rs_cloud_field *fields,
                          size_t count);
// One question: asks, records the answer, and leaves it in session->answer->body.
bool rs_cloud_fetch(struct rs_cloud_session *session, const char *path);

#endif
