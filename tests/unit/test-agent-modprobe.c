/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks for, by the names of the guest image's modules. */
#include <glib.h>

#include "agent-modprobe.h"

static void
test_names (void)
{
  static const char *const cases[][2] = {
    { "bridge", "bridge" },
    { "rtnl-link-bridge", "bridge" },
    { "rtnl-link-macvlan", "macvlan" },
    { "fs-overlay", "overlay" },
    { "br-netfilter", "br_netfilter" },
    { "net-pf-40", "net_pf_40" },
    { "rtnl-link-", "" },
    { "", "" },
  };
  char name[128], small[8];

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      agent_modprobe_name (cases[i][0], name, sizeof name);
      g_assert_cmpstr (name, ==, cases[i][1]);
    }
  agent_modprobe_name ("rtnl-link-of-a-long-name", small, sizeof small);
  g_assert_cmpstr (small, ==, "of_a_lo");
}

static void
test_refused (void)
{
  char *nothing[] = { "modprobe", NULL };
  char *options[] = { "modprobe", "-q", NULL };
  char *absent[] = { "modprobe", "-q", "--", "virtpod-no-such-module", NULL };

  g_assert_cmpint (agent_modprobe_main (1, nothing), ==, 1);
  g_assert_cmpint (agent_modprobe_main (2, options), ==, 1);
  g_assert_cmpint (agent_modprobe_main (4, absent), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-modprobe/names", test_names);
  g_test_add_func ("/agent-modprobe/refused", test_refused);
  return g_test_run ();
}
