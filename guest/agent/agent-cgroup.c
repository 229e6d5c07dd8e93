/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define MAX_LEVELS 16

char *
agent_cgroup_find (pid_t pid)
{
  char path[64], buf[8192];
  char *at, *end;

  snprintf (path, sizeof path, "/proc/%d/cgroup", (int) pid);
  if (agent_read_file (path, buf, sizeof buf) < 0)
    return NULL;
  at = strncmp (buf, "0::", 3) == 0 ? buf : strstr (buf, "\n0::");
  if (at == NULL)
    return NULL;
  at = strchr (at, '/');
  if (at == NULL)
    return NULL;
  end = strchr (at, '\n');
  if (end != NULL)
    *end = '\0';
  /* "/" is everybody's group, not a container's */
  return at[1] != '\0' && agent_path_is_clean (at) ? agent_printf (CGROUP_ROOT "%s", at) : NULL;
}

static void
pids_of_one (const char *cgroup, void (*func) (pid_t, void *), void *data)
{
  char *path = agent_printf ("%s/cgroup.procs", cgroup);
  FILE *f = fopen (path, "re");
  char line[32];

  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    if (atoi (line) > 0)
      func (atoi (line), data);
  if (f != NULL)
    fclose (f);
  free (path);
}

/* A container with a cgroup namespace can make groups below its own, to any depth the
 * kernel allows; those deeper than this are not looked at. */
static void
pids_below (const char *cgroup, unsigned levels, void (*func) (pid_t, void *), void *data)
{
  DIR *dir;
  struct dirent *e;

  pids_of_one (cgroup, func, data);
  dir = levels > 0 ? opendir (cgroup) : NULL;
  while (dir != NULL && (e = readdir (dir)) != NULL)
    {
      char *path;

      if (e->d_type != DT_DIR || e->d_name[0] == '.')
        continue;
      path = agent_printf ("%s/%s", cgroup, e->d_name);
      pids_below (path, levels - 1, func, data);
      free (path);
    }
  if (dir != NULL)
    closedir (dir);
}

void
agent_cgroup_pids (const char *cgroup, void (*func) (pid_t pid, void *data), void *data)
{
  pids_below (cgroup, MAX_LEVELS, func, data);
}

/* kernels before 5.14: one by one, again as long as there are new ones */
static int
kill_each (const char *cgroup)
{
  char *path = agent_printf ("%s/cgroup.procs", cgroup);
  char buf[16384];
  int rc = 0;

  for (int round = 0; round < 16; round++)
    {
      ssize_t n = agent_read_file (path, buf, sizeof buf);
      char *save = NULL;

      if (n <= 0)
        {
          rc = (int) n;
          break;
        }
      for (char *line = strtok_r (buf, "\n", &save); line != NULL; line = strtok_r (NULL, "\n", &save))
        if (atoi (line) > 1)
          kill (atoi (line), SIGKILL);
    }
  free (path);
  return rc;
}

int
agent_cgroup_kill (const char *cgroup)
{
  char *path = agent_printf ("%s/cgroup.kill", cgroup);
  int rc = agent_write_file (path, "1", 1, 0);

  free (path);
  return rc == -ENOENT ? kill_each (cgroup) : rc;
}

uint64_t
agent_cgroup_read (const char *cgroup, const char *file, uint64_t max_value)
{
  char *path = agent_printf ("%s/%s", cgroup, file);
  uint64_t v = 0;

  agent_read_uint (path, max_value, &v);
  free (path);
  return v;
}

void
agent_cgroup_each (const char *cgroup, const char *file, void (*func) (const char *, uint64_t, void *),
                   void *data)
{
  char *path = agent_printf ("%s/%s", cgroup, file);
  char buf[8192], *save = NULL;

  if (agent_read_file (path, buf, sizeof buf) > 0)
    for (char *line = strtok_r (buf, "\n", &save); line != NULL; line = strtok_r (NULL, "\n", &save))
      {
        char *blank = strchr (line, ' ');

        if (blank == NULL)
          continue;
        *blank = '\0';
        func (line, strtoull (blank + 1, NULL, 10), data);
      }
  free (path);
}

typedef struct
{
  const char *key;
  uint64_t value;
} Wanted;

static void
match_key (const char *key, uint64_t value, void *data)
{
  Wanted *w = data;

  if (strcmp (key, w->key) == 0)
    w->value = value;
}

uint64_t
agent_cgroup_read_key (const char *cgroup, const char *file, const char *key)
{
  Wanted w = { key, 0 };

  agent_cgroup_each (cgroup, file, match_key, &w);
  return w.value;
}
