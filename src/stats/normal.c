#include "stats/normal.h"

#include <math.h>

double rs_normal_tail(double z) {
  return erfc(z / M_SQRT2) / 2;
}

// By bisection of the error function.
double rs_normal_quantile(double level) {
  double low = 0, high = 10;
  for (int i = 0; i < 50; i++) {
    double middle = (low + high) / 2;
    *(erf(middle / M_SQRT2) < level ? &low : &high) = middle;
  }
  return low;
}
