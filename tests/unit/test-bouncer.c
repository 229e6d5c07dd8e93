/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer.h"
#include "vp-dbus-guard.h"
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

static void
test_properties (void)
{
  const char *const secret = "<property name='Annotations' type='a{ss}' access='read'>%s</property>";
  g_autofree char *announced = g_strdup_printf (secret, "");
  g_autofree char *invalidated = g_strdup_printf (
      secret, "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='invalidates'/>");
  const char *const bad[][2] = {
    { "<property name='State' type='s' access='readwrite'/>", "Sandbox1.State" },
    { "<property name='LogLevel' type='s' access='write'/>", "Sandbox1.LogLevel" },
    { announced, "Sandbox1.Annotations" },
    { invalidated, "Sandbox1.Annotations" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *xml = g_strconcat ("<node><interface name='org.virtpod.Sandbox1'>", bad[i][0],
                                          "</interface></node>", NULL);

      assert_missing (xml, bad[i][1]);
    }
}

static void
test_rules (void)
{
  g_assert_null (vp_rule_find_method ("org.virtpod.Sandbox1", "Annotations"));
  g_assert_null (vp_rule_find_method ("org.virtpod.Process1", "CreateSandbox"));
  g_assert_cmpint (vp_rule_find_method ("org.virtpod.Manager1", "CreateSandbox")->flags, ==, VP_RULE_ASK);
  g_assert_cmpint (vp_rule_find_method ("org.virtpod.Container1", "Exec")->action, ==, VP_ACTION_EXEC);

  g_assert_true (vp_rule_is_secret ("org.virtpod.Sandbox1", "Annotations"));
  g_assert_false (vp_rule_is_secret ("org.virtpod.Sandbox1", "State"));
  g_assert_cmpint (vp_rule_find_property ("org.virtpod.Sandbox1", "State", FALSE)->action, ==,
                   VP_ACTION_INSPECT);
  g_assert_cmpint (vp_rule_find_property ("org.virtpod.Sandbox1", "Annotations", FALSE)->action, ==,
                   VP_ACTION_SECRETS);
  /* nobody writes what has no row, whoever made the object */
  g_assert_cmpint (vp_rule_find_property ("org.virtpod.Sandbox1", "State", TRUE)->action, ==,
                   VP_ACTION_CONFIGURE);
  g_assert_cmpint (vp_rule_find_property ("org.virtpod.Sandbox1", "State", TRUE)->flags, ==, VP_RULE_ASK);

  for (int i = 0; i < VP_N_ACTIONS; i++)
    g_assert_true (g_str_has_prefix (vp_action_id ((VpAction) i), "org.virtpod."));
}

/* every type that is exported goes by the bouncer, and one that does not is not exported */
static void
test_guard (void)
{
  g_autoptr (VpDBusSandbox1) plain = vp_dbus_sandbox1_skeleton_new ();
  g_autoptr (VpDBusSandbox1) guarded = vp_dbus_guard_new (VP_DBUS_TYPE_SANDBOX1_SKELETON);
  g_autoptr (VpDBusSandbox1) again = vp_dbus_guard_new (VP_DBUS_TYPE_SANDBOX1_SKELETON);
  g_autoptr (GVariant) some = NULL, full = NULL;

  g_assert_false (vp_dbus_guard_has (G_DBUS_INTERFACE_SKELETON (plain)));
  g_assert_true (vp_dbus_guard_has (G_DBUS_INTERFACE_SKELETON (guarded)));
  g_assert_true (G_OBJECT_TYPE (guarded) == G_OBJECT_TYPE (again));
  g_assert_cmpuint (vp_dbus_guard_get_owner (G_DBUS_INTERFACE_SKELETON (guarded)), ==, VP_UID_NOBODYS);
  vp_dbus_guard_set_owner (G_DBUS_INTERFACE_SKELETON (guarded), 0);
  g_assert_cmpuint (vp_dbus_guard_get_owner (G_DBUS_INTERFACE_SKELETON (guarded)), ==, 0);

  some = vp_dbus_guard_dup_properties (G_DBUS_INTERFACE_SKELETON (guarded), FALSE);
  full = vp_dbus_guard_dup_properties (G_DBUS_INTERFACE_SKELETON (guarded), TRUE);
  g_assert_false (g_variant_lookup (some, "Annotations", "a{ss}", NULL));
  g_assert_true (g_variant_lookup (full, "Annotations", "a{ss}", NULL));
  g_assert_true (g_variant_lookup (some, "State", "s", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bouncer/table-is-complete", test_table_is_complete);
  g_test_add_func ("/bouncer/no-row", test_no_row);
  g_test_add_func ("/bouncer/properties", test_properties);
  g_test_add_func ("/bouncer/rules", test_rules);
  g_test_add_func ("/bouncer/guard", test_guard);
  return g_test_run ();
}
