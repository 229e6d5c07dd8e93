/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-rules.h"
#include "vp-spec-table-macros.h"

#define CGROUP2 "the guest has cgroup v2 only, which cannot do this"
#define ANY_INT .min = G_MININT64, .max = G_MAXINT64
#define ANY_UINT .umax = G_MAXUINT64
#define ID .umax = G_MAXUINT32

/* ---- resources -------------------------------------------------------------- */

static const char *const rule_types[] = { "", "a", "b", "c", NULL };
static const VpSpecField device_rule_fields[] = {
  BOOL ("allow", GUEST, NULL, .flags = VP_SPEC_REQUIRED),
  STRING ("type", GUEST, NULL, .words = rule_types),
  INT ("major", GUEST, "a number of the guest's kernel", ANY_INT),
  INT ("minor", GUEST, NULL, ANY_INT),
  STRING ("access", GUEST, NULL, .rule = vp_spec_rule_device_access),
  END,
};

static const VpSpecField memory_fields[] = {
  INT ("limit", GUEST, "and the size of the virtual machine", ANY_INT),
  INT ("reservation", GUEST, NULL, ANY_INT),
  INT ("swap", GUEST, "memory and swap together", ANY_INT),
  INT ("kernel", REFUSED, CGROUP2, ANY_INT, .rule = vp_spec_rule_kernel_memory),
  INT ("kernelTCP", REFUSED, CGROUP2, ANY_INT, .rule = vp_spec_rule_kernel_memory),
  UINT ("swappiness", REFUSED, CGROUP2, ANY_UINT),
  BOOL ("disableOOMKiller", REFUSED, CGROUP2),
  BOOL ("useHierarchy", TRANSLATED, "left out: cgroup v2 always does"),
  BOOL ("checkBeforeUpdate", GUEST, NULL),
  END,
};

#define HOST_CPUS "left out: numbers of the host's, which the guest does not see"
static const VpSpecField cpu_fields[] = {
  UINT ("shares", GUEST, NULL, ANY_UINT),
  INT ("quota", GUEST, "and the number of processors of the virtual machine", ANY_INT),
  UINT ("burst", TRANSLATED, "the cgroup's file `cpu.max.burst`", .umax = G_MAXINT64),
  UINT ("period", GUEST, NULL, .umax = G_MAXINT64),
  INT ("realtimeRuntime", REFUSED, CGROUP2, ANY_INT),
  UINT ("realtimePeriod", REFUSED, CGROUP2, ANY_UINT),
  STRING ("cpus", TRANSLATED, HOST_CPUS, .rule = vp_spec_rule_number_list),
  STRING ("mems", TRANSLATED, HOST_CPUS, .rule = vp_spec_rule_number_list),
  INT ("idle", GUEST, NULL, .min = 0, .max = 1),
  END,
};

static const VpSpecField pids_fields[] = {
  INT ("limit", GUEST, NULL, ANY_INT, .flags = VP_SPEC_REQUIRED),
  END,
};

#define NO_HOST_DISK "names a disk of the host, which the guest does not have"
static const VpSpecField block_io_fields[] = {
  UINT ("weight", TRANSLATED,
        "left out: the guest has no disk to weigh, its files come through the host", .umax = 1000),
  UINT ("leafWeight", REFUSED, CGROUP2, .umax = 1000),
  ANY ("weightDevice", REFUSED, NO_HOST_DISK),
  ANY ("throttleReadBpsDevice", REFUSED, NO_HOST_DISK),
  ANY ("throttleWriteBpsDevice", REFUSED, NO_HOST_DISK),
  ANY ("throttleReadIOPSDevice", REFUSED, NO_HOST_DISK),
  ANY ("throttleWriteIOPSDevice", REFUSED, NO_HOST_DISK),
  END,
};

static const VpSpecField hugepage_fields[] = {
  STRING ("pageSize", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .rule = vp_spec_rule_page_size),
  UINT ("limit", GUEST, NULL, ANY_UINT, .flags = VP_SPEC_REQUIRED),
  END,
};

static const VpSpecField network_fields[] = {
  UINT ("classID", REFUSED, CGROUP2, ID),
  ANY ("priorities", REFUSED, CGROUP2),
  END,
};

static const VpSpecField resources_fields[] = {
  OBJECT ("devices", GUEST, NULL, .flags = VP_SPEC_LIST, .members = device_rule_fields),
  OBJECT ("memory", GUEST, NULL, .members = memory_fields, .rule = vp_spec_rule_memory),
  OBJECT ("cpu", GUEST, NULL, .members = cpu_fields),
  OBJECT ("pids", GUEST, NULL, .members = pids_fields),
  OBJECT ("blockIO", TRANSLATED, "left out", .members = block_io_fields),
  OBJECT ("hugepageLimits", GUEST, NULL, .flags = VP_SPEC_LIST, .members = hugepage_fields),
  OBJECT ("network", REFUSED, CGROUP2, .members = network_fields),
  ANY ("rdma", REFUSED, "names an adapter of the host, which the guest does not have",
       .flags = VP_SPEC_NAMES),
  MAP ("unified", GUEST,
       "`cpuset.` files are left out, their numbers are the host's; `io.` and `rdma.` files are refused",
       .rule = vp_spec_rule_unified),
  END,
};

/* ---- seccomp ---------------------------------------------------------------- */

static const char *const seccomp_actions[] = {
  "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",   "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",        "SCMP_ACT_LOG",         "SCMP_ACT_NOTIFY", NULL
};
static const char *const seccomp_arches[]
    = { "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
        "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
        "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB",        NULL };
static const char *const seccomp_flags[]
    = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };
static const char *const seccomp_operators[]
    = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
        "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL };

static const VpSpecField seccomp_arg_fields[] = {
  UINT ("index", GUEST, NULL, .umax = 5, .flags = VP_SPEC_REQUIRED),
  UINT ("value", GUEST, NULL, ANY_UINT, .flags = VP_SPEC_REQUIRED),
  UINT ("valueTwo", GUEST, NULL, ANY_UINT),
  STRING ("op", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = seccomp_operators),
  END,
};

static const VpSpecField syscall_fields[] = {
  STRING ("names", GUEST, NULL, .flags = VP_SPEC_LIST | VP_SPEC_REQUIRED, .rule = vp_spec_rule_not_empty),
  STRING ("action", GUEST, "`SCMP_ACT_NOTIFY` is refused", .flags = VP_SPEC_REQUIRED,
          .words = seccomp_actions, .rule = vp_spec_rule_seccomp_action),
  UINT ("errnoRet", GUEST, NULL, ID),
  OBJECT ("args", GUEST, NULL, .flags = VP_SPEC_LIST, .members = seccomp_arg_fields),
  END,
};

#define LISTENER "is a socket of the host, where a descriptor of the guest's kernel cannot be sent"
static const VpSpecField seccomp_fields[] = {
  STRING ("defaultAction", GUEST, "`SCMP_ACT_NOTIFY` is refused", .flags = VP_SPEC_REQUIRED,
          .words = seccomp_actions, .rule = vp_spec_rule_seccomp_action),
  UINT ("defaultErrnoRet", GUEST, NULL, ID),
  STRING ("architectures", GUEST, NULL, .flags = VP_SPEC_LIST, .words = seccomp_arches),
  STRING ("flags", GUEST, NULL, .flags = VP_SPEC_LIST, .words = seccomp_flags),
  STRING ("listenerPath", REFUSED, LISTENER),
  STRING ("listenerMetadata", REFUSED, LISTENER),
  OBJECT ("syscalls", GUEST, NULL, .flags = VP_SPEC_LIST, .members = syscall_fields),
  END,
};

/* ---- the rest --------------------------------------------------------------- */

static const VpSpecField mapping_fields[] = {
  UINT ("containerID", GUEST, NULL, ID, .flags = VP_SPEC_REQUIRED),
  UINT ("hostID", GUEST, "an id of the guest", ID, .flags = VP_SPEC_REQUIRED),
  UINT ("size", GUEST, NULL, ID, .umin = 1, .flags = VP_SPEC_REQUIRED),
  END,
};

static const char *const namespace_types[]
    = { "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL };
static const VpSpecField namespace_fields[] = {
  STRING ("type", TRANSLATED,
          "`pid`, `mount`, `user` and `cgroup` are made in the guest; `ipc` and `uts` are the sandbox's; "
          "`network` is "
          "the virtual machine's own, and so is `time`, whose clocks are not the host's",
          .flags = VP_SPEC_REQUIRED, .words = namespace_types),
  STRING (
      "path", TRANSLATED,
      "`network`: the namespace the virtual machine is connected to, without a path one that is made for it; in a pod it is the sandbox's: "
      "`pid`: its processes are shared; `user`: a new one with the same mappings; `ipc`, `uts` and `cgroup`: the "
      "guest's; outside of a pod they are refused, and `mount` and `time` always"),
  END,
};

#define NO_CLOCKS "the guest's runtime cannot make a time namespace"
static const VpSpecField offset_fields[] = {
  INT ("secs", REFUSED, NO_CLOCKS, ANY_INT),
  UINT ("nanosecs", REFUSED, NO_CLOCKS, .umax = 999999999),
  END,
};
static const VpSpecField offsets_fields[] = {
  OBJECT ("monotonic", REFUSED, NO_CLOCKS, .members = offset_fields),
  OBJECT ("boottime", REFUSED, NO_CLOCKS, .members = offset_fields),
  END,
};

static const char *const device_types[] = { "c", "b", "u", "p", NULL };
static const VpSpecField device_fields[] = {
  STRING ("path", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .rule = vp_spec_rule_absolute),
  STRING ("type", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = device_types),
  INT ("major", GUEST, NULL, .min = 0, .max = G_MAXUINT32),
  INT ("minor", GUEST, NULL, .min = 0, .max = G_MAXUINT32),
  UINT ("fileMode", GUEST, NULL, .umax = G_MAXUINT32),
  UINT ("uid", GUEST, NULL, ID),
  UINT ("gid", GUEST, NULL, ID),
  END,
};

static const char *const propagations[] = { "",        "shared", "slave",    "private",     "unbindable",
                                            "rshared", "rslave", "rprivate", "runbindable", NULL };

#define HOST_CACHE "divides the cache of the host's processors, which the guest does not see"
static const VpSpecField rdt_fields[] = {
  STRING ("closID", REFUSED, HOST_CACHE),
  STRING ("l3CacheSchema", REFUSED, HOST_CACHE),
  STRING ("memBwSchema", REFUSED, HOST_CACHE),
  STRING ("schemata", REFUSED, HOST_CACHE, .flags = VP_SPEC_LIST),
  BOOL ("enableCMT", REFUSED, HOST_CACHE),
  BOOL ("enableMBM", REFUSED, HOST_CACHE),
  BOOL ("enableMonitoring", REFUSED, HOST_CACHE),
  END,
};

static const char *const personalities[] = { "LINUX", "LINUX32", NULL };
static const VpSpecField personality_fields[] = {
  STRING ("domain", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = personalities),
  STRING ("flags", REFUSED, "the specification defines none", .flags = VP_SPEC_LIST),
  END,
};

#define MAPPINGS(name)                                                                                       \
  OBJECT (name, GUEST, NULL, .flags = VP_SPEC_LIST, .members = mapping_fields, .rule = vp_spec_rule_mappings)

const VpSpecField vp_spec_linux_fields[] = {
  OBJECT ("namespaces", TRANSLATED, NULL, .flags = VP_SPEC_LIST, .members = namespace_fields,
          .rule = vp_spec_rule_namespaces),
  MAPPINGS ("uidMappings"),
  MAPPINGS ("gidMappings"),
  OBJECT ("timeOffsets", REFUSED, NO_CLOCKS, .members = offsets_fields),
  OBJECT ("devices", TRANSLATED,
          "made in the guest when the kernel has it under a fixed number (memory, terminal and miscellaneous "
          "devices); hardware of the host is refused, unless the container may use all devices: then it is a "
          "node "
          "without a device",
          .flags = VP_SPEC_LIST, .members = device_fields, .rule = vp_spec_rule_devices),
  ANY ("netDevices", REFUSED, "moves an interface of the host, the virtual machine's are its network's",
       .flags = VP_SPEC_NAMES),
  STRING ("cgroupsPath", TRANSLATED, "the domain's place on the host; `/ID` in the guest",
          .rule = vp_spec_rule_cgroups_path),
  OBJECT ("resources", GUEST, NULL, .members = resources_fields),
  OBJECT ("intelRdt", REFUSED, HOST_CACHE, .members = rdt_fields),
  ANY ("memoryPolicy", REFUSED, "names memory nodes of the host"),
  MAP ("sysctl", GUEST, "`net.` ones are set by the guest's kernel at the start of the sandbox",
       .rule = vp_spec_rule_sysctl),
  OBJECT ("seccomp", GUEST, "unless the configuration has `guest.seccomp` off", .members = seccomp_fields),
  STRING ("rootfsPropagation", GUEST, NULL, .words = propagations),
  STRING ("maskedPaths", GUEST, NULL, .flags = VP_SPEC_LIST),
  STRING ("readonlyPaths", GUEST, NULL, .flags = VP_SPEC_LIST),
  STRING ("mountLabel", TRANSLATED, "left out: a label of the host's SELinux"),
  OBJECT ("personality", GUEST, NULL, .members = personality_fields),
  END,
};
