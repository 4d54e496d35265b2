#include "report/report_fields.h"

#include <assert.h>
#include <string.h>

#define FIELD(name, role, kind)                                                                                        \
  {                                                                                                                    \
#name, RS_FIELD_##role, RS_FIELD_##kind, offsetof(struct rs_case_row, name),                                       \
        sizeof(((struct rs_case_row *)0)->name)                                                                        \
  }

const struct rs_field rs_report_fields[] = {
    FIELD(case_id, RESULT, UINT32),
    FIELD(finished, RESULT, FLAG),
    FIELD(benchmark, FAMILY, TEXT),
    FIELD(collective, FAMILY, TEXT),
    FIELD(implementation, COLUMN, TEXT),
    FIELD(algorithm, COLUMN, TEXT),
    FIELD(transport, COLUMN, TEXT),
    FIELD(emulated, FAMILY, FLAG),
    FIELD(mode, FAMILY, TEXT),
    FIELD(datatype, ELEMENT, TEXT),
    FIELD(operation, ELEMENT, TEXT),
    FIELD(in_place, PLACE, FLAG),
    FIELD(size_bytes, POINT, UINT64),
    FIELD(count, POINT, UINT64),
    FIELD(rank_count, FAMILY, UINT32),
    FIELD(peer_a, FAMILY, INT32),
    FIELD(peer_b, FAMILY, INT32),
    FIELD(chunk_bytes, COLUMN, UINT64),
    FIELD(lanes, COLUMN, UINT32),
    FIELD(order, FAMILY, TEXT),
    FIELD(iterations, RESULT, UINT32),
    FIELD(batch, RESULT, UINT32),
    FIELD(sample_offset, RESULT, UINT64),
    FIELD(stop_reason, RESULT, TEXT),
    FIELD(verified, RESULT, INT8),
    FIELD(sync_error_ns, RESULT, INT64),
    FIELD(sync_bound_ns, RESULT, INT64),
    FIELD(start, RESULT, TEXT),
    FIELD(warm_up, RESULT, UINT32),
    FIELD(invalid, RESULT, UINT32),
    FIELD(level_shift, RESULT, FLAG),
    FIELD(gap_ns, RESULT, REAL),
    FIELD(after_check_ns, RESULT, REAL),
    FIELD(median_ns, RESULT, REAL),
    FIELD(ci_low_ns, RESULT, REAL),
    FIELD(ci_high_ns, RESULT, REAL),
    FIELD(min_ns, RESULT, REAL),
    FIELD(max_ns, RESULT, REAL),
    FIELD(p95_ns, RESULT, REAL),
    FIELD(p99_ns, RESULT, REAL),
    FIELD(algbw_gb_s, RESULT, REAL),
    FIELD(busbw_gb_s, RESULT, REAL),
    FIELD(root, FAMILY, INT32),
    FIELD(pairing, PAIRING, TEXT),
    FIELD(congestor, TRAFFIC, TEXT),
    FIELD(measured_ranks, FAMILY, UINT32),
    FIELD(slowdown, RESULT, REAL),
    FIELD(cpu_ns, RESULT, REAL),
    FIELD(chunk_auto, COLUMN, FLAG),
};
const size_t rs_report_field_count = RS_ARRAY_LENGTH(rs_report_fields);

static const void *field_data(const struct rs_field *field, const struct rs_case_row *row) {
  return (const char *)row + field->offset;
}

const char *rs_field_text(const struct rs_field *field, const struct rs_case_row *row, size_t *length) {
  assert(field->kind == RS_FIELD_TEXT);
  const char *text = field_data(field, row);
  *length = strnlen(text, field->bytes);
  return text;
}

int64_t rs_field_integer(const struct rs_field *field, const struct rs_case_row *row) {
  assert(field->kind != RS_FIELD_TEXT && field->kind != RS_FIELD_REAL);
  const void *data = field_data(field, row);
  switch (field->kind) {
  case RS_FIELD_FLAG:
    return *(const uint8_t *)data;
  case RS_FIELD_INT8:
    return *(const int8_t *)data;
  case RS_FIELD_INT32:
    return *(const int32_t *)data;
  case RS_FIELD_UINT32:
    return *(const uint32_t *)data;
  case RS_FIELD_INT64:
    return *(const int64_t *)data;
  case RS_FIELD_UINT64:
    return (int64_t) * (const uint64_t *)data;
  case RS_FIELD_TEXT:
  case RS_FIELD_REAL:
    break;
  }
  return 0;
}

double rs_field_real(const struct rs_field *field, const struct rs_case_row *row) {
  assert(field->kind == RS_FIELD_REAL);
  return *(const double *)field_data(field, row);
}

static size_t count_digits(const char *text, size_t bytes) {
  size_t count = 0;
  while (count < bytes && text[count] >= '0' && text[count] <= '9')
    count++;
  return count;
}

// Where two texts part, the longer row of digits is the larger number.
static int compare_texts(const char *a, const char *b, size_t bytes) {
  size_t i = 0;
  while (i < bytes && a[i] == b[i] && a[i] != '\0')
    i++;
  if (i == bytes || a[i] == b[i])
    return 0;
  size_t digits_a = count_digits(a + i, bytes - i), digits_b = count_digits(b + i, bytes - i);
  if (digits_a != digits_b)
    return digits_a < digits_b ? -1 : 1;
  return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

int rs_field_compare(const struct rs_field *field, const struct rs_case_row *left, const struct rs_case_row *right) {
  if (field->kind == RS_FIELD_TEXT)
    return compare_texts(field_data(field, left), field_data(field, right), field->bytes);
  int64_t a = rs_field_integer(field, left), b = rs_field_integer(field, right);
  return (a > b) - (a < b);
}

bool rs_report_auto(const struct rs_case_row *row) {
  return strcmp(row->implementation, "auto") == 0;
}

// Whether a field holds what was chosen for the size, and so tells no case from another.
static bool is_chosen(const struct rs_field *field, const struct rs_case_row *row) {
  return (field->offset == offsetof(struct rs_case_row, algorithm) && rs_report_auto(row)) ||
         (field->offset == offsetof(struct rs_case_row, chunk_bytes) && row->chunk_auto);
}

static int compare_identity(const struct rs_field *field, const struct rs_case_row *left,
                            const struct rs_case_row *right) {
  bool left_chosen = is_chosen(field, left), right_chosen = is_chosen(field, right);
  return left_chosen || right_chosen ? left_chosen - right_chosen : rs_field_compare(field, left, right);
}

int rs_report_compare_rows(const struct rs_case_row *left, const struct rs_case_row *right, unsigned roles) {
  for (unsigned role = RS_FIELD_FAMILY; role < RS_FIELD_RESULT; role *= 2) {
    for (size_t i = 0; (roles & role) != 0 && i < rs_report_field_count; i++) {
      const struct rs_field *field = &rs_report_fields[i];
      int difference = field->role == role ? compare_identity(field, left, right) : 0;
      if (difference != 0)
        return difference;
    }
  }
  return 0;
}
