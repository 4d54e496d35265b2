// machine_xml: reads what ringside tells of a machine from hwloc's XML (format 2) with the infos of device_facts.h.
//
// A result file comes from anywhere, and hwloc 2.9 crashes on damaged XML: one of 1,500 random changes to this
// machine's XML with libxml2, ten with hwloc's own parser. So hwloc reads no file here; the part of XML that hwloc
// writes (tags, attributes in double quotes, the predefined entities) is read by hand, with limits on everything.
#ifndef TOPOLOGY_MACHINE_XML_H
#define TOPOLOGY_MACHINE_XML_H

#include "ringside/topology.h"

#define RS_MACHINE_XML_BYTES_MAX (UINT32_C(64) << 20)

struct rs_machine_view {
  struct rs_machine_summary summary;
  struct rs_host_device *devices; // the caller's; the first device_max are written
  size_t device_max;
  size_t device_count; // all there are
};
// USAGE when the text is not such XML: too long, nested too deep, cut off.
enum rs_status rs_machine_xml_read(const char *xml, struct rs_machine_view *view, struct rs_error *error);

#endif
