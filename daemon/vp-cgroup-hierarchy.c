/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-cgroup-private.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

#include "vp-fd.h"

/* Which hierarchies there are, and where processes are in them. */

#define PLACE "/sys/fs/cgroup" /* by convention; clients look nowhere else */
#define TEXT_MAX 65536

/* of both versions; first those that a group with processes of its own cannot hand on in version 2 */
static const char *const with_figures[]
    = { "memory", "io", "hugetlb", "blkio", "cpuacct", "cpu", "pids", "rdma", "misc", NULL };
static const char *const without[] = { "devices", "freezer", "net_cls", "net_prio", "perf_event", "cpuset", NULL };
/* where these are there are figures that somebody reads */
static const char *const wanted[] = { "memory", "cpu", "io", "pids", NULL };

char *
vp_cgroup_read (int fd, gsize max)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  while (text->len < max && ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0)
      g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

static char *
read_path (const char *path)
{
  VP_AUTO_FD fd = open (path, O_RDONLY | O_CLOEXEC);

  return fd >= 0 ? vp_cgroup_read (fd, TEXT_MAX) : NULL;
}

static void
hierarchy_free (gpointer data)
{
  VpCgroupHierarchy *h = data;

  g_free (h->mount);
  g_free (h->controller);
  g_free (h);
}

static const char *
find_option (const struct mntent *entry, const char *const *names)
{
  for (; *names != NULL; names++)
    if (hasmntopt (entry, *names) != NULL)
      return *names;
  return NULL;
}

static gboolean
has_wanted (const char *mount)
{
  g_autofree char *path = g_build_filename (mount, "cgroup.controllers", NULL);
  g_autofree char *text = read_path (path);
  g_auto (GStrv) has = text != NULL ? g_strsplit_set (text, " \n", -1) : NULL;

  for (const char *const *name = wanted; has != NULL && *name != NULL; name++)
    if (g_strv_contains ((const char *const *) has, *name))
      return TRUE;
  return FALSE;
}

static VpCgroupHierarchy *
hierarchy_new (const struct mntent *entry)
{
  VpCgroupHierarchy *h;
  const char *with = NULL, *any = NULL;

  if (!g_str_has_prefix (entry->mnt_dir, PLACE) || strchr ("/", entry->mnt_dir[strlen (PLACE)]) == NULL)
    return NULL;
  if (strcmp (entry->mnt_type, "cgroup") == 0)
    {
      with = find_option (entry, with_figures);
      any = with != NULL ? with : find_option (entry, without);
      if (any == NULL)
        return NULL; /* only a name: some program's */
    }
  else if (strcmp (entry->mnt_type, "cgroup2") != 0)
    return NULL;
  h = g_new0 (VpCgroupHierarchy, 1);
  h->mount = g_strdup (entry->mnt_dir);
  h->controller = g_strdup (any);
  h->version = any != NULL ? 1 : 2;
  h->figures = with != NULL || (any == NULL && has_wanted (entry->mnt_dir));
  h->ours = any != NULL || h->figures;
  h->cpuset = any != NULL && hasmntopt (entry, "cpuset") != NULL;
  return h;
}

static gboolean
is_known (const GPtrArray *all, const VpCgroupHierarchy *h)
{
  for (guint i = 0; i < all->len; i++)
    if (g_strcmp0 (((const VpCgroupHierarchy *) all->pdata[i])->controller, h->controller) == 0)
      return TRUE;
  return FALSE;
}

GPtrArray *
vp_cgroup_hierarchies (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (hierarchy_free);
  FILE *mounts = setmntent ("/proc/thread-self/mounts", "re");
  char text[8192];
  struct mntent entry;

  while (mounts != NULL && getmntent_r (mounts, &entry, text, sizeof text) != NULL)
    {
      VpCgroupHierarchy *h = hierarchy_new (&entry);

      if (h != NULL && !is_known (all, h))
        g_ptr_array_add (all, h);
      else if (h != NULL)
        hierarchy_free (h);
    }
  if (mounts != NULL)
    endmntent (mounts);
  return all;
}

/* "4:memory:/PATH" or, of version 2, "0::/PATH". */
static const char *
path_of_line (const VpCgroupHierarchy *h, char *line)
{
  char *controllers = strchr (line, ':');
  char *path = controllers != NULL ? strchr (controllers + 1, ':') : NULL;
  g_auto (GStrv) names = NULL;

  if (path == NULL)
    return NULL;
  *path++ = '\0';
  if (h->version == 2)
    return controllers[1] == '\0' ? path : NULL;
  names = g_strsplit (controllers + 1, ",", -1);
  return g_strv_contains ((const char *const *) names, h->controller) ? path : NULL;
}

char *
vp_cgroup_dup_place (const VpCgroupHierarchy *h, pid_t pid)
{
  g_autofree char *file = g_strdup_printf ("/proc/%d/cgroup", (int) pid);
  g_autofree char *text = read_path (file);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;

  for (char **line = lines; line != NULL && *line != NULL; line++)
    {
      const char *path = path_of_line (h, *line);

      /* outside of our namespace of cgroups it begins with ".." */
      if (path != NULL)
        return *path == '/' && !g_str_has_prefix (path, "/..") ? g_strdup (path) : NULL;
    }
  return NULL;
}

void
vp_cgroup_enable (const VpCgroupHierarchy *h, int dir)
{
  VP_AUTO_FD fd = h->version == 2 ? openat (dir, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

  for (const char *const *name = with_figures; fd >= 0 && *name != NULL; name++)
    {
      g_autofree char *text = g_strconcat ("+", *name, NULL);

      /* it has processes of its own: handing on any of the others now would make what is below useless */
      if (write (fd, text, strlen (text)) < 0 && errno == EBUSY)
        break;
    }
}
