// fit_points: what the results of ping-pongs and streams say of links, as points for rs_fabric_fit, and of NICs.
#ifndef RINGSIDE_BENCH_FIT_POINTS_H
#define RINGSIDE_BENCH_FIT_POINTS_H

#include "result_set.h"
#include "ringside/fabric.h"
#include "ringside/stats.h"

// The most that the streams of one host moved together. launches 0: no host had several at once.
struct fit_nic {
  double bit_s;
  struct rs_interval interval; // of the median over launches
  size_t streams, launches;    // streams: of the host at once
};
struct fit_points {
  struct rs_fabric_point *items;
  size_t count;
  bool shared[RS_DISTANCE_COUNT]; // every pair at this distance shared its NIC with others
  struct fit_nic egress, ingress;
  char transport[24];
  bool emulated;
};
// Takes pairs of finished cases over one transport (NULL: the only one that the results have), one lane, without
// background traffic. Half of a ping-pong counts, and the time per message of a stream: of back-to-back operations and
// of bursts. Pairs that share a host's NIC are left out where others have it alone. USAGE: nothing to fit, or several
// transports. fit_points_fini is the caller's after success.
enum rs_status fit_points_init(const struct result_set *set, const char *transport, struct fit_points *points,
                               struct rs_error *error);
void fit_points_fini(struct fit_points *points);

#endif
