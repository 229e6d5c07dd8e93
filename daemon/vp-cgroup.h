/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Control groups of the host that are made for a sandbox, at the path that its bundle names, in
 * each hierarchy below /sys/fs/cgroup: container engines take their figures from there. Limits
 * are not set; those of containers are the guest's.
 *
 * Of version 1 these have figures: cpu, cpuacct, memory, blkio, pids, hugetlb, rdma, misc. A machine
 * stays where libvirt has put it in the others: its devices, above all, are confined there. Of
 * version 2 the one hierarchy is taken if it has a controller with figures; a filter of devices
 * that a machine was under is there in its new group, too.
 *
 * A path is one of vp_cgroup_from_cgroups_path (). Nothing outside it is ever made, moved into
 * or removed; symbolic links are not followed and other file systems not entered. All functions
 * block, for a short time but for the removals, and may be called in any thread. */

typedef enum
{
  VP_CGROUP_STANDIN, /* all it has is its group's, but for the processors and memory nodes that it may use */
  VP_CGROUP_MACHINE, /* with what libvirt has started beside it; only where there are figures */
} VpCgroupMember;

/* Makes it, and the directories above it that are not there: those stay for ever, as they do with
 * runc. TRUE when it is there in at least one hierarchy with figures. Busy when it is there already
 * and has processes or groups of its own: it is somebody else's, and nothing has been made. */
gboolean vp_cgroup_make (const char *path, GError **error);

/* Moves processes there from wherever they are; one that has ended is none. */
gboolean vp_cgroup_join (const char *path, VpCgroupMember member, const pid_t *pids, guint n, GError **error);

/* Where libvirt has put a hypervisor, the same in all hierarchies: "/machine/qemu-1-NAME.libvirt-qemu".
 * NULL: nowhere. From the moment on that the hypervisor leaves it, a libvirt that is started
 * again does not know it any more, so that it has to be removed with vp_cgroup_remove_libvirts ().  */
char *vp_cgroup_dup_libvirts (pid_t hypervisor);

/* Removes a group that was made. Stand-ins that are still in it, @standins and what is called
 * virtpod-proxy, are about to find out that what they stand for has ended: they are put into the
 * daemon's own group before. What is not there is success. Busy when something else is in it
 * after some seconds. */
gboolean vp_cgroup_remove (const char *path, const pid_t *standins, guint n, GError **error);

/* Removes what libvirt has left of its group, if nothing is in it. */
gboolean vp_cgroup_remove_libvirts (const char *path, GError **error);
