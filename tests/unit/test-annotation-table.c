/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every row of the table of annotations: what it takes, what it refuses, the
 * values on both sides of its limits, and that nobody may use it who is not
 * allowed to. A row without its cases fails the test. */
#include <string.h>

#include "vp-annotation-apply.h"
#include "vp-annotation-table.h"
#include "vp-decision.h"
#include "vp-error.h"

#define KATA "io.katacontainers."
#define HV KATA "config.hypervisor."
#define RT KATA "config.runtime."
#define AG KATA "config.agent."

#define SHA                                                                                                  \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define VERITY(size)                                                                                         \
  "root_hash=" HEX64 ",salt=ab,data_blocks=10,data_block_size=" size ",hash_block_size=4096"

typedef enum
{
  GOOD,    /* taken; `expect` is what the key is then, NULL for rows without one */
  BAD,     /* InvalidArgument, `expect` is in the message */
  EDGE,    /* as GOOD: the last value that is taken, or one that asks for nothing (`expect` NULL) */
  BEYOND,  /* as BAD: the first that is not */
  REFUSED, /* NotSupported, `expect` is in the message */
  DENIED,  /* NotAuthorized for its value */
} Kind;

typedef struct
{
  const char *name;
  Kind kind;
  const char *value;
  const char *expect;
} Case;

/* Booleans and digests have theirs by their type, see below. */
static const Case cases[] = {
  { HV "kernel", GOOD, "/ok/vmlinux", "/ok/vmlinux" },
  { HV "kernel", BAD, "vmlinux", "absolute" },
  { HV "kernel", BEYOND, "/ok/../etc/shadow", "\"..\"" },
  { HV "kernel", BEYOND, "/ok//vmlinux", "empty parts" },
  { HV "kernel", EDGE, "", NULL },
  { HV "kernel", DENIED, "/etc/vmlinux", "annotations.boot-paths" },
  { HV "kernel", DENIED, "/ok/deeper/vmlinux", "annotations.boot-paths" },
  { HV "kernel", DENIED, "/ok/.hidden", "annotations.boot-paths" },
  { HV "image", GOOD, "/ok/image", "/ok/image" },
  { HV "image", BAD, "image", "absolute" },
  { HV "image", EDGE, "", NULL },
  { HV "image", DENIED, "/image", "annotations.boot-paths" },
  { HV "initrd", GOOD, "/ok/initrd", "/ok/initrd" },
  { HV "initrd", BAD, "./initrd", "absolute" },
  { HV "initrd", EDGE, "", NULL },
  { HV "initrd", DENIED, "/initrd", "annotations.boot-paths" },
  { HV "firmware", GOOD, "/ok/OVMF.fd", "/ok/OVMF.fd" },
  { HV "firmware", BAD, "OVMF.fd", "absolute" },
  { HV "firmware", EDGE, "", NULL },
  { HV "firmware", DENIED, "/OVMF.fd", "annotations.boot-paths" },
  { HV "firmware_volume", GOOD, "/ok/VARS.fd", "/ok/VARS.fd" },
  { HV "firmware_volume", BAD, "VARS.fd", "absolute" },
  { HV "firmware_volume", EDGE, "", NULL },
  { HV "firmware_volume", DENIED, "/VARS.fd", "annotations.boot-paths" },
  { HV "path", GOOD, "/ok/qemu", "/ok/qemu" },
  { HV "path", BAD, "qemu", "absolute" },
  { HV "path", EDGE, "", NULL },
  { HV "path", DENIED, "/bin/sh", "annotations.emulator-paths" },
  { HV "jailer_path", REFUSED, "/ok/jailer", "no jailer" },
  { HV "jailer_path", BAD, "jailer", "absolute" },
  { HV "jailer_path", EDGE, "", NULL },
  { KATA "asset_hash_type", GOOD, "sha512", NULL },
  { KATA "asset_hash_type", REFUSED, "sha256", "SHA-512" },
  { KATA "asset_hash_type", EDGE, "", NULL },
  { HV "asset_hash_type", GOOD, "sha512", NULL },
  { HV "asset_hash_type", REFUSED, "SHA512", "SHA-512" },
  { HV "asset_hash_type", EDGE, "", NULL },
  { HV "kernel_params", GOOD, " debug  foo=2 dyndbg=\\\"a b\\\" ", "base=1 debug foo=2 dyndbg=\"a b\"" },
  { HV "kernel_params", BAD, "x=\\\"a b", "quotation mark" },
  { HV "kernel_params", BAD, "=x", "has no name" },
  { HV "kernel_params", EDGE, "  ", NULL },
  { HV "kernel_params", EDGE, "base=2", "foo=1 base=2" },
  { HV "kernel_verity_params", GOOD, VERITY ("4096"), VERITY ("4096") },
  { HV "kernel_verity_params", BAD, "root_hash=aa", "salt is missing" },
  { HV "kernel_verity_params", BAD, "x=1", "\"x=1\" is none" },
  { HV "kernel_verity_params", BAD, VERITY ("4096") ",salt=ab", "salt is there twice" },
  { HV "kernel_verity_params", EDGE, VERITY ("512"), VERITY ("512") },
  { HV "kernel_verity_params", BEYOND, VERITY ("513"), "multiple of 512" },
  { HV "kernel_verity_params", BEYOND, VERITY ("0"), "from 1 to 1048576" },
  { HV "guest_hook_path", GOOD, "/usr/share/oci/hooks", "/usr/share/oci/hooks" },
  { HV "guest_hook_path", BAD, "hooks", "absolute" },
  { HV "guest_hook_path", EDGE, "", NULL },
  { HV "prefetch_files.list", REFUSED, "/a", "nydus" },
  { HV "prefetch_files.list", BAD, "a", "absolute" },
  { HV "prefetch_files.list", EDGE, "", NULL },

  { HV "machine_type", GOOD, "pc-q35-7.2", "pc-q35-7.2" },
  { HV "machine_type", BAD, "q35\\n", "control character" },
  { HV "machine_type", EDGE, "", NULL },
  { HV "machine_accelerators", REFUSED, "nosmm", "no place" },
  { HV "machine_accelerators", EDGE, "", NULL },
  { HV "cpu_features", GOOD, "pmu=off,-svm", "pmu=off,-svm" },
  { HV "cpu_features", BAD, "pmu\\t", "control character" },
  { HV "cpu_features", EDGE, "", NULL },
  { HV "default_vcpus", GOOD, "1.5", "1.5" },
  { HV "default_vcpus", BAD, "-1", "number of CPUs" },
  { HV "default_vcpus", BAD, "1e1", "number of CPUs" },
  { HV "default_vcpus", BAD, "0", "hypervisor.vcpus" },
  { HV "default_vcpus", BAD, "18446744073709551616", "number of CPUs" },
  { HV "default_vcpus", EDGE, "8", "8" },
  { HV "default_vcpus", BEYOND, "8.000001", "the host has 8 CPUs" },
  { HV "default_vcpus", BEYOND, "4294967297", "the host has 8 CPUs" },
  { HV "default_max_vcpus", GOOD, "4", "4" },
  { HV "default_max_vcpus", BAD, "4.5", "number from 0" },
  { HV "default_max_vcpus", EDGE, "6", "6" },
  { HV "default_max_vcpus", BEYOND, "7", "can have 6 CPUs" },
  { HV "default_max_vcpus", BEYOND, "4294967298", "number from 0" },
  { HV "default_memory", GOOD, "2048", "2048" },
  { HV "default_memory", GOOD, "2Gi", "2048" },
  { HV "default_memory", BAD, "2G", "number from 256" },
  { HV "default_memory", BAD, "+512", "number from 256" },
  { HV "default_memory", BAD, " 512", "number from 256" },
  { HV "default_memory", EDGE, "256", "256" },
  { HV "default_memory", BEYOND, "255", "number from 256" },
  { HV "default_memory", BEYOND, "255Mi", "from 256" },
  /* would be 1024 in 32 bits */
  { HV "default_memory", BEYOND, "4294968320", "number from 256" },
  { HV "memory_slots", GOOD, "4", "4" },
  { HV "memory_slots", BAD, "four", "number from 0 to 255" },
  { HV "memory_slots", EDGE, "0", NULL },
  { HV "memory_slots", EDGE, "255", "255" },
  { HV "memory_slots", BEYOND, "256", "number from 0 to 255" },
  { HV "memory_offset", GOOD, "4294967296", "4294967296" },
  { HV "memory_offset", BAD, "1Gi", "number" },
  { HV "memory_offset", EDGE, "0", NULL },
  { HV "memory_offset", BEYOND, "18446744073709551615", "number" },
  { HV "hugepage_type", GOOD, "thp", "thp" },
  { HV "hugepage_type", EDGE, "hugetlbfs", "hugetlbfs" },
  { HV "hugepage_type", BAD, "THP", "must be one of hugetlbfs, thp" },
  { HV "numa_mapping", GOOD, "0 1", "0 1" },
  { HV "numa_mapping", BAD, "a", "no set of nodes" },
  { HV "numa_mapping", BAD, "2-1", "no set of nodes" },
  { HV "numa_mapping", BAD, "0,", "no set of nodes" },
  { HV "numa_mapping", EDGE, " 0-3,1023 ", "0-3,1023" },
  { HV "numa_mapping", EDGE, " ", NULL },
  { HV "numa_mapping", BEYOND, "1024", "no set of nodes" },
  { "sgx.intel.com/epc", GOOD, "64Mi", "67108864" },
  { "sgx.intel.com/epc", GOOD, "1.5Gi", "1610612736" },
  { "sgx.intel.com/epc", BAD, "64M", "Ki, Mi" },
  { "sgx.intel.com/epc", BAD, "67108864", "Ki, Mi" },
  { "sgx.intel.com/epc", BAD, "-1Mi", "Ki, Mi" },
  { "sgx.intel.com/epc", BAD, "1.1234567Mi", "Ki, Mi" },
  { "sgx.intel.com/epc", EDGE, "0Ki", "0" },
  { "sgx.intel.com/epc", EDGE, "0.001Ki", "2" },
  { "sgx.intel.com/epc", EDGE, "1Pi", "1125899906842624" },
  { "sgx.intel.com/epc", BEYOND, "2Pi", "hypervisor.sgx-epc" },
  { "sgx.intel.com/epc", BEYOND, "8Ei", "Ki, Mi" },
  { "sgx.intel.com/epc", BEYOND, "16384Pi", "Ki, Mi" },
  { HV "entropy_source", GOOD, "/dev/random", "/dev/random" },
  { HV "entropy_source", BAD, "random", "absolute" },
  { HV "entropy_source", EDGE, "", NULL },
  { HV "entropy_source", DENIED, "/dev/sda", "annotations.entropy-sources" },

  { HV "shared_fs", GOOD, "virtio-fs", "virtiofs" },
  { HV "shared_fs", EDGE, "none", "none" },
  { HV "shared_fs", BAD, "nfs", "must be one of virtio-fs, none" },
  { HV "shared_fs", REFUSED, "virtio-9p", "virtiofs or not at all" },
  { HV "virtio_fs_daemon", GOOD, "/ok/virtiofsd", "/ok/virtiofsd" },
  { HV "virtio_fs_daemon", BAD, "virtiofsd", "absolute" },
  { HV "virtio_fs_daemon", EDGE, "", NULL },
  { HV "virtio_fs_daemon", DENIED, "/bin/sh", "annotations.share-daemon-paths" },
  { HV "virtio_fs_cache", GOOD, "never", "never" },
  { HV "virtio_fs_cache", EDGE, "auto", "auto" },
  { HV "virtio_fs_cache", BAD, "none", "must be one of" },
  { HV "virtio_fs_cache", REFUSED, "metadata", "libvirt does not know" },
  { HV "virtio_fs_cache_size", GOOD, "0", NULL },
  { HV "virtio_fs_cache_size", BAD, "x", "number" },
  { HV "virtio_fs_cache_size", EDGE, "0", NULL },
  { HV "virtio_fs_cache_size", REFUSED, "1", "DAX" },
  { HV "virtio_fs_extra_args", GOOD, "[\\\"--thread-pool-size=1\\\",\\\"--announce-submounts\\\"]", "1" },
  { HV "virtio_fs_extra_args", GOOD, "-o announce_submounts,--thread-pool-size=4", "4" },
  { HV "virtio_fs_extra_args", GOOD, "[\\\"-o\\\",\\\"thread_pool_size=0\\\"]", "0" },
  { HV "virtio_fs_extra_args", GOOD, "--thread-pool-size, 7", "7" },
  { HV "virtio_fs_extra_args", BAD, "[1]", "array of strings" },
  { HV "virtio_fs_extra_args", BAD, "[\\\"x\\\"", "array of strings" },
  { HV "virtio_fs_extra_args", BAD, "source=/", "no option" },
  { HV "virtio_fs_extra_args", BAD, "--cache", "has no value" },
  { HV "virtio_fs_extra_args", REFUSED, "--shared-dir=/", "\"shared-dir\": libvirt has no place" },
  { HV "virtio_fs_extra_args", REFUSED, "--sandbox=none", "libvirt knows" },
  { HV "virtio_fs_extra_args", EDGE, "[]", NULL },
  { HV "virtio_fs_extra_args", BEYOND, "--thread-pool-size=1025", "share.thread-pool-size" },
  { HV "msize_9p", REFUSED, "8192", "9p" },
  { HV "msize_9p", BAD, "-1", "number" },
  { HV "msize_9p", EDGE, "0", NULL },

  { HV "block_device_driver", GOOD, "virtio-scsi", "virtio-scsi" },
  { HV "block_device_driver", EDGE, "virtio-blk-pci", "virtio-blk" },
  { HV "block_device_driver", BAD, "ide", "must be one of virtio-scsi, virtio-blk, virtio-blk-pci" },
  { HV "block_device_driver", REFUSED, "nvdimm", "on PCI" },
  { HV "block_device_aio", GOOD, "io_uring", "io_uring" },
  { HV "block_device_aio", EDGE, "threads", "threads" },
  { HV "block_device_aio", BAD, "aio", "must be one of" },
  { HV "block_device_aio", BEYOND, "native", "needs block.cache-set" },
  { HV "indep_iothreads", GOOD, "2", "2" },
  { HV "indep_iothreads", BAD, "2.0", "number from 1 to 50" },
  { HV "indep_iothreads", EDGE, "50", "50" },
  { HV "indep_iothreads", BEYOND, "51", "number from 1 to 50" },
  { HV "indep_iothreads", BEYOND, "0", "number from 1 to 50" },
  { HV "blk_logical_sector_size", GOOD, "4096", "4096" },
  { HV "blk_logical_sector_size", BAD, "1000", "power of two" },
  { HV "blk_logical_sector_size", EDGE, "65536", "65536" },
  { HV "blk_logical_sector_size", BEYOND, "131072", "number" },
  { HV "blk_physical_sector_size", GOOD, "4096", "4096" },
  { HV "blk_physical_sector_size", BAD, "513", "power of two" },
  { HV "blk_physical_sector_size", EDGE, "512", "512" },
  { HV "blk_physical_sector_size", BEYOND, "131072", "number" },
  { HV "block_device_num_queues", GOOD, "4", "4" },
  { HV "block_device_num_queues", BAD, "", "number" },
  { HV "block_device_num_queues", EDGE, "1024", "1024" },
  { HV "block_device_num_queues", BEYOND, "1025", "number" },
  { HV "block_device_queue_size", GOOD, "128", "128" },
  { HV "block_device_queue_size", BAD, "100", "power of two" },
  { HV "block_device_queue_size", EDGE, "1024", "1024" },
  { HV "block_device_queue_size", BEYOND, "2048", "number" },
  { HV "vhost_user_store_path", GOOD, "/ok/store", "/ok/store" },
  { HV "vhost_user_store_path", BAD, "store", "absolute" },
  { HV "vhost_user_store_path", EDGE, "", NULL },
  { HV "vhost_user_store_path", DENIED, "/etc", "annotations.vhost-user-dirs" },
  { HV "vhost_user_reconnect_timeout_sec", GOOD, "10", "10s" },
  { HV "vhost_user_reconnect_timeout_sec", BAD, "10s", "number" },
  { HV "vhost_user_reconnect_timeout_sec", EDGE, "3600", "3600s" },
  { HV "vhost_user_reconnect_timeout_sec", BEYOND, "3601", "block.vhost-user-reconnect-ms" },

  { HV "network_queues", GOOD, "2", "2" },
  { HV "network_queues", BAD, "two", "number" },
  { HV "network_queues", EDGE, "256", "256" },
  { HV "network_queues", BEYOND, "257", "number" },
  { HV "rx_rate_limiter_max_rate", GOOD, "10000000000", "10000000000" },
  { HV "rx_rate_limiter_max_rate", BAD, "10M", "number" },
  { HV "rx_rate_limiter_max_rate", EDGE, "1000000000000", "1000000000000" },
  { HV "rx_rate_limiter_max_rate", BEYOND, "1000000000001", "number" },
  { HV "tx_rate_limiter_max_rate", GOOD, "8000", "8000" },
  { HV "tx_rate_limiter_max_rate", BAD, "-8000", "number" },
  { HV "tx_rate_limiter_max_rate", EDGE, "0", "0" },
  { HV "tx_rate_limiter_max_rate", BEYOND, "1000000000001", "number" },

  { HV "hot_plug_vfio", GOOD, "root-port", "root-port" },
  { HV "hot_plug_vfio", EDGE, "no-port", "no-port" },
  { HV "hot_plug_vfio", BAD, "rootport", "must be one of" },
  { HV "hot_plug_vfio", REFUSED, "bridge-port", "no PCI bridge" },
  { HV "cold_plug_vfio", GOOD, "switch-port", "switch-port" },
  { HV "cold_plug_vfio", EDGE, "no-port", "no-port" },
  { HV "cold_plug_vfio", BAD, "x", "must be one of" },
  { HV "cold_plug_vfio", REFUSED, "bridge-port", "no PCI bridge" },
  { HV "pcie_root_port", GOOD, "2", "2" },
  { HV "pcie_root_port", BAD, "x", "number from 0 to 16" },
  { HV "pcie_root_port", EDGE, "16", "16" },
  { HV "pcie_root_port", EDGE, "0", NULL },
  { HV "pcie_root_port", BEYOND, "17", "number from 0 to 16" },
  { HV "pcie_switch_port", GOOD, "2", "2" },
  { HV "pcie_switch_port", BAD, "x", "number from 0 to 16" },
  { HV "pcie_switch_port", EDGE, "16", "16" },
  { HV "pcie_switch_port", BEYOND, "17", "number from 0 to 16" },
  { HV "default_gpus", GOOD, "0", NULL },
  { HV "default_gpus", BAD, "x", "number" },
  { HV "default_gpus", EDGE, "0", NULL },
  { HV "default_gpus", REFUSED, "1", "somebody else's" },
  { HV "default_gpu_model", REFUSED, "h100", "somebody else's" },
  { HV "default_gpu_model", EDGE, "", NULL },
  { HV "cc_init_data", REFUSED, "QUJD", "confidential" },
  { HV "cc_init_data", BAD, "QUJ", "base64" },
  { HV "cc_init_data", BAD, "Q===", "base64" },
  { HV "cc_init_data", EDGE, "", NULL },

  { HV "ctlpath", REFUSED, "/usr/bin/acrnctl", "no program" },
  { HV "ctlpath", BAD, "x", "absolute" },
  { HV "ctlpath", EDGE, "", NULL },
  { HV "file_mem_backend", REFUSED, "/dev/shm", "memory_backing_dir" },
  { HV "file_mem_backend", BAD, "x", "absolute" },
  { HV "file_mem_backend", EDGE, "", NULL },
  { KATA "config_path", REFUSED, "/etc/x.toml", "handler" },
  { KATA "config_path", EDGE, "", NULL },

  { RT "name", GOOD, "virt-container", NULL },
  { RT "name", REFUSED, "linux-container", "virtual machines" },
  { RT "name", EDGE, "", NULL },
  { RT "hypervisor_name", REFUSED, "clh", "handler" },
  { RT "hypervisor_name", EDGE, "", NULL },
  { RT "agent_name", GOOD, "kata", NULL },
  { RT "agent_name", REFUSED, "other", "one kind" },
  { RT "agent_name", EDGE, "", NULL },
  { RT "guest_selinux_label", GOOD, "system_u:system_r:container_t:s0", "system_u:system_r:container_t:s0" },
  { RT "guest_selinux_label", BAD, "a\\u0001b", "control character" },
  { RT "guest_selinux_label", EDGE, "", NULL },
  { RT "experimental", REFUSED, "newstore", "no experimental" },
  { RT "experimental", EDGE, "", NULL },
  { RT "internetworking_model", GOOD, "macvtap", "macvtap" },
  { RT "internetworking_model", EDGE, "default", "tcfilter" },
  { RT "internetworking_model", BAD, "bridged", "must be one of default, tcfilter, macvtap, none" },
  { RT "internetworking_model", REFUSED, "l3forwarding", "does not route" },
  { RT "vfio_mode", GOOD, "vfio", "vfio" },
  { RT "vfio_mode", EDGE, "guest-kernel", "guest-kernel" },
  { RT "vfio_mode", BAD, "vm", "must be one of" },
  { RT "create_container_timeout", GOOD, "120", "120s" },
  { RT "create_container_timeout", BAD, "2min", "number" },
  { RT "create_container_timeout", EDGE, "3600", "3600s" },
  { RT "create_container_timeout", EDGE, "0", "0s" },
  { RT "create_container_timeout", BEYOND, "3601", "agent.create-timeout-ms" },
  { RT "create_container_timeout", BEYOND, "18446744073709551616", "number" },
  { RT "shared_mounts", GOOD, "[]", NULL },
  { RT "shared_mounts", BAD, "[", "must be JSON" },
  { RT "shared_mounts", REFUSED, "[{}]", "mounts of their specs" },
  { RT "shared_mounts", EDGE, "", NULL },
  { RT "sandbox_bind_mounts", REFUSED, "/etc/shadow", "administrator's" },
  { RT "sandbox_bind_mounts", EDGE, "", NULL },

  { AG "kernel_modules", GOOD, "e1000e EEE=1; i915", "e1000e EEE=1; i915" },
  { AG "kernel_modules", BAD, "../x", "name of a module" },
  { AG "kernel_modules", BAD, "a;=b", "name of a module" },
  { AG "kernel_modules", EDGE, "", NULL },
  { AG "kernel_modules", EDGE, "a;;", "a;;" },
  { AG "container_pipe_size", GOOD, "65536", "65536" },
  { AG "container_pipe_size", BAD, "64Ki", "number" },
  { AG "container_pipe_size", EDGE, "1073741824", "1073741824" },
  { AG "container_pipe_size", BEYOND, "1073741825", "number" },
  { AG "policy", REFUSED, "cGFja2FnZQ==", "policy engine" },
  { AG "policy", BAD, "package", "base64" },
  { AG "policy", EDGE, "", NULL },
  { AG "cdh_api_timeout_ms", REFUSED, "1000", "confidential" },
  { AG "cdh_api_timeout_ms", BAD, "1s", "number" },
  { AG "cdh_api_timeout_ms", BEYOND, "18446744073709551616", "number" },

  { KATA "container.resource.swappiness", REFUSED, "60", "cgroup v2" },
  { KATA "container.resource.swappiness", EDGE, "0xC8", NULL },
  { KATA "container.resource.swappiness", BEYOND, "201", "number from 0 to 200" },
  { KATA "container.resource.swappiness", BAD, "", "number" },
  { KATA "container.resource.swappiness", BAD, "0x0x1", "number" },
  { KATA "container.resource.swap_in_bytes", REFUSED, "1073741824", "no swap" },
  { KATA "container.resource.swap_in_bytes", EDGE, "0777", NULL },
  { KATA "container.resource.swap_in_bytes", BEYOND, "9223372036854775808", "number" },
  { KATA "container.resource.swap_in_bytes", BAD, "1Gi", "number" },

  { KATA "pkg.oci.bundle_path", GOOD, "/b", NULL },
  { KATA "pkg.oci.container_type", GOOD, "pod_sandbox", NULL },
};

/* ---- one annotation --------------------------------------------------------- */

static VpSpec *
spec_with (const char *annotations)
{
  g_autofree char *text
      = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":"
                         "[\"x\"],\"cwd\":\"/\"},\"annotations\":{%s}}",
                         annotations);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (text, strlen (text), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

static VpConfig *
make_config (gboolean allow)
{
  static const char *const paths[]
      = { "emulator-paths", "boot-paths", "share-daemon-paths", "vhost-user-dirs" };
  static const char *const gates[] = { "hypervisor", "runtime", "agent" };
  VpConfig *config = vp_config_new_default ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    {
      g_autofree char *name = g_strconcat ("annotations.", gates[i], NULL);

      vp_config_override (config, name, allow ? ".*" : "nothing", &error);
      g_assert_no_error (error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *name = g_strconcat ("annotations.", paths[i], NULL);

      vp_config_override (config, name, "/ok/*", &error);
      g_assert_no_error (error);
    }
  vp_config_override (config, "guest.cmdline-extra", "foo=1 base=1", &error);
  g_assert_no_error (error);
  return config;
}

static VpAnnotations *
apply (const char *annotations, gboolean allow, GError **error)
{
  g_autoptr (VpSpec) spec = spec_with (annotations);
  g_autoptr (VpConfig) config = make_config (allow);
  g_autoptr (VpFacts) facts
      = vp_facts_new (&(VpFactsInit){ .driver = "QEMU", .host_cpus = 8, .max_vcpus = 6 });

  return vp_annotations_apply (spec, config, facts, error);
}

static VpAnnotations *
apply_one (const char *name, const char *value, gboolean allow, GError **error)
{
  g_autofree char *text = g_strdup_printf ("\"%s\":\"%s\"", name, value);

  return apply (text, allow, error);
}

static void
assert_says (const GError *error, VpError code, const char *name, const char *words, const char *value)
{
  g_autofree char *place = g_strdup_printf ("annotations[\"%s\"]: ", name);

  g_assert_error (error, VP_ERROR, (gint)code);
  if (strstr (error->message, words) == NULL
      || !g_str_has_prefix (error->message, "/b/config.json: annotations"))
    g_error ("%s=\"%s\": \"%s\" lacks \"%s\"", name, value, error->message, words);
  /* what contradicts another key names that */
  if (strstr (words, " needs ") == NULL && strstr (words, "needs ") != words)
    g_assert_nonnull (strstr (error->message, place));
  g_assert_null (strchr (error->message, '\n'));
}

static void
assert_taken (const VpAnnotationRow *row, const char *value, const char *expect)
{
  g_autofree char *source = g_strconcat ("annotation ", row->name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpAnnotations) result = apply_one (row->name, value, TRUE, &error);
  VpConfigKey key = row->type == VP_ANNOTATION_TYPE_ARGUMENTS ? VP_CONFIG_SHARE_THREAD_POOL_SIZE : row->key;

  if (error != NULL)
    g_error ("%s=\"%s\": %s", row->name, value, error->message);
  if (row->action == VP_ANNOTATION_PASS)
    return;
  g_assert_cmpuint (result->decisions->len, >=, expect != NULL ? 1 : 0);
  if (expect != NULL)
    {
      g_assert_cmpstr (vp_config_get_string (result->config, key), ==, expect);
      g_assert_cmpstr (vp_config_get_source (result->config, key), ==, source);
    }
  else if (key != VP_N_CONFIG_KEYS)
    g_assert_false (g_str_equal (vp_config_get_source (result->config, key), source));
}

static void
assert_refused (const VpAnnotationRow *row, const char *value, gboolean allow, VpError code,
                const char *words)
{
  g_autoptr (GError) error = NULL;
  VpAnnotations *result = apply_one (row->name, value, allow, &error);

  if (result != NULL)
    g_error ("%s=\"%s\" was taken", row->name, value);
  assert_says (error, code, row->name, words, value);
}

static void
assert_gated (const VpAnnotationRow *row, const char *value)
{
  if (vp_annotation_row_gate (row) == VP_N_CONFIG_KEYS)
    assert_taken (row, value, NULL);
  else
    assert_refused (row, value, FALSE, VP_ERROR_NOT_AUTHORIZED, "is not allowed, annotations.");
}

static void
run_case (const Case *c)
{
  const VpAnnotationRow *row = vp_annotation_find (c->name);

  g_assert_nonnull (row);
  switch (c->kind)
    {
    case GOOD:
    case EDGE:
      if (row->action == VP_ANNOTATION_REFUSE && !vp_annotation_row_is_neutral (row, c->value))
        {
          assert_refused (row, c->value, TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
          return;
        }
      assert_taken (row, c->value, c->expect);
      assert_gated (row, c->value);
      break;
    case BAD:
    case BEYOND:
      assert_refused (row, c->value, TRUE, VP_ERROR_INVALID_ARGUMENT, c->expect);
      break;
    case REFUSED:
      assert_refused (row, c->value, TRUE, VP_ERROR_NOT_SUPPORTED, c->expect);
      /* nobody can have it, whoever is allowed */
      assert_refused (row, c->value, FALSE, VP_ERROR_NOT_SUPPORTED, c->expect);
      break;
    case DENIED:
      assert_refused (row, c->value, TRUE, VP_ERROR_NOT_AUTHORIZED, c->expect);
      break;
    }
}

static void
test_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run_case (&cases[i]);
}

/* ---- rows whose cases follow from their type -------------------------------- */

static void
run_bool (const VpAnnotationRow *row)
{
  static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
  static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };
  static const char *const bad[] = { "yes", "", "tRUE", "true ", "2", "on" };
  g_auto (GStrv) words = g_strsplit (row->words != NULL ? row->words : "true|false", "|", 2);
  const guint on = row->action == VP_ANNOTATION_SET_NOT ? 1 : 0;

  for (guint i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      if (row->action == VP_ANNOTATION_REFUSE)
        assert_refused (row, yes[i], TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
      /* needs another one beside it */
      else if (row->key == VP_CONFIG_NETWORK_NEW_NETNS)
        assert_refused (row, yes[i], TRUE, VP_ERROR_INVALID_ARGUMENT, "needs network.model=none");
      else
        assert_taken (row, yes[i], words[on]);
      assert_taken (row, no[i], row->action == VP_ANNOTATION_REFUSE ? NULL : words[1 - on]);
      assert_gated (row, no[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (row, bad[i], TRUE, VP_ERROR_INVALID_ARGUMENT, "must be true or false");
}

static void
run_digest (const VpAnnotationRow *row)
{
  g_autoptr (VpAnnotations) result = NULL;
  const VpAnnotationDigest *digest;
  const char *right = SHA "F";

  assert_refused (row, SHA, TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  assert_refused (row, SHA "00", TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  assert_refused (row, SHA "g", TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  if (row->action == VP_ANNOTATION_REFUSE)
    {
      assert_refused (row, right, TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
      return;
    }
  assert_gated (row, right);
  result = apply_one (row->name, right, TRUE, NULL);
  g_assert_cmpuint (result->digests->len, ==, 1);
  digest = g_ptr_array_index (result->digests, 0);
  g_assert_cmpint (digest->key, ==, row->key);
  g_assert_cmpstr (digest->sha512, ==, SHA "f");
}

static gboolean
has_case (const VpAnnotationRow *row, Kind a, Kind b, Kind c)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      if (g_str_equal (cases[i].name, row->name)
          && (cases[i].kind == a || cases[i].kind == b || cases[i].kind == c))
        return TRUE;
    }
  return FALSE;
}

/* Nothing that is not text can be said by any annotation; values of TEXT that
 * are refused or passed on have no limits. */
static gboolean
any_text (const VpAnnotationRow *row)
{
  return row->action == VP_ANNOTATION_PASS || row->scope == VP_ANNOTATION_MOUNT;
}

static void
test_complete (void)
{
  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];

      g_assert_true (vp_annotation_find (row->name) == row);
      if (row->action == VP_ANNOTATION_REFUSE)
        g_assert_nonnull (row->reason);
      if (row->scope == VP_ANNOTATION_MOUNT)
        continue; /* not the sandbox's, below */
      if (row->type == VP_ANNOTATION_TYPE_BOOL)
        run_bool (row);
      else if (row->type == VP_ANNOTATION_TYPE_SHA512)
        run_digest (row);
      else if (!has_case (row, GOOD, REFUSED, GOOD) || (!any_text (row) && !has_case (row, BAD, REFUSED, BAD))
               || (!any_text (row) && !has_case (row, EDGE, BEYOND, EDGE)))
        g_error ("%s lacks a case", row->name);
    }
}

/* ---- several, and those that are not the sandbox's -------------------------- */

static void
test_together (void)
{
  static const struct
  {
    const char *annotations;
    VpError code;
    const char *words; /* NULL: taken */
  } together[] = {
    { "", VP_ERROR_FAILED, NULL },
    { "\"other\":\"x\",\"io.katacontainersx\":\"y\"", VP_ERROR_FAILED, NULL },
    { "\"" HV "nothing\":\"x\"", VP_ERROR_NOT_SUPPORTED,
      "annotations[\"" HV "nothing\"]: no annotation has" },
    { "\"" KATA "new\":\"x\"", VP_ERROR_NOT_SUPPORTED, "no annotation has this name" },
    { "\"" HV "image\":\"/ok/a\",\"" HV "initrd\":\"/ok/b\"", VP_ERROR_INVALID_ARGUMENT,
      "only one can boot" },
    { "\"" HV "hot_plug_vfio\":\"root-port\",\"" HV "cold_plug_vfio\":\"root-port\"",
      VP_ERROR_INVALID_ARGUMENT, "one must be no-port" },
    { "\"" HV "hot_plug_vfio\":\"no-port\",\"" HV "cold_plug_vfio\":\"root-port\"", VP_ERROR_FAILED, NULL },
    { "\"" HV "blk_logical_sector_size\":\"4096\",\"" HV "blk_physical_sector_size\":\"512\"",
      VP_ERROR_INVALID_ARGUMENT, "is more than" },
    { "\"" HV "block_device_aio\":\"native\",\"" HV "block_device_cache_set\":\"1\",\"" HV
      "block_device_cache_direct\":\"1\"",
      VP_ERROR_FAILED, NULL },
    { "\"" RT "disable_new_netns\":\"1\",\"" RT "internetworking_model\":\"none\"", VP_ERROR_FAILED, NULL },
    { "\"" KATA "fs-opt.is-layer\":\"\"", VP_ERROR_NOT_SUPPORTED, "layers" },
    { "\"" KATA "volume=abc\":\"\"", VP_ERROR_NOT_SUPPORTED, "virtual volumes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (together); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpAnnotations) result = apply (together[i].annotations, TRUE, &error);

      if (together[i].words == NULL)
        {
          g_assert_no_error (error);
          continue;
        }
      if (result != NULL)
        g_error ("%s was taken", together[i].annotations);
      g_assert_error (error, VP_ERROR, (gint)together[i].code);
      if (strstr (error->message, together[i].words) == NULL)
        g_error ("\"%s\" lacks \"%s\"", error->message, together[i].words);
    }
}

/* What the sandbox's annotations say ends what the configuration says. */
static void
test_plug_resets (void)
{
  g_autoptr (VpSpec) spec = spec_with ("\"" HV "cold_plug_vfio\":\"root-port\"");
  g_autoptr (VpConfig) config = make_config (TRUE);
  g_autoptr (VpAnnotations) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_config_override (config, "hypervisor.hot-plug-vfio", "switch-port", NULL));
  result = vp_annotations_apply (spec, config, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vp_config_get_string (result->config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO), ==, "no-port");
  g_assert_cmpstr (vp_config_get_string (result->config, VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO), ==,
                   "root-port");
  /* what was handed in is as it was */
  g_assert_cmpstr (vp_config_get_string (config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO), ==, "switch-port");
}

static void
test_container (void)
{
  g_autoptr (VpSpec) plain = spec_with ("\"" HV "kernel\":\"/bin/sh\"");
  g_autoptr (VpSpec) swappy = spec_with ("\"" KATA "container.resource.swappiness\":\"60\"");
  g_autoptr (GError) error = NULL;

  /* what a pod's container carries of its sandbox was the sandbox's */
  g_assert_true (vp_annotations_check_container (plain, &error));
  g_assert_no_error (error);
  g_assert_false (vp_annotations_check_container (swappy, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
}

static void
test_patterns (void)
{
  static const struct
  {
    const char *patterns[3], *name;
    gboolean allowed;
  } patterns[] = {
    { { "path" }, "path", TRUE },
    { { "path" }, "jailer_path", FALSE },
    { { "path" }, "path_hash", FALSE },
    { { "a|ab" }, "ab", TRUE },
    { { "a|path" }, "jailer_path", FALSE },
    { { "enable_.*", "x" }, "enable_iommu", TRUE },
    { { "enable_.*", "x" }, "x", TRUE },
    { { "^kernel$" }, "kernel", TRUE },
    { { "^kernel$" }, "kernel_params", FALSE },
    { { "(" }, "kernel", FALSE },
    { { NULL }, "kernel", FALSE },
    { { "" }, "kernel", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++)
    g_assert_true (vp_annotation_is_allowed (patterns[i].patterns, patterns[i].name) == patterns[i].allowed);
}

/* The defaults allow what has been allowed to everybody for years, no more. */
static void
test_defaults (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (GString) allowed = g_string_new (NULL);

  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];
      VpConfigKey gate = vp_annotation_row_gate (row);

      if (gate != VP_N_CONFIG_KEYS
          && vp_annotation_is_allowed (vp_config_get_list (config, gate), vp_annotation_row_short_name (row)))
        g_string_append_printf (allowed, "%s ", vp_annotation_row_short_name (row));
    }
  g_assert_cmpstr (allowed->str, ==,
                   "kernel_params kernel_verity_params enable_iommu create_container_timeout "
                   "container_pipe_size ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/annotation-table/complete", test_complete);
  g_test_add_func ("/annotation-table/cases", test_cases);
  g_test_add_func ("/annotation-table/together", test_together);
  g_test_add_func ("/annotation-table/plug-resets", test_plug_resets);
  g_test_add_func ("/annotation-table/container", test_container);
  g_test_add_func ("/annotation-table/patterns", test_patterns);
  g_test_add_func ("/annotation-table/defaults", test_defaults);
  return g_test_run ();
}
