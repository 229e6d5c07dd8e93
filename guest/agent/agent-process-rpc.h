/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* The calls that name a process of a container. */
void agent_handle_exec_process (Agent *agent, AgentCall *call);
void agent_handle_signal_process (Agent *agent, AgentCall *call);
void agent_handle_wait_process (Agent *agent, AgentCall *call);
void agent_handle_write_stdin (Agent *agent, AgentCall *call);
void agent_handle_close_stdin (Agent *agent, AgentCall *call);
void agent_handle_read_stdout (Agent *agent, AgentCall *call);
void agent_handle_read_stderr (Agent *agent, AgentCall *call);
void agent_handle_tty_win_resize (Agent *agent, AgentCall *call);
