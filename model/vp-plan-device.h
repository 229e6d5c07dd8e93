/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One device of a plan, as data. The constructors in drivers/vp-device.h set
 * what a device cannot be without; everything else is a field with a zero that
 * means "as usual", set by whoever plans before the device is handed out. All
 * strings are the device's own. */

typedef enum
{
  VP_DEVICE_SHARE,
  VP_DEVICE_CHANNEL,
  VP_DEVICE_CONSOLE,
  VP_DEVICE_RNG,
  VP_DEVICE_VSOCK,
  VP_DEVICE_DISK,
  VP_DEVICE_NIC,
  VP_DEVICE_MEMORY,
  VP_N_DEVICE_KINDS
} VpDeviceKind;

const char *vp_device_kind_to_string (VpDeviceKind kind); /* "share", ... */

typedef enum
{
  VP_SHARE_CACHE_AUTO, /* the daemon's own choice */
  VP_SHARE_CACHE_NEVER,
  VP_SHARE_CACHE_METADATA,
  VP_SHARE_CACHE_ALWAYS,
} VpShareCache;

const char *vp_share_cache_to_string (VpShareCache cache); /* "auto", ... as the configuration says it */
gboolean vp_share_cache_from_string (const char *text, VpShareCache *ret_cache);

typedef struct
{
  char *tag;    /* the guest mounts it by this name */
  char *source; /* directory on the host */
  char *daemon; /* virtiofsd; NULL: the hypervisor's own */
  VpShareCache cache;
  guint queue_size;     /* a power of two; 0: 1024 */
  guint threads;        /* of the daemon; 0: its own choice */
  gboolean no_threads;  /* it answers in the threads of its queues */
  char *sandbox;        /* how the daemon confines itself, "namespace" or "chroot"; NULL: its own choice */
  gboolean xattr;       /* the guest sees and sets extended attributes */
  gboolean posix_locks; /* locks of the guest are locks on the host */
  guint64 dax_bytes;    /* window of the page cache mapped into the guest; 0: none */
} VpDeviceShare;

typedef struct
{
  char *name;   /* in the guest, /sys/class/virtio-ports/N/name */
  char *socket; /* Unix socket on the host; QEMU listens */
} VpDeviceChannel;

typedef enum
{
  VP_CONSOLE_SERIAL, /* the machine's UART: speaks from the first instruction */
  VP_CONSOLE_VIRTIO, /* hvc0: cheaper by the character, silent until its driver is there */
} VpConsoleModel;

typedef struct
{
  char *socket;      /* QEMU listens, the daemon reads */
  char *log;         /* where the daemon keeps the newest of it */
  guint64 max_bytes; /* of that file */
  VpConsoleModel model;
} VpDeviceConsole;

typedef struct
{
  char *source; /* "/dev/urandom" */
} VpDeviceRng;

typedef struct
{
  guint32 cid;  /* 0: libvirt finds a free one */
  guint32 port; /* where the agent listens in the guest */
} VpDeviceVsock;

typedef enum
{
  VP_DISK_VIRTIO_BLK,
  VP_DISK_VIRTIO_SCSI, /* all of a sandbox's share one controller */
} VpDiskBus;

const char *vp_disk_bus_to_string (VpDiskBus bus); /* "virtio-blk", "virtio-scsi" */
gboolean vp_disk_bus_from_string (const char *text, VpDiskBus *ret_bus);

typedef enum
{
  VP_DISK_IO_DEFAULT,
  VP_DISK_IO_NATIVE,
  VP_DISK_IO_THREADS,
  VP_DISK_IO_URING,
} VpDiskIo;

const char *vp_disk_io_to_string (VpDiskIo io); /* "default", "native", "threads", "io_uring" */
gboolean vp_disk_io_from_string (const char *text, VpDiskIo *ret_io);

typedef struct
{
  char *source;      /* absolute path on the host */
  gboolean is_block; /* a block device, not a file */
  char *format;      /* NULL: "raw", the only safe guess; else "qcow2" */
  VpDiskBus bus;
  gboolean readonly;
  gboolean shareable;     /* written by others as well; the host does not lock it */
  gboolean cache_set;     /* FALSE: the hypervisor's default, the next two do not count */
  gboolean cache_direct;  /* past the host's page cache */
  gboolean cache_noflush; /* the guest's flushes are ignored: the content dies with the host */
  VpDiskIo io;
  gboolean discard;    /* the guest's TRIM frees blocks on the host */
  guint iothread;      /* 1..plan->iothreads; 0: the main loop */
  guint queues;        /* 0: one a CPU where the hypervisor can */
  guint queue_size;    /* 0: the hypervisor's */
  guint logical_block; /* bytes, a power of two from 512; 0: the host's */
  guint physical_block;
  guint64 max_bytes_per_second; /* 0: no limit */
  guint64 max_ops_per_second;   /* 0: no limit */
  char *serial; /* how the guest finds it: at most 20 (virtio-blk) or 36 (virtio-scsi) characters */
} VpDeviceDisk;

typedef enum
{
  VP_NIC_TAP,     /* a tap device somebody made; the daemon may move it away later */
  VP_NIC_MACVTAP, /* the same, of a macvtap device on an interface */
  VP_NIC_USER,    /* address translation in the hypervisor's process: needs nothing, is slow */
  VP_NIC_PASST,   /* the same in a process of its own, which libvirt starts */
} VpNicBackend;

const char *vp_nic_backend_to_string (VpNicBackend backend); /* "tap", "macvtap", "user", "passt" */
/* No device on the host: a program sends the packets as its own. */
gboolean vp_nic_backend_is_user (VpNicBackend backend);

typedef struct
{
  VpNicBackend backend;
  char *dev;         /* its name; NULL for user; passt: the interface the host gets out by */
  char *address;     /* passt: the guest's, "10.0.2.15"; else NULL */
  guint prefix;      /* of it */
  char *mac;         /* "02:..." lower case; NULL: libvirt makes one up */
  guint mtu;         /* 0: 1500 */
  guint queues;      /* pairs; 0: one */
  gboolean no_vhost; /* packets through the hypervisor's process instead of the host's kernel */
  /* Bits a second as seen by the guest; 0: no limit. */
  guint64 rx_rate, tx_rate;
  /* The daemon moves the device into another network namespace and limits it
   * there: what libvirt sets would not survive the move. */
  gboolean shaped_by_daemon;
} VpDeviceNic;

typedef enum
{
  VP_MEMORY_DIMM,       /* whole modules, plugged one by one */
  VP_MEMORY_VIRTIO_MEM, /* one region of which the guest is given as much as it may have */
  VP_MEMORY_NVDIMM,  /* a file as memory: the root file system of an image, read-only, without a page cache */
  VP_MEMORY_SGX_EPC, /* enclave pages */
} VpMemoryModel;

const char *vp_memory_model_to_string (VpMemoryModel model); /* "dimm", ... */

typedef struct
{
  VpMemoryModel model;
  guint64 size;      /* bytes; of virtio-mem: the most there can be */
  guint64 requested; /* virtio-mem: what there is from the start */
  guint64 block;     /* virtio-mem: the grain; 0: 2 MiB */
  char *source;      /* NVDIMM: the file */
  gboolean readonly; /* NVDIMM */
} VpDeviceMemory;

typedef struct
{
  VpDeviceKind kind;
  char *id; /* unique in the plan: "share0", "agent", ... */
  union
  {
    VpDeviceShare share;
    VpDeviceChannel channel;
    VpDeviceConsole console;
    VpDeviceRng rng;
    VpDeviceVsock vsock;
    VpDeviceDisk disk;
    VpDeviceNic nic;
    VpDeviceMemory memory;
  } u;
} VpDevice;

void vp_device_free (VpDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpDevice, vp_device_free)

/* Appends "KIND ID key=value ...", without what is as usual. */
void vp_device_append_text (const VpDevice *device, GString *text);
