/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-modprobe.h"

#include <stdio.h>
#include <string.h>

#include "agent-module.h"

/* how the kernel names families of modules whose members are called by the rest of the name */
static const char *const families[] = { "rtnl-link-", "fs-" };

void
agent_modprobe_name (const char *alias, char *name, size_t size)
{
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (strncmp (alias, families[i], strlen (families[i])) == 0)
      {
        alias += strlen (families[i]);
        break;
      }
  snprintf (name, size, "%s", alias);
  for (char *at = name; *at != '\0'; at++)
    if (*at == '-')
      *at = '_';
}

/* The kernel gives "-q", "--" and one name. */
int
agent_modprobe_main (int argc, char **argv)
{
  char name[128];

  if (argc < 2 || argv[argc - 1][0] == '-')
    return 1;
  agent_modprobe_name (argv[argc - 1], name, sizeof name);
  return agent_module_load (name, NULL) == 0 ? 0 : 1;
}
