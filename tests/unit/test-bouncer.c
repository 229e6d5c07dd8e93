/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer.h"
#include "vp-dbus-log-control.h"

#include <string.h>
#include <vp-dbus-generated.h>

#include "vp-error.h"

static void
test_table_is_complete (void)
{
  const GDBusInterfaceInfo *const infos[] = {
    vp_dbus_manager1_interface_info (),
    vp_dbus_sandbox1_interface_info (),
    vp_dbus_container1_interface_info (),
    vp_dbus_process1_interface_info (),
    vp_dbus_job1_interface_info (),
    vp_dbus_log_control_info (),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (vp_rule_check_interface (infos[i], &error));
      g_assert_no_error (error);
    }
}

static void
assert_missing (const char *xml, const char *names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, &error);

  g_assert_no_error (error);
  g_assert_false (vp_rule_check_interface (node->interfaces[0], &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, names));
}

static void
test_no_row (void)
{
  g_autoptr (GDBusNodeInfo) empty
      = g_dbus_node_info_new_for_xml ("<node><interface name='org.virtpod.Empty1'/></node>", NULL);

  assert_missing ("<node><interface name='org.virtpod.Sandbox1'><method name='Start'/><method name='Burn'/>"
                  "</interface></node>",
                  "org.virtpod.Sandbox1.Burn");
  /* a name that another interface has a row for */
  assert_missing ("<node><interface name='org.virtpod.Process1'><method name='Attach'/></interface></node>",
                  "org.virtpod.Process1.Attach");
  assert_missing ("<node><interface name='org.virtpod.Sandbox2'><method name='Start'/></interface></node>",
                  "org.virtpod.Sandbox2.Start");
  g_assert_true (vp_rule_check_interface (empty->interfaces[0], NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bouncer/table-is-complete", test_table_is_complete);
  g_test_add_func ("/bouncer/no-row", test_no_row);
  return g_test_run ();
}
