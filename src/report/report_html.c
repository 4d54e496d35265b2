// The page is a template with one place for data: a JSON object in a script element that no browser runs. Text in a
// result (labels, hostnames, paths) is of others and must stay data: JSON keeps it inside its strings, and what could
// end the element or begin a comment in it ("</script>", "<!--") has no '<' left, as that is written \u003c. The rest
// is up to the page, which never makes HTML of text, and runs no script but its own (its policy holds their hash).
#include "report/page_asset.h"
#include "report/page_data.h"
#include "ringside/report.h"

#include <errno.h>
#include <string.h>

// Iterations embedded at most, about 12 bytes each; beyond that every second, third, ... one.
#define ITERATIONS_MAX 1000000
#define DIGITS 9

enum rs_status rs_report_html_ready(struct rs_error *error) {
  if (rs_page_asset_bytes == 0)
    return rs_error_set(error, RS_ERROR_UNSUPPORTED, "this ringside was built without the page: %s",
                        rs_page_asset_missing);
  return RS_OK;
}

bool rs_report_page_library(char *text, size_t bytes) {
  bool built = rs_page_asset_bytes > 0;
  snprintf(text, bytes, "%s", built ? "Apache ECharts " RS_ECHARTS_VERSION : "built without the page");
  return built;
}

static uint64_t count_iterations(const struct rs_result_list *list) {
  uint64_t count = 0;
  for (size_t r = 0; r < list->count; r++)
    for (size_t c = 0; c < list->results[r]->case_count; c++)
      if (list->results[r]->cases[c].finished)
        count += list->results[r]->cases[c].iterations;
  return count;
}

static enum rs_status print_comparison(const void *subject, FILE *file, struct rs_error *error) {
  return rs_comparison_json(subject, file, error);
}

static json_t *make_files(const struct rs_report_page *page, size_t stride, uint64_t *kept, struct rs_error *error) {
  const struct rs_result_list *lists[] = {&page->results, &page->candidate};
  json_t *files = json_array();
  for (size_t l = 0; l < RS_ARRAY_LENGTH(lists); l++)
    for (size_t r = 0; r < lists[l]->count && error->status == RS_OK; r++)
      rs_json_append(&files, rs_page_data_make(lists[l]->results[r], stride, kept, error));
  return files;
}

// NULL after an error.
static json_t *make_data(const struct rs_report_page *page, struct rs_error *error) {
  uint64_t total = count_iterations(&page->results) + count_iterations(&page->candidate), kept = 0;
  size_t stride = total > ITERATIONS_MAX ? rs_divide_up((size_t)total, ITERATIONS_MAX) : 1;
  char now[24];
  rs_clock_utc(now, sizeof now);
  json_t *root = json_object();
  rs_json_set(&root, "ringside_version", json_string(RS_VERSION_STRING));
  rs_json_set(&root, "made", json_string(now));
  rs_json_set(&root, "baseline_count", rs_json_integer(page->results.count));
  rs_json_set(&root, "files", make_files(page, stride, &kept, error));
  if (error->status == RS_OK && page->comparison != NULL)
    rs_json_set(&root, "comparison", rs_page_data_parse(print_comparison, page->comparison, error));
  rs_json_set(&root, "stride", rs_json_integer(stride));
  rs_json_set(&root, "iterations", rs_json_integer(total));
  rs_json_set(&root, "iterations_kept", rs_json_integer(kept));
  if (root == NULL && error->status == RS_OK)
    rs_error_set(error, RS_ERROR_MEMORY, "writing the report: out of memory");
  if (error->status != RS_OK) {
    json_decref(root);
    return NULL;
  }
  return root;
}

static int write_escaped(const char *text, size_t length, void *file) {
  for (size_t end; length > 0; text += end, length -= end) {
    for (end = 0; end < length && text[end] != '<' && text[end] != '>' && text[end] != '&';)
      end++;
    if (fwrite(text, 1, end, file) != end)
      return -1;
    if (end < length && fprintf(file, "\\u%04x", (unsigned char)text[end++]) < 0)
      return -1;
  }
  return 0;
}

enum rs_status rs_report_html(const struct rs_report_page *page, FILE *file, struct rs_error *error) {
  if (rs_report_html_ready(error) < 0)
    return error->status;
  const unsigned char *mark = memmem(rs_page_asset, rs_page_asset_bytes, RS_PAGE_DATA_MARK, strlen(RS_PAGE_DATA_MARK));
  if (mark == NULL)
    return rs_error_set(error, RS_ERROR_INTERNAL, "writing the report: its page has no place for data");
  json_t *data = make_data(page, error);
  if (data == NULL)
    return error->status;
  size_t head = (size_t)(mark - rs_page_asset), tail = rs_page_asset_bytes - head - strlen(RS_PAGE_DATA_MARK);
  errno = 0;
  // ASCII only: U+2028 and the like, which end a line in old JavaScript, are escaped too.
  bool written = fwrite(rs_page_asset, 1, head, file) == head &&
                 json_dump_callback(data, write_escaped, file,
                                    JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(DIGITS)) == 0 &&
                 fwrite(mark + strlen(RS_PAGE_DATA_MARK), 1, tail, file) == tail && fflush(file) == 0;
  int code = errno != 0 ? errno : EIO;
  json_decref(data);
  return written ? RS_OK : rs_error_set_errno(error, RS_ERROR_IO, code, "writing the report");
}
