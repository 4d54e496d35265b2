#include "support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_server {
  const struct http_script *script;
  char endpoint[32];
  int listener, stop; // stop: an eventfd, readable when the thread is to end
  pthread_t thread;
  atomic_size_t requests;
};

static int listen_locally(char *endpoint, size_t bytes) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(listener >= 0);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
  snprintf(endpoint, bytes, "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
  return listener;
}

// True when `file` can be read; false when the server is to stop, or after timeout_ms (-1: never).
static bool readable(struct http_server *server, int file, int timeout_ms) {
  struct pollfd files[] = {{.fd = server->stop, .events = POLLIN}, {.fd = file, .events = POLLIN}};
  return poll(files, 2, timeout_ms) > 0 && files[0].revents == 0;
}

// True when it is to go on after so long.
static bool pause_ms(struct http_server *server, int ms) {
  struct pollfd stop = {.fd = server->stop, .events = POLLIN};
  return poll(&stop, 1, ms) == 0;
}

static bool send_all(struct http_server *server, int connection, const char *data, size_t bytes) {
  bool drips = server->script->manner == HTTP_DRIPS;
  while (bytes > 0) {
    if (drips && !pause_ms(server, 20))
      return false;
    ssize_t sent = send(connection, data, drips ? 1 : bytes, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    data += sent;
    bytes -= (size_t)sent;
  }
  return true;
}

static const struct http_reply *find_reply(const struct http_script *script, const char *request) {
  static const struct http_reply absent = {.body = "no such thing\n", .status = 404}, refused = {.body = ""};
  if (script->needed_header && strncmp(request, "GET ", 4) == 0 && !strstr(request, script->needed_header))
    return &refused;
  for (size_t r = 0; r < script->reply_count; r++) {
    size_t length = strlen(script->replies[r].request);
    if (strncmp(request, script->replies[r].request, length) == 0 && request[length] == ' ')
      return &script->replies[r];
  }
  return &absent;
}

static bool answer(struct http_server *server, int connection, const char *request) {
  const struct http_script *script = server->script;
  const struct http_reply *reply = find_reply(script, request);
  size_t repeat = reply->repeat > 0 ? reply->repeat : 1;
  int status = reply->status > 0 ? reply->status : reply->request ? 200 : script->refusal;
  char head[512];
  if (script->manner == HTTP_SILENT || !pause_ms(server, script->delay_ms))
    return pause_ms(server, -1);
  if (script->manner == HTTP_HANGS_UP)
    return false;
  if (script->manner == HTTP_BABBLES) {
    static const char babble[] = "220 mail.example.org ESMTP\r\n";
    (void)send_all(server, connection, babble, sizeof(babble) - 1);
    return false;
  }
  int length = snprintf(head, sizeof(head), "HTTP/1.1 %d Some Words\r\nContent-Length: %zu\r\n%s%s\r\n", status,
                        strlen(reply->body) * repeat, reply->header ? reply->header : "", reply->header ? "\r\n" : "");
  if (!send_all(server, connection, head, (size_t)length))
    return false;
  for (size_t i = 0; i < repeat; i++)
    if (!send_all(server, connection, reply->body, strlen(reply->body)))
      return false;
  return true;
}

// Questions have no body, so each ends with its empty line; and the client asks the next only after the answer.
static void serve(struct http_server *server, int connection) {
  char request[4096];
  size_t length = 0;
  while (readable(server, connection, -1)) {
    ssize_t got = recv(connection, request + length, sizeof(request) - 1 - length, 0);
    if (got <= 0)
      return;
    length += (size_t)got;
    request[length] = '\0';
    if (!strstr(request, "\r\n\r\n"))
      continue;
    atomic_fetch_add(&server->requests, 1);
    if (!answer(server, connection, request))
      return;
    length = 0;
  }
}

static void *run(void *state) {
  struct http_server *server = state;
  while (readable(server, server->listener, -1)) {
    int connection = accept(server->listener, NULL, NULL);
    if (connection < 0)
      continue;
    int on = 1; // else a body would wait for the acknowledgement of its head, 40 ms
    (void)setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    serve(server, connection);
    close(connection);
  }
  return NULL;
}

struct http_server *http_server_start(const struct http_script *script) {
  struct http_server *server = calloc(1, sizeof(*server));
  assert_non_null(server);
  server->script = script;
  server->listener = listen_locally(server->endpoint, sizeof(server->endpoint));
  assert_int_equal(listen(server->listener, 4), 0);
  server->stop = eventfd(0, EFD_CLOEXEC);
  assert_true(server->stop >= 0);
  assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
  return server;
}

void http_server_stop(struct http_server *server) {
  uint64_t one = 1;
  assert_int_equal(write(server->stop, &one, sizeof(one)), sizeof(one));
  assert_int_equal(pthread_join(server->thread, NULL), 0);
  close(server->listener);
  close(server->stop);
  free(server);
}

const char *http_server_endpoint(const struct http_server *server) {
  return server->endpoint;
}

size_t http_server_requests(struct http_server *server) {
  return atomic_load(&server->requests);
}

char *http_server_nobody(char *text, size_t bytes) {
  int listener = listen_locally(text, bytes);
  close(listener);
  return text;
}
