/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer.h"

#include <unistd.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-names.h"

/* A busy bus has many short-lived clients; their names are never reused, so a
 * forgotten one costs a question, not a wrong answer. */
#define MAX_CACHED_CALLERS 1024

struct _VpBouncer
{
  GObject parent;
  GMutex lock;
  GHashTable *uids; /* unique bus name -> uid + 1, under lock */
};

G_DEFINE_FINAL_TYPE (VpBouncer, vp_bouncer, G_TYPE_OBJECT)

static const struct {
  const char *interface;
  const char *method;
  VpAction action;
} table[] = {
  { VP_IFACE_MANAGER, "CreateSandbox", VP_ACTION_MANAGE },
  { VP_IFACE_MANAGER, "GetSandbox", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "GetContainer", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "ListSandboxes", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "ListContainers", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "Explain", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "GetConfig", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "Check", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "GetStats", VP_ACTION_INSPECT },
  { VP_IFACE_MANAGER, "Prune", VP_ACTION_MANAGE },
  { VP_IFACE_MANAGER, "Drain", VP_ACTION_MANAGE },
  { VP_IFACE_MANAGER, "Reload", VP_ACTION_MANAGE },
  { VP_IFACE_MANAGER, "OpenPrivateConnection", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "Start", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "Stop", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "Delete", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "Wait", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "Ping", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "CreateContainer", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "ListContainers", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "GetDomainXML", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "GetGuestDetails", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "Pause", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "Resume", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "ListDevices", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "Update", VP_ACTION_MANAGE },
  { VP_IFACE_SANDBOX, "GetStats", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "GetMetrics", VP_ACTION_INSPECT },
  { VP_IFACE_SANDBOX, "OpenConsole", VP_ACTION_EXEC },
  { VP_IFACE_CONTAINER, "Start", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "Kill", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "Wait", VP_ACTION_INSPECT },
  { VP_IFACE_CONTAINER, "Delete", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "Exec", VP_ACTION_EXEC },
  { VP_IFACE_CONTAINER, "ExecProcessSpec", VP_ACTION_EXEC },
  { VP_IFACE_CONTAINER, "Attach", VP_ACTION_EXEC },
  { VP_IFACE_CONTAINER, "GetState", VP_ACTION_INSPECT },
  { VP_IFACE_CONTAINER, "GetProcess", VP_ACTION_INSPECT },
  { VP_IFACE_CONTAINER, "Pause", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "Resume", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "Update", VP_ACTION_MANAGE },
  { VP_IFACE_CONTAINER, "ListPids", VP_ACTION_INSPECT },
  { VP_IFACE_CONTAINER, "GetStats", VP_ACTION_INSPECT },
  { VP_IFACE_CONTAINER, "CopyIn", VP_ACTION_EXEC },
  { VP_IFACE_CONTAINER, "CopyOut", VP_ACTION_EXEC },
  { VP_IFACE_JOB, "Cancel", VP_ACTION_MANAGE },
  { VP_IFACE_PROCESS, "Wait", VP_ACTION_INSPECT },
  { VP_IFACE_PROCESS, "Start", VP_ACTION_EXEC },
  { VP_IFACE_PROCESS, "Delete", VP_ACTION_EXEC },
  { VP_IFACE_PROCESS, "Kill", VP_ACTION_MANAGE },
  { VP_IFACE_PROCESS, "ResizeTty", VP_ACTION_EXEC },
  { VP_IFACE_PROCESS, "CloseStdin", VP_ACTION_EXEC },
};

static const char *const action_names[] = {
  [VP_ACTION_INSPECT] = "inspect",
  [VP_ACTION_MANAGE] = "manage",
  [VP_ACTION_EXEC] = "exec",
};

static void
vp_bouncer_finalize (GObject *object)
{
  VpBouncer *self = VP_BOUNCER (object);

  g_hash_table_unref (self->uids);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (vp_bouncer_parent_class)->finalize (object);
}

static void
vp_bouncer_class_init (VpBouncerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_bouncer_finalize;
}

static void
vp_bouncer_init (VpBouncer *self)
{
  g_mutex_init (&self->lock);
  self->uids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

VpBouncer *
vp_bouncer_new (void)
{
  return g_object_new (VP_TYPE_BOUNCER, NULL);
}

static gboolean
find_action (const char *interface, const char *method, VpAction *ret)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].interface, interface) && g_str_equal (table[i].method, method))
      {
        *ret = table[i].action;
        return TRUE;
      }
  return FALSE;
}

gboolean
vp_bouncer_check_table (const GDBusInterfaceInfo *info, GError **error)
{
  VpAction action;

  for (gsize i = 0; info->methods != NULL && info->methods[i] != NULL; i++)
    if (!find_action (info->name, info->methods[i]->name, &action))
      {
        g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "%s.%s: has no row in the authorisation table", info->name,
                     info->methods[i]->name);
        return FALSE;
      }
  return TRUE;
}

/* Any thread. The bus daemon vouches for the uid behind a unique name. */
static gboolean
look_up_uid (VpBouncer *self, GDBusMethodInvocation *invocation, guint32 *ret_uid)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GMutexLocker) locker = NULL;
  gpointer cached;

  if (sender == NULL)
    {
      GCredentials *peer = g_dbus_connection_get_peer_credentials (connection);
      uid_t uid = peer == NULL ? (uid_t) -1 : g_credentials_get_unix_user (peer, NULL);

      *ret_uid = (guint32) uid;
      return uid != (uid_t) -1;
    }

  g_mutex_lock (&self->lock);
  cached = g_hash_table_lookup (self->uids, sender);
  g_mutex_unlock (&self->lock);
  if (cached != NULL)
    {
      *ret_uid = GPOINTER_TO_UINT (cached) - 1;
      return TRUE;
    }

  reply = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetConnectionUnixUser",
                                       g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE,
                                       -1, NULL, NULL);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", ret_uid);

  locker = g_mutex_locker_new (&self->lock);
  if (g_hash_table_size (self->uids) >= MAX_CACHED_CALLERS)
    g_hash_table_remove_all (self->uids);
  if (*ret_uid < G_MAXUINT32)
    g_hash_table_replace (self->uids, g_strdup (sender), GUINT_TO_POINTER (*ret_uid + 1));
  return TRUE;
}

guint32
vp_bouncer_get_uid (VpBouncer *self, GDBusMethodInvocation *invocation)
{
  guint32 uid = G_MAXUINT32;

  (void) look_up_uid (self, invocation, &uid);
  return uid;
}

/* Runs on a thread of GDBus. */
static gboolean
on_authorize (GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  VpBouncer *self = user_data;
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  VpAction action = VP_ACTION_MANAGE;
  guint32 uid = G_MAXUINT32;

  if (find_action (interface, method, &action) && look_up_uid (self, invocation, &uid)
      && (uid == 0 || uid == geteuid ()))
    return TRUE;

  vp_notice (NULL, NULL, "refused %s.%s to uid %u", interface, method, uid);
  g_dbus_method_invocation_return_error (invocation, VP_ERROR, VP_ERROR_NOT_AUTHORIZED,
                                         "%s: uid %u may not use action %s.%s", method, uid, VP_BUS_NAME,
                                         action_names[action]);
  return FALSE;
}

void
vp_bouncer_watch (VpBouncer *self, GDBusInterfaceSkeleton *skeleton)
{
  g_signal_connect_object (skeleton, "g-authorize-method", G_CALLBACK (on_authorize), self, 0);
}
