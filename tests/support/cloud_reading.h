// cloud_reading: what rs_cloud_read makes of a scripted metadata service.
#ifndef RS_TEST_CLOUD_READING_H
#define RS_TEST_CLOUD_READING_H

#include "ringside/topology.h"

#include "support/http_server.h"

struct cloud_reading {
  struct rs_host_facts facts;
  struct rs_text raw, note; // never NULL: empty text is ""
  enum rs_status status;
  size_t requests;
  double seconds;
};

// Starts the server, reads with params (as endpoint of every cloud, the server's), and stops it.
struct cloud_reading cloud_read_script(const struct http_script *script, struct rs_cloud_params params);
// The same from whatever params say, for a host whose firmware names this cloud.
struct cloud_reading cloud_read(const char *firmware, const struct rs_cloud_params *params);
void cloud_reading_fini(struct cloud_reading *reading);

// cmocka's group setup and teardown: starts libcurl; without it all tests of the group are left out.
int cloud_library_start(void **state);
int cloud_library_stop(void **state);

#endif
