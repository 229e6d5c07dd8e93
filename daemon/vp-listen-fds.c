/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-listen-fds.h"

#include <fcntl.h>

#include "vp-log.h"
#include "vp-sdnotify.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */
#define MAX_FDS 65536

/* by descriptor, from FIRST on; "" once it is taken */
static char **names;

/* As many as there are descriptors: those nobody named are "unknown", as
 * sd_listen_fds_with_names () has it, and so are all when it cannot be told whose is whose. */
static char **
split_names (const char *text, guint n)
{
  g_auto (GStrv) split = text != NULL ? g_strsplit (text, ":", -1) : NULL;
  char **result;

  if (split != NULL && g_strv_length (split) == n)
    return g_steal_pointer (&split);
  if (split != NULL)
    vp_warning (NULL, NULL, "$LISTEN_FDNAMES: %u names for %u descriptors", g_strv_length (split), n);
  result = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    result[i] = g_strdup ("unknown");
  return result;
}

guint
vp_listen_fds_receive (void)
{
  const char *count = g_getenv ("LISTEN_FDS");
  guint64 n = 0;

  g_clear_pointer (&names, g_strfreev);
  if (vp_sdnotify_is_ours ("LISTEN_PID") && count != NULL)
    (void) g_ascii_string_to_unsigned (count, 10, 0, MAX_FDS, &n, NULL);
  for (guint i = 0; i < n; i++)
    if (fcntl (FIRST + (int) i, F_SETFD, FD_CLOEXEC) != 0)
      {
        vp_warning (NULL, NULL, "$LISTEN_FDS: there is no descriptor %u", FIRST + i);
        n = i;
      }
  if (n > 0)
    names = split_names (g_getenv ("LISTEN_FDNAMES"), (guint) n);
  /* not for our children, whose pid may come to be the same */
  g_unsetenv ("LISTEN_FDS");
  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDNAMES");
  return (guint) n;
}

int
vp_listen_fds_take (const char *name)
{
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (name[0] != '\0' && g_str_equal (names[i], name))
      {
        names[i][0] = '\0';
        return FIRST + (int) i;
      }
  return -1;
}

const char *
vp_listen_fds_find (const char *prefix)
{
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (names[i][0] != '\0' && g_str_has_prefix (names[i], prefix))
      return names[i];
  return NULL;
}
