// The variants of the srd transport: over the fake, in both flavours, with all that it can do to packets, and over a
// real device where there is one.
#ifndef TESTS_SUPPORT_CONTRACT_SRD_H
#define TESTS_SUPPORT_CONTRACT_SRD_H

#include "transport/srd.h"

#define CONTRACT_SRD_CHOICE(name)                                                                                      \
  { .devices = {.count = 1, .words = {name}}, .gid_index = RS_VERBS_GID_AUTO }
static const struct rs_srd_options srd_efa = {
    .choice = CONTRACT_SRD_CHOICE("fake_efa"), .flavour = RS_SRD_EFA, .receives = 256};
static const struct rs_srd_options srd_efa_few = {
    .choice = CONTRACT_SRD_CHOICE("fake_efa"), .flavour = RS_SRD_EFA, .receives = 16, .bounce = 1};
static const struct rs_srd_options srd_fake_ud = {
    .choice = CONTRACT_SRD_CHOICE("fake_ud"), .flavour = RS_SRD_UD, .checksum = true, .receives = 256};
static const struct rs_srd_options srd_fake_ud_few = {
    .choice = CONTRACT_SRD_CHOICE("fake_ud"), .flavour = RS_SRD_UD, .checksum = true, .receives = 16, .bounce = 2};
static const struct rs_srd_options srd_ud = {
    .choice = {.gid_index = RS_VERBS_GID_AUTO}, .flavour = RS_SRD_UD, .checksum = true, .receives = 512};

#ifdef RS_FAKE_VERBS
#define CONTRACT_SRD_FAKE_VARIANTS                                                                                     \
  {"srd/efa, fake: seed=1", &rs_transport_srd, &srd_efa},                                                              \
      {"srd/efa, fake: seed=2,late=4,rnr=5", &rs_transport_srd, &srd_efa},                                             \
      {"srd/efa, fake: seed=3,late=2,short=3,mtu=1024", &rs_transport_srd, &srd_efa_few},                              \
      {"srd/ud, fake: seed=4", &rs_transport_srd, &srd_fake_ud},                                                       \
      {"srd/ud, fake: seed=5,late=3,loss=3,duplicate=3,corrupt=3", &rs_transport_srd, &srd_fake_ud},                   \
      {"srd/ud, fake: seed=6,late=2,short=3,mtu=1024,loss=2", &rs_transport_srd, &srd_fake_ud_few},
#else
#define CONTRACT_SRD_FAKE_VARIANTS
#endif
#define CONTRACT_SRD_VARIANTS                                                                                          \
  CONTRACT_SRD_FAKE_VARIANTS {                                                                                         \
    "srd/ud", &rs_transport_srd, &srd_ud                                                                               \
  }

#endif
