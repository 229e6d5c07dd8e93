/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-bouncer-caller.h"
#include "vp-bouncer-table.h"
#include "vp-config.h"

/* Who is let in: every call that reaches the daemon, of methods and properties
 * alike, by the bus or by a private connection, comes by here before anything
 * of it is looked at.
 *
 *   root, the daemon's user, members of its group    at once
 *   who made the object                              at once, where the table says so
 *   everybody else                                   polkit is asked
 *
 * Everything happens on the main thread and nothing waits: a trusted call goes
 * straight on, others are kept until the bus has said who calls and polkit
 * whether he may. What is not a clear yes is AccessDenied. Others than root and
 * the daemon's user may have so many calls and connections at once
 * (daemon.max-*-per-user). */
#define VP_TYPE_BOUNCER (vp_bouncer_get_type ())
G_DECLARE_FINAL_TYPE (VpBouncer, vp_bouncer, VP, BOUNCER, GObject)

#define VP_UID_NOBODYS G_MAXUINT32 /* the owner of what has none */

/* @bus: where unique names and polkit are; NULL: there is none. */
VpBouncer *vp_bouncer_new (GDBusConnection *bus, VpConfig *config);

/* Limits are those of @config from now on. */
void vp_bouncer_set_config (VpBouncer *self, VpConfig *config);

/* Goes on with a call that is let in. @full: the caller may see secrets of the
 * object. @target is still referenced, but may have been withdrawn meanwhile. */
typedef void (*VpBouncerFunc) (GDBusMethodInvocation *invocation, gboolean full, gpointer target);

/* Calls @let_in, now or later, or answers @invocation itself. @rule NULL: there
 * is none, so nobody may. @owner: who made the object, or VP_UID_NOBODYS.
 * @target (a GObject, may be NULL) is kept meanwhile. Takes @invocation. */
void vp_bouncer_ask (VpBouncer *self, GDBusMethodInvocation *invocation, const VpRule *rule, guint32 owner,
                     VpBouncerFunc let_in, gpointer target);

/* Who made a call that was let in; G_MAXUINT32: not known. */
guint32 vp_bouncer_get_uid (VpBouncer *self, GDBusMethodInvocation *invocation);
VpCaller *vp_bouncer_get_caller (VpBouncer *self, GDBusMethodInvocation *invocation);

/* A private connection of @uid begins and ends. ResourceExhausted. */
gboolean vp_bouncer_add_connection (VpBouncer *self, guint32 uid, GError **error);
void vp_bouncer_remove_connection (VpBouncer *self, guint32 uid);

/* A caller who is not on the bus. Free with vp_caller_free (). */
VpCaller *vp_bouncer_make_caller (VpBouncer *self, guint32 uid, const guint32 *groups, gsize n_groups);

/* The daemon's group; G_MAXUINT32: there is none. */
guint32 vp_bouncer_get_group (VpBouncer *self);
