// Answers of a cloud's metadata service. The target stands in for http_get.c: the input is the answers, in the order in
// which they are asked for.
//
//   g200 i-0123\n~200 us-east-1a\n~404 \n~...       first the cloud (a, g, z; in capitals: redacted), then status and
//   body
#include "fuzz/fuzz.h"
#include "ringside/topology.h"
#include "topology/http_get.h"

#include <ctype.h>
#include <string.h>

static const char separator[] = "\n~";

// What is left of the input; of the one reading that goes on.
static struct fuzz_bytes answers;

enum rs_status rs_http_open(struct rs_http **http, struct rs_error *error) {
  (void)error;
  *http = NULL;
  return RS_OK;
}

void rs_http_close(struct rs_http *http) {
  (void)http;
}

enum rs_status rs_http_ask(struct rs_http *http, const struct rs_http_request *request, struct rs_http_answer *answer,
                           struct rs_error *error) {
  (void)http;
  for (const char *c = request->header; c && *c; c++)
    FUZZ_REQUIRE(isprint((unsigned char)*c));
  for (const char *c = request->url; *c; c++)
    FUZZ_REQUIRE(isgraph((unsigned char)*c));
  if (answers.left == 0)
    return rs_error_set(error, RS_ERROR_PEER, "http://cloud: no answer is left");
  const uint8_t *end = memmem(answers.data, answers.left, separator, strlen(separator));
  size_t length = end ? (size_t)(end - answers.data) : answers.left, status_bytes = rs_min_size(length, 4);
  char status[5] = "";
  memcpy(status, answers.data, status_bytes);
  size_t body = rs_min_size(length - status_bytes, RS_HTTP_BODY_MAX);
  answer->status = atoi(status);
  answer->cut = length - status_bytes > body;
  answer->length = body;
  memcpy(answer->body, answers.data + status_bytes, body);
  answer->body[body] = '\0';
  size_t eaten = rs_min_size(length + strlen(separator), answers.left);
  answers.data += eaten;
  answers.left -= eaten;
  return RS_OK;
}

static void require_printable(const struct rs_text *text) {
  FUZZ_REQUIRE(!text->failed);
  for (size_t i = 0; i < text->length; i++)
    FUZZ_REQUIRE(text->data[i] == '\n' || isprint((unsigned char)text->data[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  answers = (struct fuzz_bytes){data, bytes};
  int letter = fuzz_byte(&answers);
  struct rs_cloud_params params = {.cloud = tolower(letter) == 'a'   ? RS_CLOUD_AWS
                                            : tolower(letter) == 'g' ? RS_CLOUD_GCP
                                                                     : RS_CLOUD_AZURE,
                                   .redact = isupper(letter) != 0,
                                   .root = "/nonexistent"};
  struct rs_host_facts facts = {.partition = -1};
  struct rs_text raw = {0}, note = {0};
  enum rs_status status = rs_cloud_read(&params, &facts, &raw, &note);
  require_printable(&raw);
  require_printable(&note);
  FUZZ_REQUIRE((status != RS_OK) == (note.length > 0));
  FUZZ_REQUIRE(note.length == 0 || strchr(note.data, '\n') == NULL);
  if (params.redact)
    rs_host_facts_redact(&facts);
  rs_text_fini(&raw);
  rs_text_fini(&note);
  return 0;
}
