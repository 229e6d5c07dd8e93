/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "vp-driver.h"
#include "vp-plan.h"

/* One kind of device: both its doors in one room, vp-device-KIND.c. */
typedef struct
{
  VpDeviceKind kind;
  /* PCIe ports it takes on a machine with a PCIe root */
  guint n_ports;
  /* adds its elements below <devices>; InvalidArgument, NotSupported */
  gboolean (*emit_xml) (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error);
  /* adds what the agent must be told; NULL: nothing */
  void (*emit_guest) (const VpDevice *device, VpPlan *plan);
} VpDeviceOps;

const VpDeviceOps *vp_device_ops (VpDeviceKind kind);

extern const VpDeviceOps vp_device_share;
extern const VpDeviceOps vp_device_channel;
extern const VpDeviceOps vp_device_console;
extern const VpDeviceOps vp_device_rng;

/* Constructors, for the planner. */
VpDevice *vp_device_share_new (const char *id, const char *tag, const char *source);
VpDevice *vp_device_channel_new (const char *id, const char *name, const char *socket);
VpDevice *vp_device_console_new (const char *id, const char *socket, const char *log, guint64 max_bytes);
VpDevice *vp_device_rng_new (const char *id, const char *source);
