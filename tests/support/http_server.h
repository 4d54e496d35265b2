// http_server: a thread that answers HTTP on 127.0.0.1 as a table says, or misbehaves. One connection at a time.
#ifndef RS_TEST_HTTP_SERVER_H
#define RS_TEST_HTTP_SERVER_H

#include <stddef.h>

struct http_reply {
  const char *request; // "GET /path"
  const char *body;
  int status;         // 0: 200
  const char *header; // one more header line, NULL: none
  size_t repeat;      // the body is sent so many times; 0: once
};

enum http_manner {
  HTTP_ANSWERS, // what is in no table is 404
  HTTP_SILENT,  // takes the request and never answers
  HTTP_DRIPS,   // a byte each 20 ms
  HTTP_HANGS_UP,
  HTTP_BABBLES, // answers what is no HTTP
};

struct http_script {
  enum http_manner manner;
  int delay_ms; // before each answer
  // A GET must have this header line, or it is refused with this status.
  const char *needed_header;
  int refusal;
  const struct http_reply *replies;
  size_t reply_count;
};

struct http_server;
struct http_server *http_server_start(const struct http_script *script); // the script stays the caller's
void http_server_stop(struct http_server *server);
const char *http_server_endpoint(const struct http_server *server); // "127.0.0.1:PORT"
size_t http_server_requests(struct http_server *server);            // that came until now
// "127.0.0.1:PORT" at which nobody listens. Returns `text`.
char *http_server_nobody(char *text, size_t bytes);

#endif
