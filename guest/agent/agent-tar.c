/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-openat2.h"
#include "agent-tar-private.h"
#include "vp-agent-names.h"

#define MAX_LINE 1024

static const struct
{
  const char *name;
  AgentTarFlags flag;
  int of_extract;
} options[] = {
  { VP_TAR_DEREFERENCE, AGENT_TAR_DEREFERENCE, 0 },
  { VP_TAR_ONE_FILE_SYSTEM, AGENT_TAR_ONE_FILE_SYSTEM, 0 },
  { VP_TAR_NO_OVERWRITE, AGENT_TAR_NO_OVERWRITE, 1 },
  { VP_TAR_NO_SAME_OWNER, AGENT_TAR_NO_SAME_OWNER, 1 },
  { VP_TAR_MKDIR, AGENT_TAR_MKDIR, 1 },
  { VP_TAR_DEVICES, AGENT_TAR_DEVICES, 1 },
};

int
agent_tar_complain (int error, int status, const char *name, const char *format, ...)
{
  char text[MAX_LINE], line[MAX_LINE + 16];
  va_list args;
  int n;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  n = snprintf (line, sizeof line, "%.512s%s%s", name != NULL ? name : "", name != NULL ? ": " : "", text);
  n = n < MAX_LINE ? n : MAX_LINE;
  for (char *p = line; p < line + n; p++)
    if ((uint8_t)*p < 0x20 || *p == 0x7f)
      *p = '?';
  line[n++] = '\n';
  /* nobody to tell is no reason to behave otherwise */
  if (write (error, line, (size_t)n) < 0)
    errno = 0;
  return status;
}

int
agent_tar_open_in_root (int root, const char *path, int flags)
{
  return agent_openat2 (root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int
agent_tar_open_beneath (int dir, const char *path, int flags)
{
  return agent_openat2 (dir, path, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

/* 0 and what to do, or -1 */
static int
parse (const char *const *args, int *ret_extract, AgentTarFlags *ret_flags, const char **ret_error)
{
  unsigned flags = 0;

  *ret_error = "args[1]: must be \"" VP_TAR_CREATE "\" or \"" VP_TAR_EXTRACT "\"";
  if (args[0] == NULL || (strcmp (args[0], VP_TAR_CREATE) != 0 && strcmp (args[0], VP_TAR_EXTRACT) != 0))
    return -1;
  *ret_extract = strcmp (args[0], VP_TAR_EXTRACT) == 0;
  *ret_error = "args[2]: must be an absolute path";
  if (args[1] == NULL || args[1][0] != '/' || strlen (args[1]) >= AGENT_TAR_PATH_MAX)
    return -1;
  for (size_t i = 2; args[i] != NULL; i++)
    {
      size_t k = 0, n = sizeof options / sizeof options[0];

      while (k < n && (strcmp (options[k].name, args[i]) != 0 || options[k].of_extract != *ret_extract))
        k++;
      *ret_error = "args[3]: an option is not known";
      if (k == n)
        return -1;
      flags |= options[k].flag;
    }
  *ret_flags = (AgentTarFlags)flags;
  return 0;
}

int
agent_tar_check (const char *const *args, const char **ret_error)
{
  AgentTarFlags flags;
  int extract;

  return parse (args, &extract, &flags, ret_error);
}

int
agent_tar_main (int root, const char *const *args, int in, int out, int error)
{
  AgentTarFlags flags;
  const char *why;
  int extract;

  if (parse (args, &extract, &flags, &why) < 0)
    return agent_tar_complain (error, VP_TAR_FAILED, NULL, "%s", why);
  return extract ? agent_tar_extract (root, args[1], flags, in, error)
                 : agent_tar_create (root, args[1], flags, out, error);
}
