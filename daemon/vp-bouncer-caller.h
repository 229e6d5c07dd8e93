/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Who calls: the identity behind a unique name of the bus, or behind a private
 * connection. It comes from the bus daemon or from the kernel, never from the
 * caller. Main thread. */

typedef struct
{
  guint32 uid; /* G_MAXUINT32: not known (yet) */
  gboolean trusted; /* root, the daemon's own user, or in its group: asks nobody */
  gboolean known;
  char *name;     /* on the bus; NULL: polkit cannot be asked about it */
  GQueue waiting; /* of VpCallerCallback, until it is known */
} VpCaller;

typedef struct _VpCallers VpCallers;

/* @bus may be NULL (private connections only). @group: G_MAXUINT32 when there is none. */
VpCallers *vp_callers_new (GDBusConnection *bus, guint32 group);
void vp_callers_free (VpCallers *self);

/* A caller that is known at once, of a private connection. */
VpCaller *vp_callers_make (VpCallers *self, guint32 uid, const guint32 *groups, gsize n_groups);
VpCaller *vp_caller_copy (const VpCaller *caller);
void vp_caller_free (VpCaller *caller);
/* From now on it is who calls by @connection. Takes @caller. */
void vp_callers_attach (GDBusConnection *connection, VpCaller *caller);

/* Borrowed, as long as the main loop does not run; NULL for a connection that
 * is neither the bus nor private. It may not be known yet. */
VpCaller *vp_callers_get (VpCallers *self, GDBusMethodInvocation *invocation);

/* @callback is called, once, when @caller is known or cannot be: in the order of
 * these calls. FALSE when @max are waiting already. */
typedef void (*VpCallerCallback) (VpCaller *caller, gpointer user_data);
gboolean vp_callers_wait (VpCallers *self, VpCaller *caller, guint max, VpCallerCallback callback,
                          gpointer user_data);
