/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-fdstore.h"

#include "vp-fd.h"
#include "vp-listen-fds.h"
#include "vp-sdnotify.h"

#define PREFIX "vp-"

char *
vp_fdstore_dup_name (const char *sandbox, const char *container, const char *exec, const char *stream)
{
  g_autofree char *text = g_strjoin ("/", sandbox, container, exec, stream, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

  /* ids may be too long, all four together */
  return g_strconcat (PREFIX, stream, "-", sum, NULL);
}

void
vp_fdstore_put (const char *name, int fd)
{
  g_autofree char *message = NULL;

  /* the manager keeps more than one of a name */
  vp_fdstore_remove (name);
  message = g_strdup_printf ("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
  (void) vp_sdnotify_with_fd (message, fd);
}

void
vp_fdstore_remove (const char *name)
{
  g_autofree char *message = g_strdup_printf ("FDSTOREREMOVE=1\nFDNAME=%s", name);

  (void) vp_sdnotify (message);
}

void
vp_fdstore_drop_rest (void)
{
  const char *found;

  while ((found = vp_listen_fds_find (PREFIX)) != NULL)
    {
      g_autofree char *name = g_strdup (found);
      VP_AUTO_FD fd = vp_listen_fds_take (name);

      vp_fdstore_remove (name);
    }
}
