/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "vp-mount-ns.h"
#include "vp-streams.h"

/* Reading of what callers send: option dictionaries in which an unknown key or
 * a wrong type is an error, and passed file descriptors. All errors are
 * InvalidArgument naming the key. */

typedef struct
{
  const char *key;
  const char *type; /* D-Bus signature */
} VpDbusOption;

/* Every key of @options is in @table (ends with a NULL key) and has its type. */
gboolean vp_dbus_args_check (GVariant *options, const VpDbusOption *table, GError **error);

/* The rows that stdin, stdout, stderr, stdin-path… and standin-pid add to a method's table. */
#define VP_DBUS_STREAM_OPTIONS                                                                                        \
  { "stdin", "h" }, { "stdout", "h" }, { "stderr", "h" }, { "stdin-path", "s" }, { "stdout-path", "s" },             \
      { "stderr-path", "s" }, { "standin-pid", "u" }

/* Takes the streams of checked @options; descriptors are duplicated. Free with
 * vp_streams_free (). A stream given both ways is an error. */
VpStreams *vp_dbus_args_dup_streams (GVariant *options, GUnixFDList *fds, GError **error);

#define VP_DBUS_MOUNT_NS_OPTION { "mount-namespace", "h" }

/* The mount namespace of checked @options, for a caller who is @uid; NULL: ours. As
 * vp_mount_ns_open (); NotAuthorized for one that is not ours and not root's. */
gboolean vp_dbus_args_get_mount_ns (GVariant *options, GUnixFDList *fds, guint32 uid, VpMountNs **ret_ns,
                                    GError **error);

/* As g_variant_lookup () for "b", FALSE when missing. */
gboolean vp_dbus_args_get_flag (GVariant *options, const char *key);

/* a{ss}; at most 64 labels of 256 bytes. Consumes nothing; NULL dictionary: empty. */
GHashTable *vp_dbus_args_dup_labels (GVariant *options, GError **error);
