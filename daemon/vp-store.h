/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What the daemon keeps on disk, below its state directory (/run/virtpod):
 *
 *   lock                         held (flock) while a daemon uses the directory
 *   sandboxes/NAME/record.json   what the sandbox is and which host resources it may have
 *   sandboxes/NAME/specs/        config.json of each container, as it was when it was created
 *   sandboxes/NAME/agent.sock    agent channel, the hypervisor listens
 *   sandboxes/NAME/console.sock  guest console, the hypervisor listens
 *   sandboxes/NAME/console.log   its newest part (and console.log.1)
 *   sandboxes/NAME/shared/       what virtiofs exports, one directory per container
 *   quarantine/                  records that could not be read, for people to look at
 *
 * NAME is the sandbox's domain name, which is short where an id may be too long
 * for a socket address; the id is in the record. The store moves records, it
 * does not understand them. A record is replaced atomically and durably, and it
 * is written before the first side effect it tells of. Files are 0600; what only
 * the daemon reads is in directories of mode 0700, the others are 0711, so that a
 * hypervisor that runs as another user reaches the sockets that were given to it.
 *
 * Main thread; the state directory is expected to be on a tmpfs. */
#define VP_TYPE_STORE (vp_store_get_type ())
G_DECLARE_FINAL_TYPE (VpStore, vp_store, VP, STORE, GObject)

/* Makes @state_dir when it is missing and takes its lock. Busy when another
 * daemon has it, NotAuthorized when it belongs to somebody else or others may
 * write to it, NotSupported when it is too long for the sockets below it. */
VpStore *vp_store_open (const char *state_dir, GError **error);

const char *vp_store_get_state_dir (VpStore *self);

/* Absolute path of the directory @name. */
char *vp_store_dup_directory (VpStore *self, const char *name);

/* Makes the directory of a new sandbox with its first record in it.
 * AlreadyExists when there is one. Leaves nothing behind on failure. */
gboolean vp_store_add (VpStore *self, const char *name, const char *record, gsize len, GError **error);

gboolean vp_store_save (VpStore *self, const char *name, const char *record, gsize len, GError **error);
char *vp_store_load (VpStore *self, const char *name, gsize *ret_len, GError **error);

/* The spec of a container, kept beside the record: its bundle may change or go,
 * and a further process takes environment and user from it. Saving is durable;
 * removing what is not there is no error. @container is a valid id. */
gboolean vp_store_save_spec (VpStore *self, const char *name, const char *container, const char *text, gsize len,
                             GError **error);
char *vp_store_load_spec (VpStore *self, const char *name, const char *container, gsize *ret_len, GError **error);
void vp_store_remove_spec (VpStore *self, const char *name, const char *container);

/* Moves a record that cannot be read out of the way. Where it is now, absolute;
 * free with g_free (). NotFound when there is no record at all. */
char *vp_store_quarantine (VpStore *self, const char *name, GError **error);

/* Removes the directory, its record first: what is left when that is interrupted
 * is nobody's. Refuses (Busy) while something is mounted below it. */
gboolean vp_store_remove (VpStore *self, const char *name, GError **error);

/* Names that have a directory, in no order. */
GStrv vp_store_list (VpStore *self, GError **error);
