/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-config-table.h"

#include "vp-names.h"

#define MIB_MAX (G_GUINT64_CONSTANT (1) << 30)  /* 1 PiB */
#define SIZE_MAX_ (G_GUINT64_CONSTANT (1) << 50) /* the same in bytes */
#define RATE_MAX 1e12                            /* 1 Tbit/s */
#define HOUR_MS (60 * 60 * 1000)

#define STRING(group, key, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_STRING, 0, initial, 0, 0, NULL, doc, kata }
#define PATH(group, key, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_PATH, 0, initial, 0, 0, NULL, doc, kata }
#define PATH_OR_EMPTY(group, key, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_PATH, VP_CONFIG_EMPTY, initial, 0, 0, NULL, doc, kata }
#define PATHS(group, key, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_PATH_LIST, 0, initial, 0, 0, NULL, doc, kata }
#define LIST(group, key, flags, separator, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_LIST, flags, initial, 0, 0, separator, doc, kata }
#define CHOICE(group, key, words, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_CHOICE, 0, initial, 0, 0, words, doc, kata }
#define BOOL(group, key, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_BOOL, 0, initial, 0, 0, NULL, doc, kata }
#define NUMBER(type, group, key, flags, min, max, initial, doc, kata) \
  { group, key, VP_CONFIG_TYPE_##type, flags, initial, min, max, NULL, doc, kata }

/* clang-format off */
const VpConfigRow vp_config_table[VP_N_CONFIG_KEYS] = {

  /* ---- daemon ---- */

  [VP_CONFIG_DAEMON_STATE_DIR] = {
    "daemon", "state-dir", VP_CONFIG_TYPE_PATH, VP_CONFIG_GLOBAL, "/run/virtpod", 0, 0, NULL,
    "Where records, sockets, logs and shares of sandboxes are. It must not survive a reboot.", NULL },
  [VP_CONFIG_DAEMON_LOG_LEVEL] = {
    "daemon", "log-level", VP_CONFIG_TYPE_CHOICE, VP_CONFIG_GLOBAL, "notice", 0, 0,
    "error|warning|notice|info|debug", "Messages less important than this are not logged.", NULL },
  [VP_CONFIG_DAEMON_MAX_SANDBOXES] = NUMBER (
    UINT, "daemon", "max-sandboxes", VP_CONFIG_GLOBAL, 1, 100000, "1000",
    "How many sandboxes may exist at once.", NULL),
  [VP_CONFIG_DAEMON_MAX_CONTAINERS] = NUMBER (
    UINT, "daemon", "max-containers", VP_CONFIG_GLOBAL, 1, 1000000, "10000",
    "How many containers may exist at once, in all sandboxes together.", NULL),
  [VP_CONFIG_DAEMON_ON_STOP] = {
    "daemon", "on-stop", VP_CONFIG_TYPE_CHOICE, VP_CONFIG_GLOBAL, "keep", 0, 0, "keep|delete",
    "What becomes of sandboxes when the daemon is told to stop: they go on and the next daemon takes them "
    "over (keep), or they are deleted (delete).", NULL },
  [VP_CONFIG_DAEMON_ORPHAN_GRACE_MS] = NUMBER (
    DURATION, "daemon", "orphan-grace-ms", VP_CONFIG_GLOBAL, 0, HOUR_MS * 24, "300000",
    "How long a virtual machine of ours that has no record is left alone after the daemon has found it.", NULL),
  [VP_CONFIG_DAEMON_MAX_SANDBOXES_PER_USER] = NUMBER (
    UINT, "daemon", "max-sandboxes-per-user", VP_CONFIG_GLOBAL, 0, 100000, "100",
    "How many sandboxes somebody other than root may have.", NULL),
  [VP_CONFIG_DAEMON_MAX_CONTAINERS_PER_USER] = NUMBER (
    UINT, "daemon", "max-containers-per-user", VP_CONFIG_GLOBAL, 0, 1000000, "1000",
    "How many containers may be in the sandboxes of somebody other than root.", NULL),
  [VP_CONFIG_DAEMON_MAX_CONNECTIONS_PER_USER] = NUMBER (
    UINT, "daemon", "max-connections-per-user", VP_CONFIG_GLOBAL, 0, 10000, "16",
    "How many private connections somebody other than root may have open.", NULL),
  [VP_CONFIG_DAEMON_MAX_CALLS_PER_USER] = NUMBER (
    UINT, "daemon", "max-calls-per-user", VP_CONFIG_GLOBAL, 1, 100000, "500",
    "How many calls of somebody other than root may wait for their answer, those that wait for a container to "
    "end included.", NULL),
  [VP_CONFIG_DAEMON_SOCKET] = {
    "daemon", "socket", VP_CONFIG_TYPE_STRING, VP_CONFIG_GLOBAL, VP_FILE_SOCKET, 0, 0, NULL,
    "The socket for connections without a bus in between, below the state directory unless it is an absolute "
    "path. Root and the group below may connect. Empty: none.", NULL },
  [VP_CONFIG_DAEMON_GROUP] = {
    "daemon", "group", VP_CONFIG_TYPE_STRING, VP_CONFIG_GLOBAL, "virtpod", 0, 0, NULL,
    "Members of this group may do everything, which makes them as good as root: they name paths of the host. A name "
    "or a number. Empty: none.", NULL },
  [VP_CONFIG_DAEMON_HOOKS] = {
    "daemon", "hooks", VP_CONFIG_TYPE_BOOL, VP_CONFIG_GLOBAL, "true", 0, 0, NULL,
    "Whether hooks of bundles that are programs of the host are run. They run as root and outside of any virtual "
    "machine, as with every runtime. If not, a bundle that has one is refused.", NULL },
  [VP_CONFIG_DAEMON_HOOK_TIMEOUT_MS] = NUMBER (
    DURATION, "daemon", "hook-timeout-ms", VP_CONFIG_GLOBAL, 100, HOUR_MS, "30000",
    "How long a hook may run that has no timeout of its own.", NULL),

  /* ---- hypervisor ---- */

  [VP_CONFIG_HYPERVISOR_URI] = {
    "hypervisor", "uri", VP_CONFIG_TYPE_STRING, VP_CONFIG_GLOBAL, VP_HYPERVISOR_URI, 0, 0, NULL,
    "The libvirt connection virtual machines are made on.", NULL },
  [VP_CONFIG_HYPERVISOR_WAIT_MS] = NUMBER (
    DURATION, "hypervisor", "wait-ms", VP_CONFIG_GLOBAL, 0, HOUR_MS, "0",
    "How long a call that needs libvirt waits for it when it is away, for a restart say. 0: such calls fail "
    "at once. Containers that run, and stopping them, do not need it.", NULL),
  [VP_CONFIG_HYPERVISOR_ACCEL] = CHOICE (
    "hypervisor", "accel", "auto|kvm|tcg", "auto",
    "What runs the guest's instructions: hardware virtualisation (kvm), emulation (tcg, slow), or kvm "
    "where the host has it and tcg elsewhere (auto).", NULL),
  [VP_CONFIG_HYPERVISOR_EMULATOR] = PATH_OR_EMPTY (
    "hypervisor", "emulator", "", "The emulator. Empty: libvirt's choice.", "hypervisor.path"),
  [VP_CONFIG_HYPERVISOR_MACHINE] = STRING (
    "hypervisor", "machine", "q35", "The machine type.", "hypervisor.machine_type"),
  [VP_CONFIG_HYPERVISOR_CPU_MODEL] = STRING (
    "hypervisor", "cpu-model", "",
    "The CPU model the guest sees. Empty: the host's CPU under kvm, qemu64 under tcg.", NULL),
  [VP_CONFIG_HYPERVISOR_CPU_FEATURES] = LIST (
    "hypervisor", "cpu-features", 0, ",", "",
    "Features of the CPU switched on or off: name, +name, name=on, -name, name=off.",
    "hypervisor.cpu_features"),
  [VP_CONFIG_HYPERVISOR_VCPUS] = NUMBER (
    DOUBLE, "hypervisor", "vcpus", 0, 0.1, 4096, "1",
    "Virtual CPUs of a sandbox, to which those are added that the CPU quota of its first container or its pod "
    "asks for. Fractions count until everything is added up, then the sum is rounded up.",
    "hypervisor.default_vcpus"),
  [VP_CONFIG_HYPERVISOR_MAX_VCPUS] = NUMBER (
    UINT, "hypervisor", "max-vcpus", 0, 0, 4096, "0",
    "No sandbox gets more virtual CPUs than this. 0: as many as the host has.",
    "hypervisor.default_maxvcpus"),
  [VP_CONFIG_HYPERVISOR_VCPU_PINNING] = BOOL (
    "hypervisor", "vcpu-pinning", "false",
    "Whether each virtual CPU stays on one host CPU, when the sandbox may use exactly as many as it has.",
    "runtime.enable_vcpus_pinning"),
  [VP_CONFIG_HYPERVISOR_MEMORY_MIB] = NUMBER (
    UINT, "hypervisor", "memory-mib", 0, 64, MIB_MAX, "256",
    "Memory of a sandbox in MiB. The memory limit of its first container is added.",
    "hypervisor.default_memory"),
  [VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB] = NUMBER (
    UINT, "hypervisor", "max-memory-mib", 0, 0, MIB_MAX, "0",
    "No sandbox gets more memory than this, in MiB. 0: the host's memory.", "hypervisor.default_maxmemory"),
  [VP_CONFIG_HYPERVISOR_MEMORY_SLOTS] = NUMBER (
    UINT, "hypervisor", "memory-slots", 0, 0, 255, "10",
    "How many memory modules may be plugged in while the sandbox runs.", "hypervisor.memory_slots"),
  [VP_CONFIG_HYPERVISOR_MEMORY_OFFSET] = NUMBER (
    SIZE, "hypervisor", "memory-offset", 0, 0, SIZE_MAX_, "0",
    "Added to the largest memory the guest may get, as room for nvdimm devices.",
    "hypervisor.memory_offset"),
  [VP_CONFIG_HYPERVISOR_MEMORY_BACKING] = CHOICE (
    "hypervisor", "memory-backing", "memfd|file", "memfd",
    "What the guest's memory is: anonymous shared memory, or files in the directory named by "
    "memory_backing_dir in libvirt's qemu.conf.", NULL),
  [VP_CONFIG_HYPERVISOR_MEMORY_PREALLOC] = BOOL (
    "hypervisor", "memory-prealloc", "false", "Whether all memory is allocated before the guest starts.",
    "hypervisor.enable_mem_prealloc"),
  [VP_CONFIG_HYPERVISOR_MEMORY_RECLAIM] = BOOL (
    "hypervisor", "memory-reclaim", "false",
    "Whether a balloon gives memory that the guest has freed back to the host.",
    "hypervisor.reclaim_guest_freed_memory"),
  [VP_CONFIG_HYPERVISOR_HUGE_PAGES] = BOOL (
    "hypervisor", "huge-pages", "false", "Whether the guest's memory is huge pages.",
    "hypervisor.enable_hugepages"),
  [VP_CONFIG_HYPERVISOR_HUGE_PAGE_TYPE] = CHOICE (
    "hypervisor", "huge-page-type", "hugetlbfs|thp", "hugetlbfs",
    "Pages reserved by the administrator (hugetlbfs), or transparent ones (thp).",
    "hypervisor.hugepage_type"),
  [VP_CONFIG_HYPERVISOR_HUGE_PAGE_SIZE] = NUMBER (
    SIZE, "hypervisor", "huge-page-size", VP_CONFIG_POWER_OF_TWO | VP_CONFIG_OR_ZERO, 65536,
    G_GUINT64_CONSTANT (1) << 34, "0",
    "Of hugetlbfs pages. 0: the host's default.", NULL),
  [VP_CONFIG_HYPERVISOR_VIRTIO_MEM] = BOOL (
    "hypervisor", "virtio-mem", "false",
    "Whether memory is resized by virtio-mem instead of memory modules.", "hypervisor.enable_virtio_mem"),
  [VP_CONFIG_HYPERVISOR_SGX_EPC] = NUMBER (
    SIZE, "hypervisor", "sgx-epc", 0, 0, SIZE_MAX_, "0", "Encrypted SGX memory of the guest.", NULL),
  [VP_CONFIG_HYPERVISOR_NUMA] = BOOL (
    "hypervisor", "numa", "false", "Whether the guest has NUMA nodes that are bound to the host's.",
    "hypervisor.enable_numa"),
  [VP_CONFIG_HYPERVISOR_NUMA_MAPPING] = LIST (
    "hypervisor", "numa-mapping", 0, " ", "",
    "One item for each node of the guest: the host's nodes it may use, as in \"0-1 2\". Empty: a node for "
    "each of the host's.", "hypervisor.numa_mapping"),
  [VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS] = NUMBER (
    UINT, "hypervisor", "hotplug-ports", 0, 0, 28, "4",
    "Free PCIe ports for devices added while the sandbox runs. Each costs the guest's boot 30 to 50 ms.",
    NULL),
  [VP_CONFIG_HYPERVISOR_PCIE_ROOT_PORTS] = NUMBER (
    UINT, "hypervisor", "pcie-root-ports", 0, 0, 16, "0", "Further PCIe root ports, for host devices.",
    "hypervisor.pcie_root_port"),
  [VP_CONFIG_HYPERVISOR_PCIE_SWITCH_PORTS] = NUMBER (
    UINT, "hypervisor", "pcie-switch-ports", 0, 0, 16, "0",
    "Downstream ports of a PCIe switch, for host devices.", "hypervisor.pcie_switch_port"),
  [VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO] = CHOICE (
    "hypervisor", "hot-plug-vfio", "no-port|root-port|switch-port", "no-port",
    "Where host devices of containers are plugged in while the sandbox runs; no-port: they are not.",
    "hypervisor.hot_plug_vfio"),
  [VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO] = CHOICE (
    "hypervisor", "cold-plug-vfio", "no-port|root-port|switch-port", "no-port",
    "The same for those that are there from the start. One of the two must be no-port.",
    "hypervisor.cold_plug_vfio"),
  [VP_CONFIG_HYPERVISOR_IOMMU] = BOOL (
    "hypervisor", "iommu", "false", "Whether the guest has an IOMMU.", "hypervisor.enable_iommu"),
  [VP_CONFIG_HYPERVISOR_IOMMU_PLATFORM] = BOOL (
    "hypervisor", "iommu-platform", "false", "Whether virtio devices are behind the guest's IOMMU.",
    "hypervisor.enable_iommu_platform"),
  [VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE] = PATH (
    "hypervisor", "entropy-source", "/dev/urandom", "Where the guest's random numbers are from.",
    "hypervisor.entropy_source"),
  [VP_CONFIG_HYPERVISOR_CRASH_DUMP] = BOOL (
    "hypervisor", "crash-dump", "false",
    "Whether a guest that panics leaves a dump of its memory, in the directory named by auto_dump_path in libvirt's "
    "qemu.conf.", NULL),
  [VP_CONFIG_HYPERVISOR_SELINUX] = BOOL (
    "hypervisor", "selinux", "true",
    "Whether the emulator is confined by a label of its own, where libvirt's SELinux driver is in use.",
    "hypervisor.disable_selinux:not"),

  /* ---- guest ---- */

  [VP_CONFIG_GUEST_KERNEL] = PATH_OR_EMPTY (
    "guest", "kernel", VP_GUESTDIR "/vmlinux",
    "The kernel guests boot, on x86 an uncompressed one with a PVH entry point. Empty: the one in the "
    "image, which needs firmware.", "hypervisor.kernel"),
  [VP_CONFIG_GUEST_INITRD] = PATH_OR_EMPTY (
    "guest", "initrd", VP_GUESTDIR "/initrd.img",
    "The initramfs with the agent. Of initrd and image the one set later is used, both in one file is an "
    "error.", "hypervisor.initrd"),
  [VP_CONFIG_GUEST_IMAGE] = PATH_OR_EMPTY (
    "guest", "image", "", "A disk image with the guest's root file system and the agent.",
    "hypervisor.image"),
  [VP_CONFIG_GUEST_IMAGE_TYPE] = CHOICE (
    "guest", "image-type", "ext4|xfs|erofs", "ext4", "The file system in the image's first partition.",
    "hypervisor.rootfs_type"),
  [VP_CONFIG_GUEST_IMAGE_DRIVER] = CHOICE (
    "guest", "image-driver", "virtio-blk|nvdimm", "virtio-blk",
    "The device an image is: a disk, or memory that all guests share.", "hypervisor.vm_rootfs_driver"),
  [VP_CONFIG_GUEST_VERITY_PARAMS] = STRING (
    "guest", "verity-params", "",
    "dm-verity of the image: root_hash=, salt=, data_blocks=, data_block_size=, hash_block_size=, "
    "separated by commas. Empty: none.", "hypervisor.kernel_verity_params"),
  [VP_CONFIG_GUEST_FIRMWARE] = PATH_OR_EMPTY (
    "guest", "firmware", "", "A firmware image. Empty: the kernel is started directly.",
    "hypervisor.firmware"),
  [VP_CONFIG_GUEST_FIRMWARE_VARS] = PATH_OR_EMPTY (
    "guest", "firmware-vars", "", "The template of the firmware's variables, where it has them apart.",
    "hypervisor.firmware_volume"),
  [VP_CONFIG_GUEST_CMDLINE_EXTRA] = STRING (
    "guest", "cmdline-extra", "", "Added to the end of the kernel command line.",
    "hypervisor.kernel_params"),
  [VP_CONFIG_GUEST_HOOK_DIR] = PATH_OR_EMPTY (
    "guest", "hook-dir", "",
    "A directory in the guest with prestart, poststart and poststop: programs that run for each container.",
    "hypervisor.guest_hook_path"),
  [VP_CONFIG_GUEST_DNS] = LIST (
    "guest", "dns", 0, NULL, "", "Addresses of name servers for sandboxes whose bundle brings none.", NULL),
  [VP_CONFIG_GUEST_SECCOMP] = BOOL (
    "guest", "seccomp", "true", "Whether the seccomp profile of a container is in force in the guest.",
    "runtime.disable_guest_seccomp:not"),
  [VP_CONFIG_GUEST_SELINUX] = BOOL (
    "guest", "selinux", "false", "Whether SELinux is on in the guest.",
    "hypervisor.disable_guest_selinux:not"),
  [VP_CONFIG_GUEST_SELINUX_LABEL] = STRING (
    "guest", "selinux-label", "", "The label of container processes in the guest. Empty: the bundle's.",
    "runtime.guest_selinux_label"),
  [VP_CONFIG_GUEST_SWAP] = BOOL (
    "guest", "swap", "false", "Whether guests get swap for containers whose annotations ask for it.",
    "hypervisor.enable_guest_swap"),

  /* ---- share ---- */

  [VP_CONFIG_SHARE_TYPE] = CHOICE (
    "share", "type", "virtiofs|none", "virtiofs",
    "How root file systems and volumes get into the guest: shared, or (none) as block devices and copies "
    "only.", "hypervisor.shared_fs"),
  [VP_CONFIG_SHARE_DAEMON] = PATH_OR_EMPTY (
    "share", "daemon", "", "The virtiofsd program. Empty: libvirt's choice.",
    "hypervisor.virtio_fs_daemon"),
  [VP_CONFIG_SHARE_CACHE] = CHOICE (
    "share", "cache", "auto|always|never", "auto",
    "How long the guest believes what it has read: until virtiofsd's time is over, for ever, or not at all.",
    "hypervisor.virtio_fs_cache"),
  [VP_CONFIG_SHARE_QUEUE_SIZE] = NUMBER (
    UINT, "share", "queue-size", VP_CONFIG_POWER_OF_TWO, 16, 32768, "1024",
    "Requests that may wait.", "hypervisor.virtio_fs_queue_size"),
  [VP_CONFIG_SHARE_THREAD_POOL_SIZE] = NUMBER (
    INT, "share", "thread-pool-size", 0, -1, 1024, "-1",
    "Threads of virtiofsd for requests, besides one for the queue. -1: its own default.", NULL),
  [VP_CONFIG_SHARE_SANDBOX] = CHOICE (
    "share", "sandbox", "auto|namespace|chroot", "auto",
    "What virtiofsd confines itself by. auto: its own default.", NULL),

  /* ---- block ---- */

  [VP_CONFIG_BLOCK_ENABLED] = BOOL (
    "block", "enabled", "true",
    "Whether block devices below root file systems and volumes become disks of the guest.",
    "hypervisor.disable_block_device_use:not"),
  [VP_CONFIG_BLOCK_DRIVER] = CHOICE (
    "block", "driver", "virtio-blk|virtio-scsi", "virtio-blk", "What disks are in the guest.",
    "hypervisor.block_device_driver"),
  [VP_CONFIG_BLOCK_AIO] = CHOICE (
    "block", "aio", "threads|native|io_uring", "threads",
    "How the emulator reads and writes. native needs cache-direct.", "hypervisor.block_device_aio"),
  [VP_CONFIG_BLOCK_CACHE_SET] = BOOL (
    "block", "cache-set", "false",
    "Whether cache-direct and cache-noflush are in force; else the hypervisor's default is.",
    "hypervisor.block_device_cache_set"),
  [VP_CONFIG_BLOCK_CACHE_DIRECT] = BOOL (
    "block", "cache-direct", "false", "Whether disks bypass the host's page cache.",
    "hypervisor.block_device_cache_direct"),
  [VP_CONFIG_BLOCK_CACHE_NOFLUSH] = BOOL (
    "block", "cache-noflush", "false",
    "Whether flushes of the guest are ignored: faster, and a crash of the host loses data.",
    "hypervisor.block_device_cache_noflush"),
  [VP_CONFIG_BLOCK_DISCARD] = CHOICE (
    "block", "discard", "ignore|unmap", "unmap", "What becomes of blocks that the guest discards.", NULL),
  [VP_CONFIG_BLOCK_IOTHREADS] = BOOL (
    "block", "iothreads", "false", "Whether disks have an I/O thread.", "hypervisor.enable_iothreads"),
  [VP_CONFIG_BLOCK_INDEPENDENT_IOTHREADS] = NUMBER (
    UINT, "block", "independent-iothreads", 0, 0, 50, "0",
    "How many I/O threads virtio-blk disks take turns on.", "hypervisor.indep_iothreads"),
  [VP_CONFIG_BLOCK_QUEUES] = NUMBER (
    UINT, "block", "queues", 0, 0, 1024, "1", "Queues of a disk. 0: one for each virtual CPU.",
    "hypervisor.num_queues"),
  [VP_CONFIG_BLOCK_QUEUE_SIZE] = NUMBER (
    UINT, "block", "queue-size", VP_CONFIG_POWER_OF_TWO | VP_CONFIG_OR_ZERO, 2, 1024, "0",
    "Requests that may wait in a queue. 0: the hypervisor's default.",
    "hypervisor.queue_size"),
  [VP_CONFIG_BLOCK_LOGICAL_SECTOR_SIZE] = NUMBER (
    UINT, "block", "logical-sector-size", VP_CONFIG_POWER_OF_TWO | VP_CONFIG_OR_ZERO, 512, 65536, "0",
    "Bytes. 0: the hypervisor's default.",
    "hypervisor.block_device_logical_sector_size"),
  [VP_CONFIG_BLOCK_PHYSICAL_SECTOR_SIZE] = NUMBER (
    UINT, "block", "physical-sector-size", VP_CONFIG_POWER_OF_TWO | VP_CONFIG_OR_ZERO, 512, 65536, "0",
    "The same; not less than the logical one.", "hypervisor.block_device_physical_sector_size"),
  [VP_CONFIG_BLOCK_MAX_BYTES_PER_SECOND] = NUMBER (
    SIZE, "block", "max-bytes-per-second", 0, 0, SIZE_MAX_, "0",
    "What a disk may read and write together. 0: without a limit.",
    "hypervisor.disk_rate_limiter_bw_max_rate:bits"),
  [VP_CONFIG_BLOCK_MAX_OPS_PER_SECOND] = NUMBER (
    UINT, "block", "max-operations-per-second", 0, 0, 1e9, "0",
    "The same, counted in requests. 0: without a limit.", "hypervisor.disk_rate_limiter_ops_max_rate"),
  [VP_CONFIG_BLOCK_VHOST_USER] = BOOL (
    "block", "vhost-user", "false", "Whether containers may use disks that other programs serve.",
    "hypervisor.enable_vhost_user_store"),
  [VP_CONFIG_BLOCK_VHOST_USER_DIR] = PATH (
    "block", "vhost-user-dir", "/run/virtpod-vhost-user", "Where those programs' sockets and nodes are.",
    "hypervisor.vhost_user_store_path"),
  [VP_CONFIG_BLOCK_VHOST_USER_RECONNECT] = NUMBER (
    DURATION, "block", "vhost-user-reconnect-ms", 0, 0, HOUR_MS, "0",
    "How long after such a program has gone its socket is tried again. 0: never.",
    "hypervisor.vhost_user_reconnect_timeout_sec:s"),

  /* ---- network ---- */

  [VP_CONFIG_NETWORK_MODEL] = CHOICE (
    "network", "model", "tcfilter|macvtap|none|user", "tcfilter",
    "What is between an interface of the sandbox's network namespace and the guest's: redirection by tc, a "
    "macvtap device, or nothing: the guest has no interface. user: the guest has one whose "
    "packets leave as the hypervisor's own, without a namespace and without any set-up.",
    "runtime.internetworking_model"),
  [VP_CONFIG_NETWORK_USER_BACKEND] = CHOICE (
    "network", "user-backend", "auto|passt|qemu", "auto",
    "Who sends the packets of a guest with model user: passt, a process for each, or the hypervisor itself. auto: "
    "passt where it is installed and of 2026_07_28 or later, libvirt can start it and the host has an IPv4 gateway. "
    "docs/network.md says what differs.", NULL),
  [VP_CONFIG_NETWORK_NEW_NETNS] = BOOL (
    "network", "new-netns", "true",
    "Whether a network namespace is made for a sandbox whose bundle asks for a new one, for hooks to set it up. "
    "false: only with model none.",
    "runtime.disable_new_netns:not"),
  [VP_CONFIG_NETWORK_VHOST] = BOOL (
    "network", "vhost", "true", "Whether the host's kernel moves the packets.",
    "hypervisor.disable_vhost_net:not"),
  [VP_CONFIG_NETWORK_WATCH] = BOOL (
    "network", "watch", "false",
    "Whether interfaces, addresses and routes that change in the namespace while a sandbox runs become the guest's.",
    NULL),
  [VP_CONFIG_NETWORK_LOOPBACK_FORWARD] = BOOL (
    "network", "loopback-forward", "true",
    "Whether connections made in the namespace to TCP ports of its loopback device lead to the guest's, where an "
    "engine looks for what listens in a pod. Linux 5.9.",
    NULL),
  [VP_CONFIG_NETWORK_QUEUES] = NUMBER (
    UINT, "network", "queues", 0, 0, 256, "1",
    "Pairs of queues of an interface. 0: one for each virtual CPU.", "hypervisor.network_queues"),
  [VP_CONFIG_NETWORK_RX_MAX_RATE] = NUMBER (
    UINT, "network", "rx-max-rate", 0, 0, RATE_MAX, "0",
    "What the guest may receive, in bit/s. 0: without a limit.",
    "hypervisor.rx_rate_limiter_max_rate hypervisor.net_rate_limiter_bw_max_rate"),
  [VP_CONFIG_NETWORK_TX_MAX_RATE] = NUMBER (
    UINT, "network", "tx-max-rate", 0, 0, RATE_MAX, "0",
    "What the guest may send, in bit/s. 0: without a limit.",
    "hypervisor.tx_rate_limiter_max_rate hypervisor.net_rate_limiter_bw_max_rate"),

  /* ---- agent ---- */

  [VP_CONFIG_AGENT_TRANSPORT] = CHOICE (
    "agent", "transport", "channel|vsock", "channel",
    "What the daemon talks to the agent over: a virtio-serial port, or vsock.", NULL),
  [VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS] = NUMBER (
    DURATION, "agent", "connect-timeout-ms", 0, 100, HOUR_MS, "60000",
    "How long a guest may take from its start until its agent answers.",
    "agent.dial_timeout:s agent.reconnect_timeout_ms"),
  [VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS] = NUMBER (
    DURATION, "agent", "request-timeout-ms", 0, 100, HOUR_MS, "60000",
    "How long the agent may take for one request.", NULL),
  [VP_CONFIG_AGENT_CREATE_TIMEOUT_MS] = NUMBER (
    DURATION, "agent", "create-timeout-ms", VP_CONFIG_OR_ZERO, 100, HOUR_MS, "0",
    "How long it may take to make a container. 0: as long as for any request.",
    "runtime.create_container_timeout:s agent.create_container_timeout:s"),
  [VP_CONFIG_AGENT_STOP_TIMEOUT_MS] = NUMBER (
    DURATION, "agent", "stop-timeout-ms", 0, 0, HOUR_MS, "10000",
    "How long a guest may take to stop by itself before it is destroyed.", NULL),
  [VP_CONFIG_AGENT_HEARTBEAT_MS] = NUMBER (
    DURATION, "agent", "heartbeat-ms", VP_CONFIG_OR_ZERO, 1000, HOUR_MS, "10000",
    "How often an agent is asked whether it still serves. One that does not answer within "
    "request-timeout-ms is given up, and its sandbox is lost. 0: never asked.", NULL),
  [VP_CONFIG_AGENT_KERNEL_MODULES] = LIST (
    "agent", "kernel-modules", 0, NULL, "",
    "Modules the agent loads before containers start, each with its parameters: \"e1000e EEE=1;i915\".",
    "agent.kernel_modules"),
  [VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE] = NUMBER (
    SIZE, "agent", "container-pipe-size", 0, 0, 1 << 30, "0",
    "Of the pipes that are a container's standard streams. 0: the guest kernel's default.",
    "agent.container_pipe_size"),
  [VP_CONFIG_AGENT_DEBUG] = BOOL (
    "agent", "debug", "false", "Whether the agent logs all it does to the console.", "agent.enable_debug"),
  [VP_CONFIG_AGENT_DEBUG_CONSOLE] = BOOL (
    "agent", "debug-console", "false", "Whether the agent offers a shell in the guest to administrators.",
    "agent.debug_console_enabled"),

  /* ---- console ---- */

  [VP_CONFIG_CONSOLE_ENABLED] = BOOL (
    "console", "enabled", "true",
    "Whether guests have a console, kept in a log file for each sandbox.", NULL),
  [VP_CONFIG_CONSOLE_MAX_BYTES] = NUMBER (
    SIZE, "console", "max-bytes", 0, 4096, 1 << 30, "262144",
    "How much of a console is kept; the oldest goes first.", NULL),
  [VP_CONFIG_CONSOLE_SERIAL] = BOOL (
    "console", "serial", "true",
    "Whether the console is a serial port, which shows the earliest messages, or a virtio one.",
    "hypervisor.use_legacy_serial"),

  /* ---- runtime ---- */

  [VP_CONFIG_RUNTIME_STATIC_RESOURCES] = BOOL (
    "runtime", "static-resources", "true",
    "Whether a sandbox gets all CPUs and memory when it starts. false: more are plugged in as containers "
    "come.", "runtime.static_sandbox_resource_mgmt"),
  [VP_CONFIG_RUNTIME_OVERHEAD_VCPUS] = NUMBER (
    DOUBLE, "runtime", "overhead-vcpus", 0, 0, 64, "0",
    "Virtual CPUs added to what the containers ask for when a sandbox gets all at its start.",
    "hypervisor.overhead_vcpus"),
  [VP_CONFIG_RUNTIME_OVERHEAD_MEMORY_MIB] = NUMBER (
    UINT, "runtime", "overhead-memory-mib", 0, 0, MIB_MAX, "0", "The same for memory, in MiB.",
    "hypervisor.overhead_memory"),
  [VP_CONFIG_RUNTIME_SANDBOX_CGROUP_ONLY] = BOOL (
    "runtime", "sandbox-cgroup-only", "true",
    "Whether the host processes of a sandbox are in the cgroup that its bundle names, where container engines "
    "take their figures from. false: where libvirt puts them.", "runtime.sandbox_cgroup_only"),
  [VP_CONFIG_RUNTIME_VFIO_MODE] = CHOICE (
    "runtime", "vfio-mode", "guest-kernel|vfio", "guest-kernel",
    "Host devices in containers: driven by the guest's kernel, or /dev/vfio nodes.", "runtime.vfio_mode"),
  [VP_CONFIG_RUNTIME_SANDBOX_BIND_MOUNTS] = LIST (
    "runtime", "sandbox-bind-mounts", VP_CONFIG_BIND_MOUNTS, NULL, "",
    "Files and directories of the host that all guests see below "
    "/run/kata-containers/shared/containers/sandbox-mounts, read-only unless \":rw\" is behind the path.",
    "runtime.sandbox_bind_mounts"),
  [VP_CONFIG_RUNTIME_GUEST_EMPTY_DIR] = BOOL (
    "runtime", "guest-empty-dir", "false",
    "Whether Kubernetes emptyDir volumes on disk are kept in the guest instead of shared from the host.",
    "runtime.disable_guest_empty_dir:not"),
  [VP_CONFIG_RUNTIME_KUBELET_DIR] = PATH (
    "runtime", "kubelet-dir", "/var/lib/kubelet", "By which Kubernetes volumes are recognised.",
    "runtime.kubelet_root_dir"),
  [VP_CONFIG_RUNTIME_KEEP_FAILED] = BOOL (
    "runtime", "keep-failed", "false", "Whether a sandbox that failed is kept until it is deleted.",
    "runtime.keep_abnormal"),

  /* ---- annotations ---- */

  [VP_CONFIG_ANNOTATIONS_HYPERVISOR] = LIST (
    "annotations", "hypervisor", VP_CONFIG_PATTERNS, NULL, "enable_iommu;kernel_params;kernel_verity_params",
    "Which io.katacontainers.config.hypervisor.* annotations a workload may use: regular expressions that "
    "match the whole rest of the name.", "hypervisor.enable_annotations"),
  [VP_CONFIG_ANNOTATIONS_RUNTIME] = LIST (
    "annotations", "runtime", VP_CONFIG_PATTERNS, NULL, "create_container_timeout",
    "The same for io.katacontainers.config.runtime.*.", NULL),
  [VP_CONFIG_ANNOTATIONS_AGENT] = LIST (
    "annotations", "agent", VP_CONFIG_PATTERNS, NULL, "container_pipe_size",
    "The same for io.katacontainers.config.agent.*.", NULL),
  [VP_CONFIG_ANNOTATIONS_EMULATOR_PATHS] = PATHS (
    "annotations", "emulator-paths", "", "What an allowed annotation may set hypervisor.emulator to: globs.",
    "hypervisor.valid_hypervisor_paths"),
  [VP_CONFIG_ANNOTATIONS_BOOT_PATHS] = PATHS (
    "annotations", "boot-paths", VP_GUESTDIR "/*",
    "The same for the kernel, initrd, image and firmware.", NULL),
  [VP_CONFIG_ANNOTATIONS_SHARE_DAEMON_PATHS] = PATHS (
    "annotations", "share-daemon-paths", "", "The same for share.daemon.",
    "hypervisor.valid_virtio_fs_daemon_paths"),
  [VP_CONFIG_ANNOTATIONS_ENTROPY_SOURCES] = PATHS (
    "annotations", "entropy-sources", "/dev/urandom;/dev/random",
    "The same for hypervisor.entropy-source.", "hypervisor.valid_entropy_sources"),
  [VP_CONFIG_ANNOTATIONS_VHOST_USER_DIRS] = PATHS (
    "annotations", "vhost-user-dirs", "", "The same for block.vhost-user-dir.",
    "hypervisor.valid_vhost_user_store_paths"),
};
/* clang-format on */
