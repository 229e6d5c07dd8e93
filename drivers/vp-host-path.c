/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-host-path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-annotation-apply.h"
#include "vp-error.h"

#define CHUNK 65536

static gboolean
is_kind (VpPathKind kind, mode_t mode)
{
  switch (kind)
    {
    case VP_PATH_FILE:
    case VP_PATH_EXECUTABLE:
      return S_ISREG (mode);
    case VP_PATH_DIRECTORY:
      return S_ISDIR (mode);
    case VP_PATH_BLOCK:
      return S_ISBLK (mode);
    case VP_PATH_DISK:
      return S_ISREG (mode) || S_ISBLK (mode);
    case VP_PATH_CHAR:
      return S_ISCHR (mode);
    }
  return FALSE;
}

static gboolean
fail (const VpPathCheck *check, int errsv, GError **error)
{
  return vp_error_set_errno (error, errsv, "%s \"%s\"", check->what, check->path);
}

/* NULL with @error set. */
static char *
hash_content (const VpPathCheck *check, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA512);
  g_autofree guchar *chunk = g_malloc (CHUNK);
  int fd = open (check->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t n;
  int errsv;

  if (fd < 0)
    {
      fail (check, errno, error);
      return NULL;
    }
  while ((n = read (fd, chunk, CHUNK)) > 0 || (n < 0 && errno == EINTR))
    {
      if (n > 0)
        g_checksum_update (checksum, chunk, n);
    }
  errsv = errno;
  close (fd);
  if (n < 0)
    {
      fail (check, errsv, error);
      return NULL;
    }
  return g_strdup (g_checksum_get_string (checksum));
}

static gboolean
check_content (const VpPathCheck *check, GError **error)
{
  g_autofree char *found = hash_content (check, error);

  if (found == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (found, check->sha512) == 0)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": its SHA-512 is %s", check->what,
               check->path, found);
  return FALSE;
}

gboolean
vp_host_path_check (const VpPathCheck *check, GError **error)
{
  struct stat st;

  if (stat (check->path, &st) < 0)
    return fail (check, errno, error);
  if (!is_kind (check->kind, st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": is no %s", check->what,
                   check->path, vp_path_kind_to_string (check->kind));
      return FALSE;
    }
  if (access (check->path, check->kind == VP_PATH_EXECUTABLE ? X_OK : R_OK) < 0
      && check->kind != VP_PATH_DIRECTORY)
    return fail (check, errno, error);
  return check->sha512 == NULL || check_content (check, error);
}

gboolean
vp_host_path_check_plan (const VpPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->paths->len; i++)
    {
      if (!vp_host_path_check (g_ptr_array_index (plan->paths, i), error))
        return FALSE;
    }
  return TRUE;
}

/* Of a file or a block device. */
static gboolean
read_size (const char *path, guint64 *ret)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  off_t size = fd >= 0 ? lseek (fd, 0, SEEK_END) : -1;
  int errsv = errno;

  if (fd >= 0)
    close (fd);
  errno = errsv;
  *ret = size > 0 ? (guint64)size : 0;
  return size >= 0;
}

VpFacts *
vp_host_path_learn (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error)
{
  g_autoptr (VpAnnotations) annotations = vp_annotations_apply (spec, config, facts, error);
  VpConfig *effective;
  const char *image;
  guint64 size;

  if (annotations == NULL)
    return NULL;
  effective = annotations->config;
  if (!vp_config_boots_image (effective)
      || !g_str_equal (vp_config_get_string (effective, VP_CONFIG_GUEST_IMAGE_DRIVER), "nvdimm"))
    return vp_facts_ref (facts);
  image = vp_config_get_string (effective, VP_CONFIG_GUEST_IMAGE);
  if (read_size (image, &size))
    return vp_facts_new_with_image (facts, image, size);
  vp_error_set_errno (error, errno, "%s \"%s\"", vp_config_get_source (effective, VP_CONFIG_GUEST_IMAGE), image);
  return NULL;
}
