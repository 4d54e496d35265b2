// report_fields: the columns of /cases as a table, so that JSON, CSV, grouping and matching all read one description.
#ifndef RINGSIDE_REPORT_REPORT_FIELDS_H
#define RINGSIDE_REPORT_REPORT_FIELDS_H

#include "ringside/store.h"

// What a field says of its case. All but the last are the case's identity; roles combine by |. A table is made by
// saying which roles keep tables apart, which make its columns, and which its lines.
enum rs_field_role {
  RS_FIELD_FAMILY = 1,   // what is measured, and how
  RS_FIELD_ELEMENT = 2,  // on what: datatype and operation
  RS_FIELD_PLACE = 4,    // in place or out of place
  RS_FIELD_TRAFFIC = 8,  // what the other ranks send meanwhile
  RS_FIELD_COLUMN = 16,  // by what: implementation, transport and their settings
  RS_FIELD_POINT = 32,   // at which size
  RS_FIELD_PAIRING = 64, // point to point: who is with whom
  RS_FIELD_RESULT = 128, // what came out
};
#define RS_FIELD_IDENTITY ((unsigned)RS_FIELD_RESULT - 1)

enum rs_field_kind {
  RS_FIELD_TEXT,
  RS_FIELD_FLAG,
  RS_FIELD_INT8,
  RS_FIELD_INT32,
  RS_FIELD_UINT32,
  RS_FIELD_INT64,
  RS_FIELD_UINT64,
  RS_FIELD_REAL
};

struct rs_field {
  const char *name;
  unsigned role;
  enum rs_field_kind kind;
  size_t offset, bytes;
};
extern const struct rs_field rs_report_fields[]; // in the order of /cases
extern const size_t rs_report_field_count;

// A TEXT field and its length; it need not be NUL-terminated.
const char *rs_field_text(const struct rs_field *field, const struct rs_case_row *row, size_t *length);
// Any integer or flag field. (Values above INT64_MAX do not occur: they are sizes and counts.)
int64_t rs_field_integer(const struct rs_field *field, const struct rs_case_row *row);
double rs_field_real(const struct rs_field *field, const struct rs_case_row *row);

// Orders two rows by one field other than a REAL; 0: they agree. Numbers within texts count as such: "round 2" comes
// before "round 10".
int rs_field_compare(const struct rs_field *field, const struct rs_case_row *left, const struct rs_case_row *right);
// Whether the algorithm was chosen for transport, ranks and size.
bool rs_report_auto(const struct rs_case_row *row);
// Orders two rows by the identity fields of these roles, which come in the order of the enum. An algorithm or a chunk
// that was chosen is like any other one that was.
int rs_report_compare_rows(const struct rs_case_row *left, const struct rs_case_row *right, unsigned roles);

#endif
