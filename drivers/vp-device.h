/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "vp-driver.h"
#include "vp-plan.h"

/* One kind of device: its constructor and both its doors in one room,
 * vp-device-KIND.c. */
typedef struct
{
  VpDeviceKind kind;
  /* PCIe ports it takes. */
  guint n_ports;
  /* Adds its elements below <devices>. InvalidArgument, NotSupported. */
  gboolean (*emit_xml) (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error);
  /* Adds what the agent must be told to @plan's guest half; NULL: nothing. */
  void (*emit_guest) (const VpDevice *device, VpPlan *plan);
} VpDeviceOps;

const VpDeviceOps *vp_device_ops (VpDeviceKind kind);

extern const VpDeviceOps vp_device_share;
extern const VpDeviceOps vp_device_channel;
extern const VpDeviceOps vp_device_console;
extern const VpDeviceOps vp_device_rng;
extern const VpDeviceOps vp_device_vsock;
extern const VpDeviceOps vp_device_disk;
extern const VpDeviceOps vp_device_nic;
extern const VpDeviceOps vp_device_memory;

/* What the device cannot be without; the rest of its fields is the caller's to
 * set before the plan is handed out. */
VpDevice *vp_device_share_new (const char *id, const char *tag, const char *source);
VpDevice *vp_device_channel_new (const char *id, const char *name, const char *socket);
VpDevice *vp_device_console_new (const char *id, const char *socket, const char *log, guint64 max_bytes);
VpDevice *vp_device_rng_new (const char *id, const char *source);
VpDevice *vp_device_vsock_new (const char *id, guint32 port);
VpDevice *vp_device_disk_new (const char *id, const char *source, VpDiskBus bus);
/* @dev NULL for VP_NIC_USER. */
VpDevice *vp_device_nic_new (const char *id, VpNicBackend backend, const char *dev);
VpDevice *vp_device_memory_new (const char *id, VpMemoryModel model, guint64 size);

/* For emitters. Strings come from outside: what XML cannot carry (control
 * characters, invalid UTF-8) is InvalidArgument naming element and attribute. */
xmlNode *vp_xml_child (xmlNode *parent, const char *name);
gboolean vp_xml_set (xmlNode *node, const char *attribute, const char *value, GError **error);
gboolean vp_xml_add_text (xmlNode *parent, const char *name, const char *text, GError **error);
/* For names, words and numbers of our own, which always fit. */
void vp_xml_set_word (xmlNode *node, const char *attribute, const char *word);
void vp_xml_set_number (xmlNode *node, const char *attribute, guint64 number);
