#include "store/row_type.h"
#include "ringside/store.h"
#include "store/h5error.h"
#include "store/h5file.h"

#include <string.h>

#define ROW_BYTES_MAX (1u << 20) // far more than any row has

_Static_assert(sizeof(bool) == 1, "a bool is read as one byte");

// The kind follows from the member's own type, so that table and struct cannot disagree.
#define MEMBER(row, member) (((struct row *)0)->member)
#define FIELD_KIND(value)                                                                                              \
  _Generic((value),                                                                                                    \
      char *: RS_FIELD_TEXT,                                                                                           \
      bool: RS_FIELD_BOOL,                                                                                             \
      uint8_t: RS_FIELD_UINT8,                                                                                         \
      int8_t: RS_FIELD_INT8,                                                                                           \
      uint32_t: RS_FIELD_UINT32,                                                                                       \
      int32_t: RS_FIELD_INT32,                                                                                         \
      uint64_t: RS_FIELD_UINT64,                                                                                       \
      int64_t: RS_FIELD_INT64,                                                                                         \
      double: RS_FIELD_DOUBLE)
#define FIELD(row, member)                                                                                             \
  { #member, offsetof(struct row, member), sizeof MEMBER(row, member), FIELD_KIND(MEMBER(row, member)) }
#define ROW_TYPE(name, row, fields)                                                                                    \
  { name, sizeof(struct row), fields, RS_ARRAY_LENGTH(fields) }

static const struct rs_field host_fields[] = {
    FIELD(rs_host_facts, hostname),
    FIELD(rs_host_facts, boot_id),
    FIELD(rs_host_facts, cloud),
    FIELD(rs_host_facts, instance_type),
    FIELD(rs_host_facts, region),
    FIELD(rs_host_facts, zone),
    FIELD(rs_host_facts, placement_group),
    FIELD(rs_host_facts, network_path),
    FIELD(rs_host_facts, partition),
    FIELD(rs_host_facts, cpu),
    FIELD(rs_host_facts, cores),
    FIELD(rs_host_facts, processing_units),
    FIELD(rs_host_facts, numa_nodes),
    FIELD(rs_host_facts, memory_bytes),
    FIELD(rs_host_facts, memory_available_bytes),
    FIELD(rs_host_facts, kernel),
    FIELD(rs_host_facts, congestion_control),
    FIELD(rs_host_facts, instance_id),
    FIELD(rs_host_facts, zone_id),
    FIELD(rs_host_facts, physical_host),
    FIELD(rs_host_facts, network),
    FIELD(rs_host_facts, subnet),
};
const struct rs_row_type rs_host_row_type = ROW_TYPE("hosts", rs_host_facts, host_fields);

static const struct rs_field rank_fields[] = {
    FIELD(rs_rank_facts, host), FIELD(rs_rank_facts, local_rank), FIELD(rs_rank_facts, local_ranks),
    FIELD(rs_rank_facts, cpus), FIELD(rs_rank_facts, bound),      FIELD(rs_rank_facts, numa_node),
    FIELD(rs_rank_facts, pid),  FIELD(rs_rank_facts, binding),
};
const struct rs_row_type rs_rank_row_type = ROW_TYPE("ranks", rs_rank_facts, rank_fields);

static const struct rs_field device_fields[] = {
    FIELD(rs_device_row, rank),       FIELD(rs_device_row, transport), FIELD(rs_device_row, interface),
    FIELD(rs_device_row, address),    FIELD(rs_device_row, driver),    FIELD(rs_device_row, congestion),
    FIELD(rs_device_row, speed_mbit), FIELD(rs_device_row, mtu),       FIELD(rs_device_row, firmware),
    FIELD(rs_device_row, gid),        FIELD(rs_device_row, pci),       FIELD(rs_device_row, port),
    FIELD(rs_device_row, numa_node),
};
const struct rs_row_type rs_device_row_type = ROW_TYPE("rank_devices", rs_device_row, device_fields);

static const struct rs_field link_fields[] = {
    FIELD(rs_link_row, source),   FIELD(rs_link_row, target), FIELD(rs_link_row, transport),
    FIELD(rs_link_row, delay_ns), FIELD(rs_link_row, min_ns),
};
const struct rs_row_type rs_link_row_type = ROW_TYPE("links", rs_link_row, link_fields);

static const struct rs_field environment_fields[] = {
    FIELD(rs_environment_row, host),
    FIELD(rs_environment_row, key),
    FIELD(rs_environment_row, value),
};
const struct rs_row_type rs_environment_row_type = ROW_TYPE("environment", rs_environment_row, environment_fields);

static const struct rs_field counter_fields[] = {
    FIELD(rs_counter_row, host),   FIELD(rs_counter_row, rank),  FIELD(rs_counter_row, name),
    FIELD(rs_counter_row, before), FIELD(rs_counter_row, after),
};
const struct rs_row_type rs_counter_row_type = ROW_TYPE("counters", rs_counter_row, counter_fields);

static const struct rs_field case_fields[] = {
    FIELD(rs_case_row, case_id),        FIELD(rs_case_row, finished),       FIELD(rs_case_row, benchmark),
    FIELD(rs_case_row, collective),     FIELD(rs_case_row, implementation), FIELD(rs_case_row, algorithm),
    FIELD(rs_case_row, transport),      FIELD(rs_case_row, emulated),       FIELD(rs_case_row, mode),
    FIELD(rs_case_row, datatype),       FIELD(rs_case_row, operation),      FIELD(rs_case_row, in_place),
    FIELD(rs_case_row, size_bytes),     FIELD(rs_case_row, count),          FIELD(rs_case_row, rank_count),
    FIELD(rs_case_row, peer_a),         FIELD(rs_case_row, peer_b),         FIELD(rs_case_row, chunk_bytes),
    FIELD(rs_case_row, lanes),          FIELD(rs_case_row, order),          FIELD(rs_case_row, iterations),
    FIELD(rs_case_row, batch),          FIELD(rs_case_row, sample_offset),  FIELD(rs_case_row, stop_reason),
    FIELD(rs_case_row, verified),       FIELD(rs_case_row, sync_error_ns),  FIELD(rs_case_row, sync_bound_ns),
    FIELD(rs_case_row, start),          FIELD(rs_case_row, warm_up),        FIELD(rs_case_row, invalid),
    FIELD(rs_case_row, level_shift),    FIELD(rs_case_row, gap_ns),         FIELD(rs_case_row, after_check_ns),
    FIELD(rs_case_row, median_ns),      FIELD(rs_case_row, ci_low_ns),      FIELD(rs_case_row, ci_high_ns),
    FIELD(rs_case_row, min_ns),         FIELD(rs_case_row, max_ns),         FIELD(rs_case_row, p95_ns),
    FIELD(rs_case_row, p99_ns),         FIELD(rs_case_row, algbw_gb_s),     FIELD(rs_case_row, busbw_gb_s),
    FIELD(rs_case_row, root),           FIELD(rs_case_row, pairing),        FIELD(rs_case_row, congestor),
    FIELD(rs_case_row, measured_ranks), FIELD(rs_case_row, slowdown),       FIELD(rs_case_row, cpu_ns),
    FIELD(rs_case_row, chunk_auto),
};
const struct rs_row_type rs_case_row_type = ROW_TYPE("cases", rs_case_row, case_fields);

static const struct rs_field pair_fields[] = {
    FIELD(rs_pair_row, case_id),   FIELD(rs_pair_row, rank_a),     FIELD(rs_pair_row, rank_b),
    FIELD(rs_pair_row, median_ns), FIELD(rs_pair_row, ci_low_ns),  FIELD(rs_pair_row, ci_high_ns),
    FIELD(rs_pair_row, p99_ns),    FIELD(rs_pair_row, algbw_gb_s),
};
const struct rs_row_type rs_pair_row_type = ROW_TYPE("pairs", rs_pair_row, pair_fields);

static const struct rs_field iteration_fields[] = {FIELD(rs_iteration_row, case_id), FIELD(rs_iteration_row, flags)};
const struct rs_row_type rs_iteration_row_type = ROW_TYPE("iterations", rs_iteration_row, iteration_fields);

// A new id for the field's type: little-endian in the file, the machine's own in memory.
static hid_t field_type(const struct rs_field *field, bool in_file) {
  switch (field->kind) {
  case RS_FIELD_TEXT:
    return rs_h5_text_type(field->bytes, in_file ? H5T_STR_NULLPAD : H5T_STR_NULLTERM);
  case RS_FIELD_BOOL:
  case RS_FIELD_UINT8:
    return H5Tcopy(in_file ? H5T_STD_U8LE : H5T_NATIVE_UINT8);
  case RS_FIELD_INT8:
    return H5Tcopy(in_file ? H5T_STD_I8LE : H5T_NATIVE_INT8);
  case RS_FIELD_UINT32:
    return H5Tcopy(in_file ? H5T_STD_U32LE : H5T_NATIVE_UINT32);
  case RS_FIELD_INT32:
    return H5Tcopy(in_file ? H5T_STD_I32LE : H5T_NATIVE_INT32);
  case RS_FIELD_UINT64:
    return H5Tcopy(in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64);
  case RS_FIELD_INT64:
    return H5Tcopy(in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64);
  case RS_FIELD_DOUBLE:
    return H5Tcopy(in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
  }
  return -1;
}

// The compound of all fields: packed in the file, with the struct's own offsets in memory.
static hid_t compound_type(const struct rs_row_type *type, bool in_file) {
  hid_t compound = H5Tcreate(H5T_COMPOUND, type->bytes);
  size_t packed = 0;
  for (size_t f = 0; compound >= 0 && f < type->field_count; f++) {
    const struct rs_field *field = &type->fields[f];
    hid_t member = field_type(field, in_file);
    bool inserted = member >= 0 && H5Tinsert(compound, field->name, in_file ? packed : field->offset, member) >= 0;
    rs_h5_close(member);
    packed += field->bytes;
    if (!inserted)
      goto close_compound;
  }
  if (compound >= 0 && (!in_file || H5Tset_size(compound, packed) >= 0))
    return compound;
close_compound:
  rs_h5_close(compound);
  return -1;
}

hid_t rs_row_type_create(const struct rs_row_type *type, hid_t file, hsize_t count, bool compressed) {
  hid_t dataset = -1, compound = compound_type(type, true);
  if (compound >= 0)
    dataset = rs_h5_dataset_create(file, type->dataset, compound, count, 0, compressed);
  rs_h5_close(compound);
  return dataset;
}

herr_t rs_row_type_write(const struct rs_row_type *type, hid_t dataset, hsize_t first, hsize_t count,
                         const void *rows) {
  hid_t compound = compound_type(type, false);
  herr_t result = compound < 0 ? -1 : rs_h5_rows_write(dataset, compound, first, count, rows);
  rs_h5_close(compound);
  return result;
}

static void tame(const struct rs_row_type *type, unsigned char *row) {
  for (size_t f = 0; f < type->field_count; f++) {
    const struct rs_field *field = &type->fields[f];
    if (field->kind == RS_FIELD_TEXT)
      row[field->offset + field->bytes - 1] = '\0';
    else if (field->kind == RS_FIELD_BOOL)
      row[field->offset] = row[field->offset] != 0;
  }
}

// HDF5 1.10 believes a damaged file that a member lies outside its row, and copies from there; and that a row has
// gigabytes, and asks for the memory.
static bool is_believable(hid_t compound) {
  int members = H5Tget_class(compound) == H5T_COMPOUND ? H5Tget_nmembers(compound) : 0;
  size_t bytes = H5Tget_size(compound);
  bool believable = members > 0 && bytes <= ROW_BYTES_MAX;
  for (unsigned m = 0; believable && m < (unsigned)members; m++) {
    hid_t member = H5Tget_member_type(compound, m);
    size_t offset = H5Tget_member_offset(compound, m), size = member < 0 ? 0 : H5Tget_size(member);
    believable = size > 0 && size <= bytes && offset <= bytes - size;
    rs_h5_close(member);
  }
  return believable;
}

herr_t rs_row_type_read(const struct rs_row_type *type, hid_t dataset, hsize_t first, hsize_t count, void *rows) {
  herr_t result = -1;
  hid_t stored = H5Dget_type(dataset), compound = compound_type(type, false);
  if (stored >= 0 && compound >= 0 && is_believable(stored))
    result = rs_h5_rows_read(dataset, compound, first, count, rows);
  rs_h5_close(compound);
  rs_h5_close(stored);
  for (hsize_t r = 0; result >= 0 && r < count; r++)
    tame(type, (unsigned char *)rows + r * type->bytes);
  return result;
}

void rs_row_type_complete(const struct rs_row_type *type, hid_t dataset, hsize_t count, const void *absent,
                          void *rows) {
  hid_t stored = H5Dget_type(dataset);
  for (size_t f = 0; f < type->field_count; f++) {
    const struct rs_field *field = &type->fields[f];
    if (stored >= 0 && H5Tget_member_index(stored, field->name) >= 0)
      continue;
    for (hsize_t r = 0; r < count; r++)
      memcpy((unsigned char *)rows + r * type->bytes + field->offset, (const unsigned char *)absent + field->offset,
             field->bytes);
  }
  rs_h5_close(stored);
}
