/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-cgroup.h"

/* Shared by the vp-cgroup*.c files, by nobody else. */

typedef struct
{
  char *mount;      /* below /sys/fs/cgroup */
  char *controller; /* one that it has; NULL for version 2 */
  guint version;
  gboolean ours;    /* groups are made in it: not where all version 2 has is what version 1 has left */
  gboolean figures; /* has a controller whose figures clients read */
  gboolean cpuset;  /* nothing can be moved into a group of it that was not told of what it may use */
} VpCgroupHierarchy;

/* Those of version 1 that have a controller, and that of version 2. */
GPtrArray *vp_cgroup_hierarchies (void);

/* Where a process is, as an absolute path below the mount; NULL: it has ended, or is outside
 * the part that is mounted. */
char *vp_cgroup_dup_place (const VpCgroupHierarchy *h, pid_t pid);

/* Lets the groups below a directory of version 2 have figures. Not all that it has may be
 * handed on, so nothing that is refused is an error. */
void vp_cgroup_enable (const VpCgroupHierarchy *h, int dir);

/* All of a file of the kernel's, up to @max bytes; NULL: it cannot be read. */
char *vp_cgroup_read (int fd, gsize max);

/* vp-cgroup-device.c: has @group filter devices as the place where @pid is now does. Of version 2. */
gboolean vp_cgroup_keep_device_filter (const VpCgroupHierarchy *h, pid_t pid, int group, GError **error);
