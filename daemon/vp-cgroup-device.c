/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-cgroup-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#include "vp-error.h"
#include "vp-fd.h"

/* Version 2 has no devices controller: programs that are attached to a group, libvirt's to that
 * of a machine, filter what is opened in it. libvirt changes what such a program looks up, not
 * the program, when the machine gets a device: so the same program goes on being right. */

#define PROGRAMS_MAX 64

static int
call_bpf (int command, union bpf_attr *attr)
{
  return (int) syscall (SYS_bpf, command, attr, sizeof *attr);
}

/* All that a process in @group is under, of the groups above it too. -1 with errno. */
static int
query (int group, guint32 *ids, guint32 *ret_n)
{
  union bpf_attr attr;

  memset (&attr, 0, sizeof attr);
  attr.query.target_fd = (guint32) group;
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
  attr.query.prog_ids = (guint64) (guintptr) ids;
  attr.query.prog_cnt = PROGRAMS_MAX;
  if (call_bpf (BPF_PROG_QUERY, &attr) < 0)
    return -1;
  *ret_n = attr.query.prog_cnt;
  return 0;
}

static int
attach (int group, guint32 id)
{
  VP_AUTO_FD program = -1;
  union bpf_attr attr;

  memset (&attr, 0, sizeof attr);
  attr.prog_id = id;
  program = call_bpf (BPF_PROG_GET_FD_BY_ID, &attr);
  if (program < 0)
    return -1;
  memset (&attr, 0, sizeof attr);
  attr.target_fd = (guint32) group;
  attr.attach_bpf_fd = (guint32) program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  /* EINVAL: it is attached there already */
  return call_bpf (BPF_PROG_ATTACH, &attr) < 0 && errno != EINVAL ? -1 : 0;
}

static gboolean
has (const guint32 *ids, guint32 n, guint32 id)
{
  for (guint32 i = 0; i < n; i++)
    if (ids[i] == id)
      return TRUE;
  return FALSE;
}

gboolean
vp_cgroup_keep_device_filter (const VpCgroupHierarchy *h, pid_t pid, int group, GError **error)
{
  g_autofree char *place = vp_cgroup_dup_place (h, pid);
  g_autofree char *path = place != NULL ? g_build_filename (h->mount, place, NULL) : NULL;
  VP_AUTO_FD from = path != NULL ? open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  guint32 here[PROGRAMS_MAX], there[PROGRAMS_MAX];
  guint32 n_here = 0, n_there = 0;

  if (from < 0)
    return TRUE; /* it has ended */
  if (query (from, here, &n_here) < 0)
    /* a kernel without such programs has no filter to lose */
    return errno == EINVAL || errno == ENOSYS
           || vp_error_set_errno (error, errno, "filter of devices of process %d", (int) pid);
  if (n_here > 0 && query (group, there, &n_there) < 0)
    return vp_error_set_errno (error, errno, "filter of devices");
  for (guint32 i = 0; i < n_here; i++)
    if (!has (there, n_there, here[i]) && attach (group, here[i]) < 0)
      return vp_error_set_errno (error, errno, "filter of devices of process %d", (int) pid);
  return TRUE;
}
