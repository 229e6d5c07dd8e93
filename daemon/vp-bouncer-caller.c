/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer-caller.h"

#include <unistd.h>

/* A busy bus has many short-lived clients; their names are never reused, so a
 * forgotten one costs a question, not a wrong answer. */
#define MAX_CACHED_CALLERS 1024

struct _VpCallers
{
  GDBusConnection *bus;
  guint32 group;
  GHashTable *by_name; /* unique name -> VpCaller */
  GCancellable *cancellable;
};

typedef struct
{
  VpCallerCallback callback;
  gpointer user_data;
} Waiter;

static VpCaller *
caller_new (const char *name)
{
  VpCaller *caller = g_new0 (VpCaller, 1);

  caller->uid = G_MAXUINT32;
  caller->name = g_strdup (name);
  g_queue_init (&caller->waiting);
  return caller;
}

void
vp_caller_free (VpCaller *caller)
{
  if (caller == NULL)
    return;
  g_queue_clear_full (&caller->waiting, g_free);
  g_free (caller->name);
  g_free (caller);
}

static void
caller_free (gpointer data)
{
  vp_caller_free (data);
}

VpCaller *
vp_caller_copy (const VpCaller *caller)
{
  VpCaller *copy = caller_new (caller->name);

  copy->uid = caller->uid;
  copy->trusted = caller->trusted;
  copy->known = caller->known;
  return copy;
}

VpCallers *
vp_callers_new (GDBusConnection *bus, guint32 group)
{
  VpCallers *self = g_new0 (VpCallers, 1);

  g_set_object (&self->bus, bus);
  self->group = group;
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, caller_free);
  self->cancellable = g_cancellable_new ();
  return self;
}

void
vp_callers_free (VpCallers *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_hash_table_unref (self->by_name);
  g_clear_object (&self->bus);
  g_free (self);
}

static void
know (VpCallers *self, VpCaller *caller, guint32 uid, const guint32 *groups, gsize n_groups)
{
  caller->known = TRUE;
  caller->uid = uid;
  caller->trusted = uid == 0 || uid == geteuid ();
  for (gsize i = 0; i < n_groups && self->group != G_MAXUINT32; i++)
    caller->trusted |= groups[i] == self->group;
}

VpCaller *
vp_callers_make (VpCallers *self, guint32 uid, const guint32 *groups, gsize n_groups)
{
  VpCaller *caller = caller_new (NULL);

  know (self, caller, uid, groups, n_groups);
  return caller;
}

void
vp_callers_attach (GDBusConnection *connection, VpCaller *caller)
{
  g_object_set_data_full (G_OBJECT (connection), "caller", caller, caller_free);
}

static gboolean
is_idle (gpointer name, gpointer caller, gpointer user_data)
{
  return ((VpCaller *) caller)->known;
}

VpCaller *
vp_callers_get (VpCallers *self, GDBusMethodInvocation *invocation)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  VpCaller *caller;

  /* the sender of a message is the bus daemon's word only on the bus */
  if (connection != self->bus)
    return g_object_get_data (G_OBJECT (connection), "caller");
  if (sender == NULL)
    return NULL;
  caller = g_hash_table_lookup (self->by_name, sender);
  if (caller != NULL)
    return caller;
  if (g_hash_table_size (self->by_name) >= MAX_CACHED_CALLERS)
    g_hash_table_foreach_remove (self->by_name, is_idle, NULL);
  caller = caller_new (sender);
  g_hash_table_insert (self->by_name, caller->name, caller);
  return caller;
}

typedef struct
{
  VpCallers *self;
  char *name;
} Question;

static void
on_credentials (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autofree char *name = question->name;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) dict = NULL, groups = NULL;
  VpCallers *self = question->self;
  const guint32 *ids = NULL;
  gsize n = 0;
  guint32 uid;
  VpCaller *caller;
  Waiter *waiter;

  g_free (question);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* self is gone */
  caller = g_hash_table_lookup (self->by_name, name);
  if (reply != NULL)
    {
      dict = g_variant_get_child_value (reply, 0);
      groups = g_variant_lookup_value (dict, "UnixGroupIDs", G_VARIANT_TYPE ("au"));
      if (groups != NULL)
        ids = g_variant_get_fixed_array (groups, &n, sizeof *ids);
      if (g_variant_lookup (dict, "UnixUserID", "u", &uid))
        know (self, caller, uid, ids, n);
    }
  caller->known = TRUE;
  /* an answer may make the next one wait behind it: take what is there now, then forget a stranger */
  while ((waiter = g_queue_pop_head (&caller->waiting)) != NULL)
    {
      waiter->callback (caller, waiter->user_data);
      g_free (waiter);
    }
  if (caller->uid == G_MAXUINT32)
    g_hash_table_remove (self->by_name, name);
}

gboolean
vp_callers_wait (VpCallers *self, VpCaller *caller, guint max, VpCallerCallback callback, gpointer user_data)
{
  Waiter *waiter;

  if (caller->waiting.length >= max)
    return FALSE;
  if (caller->waiting.length == 0)
    {
      Question *question = g_new (Question, 1);

      *question = (Question) { self, g_strdup (caller->name) };
      g_dbus_connection_call (self->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                              "org.freedesktop.DBus", "GetConnectionCredentials",
                              g_variant_new ("(s)", caller->name), G_VARIANT_TYPE ("(a{sv})"),
                              G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_credentials, question);
    }
  waiter = g_new (Waiter, 1);
  *waiter = (Waiter) { callback, user_data };
  g_queue_push_tail (&caller->waiting, waiter);
  return TRUE;
}
