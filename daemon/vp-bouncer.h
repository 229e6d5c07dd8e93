/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Who may call what: one table from method to action, and nothing is allowed
 * that has no row. An action is granted to uid 0 and to the user the daemon
 * runs as; everybody else is refused. (The bus policy decides who can reach the
 * daemon at all.)
 *
 * Hooked to the "g-authorize-method" signal of each exported skeleton, which
 * GDBus emits on a thread of its own: everything here is safe there. */
#define VP_TYPE_BOUNCER (vp_bouncer_get_type ())
G_DECLARE_FINAL_TYPE (VpBouncer, vp_bouncer, VP, BOUNCER, GObject)

typedef enum {
  VP_ACTION_INSPECT, /* look */
  VP_ACTION_MANAGE,  /* make, start, stop, delete, signal */
  VP_ACTION_EXEC,    /* run or talk to processes in a container */
} VpAction;

VpBouncer *vp_bouncer_new (void);

/* FALSE and an error naming the method when an exported method of @info has no
 * row in the table: the daemon then refuses to start. */
gboolean vp_bouncer_check_table (const GDBusInterfaceInfo *info, GError **error);

/* Who calls; from memory once the call was let in. G_MAXUINT32: not known. */
guint32 vp_bouncer_get_uid (VpBouncer *self, GDBusMethodInvocation *invocation);

/* Guards every method of @skeleton. */
void vp_bouncer_watch (VpBouncer *self, GDBusInterfaceSkeleton *skeleton);
