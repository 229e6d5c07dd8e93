/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-fdstore.h"

#include <fcntl.h>
#include <stdlib.h>

#include "vp-fd.h"
#include "vp-log.h"
#include "vp-sdnotify.h"

#define PREFIX "vp-"
#define LISTEN_FDS_START 3
#define MAX_RECEIVED 65536

/* name -> descriptor that an earlier daemon left; NULL before vp_fdstore_receive () */
static GHashTable *received;

char *
vp_fdstore_dup_name (const char *sandbox, const char *container, const char *exec, const char *stream)
{
  g_autofree char *text = g_strjoin ("/", sandbox, container, exec, stream, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

  /* ids may be too long, all four together */
  return g_strconcat (PREFIX, stream, "-", sum, NULL);
}

static void
close_fd (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  vp_fd_clear (&fd);
}

void
vp_fdstore_receive (void)
{
  const char *count_text = g_getenv ("LISTEN_FDS");
  const char *pid_text = g_getenv ("LISTEN_PID");
  g_auto (GStrv) names = g_strsplit (g_getenv ("LISTEN_FDNAMES") ?: "", ":", -1);
  guint64 count = 0, pid = 0;

  if (received != NULL)
    return;
  received = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_fd);
  if (count_text == NULL || pid_text == NULL
      || !g_ascii_string_to_unsigned (count_text, 10, 1, MAX_RECEIVED, &count, NULL)
      || !g_ascii_string_to_unsigned (pid_text, 10, 1, G_MAXINT32, &pid, NULL) || pid != (guint64) getpid ())
    return;
  for (guint i = 0; i < count && names[i] != NULL; i++)
    {
      int fd = LISTEN_FDS_START + (int) i;

      if (!g_str_has_prefix (names[i], PREFIX))
        continue;
      if (fcntl (fd, F_SETFD, FD_CLOEXEC) == 0)
        g_hash_table_replace (received, g_strdup (names[i]), GINT_TO_POINTER (fd));
    }
  if (g_hash_table_size (received) > 0)
    vp_info (NULL, NULL, "%u descriptors of an earlier daemon received", g_hash_table_size (received));
}

int
vp_fdstore_take (const char *name)
{
  gpointer key, value;

  if (received == NULL || !g_hash_table_steal_extended (received, name, &key, &value))
    return -1;
  g_free (key);
  return GPOINTER_TO_INT (value);
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

static gboolean
drop (gpointer name, gpointer value, gpointer user_data)
{
  vp_fdstore_remove (name);
  return TRUE;
}

void
vp_fdstore_drop_rest (void)
{
  if (received != NULL)
    g_hash_table_foreach_remove (received, drop, NULL);
}
