/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-table.h"

#include "vp-spec-rules.h"
#include "vp-spec-table-macros.h"

#define OTHER_PLATFORM "is for another platform, virtpod runs Linux containers"

static const VpSpecField root_fields[] = {
  STRING ("path", TRANSLATED, "shared with the virtual machine; the guest gets the path it has there",
          .flags = VP_SPEC_REQUIRED),
  BOOL ("readonly", GUEST, NULL),
  END,
};

static const VpSpecField box_fields[] = {
  UINT ("height", GUEST, NULL, .umax = G_MAXUINT32, .flags = VP_SPEC_REQUIRED),
  UINT ("width", GUEST, NULL, .umax = G_MAXUINT32, .flags = VP_SPEC_REQUIRED),
  END,
};

static const VpSpecField user_fields[] = {
  UINT ("uid", GUEST, NULL, .umax = G_MAXUINT32),
  UINT ("gid", GUEST, NULL, .umax = G_MAXUINT32),
  UINT ("umask", GUEST, NULL, .umax = 0777),
  UINT ("additionalGids", GUEST, NULL, .umax = G_MAXUINT32, .flags = VP_SPEC_LIST),
  STRING ("username", REFUSED, OTHER_PLATFORM),
  END,
};

#define CAPABILITIES(name)                                                                                   \
  STRING (name, GUEST, NULL, .flags = VP_SPEC_LIST, .rule = vp_spec_rule_capabilities)
static const VpSpecField capability_fields[] = {
  CAPABILITIES ("bounding"),  CAPABILITIES ("effective"), CAPABILITIES ("inheritable"),
  CAPABILITIES ("permitted"), CAPABILITIES ("ambient"),   END,
};

static const char *const rlimit_types[] = { "RLIMIT_AS",
                                            "RLIMIT_CORE",
                                            "RLIMIT_CPU",
                                            "RLIMIT_DATA",
                                            "RLIMIT_FSIZE",
                                            "RLIMIT_LOCKS",
                                            "RLIMIT_MEMLOCK",
                                            "RLIMIT_MSGQUEUE",
                                            "RLIMIT_NICE",
                                            "RLIMIT_NOFILE",
                                            "RLIMIT_NPROC",
                                            "RLIMIT_RSS",
                                            "RLIMIT_RTPRIO",
                                            "RLIMIT_RTTIME",
                                            "RLIMIT_SIGPENDING",
                                            "RLIMIT_STACK",
                                            NULL };
static const VpSpecField rlimit_fields[] = {
  STRING ("type", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = rlimit_types),
  UINT ("hard", GUEST, NULL, .umax = G_MAXUINT64, .flags = VP_SPEC_REQUIRED),
  UINT ("soft", GUEST, NULL, .umax = G_MAXUINT64, .flags = VP_SPEC_REQUIRED),
  END,
};

static const char *const policies[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
                                        "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE", NULL };
static const char *const scheduler_flags[] = { "SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",
                                               "SCHED_FLAG_DL_OVERRUN",     "SCHED_FLAG_KEEP_POLICY",
                                               "SCHED_FLAG_KEEP_PARAMS",    "SCHED_FLAG_UTIL_CLAMP_MIN",
                                               "SCHED_FLAG_UTIL_CLAMP_MAX", NULL };
static const VpSpecField scheduler_fields[] = {
  STRING ("policy", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = policies),
  INT ("nice", GUEST, NULL, .min = -20, .max = 19),
  INT ("priority", GUEST, NULL, .min = 0, .max = 99),
  STRING ("flags", GUEST, NULL, .flags = VP_SPEC_LIST, .words = scheduler_flags),
  UINT ("runtime", GUEST, NULL, .umax = G_MAXINT64),
  UINT ("deadline", GUEST, NULL, .umax = G_MAXINT64),
  UINT ("period", GUEST, NULL, .umax = G_MAXINT64),
  END,
};

static const char *const io_classes[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL };
static const VpSpecField io_priority_fields[] = {
  STRING ("class", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .words = io_classes),
  INT ("priority", GUEST, NULL, .min = 0, .max = 7),
  END,
};

#define LABEL "left out: a word of the host's security module; the virtual machine confines the process"
static const VpSpecField process_fields[] = {
  BOOL ("terminal", GUEST, NULL),
  OBJECT ("consoleSize", GUEST, NULL, .members = box_fields),
  OBJECT ("user", GUEST, NULL, .members = user_fields),
  STRING ("args", GUEST, NULL, .flags = VP_SPEC_LIST | VP_SPEC_REQUIRED),
  STRING ("commandLine", REFUSED, OTHER_PLATFORM),
  STRING ("env", GUEST, NULL, .flags = VP_SPEC_LIST),
  STRING ("cwd", GUEST, NULL, .flags = VP_SPEC_REQUIRED),
  OBJECT ("capabilities", GUEST, NULL, .members = capability_fields),
  OBJECT ("rlimits", GUEST, NULL, .flags = VP_SPEC_LIST, .members = rlimit_fields,
          .rule = vp_spec_rule_rlimits),
  BOOL ("noNewPrivileges", GUEST, NULL),
  STRING ("apparmorProfile", TRANSLATED, LABEL),
  STRING ("selinuxLabel", TRANSLATED,
          "left out, unless SELinux is on in the guest (`guest.selinux`): then it is `guest.selinux-label` "
          "or itself"),
  INT ("oomScoreAdj", GUEST, NULL, .min = -1000, .max = 1000),
  OBJECT ("scheduler", GUEST, "set by the agent between create and start; not for later processes",
          .members = scheduler_fields),
  OBJECT ("ioPriority", GUEST, "set by the agent between create and start; not for later processes",
          .members = io_priority_fields),
  ANY ("execCPUAffinity", REFUSED, "the guest's runtime cannot bind a process to processors"),
  END,
};

#define NO_ID_MAP "the guest cannot map the owners of a shared file system"
static const VpSpecField mount_fields[] = {
  STRING ("destination", GUEST, "absolute, without \"..\"", .flags = VP_SPEC_REQUIRED),
  STRING ("type", GUEST, "what the guest's kernel can mount by itself, or a bind; anything else is refused"),
  STRING ("source", TRANSLATED,
          "the file or directory of a bind is shared with the virtual machine and becomes its path there; "
          "`/proc`, `/sys` and `/dev` and what is below mean the guest's; a `/dev/shm` of the host becomes a "
          "tmpfs of the same size, in a pod the sandbox's; with `runtime.guest-empty-dir` an emptyDir volume of "
          "Kubernetes is a directory of the guest's"),
  STRING (
      "options", GUEST,
      "all that the guest's runtime knows; read-only is enforced by the host too; `idmap` and, for binds of "
      "host files, `shared` and `rshared` are refused, and so is what begins with `io.katacontainers.`",
      .flags = VP_SPEC_LIST),
  ANY ("uidMappings", REFUSED, NO_ID_MAP),
  ANY ("gidMappings", REFUSED, NO_ID_MAP),
  END,
};

static const VpSpecField hook_fields[] = {
  STRING ("path", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .rule = vp_spec_rule_absolute),
  STRING ("args", GUEST, NULL, .flags = VP_SPEC_LIST),
  STRING ("env", GUEST, NULL, .flags = VP_SPEC_LIST, .rule = vp_spec_rule_environment),
  INT ("timeout", GUEST, "seconds", .min = 1, .max = G_MAXINT32),
  END,
};

#define HOOK(name, fate, how) OBJECT (name, fate, how, .flags = VP_SPEC_LIST, .members = hook_fields)
static const VpSpecField hooks_fields[] = {
  HOOK ("prestart", HOST, "in the sandbox's network namespace, before it is looked at and the virtual machine is made; without one, and "
        "for a container that joins, when the virtual machine runs, before the guest makes the container"),
  HOOK ("createRuntime", HOST, "the same, after those of `prestart`"),
  HOOK ("createContainer", REFUSED,
        "is a program of the host to run in the container's mount namespace, which is in the guest"),
  HOOK ("startContainer", GUEST, "by the guest's runtime, in the container"),
  HOOK ("poststart", HOST, "after the process has started; a failure is logged"),
  HOOK ("poststop", HOST, "after the container was deleted, or could not be made; a failure is logged"),
  END,
};

const VpSpecField vp_spec_fields[] = {
  STRING ("ociVersion", GUEST, "version 1 of the specification", .flags = VP_SPEC_REQUIRED),
  OBJECT ("root", TRANSLATED, NULL, .flags = VP_SPEC_REQUIRED, .members = root_fields),
  OBJECT ("process", GUEST, NULL, .flags = VP_SPEC_REQUIRED, .members = process_fields),
  STRING ("hostname", TRANSLATED,
          "the sandbox's and the container's; cut to the 64 bytes a kernel has room for"),
  STRING ("domainname", GUEST, NULL, .rule = vp_spec_rule_domainname),
  OBJECT ("mounts", TRANSLATED, NULL, .flags = VP_SPEC_LIST, .members = mount_fields),
  OBJECT ("hooks", TRANSLATED, "by kind", .members = hooks_fields),
  MAP ("annotations", GUEST, "read by the host too", .rule = vp_spec_rule_annotations),
  OBJECT ("linux", GUEST, NULL, .members = vp_spec_linux_fields),
  ANY ("solaris", REFUSED, OTHER_PLATFORM),
  ANY ("windows", REFUSED, OTHER_PLATFORM),
  ANY ("zos", REFUSED, OTHER_PLATFORM),
  ANY ("freebsd", REFUSED, OTHER_PLATFORM),
  ANY ("vm", REFUSED, "the virtual machine is described by configuration and annotations"),
  END,
};
