// made_machine: hwloc's XML of machines with devices, made for tests; hwloc's synthetic ones have none.
#ifndef RS_TEST_MADE_MACHINE_H
#define RS_TEST_MADE_MACHINE_H

#include "ringside/base.h"

#include <hwloc.h>

#define MADE_PACKAGES_MAX 4

// Each package is one NUMA node: package p has CPUs p x cores x units and on. devices[p]: XML that stands in it.
struct made_machine {
  unsigned packages, cores, units; // cores of a package, units of a core
  const char *devices[MADE_PACKAGES_MAX];
  const char *root_devices; // that hang on the whole machine
};
// The caller frees it (rs_text_fini).
struct rs_text made_machine_xml(const struct made_machine *made);
hwloc_topology_t made_machine_load(const struct made_machine *made);

// A network card with an interface and an RDMA device, and a GPU, for `devices`.
#define MADE_PCI(gp, bus, type, inside)                                                                                \
  "<object type=\"Bridge\" gp_index=\"" gp "0\" bridge_type=\"0-1\" depth=\"0\" bridge_pci=\"0000:[" bus "-" bus       \
  "]\"><object type=\"PCIDev\" gp_index=\"" gp "1\" pci_busid=\"0000:" bus ":00.0\" pci_type=\"" type                  \
  "\" pci_link_speed=\"31.507692\">" inside "</object></object>"
#define MADE_NIC(gp, bus, nic, rdma)                                                                                   \
  MADE_PCI(gp, bus, "0200 [15b3:101b] [15b3:0007] 00",                                                                 \
           "<object type=\"OSDev\" gp_index=\"" gp "2\" name=\"" nic "\" osdev_type=\"2\"/>"                           \
           "<object type=\"OSDev\" gp_index=\"" gp "3\" name=\"" rdma "\" osdev_type=\"3\"/>")
#define MADE_GPU(gp, bus) MADE_PCI(gp, bus, "0302 [10de:2335] [10de:18be] a1", "")

#endif
