/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Something the agent mounts, for a sandbox before its containers start or for
 * one container: the protocol's Storage. */
typedef struct
{
  char *driver; /* "virtio-fs", "ephemeral", "local" */
  char *source;
  char *fstype;
  char *mount_point;
  char **options;        /* never NULL */
  char **driver_options; /* never NULL */
} VpGuestStorage;

/* @options may be NULL for none. */
VpGuestStorage *vp_guest_storage_new (const char *driver, const char *source, const char *fstype,
                                      const char *mount_point, const char *const *options);
void vp_guest_storage_free (VpGuestStorage *storage);

/* Appends "storage: DRIVER source=…" as a line. */
void vp_guest_storage_append_text (const VpGuestStorage *storage, GString *text);
