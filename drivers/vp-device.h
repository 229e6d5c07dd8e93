/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-driver.h"
#include "vp-plan.h"
#include "vp-xml.h"

/* One kind of device: its constructor and both its doors in one room,
 * vp-device-KIND.c. */
typedef struct
{
  VpDeviceKind kind;
  /* PCIe ports it takes, if that is always the same number. */
  guint n_ports;
  /* If it is not; NULL: n_ports. */
  guint (*count_ports) (const VpDevice *device);
  /* Adds its element below @devices. @plan is the one it belongs to, which says
   * what all devices share. InvalidArgument, NotSupported. */
  gboolean (*emit_xml) (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
                        GError **error);
  /* Adds what the agent must be told to @plan's guest half; NULL: nothing. */
  void (*emit_guest) (const VpDevice *device, VpPlan *plan);
} VpDeviceOps;

const VpDeviceOps *vp_device_ops (VpDeviceKind kind);
guint vp_device_count_ports (const VpDevice *device);

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
/* @dev NULL for VP_NIC_USER; VP_NIC_PASST wants an address as well. */
VpDevice *vp_device_nic_new (const char *id, VpNicBackend backend, const char *dev);
VpDevice *vp_device_memory_new (const char *id, VpMemoryModel model, guint64 size);

/* For emitters: <driver iommu="on"/> attributes, if @plan has its virtio
 * devices behind the IOMMU. @parent is the device; an element is only made when
 * there is something to say. */
void vp_device_emit_iommu (const VpPlan *plan, xmlNode *parent);
