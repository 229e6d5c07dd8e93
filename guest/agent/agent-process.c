/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-console.h"
#include "agent-container.h"
#include "agent-log.h"
#include "agent.pb-c.h"

#define MAX_ARGS 12
/* What a process can write before the host has asked for it, and what it can be
 * given in one answer: each costs a trip to the host. Memory is used when it fills. */
#define OUTPUT_PIPE (512 << 10)

/* what lives from the start of crun until its end */
typedef struct
{
  AgentProcess *process;
  char *pid_file;
  AgentConsole console;
  int ours[3]; /* the agent's ends of the pipes */
  AgentLaunchFunc func;
  void *data;
} Launch;

AgentProcess *
agent_process_new (Agent *agent, AgentContainer *container, const char *exec_id, int terminal)
{
  AgentProcess *p = agent_new (AgentProcess);

  p->agent = agent;
  p->container = container;
  p->exec_id = agent_strdup (exec_id);
  p->terminal = terminal;
  p->tty = -1;
  agent_list_init (&p->link);
  agent_list_init (&p->waits);
  agent_input_init (&p->input, agent->loop);
  agent_output_init (&p->output, agent->loop);
  agent_output_init (&p->error, agent->loop);
  return p;
}

void
agent_process_free (AgentProcess *p)
{
  AgentCall *call;

  if (p == NULL)
    return;
  agent_list_remove (&p->link);
  if (p->state == AGENT_PROCESS_RUNNING)
    agent_reaper_unwatch (p->agent->reaper, p->pid);
  while ((call = agent_call_unpark (&p->waits)) != NULL)
    agent_call_fail (call, VP_GRPC_NOT_FOUND, "process \"%s\": was removed", p->exec_id);
  agent_input_clear (&p->input);
  agent_output_clear (&p->output);
  agent_output_clear (&p->error);
  agent_close (&p->tty);
  free (p->exec_id);
  free (p);
}

static void
reply_status (AgentProcess *p, AgentCall *call)
{
  Grpc__WaitProcessResponse response = GRPC__WAIT_PROCESS_RESPONSE__INIT;

  response.status = p->status;
  p->was_waited = 1;
  agent_call_reply (call, &response.base);
}

static void
process_exited (pid_t pid, int status, void *data)
{
  static uint64_t counter;
  AgentProcess *p = data;
  AgentCall *call;

  p->state = AGENT_PROCESS_EXITED;
  p->ended = ++counter;
  p->status = WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
  agent_debug ("process %d (\"%s\") ended with %d", (int) pid, p->exec_id, p->status);
  agent_input_clear (&p->input);
  agent_close (&p->tty);
  agent_output_process_exited (&p->output);
  agent_output_process_exited (&p->error);
  while ((call = agent_call_unpark (&p->waits)) != NULL)
    reply_status (p, call);
  agent_container_process_exited (p->container, p);
}

/* the other ends are for crun; all six are -1 afterwards on failure */
static int
make_pipes (int ours[3], int theirs[3])
{
  for (int i = 0; i < 3; i++)
    {
      int fds[2];

      if (pipe2 (fds, O_CLOEXEC) < 0)
        {
          int rc = -errno;

          for (int k = 0; k < 3; k++)
            {
              agent_close (&ours[k]);
              agent_close (&theirs[k]);
            }
          return rc;
        }
      if (i > 0)
        (void) fcntl (fds[0], F_SETPIPE_SZ, OUTPUT_PIPE);
      ours[i] = i == 0 ? fds[1] : fds[0];
      theirs[i] = i == 0 ? fds[0] : fds[1];
    }
  return 0;
}

static void
launch_free (Launch *l)
{
  agent_console_close (&l->console);
  for (int i = 0; i < 3; i++)
    agent_close (&l->ours[i]);
  unlink (l->pid_file);
  free (l->pid_file);
  free (l);
}

static int
open_streams (AgentProcess *p, Launch *l)
{
  if (p->terminal)
    {
      int copy;

      p->tty = agent_console_take (&l->console);
      if (p->tty < 0)
        {
          int rc = p->tty;
          p->tty = -1;
          return rc;
        }
      copy = fcntl (p->tty, F_DUPFD_CLOEXEC, 3);
      if (copy >= 0)
        agent_input_open (&p->input, copy);
      agent_output_open (&p->output, fcntl (p->tty, F_DUPFD_CLOEXEC, 3));
      agent_output_open (&p->error, -1);
      return 0;
    }
  agent_input_open (&p->input, l->ours[0]);
  agent_output_open (&p->output, l->ours[1]);
  agent_output_open (&p->error, l->ours[2]);
  l->ours[0] = l->ours[1] = l->ours[2] = -1;
  return 0;
}

static void
launched (const char *error, VpGrpcCode code, void *data)
{
  Launch *l = data;
  AgentProcess *p = l->process;
  uint64_t pid = 0;
  int rc;

  if (error == NULL)
    {
      rc = agent_read_uint (l->pid_file, 0, &pid);
      if (rc < 0 || pid <= 1 || pid > INT32_MAX)
        error = "the OCI runtime did not tell the process id";
      else if (open_streams (p, l) < 0)
        {
          error = "the OCI runtime did not hand over the terminal";
          kill ((pid_t) pid, SIGKILL);
        }
      code = VP_GRPC_INTERNAL;
    }
  if (error == NULL)
    {
      p->pid = (pid_t) pid;
      p->state = AGENT_PROCESS_RUNNING;
      agent_reaper_watch (p->agent->reaper, p->pid, process_exited, p);
    }
  l->func (p, error, code, l->data);
  launch_free (l);
}

int
agent_process_launch (AgentProcess *p, const char *const *args, AgentLaunchFunc func, void *data)
{
  static unsigned counter;
  Launch *l = agent_new (Launch);
  int theirs[3] = { -1, -1, -1 };
  const char *argv[MAX_ARGS + 6];
  size_t n = 0;
  int rc;

  l->process = p;
  l->func = func;
  l->data = data;
  l->console.fd = -1;
  l->ours[0] = l->ours[1] = l->ours[2] = -1;
  l->pid_file = agent_printf ("%s/pid-%u", p->agent->run_dir, counter++);
  for (; n < MAX_ARGS && args[n] != NULL; n++)
    argv[n] = args[n];
  argv[n++] = "--pid-file";
  argv[n++] = l->pid_file;
  if (p->terminal)
    rc = agent_console_open (&l->console, p->agent->run_dir);
  else
    rc = make_pipes (l->ours, theirs);
  if (rc == 0)
    {
      if (p->terminal)
        {
          argv[n++] = "--console-socket";
          argv[n++] = l->console.path;
        }
      argv[n++] = agent_container_get_id (p->container);
      argv[n] = NULL;
      rc = agent_crun_run (p->agent, argv, theirs, 0, launched, l);
    }
  for (int i = 0; i < 3; i++)
    agent_close (&theirs[i]);
  if (rc < 0)
    launch_free (l);
  return rc;
}

static void __attribute__ ((noreturn)) run_child (const int theirs[3], int (*child) (void *), void *data)
{
  sigset_t none;

  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  for (int i = 0; i < 3; i++)
    if (dup2 (theirs[i], i) < 0)
      _exit (126);
  syscall (SYS_close_range, 3, ~0U, 0);
  _exit (child (data));
}

int
agent_process_fork (AgentProcess *p, int (*child) (void *data), void *data)
{
  int ours[3] = { -1, -1, -1 }, theirs[3] = { -1, -1, -1 };
  int rc = make_pipes (ours, theirs);
  pid_t pid;

  if (rc < 0)
    return rc;
  pid = fork ();
  if (pid == 0)
    run_child (theirs, child, data);
  rc = pid < 0 ? -errno : 0;
  for (int i = 0; i < 3; i++)
    {
      agent_close (&theirs[i]);
      if (rc < 0)
        agent_close (&ours[i]);
    }
  if (rc < 0)
    return rc;
  agent_input_open (&p->input, ours[0]);
  agent_output_open (&p->output, ours[1]);
  agent_output_open (&p->error, ours[2]);
  p->pid = pid;
  p->is_ours = 1;
  p->state = AGENT_PROCESS_RUNNING;
  agent_reaper_watch (p->agent->reaper, pid, process_exited, p);
  return 0;
}

int
agent_process_signal (AgentProcess *p, int signal)
{
  if (signal < 0 || signal > 64)
    return -EINVAL;
  if (p->state != AGENT_PROCESS_RUNNING)
    return p->state == AGENT_PROCESS_EXITED ? 0 : -EBUSY;
  /* its exit was not collected yet, so the number is still its own */
  if (kill (p->pid, signal) < 0 && errno != ESRCH)
    return -errno;
  return 0;
}

void
agent_process_wait (AgentProcess *p, AgentCall *call)
{
  if (p->state == AGENT_PROCESS_EXITED)
    reply_status (p, call);
  else
    agent_call_park (call, &p->waits);
}

int
agent_process_resize (AgentProcess *p, unsigned rows, unsigned columns)
{
  struct winsize size = { .ws_row = (unsigned short) rows, .ws_col = (unsigned short) columns };

  if (rows > 65535 || columns > 65535)
    return -EINVAL;
  if (p->tty < 0)
    return p->terminal && p->state == AGENT_PROCESS_EXITED ? 0 : -ENOTTY;
  return ioctl (p->tty, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
