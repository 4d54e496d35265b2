#include "topology/http_get.h"

#include "ringside/topology.h"

#ifdef RS_HAVE_CURL

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct rs_http {
  CURL *curl;
  char trouble[CURL_ERROR_SIZE]; // libcurl's words for the last failure
};

// ---- the library ------------------------------------------------------------------------------------------

// Without TLS, which plain HTTP does not need: starting it would read files and take milliseconds.
enum rs_status rs_cloud_init(struct rs_error *error) {
  CURLcode code = curl_global_init(CURL_GLOBAL_NOTHING);
  if (code != CURLE_OK)
    return rs_error_set(error, RS_ERROR_IO, "libcurl cannot start: %s", curl_easy_strerror(code));
  return RS_OK;
}

void rs_cloud_fini(void) {
  curl_global_cleanup();
}

bool rs_cloud_library(char *text, size_t bytes) {
  snprintf(text, bytes, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
  return true;
}

// ---- one question -----------------------------------------------------------------------------------------

// Takes what there is room for. Taking less than was given makes libcurl end the transfer.
static size_t take_body(char *data, size_t size, size_t count, void *state) {
  struct rs_http_answer *answer = state;
  size_t given = size * count, taken = rs_min_size(given, RS_HTTP_BODY_MAX - answer->length);
  memcpy(answer->body + answer->length, data, taken);
  answer->length += taken;
  answer->cut = taken < given;
  return taken;
}

static CURLcode limit_protocol(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
#else
  return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
}

// A name that resolves slowly is looked up by a thread of libcurl's; closing would wait for it, past every limit.
static CURLcode close_quickly(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075700
  return curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#else
  (void)curl;
  return CURLE_OK;
#endif
}

enum rs_status rs_http_open(struct rs_http **http, struct rs_error *error) {
  struct rs_http *made = rs_allocate(1, sizeof(*made), "an HTTP client", error);
  if (!made)
    return error->status;
  CURL *curl = made->curl = curl_easy_init();
  bool ready = curl && limit_protocol(curl) == CURLE_OK && close_quickly(curl) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && // its time limits may not use SIGALRM
               curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringside/" RS_VERSION_STRING) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, made->trouble) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK;
  if (!ready) {
    rs_http_close(made);
    return rs_error_set(error, RS_ERROR_MEMORY, "libcurl cannot make an HTTP client");
  }
  *http = made;
  return RS_OK;
}

void rs_http_close(struct rs_http *http) {
  if (!http)
    return;
  curl_easy_cleanup(http->curl); // NULL is fine
  free(http);
}

static enum rs_status explain(const struct rs_http *http, CURLcode code, const struct rs_http_request *request,
                              bool began, struct rs_error *error) {
  const char *scheme = strstr(request->url, "://"), *host = scheme ? scheme + 3 : request->url;
  int host_length = (int)strcspn(host, "/");
  char limit[32];
  if (code == CURLE_OPERATION_TIMEDOUT)
    return rs_error_set(error, RS_ERROR_TIMEOUT, "%s answer from %.*s within %s", began ? "no whole" : "no",
                        host_length, host, rs_format_ns((double)request->timeout_ns, limit, sizeof(limit)));
  return rs_error_set(error, RS_ERROR_PEER, "no answer from %.*s: %s", host_length, host,
                      http->trouble[0] != '\0' ? http->trouble : curl_easy_strerror(code));
}

enum rs_status rs_http_ask(struct rs_http *http, const struct rs_http_request *request, struct rs_http_answer *answer,
                           struct rs_error *error) {
  CURL *curl = http->curl;
  long status = 0, timeout_ms = (long)((request->timeout_ns + 999999) / 1000000);
  answer->status = 0;
  answer->cut = false;
  answer->length = 0;
  struct curl_slist *headers = NULL;
  if (request->header) {
    headers = curl_slist_append(NULL, request->header);
    if (!headers)
      return rs_error_set_memory(error, strlen(request->header), "an HTTP header");
  }
  http->trouble[0] = '\0';
  // A PUT without a body is a GET by another name.
  bool ready = curl_easy_setopt(curl, CURLOPT_URL, request->url) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) == CURLE_OK;
  CURLcode code = ready ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
  (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
  curl_slist_free_all(headers);
  answer->body[answer->length] = '\0';
  if (code != CURLE_OK && !answer->cut)
    return explain(http, code, request, status != 0, error);
  answer->status = (int)status;
  return RS_OK;
}

#else

enum rs_status rs_cloud_init(struct rs_error *error) {
  (void)error;
  return RS_OK;
}

void rs_cloud_fini(void) {
}

bool rs_cloud_library(char *text, size_t bytes) {
  snprintf(text, bytes, "built without libcurl");
  return false;
}

enum rs_status rs_http_open(struct rs_http **http, struct rs_error *error) {
  (void)http;
  return rs_error_set(
      error, RS_ERROR_UNSUPPORTED,
      "not asked, as this ringside was built without libcurl; install it (Debian: libcurl4-openssl-dev) "
      "and build again with -DRS_CURL=ON");
}

void rs_http_close(struct rs_http *http) {
  (void)http;
}

enum rs_status rs_http_ask(struct rs_http *http, const struct rs_http_request *request, struct rs_http_answer *answer,
                           struct rs_error *error) {
  (void)http, (void)request, (void)answer;
  return rs_error_set(error, RS_ERROR_UNSUPPORTED, "built without libcurl");
}

#endif
