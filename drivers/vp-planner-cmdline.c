/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

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
  { "selinux=0", ON_ANY, FALSE },
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

char *
vp_planner_make_cmdline (VpAccel accel, const char *arch, gboolean console, const char *extra)
{
  GString *line = g_string_new (NULL);
  gboolean x86 = g_str_equal (arch, "x86_64") || g_str_equal (arch, "i686");

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      if ((options[i].accels & (1u << accel)) == 0 || (options[i].x86_only && !x86))
        continue;
      g_string_append_printf (line, "%s%s", line->len > 0 ? " " : "", options[i].option);
    }
  if (console)
    g_string_append (line, x86 ? " console=ttyS0" : " console=ttyAMA0");
  /* last, so that an administrator has the last word */
  if (extra[0] != '\0')
    g_string_append_printf (line, " %s", extra);
  return g_string_free (line, FALSE);
}
