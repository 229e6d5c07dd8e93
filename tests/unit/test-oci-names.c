/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "agent.pb-c.h"
#include "oci.pb-c.h"
#include "vp-oci-names.h"

/* every name of the runtime specification that has a field in oci.proto */
static const struct
{
  const ProtobufCMessageDescriptor *message;
  const char *names;
} wanted[] = {
  { &grpc__spec__descriptor,
    "ociVersion process root hostname mounts hooks annotations linux solaris windows" },
  { &grpc__process__descriptor, "terminal consoleSize user args env cwd capabilities rlimits noNewPrivileges "
                                "apparmorProfile oomScoreAdj selinuxLabel" },
  { &grpc__box__descriptor, "height width" },
  { &grpc__user__descriptor, "uid gid additionalGids username" },
  { &grpc__linux_capabilities__descriptor, "bounding effective inheritable permitted ambient" },
  { &grpc__posixrlimit__descriptor, "type hard soft" },
  { &grpc__mount__descriptor, "destination source type options" },
  { &grpc__root__descriptor, "path readonly" },
  { &grpc__hooks__descriptor, "prestart poststart poststop createRuntime createContainer startContainer" },
  { &grpc__hook__descriptor, "path args env timeout" },
  { &grpc__linux__descriptor,
    "uidMappings gidMappings sysctl resources cgroupsPath namespaces devices seccomp "
    "rootfsPropagation maskedPaths readonlyPaths mountLabel intelRdt" },
  { &grpc__linux_idmapping__descriptor, "hostID containerID size" },
  { &grpc__linux_namespace__descriptor, "type path" },
  { &grpc__linux_device__descriptor, "path type major minor fileMode uid gid" },
  { &grpc__linux_resources__descriptor, "devices memory cpu pids blockIO hugepageLimits network" },
  { &grpc__linux_memory__descriptor, "limit reservation swap kernel kernelTCP swappiness disableOOMKiller" },
  { &grpc__linux_cpu__descriptor, "shares quota period realtimeRuntime realtimePeriod cpus mems" },
  { &grpc__linux_weight_device__descriptor, "major minor weight leafWeight" },
  { &grpc__linux_throttle_device__descriptor, "major minor rate" },
  { &grpc__linux_block_io__descriptor,
    "weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice "
    "throttleReadIOPSDevice throttleWriteIOPSDevice" },
  { &grpc__linux_pids__descriptor, "limit" },
  { &grpc__linux_device_cgroup__descriptor, "allow type major minor access" },
  { &grpc__linux_network__descriptor, "classID priorities" },
  { &grpc__linux_interface_priority__descriptor, "name priority" },
  { &grpc__linux_hugepage_limit__descriptor, "pageSize limit" },
  { &grpc__linux_seccomp__descriptor, "defaultAction architectures flags syscalls" },
  { &grpc__linux_seccomp_arg__descriptor, "index value valueTwo op" },
  { &grpc__linux_syscall__descriptor, "names action errnoRet args" },
  { &grpc__linux_intel_rdt__descriptor, "l3CacheSchema" },
};

static void
test_names (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      g_auto (GStrv) names = g_strsplit (wanted[i].names, " ", -1);
      const ProtobufCMessageDescriptor *d = wanted[i].message;
      char buf[64];

      g_assert_cmpuint (g_strv_length (names), ==, d->n_fields);
      for (guint k = 0; k < d->n_fields; k++)
        g_assert_cmpstr (vp_oci_json_name (&d->fields[k], buf), ==, names[k]);
    }
}

/* no message of oci.proto without a line above */
static void
test_complete (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    for (guint k = 0; k < wanted[i].message->n_fields; k++)
      {
        const ProtobufCFieldDescriptor *f = &wanted[i].message->fields[k];
        const ProtobufCMessageDescriptor *child = f->descriptor;
        gboolean known = FALSE;

        if (f->type != PROTOBUF_C_TYPE_MESSAGE || g_str_has_suffix (child->short_name, "Entry")
            || strcmp (child->short_name, "Solaris") == 0 || strcmp (child->short_name, "Windows") == 0)
          continue;
        for (gsize j = 0; j < G_N_ELEMENTS (wanted); j++)
          known |= wanted[j].message == child;
        g_assert_true (known);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/oci-names/names", test_names);
  g_test_add_func ("/oci-names/complete", test_complete);
  return g_test_run ();
}
