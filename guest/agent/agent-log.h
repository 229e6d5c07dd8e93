/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines on standard error, which is the guest's console when the agent is init. */
typedef enum
{
  AGENT_LOG_ERROR,
  AGENT_LOG_WARNING,
  AGENT_LOG_INFO,
  AGENT_LOG_DEBUG,
} AgentLogLevel;

/* "error", "warn", "info", "debug" and "trace" as in agent.log=; others change nothing */
void agent_log_set_level (const char *name);
void agent_log (AgentLogLevel level, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
#define agent_error(...) agent_log (AGENT_LOG_ERROR, __VA_ARGS__)
#define agent_warning(...) agent_log (AGENT_LOG_WARNING, __VA_ARGS__)
#define agent_info(...) agent_log (AGENT_LOG_INFO, __VA_ARGS__)
#define agent_debug(...) agent_log (AGENT_LOG_DEBUG, __VA_ARGS__)
