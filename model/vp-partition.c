/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include <limits.h>
#include <string.h>

#define SLICE ".slice"

/* systemd writes a byte it cannot have in a unit's name as \xNN. */
static char *
unescape (const char *name, gsize len)
{
  GString *text = g_string_sized_new (len);

  for (gsize i = 0; i < len; i++)
    {
      if (i + 3 < len && name[i] == '\\' && name[i + 1] == 'x' && g_ascii_isxdigit (name[i + 2])
          && g_ascii_isxdigit (name[i + 3]))
        {
          g_string_append_c (
              text, (char)(g_ascii_xdigit_value (name[i + 2]) * 16 + g_ascii_xdigit_value (name[i + 3])));
          i += 3;
        }
      else
        g_string_append_c (text, name[i]);
    }
  return g_string_free (text, FALSE);
}

/* "kubepods-burstable-pod1.slice" is /kubepods/burstable/pod1: a slice's name
 * says where it is, and libvirt makes the name of the path again. */
static char *
from_slice (const char *slice, const char **ret_why)
{
  gsize len = strlen (slice);
  g_auto (GStrv) parts = NULL;
  GString *path;

  if (len <= strlen (SLICE) || !g_str_has_suffix (slice, SLICE) || strchr (slice, '/') != NULL)
    {
      *ret_why = "it names no slice of systemd";
      return NULL;
    }
  len -= strlen (SLICE);
  if (len == 1 && slice[0] == '-')
    {
      *ret_why = "libvirt puts nothing into the root slice";
      return NULL;
    }
  {
    g_autofree char *stem = g_strndup (slice, len);
    parts = g_strsplit (stem, "-", -1);
  }
  path = g_string_new (NULL);
  for (char **part = parts; *part != NULL; part++)
    {
      g_autofree char *plain = unescape (*part, strlen (*part));

      if (plain[0] == '\0' || strchr (plain, '/') != NULL || !g_utf8_validate (plain, -1, NULL))
        {
          g_string_free (path, TRUE);
          *ret_why = "it names no slice of systemd";
          return NULL;
        }
      g_string_append_printf (path, "/%s", plain);
    }
  return g_string_free (path, FALSE);
}

/* The directories of a path, without "." and empty ones. NULL: it leads upwards. */
static GPtrArray *
split_path (const char *path, const char **ret_why)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);

  for (char **part = parts; *part != NULL; part++)
    {
      if (g_str_equal (*part, ".."))
        {
          *ret_why = "it leads upwards";
          return NULL;
        }
      if ((*part)[0] != '\0' && !g_str_equal (*part, "."))
        g_ptr_array_add (kept, g_strdup (*part));
    }
  return g_steal_pointer (&kept);
}

/* The parent directory of a cgroup, if libvirt has a name for it: it appends
 * ".partition" to each component without a dot, but for its own three roots. */
static char *
from_path (const char *cgroup, const char **ret_why)
{
  g_autoptr (GPtrArray) kept = split_path (cgroup, ret_why);
  GString *path;

  if (kept == NULL)
    return NULL;
  if (kept->len < 2)
    {
      *ret_why = "it is at the root, where libvirt puts nothing";
      return NULL;
    }
  g_ptr_array_set_size (kept, (int)kept->len - 1); /* the leaf would be the container's */
  path = g_string_new (NULL);
  for (guint i = 0; i < kept->len; i++)
    {
      static const char *const roots[] = { "machine", "system", "user", NULL };
      const char *part = g_ptr_array_index (kept, i);

      if (strchr (part, '.') == NULL && !(i == 0 && g_strv_contains (roots, part)))
        {
          g_string_free (path, TRUE);
          *ret_why = "libvirt has no name for a cgroup whose directories have no suffix";
          return NULL;
        }
      g_string_append_printf (path, "/%s", part);
    }
  return g_string_free (path, FALSE);
}

/* SLICE:PREFIX:NAME, which systemd makes a cgroup of. */
static gboolean
is_of_systemd (const char *cgroups_path)
{
  return cgroups_path[0] != '/' && strchr (cgroups_path, ':') != NULL;
}

/* What the kernel has in every directory of a cgroup begins with the name of who made it. */
static gboolean
is_kernel_file (const char *name)
{
  static const char *const files[] = { "tasks", "notify_on_release", "release_agent", NULL };
  static const char *const makers[] = { "cgroup.",  "memory.",  "cpu.",  "cpuacct.", "cpuset.",  "blkio.", "io.",
                                        "pids.",    "devices.", "freezer.", "net_cls.", "net_prio.", "hugetlb.",
                                        "rdma.",    "misc.",    "perf_event." };

  for (gsize i = 0; i < G_N_ELEMENTS (makers); i++)
    if (g_str_has_prefix (name, makers[i]))
      return TRUE;
  return g_strv_contains (files, name);
}

char *
vp_cgroup_from_cgroups_path (const char *cgroups_path, const char **ret_why)
{
  g_autoptr (GPtrArray) kept = NULL;
  GString *path;
  const char *unused;

  if (ret_why == NULL)
    ret_why = &unused;
  *ret_why = NULL;
  if (cgroups_path == NULL || cgroups_path[0] == '\0')
    {
      *ret_why = "there is none";
      return NULL;
    }
  if (is_of_systemd (cgroups_path))
    {
      *ret_why = "it is systemd's to make";
      return NULL;
    }
  kept = split_path (cgroups_path, ret_why);
  if (kept == NULL)
    return NULL;
  if (kept->len == 0)
    {
      *ret_why = "it is the root";
      return NULL;
    }
  path = g_string_new (NULL);
  for (guint i = 0; i < kept->len; i++)
    {
      const char *part = g_ptr_array_index (kept, i);

      if (strlen (part) > NAME_MAX || strchr (part, '\n') != NULL || is_kernel_file (part))
        {
          g_string_free (path, TRUE);
          *ret_why = "it has a name that no cgroup can have";
          return NULL;
        }
      g_string_append_printf (path, "/%s", part);
    }
  return g_string_free (path, FALSE);
}

char *
vp_partition_from_cgroups_path (const char *cgroups_path, const char **ret_why)
{
  const char *unused;

  if (ret_why == NULL)
    ret_why = &unused;
  *ret_why = NULL;
  if (cgroups_path == NULL || cgroups_path[0] == '\0')
    {
      *ret_why = "there is none";
      return NULL;
    }
  if (is_of_systemd (cgroups_path))
    {
      g_auto (GStrv) parts = g_strsplit (cgroups_path, ":", -1);

      if (g_strv_length (parts) != 3)
        {
          *ret_why = "it is not SLICE:PREFIX:NAME";
          return NULL;
        }
      return from_slice (parts[0][0] != '\0' ? parts[0] : "system.slice", ret_why);
    }
  return from_path (cgroups_path, ret_why);
}
