// version: what this program is made of, for reports of trouble.
#ifndef RINGSIDE_BENCH_VERSION_H
#define RINGSIDE_BENCH_VERSION_H

#include <stdio.h>

// "ringside 0.1.0", then a line per library: the version that is loaded, where the library can tell.
void version_print(FILE *file);

#endif
