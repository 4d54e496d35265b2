// lab_down: what `up` needs of it.
#ifndef RINGSIDE_LAB_DOWN_H
#define RINGSIDE_LAB_DOWN_H

#include "ringside/lab.h"

// USAGE unless this process is root; `what` opens the sentence: "removing a lab".
enum rs_status rs_lab_need_root(const char *what, struct rs_error *error);
// Removes whatever there is of a lab; nothing is fine.
enum rs_status rs_lab_take_down(const char *name, struct rs_error *error);

#endif
