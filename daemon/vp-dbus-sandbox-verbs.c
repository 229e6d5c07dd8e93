/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-args.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"

/* org.virtpod.Sandbox1: what is done with one that is there */

/* ---- pause, resume, update ---- */

VP_DBUS_DONE_CALLBACK (on_paused, VP_SANDBOX, vp_sandbox_pause_finish)

static gboolean
handle_pause (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_sandbox_pause_async (user_data, on_paused, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_resumed, VP_SANDBOX, vp_sandbox_resume_finish)

static gboolean
handle_resume (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_sandbox_resume_async (user_data, on_resumed, invocation);
  return TRUE;
}

static gboolean
handle_update (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *resources, gpointer user_data)
{
  static const VpDbusOption table[] = { { "vcpus", "u" }, { "memory-bytes", "t" }, { NULL } };
  VpSandboxSize size = { 0 };
  GError *error = NULL;

  if (vp_dbus_args_check (resources, table, &error))
    {
      size.vcpus_set = g_variant_lookup (resources, "vcpus", "u", &size.vcpus);
      size.memory_set = g_variant_lookup (resources, "memory-bytes", "t", &size.memory);
      (void) vp_sandbox_update (user_data, &size, &error);
    }
  vp_dbus_reply_done (invocation, error);
  return TRUE;
}

/* ---- looking ---- */

static void
on_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) stats = vp_sandbox_stats_finish (VP_SANDBOX (source), result, NULL, &error);

  if (stats != NULL)
    vp_dbus_sandbox1_complete_get_stats (NULL, user_data, stats);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_get_stats (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_sandbox_stats_async (user_data, on_stats, invocation);
  return TRUE;
}

static void
on_metrics (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *text = vp_sandbox_metrics_finish (VP_SANDBOX (source), result, &error);

  if (text != NULL)
    vp_dbus_sandbox1_complete_get_metrics (NULL, user_data, text);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_get_metrics (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_sandbox_metrics_async (user_data, on_metrics, invocation);
  return TRUE;
}

static const char *
source_of (const VpDevice *device)
{
  switch (device->kind)
    {
    case VP_DEVICE_SHARE:
      return device->u.share.source;
    case VP_DEVICE_CHANNEL:
      return device->u.channel.socket;
    case VP_DEVICE_CONSOLE:
      return device->u.console.log;
    case VP_DEVICE_RNG:
      return device->u.rng.source;
    case VP_DEVICE_DISK:
      return device->u.disk.source;
    case VP_DEVICE_NIC:
      return device->u.nic.dev;
    case VP_DEVICE_MEMORY:
      return device->u.memory.source;
    case VP_DEVICE_VSOCK:
    default:
      return NULL;
    }
}

static void
add_nics (VpSandbox *sandbox, GVariantBuilder *rows)
{
  const char *tap, *device;
  char *handle;

  for (guint i = 0; vp_sandbox_get_nic (sandbox, i, &handle, &tap, &device); i++)
    {
      g_variant_builder_open (rows, G_VARIANT_TYPE ("a{sv}"));
      g_variant_builder_add (rows, "{sv}", "kind", g_variant_new_string ("nic"));
      g_variant_builder_add (rows, "{sv}", "id", g_variant_new_take_string (handle));
      g_variant_builder_add (rows, "{sv}", "source", g_variant_new_string (tap));
      if (device != NULL)
        g_variant_builder_add (rows, "{sv}", "interface", g_variant_new_string (device));
      g_variant_builder_close (rows);
    }
}

static gboolean
handle_list_devices (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  const VpPlan *plan = vp_sandbox_get_plan (user_data);
  GVariantBuilder rows;
  GError *error = NULL;

  if (!vp_sandbox_check_verb (user_data, VP_VERB_SANDBOX_DEVICES, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; plan != NULL && i < plan->devices->len; i++)
    {
      const VpDevice *device = plan->devices->pdata[i];

      /* these come and go */
      if (device->kind == VP_DEVICE_NIC && !vp_nic_backend_is_user (device->u.nic.backend))
        continue;
      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      g_variant_builder_add (&rows, "{sv}", "kind", g_variant_new_string (vp_device_kind_to_string (device->kind)));
      g_variant_builder_add (&rows, "{sv}", "id", g_variant_new_string (device->id));
      if (source_of (device) != NULL)
        g_variant_builder_add (&rows, "{sv}", "source", g_variant_new_string (source_of (device)));
      g_variant_builder_close (&rows);
    }
  add_nics (user_data, &rows);
  vp_dbus_sandbox1_complete_list_devices (skeleton, invocation, g_variant_builder_end (&rows));
  return TRUE;
}

static gboolean
handle_open_console (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in_fds,
                     GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "follow", "b" }, { "tail-bytes", "t" }, { NULL } };
  guint64 tail = G_MAXUINT64;
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  int fd = -1;

  if (vp_dbus_args_check (options, table, &error))
    {
      (void) g_variant_lookup (options, "tail-bytes", "t", &tail);
      fd = vp_sandbox_open_console (user_data, vp_dbus_args_get_flag (options, "follow"), tail, &error);
    }
  if (fd < 0)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  vp_dbus_sandbox1_complete_open_console (skeleton, invocation, fds, g_variant_new_handle (0));
  return TRUE;
}

/* ---- events and properties ---- */

static void
on_oom (VpSandbox *sandbox, VpContainer *container, gpointer user_data)
{
  vp_dbus_sandbox1_emit_oom (user_data, vp_container_get_id (container));
}

static void
mirror (VpSandbox *sandbox, gpointer user_data)
{
  VpDBusSandbox1 *skeleton = user_data;
  const VpPlan *plan = vp_sandbox_get_plan (sandbox);
  const VpDevice *vsock = plan == NULL ? NULL : vp_plan_find_device (plan, VP_DEVICE_VSOCK);
  guint ports;

  vp_dbus_sandbox1_set_network_namespace (skeleton, vp_sandbox_get_network_namespace (sandbox) ?: "");
  if (plan == NULL)
    return;
  vp_dbus_sandbox1_set_vsock_cid (skeleton, vsock != NULL ? vsock->u.vsock.cid : 0);
  vp_dbus_sandbox1_set_cgroup_parent (skeleton, plan->partition != NULL ? plan->partition : "");
  ports = plan->hotplug_ports + plan->switch_ports;
  vp_dbus_sandbox1_set_free_hotplug_ports (skeleton, ports - MIN (ports, vp_sandbox_get_n_plugged (sandbox)));
}

void
vp_dbus_sandbox_add_verbs (VpDBusSandbox1 *skeleton, VpManager *manager, VpSandbox *sandbox)
{
  VpSpec *spec = vp_sandbox_get_spec (sandbox);

  vp_dbus_handle (skeleton, "handle-pause", handle_pause, sandbox);
  vp_dbus_handle (skeleton, "handle-resume", handle_resume, sandbox);
  vp_dbus_handle (skeleton, "handle-update", handle_update, sandbox);
  vp_dbus_handle (skeleton, "handle-get-stats", handle_get_stats, sandbox);
  vp_dbus_handle (skeleton, "handle-get-metrics", handle_get_metrics, sandbox);
  vp_dbus_handle (skeleton, "handle-list-devices", handle_list_devices, sandbox);
  vp_dbus_handle (skeleton, "handle-open-console", handle_open_console, sandbox);

  vp_dbus_sandbox1_set_annotations (skeleton, vp_dbus_make_annotations (spec));
  mirror (sandbox, skeleton);
  g_signal_connect_object (sandbox, "changed", G_CALLBACK (mirror), skeleton, 0);
  g_signal_connect_object (sandbox, "oom", G_CALLBACK (on_oom), skeleton, 0);
}
