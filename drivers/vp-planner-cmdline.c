/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include <string.h>

#include "vp-verity.h"

#define SECTOR 512
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

/* A disk image boots systemd, which starts the agent; an initrd's agent is the
 * first process itself. */
static const char *const systemd_options[] = {
  "init=/usr/lib/systemd/systemd",
  "systemd.unit=kata-containers.target",
  /* the agent sets the network up */
  "systemd.mask=systemd-networkd.service",
  "systemd.mask=systemd-networkd.socket",
};

static gboolean
append_verity (VpPlanning *p, GString *line, GError **error)
{
  const VpConfigKey key = VP_CONFIG_GUEST_VERITY_PARAMS;
  g_autoptr (GError) local = NULL;
  g_autoptr (VpVerity) verity = vp_verity_parse (vp_config_get_string (p->config, key), &local);

  if (verity == NULL)
    return vp_planning_invalid (p, key, error, "%s", local->message);
  g_string_append_printf (line,
                          " dm-mod.create=\"dm-verity,,,ro,0 %" G_GUINT64_FORMAT
                          " verity 1 /dev/vda1 /dev/vda2 %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " %" G_GUINT64_FORMAT " 0 sha256 %s %s\" root=/dev/dm-0",
                          verity->data_blocks * (verity->data_block_size / SECTOR), verity->data_block_size,
                          verity->hash_block_size, verity->data_blocks, verity->root_hash, verity->salt);
  return TRUE;
}

static gboolean
append_image (VpPlanning *p, GString *line, GError **error)
{
  const char *type = vp_config_get_string (p->config, VP_CONFIG_GUEST_IMAGE_TYPE);

  if (!vp_config_boots_image (p->config))
    return TRUE;
  if (vp_config_get_string (p->config, VP_CONFIG_GUEST_VERITY_PARAMS)[0] == '\0')
    g_string_append (line, " root=/dev/vda1");
  else if (!append_verity (p, line, error))
    return FALSE;
  g_string_append_printf (line, "%s rootfstype=%s ro",
                          g_str_equal (type, "ext4") ? " rootflags=data=ordered,errors=remount-ro" : "", type);
  for (guint i = 0; i < G_N_ELEMENTS (systemd_options); i++)
    g_string_append_printf (line, " %s", systemd_options[i]);
  return TRUE;
}

static void
append_agent (VpPlanning *p, GString *line)
{
  guint64 pipe = vp_config_get_uint (p->config, VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE);

  if (vp_planning_bool (p, VP_CONFIG_AGENT_DEBUG))
    g_string_append (line, " agent.log=debug");
  if (pipe > 0)
    g_string_append_printf (line, " agent.container_pipe_size=%" G_GUINT64_FORMAT, pipe);
  if (vp_planning_bool (p, VP_CONFIG_AGENT_DEBUG_CONSOLE))
    g_string_append (line, " agent.debug_console agent.debug_console_vport=1026");
  vp_planning_note_chosen (p, "container pipe size", vp_config_get_string (p->config, VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE),
                           VP_CONFIG_AGENT_CONTAINER_PIPE_SIZE, NULL);
}

static void
append_console (VpPlanning *p, GString *line, gboolean x86)
{
  if (!vp_planning_bool (p, VP_CONFIG_CONSOLE_ENABLED))
    return;
  if (!vp_planning_bool (p, VP_CONFIG_CONSOLE_SERIAL))
    g_string_append (line, " console=hvc0");
  else
    g_string_append (line, x86 ? " console=ttyS0" : " console=ttyAMA0");
}

char *
vp_planner_make_cmdline (VpPlanning *p, GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  const char *extra = vp_config_get_string (p->config, VP_CONFIG_GUEST_CMDLINE_EXTRA);
  gboolean selinux = vp_planning_bool (p, VP_CONFIG_GUEST_SELINUX);
  gboolean x86 = g_str_equal (p->plan->arch, "x86_64") || g_str_equal (p->plan->arch, "i686");

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      if ((options[i].accels & (1u << p->plan->accel)) == 0 || (options[i].x86_only && !x86))
        continue;
      if (selinux && g_str_equal (options[i].option, SELINUX_OFF))
        continue;
      g_string_append_printf (line, "%s%s", line->len > 0 ? " " : "", options[i].option);
    }
  if (selinux)
    g_string_append (line, " selinux=1");
  append_console (p, line, x86);
  if (p->plan->iommu == VP_IOMMU_INTEL)
    g_string_append (line, " intel_iommu=on iommu=pt");
  append_agent (p, line);
  if (!append_image (p, line, error) || !append_sysctls (line, p->spec, error))
    return NULL;
  /* last, so that an administrator has the last word */
  if (extra[0] != '\0')
    g_string_append_printf (line, " %s", extra);
  vp_planning_note_chosen (p, "cmdline", extra, VP_CONFIG_GUEST_CMDLINE_EXTRA, "added at the end");
  return g_string_free (g_steal_pointer (&line), FALSE);
}
