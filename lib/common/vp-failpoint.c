/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-failpoint.h"

#ifdef VP_FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

static GMutex mutex;
static GHashTable *passes; /* name -> how often */

static guint
count_pass (const char *name)
{
  guint n;

  g_mutex_lock (&mutex);
  if (passes == NULL)
    passes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  n = GPOINTER_TO_UINT (g_hash_table_lookup (passes, name)) + 1;
  g_hash_table_replace (passes, g_strdup (name), GUINT_TO_POINTER (n));
  g_mutex_unlock (&mutex);
  return n;
}

static void
trace (const char *name)
{
  const char *path = g_getenv (VP_ENV_FAILPOINT_TRACE);
  g_autofree char *line = g_strconcat (name, "\n", NULL);
  VP_AUTO_FD fd = path != NULL ? open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

  if (fd >= 0 && write (fd, line, strlen (line)) < 0)
    g_warning ("%s: %s", path, g_strerror (errno));
}

static gboolean
act (const char *name, const char *action, GError **error)
{
  static const struct
  {
    const char *word;
    int errsv;
  } errnos[] = { { "enospc", ENOSPC }, { "eio", EIO }, { "emfile", EMFILE } };

  if (g_str_equal (action, "kill"))
    (void) kill (getpid (), SIGKILL);
  if (g_str_has_prefix (action, "delay:"))
    {
      g_usleep (1000 * g_ascii_strtoull (action + strlen ("delay:"), NULL, 10));
      return TRUE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    if (g_str_equal (action, errnos[i].word))
      return vp_error_set_errno (error, errnos[i].errsv, "failpoint %s", name);
  g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "failpoint %s", name);
  return FALSE;
}

gboolean
vp_failpoint (const char *name, GError **error)
{
  g_auto (GStrv) armed = g_strsplit (g_getenv (VP_ENV_FAILPOINT) ?: "", ";", -1);
  guint n = count_pass (name);

  trace (name);
  for (char **item = armed; *item != NULL; item++)
    {
      g_auto (GStrv) parts = g_strsplit_set (*item, "=@", 3);

      if (g_strv_length (parts) >= 2 && g_str_equal (parts[0], name)
          && n == (parts[2] != NULL ? g_ascii_strtoull (parts[2], NULL, 10) : 1))
        return act (name, parts[1], error);
    }
  return TRUE;
}

#endif
