/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include <string.h>

#define SELINUX_OFF "selinux=0"
#define ON_TCG (1 << VP_ACCEL_TCG)
#define ON_KVM (1 << VP_ACCEL_KVM)
#define ON_ANY (ON_TCG | ON_KVM | 1 << VP_ACCEL_NONE)

/* Why each is there. Milliseconds were measured with Debian's 6.1 cloud kernel
 * on one emulated CPU; together they make a boot of 5 seconds one of 3. */
typedef struct
{
  const char *option;
  guint accels;
  gboolean x86_only;
} Option;

static const Option options[] = {
  /* messages cost a serial port access a character; errors are still written */
  { "quiet", ON_ANY, FALSE },
  /* a panic reboots at once, which ends the domain: the daemon hears of it */
  { "panic=-1", ON_ANY, FALSE },
  /* self-tests of ciphers nobody uses in the guest: 650 ms */
  { "cryptomgr.notests", ON_ANY, FALSE },
  /* with virtio-rng behind it there is no reason to wait for entropy */
  { "random.trust_cpu=on", ON_ANY, FALSE },
  /* the guest has no policies to enforce and no reader of audit messages */
  { "audit=0", ON_ANY, FALSE },
  { SELINUX_OFF, ON_ANY, FALSE },
  { "apparmor=0", ON_ANY, FALSE },
  /* an emulated CPU does not speculate; patching the kernel for one costs 600 ms */
  { "mitigations=off", ON_TCG, FALSE },
  /* self-test, built-in keys, tracing, a congestion control: 500 ms together, and nothing needs them */
  { "initcall_blacklist=crypto_kdf108_init,load_system_certificate_list,init_kprobe_trace,cubictcp_register",
    ON_TCG, FALSE },
  /* calibrating these against emulated timers takes long and gives nonsense */
  { "tsc_early_khz=2000000", ON_TCG, TRUE },
  { "lpj=8000000", ON_TCG, FALSE },
  /* on a busy host the emulated timer ticks too seldom for the test of it, which panics */
  { "no_timer_check", ON_TCG, TRUE },
  /* protecting the kernel from itself is page table work, and the guest holds nothing but the container */
  { "rodata=off", ON_TCG, FALSE },
  /* relocating the kernel is emulated work; the guest's isolation is not its kernel's address */
  { "nokaslr", ON_TCG, FALSE },
};

/* Sysctls of the network: the container uses the guest's own network, where
 * its runtime may not set them, so the kernel does it at boot. Name and value
 * come from outside: nothing in them may end the parameter. */
static gboolean
append_sysctls (GString *line, VpSpec *spec, GError **error)
{
  VpJson *json = vp_json_lookup (vp_spec_get_json (spec), "linux");
  VpJson *sysctl = NULL;

  if (json == NULL || vp_json_get_type (json) != VP_JSON_OBJECT)
    return TRUE;
  if (!vp_json_member_object (json, "sysctl", FALSE, &sysctl, error))
    return FALSE;
  for (guint i = 0; sysctl != NULL && i < vp_json_get_n_items (sysctl); i++)
    {
      VpJson *item = vp_json_get_item (sysctl, i);
      const char *name = vp_json_get_name (item), *value = vp_json_get_string (item);

      if (!g_str_has_prefix (name, VP_SPEC_NET_SYSCTL))
        continue;
      if (value == NULL
          || strspn (value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS " \t,._-") != strlen (value))
        return vp_json_set_error (error, item, "is no value for a sysctl of the network");
      if (strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/") != strlen (name)
          || strstr (name, "..") != NULL)
        return vp_json_set_error (error, item, "is no name of a sysctl");
      g_string_append_printf (line, " sysctl.%s=\"%s\"", name, value);
    }
  return TRUE;
}

static void
append_options (GString *line, VpAccel accel, gboolean x86, gboolean selinux)
{
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      const char *option = options[i].option;

      if ((options[i].accels & (1u << accel)) == 0 || (options[i].x86_only && !x86))
        continue;
      if (selinux && g_str_equal (option, SELINUX_OFF))
        option = "selinux=1";
      g_string_append_printf (line, "%s%s", line->len > 0 ? " " : "", option);
    }
}

static void
append_console (GString *line, VpConfig *config, gboolean x86)
{
  if (!vp_config_get_bool (config, VP_CONFIG_CONSOLE_ENABLED))
    return;
  if (!vp_config_get_bool (config, VP_CONFIG_CONSOLE_SERIAL))
    g_string_append (line, " console=hvc0");
  else
    g_string_append (line, x86 ? " console=ttyS0" : " console=ttyAMA0");
}

/* What the agent reads for itself; the names are the protocol's. */
static void
append_agent (GString *line, VpConfig *config)
{
  guint64 pipe_size = vp_config_get_uint (config, VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE);

  if (vp_config_get_bool (config, VP_CONFIG_AGENT_DEBUG))
    g_string_append (line, " agent.log=debug");
  if (vp_config_get_bool (config, VP_CONFIG_AGENT_DEBUG_CONSOLE))
    g_string_append (line, " agent.debug_console agent.debug_console_vport=1026");
  if (pipe_size > 0)
    g_string_append_printf (line, " agent.container_pipe_size=%" G_GUINT64_FORMAT, pipe_size);
}

char *
vp_planner_make_cmdline (VpAccel accel, const char *arch, VpSpec *spec, VpConfig *config, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  const char *extra = vp_config_get_string (config, VP_CONFIG_GUEST_CMDLINE_EXTRA);
  gboolean x86 = g_str_equal (arch, "x86_64") || g_str_equal (arch, "i686");

  append_options (line, accel, x86, vp_config_get_bool (config, VP_CONFIG_GUEST_SELINUX));
  append_console (line, config, x86);
  if (vp_config_get_bool (config, VP_CONFIG_HYPERVISOR_IOMMU) && x86)
    g_string_append (line, " intel_iommu=on iommu=pt"); /* no cost for devices that stay in the guest */
  if (vp_config_boots_image (config) && !vp_planner_append_root (line, config, error))
    return NULL;
  append_agent (line, config);
  if (!append_sysctls (line, spec, error))
    return NULL;
  /* last, so that an administrator has the last word */
  if (extra[0] != '\0')
    g_string_append_printf (line, " %s", extra);
  return g_string_free (g_steal_pointer (&line), FALSE);
}
