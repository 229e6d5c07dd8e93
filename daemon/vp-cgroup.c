/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vp-cgroup-private.h"
#include "vp-error.h"
#include "vp-fd.h"

#define LIBVIRT_SUFFIX ".libvirt-qemu" /* of its groups, all of them */
#define REMOVE_MS 5000
#define STANDIN_COMM "virtpod-proxy\n"
#define AGAIN_USEC 5000
#define PROCS_MAX (1u << 20)
#define DEPTH_MAX 4

/* ---- directories ---- */

static int
open_dir (int dirfd, const char *name)
{
  return openat (dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Something may be mounted on a directory of a hierarchy. */
static gboolean
is_of_cgroups (int fd)
{
  struct statfs fs;

  if (fstatfs (fd, &fs) == 0 && (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC))
    return TRUE;
  errno = EXDEV;
  return FALSE;
}

/* The directory above the last one of @path; -1 with errno. @make: with those that are not there. */
static int
open_parent (const VpCgroupHierarchy *h, const char *path, gboolean make, char **ret_leaf)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1); /* the first is empty */
  VP_AUTO_FD dir = open_dir (AT_FDCWD, h->mount);
  guint n = g_strv_length (parts);

  for (guint i = 1; dir >= 0 && i + 1 < n; i++)
    {
      int next = open_dir (dir, parts[i]);

      if (next < 0 && errno == ENOENT && make)
        {
          vp_cgroup_enable (h, dir);
          if (mkdirat (dir, parts[i], 0755) == 0 || errno == EEXIST)
            next = open_dir (dir, parts[i]);
        }
      if (next >= 0 && !is_of_cgroups (next))
        vp_fd_clear (&next); /* keeps errno */
      vp_fd_clear (&dir);
      dir = next;
    }
  if (dir < 0 || !is_of_cgroups (dir))
    return -1;
  *ret_leaf = g_strdup (parts[n - 1]);
  return vp_fd_steal (&dir);
}

static int
open_group (const VpCgroupHierarchy *h, const char *path)
{
  g_autofree char *leaf = NULL;
  VP_AUTO_FD parent = open_parent (h, path, FALSE, &leaf);
  VP_AUTO_FD group = parent >= 0 ? open_dir (parent, leaf) : -1;

  if (group >= 0 && !is_of_cgroups (group))
    return -1;
  return vp_fd_steal (&group);
}

/* The processes of a group, without those of groups below it; what cannot be read has none. */
static void
add_procs (int group, GArray *pids)
{
  VP_AUTO_FD fd = openat (group, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  g_autofree char *text = fd >= 0 ? vp_cgroup_read (fd, PROCS_MAX) : NULL;
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;

  for (char **line = lines; line != NULL && *line != NULL; line++)
    {
      guint64 number;

      if (g_ascii_string_to_unsigned (*line, 10, 1, G_MAXINT32, &number, NULL))
        {
          pid_t pid = (pid_t) number;

          g_array_append_val (pids, pid);
        }
    }
}

typedef void (*ChildFunc) (int group, int child, const char *name, gpointer data);

/* Each group directly below. */
static void
foreach_child (int group, ChildFunc func, gpointer data)
{
  int again = open_dir (group, ".");
  DIR *dir = again >= 0 ? fdopendir (again) : NULL;
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      {
        VP_AUTO_FD child = open_dir (group, entry->d_name);

        if (child >= 0 && is_of_cgroups (child))
          func (group, child, entry->d_name, data);
      }
  if (dir != NULL)
    closedir (dir);
  else if (again >= 0)
    (void) close (again);
}

static gboolean
move (int group, pid_t pid)
{
  VP_AUTO_FD fd = openat (group, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  char text[16];
  int len = g_snprintf (text, sizeof text, "%d", (int) pid);

  return fd >= 0 && (write (fd, text, (size_t) len) == len || errno == ESRCH);
}

/* ---- making ---- */

static void
count_child (int group, int child, const char *name, gpointer data)
{
  ++*(guint *) data;
}

/* Whether somebody uses the group. One that is not there nobody does. */
static gboolean
is_in_use (const VpCgroupHierarchy *h, const char *path)
{
  VP_AUTO_FD group = open_group (h, path);
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  guint n_children = 0;

  if (group < 0)
    return FALSE;
  add_procs (group, pids);
  foreach_child (group, count_child, &n_children);
  return pids->len > 0 || n_children > 0;
}

static gboolean
make_in (const VpCgroupHierarchy *h, const char *path, GError **error)
{
  g_autofree char *leaf = NULL;
  VP_AUTO_FD parent = open_parent (h, path, TRUE, &leaf);

  if (parent < 0)
    return vp_error_set_errno (error, errno, "cgroup %s%s", h->mount, path);
  vp_cgroup_enable (h, parent);
  if (mkdirat (parent, leaf, 0755) < 0 && errno != EEXIST)
    return vp_error_set_errno (error, errno, "cgroup %s%s", h->mount, path);
  return TRUE;
}

gboolean
vp_cgroup_make (const char *path, GError **error)
{
  g_autoptr (GPtrArray) all = vp_cgroup_hierarchies ();
  g_autoptr (GError) first = NULL;
  gboolean made = FALSE;

  for (guint i = 0; i < all->len; i++)
    {
      const VpCgroupHierarchy *h = all->pdata[i];

      if (h->ours && is_in_use (h, path))
        return vp_error_set (error, VP_ERROR_BUSY, "cgroup %s%s: has processes or groups already", h->mount, path);
    }
  for (guint i = 0; i < all->len; i++)
    {
      const VpCgroupHierarchy *h = all->pdata[i];

      if (h->ours && make_in (h, path, first == NULL ? &first : NULL))
        made = made || h->figures;
    }
  if (made)
    return TRUE;
  (void) vp_cgroup_remove (path, NULL, 0, NULL);
  if (first == NULL)
    return vp_error_set (error, VP_ERROR_NOT_SUPPORTED, "cgroup %s: no hierarchy with figures is mounted", path);
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

/* ---- moving ---- */

typedef struct
{
  GArray *pids;
  guint depth;
} Collect;

static void
collect_child (int group, int child, const char *name, gpointer data)
{
  Collect *collect = data;

  add_procs (child, collect->pids);
  if (++collect->depth < DEPTH_MAX)
    foreach_child (child, collect_child, collect);
  collect->depth--;
}

char *
vp_cgroup_dup_libvirts (pid_t hypervisor)
{
  g_autoptr (GPtrArray) all = vp_cgroup_hierarchies ();

  for (guint i = 0; i < all->len; i++)
    {
      g_autofree char *path = vp_cgroup_dup_place (all->pdata[i], hypervisor);
      char *end = path != NULL ? strstr (path, LIBVIRT_SUFFIX) : NULL;

      if (end == NULL || (end[strlen (LIBVIRT_SUFFIX)] != '/' && end[strlen (LIBVIRT_SUFFIX)] != '\0')
          || strstr (path, "/../") != NULL)
        continue;
      end[strlen (LIBVIRT_SUFFIX)] = '\0';
      return g_steal_pointer (&path);
    }
  return NULL;
}

/* What libvirt has in the group of a machine, in whichever hierarchies. */
static void
add_neighbours (const GPtrArray *all, pid_t hypervisor, GArray *pids)
{
  g_autofree char *path = vp_cgroup_dup_libvirts (hypervisor);

  for (guint i = 0; path != NULL && i < all->len; i++)
    {
      VP_AUTO_FD group = open_group (all->pdata[i], path);
      Collect collect = { pids, 0 };

      if (group < 0)
        continue;
      add_procs (group, pids);
      foreach_child (group, collect_child, &collect);
    }
}

static gboolean
join_in (const VpCgroupHierarchy *h, const char *path, VpCgroupMember member, const GArray *pids, GError **error)
{
  gboolean filtered = h->version == 2 && member == VP_CGROUP_MACHINE;
  VP_AUTO_FD group = open_group (h, path);

  if (group < 0 && errno == ENOENT)
    return TRUE; /* it could not be made there either */
  if (group < 0)
    return vp_error_set_errno (error, errno, "cgroup %s%s", h->mount, path);
  for (guint i = 0; i < pids->len; i++)
    {
      pid_t pid = g_array_index (pids, pid_t, i);

      if (filtered && !vp_cgroup_keep_device_filter (h, pid, group, error))
        return FALSE;
      if (!move (group, pid))
        return vp_error_set_errno (error, errno, "cgroup %s%s: process %d", h->mount, path, (int) pid);
    }
  return TRUE;
}

gboolean
vp_cgroup_join (const char *path, VpCgroupMember member, const pid_t *pids, guint n, GError **error)
{
  g_autoptr (GPtrArray) all = vp_cgroup_hierarchies ();
  g_autoptr (GArray) who = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GError) first = NULL;

  if (n == 0)
    return TRUE;
  g_array_append_vals (who, pids, n);
  if (member == VP_CGROUP_MACHINE)
    add_neighbours (all, pids[0], who);
  for (guint i = 0; i < all->len; i++)
    {
      const VpCgroupHierarchy *h = all->pdata[i];

      if (h->figures || (member == VP_CGROUP_STANDIN && h->ours && !h->cpuset))
        (void) join_in (h, path, member, who, first == NULL ? &first : NULL);
    }
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

/* ---- removing ---- */

typedef struct
{
  const pid_t *pids;
  guint n;
} Standins;

/* One of them, or one that we have forgotten since what it stood for has ended. */
static gboolean
is_standin (const Standins *standins, pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", (int) pid);
  g_autofree char *comm = NULL;

  for (guint i = 0; i < standins->n; i++)
    if (standins->pids[i] == pid)
      return TRUE;
  return g_file_get_contents (path, &comm, NULL, NULL) && g_str_equal (comm, STANDIN_COMM);
}

/* Nothing else is moved: the group may have become somebody else's. */
static void
evict (const VpCgroupHierarchy *h, int group, const Standins *standins)
{
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autofree char *own = vp_cgroup_dup_place (h, getpid ());
  VP_AUTO_FD dir = -1;

  add_procs (group, pids);
  if (own == NULL)
    return;
  dir = g_str_equal (own, "/") ? open_dir (AT_FDCWD, h->mount) : open_group (h, own);
  for (guint i = 0; dir >= 0 && i < pids->len; i++)
    if (is_standin (standins, g_array_index (pids, pid_t, i)))
      (void) move (dir, g_array_index (pids, pid_t, i));
}

/* What has just ended may be in it for a moment. */
static gboolean
remove_in (const VpCgroupHierarchy *h, const char *path, const Standins *standins, gint64 deadline, GError **error)
{
  g_autofree char *leaf = NULL;
  VP_AUTO_FD parent = open_parent (h, path, FALSE, &leaf);

  if (parent < 0)
    return errno == ENOENT || vp_error_set_errno (error, errno, "cgroup %s%s", h->mount, path);
  while (unlinkat (parent, leaf, AT_REMOVEDIR) < 0)
    {
      VP_AUTO_FD group = -1;
      int errsv = errno;

      if (errsv == ENOENT)
        return TRUE;
      if (errsv != EBUSY || g_get_monotonic_time () > deadline)
        return vp_error_set_errno (error, errsv, "cgroup %s%s", h->mount, path);
      group = open_dir (parent, leaf);
      if (group >= 0 && is_of_cgroups (group))
        evict (h, group, standins);
      g_usleep (AGAIN_USEC);
    }
  return TRUE;
}

gboolean
vp_cgroup_remove (const char *path, const pid_t *standins, guint n, GError **error)
{
  const Standins named = { standins, n };
  g_autoptr (GPtrArray) all = vp_cgroup_hierarchies ();
  gint64 deadline = g_get_monotonic_time () + REMOVE_MS * 1000;
  gboolean done = TRUE;

  for (guint i = 0; i < all->len; i++)
    {
      const VpCgroupHierarchy *h = all->pdata[i];

      if (h->ours)
        done = remove_in (h, path, &named, deadline, done ? error : NULL) && done;
    }
  return done;
}

static void
remove_child (int group, int child, const char *name, gpointer data)
{
  Collect *collect = data;

  if (++collect->depth < DEPTH_MAX)
    foreach_child (child, remove_child, collect);
  collect->depth--;
  (void) unlinkat (group, name, AT_REMOVEDIR);
}

/* libvirt may be at the same, and virtiofsd about to end. */
static gboolean
remove_libvirts_in (const VpCgroupHierarchy *h, const char *path, gint64 deadline, GError **error)
{
  g_autofree char *leaf = NULL;
  VP_AUTO_FD parent = open_parent (h, path, FALSE, &leaf);

  while (parent >= 0)
    {
      VP_AUTO_FD group = open_dir (parent, leaf);
      Collect collect = { NULL, 0 };

      if (group < 0 || !is_of_cgroups (group))
        break;
      foreach_child (group, remove_child, &collect);
      if (unlinkat (parent, leaf, AT_REMOVEDIR) == 0 || errno == ENOENT)
        break;
      if (errno != EBUSY || g_get_monotonic_time () > deadline)
        return vp_error_set_errno (error, errno, "cgroup %s%s", h->mount, path);
      g_usleep (AGAIN_USEC);
    }
  return TRUE;
}

gboolean
vp_cgroup_remove_libvirts (const char *path, GError **error)
{
  g_autoptr (GPtrArray) all = vp_cgroup_hierarchies ();
  gint64 deadline = g_get_monotonic_time () + REMOVE_MS * 1000;
  gboolean done = TRUE;

  if (!g_str_has_suffix (path, LIBVIRT_SUFFIX))
    return vp_error_set (error, VP_ERROR_INVALID_ARGUMENT, "cgroup %s: is not of libvirt", path);
  for (guint i = 0; i < all->len; i++)
    done = remove_libvirts_in (all->pdata[i], path, deadline, done ? error : NULL) && done;
  return done;
}
