/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The effective configuration: every decision a user can influence is a key
 * with a value and the source of that value. Layers, each over the one before:
 *
 *   default < virtpod.conf < virtpod.conf.d/ *.conf in the order of their names
 *           < command line < [handler NAME] < annotation of the sandbox
 *
 * One table of keys (vp-config-table*.c) drives the parser, `show`, the shipped
 * commented file, the manual page and the reader of Kata's configuration. An
 * unknown group or key or a bad value is ConfigError naming file, line and key.
 *
 * An object that was handed out does not change: who wants another value takes
 * vp_config_copy () (or vp_config_for_handler ()) and overrides that. Plain
 * memory, any thread, no I/O after vp_config_load (). */

typedef enum
{
  VP_CONFIG_DAEMON_STATE_DIR,
  VP_CONFIG_DAEMON_LOG_LEVEL,
  VP_CONFIG_DAEMON_MAX_SANDBOXES,
  VP_CONFIG_DAEMON_MAX_CONTAINERS, /* of all sandboxes together */
  VP_CONFIG_DAEMON_ON_STOP,
  VP_CONFIG_DAEMON_ORPHAN_GRACE_MS,
  VP_CONFIG_DAEMON_MAX_SANDBOXES_PER_USER,
  VP_CONFIG_DAEMON_MAX_CONTAINERS_PER_USER,
  VP_CONFIG_DAEMON_MAX_CONNECTIONS_PER_USER,
  VP_CONFIG_DAEMON_MAX_CALLS_PER_USER,
  VP_CONFIG_DAEMON_SOCKET, /* path, below the state directory unless absolute; "": none */
  VP_CONFIG_DAEMON_GROUP,  /* name or number; "": none */
  VP_CONFIG_DAEMON_HOOKS,
  VP_CONFIG_DAEMON_HOOK_TIMEOUT_MS, /* for hooks that do not say */

  VP_CONFIG_HYPERVISOR_URI,
  VP_CONFIG_HYPERVISOR_WAIT_MS,      /* duration: for libvirt to come back; 0: not at all */
  VP_CONFIG_HYPERVISOR_ACCEL,        /* "auto", "kvm", "tcg" */
  VP_CONFIG_HYPERVISOR_EMULATOR,     /* path; "": libvirt chooses */
  VP_CONFIG_HYPERVISOR_MACHINE,
  VP_CONFIG_HYPERVISOR_CPU_MODEL,    /* "": chosen by accelerator */
  VP_CONFIG_HYPERVISOR_CPU_FEATURES, /* list, "pmu=off", "-svm", "+avx2", "avx2" */
  VP_CONFIG_HYPERVISOR_VCPUS,        /* double */
  VP_CONFIG_HYPERVISOR_MAX_VCPUS,    /* 0: as many as the host has */
  VP_CONFIG_HYPERVISOR_VCPU_PINNING, /* bool */
  VP_CONFIG_HYPERVISOR_MEMORY_MIB,
  VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB,  /* 0: the host's memory */
  VP_CONFIG_HYPERVISOR_MEMORY_SLOTS,    /* uint */
  VP_CONFIG_HYPERVISOR_MEMORY_OFFSET,   /* size: added to the ceiling of memory */
  VP_CONFIG_HYPERVISOR_MEMORY_BACKING,  /* "memfd", "file" */
  VP_CONFIG_HYPERVISOR_MEMORY_PREALLOC, /* bool */
  VP_CONFIG_HYPERVISOR_MEMORY_RECLAIM,  /* bool: balloon with free page reporting */
  VP_CONFIG_HYPERVISOR_HUGE_PAGES,      /* bool */
  VP_CONFIG_HYPERVISOR_HUGE_PAGE_TYPE,  /* "hugetlbfs", "thp"; only with HUGE_PAGES */
  VP_CONFIG_HYPERVISOR_HUGE_PAGE_SIZE,  /* size; 0: the host's default */
  VP_CONFIG_HYPERVISOR_VIRTIO_MEM,      /* bool */
  VP_CONFIG_HYPERVISOR_SGX_EPC,         /* size; 0: none */
  VP_CONFIG_HYPERVISOR_NUMA,            /* bool: guest nodes as the host's */
  VP_CONFIG_HYPERVISOR_NUMA_MAPPING,    /* list by blanks of host node sets, "0-1 2"; empty: one each */
  VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS,   /* free PCIe root ports for virtio devices */
  VP_CONFIG_HYPERVISOR_PCIE_ROOT_PORTS,   /* further ones for host devices */
  VP_CONFIG_HYPERVISOR_PCIE_SWITCH_PORTS, /* downstream ports of one switch */
  VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO,     /* "no-port", "root-port", "switch-port" */
  VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO,    /* the same */
  VP_CONFIG_HYPERVISOR_IOMMU,             /* bool: the guest sees an IOMMU */
  VP_CONFIG_HYPERVISOR_IOMMU_PLATFORM,    /* bool: virtio devices are behind it */
  VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE,    /* path */
  VP_CONFIG_HYPERVISOR_CRASH_DUMP,        /* bool: a guest that panics leaves one */
  VP_CONFIG_HYPERVISOR_SELINUX,           /* bool: libvirt confines the emulator by SELinux labels */

  VP_CONFIG_GUEST_KERNEL,        /* path; "": none, the firmware boots the image */
  VP_CONFIG_GUEST_INITRD,        /* path or ""; see vp_config_boots_image () */
  VP_CONFIG_GUEST_IMAGE,         /* path or "" */
  VP_CONFIG_GUEST_IMAGE_TYPE,    /* "ext4", "xfs", "erofs" */
  VP_CONFIG_GUEST_IMAGE_DRIVER,  /* "virtio-blk", "nvdimm" */
  VP_CONFIG_GUEST_VERITY_PARAMS, /* as Kata's kernel_verity_params; "": no dm-verity */
  VP_CONFIG_GUEST_FIRMWARE,      /* path or "" */
  VP_CONFIG_GUEST_FIRMWARE_VARS, /* path or "" */
  VP_CONFIG_GUEST_CMDLINE_EXTRA, /* Kata's kernel_params */
  VP_CONFIG_GUEST_HOOK_DIR,      /* path in the guest or "" */
  VP_CONFIG_GUEST_DNS,           /* list of addresses */
  VP_CONFIG_GUEST_SECCOMP,       /* bool: the container's profile is passed on */
  VP_CONFIG_GUEST_SELINUX,       /* bool: SELinux in the guest */
  VP_CONFIG_GUEST_SELINUX_LABEL, /* of container processes in the guest; "": the bundle's */
  VP_CONFIG_GUEST_SWAP,          /* bool */

  VP_CONFIG_SHARE_TYPE,             /* "virtiofs", "none" */
  VP_CONFIG_SHARE_DAEMON,           /* path of virtiofsd; "": libvirt chooses */
  VP_CONFIG_SHARE_CACHE,            /* "auto", "always", "never" */
  VP_CONFIG_SHARE_QUEUE_SIZE,       /* uint, a power of two */
  VP_CONFIG_SHARE_THREAD_POOL_SIZE, /* int; -1: virtiofsd's own */
  VP_CONFIG_SHARE_SANDBOX,          /* "auto", "namespace", "chroot" */

  VP_CONFIG_BLOCK_ENABLED,       /* bool: block devices become disks; false: shared as files */
  VP_CONFIG_BLOCK_DRIVER,        /* "virtio-blk", "virtio-scsi" */
  VP_CONFIG_BLOCK_AIO,           /* "threads", "native", "io_uring" */
  VP_CONFIG_BLOCK_CACHE_SET,     /* bool: the two below say it; false: the hypervisor's default */
  VP_CONFIG_BLOCK_CACHE_DIRECT,  /* bool: not through the host's page cache */
  VP_CONFIG_BLOCK_CACHE_NOFLUSH, /* bool: flushes of the guest are ignored */
  VP_CONFIG_BLOCK_DISCARD,       /* "ignore", "unmap" */
  VP_CONFIG_BLOCK_IOTHREADS,     /* bool: one for all disks */
  VP_CONFIG_BLOCK_INDEPENDENT_IOTHREADS, /* uint; how many further ones disks take turns on */
  VP_CONFIG_BLOCK_QUEUES,                /* uint; 0: as many as vCPUs */
  VP_CONFIG_BLOCK_QUEUE_SIZE,            /* uint, a power of two; 0: the hypervisor's default */
  VP_CONFIG_BLOCK_LOGICAL_SECTOR_SIZE,   /* uint, 0 or a power of two from 512 to 65536 */
  VP_CONFIG_BLOCK_PHYSICAL_SECTOR_SIZE,  /* the same, not less than the logical one */
  VP_CONFIG_BLOCK_MAX_BYTES_PER_SECOND,  /* size; 0: unlimited */
  VP_CONFIG_BLOCK_MAX_OPS_PER_SECOND,    /* uint; 0: unlimited */
  VP_CONFIG_BLOCK_VHOST_USER,            /* bool */
  VP_CONFIG_BLOCK_VHOST_USER_DIR,        /* path */
  VP_CONFIG_BLOCK_VHOST_USER_RECONNECT,  /* duration; 0: never */

  VP_CONFIG_NETWORK_MODEL,       /* "tcfilter", "macvtap", "none" */
  VP_CONFIG_NETWORK_USER_BACKEND, /* "qemu", "auto", "passt" */
  VP_CONFIG_NETWORK_NEW_NETNS,   /* bool: a namespace is made for bundles that name none */
  VP_CONFIG_NETWORK_VHOST,       /* bool */
  VP_CONFIG_NETWORK_WATCH,       /* bool */
  VP_CONFIG_NETWORK_LOOPBACK_FORWARD, /* bool */
  VP_CONFIG_NETWORK_QUEUES,      /* uint; 0: as many as vCPUs */
  VP_CONFIG_NETWORK_RX_MAX_RATE, /* uint, bit/s; 0: unlimited */
  VP_CONFIG_NETWORK_TX_MAX_RATE, /* the same */

  VP_CONFIG_AGENT_TRANSPORT, /* "channel" (virtio-serial), "vsock" */
  VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS, /* these four: duration */
  VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS,
  VP_CONFIG_AGENT_CREATE_TIMEOUT_MS, /* of CreateContainer; 0: as request-timeout-ms */
  VP_CONFIG_AGENT_STOP_TIMEOUT_MS,
  VP_CONFIG_AGENT_HEARTBEAT_MS,        /* duration; 0: never */
  VP_CONFIG_AGENT_KERNEL_MODULES,      /* list by ";", each "name param=value…" */
  VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE, /* size; 0: the guest kernel's default */
  VP_CONFIG_AGENT_DEBUG,               /* bool: the agent logs at debug level */
  VP_CONFIG_AGENT_DEBUG_CONSOLE,       /* bool */

  VP_CONFIG_CONSOLE_ENABLED,
  VP_CONFIG_CONSOLE_MAX_BYTES, /* size, of the log kept for each sandbox */
  VP_CONFIG_CONSOLE_SERIAL,    /* bool: a serial port; false: a virtio console */

  VP_CONFIG_RUNTIME_STATIC_RESOURCES,    /* bool: sized at boot, nothing is plugged in later */
  VP_CONFIG_RUNTIME_OVERHEAD_VCPUS,      /* double, added to the workload's when sized at boot */
  VP_CONFIG_RUNTIME_OVERHEAD_MEMORY_MIB, /* uint, the same */
  VP_CONFIG_RUNTIME_SANDBOX_CGROUP_ONLY, /* bool */
  VP_CONFIG_RUNTIME_VFIO_MODE,           /* "guest-kernel", "vfio" */
  VP_CONFIG_RUNTIME_SANDBOX_BIND_MOUNTS, /* list by ";" of host paths, ":ro" or ":rw" at the end */
  VP_CONFIG_RUNTIME_GUEST_EMPTY_DIR,     /* bool: default-medium emptyDirs are the guest's own */
  VP_CONFIG_RUNTIME_KUBELET_DIR,         /* path */
  VP_CONFIG_RUNTIME_KEEP_FAILED,         /* bool */

  /* who may change what by annotation: lists by ";". The first three are patterns,
   * matched anchored, on the part of the annotation's name behind its prefix */
  VP_CONFIG_ANNOTATIONS_HYPERVISOR,
  VP_CONFIG_ANNOTATIONS_RUNTIME,
  VP_CONFIG_ANNOTATIONS_AGENT,
  VP_CONFIG_ANNOTATIONS_EMULATOR_PATHS, /* these: globs the value of a path must match */
  VP_CONFIG_ANNOTATIONS_BOOT_PATHS,     /* kernel, initrd, image, firmware */
  VP_CONFIG_ANNOTATIONS_SHARE_DAEMON_PATHS,
  VP_CONFIG_ANNOTATIONS_ENTROPY_SOURCES,
  VP_CONFIG_ANNOTATIONS_VHOST_USER_DIRS,
  VP_N_CONFIG_KEYS
} VpConfigKey;

typedef enum
{
  VP_CONFIG_TYPE_STRING,
  VP_CONFIG_TYPE_PATH,      /* absolute; empty only where the key says so */
  VP_CONFIG_TYPE_PATH_LIST, /* absolute paths or globs, separated by ";" */
  VP_CONFIG_TYPE_LIST,      /* texts, separated by ";" unless the key says otherwise */
  VP_CONFIG_TYPE_CHOICE,    /* one of a few words */
  VP_CONFIG_TYPE_BOOL,      /* "true", "false" */
  VP_CONFIG_TYPE_UINT,
  VP_CONFIG_TYPE_INT,
  VP_CONFIG_TYPE_SIZE,     /* bytes: "65536", "64Ki", "64KiB", "1G" (10^9) */
  VP_CONFIG_TYPE_DURATION, /* milliseconds: "1500", "1500ms", "30s", "5min", "1h" */
  VP_CONFIG_TYPE_DOUBLE,   /* "1.5" */
} VpConfigType;

typedef enum
{
  VP_CONFIG_FORMAT_KEY_FILE, /* the shipped virtpod.conf: every key commented, with its default */
  VP_CONFIG_FORMAT_RST,      /* definition list for virtpod.conf(5) */
} VpConfigFormat;

typedef struct _VpConfig VpConfig;

VpConfig *vp_config_new_default (void);

/* @path NULL: VP_FILE_CONFIG in the system configuration directory, which need
 * not exist; given: it must. Drop-ins are in "@path.d". Every handler is checked
 * too. ConfigError; NotFound for a given file. */
VpConfig *vp_config_load (const char *path, GError **error);

/* Values, sources and handlers; shares nothing that changes. */
VpConfig *vp_config_copy (VpConfig *config);

VpConfig *vp_config_ref (VpConfig *config);
void vp_config_unref (VpConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpConfig, vp_config_unref)

/* Sets "group.key" from a command line (source "command line"). Only before the
 * object is shared. ConfigError. */
gboolean vp_config_override (VpConfig *config, const char *name, const char *value, GError **error);

/* Sets @key in a copy of one's own. @source is what vp_config_get_source ()
 * answers from then on and begins the error: "annotation io.kata…: hypervisor.vcpus:
 * must be …" (InvalidArgument). Unchanged on error. */
gboolean vp_config_override_from (VpConfig *config, VpConfigKey key, const char *value, const char *source,
                                  GError **error);

/* ---- handlers: "[handler NAME]" sections with "group.key=value" lines ---- */

/* A new reference or object: the values of @handler over @config's own. NULL:
 * "default". "default" always exists; without a section it changes nothing.
 * NotFound for any other name. */
VpConfig *vp_config_for_handler (VpConfig *config, const char *handler, GError **error);
/* "default" first, then in the order of the files. Free with g_strfreev (). */
char **vp_config_list_handlers (VpConfig *config);

/* ---- values: the key's type must fit (programming error otherwise) ---- */

/* Any type, as it was written; never NULL. */
const char *vp_config_get_string (VpConfig *config, VpConfigKey key);
/* UINT, SIZE (bytes), DURATION (milliseconds), and DOUBLE rounded up. */
guint64 vp_config_get_uint (VpConfig *config, VpConfigKey key);
gint64 vp_config_get_int (VpConfig *config, VpConfigKey key);
double vp_config_get_double (VpConfig *config, VpConfigKey key);
gboolean vp_config_get_bool (VpConfig *config, VpConfigKey key);
/* LIST, PATH_LIST: borrowed, NULL-terminated, never NULL; items are stripped, none is empty. */
const char *const *vp_config_get_list (VpConfig *config, VpConfigKey key);

/* Borrowed: "default", "/etc/virtpod/virtpod.conf:12", "command line",
 * "handler NAME (/etc/virtpod/virtpod.conf:40)", or what vp_config_override_from () was given. */
const char *vp_config_get_source (VpConfig *config, VpConfigKey key);
gboolean vp_config_is_default (VpConfig *config, VpConfigKey key); /* no layer set it */

/* Of guest.image and guest.initrd the one set by the later layer boots; both in
 * one layer is an error when that is loaded. FALSE: the initrd does. */
gboolean vp_config_boots_image (VpConfig *config);

/* ---- the table ---- */

/* Keys that contradict each other: "SOURCE: group.key: why" (ConfigError).
 * vp_config_load () and vp_config_for_handler () have asked; who overrides asks again. */
gboolean vp_config_check (VpConfig *config, GError **error);

/* "group.key" of a key. */
const char *vp_config_key_name (VpConfigKey key);
VpConfigType vp_config_key_type (VpConfigKey key);
/* VP_N_CONFIG_KEYS when there is none. */
VpConfigKey vp_config_find_key (const char *name);
/* For keys with a range, FALSE otherwise: what the value may be from and to. */
gboolean vp_config_key_range (VpConfigKey key, double *ret_min, double *ret_max);
/* The whole process' or the connection's, not a sandbox's: no handler sets it. */
gboolean vp_config_key_is_global (VpConfigKey key);

/* Why this version does not act on @key; NULL: it does. */
const char *vp_config_key_unused (VpConfigKey key);
/* The same if @config asks for something by it, NULL for a value that asks for nothing. */
const char *vp_config_get_unused (VpConfig *config, VpConfigKey key);

/* The files vp_config_load (@path) reads, in that order, those that exist. */
char **vp_config_list_files (const char *path);

/* Every key with its documentation. */
char *vp_config_describe (VpConfigFormat format);
/* The values in force as a key file that loads again, handlers included;
 * @sources: each line is preceded by a comment that says where it is from. */
char *vp_config_show (VpConfig *config, gboolean sources);
