/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-annotation-table.h"

#include <string.h>

#define KATA "io.katacontainers."
#define HV KATA "config.hypervisor."
#define RT KATA "config.runtime."
#define AG KATA "config.agent."
#define NONE VP_N_CONFIG_KEYS

#define NO_TEE "the guest is not a confidential one"
#define NO_JAILER "libvirt confines the hypervisor, there is no jailer"
#define NO_MMIO "disks are on PCI"
#define HANDLER "the client chooses a handler when it makes the sandbox"
#define NO_PULL "images are pulled on the host"
#define LAYERS "layers of images as disks are not supported"

#define ROW(name, scope, type, action, flags, key) \
  { name, VP_ANNOTATION_##scope, VP_ANNOTATION_TYPE_##type, VP_ANNOTATION_##action, flags, key, NONE, 0, 0, \
    NULL, NULL, NULL, NULL }
#define SET(name, scope, type, key) ROW (name, scope, type, SET, 0, VP_CONFIG_##key)
#define SET_NOT(name, scope, key) ROW (name, scope, BOOL, SET_NOT, 0, VP_CONFIG_##key)
#define FLAGS(name, scope, type, key, flags) ROW (name, scope, type, SET, flags, VP_CONFIG_##key)
#define RANGE(name, scope, type, key, min, max) \
  { name, VP_ANNOTATION_##scope, VP_ANNOTATION_TYPE_##type, VP_ANNOTATION_SET, 0, VP_CONFIG_##key, NONE, min, \
    max, NULL, NULL, NULL, NULL }
#define UNIT(name, scope, key, unit) \
  { name, VP_ANNOTATION_##scope, VP_ANNOTATION_TYPE_UINT, VP_ANNOTATION_SET, 0, VP_CONFIG_##key, NONE, 0, 0, \
    unit, NULL, NULL, NULL }
#define WORDS(name, scope, type, key, words, reason) \
  { name, VP_ANNOTATION_##scope, VP_ANNOTATION_TYPE_##type, VP_ANNOTATION_SET, 0, VP_CONFIG_##key, NONE, 0, 0, \
    NULL, words, NULL, reason }
#define PATH(name, key, globs) \
  { name, VP_ANNOTATION_HYPERVISOR, VP_ANNOTATION_TYPE_PATH, VP_ANNOTATION_SET, 0, VP_CONFIG_##key, \
    VP_CONFIG_ANNOTATIONS_##globs, 0, 0, NULL, NULL, NULL, NULL }
#define DIGEST(name, key) ROW (name, HYPERVISOR, SHA512, DIGEST, 0, VP_CONFIG_##key)
#define REFUSE(name, scope, type, neutral, reason) \
  { name, VP_ANNOTATION_##scope, VP_ANNOTATION_TYPE_##type, VP_ANNOTATION_REFUSE, 0, NONE, NONE, 0, 0, NULL, \
    NULL, neutral, reason }

/* clang-format off */
const VpAnnotationRow vp_annotation_table[] = {
  /* what the guest boots */
  PATH (HV "kernel", GUEST_KERNEL, BOOT_PATHS),
  PATH (HV "image", GUEST_IMAGE, BOOT_PATHS),
  PATH (HV "initrd", GUEST_INITRD, BOOT_PATHS),
  PATH (HV "firmware", GUEST_FIRMWARE, BOOT_PATHS),
  PATH (HV "firmware_volume", GUEST_FIRMWARE_VARS, BOOT_PATHS),
  PATH (HV "path", HYPERVISOR_EMULATOR, EMULATOR_PATHS),
  REFUSE (HV "jailer_path", HYPERVISOR, PATH, "", NO_JAILER),
  DIGEST (HV "kernel_hash", GUEST_KERNEL),
  DIGEST (HV "image_hash", GUEST_IMAGE),
  DIGEST (HV "initrd_hash", GUEST_INITRD),
  DIGEST (HV "firmware_hash", GUEST_FIRMWARE),
  DIGEST (HV "firmware_volume_hash", GUEST_FIRMWARE_VARS),
  DIGEST (HV "hypervisor_hash", HYPERVISOR_EMULATOR),
  DIGEST (HV "path_hash", HYPERVISOR_EMULATOR),
  REFUSE (HV "jailer_hash", HYPERVISOR, SHA512, NULL, NO_JAILER),
  REFUSE (KATA "asset_hash_type", SANDBOX, TEXT, "|sha512", "files are compared by their SHA-512 only"),
  REFUSE (HV "asset_hash_type", HYPERVISOR, TEXT, "|sha512", "files are compared by their SHA-512 only"),
  ROW (HV "kernel_params", HYPERVISOR, PARAMS, MERGE, 0, VP_CONFIG_GUEST_CMDLINE_EXTRA),
  SET (HV "kernel_verity_params", HYPERVISOR, VERITY, GUEST_VERITY_PARAMS),
  WORDS (HV "guest_hook_path", HYPERVISOR, PATH, GUEST_HOOK_DIR, NULL,
         "for an agent that runs them: the one of virtpod's image does not, and refuses the sandbox"),
  WORDS (HV "disable_image_nvdimm", HYPERVISOR, BOOL, GUEST_IMAGE_DRIVER, "virtio-blk|nvdimm", NULL),
  REFUSE (HV "prefetch_files.list", HYPERVISOR, PATH, "", "there is no nydus daemon to read ahead"),

  /* the machine */
  SET (HV "machine_type", HYPERVISOR, TEXT, HYPERVISOR_MACHINE),
  REFUSE (HV "machine_accelerators", HYPERVISOR, TEXT, "",
          "libvirt has no place for further options of a machine"),
  SET (HV "cpu_features", HYPERVISOR, TEXT, HYPERVISOR_CPU_FEATURES),
  FLAGS (HV "default_vcpus", HYPERVISOR, CPUS, HYPERVISOR_VCPUS, VP_ANNOTATION_HOST_CPUS),
  FLAGS (HV "default_max_vcpus", HYPERVISOR, UINT, HYPERVISOR_MAX_VCPUS,
         VP_ANNOTATION_HOST_CPUS | VP_ANNOTATION_MACHINE_CPUS),
  RANGE (HV "default_memory", HYPERVISOR, MIB, HYPERVISOR_MEMORY_MIB, 256, G_GUINT64_CONSTANT (1) << 30),
  FLAGS (HV "memory_slots", HYPERVISOR, UINT, HYPERVISOR_MEMORY_SLOTS, VP_ANNOTATION_ZERO_KEEPS),
  FLAGS (HV "memory_offset", HYPERVISOR, UINT, HYPERVISOR_MEMORY_OFFSET, VP_ANNOTATION_ZERO_KEEPS),
  SET (HV "enable_virtio_mem", HYPERVISOR, BOOL, HYPERVISOR_VIRTIO_MEM),
  SET (HV "enable_mem_prealloc", HYPERVISOR, BOOL, HYPERVISOR_MEMORY_PREALLOC),
  SET (HV "enable_hugepages", HYPERVISOR, BOOL, HYPERVISOR_HUGE_PAGES),
  WORDS (HV "hugepage_type", HYPERVISOR, CHOICE, HYPERVISOR_HUGE_PAGE_TYPE, "hugetlbfs|thp", NULL),
  SET (HV "reclaim_guest_freed_memory", HYPERVISOR, BOOL, HYPERVISOR_MEMORY_RECLAIM),
  SET (HV "enable_guest_swap", HYPERVISOR, BOOL, GUEST_SWAP),
  SET (HV "enable_iommu", HYPERVISOR, BOOL, HYPERVISOR_IOMMU),
  SET (HV "enable_iommu_platform", HYPERVISOR, BOOL, HYPERVISOR_IOMMU_PLATFORM),
  SET (HV "numa_mapping", HYPERVISOR, NODES, HYPERVISOR_NUMA_MAPPING),
  REFUSE (HV "rootless", HYPERVISOR, BOOL, "false",
          "libvirt runs the hypervisor as the user of its qemu.conf, never as root"),
  SET ("sgx.intel.com/epc", HYPERVISOR, QUANTITY, HYPERVISOR_SGX_EPC),
  SET (HV "use_legacy_serial", HYPERVISOR, BOOL, CONSOLE_SERIAL),
  PATH (HV "entropy_source", HYPERVISOR_ENTROPY_SOURCE, ENTROPY_SOURCES),

  /* files from the host */
  WORDS (HV "shared_fs", HYPERVISOR, CHOICE, SHARE_TYPE,
         "virtio-fs=virtiofs|none=!|virtio-9p=!|virtio-fs-nydus=!|inline-virtio-fs=!",
         "virtiofs is the only way for files into the guest"),
  PATH (HV "virtio_fs_daemon", SHARE_DAEMON, SHARE_DAEMON_PATHS),
  WORDS (HV "virtio_fs_cache", HYPERVISOR, CHOICE, SHARE_CACHE, "auto|always|never|metadata=!",
         "libvirt does not know this mode"),
  REFUSE (HV "virtio_fs_cache_size", HYPERVISOR, UINT, "0", "libvirt cannot give virtiofs a DAX window"),
  ROW (HV "virtio_fs_extra_args", HYPERVISOR, ARGUMENTS, MERGE, 0, NONE),
  REFUSE (HV "msize_9p", HYPERVISOR, UINT, NULL, "files are not shared by 9p"),

  /* disks */
  WORDS (HV "block_device_driver", HYPERVISOR, CHOICE, BLOCK_DRIVER,
         "virtio-scsi|virtio-blk|virtio-blk-pci=virtio-blk|virtio-mmio=!|virtio-blk-mmio=!|virtio-blk-ccw=!|"
         "nvdimm=!|virtio-pmem=!", "disks are virtio-blk or virtio-scsi, on PCI"),
  WORDS (HV "block_device_aio", HYPERVISOR, CHOICE, BLOCK_AIO, "native|threads|io_uring", NULL),
  SET_NOT (HV "disable_block_device_use", HYPERVISOR, BLOCK_ENABLED),
  SET (HV "enable_iothreads", HYPERVISOR, BOOL, BLOCK_IOTHREADS),
  RANGE (HV "indep_iothreads", HYPERVISOR, UINT, BLOCK_INDEPENDENT_IOTHREADS, 1, 50),
  SET (HV "block_device_cache_set", HYPERVISOR, BOOL, BLOCK_CACHE_SET),
  SET (HV "block_device_cache_direct", HYPERVISOR, BOOL, BLOCK_CACHE_DIRECT),
  SET (HV "block_device_cache_noflush", HYPERVISOR, BOOL, BLOCK_CACHE_NOFLUSH),
  SET (HV "blk_logical_sector_size", HYPERVISOR, UINT, BLOCK_LOGICAL_SECTOR_SIZE),
  SET (HV "blk_physical_sector_size", HYPERVISOR, UINT, BLOCK_PHYSICAL_SECTOR_SIZE),
  SET (HV "block_device_num_queues", HYPERVISOR, UINT, BLOCK_QUEUES),
  SET (HV "block_device_queue_size", HYPERVISOR, UINT, BLOCK_QUEUE_SIZE),
  SET (HV "enable_vhost_user_store", HYPERVISOR, BOOL, BLOCK_VHOST_USER),
  PATH (HV "vhost_user_store_path", BLOCK_VHOST_USER_DIR, VHOST_USER_DIRS),
  UNIT (HV "vhost_user_reconnect_timeout_sec", HYPERVISOR, BLOCK_VHOST_USER_RECONNECT, "s"),

  /* network */
  SET (HV "network_queues", HYPERVISOR, UINT, NETWORK_QUEUES),
  SET_NOT (HV "disable_vhost_net", HYPERVISOR, NETWORK_VHOST),
  SET (HV "rx_rate_limiter_max_rate", HYPERVISOR, UINT, NETWORK_RX_MAX_RATE),
  SET (HV "tx_rate_limiter_max_rate", HYPERVISOR, UINT, NETWORK_TX_MAX_RATE),

  /* host devices */
  WORDS (HV "hot_plug_vfio", HYPERVISOR, CHOICE, HYPERVISOR_HOT_PLUG_VFIO,
         "no-port|root-port|switch-port|bridge-port=!", "host devices are on PCIe ports, there is no PCI bridge"),
  WORDS (HV "cold_plug_vfio", HYPERVISOR, CHOICE, HYPERVISOR_COLD_PLUG_VFIO,
         "no-port|root-port|switch-port|bridge-port=!", "host devices are on PCIe ports, there is no PCI bridge"),
  FLAGS (HV "pcie_root_port", HYPERVISOR, UINT, HYPERVISOR_PCIE_ROOT_PORTS, VP_ANNOTATION_ZERO_KEEPS),
  FLAGS (HV "pcie_switch_port", HYPERVISOR, UINT, HYPERVISOR_PCIE_SWITCH_PORTS, VP_ANNOTATION_ZERO_KEEPS),
  REFUSE (HV "default_gpus", HYPERVISOR, UINT, "0", "the machine is not somebody else's to choose"),
  REFUSE (HV "default_gpu_model", HYPERVISOR, TEXT, "", "the machine is not somebody else's to choose"),
  REFUSE (HV "cc_init_data", HYPERVISOR, BASE64, "", NO_TEE),

  /* historic */
  REFUSE (HV "ctlpath", HYPERVISOR, PATH, "", "libvirt has no program that controls a hypervisor"),
  REFUSE (HV "file_mem_backend", HYPERVISOR, PATH, "",
          "memory_backing_dir of libvirt's qemu.conf says where memory files are"),
  REFUSE (HV "hotplug_vfio_on_root_bus", HYPERVISOR, BOOL, "false",
          "hot_plug_vfio says where host devices are plugged in"),
  REFUSE (HV "enable_swap", HYPERVISOR, BOOL, "false", "the host's swap is the host's to manage"),
  REFUSE (KATA "config_path", SANDBOX, TEXT, "", HANDLER),

  /* the runtime */
  REFUSE (RT "name", RUNTIME, TEXT, "|virt-container|virt_container", "containers run in virtual machines"),
  REFUSE (RT "hypervisor_name", RUNTIME, TEXT, "", HANDLER),
  REFUSE (RT "agent_name", RUNTIME, TEXT, "|kata", "there is one kind of agent"),
  SET_NOT (RT "disable_guest_seccomp", RUNTIME, GUEST_SECCOMP),
  SET (RT "guest_selinux_label", RUNTIME, TEXT, GUEST_SELINUX_LABEL),
  SET (RT "sandbox_cgroup_only", RUNTIME, BOOL, RUNTIME_SANDBOX_CGROUP_ONLY),
  SET (KATA "enable_vcpus_pinning", RUNTIME, BOOL, HYPERVISOR_VCPU_PINNING),
  SET (RT "enable_vcpus_pinning", RUNTIME, BOOL, HYPERVISOR_VCPU_PINNING),
  REFUSE (RT "enable_pprof", RUNTIME, BOOL, "false", "the daemon has no profiling endpoint"),
  REFUSE (RT "experimental", RUNTIME, LIST, "", "there are no experimental features"),
  WORDS (RT "internetworking_model", RUNTIME, CHOICE, NETWORK_MODEL,
         "default=tcfilter|tcfilter|macvtap|none|user|l3forwarding=!", "the host does not route between interfaces"),
  SET_NOT (RT "disable_new_netns", RUNTIME, NETWORK_NEW_NETNS),
  WORDS (RT "vfio_mode", RUNTIME, CHOICE, RUNTIME_VFIO_MODE, "guest-kernel|vfio", NULL),
  UNIT (RT "create_container_timeout", RUNTIME, AGENT_CREATE_TIMEOUT_MS, "s"),
  REFUSE (RT "experimental_force_guest_pull", RUNTIME, BOOL, "false", NO_PULL),
  REFUSE (RT "shared_mounts", RUNTIME, JSON, "|[]|null", "containers share volumes by the mounts of their specs"),
  REFUSE (RT "sandbox_bind_mounts", RUNTIME, TEXT, "",
          "files of the host for all guests are the administrator's to name, by runtime.sandbox-bind-mounts"),

  /* the agent */
  WORDS (AG "kernel_modules", AGENT, MODULES, AGENT_KERNEL_MODULES, NULL,
         "for an agent that loads them: the one of virtpod's image does not, and refuses the sandbox"),
  REFUSE (AG "enable_tracing", AGENT, BOOL, "false", "the agent sends no traces"),
  SET (AG "container_pipe_size", AGENT, UINT, AGENT_CONTAINER_PIPE_SIZE),
  REFUSE (AG "policy", AGENT, BASE64, "", "the agent has no policy engine"),
  REFUSE (AG "cdh_api_timeout_ms", AGENT, UINT, NULL, NO_TEE),

  /* one container */
  { KATA "container.resource.swappiness", VP_ANNOTATION_CONTAINER, VP_ANNOTATION_TYPE_UINT,
    VP_ANNOTATION_REFUSE, 0, NONE, NONE, 0, 200, NULL, NULL, NULL,
    "the guest has cgroup v2 only, which has no such setting" },
  { KATA "container.resource.swap_in_bytes", VP_ANNOTATION_CONTAINER, VP_ANNOTATION_TYPE_UINT,
    VP_ANNOTATION_REFUSE, 0, NONE, NONE, 0, G_MAXINT64, NULL, NULL, NULL, "the guest has no swap" },

  /* said by a runtime to itself */
  ROW (KATA "pkg.oci.bundle_path", SANDBOX, TEXT, PASS, 0, NONE),
  ROW (KATA "pkg.oci.container_type", SANDBOX, TEXT, PASS, 0, NONE),

  /* options of mounts */
  REFUSE (KATA "fs-opt.layer=", MOUNT, TEXT, NULL, LAYERS),
  REFUSE (KATA "fs-opt.is-layer", MOUNT, TEXT, NULL, LAYERS),
  REFUSE (KATA "fs-opt.block_device=file", MOUNT, TEXT, NULL, "files as disks are not supported"),
  REFUSE (KATA "fs-opt.overlay-rw", MOUNT, TEXT, NULL, LAYERS),
  REFUSE (KATA "volume=", MOUNT, TEXT, NULL, "virtual volumes are not supported"),
  REFUSE (KATA "volume.overlayfs.create_directory", MOUNT, TEXT, NULL, LAYERS),
};
/* clang-format on */

const guint vp_annotation_n_rows = G_N_ELEMENTS (vp_annotation_table);

const char *
vp_annotation_scope_to_string (VpAnnotationScope scope)
{
  static const char *const names[] = { "hypervisor", "runtime", "agent", "sandbox", "container", "mount" };

  return names[scope];
}

const char *
vp_annotation_type_to_string (VpAnnotationType type)
{
  static const char *const names[VP_N_ANNOTATION_TYPES]
      = { "text",      "path",  "boolean",   "number",         "CPUs",   "MiB",
          "quantity",  "choice", "kernel parameters", "verity", "modules", "NUMA nodes",
          "arguments", "list",  "JSON",      "base64",         "SHA-512" };

  return names[type];
}

const VpAnnotationRow *
vp_annotation_find (const char *name)
{
  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];

      if (row->scope == VP_ANNOTATION_MOUNT ? g_str_has_prefix (name, row->name) : g_str_equal (name, row->name))
        return row;
    }
  return NULL;
}

VpConfigKey
vp_annotation_row_gate (const VpAnnotationRow *row)
{
  switch (row->scope)
    {
    case VP_ANNOTATION_HYPERVISOR:
      return VP_CONFIG_ANNOTATIONS_HYPERVISOR;
    case VP_ANNOTATION_RUNTIME:
      return VP_CONFIG_ANNOTATIONS_RUNTIME;
    case VP_ANNOTATION_AGENT:
      return VP_CONFIG_ANNOTATIONS_AGENT;
    case VP_ANNOTATION_SANDBOX:
    case VP_ANNOTATION_CONTAINER:
    case VP_ANNOTATION_MOUNT:
      break;
    }
  return NONE;
}

const char *
vp_annotation_row_short_name (const VpAnnotationRow *row)
{
  static const char *const prefixes[] = { HV, RT, AG, KATA };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      if (g_str_has_prefix (row->name, prefixes[i]))
        return row->name + strlen (prefixes[i]);
    }
  return row->name;
}

gboolean
vp_annotation_row_range (const VpAnnotationRow *row, guint64 *ret_min, guint64 *ret_max)
{
  double min, max;

  if (row->type != VP_ANNOTATION_TYPE_UINT && row->type != VP_ANNOTATION_TYPE_MIB)
    return FALSE;
  *ret_min = row->min;
  *ret_max = row->max;
  if (row->min != 0 || row->max != 0)
    return TRUE;
  *ret_max = G_MAXUINT64;
  if (row->key != NONE && row->unit == NULL && vp_config_key_range (row->key, &min, &max))
    {
      *ret_min = (guint64)min;
      *ret_max = (guint64)max;
    }
  return TRUE;
}

gboolean
vp_annotation_row_is_neutral (const VpAnnotationRow *row, const char *value)
{
  g_auto (GStrv) words = row->neutral != NULL ? g_strsplit (row->neutral, "|", -1) : NULL;

  /* no words at all is one empty word */
  return row->neutral != NULL
         && (row->neutral[0] == '\0' ? value[0] == '\0'
                                     : g_strv_contains ((const char *const *)words, value));
}
