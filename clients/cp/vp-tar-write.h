/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-tar-read.h"

typedef struct
{
  const char *as;       /* first element of every name; NULL: only what is in the directory, without it */
  gboolean follow;      /* the source itself when it is a symbolic link */
  gboolean keep_owner;  /* numeric owner and group; else root's */
  VpTarProgress progress;
  gpointer user_data;
} VpTarWrite;

/* Writes the file or directory @source as a pax stream to @fd. Symbolic links
 * are members, not followed; sockets, devices and FIFOs are left out
 * (@ret_skipped). A file that changes meanwhile is cut or padded to the size it
 * had. VP_ERROR_CANCELLED when whoever reads @fd has left. Main thread, blocking. */
gboolean vp_tar_create (int fd, const char *source, const VpTarWrite *how, guint64 *ret_skipped, GError **error);
