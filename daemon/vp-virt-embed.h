/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What the process has to do itself when libvirt's driver runs inside it
 * (qemu:///embed): give the driver a root directory and be the parent of what
 * it starts.
 *
 * libvirt daemonizes hypervisors and virtiofsd, so they are orphans, and it
 * learns that one has ended when its pid is gone from the process table. An
 * init that reaps slowly makes every stop slow. Therefore this process becomes
 * the subreaper, finds the orphans it has inherited and reaps each by its own
 * pid as soon as it ends; children that libvirt forked and waits for itself are
 * left alone.
 *
 * Main thread only, except for vp_virt_embed_prepare (). */

typedef struct _VpVirtEmbed VpVirtEmbed;

/* NULL when @uri is not one of the embedded driver with a root. */
VpVirtEmbed *vp_virt_embed_new (const char *uri);
VpVirtEmbed *vp_virt_embed_ref (VpVirtEmbed *self);
void vp_virt_embed_unref (VpVirtEmbed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpVirtEmbed, vp_virt_embed_unref)

const char *vp_virt_embed_get_root (VpVirtEmbed *self);
/* Where the driver keeps its files about domains that run. */
char *vp_virt_embed_dup_run_dir (VpVirtEmbed *self);

/* To be called before the driver is opened: makes the root directory and its
 * etc/qemu.conf when they are missing, and removes what the driver keeps of starts
 * that the last one did not live to finish (vp-virt-husk.h). Does file I/O; any
 * thread. */
gboolean vp_virt_embed_prepare (VpVirtEmbed *self, GError **error);

/* Orphans are looked for between hold and release (every libvirt call that may
 * start a process is bracketed) and a little longer; those found are watched
 * until they end. Holds count. */
void vp_virt_embed_hold (VpVirtEmbed *self);
void vp_virt_embed_release (VpVirtEmbed *self);

/* How many inherited processes are alive, as far as known. */
guint vp_virt_embed_get_n_adopted (VpVirtEmbed *self);
