/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-iptables.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-module.h"
#include "agent-util.h"
#include "agent.pb-c.h"
#include "vp-agent-names.h"

/* of what iptables is given, and of each of its streams */
#define MAX_RULES VP_IPTABLES_MAX
#define MAX_ERROR 512
#define TIMEOUT_MSEC 30000
/* how long it waits for another one, in seconds */
#define LOCK_WAIT "10"
/* no status of iptables: there is nothing to run */
#define STATUS_NO_TOOLS 125

/* What there is in VP_GUEST_TOOLS */
#define LOADER "ld.so"
#define LIBRARIES "lib"
#define PROGRAM "xtables-multi"
#define EXTENSIONS "xtables"
#define MODULES "modules"
#define MODULE_LIST "modules.load"

typedef struct
{
  Agent *agent;
  AgentCall *call;
  pid_t pid;
  int out, err; /* files in memory */
  int is_set;
  AgentTimer *timer;
  int timed_out;
} Job;

/* ---- the child ---- */

/* The child, which may block and fail: one is made for each call. Statuses of its own are
 * STATUS_NO_TOOLS and, as a shell's, 126 and 127. */
static void __attribute__ ((noreturn))
run_child (const char *tools, const char *applet, int is_set, int in, int out, int err)
{
  char *loader = agent_printf ("%s/" LOADER, tools), *libraries = agent_printf ("%s/" LIBRARIES, tools);
  char *program = agent_printf ("%s/" PROGRAM, tools), *list = agent_printf ("%s/" MODULE_LIST, tools);
  char *modules = agent_printf ("%s/" MODULES, tools);
  char *extensions = agent_printf ("XTABLES_LIBDIR=%s/" EXTENSIONS, tools);
  char *argv[] = { loader, (char *)"--library-path", libraries, program, (char *)applet, NULL, NULL };
  char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", extensions, NULL };
  /* what is one longer is known to be too long */
  struct rlimit size = { MAX_RULES + 1, MAX_RULES + 1 };
  sigset_t none;

  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGPIPE, SIG_DFL);
  if (dup2 (in, STDIN_FILENO) < 0 || dup2 (out, STDOUT_FILENO) < 0 || dup2 (err, STDERR_FILENO) < 0)
    _exit (126);
  if (access (loader, X_OK) < 0)
    _exit (STATUS_NO_TOOLS);
  /* who only looks finds no rules in tables that the kernel has not */
  if (is_set && agent_module_load_list (list, modules) < 0)
    _exit (126);
  if (is_set)
    argv[5] = (char *)"--wait=" LOCK_WAIT;
  syscall (SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  setrlimit (RLIMIT_FSIZE, &size);
  execve (loader, argv, environment);
  dprintf (STDERR_FILENO, "%s: %s\n", loader, strerror (errno));
  _exit (127);
}

/* ---- its end ---- */

/* What the child has said, in one line; what is too long loses its end. */
static void
read_error (int fd, char error[MAX_ERROR])
{
  ssize_t n = pread (fd, error, MAX_ERROR - 1, 0);
  size_t len = 0;

  for (ssize_t i = 0; i < n; i++)
    if (error[i] != '\n')
      error[len++] = error[i];
    else if (len > 0 && error[len - 1] != ' ')
      error[len++] = ' ';
  while (len > 0 && error[len - 1] == ' ')
    len--;
  error[len] = '\0';
  if (len == 0)
    strcpy (error, "it failed without saying why");
}

static VpGrpcCode
code_of (const Job *job, int status)
{
  switch (WIFEXITED (status) ? WEXITSTATUS (status) : -1)
    {
    case STATUS_NO_TOOLS:
      return VP_GRPC_UNIMPLEMENTED;
    case 1: /* a line that cannot be done */
    case 2: /* or is none */
      return job->is_set ? VP_GRPC_INVALID_ARGUMENT : VP_GRPC_INTERNAL;
    case 3: /* the kernel has no such table */
      return VP_GRPC_FAILED_PRECONDITION;
    case 4: /* the lock, or memory */
      return VP_GRPC_RESOURCE_EXHAUSTED;
    default:
      return VP_GRPC_INTERNAL;
    }
}

static off_t
size_of (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 ? st.st_size : 0;
}

static void
reply (Job *job)
{
  ProtobufCBinaryData data = { (size_t)size_of (job->out), NULL };

  data.data = agent_alloc (data.len + 1);
  if (pread (job->out, data.data, data.len, 0) != (ssize_t)data.len)
    data.len = 0;
  if (job->is_set)
    {
      Grpc__SetIPTablesResponse response = GRPC__SET_IPTABLES_RESPONSE__INIT;

      response.data = data;
      agent_call_reply (job->call, &response.base);
    }
  else
    {
      Grpc__GetIPTablesResponse response = GRPC__GET_IPTABLES_RESPONSE__INIT;

      response.data = data;
      agent_call_reply (job->call, &response.base);
    }
  free (data.data);
}

static void
job_ended (pid_t pid, int status, void *data)
{
  Job *job = data;
  char error[MAX_ERROR];

  agent_timer_free (job->timer);
  if (job->timed_out)
    agent_call_fail (job->call, VP_GRPC_DEADLINE_EXCEEDED, "iptables: has not ended in %d seconds",
                     TIMEOUT_MSEC / 1000);
  else if (size_of (job->out) > MAX_RULES)
    agent_call_fail (job->call, VP_GRPC_RESOURCE_EXHAUSTED, "iptables: its answer is longer than %d bytes", MAX_RULES);
  else if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    reply (job);
  else if (code_of (job, status) == VP_GRPC_UNIMPLEMENTED)
    agent_call_fail (job->call, VP_GRPC_UNIMPLEMENTED, "iptables: is not in this guest");
  else
    {
      read_error (job->err, error);
      agent_call_fail (job->call, code_of (job, status), "iptables: %s", error);
    }
  agent_close (&job->out);
  agent_close (&job->err);
  free (job);
}

static void
job_timeout (void *data)
{
  Job *job = data;

  job->timer = NULL;
  job->timed_out = 1;
  kill (-job->pid, SIGKILL);
  kill (job->pid, SIGKILL);
}

/* ---- the calls ---- */

/* A file in memory with @rules in it, at its beginning; -1 with errno. */
static int
make_input (const ProtobufCBinaryData *rules)
{
  int fd = memfd_create ("iptables", MFD_CLOEXEC);
  size_t done = 0;

  while (fd >= 0 && done < rules->len)
    {
      ssize_t n = pwrite (fd, rules->data + done, rules->len - done, (off_t)done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        agent_close (&fd);
      else
        done += (size_t)n;
    }
  return fd;
}

static void
start (Agent *agent, AgentCall *call, const char *applet, int is_set, const ProtobufCBinaryData *rules)
{
  char *tools = agent_printf ("%s/shared/containers/" VP_GUEST_TOOLS, agent->state_dir);
  int in = make_input (rules), out = memfd_create ("iptables", MFD_CLOEXEC);
  int err = memfd_create ("iptables", MFD_CLOEXEC);
  pid_t pid = in >= 0 && out >= 0 && err >= 0 ? fork () : -1;
  Job *job;

  if (pid == 0)
    run_child (tools, applet, is_set, in, out, err);
  agent_close (&in);
  free (tools);
  if (pid < 0)
    {
      agent_call_fail (call, agent_code_from_errno (errno), "iptables: cannot be run: %s", strerror (errno));
      agent_close (&out);
      agent_close (&err);
      return;
    }
  job = agent_new (Job);
  *job = (Job){ .agent = agent, .call = call, .pid = pid, .out = out, .err = err, .is_set = is_set };
  job->timer = agent_timer_new (agent->loop, TIMEOUT_MSEC, job_timeout, job);
  agent_reaper_watch (agent->reaper, pid, job_ended, job);
}

void
agent_handle_get_iptables (Agent *agent, AgentCall *call)
{
  const Grpc__GetIPTablesRequest *r = agent_call_request (call);
  const ProtobufCBinaryData nothing = { 0, NULL };

  start (agent, call, r->is_ipv6 ? "ip6tables-save" : "iptables-save", 0, &nothing);
}

void
agent_handle_set_iptables (Agent *agent, AgentCall *call)
{
  const Grpc__SetIPTablesRequest *r = agent_call_request (call);

  if (r->data.len > MAX_RULES)
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "data: is longer than %d bytes", MAX_RULES);
  else
    start (agent, call, r->is_ipv6 ? "ip6tables-restore" : "iptables-restore", 1, &r->data);
}
