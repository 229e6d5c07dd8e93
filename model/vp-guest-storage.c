/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-storage.h"

VpGuestStorage *
vp_guest_storage_new (const char *driver, const char *source, const char *fstype, const char *mount_point,
                      const char *const *options)
{
  VpGuestStorage *storage = g_new0 (VpGuestStorage, 1);

  storage->driver = g_strdup (driver);
  storage->source = g_strdup (source);
  storage->fstype = g_strdup (fstype);
  storage->mount_point = g_strdup (mount_point);
  storage->options = options != NULL ? g_strdupv ((char **)options) : g_new0 (char *, 1);
  storage->driver_options = g_new0 (char *, 1);
  return storage;
}

void
vp_guest_storage_free (VpGuestStorage *storage)
{
  if (storage == NULL)
    return;
  g_free (storage->driver);
  g_free (storage->source);
  g_free (storage->fstype);
  g_free (storage->mount_point);
  g_strfreev (storage->options);
  g_strfreev (storage->driver_options);
  g_free (storage);
}

void
vp_guest_storage_append_text (const VpGuestStorage *storage, GString *text)
{
  g_autofree char *options = g_strjoinv (",", storage->options);

  g_string_append_printf (text, "storage: %s source=%s fstype=%s mount-point=%s options=%s\n",
                          storage->driver, storage->source, storage->fstype, storage->mount_point, options);
}
