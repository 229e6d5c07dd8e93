/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
agent_failure_set (AgentFailure *f, VpGrpcCode code, const char *format, ...)
{
  va_list args;

  f->code = code;
  va_start (args, format);
  vsnprintf (f->text, sizeof f->text, format, args);
  va_end (args);
  return -1;
}

int
agent_failure_invalid (AgentFailure *f, const char *format, ...)
{
  va_list args;

  f->code = VP_GRPC_INVALID_ARGUMENT;
  va_start (args, format);
  vsnprintf (f->text, sizeof f->text, format, args);
  va_end (args);
  return -1;
}

int
agent_failure_netlink (AgentFailure *f, const AgentNetlink *n, int rc, const char *format, ...)
{
  va_list args;
  size_t len;

  f->code = agent_code_from_errno (rc);
  /* most of what the kernel refuses is something that the request asks for: there is
   * no network to reach a gateway by, an address that nothing has */
  if (f->code == VP_GRPC_INTERNAL && rc != -EIO && rc != -EBADMSG)
    f->code = VP_GRPC_FAILED_PRECONDITION;
  va_start (args, format);
  vsnprintf (f->text, sizeof f->text, format, args);
  va_end (args);
  len = strlen (f->text);
  snprintf (f->text + len, sizeof f->text - len, ": %s%s%s%s", strerror (-rc),
            n->reason[0] != '\0' ? " (" : "", n->reason, n->reason[0] != '\0' ? ")" : "");
  return -1;
}
