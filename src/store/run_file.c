#include "store/run_file.h"
#include "store/attribute.h"
#include "store/h5error.h"
#include "store/h5file.h"
#include "store/row_type.h"

#include <string.h>

enum rs_status rs_run_file_create(const char *path, const struct rs_run_facts *facts, struct rs_run_file *run,
                                  struct rs_error *error) {
  *run = (struct rs_run_file){0};
  hsize_t rows = facts->case_count * facts->max_iterations;
  run->file = rs_h5_create(path);
  if (run->file < 0)
    return rs_h5_error_set(error, RS_ERROR_IO, "creating the file %s", path);
  run->cases = rs_row_type_create(&rs_case_row_type, run->file, facts->case_count, false);
  if (run->cases >= 0)
    run->iterations = rs_row_type_create(&rs_iteration_row_type, run->file, rows, false);
  if (run->cases >= 0 && run->iterations >= 0)
    run->samples =
        rs_h5_dataset_create(run->file, "samples", H5T_STD_I64LE, rows * facts->rank_count, RS_SAMPLE_COLUMNS, false);
  if (run->cases >= 0 && run->iterations >= 0 && run->samples >= 0)
    return RS_OK;
  enum rs_status status = rs_h5_error_set(error, RS_ERROR_IO, "creating /cases, /iterations and /samples");
  rs_run_file_close(run);
  return status;
}

enum rs_status rs_run_file_open(const char *path, struct rs_run_file *run, struct rs_error *error) {
  *run = (struct rs_run_file){.file = rs_h5_open_to_write(path)};
  if (run->file >= 0)
    run->counters = H5Dopen2(run->file, rs_counter_row_type.dataset, H5P_DEFAULT);
  if (run->counters > 0)
    run->pairs = H5Dopen2(run->file, rs_pair_row_type.dataset, H5P_DEFAULT);
  if (run->pairs > 0)
    run->cases = H5Dopen2(run->file, rs_case_row_type.dataset, H5P_DEFAULT);
  if (run->cases > 0)
    run->iterations = H5Dopen2(run->file, rs_iteration_row_type.dataset, H5P_DEFAULT);
  if (run->iterations > 0)
    run->samples = H5Dopen2(run->file, "samples", H5P_DEFAULT);
  if (run->samples > 0)
    return RS_OK;
  enum rs_status status = rs_h5_error_set(error, RS_ERROR_IO, "opening %s, just written, again", path);
  rs_run_file_close(run);
  return status;
}

herr_t rs_run_file_close(struct rs_run_file *run) {
  rs_h5_close(run->samples);
  rs_h5_close(run->iterations);
  rs_h5_close(run->cases);
  rs_h5_close(run->pairs);
  rs_h5_close(run->counters);
  // HDF5 closes a file when the last thing in it is closed; so the file goes last, to hear how that went.
  herr_t result = run->file > 0 ? H5Fclose(run->file) : 0;
  *run = (struct rs_run_file){0};
  return result;
}

static enum rs_status write_text(hid_t file, const char *name, const char *value, struct rs_error *error) {
  if (rs_attribute_write_text(file, name, value ? value : "") >= 0)
    return RS_OK;
  return rs_h5_error_set(error, RS_ERROR_IO, "writing attribute %s", name);
}

static enum rs_status write_attributes(hid_t file, const struct rs_run_facts *facts, const char *run_uuid,
                                       struct rs_error *error) {
  char created[24];
  rs_clock_utc(created, sizeof created);
  const struct {
    const char *name, *value;
  } fixed[] = {
      {"format", RS_FORMAT_NAME}, {"ringside_version", RS_VERSION_STRING},
      {"created", created},       {"run_uuid", run_uuid},
      {"status", "partial"},      {"command_line", facts->command_line},
      {"config", facts->config},
  };
  if (rs_attribute_write_number(file, "schema_version", RS_SCHEMA_VERSION) < 0)
    return rs_h5_error_set(error, RS_ERROR_IO, "writing attribute schema_version");
  enum rs_status status = RS_OK;
  for (size_t a = 0; status == RS_OK && a < RS_ARRAY_LENGTH(fixed); a++)
    status = write_text(file, fixed[a].name, fixed[a].value, error);
  for (size_t a = 0; status == RS_OK && a < facts->attribute_count; a++)
    status = write_text(file, facts->attributes[a].key, facts->attributes[a].value, error);
  return status;
}

static enum rs_status write_table(hid_t file, const struct rs_row_type *type, const void *rows, size_t count,
                                  struct rs_error *error) {
  hid_t dataset = rs_row_type_create(type, file, count, false);
  herr_t written = dataset < 0 ? -1 : rs_row_type_write(type, dataset, 0, count, rows);
  rs_h5_close(dataset);
  return written >= 0 ? RS_OK : rs_h5_error_set(error, RS_ERROR_IO, "writing /%s", type->dataset);
}

// HDF5 takes '/' for a path and "." for the group itself; hosts that share a name are told apart by their index.
static void host_group_name(hid_t topology, const char *hostname, size_t host, char *name, size_t bytes) {
  snprintf(name, bytes, "%s", hostname);
  for (char *c = name; *c; c++)
    if (*c == '/')
      *c = '_';
  if (*name == '\0' || strcmp(name, ".") == 0)
    snprintf(name, bytes, "host");
  if (H5Lexists(topology, name, H5P_DEFAULT) > 0) {
    size_t used = strlen(name);
    snprintf(name + used, bytes - used, ".%zu", host);
  }
}

// A dataset of one text: with a dimension, unlike a scalar, it can be compressed.
static herr_t write_document(hid_t group, const char *name, const char *text) {
  size_t length = strlen(text);
  herr_t result = -1;
  hid_t dataset = -1, type = rs_h5_text_type(length == 0 ? 1 : length, H5T_STR_NULLPAD);
  if (type >= 0)
    dataset = rs_h5_dataset_create(group, name, type, 1, 0, false);
  if (dataset >= 0)
    result = rs_h5_rows_write(dataset, type, 0, 1, text);
  rs_h5_close(dataset);
  rs_h5_close(type);
  return result;
}

// NULL documents are left out.
static herr_t write_host_topology(hid_t topology, const char *hostname, size_t host, const char *xml,
                                  const char *cloud) {
  char name[sizeof((struct rs_host_facts *)0)->hostname + 24];
  host_group_name(topology, hostname, host, name, sizeof name);
  hid_t group = H5Gcreate2(topology, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  herr_t result = group < 0 ? -1 : 0;
  if (result >= 0 && xml)
    result = write_document(group, "hwloc_xml", xml);
  if (result >= 0 && cloud)
    result = write_document(group, "cloud", cloud);
  rs_h5_close(group);
  return result;
}

static enum rs_status write_topology(hid_t file, const struct rs_run_facts *facts, struct rs_error *error) {
  hid_t topology = H5Gcreate2(file, "topology", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  herr_t result = topology < 0 ? -1 : 0;
  for (size_t h = 0; result >= 0 && h < facts->placement->host_count; h++) {
    const char *xml = facts->host_xml ? facts->host_xml[h] : NULL;
    const char *cloud = facts->host_cloud ? facts->host_cloud[h] : NULL;
    if (xml || cloud)
      result = write_host_topology(topology, facts->placement->hosts[h].hostname, h, xml, cloud);
  }
  rs_h5_close(topology);
  return result >= 0 ? RS_OK : rs_h5_error_set(error, RS_ERROR_IO, "writing /topology");
}

enum rs_status rs_run_file_describe(const struct rs_run_file *run, const struct rs_run_facts *facts,
                                    const struct rs_case_row *cases, const struct rs_pair_row *pairs,
                                    const char *run_uuid, struct rs_error *error) {
  const struct rs_placement *placement = facts->placement;
  enum rs_status status = write_attributes(run->file, facts, run_uuid, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_host_row_type, placement->hosts, placement->host_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_rank_row_type, placement->ranks, placement->rank_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_device_row_type, facts->devices, facts->device_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_link_row_type, facts->links, facts->link_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_environment_row_type, facts->environment, facts->environment_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_counter_row_type, facts->counters, facts->counter_count, error);
  if (status == RS_OK)
    status = write_table(run->file, &rs_pair_row_type, pairs, facts->pair_count, error);
  if (status == RS_OK)
    status = write_topology(run->file, facts, error);
  if (status == RS_OK && rs_row_type_write(&rs_case_row_type, run->cases, 0, facts->case_count, cases) < 0)
    status = rs_h5_error_set(error, RS_ERROR_IO, "writing the planned rows of /cases");
  return status;
}
