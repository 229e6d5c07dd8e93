/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-husk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-fd.h"
#include "vp-log.h"
#include "vp-virt-xml.h"

/* those of libvirt are some 20 KiB */
#define STATUS_MAX (4u << 20)
#define SUFFIX ".xml"

static gboolean
is_husk (int dir, const char *file, const char *domain_name)
{
  VP_AUTO_FD fd = openat (dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  g_autofree char *text = NULL;
  struct stat st;
  gsize len;

  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    return FALSE;
  text = vp_fd_read_all (fd, STATUS_MAX, file, &len, NULL);
  return text != NULL && vp_virt_xml_is_husk (text, domain_name);
}

static gboolean
remove_file (int dir, const char *file, const char *domain_name)
{
  if (!is_husk (dir, file, domain_name))
    return FALSE;
  if (unlinkat (dir, file, 0) < 0)
    {
      if (errno != ENOENT)
        vp_warning (NULL, NULL, "domain %s: libvirt's file about it not removed: %s", domain_name, g_strerror (errno));
      return FALSE;
    }
  vp_notice (NULL, NULL, "domain %s: had no process yet, or none any more: libvirt is made to forget it", domain_name);
  return TRUE;
}

gboolean
vp_virt_husk_remove (const char *run_dir, const char *domain_name)
{
  VP_AUTO_FD dir = open (run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *file = g_strconcat (domain_name, SUFFIX, NULL);

  return dir >= 0 && strchr (file, '/') == NULL && remove_file (dir, file, domain_name);
}

guint
vp_virt_husk_remove_all (const char *run_dir)
{
  DIR *dir = opendir (run_dir);
  struct dirent *entry;
  guint n = 0;

  if (dir == NULL)
    return 0;
  while ((entry = readdir (dir)) != NULL)
    if (g_str_has_suffix (entry->d_name, SUFFIX))
      {
        g_autofree char *name = g_strndup (entry->d_name, strlen (entry->d_name) - strlen (SUFFIX));

        n += remove_file (dirfd (dir), entry->d_name, name) ? 1 : 0;
      }
  closedir (dir);
  return n;
}
