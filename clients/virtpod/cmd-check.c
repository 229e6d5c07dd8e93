/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod check: whether this host can run sandboxes, and what to do when it
 * cannot. The daemon checks what is its own; what keeps one from reaching it is
 * looked for here. */
#include "config.h"

#include <glib/gi18n.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-names.h"
#include "vp-output.h"

/* exit statuses */
#define WARNING 1
#define ERROR 2

static const GOptionEntry options[] = {
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn columns[] = {
  { N_("CHECK"), "check" },
  { N_("STATUS"), "status" },
  { N_("FOUND"), "found" },
  { N_("HINT"), "hint" },
};

typedef struct
{
  VpTable *table;
  int worst; /* exit status */
} Report;

/* A word of the interface; one that is not known is taken for the worst. */
static void
add (Report *self, const char *check, const char *status, const char *found, const char *hint)
{
  int grade = g_str_equal (status, "ok") ? 0 : g_str_equal (status, "warning") ? WARNING : ERROR;

  self->worst = MAX (self->worst, grade);
  vp_table_add (self->table, g_variant_new_string (check), g_variant_new_string (status),
                g_variant_new_string (found), g_variant_new_string (hint));
}

/* ---- without a daemon ------------------------------------------------------------ */

static void
check_libvirt_sockets (Report *self)
{
  static const char *const sockets[] = { "/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock" };

  for (gsize i = 0; i < G_N_ELEMENTS (sockets); i++)
    if (access (sockets[i], F_OK) == 0)
      {
        add (self, "libvirt-socket", "ok", sockets[i], "");
        return;
      }
  add (self, "libvirt-socket", "warning", _("there is no socket of libvirtd or virtqemud in /run/libvirt"),
       _("start it: systemctl start libvirtd.socket (not needed for qemu:///embed and remote libvirt)"));
}

static void
check_kvm (Report *self)
{
  struct stat st;

  if (stat ("/dev/kvm", &st) == 0 && S_ISCHR (st.st_mode))
    add (self, "kvm-device", "ok", "/dev/kvm", "");
  else
    add (self, "kvm-device", "warning", _("there is no /dev/kvm"),
         _("load kvm_intel or kvm_amd, or switch virtualisation on in the firmware; else guests are emulated"));
}

/* Whether systemd or the bus would start the daemon. */
static gboolean
is_installed (void)
{
  static const char *const files[] = {
    "/usr/lib/systemd/system/virtpodd.service",
    "/lib/systemd/system/virtpodd.service",
    "/etc/systemd/system/virtpodd.service",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    if (access (files[i], F_OK) == 0)
      return TRUE;
  return FALSE;
}

/* @error: of the first call, or of reaching the bus at all. */
static void
check_without_daemon (Report *self, gboolean bus, const GError *error)
{
  g_autofree char *text = vp_client_error_text (error);

  if (!bus)
    {
      add (self, "bus", "error", text,
           _("start the system bus, or name another one with --address, --session or VIRTPOD_BUS_ADDRESS"));
      add (self, "virtpodd", "error", _("not asked"), "");
    }
  else
    {
      gboolean refused = vp_error_is (error, VP_ERROR_NOT_AUTHORIZED)
                         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED);
      const char *hint = refused            ? _("be root or a member of the group virtpod; see virtpodd(8), ACCESS")
                         : is_installed () ? _("systemctl status virtpodd; journalctl --unit virtpodd")
                                           : _("virtpodd.service is not installed for systemd: start virtpodd yourself");

      add (self, "bus", "ok", _("reached"), "");
      add (self, "virtpodd", "error", text, hint);
    }
  check_libvirt_sockets (self);
  check_kvm (self);
}

/* ---- with it ---------------------------------------------------------------------- */

static gboolean
ask_daemon (Report *self, VpClient *client, GError **error)
{
  VpDBusManager1 *manager = vp_client_get_manager (client, error);
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariant) rows = NULL;
  const char *version = "", *check, *status, *found, *hint;
  GVariantIter iter;

  if (manager == NULL
      || !vp_dbus_manager1_call_check_sync (manager, vp_command_force_options (FALSE), &rows, NULL, error))
    return FALSE;
  properties = vp_client_get_properties (client, VP_PATH_MANAGER, VP_IFACE_MANAGER, error);
  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "Version", "&s", &version);
  add (self, "bus", "ok", _("reached"), "");
  add (self, "virtpodd", g_str_equal (version, PACKAGE_VERSION) ? "ok" : "warning", version,
       g_str_equal (version, PACKAGE_VERSION) ? "" : _("not the version of this command: restart virtpodd"));
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&s&s&s&s)", &check, &status, &found, &hint))
    add (self, check, status, found, hint);
  return TRUE;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpTable) table = vp_table_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (GError) error = NULL;
  Report report = { .table = table };

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  if (!ask_daemon (&report, client, &error))
    check_without_daemon (&report, vp_client_get_connection (client, NULL) != NULL, error);
  vp_table_print (table);
  return report.worst;
}

const VpCommand vp_cmd_check = {
  .name = "check",
  .summary = N_("Check whether this host can run sandboxes"),
  .max_args = 0,
  .failure = ERROR,
  .options = options,
  .run = run,
};
