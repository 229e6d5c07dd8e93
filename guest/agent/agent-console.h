/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Unix socket through which crun hands over the master of a new terminal. */
typedef struct
{
  char *path;
  int fd;
} AgentConsole;

/* 0 or -errno */
int agent_console_open (AgentConsole *c, const char *dir);
/* After crun succeeded: the pty master (the caller's), or -errno. Does not wait. */
int agent_console_take (AgentConsole *c);
void agent_console_close (AgentConsole *c);
