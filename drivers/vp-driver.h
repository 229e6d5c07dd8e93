/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-plan.h"

/* What a plan can ask for and a driver may lack. */
typedef enum
{
  VP_FEATURE_CHANNEL, /* virtio-serial channel */
  VP_FEATURE_VSOCK,
  VP_FEATURE_CONSOLE, /* serial port on a socket */
  VP_FEATURE_VIRTIO_CONSOLE,
  VP_FEATURE_RNG,
  VP_FEATURE_SHARE,          /* virtiofs */
  VP_FEATURE_SHARE_CACHE,    /* cache=never, always */
  VP_FEATURE_SHARE_METADATA, /* cache=metadata */
  VP_FEATURE_SHARE_THREADS,
  VP_FEATURE_SHARE_DAX,
  VP_FEATURE_DISK,
  VP_FEATURE_DISK_BLOCK,  /* on a block device */
  VP_FEATURE_DISK_FORMAT, /* that is not raw */
  VP_FEATURE_DISK_SCSI,
  VP_FEATURE_DISK_OPTIONS, /* cache, io, discard, queues, block sizes, serial */
  VP_FEATURE_IO_URING,
  VP_FEATURE_IOTHREADS,
  VP_FEATURE_NIC_TAP,
  VP_FEATURE_NIC_MACVTAP,
  VP_FEATURE_NIC_USER,
  VP_FEATURE_NIC_PASST,
  VP_FEATURE_NIC_QUEUES,
  VP_FEATURE_NIC_MTU,
  VP_FEATURE_NIC_RATE,
  VP_FEATURE_DIMM,
  VP_FEATURE_VIRTIO_MEM,
  VP_FEATURE_NVDIMM,
  VP_FEATURE_SGX_EPC,
  VP_FEATURE_MAX_MEMORY,   /* maxMemory and slots */
  VP_FEATURE_VCPU_HOTPLUG, /* more vCPUs than there are from the start */
  VP_FEATURE_VCPU_PINS,
  VP_FEATURE_CPU_MODEL, /* one that is not the host's, or features switched */
  VP_FEATURE_NUMA,      /* cells of their own, placed on nodes of the host */
  VP_FEATURE_BACKING_FILE,
  VP_FEATURE_HUGE_PAGES,
  VP_FEATURE_PREALLOC,
  VP_FEATURE_LOCKED,
  VP_FEATURE_RECLAIM,
  VP_FEATURE_BOOT_DISK, /* without a kernel of the host's */
  VP_FEATURE_INITRD,
  VP_FEATURE_FIRMWARE,
  VP_FEATURE_FIRMWARE_VOLUME,
  VP_FEATURE_SWITCH_PORTS,
  VP_FEATURE_IOMMU, /* the machine's own kind */
  VP_FEATURE_IOMMU_VIRTIO,
  VP_FEATURE_IOMMU_PLATFORM,
  VP_FEATURE_CRASH_DUMP,
  VP_FEATURE_SECLABEL,
  VP_FEATURE_PARTITION,
  VP_FEATURE_EMULATOR, /* a path of its own */
  VP_N_FEATURES
} VpFeature;

#define VP_NEVER G_MAXUINT64

/* One cell of the table: the libvirt version from which the driver can. */
typedef struct
{
  guint64 since;      /* major * 1000000 + minor * 1000; 0: as long as virtpod can use it; VP_NEVER */
  const char *reason; /* one clause, why not; NULL where nothing has to be said */
} VpCapability;

/* What differs between libvirt's hypervisor drivers, and no more. */
typedef struct
{
  const char *name;                           /* as virConnectGetType() says it */
  const char *(*domain_type) (VpAccel accel); /* <domain type=…>; NULL: cannot do that */
  gboolean runs_guests;                       /* FALSE: domains are make-believe, no agent will answer */
  gboolean can_start_paused;                  /* VIR_DOMAIN_START_PAUSED is accepted */
  gboolean can_validate;                      /* VIR_DOMAIN_START_VALIDATE is accepted */
  gboolean has_buses;                         /* controllers and ports are part of the document */
  const VpCapability *capabilities;           /* VP_N_FEATURES of them */
} VpDriver;

/* NULL when virtpod has no support for the driver. Borrowed, static. */
const VpDriver *vp_driver_find (const char *libvirt_name);

extern const VpDriver vp_driver_qemu;
extern const VpDriver vp_driver_ch;
extern const VpDriver vp_driver_test;

/* In words, as errors and documents say it: "virtiofs share", ... */
const char *vp_feature_to_string (VpFeature feature);

/* @libvirt_version 0: not known, only what no version can is refused. */
gboolean vp_driver_can (const VpDriver *driver, VpFeature feature, guint64 libvirt_version);

/* NotSupported saying @what (a device's id, a field), the feature, the driver,
 * its version here and the one it takes or why none does. */
gboolean vp_driver_require (const VpDriver *driver, VpFeature feature, guint64 libvirt_version,
                            const char *what, GError **error);

/* Everything one device of @plan needs. */
gboolean vp_driver_check_device (const VpDriver *driver, const VpPlan *plan, const VpDevice *device,
                                 GError **error);

/* Everything @plan needs, in the order a reader of the plan meets it. */
gboolean vp_driver_check_plan (const VpDriver *driver, const VpPlan *plan, GError **error);
