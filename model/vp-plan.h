/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-guest-storage.h"
#include "vp-host-bind.h"
#include "vp-network.h"
#include "vp-plan-device.h"
#include "vp-spec.h"

/* The whole virtual machine as data, host half and guest half. Made by the
 * planner, read by the emitters; the structs are public to be read, nobody
 * changes one that was handed out. Reference counted, no descriptors, no
 * objects; equal inputs give equal plans. A field that is zero means "as
 * usual", so that a new plan is a plain one. */

typedef enum
{
  VP_ACCEL_NONE, /* the driver runs nothing (libvirt's test driver) */
  VP_ACCEL_TCG,
  VP_ACCEL_KVM,
} VpAccel;

const char *vp_accel_to_string (VpAccel accel); /* "none", "tcg", "kvm" */

/* Where the guest's memory is on the host. */
typedef enum
{
  VP_BACKING_MEMFD, /* anonymous, and another process can map it */
  VP_BACKING_FILE,  /* files below qemu.conf's memory_backing_dir */
  VP_BACKING_HUGE,  /* huge pages, of plan->huge_page_size */
} VpBacking;

const char *vp_backing_to_string (VpBacking backing); /* "memfd", "file", "hugepages" */

typedef enum
{
  VP_IOMMU_NONE,
  VP_IOMMU_INTEL,  /* q35 */
  VP_IOMMU_SMMUV3, /* virt (arm) */
  VP_IOMMU_VIRTIO, /* libvirt 8.3 */
} VpIommu;

const char *vp_iommu_to_string (VpIommu iommu); /* "none", "intel", "smmuv3", "virtio" */

/* One feature of the CPU, switched. "pmu" and "kvm" (whether the guest sees it
 * is on KVM) are the machine's, and written there. */
typedef struct
{
  char *name;
  gboolean on;
} VpCpuFeature;

/* One NUMA node of the guest. */
typedef struct
{
  guint first_vcpu, n_vcpus;
  guint64 memory;   /* bytes, whole MiB */
  char *host_nodes; /* "0", "0-1,3"; NULL: wherever */
} VpNumaCell;

/* A label of a security driver for the domain's processes and files. */
typedef struct
{
  char *model;         /* "selinux", "apparmor", "dac" */
  char *label;         /* NULL: the domain runs without one of this model */
  char *image_label;   /* of its files; NULL: derived */
  gboolean no_relabel; /* the files have their labels already */
} VpSecLabel;

/* What a path of the plan must be; the daemon looks before anything starts. */
typedef enum
{
  VP_PATH_FILE,
  VP_PATH_EXECUTABLE,
  VP_PATH_DIRECTORY,
  VP_PATH_BLOCK,
  VP_PATH_DISK, /* file or block device */
  VP_PATH_CHAR,
} VpPathKind;

const char *vp_path_kind_to_string (VpPathKind kind); /* "regular file", ... */

typedef struct
{
  char *path;
  VpPathKind kind;
  char *what;   /* who asked: "guest.kernel", "annotation io.katacontainers.config.hypervisor.kernel" */
  char *sha512; /* hex, lower case, that the content must have; NULL: any */
} VpPathCheck;

typedef struct _VpPlan
{
  /* who */
  char *sandbox_id;
  char *handler;
  char *uuid; /* of the domain, lower case with dashes */
  char *domain_name;
  char *directory; /* the sandbox's own on the host */
  char *pod_name;  /* what the orchestrator calls it, for people who look at the domain; NULL: none */
  char *pod_namespace;
  char *pod_uid;

  /* for whom: what the driver can depends on its age */
  guint64 libvirt_version; /* major * 1000000 + minor * 1000 + micro; 0: not known, taken as able */

  /* machine */
  VpAccel accel;
  char *arch;
  char *machine;
  char *emulator; /* NULL: libvirt chooses */
  VpIommu iommu;
  gboolean iommu_platform;  /* virtio devices are behind the IOMMU */
  guint hotplug_ports;      /* free PCIe root ports */
  guint switch_ports;       /* free downstream ports of one PCIe switch */
  gboolean scsi_controller; /* also without a disk on it: one may be plugged later */
  guint iothreads;
  gboolean crash_dump; /* a panic of the guest leaves a dump in qemu.conf's auto_dump_path */

  /* processors */
  char *cpu_model;         /* NULL: the host's; or "host-model", "maximum" */
  GPtrArray *cpu_features; /* of VpCpuFeature */
  guint vcpus;             /* from the start */
  guint max_vcpus;         /* that can be plugged; 0: vcpus */
  char **vcpu_pins;        /* host CPUs of vCPU i, "3" or "0-3,8"; NULL: none is pinned */

  /* memory, bytes, whole MiB */
  guint64 memory;     /* from the start, without memory devices */
  guint64 max_memory; /* that can be plugged, with everything; 0: memory */
  guint memory_slots; /* for modules */
  VpBacking backing;
  guint64 huge_page_size;  /* bytes; 0: the host's default */
  gboolean private_memory; /* nobody maps it: no share, but pages can be merged and copied on write */
  gboolean prealloc;       /* all of it taken from the host at the start */
  gboolean locked;         /* never swapped out */
  gboolean reclaim_memory; /* the guest hands free pages back to the host */
  GPtrArray *numa_cells;   /* of VpNumaCell; none: one with everything */

  /* boot; a disk or NVDIMM among the devices is the root if the command line says so */
  char *kernel; /* NULL: the firmware finds one */
  char *initrd; /* NULL: the root file system is an image */
  char *cmdline;
  char *firmware;        /* NULL: the machine's own */
  char *firmware_volume; /* template of its variables; given: the firmware is flash, else a ROM */

  /* confinement on the host */
  GPtrArray *seclabels; /* of VpSecLabel */
  char *partition;      /* of cgroups, as libvirt names them: "/machine"; NULL: libvirt's own */
  char *cgroup;         /* the machine is moved there once libvirt has started it; NULL: it stays */

  GPtrArray *devices; /* of VpDevice */
  GPtrArray *paths;   /* of VpPathCheck */
  GPtrArray *binds;   /* of VpHostBind: in the share from the start, whatever the containers ask for */

  /* guest half */
  char *hostname;         /* "" : the guest keeps its own */
  char **dns;             /* resolv.conf lines; never NULL */
  VpNetwork *network;     /* what its interfaces are told, one for each NIC in the same order; NULL: it has none */
  gboolean sandbox_pidns; /* containers share one pid namespace */
  GPtrArray *storages;    /* of VpGuestStorage */
  char **kernel_modules;  /* the agent loads, each "name param=value …"; never NULL */
  char *guest_hook_dir;   /* where the guest has programs that it runs for containers; NULL: none */

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

/* A later setting of the same feature replaces the earlier one. */
void vp_plan_set_cpu_feature (VpPlan *plan, const char *name, gboolean on);
/* "pmu=off,+avx2,-x2apic,svm=on", as QEMU's -cpu takes them. @what names the
 * text in errors: InvalidArgument for what is none. */
gboolean vp_plan_parse_cpu_features (VpPlan *plan, const char *text, const char *what, GError **error);

VpNumaCell *vp_plan_add_numa_cell (VpPlan *plan, guint first_vcpu, guint n_vcpus, guint64 memory);
VpSecLabel *vp_plan_add_seclabel (VpPlan *plan, const char *model, const char *label);
VpPathCheck *vp_plan_add_path (VpPlan *plan, const char *path, VpPathKind kind, const char *what);

/* Effective ceilings: never below what there is from the start. */
guint vp_plan_get_max_vcpus (const VpPlan *plan);
guint64 vp_plan_get_max_memory (const VpPlan *plan);

/* The cgroup of the spec's cgroupsPath as a libvirt partition: its parent, since
 * libvirt makes a leaf of its own. Both spellings are known, "SLICE:PREFIX:NAME"
 * and a path. NULL with @ret_why set to a static text when there is none or
 * libvirt has no name for it: it renames directories without a dot. Slices are
 * only found where libvirt registers domains with systemd; elsewhere a domain
 * with such a partition does not start. */
char *vp_partition_from_cgroups_path (const char *cgroups_path, const char **ret_why);

/* The cgroup of the spec's cgroupsPath where nobody but us makes it: an absolute path
 * below each hierarchy, without "." and "..", and never the root. NULL with @ret_why
 * when there is none or it is one of systemd's. */
char *vp_cgroup_from_cgroups_path (const char *cgroups_path, const char **ret_why);

/* Host half first, one "key: value" a line: for `explain`, logs and tests. */
char *vp_plan_to_text (const VpPlan *plan);
