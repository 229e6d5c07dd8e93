/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vp-virt-error.h"
#include "vp-virt-xml.h"

#define BUS_TIMEOUT_MS 2000

/* Runs on a worker. Asking for the capabilities also makes libvirt start each
 * emulator once and remember what it can do, which the first domain would
 * otherwise wait for. */

/* Machine types differ in how many CPUs they take: ask about the one we use. */
static const char *
machine_for (const char *arch)
{
  static const struct
  {
    const char *arch, *machine;
  } machines[] = {
    { "x86_64", "q35" },
    { "aarch64", "virt" },
    { "riscv64", "virt" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (machines); i++)
    if (g_strcmp0 (machines[i].arch, arch) == 0)
      return machines[i].machine;
  return NULL;
}

static gboolean
read_domain_caps (virConnectPtr conn, const char *arch, const char *type, VpVirtDomainCaps *ret)
{
  char *xml = virConnectGetDomainCapabilities (conn, NULL, arch, machine_for (arch), type, 0);

  if (xml == NULL)
    return FALSE;
  vp_virt_xml_read_domain_caps (xml, ret);
  free (xml);
  return g_strcmp0 (ret->type, type) == 0;
}

/* TRUE when the words after "flags" of the first processor have @flag. */
static gboolean
cpuinfo_has_flag (const char *cpuinfo, const char *flag)
{
  const char *line = strstr (cpuinfo, "\nflags");
  g_autofree char *copy = NULL;
  g_auto (GStrv) words = NULL;

  if (line == NULL)
    return FALSE;
  copy = g_strndup (line + 1, strcspn (line + 1, "\n"));
  words = g_strsplit_set (copy, " \t:", -1);
  return g_strv_contains ((const char *const *) words, flag);
}

/* /dev/kvm alone proves nothing on x86: there are hosts whose kvm is no
 * hardware virtualisation and hangs every stock kernel. */
static gboolean
cpu_has_virtualisation (const char *arch)
{
  g_autofree char *cpuinfo = NULL;

  if (g_strcmp0 (arch, "x86_64") != 0 && g_strcmp0 (arch, "i686") != 0)
    return TRUE;
  if (!g_file_get_contents ("/proc/cpuinfo", &cpuinfo, NULL, NULL))
    return FALSE;
  return cpuinfo_has_flag (cpuinfo, "vmx") || cpuinfo_has_flag (cpuinfo, "svm");
}

/* NULL: usable. */
static const char *
why_not_kvm (gboolean local, const char *driver, const char *arch, gboolean offered)
{
  if (g_strcmp0 (driver, "QEMU") != 0)
    return "this libvirt driver has no KVM";
  if (local && access ("/dev/kvm", F_OK) != 0)
    return "there is no /dev/kvm";
  if (local && !cpu_has_virtualisation (arch))
    return "/dev/kvm is there but the CPU shows neither vmx nor svm";
  if (!offered)
    return local ? "/dev/kvm is there but libvirt does not offer domains of type kvm"
                 : "libvirt does not offer domains of type kvm";
  return NULL;
}

/* NULL: libvirt will start it. */
static const char *
why_not_passt (gboolean local, gboolean offered)
{
  g_autofree char *program = g_find_program_in_path ("passt");

  if (!offered)
    return "libvirt does not offer it, as 10.6 and later can";
  if (local && program == NULL)
    return "there is no program \"passt\"";
  return NULL;
}

/* Those of 2025 say nothing when nobody's terminal is there to read it. */
static guint
ask_passt_release (void)
{
  static const char *const args[] = { "passt", "--version", NULL };
  g_autofree char *said = NULL;

  if (!g_spawn_sync (NULL, (char **) args, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &said,
                     NULL, NULL, NULL))
    return 0;
  return vp_facts_parse_passt_release (said);
}

static void
read_numbers (virConnectPtr conn, VpFactsInit *init)
{
  unsigned long version;
  virNodeInfo node;

  if (virConnectGetLibVersion (conn, &version) == 0)
    init->libvirt_version = version;
  if (virConnectGetVersion (conn, &version) == 0)
    init->hypervisor_version = version;
  if (virNodeGetInfo (conn, &node) == 0)
    {
      init->host_cpus = node.cpus;
      init->host_memory = (guint64) node.memory * 1024;
    }
}

/* Like libvirt, which asks systemd for a domain's cgroup when these two are
 * there, and makes it with its own hands otherwise. Then nobody makes a slice. */
static gboolean
has_machined (void)
{
  static const char *const questions[][2] = {
    { "ListActivatableNames", "org.freedesktop.machine1" },
    { "ListNames", "org.freedesktop.systemd1" },
  };
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);

  for (gsize i = 0; bus != NULL && i < G_N_ELEMENTS (questions); i++)
    {
      g_autoptr (GVariant) reply
          = g_dbus_connection_call_sync (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         questions[i][0], NULL, G_VARIANT_TYPE ("(as)"),
                                         G_DBUS_CALL_FLAGS_NO_AUTO_START, BUS_TIMEOUT_MS, NULL, NULL);
      g_autoptr (GVariant) list = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
      g_autofree const char **names = list != NULL ? g_variant_get_strv (list, NULL) : NULL;

      if (names == NULL || !g_strv_contains (names, questions[i][1]))
        return FALSE;
    }
  return bus != NULL;
}

VpFacts *
vp_virt_gather_facts (virConnectPtr conn, gboolean local, GError **error)
{
  g_auto (VpVirtCapabilities) host = { 0 };
  g_auto (VpVirtDomainCaps) tcg = { 0 };
  g_auto (VpVirtDomainCaps) kvm = { 0 };
  VpFactsInit init = { 0 };
  gboolean kvm_offered;
  char *xml;

  init.driver = virConnectGetType (conn);
  xml = virConnectGetCapabilities (conn);
  if (init.driver == NULL || xml == NULL)
    {
      g_propagate_error (error, vp_virt_error_last ("capabilities"));
      free (xml);
      return NULL;
    }
  vp_virt_xml_read_capabilities (xml, &host);
  free (xml);

  (void) read_domain_caps (conn, host.arch, "qemu", &tcg);
  kvm_offered = read_domain_caps (conn, host.arch, "kvm", &kvm);

  init.arch = host.arch;
  init.emulator = tcg.emulator != NULL ? tcg.emulator : host.emulator;
  init.kvm_reason = why_not_kvm (local, init.driver, host.arch, kvm_offered);
  init.kvm_usable = init.kvm_reason == NULL;
  init.virtiofs = tcg.virtiofs || kvm.virtiofs;
  init.passt_reason = why_not_passt (local, tcg.passt || kvm.passt);
  init.passt = init.passt_reason == NULL;
  init.passt_release = local && init.passt ? ask_passt_release () : 0;
  init.max_vcpus = init.kvm_usable ? kvm.max_vcpus : tcg.max_vcpus;
  if (init.max_vcpus == 0)
    {
      int max = virConnectGetMaxVcpus (conn, NULL);

      init.max_vcpus = max > 0 ? (guint) max : 0;
    }
  read_numbers (conn, &init);
  init.selinux = host.selinux;
  init.host_nodes = host.nodes;
  init.vsock = local && access ("/dev/vhost-vsock", F_OK) == 0;
  init.machined = local && has_machined ();
  return vp_facts_new (&init);
}
