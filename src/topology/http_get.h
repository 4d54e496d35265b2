// http_get: one small question to a metadata service, and its answer. Plain HTTP only, straight to the host in the URL:
// no proxy whatever the environment says, no redirect followed, no more than a given time, no more than 64 KiB. The
// only file that sees libcurl; a ringside without libcurl has these functions too, and rs_http_open says so.
#ifndef TOPOLOGY_HTTP_GET_H
#define TOPOLOGY_HTTP_GET_H

#include "ringside/base.h"

#define RS_HTTP_BODY_MAX ((size_t)64 << 10)

struct rs_http_request {
  const char *method, *url;
  const char *header; // one more header, "Name: value"; NULL: none
  int64_t timeout_ns; // for the whole of it, connecting included; > 0
};
struct rs_http_answer {
  int status;    // 200, 404, ...; 0: none came
  bool cut;      // there was more than `body` holds
  size_t length; // of body, which ends with NUL and holds whatever bytes were sent
  char body[RS_HTTP_BODY_MAX + 1];
};

// A connection that is kept for the next question; for one thread at a time.
struct rs_http;
enum rs_status rs_http_open(struct rs_http **http, struct rs_error *error);
void rs_http_close(struct rs_http *http); // NULL is fine
// Blocks until the answer, whatever its status, or the end of the time. Fails with TIMEOUT, or with PEER: refused,
// broken off, no HTTP. The error names the host and what happened; the caller adds what to do.
enum rs_status rs_http_ask(struct rs_http *http, const struct rs_http_request *request, struct rs_http_answer *answer,
                           struct rs_error *error);

#endif
