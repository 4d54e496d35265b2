#include "support/made_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// Opens an object that has the CPUs first .. first + count - 1 and the nodes of `nodes`.
static void open_object(struct rs_text *xml, const char *type, unsigned os_index, unsigned first, unsigned count,
                        unsigned nodes, unsigned *gp) {
  char cpus[128];
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  assert_non_null(set);
  hwloc_bitmap_set_range(set, first, (int)(first + count - 1));
  hwloc_bitmap_snprintf(cpus, sizeof(cpus), set);
  hwloc_bitmap_free(set);
  rs_text_append(xml,
                 "<object type=\"%s\" os_index=\"%u\" cpuset=\"%s\" complete_cpuset=\"%s\" nodeset=\"0x%x\" "
                 "complete_nodeset=\"0x%x\" gp_index=\"%u\"",
                 type, os_index, cpus, cpus, nodes, nodes, ++*gp);
}

static void add_package(struct rs_text *xml, const struct made_machine *made, unsigned package, unsigned *gp) {
  unsigned count = made->cores * made->units, first = package * count, node = 1u << package;
  open_object(xml, "Package", package, first, count, node, gp);
  rs_text_append(xml, ">");
  open_object(xml, "NUMANode", package, first, count, node, gp);
  rs_text_append(xml, " local_memory=\"1073741824\"/>");
  open_object(xml, "L3Cache", package, first, count, node, gp);
  rs_text_append(xml, " cache_size=\"33554432\" depth=\"3\" cache_linesize=\"64\" cache_associativity=\"16\" "
                      "cache_type=\"0\">");
  for (unsigned core = 0; core < made->cores; core++) {
    open_object(xml, "Core", core, first + core * made->units, made->units, node, gp);
    rs_text_append(xml, ">");
    for (unsigned unit = first + core * made->units; unit < first + (core + 1) * made->units; unit++) {
      open_object(xml, "PU", unit, unit, 1, node, gp);
      rs_text_append(xml, "/>");
    }
    rs_text_append(xml, "</object>");
  }
  rs_text_append(xml, "</object>%s</object>", made->devices[package] ? made->devices[package] : "");
}

struct rs_text made_machine_xml(const struct made_machine *made) {
  struct rs_text xml = {0};
  unsigned gp = 0, count = made->packages * made->cores * made->units;
  rs_text_append(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
                       "<topology version=\"2.0\">");
  open_object(&xml, "Machine", 0, 0, count, (1u << made->packages) - 1, &gp);
  rs_text_append(&xml, ">");
  for (unsigned package = 0; package < made->packages; package++)
    add_package(&xml, made, package, &gp);
  rs_text_append(&xml, "%s</object></topology>\n", made->root_devices ? made->root_devices : "");
  assert_false(xml.failed);
  return xml;
}

hwloc_topology_t made_machine_load(const struct made_machine *made) {
  hwloc_topology_t machine;
  struct rs_text xml = made_machine_xml(made);
  assert_int_equal(hwloc_topology_init(&machine), 0);
  assert_int_equal(hwloc_topology_set_io_types_filter(machine, HWLOC_TYPE_FILTER_KEEP_ALL), 0);
  assert_int_equal(hwloc_topology_set_type_filter(machine, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_ALL), 0);
  assert_int_equal(hwloc_topology_set_xmlbuffer(machine, xml.data, (int)xml.length + 1), 0);
  assert_int_equal(hwloc_topology_load(machine), 0);
  rs_text_fini(&xml);
  return machine;
}
