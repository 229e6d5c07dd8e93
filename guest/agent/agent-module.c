/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-util.h"

#define BOOT_FILE "/etc/modules.boot"
#define DEMAND_FILE "/etc/modules.demand"

/* 0 also when it is loaded already */
static int
try_file (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC), rc = 0;

  if (fd < 0 || (syscall (SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
    rc = -errno;
  agent_close (&fd);
  return rc;
}

static int
load_file (const char *path)
{
  int rc = try_file (path);

  if (rc < 0)
    agent_warning ("module %s: %s", path, strerror (-rc));
  return rc;
}

/* One file a line. */
void
agent_module_load_boot (void)
{
  FILE *f = fopen (BOOT_FILE, "re");
  char line[512];

  if (f == NULL)
    return;
  while (fgets (line, sizeof line, f) != NULL)
    {
      line[strcspn (line, "\n")] = '\0';
      if (line[0] == '/')
        load_file (line);
    }
  fclose (f);
}

/* One module a line: its name, then its files in the order in which they are loaded. */
int
agent_module_load (const char *name, const char *list)
{
  FILE *f = fopen (list != NULL ? list : DEMAND_FILE, "re");
  char line[1024];
  int rc = -ENOENT;

  if (f == NULL)
    return -errno;
  while (rc == -ENOENT && fgets (line, sizeof line, f) != NULL)
    {
      char *save = NULL, *word = strtok_r (line, " \n", &save);

      if (word == NULL || strcmp (word, name) != 0)
        continue;
      rc = 0;
      while (rc == 0 && (word = strtok_r (NULL, " \n", &save)) != NULL)
        rc = load_file (word);
    }
  fclose (f);
  return rc;
}

/* Names of modules have underscores where those of their files may have dashes; the image's
 * files have none. */
static int
is_loaded (const char *file)
{
  char path[128];

  snprintf (path, sizeof path, "/sys/module/%.*s", (int)strcspn (file, "."), file);
  return access (path, F_OK) == 0;
}

int
agent_module_load_list (const char *list, const char *directory)
{
  FILE *f = fopen (list, "re");
  char line[128];
  int rc = 0;

  if (f == NULL)
    {
      rc = -errno;
      dprintf (STDERR_FILENO, "%s: %s\n", list, strerror (-rc));
      return rc;
    }
  while (rc == 0 && fgets (line, sizeof line, f) != NULL)
    {
      char *path;

      line[strcspn (line, "\n")] = '\0';
      if (line[0] == '\0' || is_loaded (line))
        continue;
      path = agent_printf ("%s/%s", directory, line);
      rc = try_file (path);
      if (rc < 0)
        dprintf (STDERR_FILENO, "%s: %s\n", path, strerror (-rc));
      free (path);
    }
  fclose (f);
  return rc;
}
