/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-container-plan.h"
#include "vp-mount-ns.h"
#include "vp-plan.h"

/* The only file with mount system calls. All calls block for a short time on
 * the kernel and may be made from any thread; they touch nothing but what is
 * below the share they are given. Sources are opened once, by descriptor, and
 * what was opened is what gets mounted. */

/* Makes @share_dir (absolute; its parent exists) a directory and a shared mount
 * of its own, so that mounts made below it later reach the file server. Does
 * nothing when it is one already. */
gboolean vp_host_mount_share_prepare (const char *share_dir, GError **error);

/* Makes one file or directory visible below the share. A source that is a
 * socket, fifo or device is NotSupported naming the bind's field. @source_fd:
 * O_PATH descriptor to use instead of opening bind->source, or -1. */
gboolean vp_host_mount_bind (const char *share_dir, const VpHostBind *bind, int source_fd, GError **error);

/* The share, and in it what the plan has every guest see; nothing stays behind on failure. */
gboolean vp_host_mount_sandbox (const char *share_dir, const VpPlan *plan, GError **error);

/* Every bind of a container, with sources as they are in @mount_ns (NULL: ours);
 * nothing stays behind on failure, and nothing of what is made in it. */
gboolean vp_host_mount_container (const char *share_dir, const VpContainerPlan *plan, VpMountNs *mount_ns,
                                  GError **error);

/* Takes back what vp_host_mount_container() made, also half of it; what is not
 * there is success. Mounts are detached at once, whoever still uses them. */
gboolean vp_host_mount_container_remove (const char *share_dir, const char *container_id, GError **error);

/* The same for the whole share: every mount below it, its own, the directory. */
gboolean vp_host_mount_share_remove (const char *share_dir, GError **error);

/* Makes @path (absolute, its parent exists; a file of that name may) keep alive
 * what @fd is: a namespace. Nothing stays behind on failure. */
gboolean vp_host_mount_pin (int fd, const char *path, GError **error);

/* Takes it back, also half of it; what is not there is success. */
gboolean vp_host_mount_unpin (const char *path, GError **error);
