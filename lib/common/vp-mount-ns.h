/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The mount namespace that a caller's paths are of, when it is not ours: what it
 * has mounted there nobody sees who is not in it. A thread that enters one is
 * started for that and ends with it, so that none of ours that does something
 * else is ever in a foreign namespace.
 *
 * Reference counted, from any thread. It keeps the namespace alive, and with it
 * every mount in it: whoever has one lets go of it as soon as what was to be
 * found in it is found. */
typedef struct _VpMountNs VpMountNs;

/* What @fd (borrowed) is; errors call it @what. *ret_ns is NULL when it is ours.
 * InvalidArgument when it is no mount namespace, NotSupported when it belongs to
 * another user namespace: whoever is root there only decides what is mounted in it. */
gboolean vp_mount_ns_open (int fd, const char *what, VpMountNs **ret_ns, GError **error);

VpMountNs *vp_mount_ns_ref (VpMountNs *self);
void vp_mount_ns_unref (VpMountNs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpMountNs, vp_mount_ns_unref)

typedef gboolean (*VpMountNsFunc) (gpointer data, GError **error);

/* Runs @func where paths are those of the namespace, and waits for it. It may open
 * things and clone mounts; descriptors are good in every thread. Of NULL it is
 * called at once. In any thread but the main one, since it waits. */
gboolean vp_mount_ns_run (VpMountNs *self, VpMountNsFunc func, gpointer data, GError **error);
