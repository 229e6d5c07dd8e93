/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer.h"

#include <grp.h>
#include <unistd.h>

#include "vp-bouncer-polkit.h"
#include "vp-dbus.h"
#include "vp-error.h"
#include "vp-log.h"
#include "vp-names.h"

/* What somebody without rights can make the daemon write to the log. */
#define REFUSAL_LOG_USEC G_USEC_PER_SEC

struct _VpBouncer
{
  GObject parent;
  GDBusConnection *bus;
  VpConfig *config;
  VpCallers *callers;
  GHashTable *users; /* uid -> User, of those that have something at the moment */
  guint32 group;
  gint64 last_refusal;
};

G_DEFINE_FINAL_TYPE (VpBouncer, vp_bouncer, G_TYPE_OBJECT)

typedef struct
{
  guint calls;
  guint connections;
} User;

/* A call that was not let in at once. */
typedef struct
{
  VpBouncer *self;
  GDBusMethodInvocation *invocation;
  const VpRule *rule;
  guint32 owner;
  VpBouncerFunc let_in;
  GObject *target;
} Ticket;

static void
vp_bouncer_finalize (GObject *object)
{
  VpBouncer *self = VP_BOUNCER (object);

  vp_callers_free (self->callers);
  g_hash_table_unref (self->users);
  g_clear_pointer (&self->config, vp_config_unref);
  g_clear_object (&self->bus);
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
  self->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

/* By name or number. Asks the system's databases, so once and at the start. */
static guint32
find_group (const char *name)
{
  const struct group *entry;
  guint64 number;

  if (name[0] == '\0')
    return G_MAXUINT32;
  if (g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    return (guint32) number;
  entry = getgrnam (name);
  if (entry == NULL)
    vp_notice (NULL, NULL, "group %s does not exist: only root is trusted", name);
  return entry != NULL ? entry->gr_gid : G_MAXUINT32;
}

VpBouncer *
vp_bouncer_new (GDBusConnection *bus, VpConfig *config)
{
  VpBouncer *self = g_object_new (VP_TYPE_BOUNCER, NULL);

  g_set_object (&self->bus, bus);
  self->config = vp_config_ref (config);
  self->group = find_group (vp_config_get_string (config, VP_CONFIG_DAEMON_GROUP));
  self->callers = vp_callers_new (bus, self->group);
  return self;
}

void
vp_bouncer_set_config (VpBouncer *self, VpConfig *config)
{
  vp_config_ref (config);
  vp_config_unref (self->config);
  self->config = config;
}

guint32
vp_bouncer_get_group (VpBouncer *self)
{
  return self->group;
}

/* ---- how much at once ---- */

static gboolean
is_counted (guint32 uid)
{
  return uid != 0 && uid != geteuid ();
}

static User *
get_user (VpBouncer *self, guint32 uid)
{
  User *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid));

  if (user == NULL)
    {
      user = g_new0 (User, 1);
      g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), user);
    }
  return user;
}

static gboolean
check_room (VpBouncer *self, guint n, VpConfigKey key, const char *what, guint32 uid, GError **error)
{
  guint64 max = vp_config_get_uint (self->config, key);

  if (n < max)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED,
               "%s of uid %u: there are %u already, as many as are allowed", what, uid, n);
  return FALSE;
}

static void
forget_idle (VpBouncer *self, guint32 uid)
{
  const User *user = get_user (self, uid);

  if (user->calls == 0 && user->connections == 0)
    g_hash_table_remove (self->users, GUINT_TO_POINTER (uid));
}

typedef struct
{
  VpBouncer *self;
  guint32 uid;
} CountedCall;

static void
counted_call_free (gpointer data)
{
  CountedCall *call = data;

  get_user (call->self, call->uid)->calls--;
  forget_idle (call->self, call->uid);
  g_object_unref (call->self);
  g_free (call);
}

/* Counted until it is answered, which is when the invocation goes. */
static gboolean
count_call (VpBouncer *self, GDBusMethodInvocation *invocation, guint32 uid, GError **error)
{
  User *user = get_user (self, uid);
  CountedCall *call;

  if (!check_room (self, user->calls, VP_CONFIG_DAEMON_MAX_CALLS_PER_USER, "calls", uid, error))
    return FALSE;
  user->calls++;
  call = g_new (CountedCall, 1);
  *call = (CountedCall) { g_object_ref (self), uid };
  g_object_set_data_full (G_OBJECT (invocation), "counted-call", call, counted_call_free);
  return TRUE;
}

gboolean
vp_bouncer_add_connection (VpBouncer *self, guint32 uid, GError **error)
{
  User *user = get_user (self, uid);

  if (is_counted (uid)
      && !check_room (self, user->connections, VP_CONFIG_DAEMON_MAX_CONNECTIONS_PER_USER, "connections", uid,
                      error))
    {
      forget_idle (self, uid);
      return FALSE;
    }
  user->connections++;
  return TRUE;
}

void
vp_bouncer_remove_connection (VpBouncer *self, guint32 uid)
{
  get_user (self, uid)->connections--;
  forget_idle (self, uid);
}

VpCaller *
vp_bouncer_make_caller (VpBouncer *self, guint32 uid, const guint32 *groups, gsize n_groups)
{
  return vp_callers_make (self->callers, uid, groups, n_groups);
}

/* ---- the decision ---- */

static void
ticket_free (Ticket *ticket)
{
  g_clear_object (&ticket->target);
  g_object_unref (ticket->self);
  g_free (ticket);
}

static void
refuse (Ticket *ticket, guint32 uid, const char *why)
{
  GDBusMethodInvocation *invocation = ticket->invocation;
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  const char *action = ticket->rule != NULL ? vp_action_id (ticket->rule->action) : "of none";
  gint64 now = g_get_monotonic_time ();

  if (now - ticket->self->last_refusal >= REFUSAL_LOG_USEC)
    {
      vp_notice (NULL, NULL, "refused %s.%s to uid %u: %s", interface, method, uid, why);
      ticket->self->last_refusal = now;
    }
  g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                                         "%s: uid %u may not use action %s: %s", method, uid, action, why);
  ticket_free (ticket);
}

static void
let_in (Ticket *ticket, gboolean full)
{
  ticket->let_in (ticket->invocation, full, ticket->target);
  ticket_free (ticket);
}

/* A call that was decided late knows its caller by this: he may be forgotten by then. */
static void
remember_uid (Ticket *ticket, guint32 uid)
{
  g_object_set_data (G_OBJECT (ticket->invocation), "uid-plus-one", GUINT_TO_POINTER (uid + 1));
}

static void
on_polkit (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ticket *ticket = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_polkit_check_finish (result, &error))
    let_in (ticket, ticket->rule->action != VP_ACTION_INSPECT);
  else
    refuse (ticket, vp_bouncer_get_uid (ticket->self, ticket->invocation), error->message);
}

static gboolean
may_be_asked (GDBusMethodInvocation *invocation)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);

  return (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

static void
decide (VpCaller *caller, gpointer user_data)
{
  Ticket *ticket = user_data;
  VpBouncer *self = ticket->self;
  guint32 uid = caller->uid;
  GError *error = NULL;

  remember_uid (ticket, uid);
  if (uid == G_MAXUINT32)
    refuse (ticket, uid, "the caller has gone");
  else if (ticket->rule == NULL)
    refuse (ticket, uid, "it has no row in the authorisation table");
  else if (is_counted (uid) && !count_call (self, ticket->invocation, uid, &error))
    {
      vp_dbus_fail (ticket->invocation, error);
      ticket_free (ticket);
    }
  else if (caller->trusted || (ticket->owner == uid && (ticket->rule->flags & VP_RULE_OWNER) != 0))
    let_in (ticket, TRUE);
  else if (self->bus == NULL || caller->name == NULL)
    refuse (ticket, uid, "polkit cannot be asked about a connection that is not on the bus");
  else
    vp_polkit_check_async (self->bus, caller->name, vp_action_id (ticket->rule->action),
                           may_be_asked (ticket->invocation), vp_dbus_watch_caller (ticket->invocation),
                           on_polkit, ticket);
}

void
vp_bouncer_ask (VpBouncer *self, GDBusMethodInvocation *invocation, const VpRule *rule, guint32 owner,
                VpBouncerFunc callback, gpointer target)
{
  VpCaller *caller = vp_callers_get (self->callers, invocation);
  Ticket *ticket;

  if (caller != NULL && caller->known && caller->trusted && !is_counted (caller->uid) && rule != NULL)
    {
      callback (invocation, TRUE, target);
      return;
    }
  ticket = g_new (Ticket, 1);
  *ticket = (Ticket) { g_object_ref (self), invocation, rule, owner, callback, NULL };
  g_set_object (&ticket->target, target);
  if (caller == NULL)
    refuse (ticket, G_MAXUINT32, "nobody vouches for the connection");
  else if (caller->known)
    decide (caller, ticket);
  else if (!vp_callers_wait (self->callers, caller,
                             (guint) vp_config_get_uint (self->config, VP_CONFIG_DAEMON_MAX_CALLS_PER_USER),
                             decide, ticket))
    refuse (ticket, G_MAXUINT32, "too many calls before it is known who calls");
}

VpCaller *
vp_bouncer_get_caller (VpBouncer *self, GDBusMethodInvocation *invocation)
{
  return vp_callers_get (self->callers, invocation);
}

guint32
vp_bouncer_get_uid (VpBouncer *self, GDBusMethodInvocation *invocation)
{
  gpointer known = g_object_get_data (G_OBJECT (invocation), "uid-plus-one");
  VpCaller *caller;

  if (known != NULL)
    return GPOINTER_TO_UINT (known) - 1;
  caller = vp_callers_get (self->callers, invocation);
  return caller != NULL ? caller->uid : G_MAXUINT32;
}
