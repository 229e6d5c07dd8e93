/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* The whole virtual machine as data, host half and guest half. Made by the
 * planner, read by the emitters; the structs are public to be read, nobody
 * changes one that was handed out. Reference counted, no descriptors, no
 * objects; equal inputs give equal plans. */

typedef enum
{
  VP_ACCEL_NONE, /* the driver runs nothing (libvirt's test driver) */
  VP_ACCEL_TCG,
  VP_ACCEL_KVM,
} VpAccel;

const char *vp_accel_to_string (VpAccel accel); /* "none", "tcg", "kvm" */

typedef enum
{
  VP_DEVICE_SHARE,
  VP_DEVICE_CHANNEL,
  VP_DEVICE_CONSOLE,
  VP_DEVICE_RNG,
  VP_N_DEVICE_KINDS
} VpDeviceKind;

const char *vp_device_kind_to_string (VpDeviceKind kind); /* "share", ... */

typedef struct
{
  VpDeviceKind kind;
  char *id; /* unique in the plan: "share0", "agent", ... */
  union
  {
    struct
    {
      char *tag;    /* the guest mounts it by this name */
      char *source; /* directory on the host */
    } share;
    struct
    {
      char *name;   /* in the guest, /sys/class/virtio-ports/N/name */
      char *socket; /* Unix socket on the host; QEMU listens */
    } channel;
    struct
    {
      char *socket;      /* QEMU listens, the daemon reads */
      char *log;         /* where the daemon keeps the newest of it */
      guint64 max_bytes; /* of that file */
    } console;
    struct
    {
      char *source; /* "/dev/urandom" */
    } rng;
  } u;
} VpDevice;

void vp_device_free (VpDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpDevice, vp_device_free)

/* Something the agent mounts before containers start: the protocol's Storage. */
typedef struct
{
  char *driver; /* "virtio-fs", "ephemeral" */
  char *source;
  char *fstype;
  char *mount_point;
  char **options;        /* never NULL */
  char **driver_options; /* never NULL */
} VpGuestStorage;

typedef struct _VpPlan
{
  char *sandbox_id;
  char *handler;
  char *uuid; /* of the domain, lower case with dashes */
  char *domain_name;
  char *directory; /* the sandbox's own on the host */

  VpAccel accel;
  char *arch;
  char *machine;
  char *cpu_model; /* NULL: the host's */
  char *emulator;  /* NULL: libvirt chooses */
  guint vcpus;
  guint64 memory; /* bytes, whole MiB */
  guint hotplug_ports;
  char *kernel;
  char *initrd;
  char *cmdline;
  GPtrArray *devices; /* of VpDevice */

  /* guest half */
  char *hostname;         /* "" : the guest keeps its own */
  char **dns;             /* resolv.conf lines; never NULL */
  gboolean sandbox_pidns; /* containers share one pid namespace */
  GPtrArray *storages;    /* of VpGuestStorage */

  GPtrArray *decisions; /* of VpDecision, see vp-decision.h */
} VpPlan;

VpPlan *vp_plan_new (void);
VpPlan *vp_plan_ref (VpPlan *plan);
void vp_plan_unref (VpPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpPlan, vp_plan_unref)

void vp_plan_add_device (VpPlan *plan, VpDevice *device /* takes */);
VpGuestStorage *vp_plan_add_storage (VpPlan *plan, const char *driver, const char *source, const char *fstype,
                                     const char *mount_point, const char *const *options);
/* First device of a kind, NULL when there is none. Borrowed. */
const VpDevice *vp_plan_find_device (const VpPlan *plan, VpDeviceKind kind);

/* Host half first, one "key: value" a line: for `explain`, logs and tests. */
char *vp_plan_to_text (const VpPlan *plan);
