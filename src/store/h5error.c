#include "store/h5error.h"

#include <string.h>

// HDF5 1.10 crashes at exit when it holds a file that it could not write out (a full disk), which would turn our exit
// code into a signal; nothing of ours depends on its clean-up. Only the call before HDF5's first use has an effect.
void rs_h5_silence_begin(struct rs_h5_silence *silence) {
  H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &silence->print, &silence->data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void rs_h5_silence_end(const struct rs_h5_silence *silence) {
  H5Eset_auto2(H5E_DEFAULT, silence->print, silence->data);
}

struct detail {
  char text[300];
};

// The driver's messages hold time, descriptor and buffer address; only the system's own words help a reader.
static herr_t keep_innermost(unsigned depth, const H5E_error2_t *record, void *data) {
  static const char marker[] = "error message = '";
  (void)depth;
  struct detail *detail = data;
  const char *text = record->desc ? record->desc : "unknown HDF5 error";
  const char *quoted = strstr(text, marker);
  const char *end = NULL;
  if (quoted) {
    quoted += sizeof marker - 1;
    end = strchr(quoted, '\'');
  }
  if (end)
    snprintf(detail->text, sizeof detail->text, "%.*s", (int)(end - quoted), quoted);
  else
    snprintf(detail->text, sizeof detail->text, "%s", text);
  for (char *c = detail->text; *c; c++)
    if ((unsigned char)*c < ' ')
      *c = ' ';
  return 1;
}

enum rs_status rs_h5_error_set(struct rs_error *error, enum rs_status status, const char *format, ...) {
  struct detail detail = {""};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &detail);
  char doing[sizeof error->text / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(doing, sizeof doing, format, arguments);
  va_end(arguments);
  return rs_error_set(error, status, "%s%s%s", doing, *detail.text ? ": " : "", detail.text);
}

void rs_h5_close(hid_t id) {
  if (id <= 0)
    return;
  hid_t stack = H5Eget_current_stack();
  H5Idec_ref(id);
  H5Eset_current_stack(stack); // releases `stack` too
}
