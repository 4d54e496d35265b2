// One pass over the tags, with a stack of the objects that are open. An I/O object has no CPUs of its own: it is near
// those of the object that its bus hangs on.
//
//   <object type="Package" cpuset="0x0f" nodeset="0x1">     place: CPUs 0-3, node 0
//     <object type="PCIDev" pci_busid="0000:17:00.0">       bus address, model
//       <object type="OSDev" name="eth0" osdev_type="2">    a device, near CPUs 0-3
//         <info name="ringside.mtu" value="9000"/>
#include "topology/machine_xml.h"
#include "topology/cpu_list.h"
#include "topology/device_facts.h"
#include "topology/host.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 48
#define TAG_BYTES_MAX 65536 // places are read again for each device, so that long tags would take long
#define VALUE_BYTES 4096    // of one attribute; a set of 10,000 CPUs fits

// ---- tags -------------------------------------------------------------------------------------------------

struct tag {
  const char *name, *end; // end: the '>' or "/>"
  size_t name_length;
  bool closing, empty; // </name>, <name/>
};

// Where the tag ends: the first '>' outside quotes.
static const char *find_end(const char *text) {
  bool quoted = false;
  for (; *text && (quoted || *text != '>'); text++)
    quoted ^= *text == '"';
  return *text ? text : NULL;
}

// The next tag that is no comment, declaration or instruction. False at the end of the text or of its sense.
static bool next_tag(const char **cursor, struct tag *tag) {
  for (;;) {
    const char *open = strchr(*cursor, '<');
    const char *end = open ? find_end(open) : NULL;
    if (!end || end - open > TAG_BYTES_MAX)
      return false;
    *cursor = end + 1;
    if (open[1] == '?' || open[1] == '!')
      continue;
    tag->closing = open[1] == '/';
    tag->name = open + 1 + tag->closing;
    tag->name_length = strcspn(tag->name, " \t\r\n/>");
    tag->empty = end[-1] == '/';
    tag->end = end - tag->empty;
    return tag->name + tag->name_length <= end;
  }
}

static bool is_tag(const struct tag *tag, const char *name) {
  return tag->name_length == strlen(name) && strncmp(tag->name, name, tag->name_length) == 0;
}

// One character of a value. Control characters would reach the terminal: they become blanks, as do characters by number
// that are not ASCII, which hwloc does not write.
static const char *decode(const char *text, char *character) {
  static const struct {
    const char *entity;
    char character;
  } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  *character = (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text;
  for (size_t e = 0; *text == '&' && e < RS_ARRAY_LENGTH(entities); e++) {
    size_t length = strlen(entities[e].entity);
    if (strncmp(text, entities[e].entity, length) == 0) {
      *character = entities[e].character;
      return text + length;
    }
  }
  if (text[0] == '&' && text[1] == '#') {
    *character = ' ';
    size_t length = strcspn(text, ";\"");
    return text + length + (text[length] == ';');
  }
  return text + 1;
}

// The value of an attribute; false and empty when the tag has none, or a longer one.
static bool read_attribute(const struct tag *tag, const char *key, char *value, size_t value_bytes) {
  size_t key_length = strlen(key);
  const char *cursor = tag->name + tag->name_length;
  value[0] = '\0';
  while (cursor < tag->end) {
    cursor += strspn(cursor, " \t\r\n");
    const char *open = memchr(cursor, '"', (size_t)(tag->end - cursor));
    const char *close = open ? memchr(open + 1, '"', (size_t)(tag->end - open - 1)) : NULL;
    if (!close)
      return false;
    bool found = strncmp(cursor, key, key_length) == 0 && cursor + key_length + 1 == open && open[-1] == '=';
    cursor = close + 1;
    if (!found)
      continue;
    size_t length = 0;
    for (const char *from = open + 1; from < close && length < value_bytes; length++)
      from = decode(from, &value[length]);
    value[length < value_bytes ? length : 0] = '\0';
    return length < value_bytes;
  }
  return false;
}

static void read_field(const struct tag *tag, const char *key, char *field, size_t field_bytes) {
  char value[VALUE_BYTES];
  (void)read_attribute(tag, key, value, sizeof(value));
  rs_host_copy_text(field, field_bytes, value);
}

// ---- objects ----------------------------------------------------------------------------------------------

struct object {
  char type[16];
  struct tag place; // of the nearest object that has CPUs; name NULL: none
  struct rs_host_device device;
  bool is_device, is_described; // described: with infos of ours
};

struct reader {
  struct object objects[DEPTH_MAX]; // those that are open, outermost first
  size_t depth;
  bool asked; // the file tells which network devices belong to the process that wrote it
  struct rs_machine_view view;
};

static void count_object(struct rs_machine_summary *summary, const struct tag *tag, const char *type) {
  struct {
    const char *type;
    uint32_t *count;
  } counts[] = {{"Package", &summary->packages},
                {"NUMANode", &summary->numa_nodes},
                {"Core", &summary->cores},
                {"PU", &summary->processing_units},
                {"L3Cache", &summary->l3_caches}};
  for (size_t c = 0; c < RS_ARRAY_LENGTH(counts); c++)
    *counts[c].count += strcmp(type, counts[c].type) == 0;
  char text[32];
  if (strcmp(type, "L3Cache") != 0 || !read_attribute(tag, "cache_size", text, sizeof(text)))
    return;
  uint64_t bytes = strtoull(text, NULL, 10);
  summary->l3_bytes += bytes;
  summary->l3_largest_bytes = bytes > summary->l3_largest_bytes ? bytes : summary->l3_largest_bytes;
}

// pci_type="0302 [10de:2335] [10de:18be] a1": class, device, what it was sold as, revision.
static void begin_pci(struct object *object, const struct tag *tag) {
  char text[64];
  read_field(tag, "pci_busid", object->device.pci, sizeof(object->device.pci));
  if (!read_attribute(tag, "pci_type", text, sizeof(text)))
    return;
  unsigned long base_class = strtoul(text, NULL, 16) >> 8;
  const char *numbers = strchr(text, '[');
  char model[16] = "";
  if (numbers)
    snprintf(model, sizeof(model), "%.*s", (int)rs_min_size(strcspn(numbers + 1, "]"), 9), numbers + 1);
  rs_host_copy_text(object->device.model, sizeof(object->device.model), model);
  if (base_class != 0x03 && base_class != 0x12) // display, processing accelerator
    return;
  object->is_device = true;
  object->device.kind = RS_HOST_DEVICE_GPU;
  rs_host_copy_text(object->device.name, sizeof(object->device.name), object->device.pci);
}

// osdev_type: hwloc_obj_osdev_type_t. Below a PCI device that is a GPU, an OSDev ("card0") only names it.
static void begin_os_device(struct object *object, struct object *parent, const struct tag *tag) {
  char type[16];
  (void)read_attribute(tag, "osdev_type", type, sizeof(type));
  bool gpu = strcmp(type, "1") == 0, nic = strcmp(type, "2") == 0, rdma = strcmp(type, "3") == 0;
  if (gpu && parent && parent->is_device) {
    if (strcmp(parent->device.name, parent->device.pci) == 0)
      read_field(tag, "name", parent->device.name, sizeof(parent->device.name));
    return;
  }
  object->is_device = gpu || nic || rdma;
  object->device.kind = gpu ? RS_HOST_DEVICE_GPU : nic ? RS_HOST_DEVICE_NIC : RS_HOST_DEVICE_RDMA;
  read_field(tag, "name", object->device.name, sizeof(object->device.name));
}

static bool begin_object(struct reader *reader, const struct tag *tag) {
  if (reader->depth == DEPTH_MAX)
    return false;
  struct object *parent = reader->depth > 0 ? &reader->objects[reader->depth - 1] : NULL;
  struct object *object = &reader->objects[reader->depth++];
  *object = (struct object){.device.numa_node = -1};
  char text[VALUE_BYTES];
  read_field(tag, "type", object->type, sizeof(object->type));
  count_object(&reader->view.summary, tag, object->type);
  if (parent) {
    object->place = parent->place;
    memcpy(object->device.pci, parent->device.pci, sizeof(object->device.pci));
    memcpy(object->device.model, parent->device.model, sizeof(object->device.model));
  }
  if (read_attribute(tag, "cpuset", text, sizeof(text)))
    object->place = *tag;
  if (strcmp(object->type, "PCIDev") == 0)
    begin_pci(object, tag);
  else if (strcmp(object->type, "OSDev") == 0)
    begin_os_device(object, parent, tag);
  else if (strcmp(object->type, "Misc") == 0)
    read_field(tag, "name", object->device.name, sizeof(object->device.name));
  return true;
}

// ---- infos ------------------------------------------------------------------------------------------------

static void take_fact(struct object *object, const char *key, const char *value) {
  struct rs_host_device *device = &object->device;
  const struct {
    const char *key;
    char *field;
    size_t bytes;
  } texts[] = {
      {"driver", device->driver, sizeof(device->driver)},
      {"address", device->address, sizeof(device->address)},
      {"model", device->model, sizeof(device->model)},
      {"rdma_of", device->rdma_of, sizeof(device->rdma_of)},
  };
  for (size_t t = 0; t < RS_ARRAY_LENGTH(texts); t++)
    if (strcmp(key, texts[t].key) == 0)
      rs_host_copy_text(texts[t].field, texts[t].bytes, value);
  if (strcmp(key, "speed_mbit") == 0)
    device->speed_mbit = strtoull(value, NULL, 10);
  else if (strcmp(key, "mtu") == 0)
    device->mtu = strtoull(value, NULL, 10);
  else if (strcmp(key, "up") == 0)
    device->up = strcmp(value, "1") == 0;
  else if (strcmp(key, "loopback") == 0)
    device->loopback = strcmp(value, "1") == 0;
  else if (strcmp(key, "kind") == 0 && strcmp(object->type, "Misc") == 0) {
    object->is_device = device->is_virtual = true;
    device->kind = strcmp(value, "rdma") == 0 ? RS_HOST_DEVICE_RDMA : RS_HOST_DEVICE_NIC;
  }
  object->is_described = true;
}

// hwloc names PCI devices by two infos, where it has a list of names: the vendor first.
static void take_info(struct reader *reader, const struct tag *tag) {
  char name[64], value[VALUE_BYTES];
  struct object *object = &reader->objects[reader->depth - 1];
  if (!read_attribute(tag, "name", name, sizeof(name)) || !read_attribute(tag, "value", value, sizeof(value)))
    return;
  size_t prefix = strlen(RS_DEVICE_FACT_PREFIX);
  char *model = object->device.model;
  size_t model_bytes = sizeof(object->device.model);
  if (strcmp(name, RS_DEVICE_FACT_PREFIX "devices") == 0 && reader->depth == 1)
    reader->asked = true;
  else if (strncmp(name, RS_DEVICE_FACT_PREFIX, prefix) == 0)
    take_fact(object, name + prefix, value);
  else if (strcmp(object->type, "PCIDev") == 0 && strcmp(name, "PCIVendor") == 0)
    rs_host_copy_text(model, model_bytes, value);
  else if (strcmp(object->type, "PCIDev") == 0 && strcmp(name, "PCIDevice") == 0) {
    char text[VALUE_BYTES + sizeof(object->device.model)];
    snprintf(text, sizeof(text), "%s %s", model, value);
    rs_host_copy_text(model, model_bytes, text);
  }
}

// ---- devices ----------------------------------------------------------------------------------------------

// hwloc 2.9 takes any text for a bitmap until an assertion ends the process: only its own form,
// "0xf...f,0x0000ff00,,0x1".
static bool read_bitmap(const struct tag *tag, const char *key, hwloc_bitmap_t set) {
  static const char endless[] = "0xf...f";
  char text[VALUE_BYTES];
  if (!read_attribute(tag, key, text, sizeof(text)) || text[0] != '0')
    return false;
  const char *rest = text;
  if (strncmp(rest, endless, strlen(endless)) == 0)
    rest += strlen(endless);
  return rest[strspn(rest, "0123456789abcdefABCDEFx,")] == '\0' && hwloc_bitmap_sscanf(set, text) == 0;
}

static void take_place(const struct tag *place, struct rs_host_device *device) {
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  if (set && read_bitmap(place, "cpuset", set))
    rs_cpu_list_write(set, device->cpus, sizeof(device->cpus));
  if (set && read_bitmap(place, "nodeset", set) && hwloc_bitmap_weight(set) == 1)
    device->numa_node = hwloc_bitmap_first(set);
  hwloc_bitmap_free(set); // NULL is fine
}

static void end_object(struct reader *reader) {
  struct object *object = &reader->objects[--reader->depth];
  struct rs_machine_view *view = &reader->view;
  bool foreign = reader->asked && object->device.kind != RS_HOST_DEVICE_GPU && !object->is_described;
  if (!object->is_device || foreign)
    return;
  if (object->place.name && !object->device.is_virtual)
    take_place(&object->place, &object->device);
  if (view->device_count < view->device_max)
    view->devices[view->device_count] = object->device;
  view->device_count++;
}

enum rs_status rs_machine_xml_read(const char *xml, struct rs_machine_view *view, struct rs_error *error) {
  if (strnlen(xml, RS_MACHINE_XML_BYTES_MAX + 1) > RS_MACHINE_XML_BYTES_MAX)
    return rs_error_set(error, RS_ERROR_USAGE, "a host's hwloc XML is longer than 64 MiB; is the file damaged?");
  struct reader *reader = rs_allocate(1, sizeof(*reader), "hwloc XML", error);
  if (!reader)
    return error->status;
  reader->view = (struct rs_machine_view){.devices = view->devices, .device_max = view->device_max};

  const char *cursor = xml;
  struct tag tag;
  bool sound = next_tag(&cursor, &tag) && is_tag(&tag, "topology") && !tag.closing, ended = sound && tag.empty;
  while (sound && !ended) {
    sound = next_tag(&cursor, &tag);
    if (!sound)
      break;
    if (is_tag(&tag, "topology")) {
      ended = tag.closing;
      sound = tag.closing && reader->depth == 0;
    } else if (is_tag(&tag, "object") && !tag.closing) {
      sound = begin_object(reader, &tag);
    } else if (is_tag(&tag, "info") && !tag.closing && reader->depth > 0) {
      take_info(reader, &tag);
    }
    if (sound && is_tag(&tag, "object") && (tag.closing || tag.empty)) {
      sound = reader->depth > 0;
      if (sound)
        end_object(reader);
    }
  }
  if (sound)
    *view = reader->view;
  else
    rs_error_set(error, RS_ERROR_USAGE,
                 "a host's hwloc XML breaks off or is malformed after %zu bytes; is the file damaged?",
                 (size_t)(cursor - xml));
  free(reader);
  return sound ? RS_OK : error->status;
}
