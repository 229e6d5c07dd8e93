/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 1024

static AgentLogLevel max_level = AGENT_LOG_INFO;

void
agent_log_set_level (const char *name)
{
  static const struct
  {
    const char *name;
    AgentLogLevel level;
  } names[] = {
    { "critical", AGENT_LOG_ERROR },  { "error", AGENT_LOG_ERROR }, { "warn", AGENT_LOG_WARNING },
    { "warning", AGENT_LOG_WARNING }, { "info", AGENT_LOG_INFO },   { "debug", AGENT_LOG_DEBUG },
    { "trace", AGENT_LOG_DEBUG },
  };

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp (names[i].name, name) == 0)
      max_level = names[i].level;
}

void
agent_log (AgentLogLevel level, const char *format, ...)
{
  static const char *const names[] = { "error", "warning", "info", "debug" };
  char line[LINE_SIZE];
  va_list args;
  int n, m;

  if (level > max_level)
    return;
  n = snprintf (line, sizeof line, "virtpod-agent: %s: ", names[level]);
  va_start (args, format);
  m = vsnprintf (line + n, sizeof line - (size_t) n - 1, format, args);
  va_end (args);
  m = m < (int) sizeof line - n - 2 ? m : (int) sizeof line - n - 2;
  /* ids and paths in a message come from outside: one message stays one line */
  for (int i = n; i < n + m; i++)
    if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
      line[i] = '?';
  line[n + m] = '\n';
  if (write (STDERR_FILENO, line, (size_t) (n + m + 1)) < 0)
    return;
}
