/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner.h"

#include <string.h>
#include <sys/un.h>

#include "vp-device.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-names.h"
#include "vp-planner-private.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define SOCKET_PATH_MAX (sizeof (((struct sockaddr_un *)NULL)->sun_path) - 1)

static gboolean not_supported (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
not_supported (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (VP_ERROR, VP_ERROR_NOT_SUPPORTED, format, args));
  va_end (args);
  return FALSE;
}

char *
vp_planner_dup_share_dir (const char *directory)
{
  return g_build_filename (directory, VP_DIR_SHARED, NULL);
}

char *
vp_planner_dup_agent_socket (const char *directory)
{
  return g_build_filename (directory, VP_FILE_AGENT_SOCKET, NULL);
}

char *
vp_planner_dup_console_socket (const char *directory)
{
  return g_build_filename (directory, VP_FILE_CONSOLE_SOCKET, NULL);
}

char *
vp_planner_dup_console_log (const char *directory)
{
  return g_build_filename (directory, VP_FILE_CONSOLE_LOG, NULL);
}

/* ---- decisions -------------------------------------------------------------- */

static gboolean
check_identity (const VpSandboxIdentity *who, GError **error)
{
  g_autofree char *socket = vp_planner_dup_console_socket (who->directory);

  if (!vp_id_check (who->id, "sandbox id", error))
    return FALSE;
  if (!g_uuid_string_is_valid (who->uuid))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "uuid \"%s\": is not one", who->uuid);
      return FALSE;
    }
  if (!g_path_is_absolute (who->directory))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "directory \"%s\": must be absolute",
                   who->directory);
      return FALSE;
    }
  /* the longer of the two sockets' names */
  if (strlen (socket) > SOCKET_PATH_MAX)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "socket \"%s\": has %zu characters, the kernel allows %zu; state-dir is too long", socket,
                   strlen (socket), SOCKET_PATH_MAX);
      return FALSE;
    }
  return TRUE;
}

static gboolean
decide_accel (VpPlan *plan, const VpDriver *driver, VpConfig *config, const VpFactsInit *facts,
              GError **error)
{
  const char *wanted = vp_config_get_string (config, VP_CONFIG_HYPERVISOR_ACCEL);

  if (!driver->runs_guests)
    plan->accel = VP_ACCEL_NONE;
  else if (g_str_equal (wanted, "tcg"))
    plan->accel = VP_ACCEL_TCG;
  else if (facts->kvm_usable)
    plan->accel = VP_ACCEL_KVM;
  else if (g_str_equal (wanted, "kvm"))
    return not_supported (error, "%s: kvm cannot be used here: %s",
                          vp_config_key_name (VP_CONFIG_HYPERVISOR_ACCEL), facts->kvm_reason);
  else
    plan->accel = VP_ACCEL_TCG;
  return TRUE;
}

/* The first container's quota raises the number; what the administrator set
 * stays the least, and max-vcpus the most. */
static guint
decide_vcpus (VpSpec *spec, VpConfig *config, const VpFactsInit *facts)
{
  guint64 vcpus = vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_VCPUS);
  guint64 max = vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MAX_VCPUS);
  guint64 wanted = vp_spec_get_n_cpus (spec);

  if (facts->host_cpus > 0)
    wanted = MIN (wanted, facts->host_cpus);
  vcpus = MAX (vcpus, wanted);
  if (max > 0)
    vcpus = MIN (vcpus, max);
  if (facts->max_vcpus > 0)
    vcpus = MIN (vcpus, facts->max_vcpus);
  return (guint)vcpus;
}

/* Bytes. The container's limit comes on top of what the guest needs for itself;
 * the host only pays for pages that are touched. */
static guint64
decide_memory (VpSpec *spec, VpConfig *config, const VpFactsInit *facts)
{
  guint64 base = vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MEMORY_MIB);
  guint64 max = vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB);
  gint64 limit = vp_spec_get_memory_limit (spec);
  guint64 wanted = base + (limit > 0 ? (guint64)limit / MIB + ((guint64)limit % MIB != 0) : 0);

  if (max == 0)
    max = facts->host_memory / MIB;
  return (max > 0 ? MIN (wanted, max) : wanted) * MIB;
}

static char *
decide_cpu_model (VpAccel accel, VpConfig *config, const char *arch)
{
  const char *model = vp_config_get_string (config, VP_CONFIG_HYPERVISOR_CPU_MODEL);

  if (model[0] != '\0')
    return g_strdup (model);
  if (accel == VP_ACCEL_KVM)
    return NULL; /* the host's */
  /* boots faster than "max": each feature is something for the kernel to set up */
  return g_strdup (g_str_equal (arch, "aarch64") ? "cortex-a57" : "qemu64");
}

/* ---- parts ------------------------------------------------------------------ */

static gboolean
plan_devices (VpPlan *plan, const VpDriver *driver, VpConfig *config, const VpFactsInit *facts,
              GError **error)
{
  g_autofree char *share = vp_planner_dup_share_dir (plan->directory);
  g_autofree char *agent = vp_planner_dup_agent_socket (plan->directory);
  g_autofree char *console = vp_planner_dup_console_socket (plan->directory);
  g_autofree char *log = vp_planner_dup_console_log (plan->directory);

  if (driver->runs_guests && !facts->virtiofs)
    return not_supported (error, "share: the hypervisor offers no virtiofs (is virtiofsd installed?)");
  vp_plan_add_device (plan, vp_device_share_new ("share0", VP_SHARE_TAG, share));
  vp_plan_add_device (plan, vp_device_channel_new ("agent", VP_CHANNEL_NAME, agent));
  if (vp_config_get_bool (config, VP_CONFIG_CONSOLE_ENABLED))
    vp_plan_add_device (plan,
                        vp_device_console_new ("console", console, log,
                                               vp_config_get_uint (config, VP_CONFIG_CONSOLE_MAX_BYTES)));
  /* never blocks, unlike /dev/random, and is as good once the host has booted */
  vp_plan_add_device (plan, vp_device_rng_new ("rng0", "/dev/urandom"));
  return TRUE;
}

static void
plan_guest (VpPlan *plan, VpSpec *spec)
{
  g_autofree char *size = g_strdup_printf ("size=%" G_GUINT64_FORMAT, vp_spec_get_shm_size (spec));
  const char *const shm_options[] = { "noexec", "nosuid", "nodev", "mode=1777", size, NULL };

  plan->hostname = vp_spec_dup_guest_hostname (spec);
  plan->dns = g_strdupv ((char **)vp_spec_get_dns (spec));
  plan->sandbox_pidns = vp_spec_get_namespace_path (spec, "pid") != NULL;
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);
      const VpDeviceOps *ops = vp_device_ops (device->kind);

      if (ops->emit_guest != NULL)
        ops->emit_guest (device, plan);
    }
  vp_plan_add_storage (plan, "ephemeral", "shm", "tmpfs", VP_GUEST_SHM_DIR, shm_options);
}

static char *
dup_if_set (const char *text)
{
  return text[0] != '\0' ? g_strdup (text) : NULL;
}

VpPlan *
vp_planner_plan_sandbox (const VpSandboxIdentity *who, VpSpec *spec, VpConfig *config, VpFacts *facts,
                         GError **error)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();
  const VpFactsInit *known = vp_facts_get (facts);
  const VpDriver *driver = vp_driver_find (known->driver);

  if (driver == NULL)
    {
      not_supported (error, "%s: libvirt's %s driver is not supported",
                     vp_config_key_name (VP_CONFIG_HYPERVISOR_URI), known->driver);
      return NULL;
    }
  if (!check_identity (who, error) || !decide_accel (plan, driver, config, known, error))
    return NULL;

  plan->sandbox_id = g_strdup (who->id);
  plan->handler = g_strdup (who->handler ?: "default");
  plan->uuid = g_ascii_strdown (who->uuid, -1);
  plan->domain_name = vp_id_to_domain_name (who->id);
  plan->directory = g_strdup (who->directory);
  plan->arch = g_strdup (known->arch);
  plan->machine = g_strdup (vp_config_get_string (config, VP_CONFIG_HYPERVISOR_MACHINE));
  plan->cpu_model = decide_cpu_model (plan->accel, config, plan->arch);
  plan->emulator = dup_if_set (vp_config_get_string (config, VP_CONFIG_HYPERVISOR_EMULATOR));
  plan->vcpus = decide_vcpus (spec, config, known);
  plan->memory = decide_memory (spec, config, known);
  plan->hotplug_ports = (guint)vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS);
  plan->kernel = g_strdup (vp_config_get_string (config, VP_CONFIG_GUEST_KERNEL));
  plan->initrd = g_strdup (vp_config_get_string (config, VP_CONFIG_GUEST_INITRD));
  plan->cmdline = vp_planner_make_cmdline (plan->accel, plan->arch, spec, config, error);
  if (plan->cmdline == NULL || !plan_devices (plan, driver, config, known, error))
    return NULL;
  plan_guest (plan, spec);
  return g_steal_pointer (&plan);
}
