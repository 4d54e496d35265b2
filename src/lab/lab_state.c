#include "lab/lab_state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMESPACES "/run/netns"

// Stands in for ssh: AGENT [OPTIONS] HOST COMMAND.... A host name of its own keeps Open MPI's daemons apart.
static const char agent[] = "#!/bin/sh\n"
                            "# Starts a daemon of mpirun on a host of a lab: agent [OPTIONS] HOST COMMAND...\n"
                            "while [ \"${1#-}\" != \"$1\" ]; do shift; done\n"
                            "host=$1\n"
                            "shift\n"
                            "exec ip netns exec \"rslab-$host\" unshare --uts /bin/sh -c \"hostname $host && $*\"\n";

void rs_lab_path(const char *name, const char *leaf, char path[RS_LAB_PATH_BYTES]) {
  snprintf(path, RS_LAB_PATH_BYTES, RS_LAB_STATE "/%.*s/%s", RS_LAB_NAME_BYTES - 1, name, leaf);
}

// A lab's name may have '-' in it, the part has none.
bool rs_lab_owner(const char *namespace, char name[RS_LAB_NAME_BYTES], const char **part) {
  static const char prefix[] = "rslab-";
  const char *last = strrchr(namespace, '-');
  if (strncmp(namespace, prefix, sizeof prefix - 1) != 0 || last == NULL || last < namespace + sizeof prefix)
    return false;
  size_t length = (size_t)(last - namespace) - (sizeof prefix - 1);
  bool is_host = last[1] == 'h' && isdigit((unsigned char)last[2]) && last[2 + strspn(last + 2, "0123456789")] == '\0';
  if (length >= RS_LAB_NAME_BYTES || !(is_host || strcmp(last + 1, "switch") == 0))
    return false;
  memcpy(name, namespace + sizeof prefix - 1, length);
  name[length] = '\0';
  *part = last + 1;
  return true;
}

// ---- files ------------------------------------------------------------------------------------------------

static enum rs_status write_file(const char *path, const char *text, mode_t mode, struct rs_error *error) {
  size_t bytes = strlen(text);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "creating %s", path);
  ssize_t written = write(file, text, bytes);
  int code = errno;
  if (close(file) != 0 || written != (ssize_t)bytes)
    return rs_error_set_errno(error, RS_ERROR_IO, written < 0 ? code : ENOSPC, "writing %s", path);
  return RS_OK;
}

// The folder of all labs goes with the last one, perhaps just now.
static enum rs_status make_folder(const char *name, struct rs_error *error) {
  char path[RS_LAB_PATH_BYTES];
  rs_lab_path(name, "", path);
  int code = ENOENT;
  for (int attempt = 0; attempt < 3 && code == ENOENT; attempt++) {
    code = mkdir(RS_LAB_STATE, 0755) == 0 || errno == EEXIST ? 0 : errno;
    if (code == 0)
      code = mkdir(path, 0755) == 0 ? 0 : errno;
  }
  if (code == EEXIST)
    return rs_error_set(error, RS_ERROR_USAGE,
                        "there is a lab called %s; remove it with 'ringside lab down --name %s', or choose another "
                        "name with --name",
                        name, name);
  return code == 0 ? RS_OK : rs_error_set_errno(error, RS_ERROR_IO, code, "creating the folder %s", path);
}

enum rs_status rs_lab_state_make(struct rs_lab *lab, struct rs_error *error) {
  char path[RS_LAB_PATH_BYTES];
  const char *name = lab->name.text;
  struct rs_lab_binding binding;
  struct rs_text text = {0};
  if (make_folder(name, error) < 0)
    return error->status;
  rs_lab_bind(lab, &binding);
  rs_options_format(&binding.options, &text);
  rs_lab_path(name, "lab.yaml", path);
  enum rs_status status =
      text.failed ? rs_error_set_memory(error, text.length, path) : write_file(path, text.data, 0644, error);
  rs_text_fini(&text);
  rs_lab_path(name, "agent", path);
  if (status == RS_OK)
    status = write_file(path, agent, 0755, error);
  rs_lab_path(name, "tmp", path);
  if (status == RS_OK && mkdir(path, 0755) != 0)
    status = rs_error_set_errno(error, RS_ERROR_IO, errno, "creating the folder %s", path);
  return status;
}

enum rs_status rs_lab_state_ready(const char *name, struct rs_error *error) {
  char path[RS_LAB_PATH_BYTES];
  rs_lab_path(name, "ready", path);
  return write_file(path, "", 0644, error);
}

static bool exists(const char *name, const char *leaf) {
  char path[RS_LAB_PATH_BYTES];
  rs_lab_path(name, leaf, path);
  return access(path, F_OK) == 0;
}

bool rs_lab_state_is_ready(const char *name) {
  return exists(name, "ready");
}

bool rs_lab_state_exists(const char *name) {
  return exists(name, "");
}

enum rs_status rs_lab_state_read(const char *name, struct rs_lab *lab, struct rs_error *error) {
  char path[RS_LAB_PATH_BYTES];
  struct rs_lab_binding binding;
  rs_lab_path(name, "lab.yaml", path);
  rs_lab_bind(lab, &binding);
  if (rs_options_set_defaults(&binding.options, error) < 0 || rs_options_load_yaml(&binding.options, path, error) < 0)
    return error->status;
  return rs_lab_check(lab, error);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place) {
  (void)info;
  (void)kind;
  (void)place;
  return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum rs_status rs_lab_state_remove(const char *name, struct rs_error *error) {
  char path[RS_LAB_PATH_BYTES];
  rs_lab_path(name, "", path);
  if (nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
    return rs_error_set_errno(error, RS_ERROR_IO, errno, "removing %s", path);
  rmdir(RS_LAB_STATE); // unless there are others
  return RS_OK;
}

// ---- namespaces -------------------------------------------------------------------------------------------

// The labs of a folder's entries: of a namespace the one that it belongs to, of state the one that it is called by.
static enum rs_status visit_folder(const char *path, bool namespaces, const char *name, rs_lab_visit visit,
                                   void *context, struct rs_error *error) {
  DIR *folder = opendir(path);
  if (folder == NULL)
    return errno == ENOENT ? RS_OK : rs_error_set_errno(error, RS_ERROR_IO, errno, "reading %s", path);
  enum rs_status status = RS_OK;
  for (const struct dirent *entry; status == RS_OK && (entry = readdir(folder)) != NULL;) {
    char owner[RS_LAB_NAME_BYTES];
    const char *part;
    bool wanted = namespaces ? rs_lab_owner(entry->d_name, owner, &part) && (name == NULL || strcmp(owner, name) == 0)
                             : entry->d_name[0] != '.';
    if (wanted)
      status = visit(context, entry->d_name, error);
  }
  closedir(folder);
  return status;
}

enum rs_status rs_lab_states(rs_lab_visit visit, void *context, struct rs_error *error) {
  return visit_folder(RS_LAB_STATE, false, NULL, visit, context, error);
}

enum rs_status rs_lab_namespaces(const char *name, rs_lab_visit visit, void *context, struct rs_error *error) {
  return visit_folder(NAMESPACES, true, name, visit, context, error);
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

size_t rs_lab_processes(const char *namespace, int signal) {
  char path[RS_LAB_PATH_BYTES];
  struct stat inside, init, net;
  size_t count = 0;
  snprintf(path, sizeof path, NAMESPACES "/%.*s", RS_LAB_NAMESPACE_BYTES, namespace);
  // The machine's own namespace under a name of ours is none of ours.
  if (stat(path, &inside) != 0 || (stat("/proc/1/ns/net", &init) == 0 && same_file(&inside, &init)))
    return 0;
  DIR *folder = opendir("/proc");
  if (folder == NULL)
    return 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    if (pid <= 1 || pid == getpid() || stat(path, &net) != 0 || !same_file(&inside, &net))
      continue;
    count++;
    if (signal != 0)
      kill(pid, signal);
  }
  closedir(folder);
  return count;
}
