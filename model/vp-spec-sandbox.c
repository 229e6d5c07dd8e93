/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Engines tell a sandbox's memory for /dev/shm and its name servers by files of
 * the host that they mount into its first container. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vp-fd.h"
#include "vp-spec-private.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define SHM "/dev/shm"
#define RESOLV_CONF_MAX 65536 /* bytes */
#define DNS_LINES_MAX 64
#define TMPFS_MAGIC 0x01021994

static const VpSpecMount *
find_mount (VpSpec *spec, const char *destination)
{
  for (guint i = 0; i < vp_spec_get_n_mounts (spec); i++)
    {
      const VpSpecMount *mount = vp_spec_get_mount (spec, i);

      if (g_str_equal (mount->destination, destination))
        return mount;
    }
  return NULL;
}

static char **
split_dns (const char *text)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) all = g_strsplit (text, "\n", -1);

  for (char **line = all; *line != NULL && lines->len < DNS_LINES_MAX; line++)
    {
      g_strstrip (*line);
      if ((*line)[0] != '\0' && (*line)[0] != '#' && (*line)[0] != ';' && g_utf8_validate (*line, -1, NULL))
        g_ptr_array_add (lines, g_strdup (*line));
    }
  g_ptr_array_add (lines, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}

/* The mount itself says later what is wrong with its source. */
static void
gather_dns (VpSpec *spec, const VpSpecMount *mount)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  VP_AUTO_FD fd = -1;
  struct stat info;
  gsize len;

  path = g_path_is_absolute (mount->source) ? g_strdup (mount->source)
                                            : g_build_filename (spec->bundle, mount->source, NULL);
  fd = vp_fd_open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLV_CONF, NULL);
  if (fd < 0 || fstat (fd, &info) < 0 || !S_ISREG (info.st_mode))
    return;
  text = vp_fd_read_all (fd, RESOLV_CONF_MAX, RESOLV_CONF, &len, NULL);
  if (text != NULL && memchr (text, '\0', len) == NULL)
    spec->dns = split_dns (text);
}

/* "64m", "65536k", "67108864"; 0 for what is none of it, a share of the memory for example */
static guint64
parse_size (const char *text)
{
  char *end;
  guint64 size = g_ascii_strtoull (text, &end, 10);
  guint shift;

  switch (g_ascii_tolower (*end))
    {
    case 'g':
      shift = 30;
      break;
    case 'm':
      shift = 20;
      break;
    case 'k':
      shift = 10;
      break;
    default:
      shift = 0;
    }
  if (!g_ascii_isdigit (text[0]) || end[shift != 0] != '\0' || size > G_MAXUINT64 >> shift)
    return 0;
  return size << shift;
}

static guint64
size_option (const VpSpecMount *mount)
{
  guint64 size = 0;

  for (const char *const *o = mount->options; *o != NULL; o++)
    {
      if (g_str_has_prefix (*o, "size="))
        size = parse_size (*o + strlen ("size="));
    }
  return size;
}

static guint64
size_on_host (const VpSpecMount *mount)
{
  struct statfs info;

  /* the host's own is for all of the host's processes */
  if (g_str_equal (mount->source, SHM) || statfs (mount->source, &info) < 0 || info.f_type != TMPFS_MAGIC)
    return 0;
  return (guint64)info.f_blocks * (guint64)info.f_bsize;
}

void
vp_spec_gather (VpSpec *spec)
{
  const VpSpecMount *resolv_conf = find_mount (spec, RESOLV_CONF);
  const VpSpecMount *shm = find_mount (spec, SHM);
  guint64 size = 0;

  if (resolv_conf != NULL && vp_spec_mount_is_bind (resolv_conf))
    gather_dns (spec, resolv_conf);
  if (shm != NULL && vp_spec_mount_is_bind (shm))
    size = size_on_host (shm);
  if (size > 0)
    spec->shm_size = size;
}

const char *const *
vp_spec_get_dns (VpSpec *spec)
{
  static const char *const none[] = { NULL };

  return spec->dns != NULL ? (const char *const *)spec->dns : none;
}

guint64
vp_spec_get_shm_size (VpSpec *spec)
{
  const VpSpecMount *shm = find_mount (spec, SHM);
  guint64 size = shm != NULL && !vp_spec_mount_is_bind (shm) ? size_option (shm) : 0;

  return size > 0 ? size : spec->shm_size;
}
