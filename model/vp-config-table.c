/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-config-table.h"

#include "vp-names.h"

#define MIB_MAX (G_GUINT64_CONSTANT (1) << 30) /* 1 PiB */
#define HOUR_MS (60 * 60 * 1000)

const VpConfigRow vp_config_table[VP_N_CONFIG_KEYS] = {
  [VP_CONFIG_DAEMON_STATE_DIR]
  = { "daemon", "state-dir", VP_CONFIG_TYPE_PATH, "/run/virtpod", 0, 0, NULL,
      "Where records, sockets, logs and shares of sandboxes are. It must not survive a reboot." },
  [VP_CONFIG_DAEMON_LOG_LEVEL]
  = { "daemon", "log-level", VP_CONFIG_TYPE_CHOICE, "notice", 0, 0, "error|warning|notice|info|debug",
      "Messages less important than this are not logged." },
  [VP_CONFIG_DAEMON_MAX_SANDBOXES] = { "daemon", "max-sandboxes", VP_CONFIG_TYPE_UINT, "1000", 1, 100000,
                                       NULL, "How many sandboxes may exist at once." },
  [VP_CONFIG_DAEMON_MAX_CONTAINERS]
  = { "daemon", "max-containers", VP_CONFIG_TYPE_UINT, "10000", 1, 1000000, NULL,
      "How many containers may exist at once, in all sandboxes together." },
  [VP_CONFIG_HYPERVISOR_URI] = { "hypervisor", "uri", VP_CONFIG_TYPE_STRING, VP_HYPERVISOR_URI, 0, 0, NULL,
                                 "The libvirt connection virtual machines are made on." },
  [VP_CONFIG_HYPERVISOR_ACCEL] = { "hypervisor", "accel", VP_CONFIG_TYPE_CHOICE, "auto", 0, 0, "auto|kvm|tcg",
                                   "What runs the guest's instructions: hardware virtualisation (kvm), "
                                   "emulation (tcg, slow), or kvm where the "
                                   "host has it and tcg elsewhere (auto)." },
  [VP_CONFIG_HYPERVISOR_MACHINE]
  = { "hypervisor", "machine", VP_CONFIG_TYPE_STRING, "q35", 0, 0, NULL, "The machine type." },
  [VP_CONFIG_HYPERVISOR_CPU_MODEL]
  = { "hypervisor", "cpu-model", VP_CONFIG_TYPE_STRING, "", 0, 0, NULL,
      "The CPU model the guest sees. Empty: the host's CPU under kvm, qemu64 under tcg." },
  [VP_CONFIG_HYPERVISOR_EMULATOR] = { "hypervisor", "emulator", VP_CONFIG_TYPE_STRING, "", 0, 0, NULL,
                                      "Absolute path of the emulator. Empty: libvirt's choice." },
  [VP_CONFIG_HYPERVISOR_VCPUS] = { "hypervisor", "vcpus", VP_CONFIG_TYPE_UINT, "1", 1, 4096, NULL,
                                   "Virtual CPUs of a sandbox. One whose first container has a larger CPU "
                                   "quota gets as many as that needs." },
  [VP_CONFIG_HYPERVISOR_MAX_VCPUS]
  = { "hypervisor", "max-vcpus", VP_CONFIG_TYPE_UINT, "0", 0, 4096, NULL,
      "No sandbox gets more virtual CPUs than this. 0: as many as the host has." },
  [VP_CONFIG_HYPERVISOR_MEMORY_MIB]
  = { "hypervisor", "memory-mib", VP_CONFIG_TYPE_UINT, "256", 64, MIB_MAX, NULL,
      "Memory of a sandbox in MiB. The memory limit of its first container is added." },
  [VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB]
  = { "hypervisor", "max-memory-mib", VP_CONFIG_TYPE_UINT, "0", 0, MIB_MAX, NULL,
      "No sandbox gets more memory than this, in MiB. 0: the host's memory." },
  [VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS]
  = { "hypervisor", "hotplug-ports", VP_CONFIG_TYPE_UINT, "4", 0, 28, NULL,
      "Free PCIe ports for devices added while the sandbox runs. Each costs the guest's boot 30 to 50 ms." },
  [VP_CONFIG_GUEST_KERNEL] = { "guest", "kernel", VP_CONFIG_TYPE_PATH, VP_GUESTDIR "/vmlinux", 0, 0, NULL,
                               "The kernel guests boot, on x86 an uncompressed one with a PVH entry point." },
  [VP_CONFIG_GUEST_INITRD] = { "guest", "initrd", VP_CONFIG_TYPE_PATH, VP_GUESTDIR "/initrd.img", 0, 0, NULL,
                               "The initramfs with the agent." },
  [VP_CONFIG_GUEST_CMDLINE_EXTRA] = { "guest", "cmdline-extra", VP_CONFIG_TYPE_STRING, "", 0, 0, NULL,
                                      "Added to the end of the kernel command line." },
  [VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS]
  = { "agent", "connect-timeout-ms", VP_CONFIG_TYPE_UINT, "60000", 100, HOUR_MS, NULL,
      "How long a guest may take from its start until its agent answers, in milliseconds." },
  [VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS]
  = { "agent", "request-timeout-ms", VP_CONFIG_TYPE_UINT, "60000", 100, HOUR_MS, NULL,
      "How long the agent may take for one request, in milliseconds." },
  [VP_CONFIG_AGENT_STOP_TIMEOUT_MS]
  = { "agent", "stop-timeout-ms", VP_CONFIG_TYPE_UINT, "10000", 0, HOUR_MS, NULL,
      "How long a guest may take to stop by itself before it is destroyed, in milliseconds." },
  [VP_CONFIG_CONSOLE_ENABLED]
  = { "console", "enabled", VP_CONFIG_TYPE_BOOL, "true", 0, 0, NULL,
      "Whether guests have a serial console, kept in a log file for each sandbox." },
  [VP_CONFIG_CONSOLE_MAX_BYTES] = { "console", "max-bytes", VP_CONFIG_TYPE_UINT, "262144", 4096, 1 << 30,
                                    NULL, "How many bytes of a console are kept; the oldest go first." },
};
