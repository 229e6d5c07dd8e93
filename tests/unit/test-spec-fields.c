/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each section of a config.json, field by field: what is right, what is wrong
 * and what is refused, with the JSON path that is named. */
#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-spec-table.h"
#include "vp-spec.h"

#define TOP "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},"
#define PROCESS "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}"

static char *
document (const char *section, const char *members)
{
  if (g_str_equal (section, "process"))
    return g_strdup_printf (TOP "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",%s}}", members);
  if (g_str_equal (section, "linux"))
    return g_strdup_printf (TOP PROCESS ",\"linux\":{%s}}", members);
  if (g_str_equal (section, "resources"))
    return g_strdup_printf (TOP PROCESS ",\"linux\":{\"resources\":{%s}}}", members);
  if (g_str_equal (section, "seccomp"))
    return g_strdup_printf (TOP PROCESS ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",%s}}}",
                            members);
  return g_strdup_printf (TOP PROCESS ",%s}", members);
}

static VpSpec *
parse (const char *section, const char *members, GError **error)
{
  g_autofree char *text = document (section, members);

  return vp_spec_parse (text, strlen (text), "/b", error);
}

typedef struct
{
  const char *section, *members, *path; /* path NULL: fine */
  gboolean refused;
} Case;

#define OK(section, members)                                                                                 \
  {                                                                                                          \
    section, members, NULL, FALSE                                                                            \
  }
#define WRONG(section, members, path)                                                                        \
  {                                                                                                          \
    section, members, path, FALSE                                                                            \
  }
#define REFUSED(section, members, path)                                                                      \
  {                                                                                                          \
    section, members, path, TRUE                                                                             \
  }

static void
check_cases (gconstpointer data)
{
  for (const Case *c = data; c->section != NULL; c++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpSpec) spec = parse (c->section, c->members, &error);
      g_autofree char *start = g_strdup_printf ("/b/config.json: %s: ", c->path);
      VpError wanted = c->refused ? VP_ERROR_NOT_SUPPORTED : VP_ERROR_INVALID_ARGUMENT;

      g_test_message ("%s", c->members);
      if (c->path == NULL)
        {
          g_assert_no_error (error);
          continue;
        }
      g_assert_null (spec);
      g_assert_error (error, VP_ERROR, (gint)wanted);
      if (!g_str_has_prefix (error->message, start))
        g_error ("%s: says %s", c->members, error->message);
    }
}

static const Case process_cases[] = {
  OK ("process", "\"consoleSize\":{\"height\":24,\"width\":80},\"terminal\":true"),
  WRONG ("process", "\"consoleSize\":{\"height\":24}", "process.consoleSize.width"),
  WRONG ("process", "\"consoleSize\":{\"height\":-1,\"width\":1}", "process.consoleSize.height"),
  OK ("process", "\"user\":{\"uid\":1,\"gid\":4294967295,\"umask\":511,\"additionalGids\":[0,5]}"),
  WRONG ("process", "\"user\":{\"umask\":512}", "process.user.umask"),
  WRONG ("process", "\"user\":{\"umask\":\"022\"}", "process.user.umask"),
  WRONG ("process", "\"user\":{\"additionalGids\":[1,-1]}", "process.user.additionalGids[1]"),
  WRONG ("process", "\"user\":{\"additionalGids\":1}", "process.user.additionalGids"),
  REFUSED ("process", "\"user\":{\"username\":\"root\"}", "process.user.username"),
  OK ("process", "\"user\":{\"username\":\"\"}"),
  REFUSED ("process", "\"commandLine\":\"a b\"", "process.commandLine"),
  OK ("process", "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"effective\":[],\"ambient\":null}"),
  WRONG ("process", "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"chown\"]}",
         "process.capabilities.bounding[1]"),
  WRONG ("process", "\"capabilities\":{\"inheritable\":[\"CAP_\"]}", "process.capabilities.inheritable[0]"),
  WRONG ("process", "\"capabilities\":{\"permitted\":{}}", "process.capabilities.permitted"),
  OK ("process", "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]"),
  WRONG ("process", "\"rlimits\":[{\"type\":\"RLIMIT_X\",\"hard\":1,\"soft\":0}]", "process.rlimits[0].type"),
  WRONG ("process", "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":2}]",
         "process.rlimits[0].soft"),
  WRONG ("process", "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2}]", "process.rlimits[0].hard"),
  WRONG ("process",
         "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":1},{\"type\":\"RLIMIT_CORE\",\"hard\":1,"
         "\"soft\":1}]",
         "process.rlimits[1].type"),
  OK ("process",
      "\"oomScoreAdj\":-1000,\"apparmorProfile\":\"a\",\"selinuxLabel\":\"l\",\"noNewPrivileges\":true"),
  WRONG ("process", "\"oomScoreAdj\":1001", "process.oomScoreAdj"),
  WRONG ("process", "\"apparmorProfile\":1", "process.apparmorProfile"),
  OK ("process", "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":99,\"nice\":-20,\"flags\":[\"SCHED_"
                 "FLAG_RECLAIM\"]}"),
  WRONG ("process", "\"scheduler\":{}", "process.scheduler.policy"),
  WRONG ("process", "\"scheduler\":{\"policy\":\"SCHED_X\"}", "process.scheduler.policy"),
  WRONG ("process", "\"scheduler\":{\"policy\":\"SCHED_RR\",\"nice\":20}", "process.scheduler.nice"),
  WRONG ("process", "\"scheduler\":{\"policy\":\"SCHED_RR\",\"flags\":[\"X\"]}",
         "process.scheduler.flags[0]"),
  OK ("process", "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":7}"),
  WRONG ("process", "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
         "process.ioPriority.priority"),
  WRONG ("process", "\"ioPriority\":{\"priority\":1}", "process.ioPriority.class"),
  REFUSED ("process", "\"execCPUAffinity\":{\"initial\":\"0\"}", "process.execCPUAffinity"),
  OK ("process", "\"execCPUAffinity\":null"),
  { NULL, NULL, NULL, FALSE },
};

static const Case top_cases[] = {
  OK ("", "\"domainname\":\"example.org\",\"unknown\":{\"x\":[1.5]}"),
  WRONG ("", "\"hostname\":7", "hostname"),
  WRONG ("", "\"domainname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         "domainname"),
  WRONG ("", "\"annotations\":{\"\":\"x\"}", "annotations"),
  WRONG ("", "\"annotations\":{\"a\":null}", "annotations.a"),
  WRONG ("", "\"annotations\":{\"org.virtpod.spec.extra\":\"{}\"}",
         "annotations[\"org.virtpod.spec.extra\"]"),
  REFUSED ("", "\"windows\":{\"layerFolders\":[\"a\"]}", "windows"),
  REFUSED ("", "\"solaris\":{\"milestone\":\"a\"}", "solaris"),
  REFUSED ("", "\"zos\":{\"namespaces\":[1]}", "zos"),
  REFUSED ("", "\"vm\":{\"kernel\":{\"path\":\"/k\"}}", "vm"),
  OK ("", "\"windows\":{},\"vm\":null"),
  REFUSED ("", "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"size\":1}]}]",
           "mounts[0].uidMappings"),
  WRONG ("", "\"mounts\":[{\"destination\":\"/a\",\"type\":[]}]", "mounts[0].type"),
  OK ("", "\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"args\":[\"x\"],\"env\":[\"A=\"],\"timeout\":1}],"
          "\"startContainer\":[{\"path\":\"/x\"}],\"poststop\":[{\"path\":\"/x\"}]}"),
  WRONG ("", "\"hooks\":{\"prestart\":[{}]}", "hooks.prestart[0].path"),
  WRONG ("", "\"hooks\":{\"poststart\":[{\"path\":\"x\"}]}", "hooks.poststart[0].path"),
  WRONG ("", "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}", "hooks.poststop[0].timeout"),
  WRONG ("", "\"hooks\":{\"createRuntime\":[{\"path\":\"/x\",\"env\":[\"A=1\",\"B\"]}]}",
         "hooks.createRuntime[0].env[1]"),
  WRONG ("", "\"hooks\":{\"createRuntime\":{}}", "hooks.createRuntime"),
  REFUSED ("", "\"hooks\":{\"createContainer\":[{\"path\":\"/x\"}]}", "hooks.createContainer"),
  OK ("", "\"hooks\":{\"createContainer\":[]}"),
  { NULL, NULL, NULL, FALSE },
};

#define NS(type) "\"namespaces\":[{\"type\":\"" type "\"}]"
static const Case linux_cases[] = {
  OK ("linux", NS ("time")),
  WRONG ("linux", NS ("x"), "linux.namespaces[0].type"),
  WRONG ("linux", "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]", "linux.namespaces[1].type"),
  WRONG ("linux", "\"namespaces\":[{\"type\":\"pid\",\"path\":\"ns\"}]", "linux.namespaces[0].path"),
  OK ("linux",
      "\"namespaces\":[{\"type\":\"mount\",\"path\":\"\"},{\"type\":\"ipc\",\"path\":\"/proc/1/ns/ipc\"}]"),
  REFUSED ("linux", "\"namespaces\":[{\"type\":\"mount\",\"path\":\"/n\"}]", "linux.namespaces[0].path"),
  REFUSED ("linux", "\"namespaces\":[{\"type\":\"time\",\"path\":\"/n\"}]", "linux.namespaces[0].path"),
  OK ("linux", NS ("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":4294967295,\"size\":1}]"),
  WRONG ("linux", "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]", "linux.uidMappings"),
  WRONG ("linux", NS ("user") ",\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}]",
         "linux.gidMappings[0].size"),
  WRONG ("linux", NS ("user") ",\"gidMappings\":[{\"containerID\":2,\"hostID\":0,\"size\":4294967295}]",
         "linux.gidMappings[0].size"),
  WRONG ("linux", NS ("user") ",\"gidMappings\":[{\"hostID\":0,\"size\":1}]",
         "linux.gidMappings[0].containerID"),
  OK ("linux", "\"timeOffsets\":{\"monotonic\":{\"secs\":0,\"nanosecs\":0}}"),
  REFUSED ("linux", "\"timeOffsets\":{\"boottime\":{\"secs\":-1}}", "linux.timeOffsets.boottime.secs"),
  WRONG ("linux", "\"timeOffsets\":{\"monotonic\":{\"nanosecs\":1000000000}}",
         "linux.timeOffsets.monotonic.nanosecs"),
  OK ("linux",
      "\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":438},"
      "{\"path\":\"/f\",\"type\":\"p\"}]"),
  WRONG ("linux", "\"devices\":[{\"type\":\"p\"}]", "linux.devices[0].path"),
  WRONG ("linux", "\"devices\":[{\"type\":\"p\",\"path\":\"f\"}]", "linux.devices[0].path"),
  WRONG ("linux", "\"devices\":[{\"type\":\"x\",\"path\":\"/f\"}]", "linux.devices[0].type"),
  WRONG ("linux", "\"devices\":[{\"type\":\"c\",\"path\":\"/f\",\"major\":1}]", "linux.devices[0].minor"),
  WRONG ("linux", "\"devices\":[{\"type\":\"c\",\"path\":\"/f\",\"major\":-1,\"minor\":0}]",
         "linux.devices[0].major"),
  WRONG ("linux", "\"devices\":{}", "linux.devices"),
  REFUSED ("linux", "\"devices\":[{\"type\":\"b\",\"path\":\"/dev/sda\",\"major\":8,\"minor\":0}]",
           "linux.devices[0]"),
  REFUSED ("linux", "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/vfio/vfio\",\"major\":10,\"minor\":196}]",
           "linux.devices[0]"),
  REFUSED (
      "linux",
      "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/ttyUSB0\",\"major\":188,\"minor\":0}],\"resources\":{"
      "\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\",\"major\":188,\"minor\":0}]}",
      "linux.devices[0]"),
  OK ("linux", "\"devices\":[{\"type\":\"b\",\"path\":\"/dev/sda\",\"major\":8,\"minor\":0}],\"resources\":{"
               "\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}"),
  REFUSED ("linux", "\"netDevices\":{\"eth0\":{\"name\":\"x\"}}", "linux.netDevices"),
  OK ("linux", "\"cgroupsPath\":\"system.slice:podman:1\""),
  WRONG ("linux", "\"cgroupsPath\":\"/a/../b\"", "linux.cgroupsPath"),
  WRONG ("linux", "\"cgroupsPath\":[]", "linux.cgroupsPath"),
  REFUSED ("linux", "\"intelRdt\":{\"closID\":\"a\"}", "linux.intelRdt.closID"),
  REFUSED ("linux", "\"intelRdt\":{\"l3CacheSchema\":\"L3:0=f\"}", "linux.intelRdt.l3CacheSchema"),
  REFUSED ("linux", "\"memoryPolicy\":{\"mode\":\"x\"}", "linux.memoryPolicy"),
  OK ("linux",
      "\"sysctl\":{\"kernel.shm_rmid_forced\":\"1\",\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/x\":\"\"}"),
  WRONG ("linux", "\"sysctl\":{\"net.x y\":\"1\"}", "linux.sysctl[\"net.x y\"]"),
  WRONG ("linux", "\"sysctl\":{\"net.x=1 y\":\"1\"}", "linux.sysctl[\"net.x=1 y\"]"),
  WRONG ("linux", "\"sysctl\":{\"net.../../x\":\"1\"}", "linux.sysctl[\"net.../../x\"]"),
  WRONG ("linux", "\"sysctl\":{\"kernel\":1}", "linux.sysctl.kernel"),
  OK ("linux", "\"rootfsPropagation\":\"rslave\",\"maskedPaths\":[\"/proc/"
               "x\"],\"readonlyPaths\":[],\"mountLabel\":\"l\""),
  WRONG ("linux", "\"rootfsPropagation\":\"public\"", "linux.rootfsPropagation"),
  WRONG ("linux", "\"maskedPaths\":[1]", "linux.maskedPaths[0]"),
  OK ("linux", "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]}"),
  WRONG ("linux", "\"personality\":{\"domain\":\"BSD\"}", "linux.personality.domain"),
  WRONG ("linux", "\"personality\":{}", "linux.personality.domain"),
  REFUSED ("linux", "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}", "linux.personality.flags"),
  { NULL, NULL, NULL, FALSE },
};

static const Case resource_cases[] = {
  OK ("resources", "\"devices\":[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"}]"),
  WRONG ("resources", "\"devices\":[{\"type\":\"a\"}]", "linux.resources.devices[0].allow"),
  WRONG ("resources", "\"devices\":[{\"allow\":true,\"type\":\"x\"}]", "linux.resources.devices[0].type"),
  WRONG ("resources", "\"devices\":[{\"allow\":true,\"access\":\"rx\"}]",
         "linux.resources.devices[0].access"),
  OK ("resources", "\"memory\":{\"limit\":-1,\"swap\":-1,\"kernel\":-1,\"kernelTCP\":0,\"swappiness\":0,"
                   "\"disableOOMKiller\":false,\"useHierarchy\":true,\"checkBeforeUpdate\":true}"),
  OK ("resources", "\"memory\":{\"limit\":100,\"swap\":100,\"reservation\":50}"),
  WRONG ("resources", "\"memory\":{\"swap\":100}", "linux.resources.memory.swap"),
  WRONG ("resources", "\"memory\":{\"limit\":100,\"swap\":99}", "linux.resources.memory.swap"),
  WRONG ("resources", "\"memory\":{\"limit\":1.5}", "linux.resources.memory.limit"),
  REFUSED ("resources", "\"memory\":{\"kernel\":1}", "linux.resources.memory.kernel"),
  REFUSED ("resources", "\"memory\":{\"kernelTCP\":1}", "linux.resources.memory.kernelTCP"),
  REFUSED ("resources", "\"memory\":{\"swappiness\":60}", "linux.resources.memory.swappiness"),
  REFUSED ("resources", "\"memory\":{\"disableOOMKiller\":true}", "linux.resources.memory.disableOOMKiller"),
  OK ("resources",
      "\"cpu\":{\"shares\":2,\"quota\":-1,\"period\":100000,\"burst\":1,\"idle\":1,\"cpus\":\"0-3,8\","
      "\"mems\":\"0\"}"),
  OK ("resources", "\"cpu\":{\"cpus\":\"\",\"realtimeRuntime\":0}"),
  WRONG ("resources", "\"cpu\":{\"cpus\":\"3-0\"}", "linux.resources.cpu.cpus"),
  WRONG ("resources", "\"cpu\":{\"cpus\":\"0,\"}", "linux.resources.cpu.cpus"),
  WRONG ("resources", "\"cpu\":{\"mems\":\"a\"}", "linux.resources.cpu.mems"),
  WRONG ("resources", "\"cpu\":{\"cpus\":\"0-\"}", "linux.resources.cpu.cpus"),
  WRONG ("resources", "\"cpu\":{\"shares\":-1}", "linux.resources.cpu.shares"),
  WRONG ("resources", "\"cpu\":{\"idle\":2}", "linux.resources.cpu.idle"),
  REFUSED ("resources", "\"cpu\":{\"realtimePeriod\":1}", "linux.resources.cpu.realtimePeriod"),
  REFUSED ("resources", "\"cpu\":{\"realtimeRuntime\":1}", "linux.resources.cpu.realtimeRuntime"),
  WRONG ("resources", "\"pids\":{}", "linux.resources.pids.limit"),
  OK ("resources", "\"blockIO\":{\"weight\":1000,\"leafWeight\":0,\"throttleReadBpsDevice\":[]}"),
  WRONG ("resources", "\"blockIO\":{\"weight\":1001}", "linux.resources.blockIO.weight"),
  REFUSED ("resources", "\"blockIO\":{\"leafWeight\":10}", "linux.resources.blockIO.leafWeight"),
  REFUSED ("resources", "\"blockIO\":{\"weightDevice\":[{\"major\":8}]}",
           "linux.resources.blockIO.weightDevice"),
  REFUSED ("resources", "\"blockIO\":{\"throttleWriteIOPSDevice\":[{\"major\":8}]}",
           "linux.resources.blockIO.throttleWriteIOPSDevice"),
  OK ("resources",
      "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},{\"pageSize\":\"64KB\",\"limit\":1}]"),
  WRONG ("resources", "\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":0}]",
         "linux.resources.hugepageLimits[0].pageSize"),
  WRONG ("resources", "\"hugepageLimits\":[{\"pageSize\":\"2MB\"}]",
         "linux.resources.hugepageLimits[0].limit"),
  REFUSED ("resources", "\"network\":{\"classID\":1}", "linux.resources.network.classID"),
  REFUSED ("resources", "\"network\":{\"priorities\":[{\"name\":\"eth0\"}]}",
           "linux.resources.network.priorities"),
  REFUSED ("resources", "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}", "linux.resources.rdma"),
  OK ("resources", "\"unified\":{\"memory.high\":\"1\",\"cpuset.cpus\":\"0\"}"),
  WRONG ("resources", "\"unified\":{\"../x.y\":\"1\"}", "linux.resources.unified[\"../x.y\"]"),
  WRONG ("resources", "\"unified\":{\"memory\":\"1\"}", "linux.resources.unified.memory"),
  WRONG ("resources", "\"unified\":{\"memory.high\":1}", "linux.resources.unified[\"memory.high\"]"),
  REFUSED ("resources", "\"unified\":{\"io.max\":\"8:0 rbps=1\"}", "linux.resources.unified[\"io.max\"]"),
  { NULL, NULL, NULL, FALSE },
};

static const Case seccomp_cases[] = {
  OK ("seccomp",
      "\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
      "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0,\"args\":[{\"index\":"
      "5,"
      "\"value\":18446744073709551615,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]"),
  WRONG ("linux", "\"seccomp\":{}", "linux.seccomp.defaultAction"),
  WRONG ("linux", "\"seccomp\":{\"defaultAction\":\"ALLOW\"}", "linux.seccomp.defaultAction"),
  REFUSED ("linux", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "linux.seccomp.defaultAction"),
  WRONG ("seccomp", "\"architectures\":[\"x86\"]", "linux.seccomp.architectures[0]"),
  WRONG ("seccomp", "\"flags\":[\"X\"]", "linux.seccomp.flags[0]"),
  REFUSED ("seccomp", "\"listenerPath\":\"/run/x\"", "linux.seccomp.listenerPath"),
  REFUSED ("seccomp", "\"listenerMetadata\":\"x\"", "linux.seccomp.listenerMetadata"),
  WRONG ("seccomp", "\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]",
         "linux.seccomp.syscalls[0].names"),
  WRONG ("seccomp", "\"syscalls\":[{\"names\":[\"a\"]}]", "linux.seccomp.syscalls[0].action"),
  WRONG ("seccomp", "\"syscalls\":[{\"names\":[\"a\",1],\"action\":\"SCMP_ACT_LOG\"}]",
         "linux.seccomp.syscalls[0].names[1]"),
  REFUSED ("seccomp", "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
           "linux.seccomp.syscalls[0].action"),
  WRONG ("seccomp",
         "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"value\":0,"
         "\"op\":"
         "\"SCMP_CMP_EQ\"}]}]",
         "linux.seccomp.syscalls[0].args[0].index"),
  WRONG ("seccomp",
         "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"value\":0,"
         "\"op\":"
         "\"==\"}]}]",
         "linux.seccomp.syscalls[0].args[0].op"),
  { NULL, NULL, NULL, FALSE },
};

/* ---- the table itself --------------------------------------------------------- */

static void
check_rows (const VpSpecField *fields, guint *n)
{
  for (const VpSpecField *field = fields; field->name != NULL; field++, (*n)++)
    {
      g_assert_true (vp_spec_field_find (fields, field->name) == field);
      g_assert_true (field->type != VP_SPEC_OBJECT || field->members != NULL);
      g_assert_true (field->type != VP_SPEC_INT || field->min < field->max);
      g_assert_true (field->type != VP_SPEC_UINT || field->umin < field->umax);
      /* why, and to what; the members say it for an object */
      g_assert_true (field->fate != VP_FATE_REFUSED || field->how != NULL);
      g_assert_true (field->fate != VP_FATE_TRANSLATED || field->how != NULL || field->members != NULL);
      if (field->members != NULL)
        check_rows (field->members, n);
    }
}

static void
test_table (void)
{
  guint n = 0;

  check_rows (vp_spec_fields, &n);
  g_assert_cmpuint (n, >, 150);
}

/* VP_UPDATE_DOCS=1 writes it instead. */
static void
test_document (void)
{
  static const char start[] = "<!-- from the table, do not edit -->\n", end[] = "<!-- end of the table -->\n";
  g_autofree char *text = NULL, *table = vp_spec_describe (), *wanted = NULL;
  g_autoptr (GError) error = NULL;
  char *from, *to;

  g_file_get_contents (VP_SPEC_MD, &text, NULL, &error);
  g_assert_no_error (error);
  from = strstr (text, start);
  to = strstr (text, end);
  g_assert_nonnull (from);
  g_assert_nonnull (to);
  wanted = g_strdup_printf ("%.*s%s%s%s", (int)(from - text), text, start, table, to);
  if (g_getenv ("VP_UPDATE_DOCS") != NULL)
    g_assert_true (g_file_set_contents (VP_SPEC_MD, wanted, -1, NULL));
  else
    g_assert_cmpstr (text, ==, wanted);
}

static void
test_getters (void)
{
  g_autoptr (VpSpec) spec
      = parse ("linux",
               "\"cgroupsPath\":\"/a\",\"resources\":{\"cpu\":{\"shares\":512,\"cpus\":\"0-1\","
               "\"mems\":\"\"}}",
               NULL);
  g_autoptr (VpSpec) empty = parse ("linux", "", NULL);
  g_autoptr (VpSpec) hooks = parse ("", "\"hooks\":{\"poststop\":[{\"path\":\"/x\"}],\"prestart\":[]}", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (vp_spec_get_cgroups_path (spec), ==, "/a");
  g_assert_cmpuint (vp_spec_get_cpu_shares (spec), ==, 512);
  g_assert_cmpstr (vp_spec_get_cpus (spec), ==, "0-1");
  g_assert_null (vp_spec_get_mems (spec));
  g_assert_null (vp_spec_get_cgroups_path (empty));
  g_assert_cmpuint (vp_spec_get_cpu_shares (empty), ==, 0);
  g_assert_cmpuint (vp_spec_get_shm_size (empty), ==, 64 << 20);
  g_assert_null (vp_spec_get_dns (empty)[0]);
  g_assert_true (vp_spec_check_no_hooks (empty, NULL));
  g_assert_null (vp_spec_get_hooks (hooks, VP_HOOK_PRESTART));
  g_assert_cmpuint (vp_json_get_n_items (vp_spec_get_hooks (hooks, VP_HOOK_POSTSTOP)), ==, 1);
  g_assert_false (vp_spec_check_no_hooks (hooks, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "hooks.poststop"));
}

static void
test_shm_size (void)
{
  static const struct
  {
    const char *option;
    guint64 size;
  } cases[] = {
    { "size=1024", 1024 },
    { "size=64k", 65536 },
    { "size=3M", 3 << 20 },
    { "size=2g", G_GUINT64_CONSTANT (2) << 30 },
    { "size=50%", VP_SPEC_SHM_SIZE },
    { "size=", VP_SPEC_SHM_SIZE },
    { "size=k", VP_SPEC_SHM_SIZE },
    { "size=1kk", VP_SPEC_SHM_SIZE },
    { "size=18446744073709551615g", VP_SPEC_SHM_SIZE },
    { "ro", VP_SPEC_SHM_SIZE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *members = g_strdup_printf (
          "\"mounts\":[{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"options\":[\"%s\"]}]",
          cases[i].option);
      g_autoptr (VpSpec) spec = parse ("", members, NULL);

      g_assert_cmpuint (vp_spec_get_shm_size (spec), ==, cases[i].size);
    }
}

static void
test_hostname (void)
{
  g_autoptr (VpSpec) spec = parse (
      "", "\"hostname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9\"", NULL);
  g_autoptr (VpSpec) none = parse ("", "\"hostname\":null", NULL);
  g_autofree char *hostname = vp_spec_dup_guest_hostname (spec), *empty = vp_spec_dup_guest_hostname (none);

  g_assert_cmpuint (strlen (hostname), ==, 63);
  g_assert_cmpstr (empty, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/spec-fields/process", process_cases, check_cases);
  g_test_add_data_func ("/spec-fields/top", top_cases, check_cases);
  g_test_add_data_func ("/spec-fields/linux", linux_cases, check_cases);
  g_test_add_data_func ("/spec-fields/resources", resource_cases, check_cases);
  g_test_add_data_func ("/spec-fields/seccomp", seccomp_cases, check_cases);
  g_test_add_func ("/spec-fields/table", test_table);
  g_test_add_func ("/spec-fields/document", test_document);
  g_test_add_func ("/spec-fields/getters", test_getters);
  g_test_add_func ("/spec-fields/shm-size", test_shm_size);
  g_test_add_func ("/spec-fields/hostname", test_hostname);
  return g_test_run ();
}
