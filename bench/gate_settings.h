// gate_settings: what a gate tolerates, from a YAML file, --set and --tolerance.
#ifndef RINGSIDE_BENCH_GATE_SETTINGS_H
#define RINGSIDE_BENCH_GATE_SETTINGS_H

#include "ringside/report.h"

struct gate_settings {
  double tolerance; // of all classes that have none of their own
  double classes[RS_CLASS_METRICS][RS_SIZE_CLASSES];
  bool p99, allow_missing;
};

// Defaults, then the file (NULL: none), then `tolerance` (NULL: none), which is that of all, then the assignments. What
// is said of a class comes before what is said of all, wherever it stands.
enum rs_status gate_settings_read(const char *file, const char *tolerance, const char *const *assignments, size_t count,
                                  struct gate_settings *settings, struct rs_error *error);
void gate_settings_help(struct rs_text *text);

#endif
