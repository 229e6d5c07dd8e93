/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-crun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-util.h"

#define CRUN_PATH "/usr/bin/crun"
#define DEFAULT_TIMEOUT_MSEC 60000
#define MAX_ERROR 1024
#define MAX_ARGS 16
/* where crun finds the file for its messages; its stderr may be the container's */
#define LOG_FD 3
/* out of the way of what the child puts below */
#define MIN_SEALED_FD 10

typedef struct
{
  Agent *agent;
  pid_t pid;
  int log;
  AgentTimer *timer;
  int timed_out;
  AgentCrunFunc func;
  void *data;
} Job;

/* crun keeps containers from writing to its program: unless it runs from a sealed
 * memfd it makes one of itself and executes that, every time it is run. It is given
 * one that is made once, which saves half of an exec's time under emulation. A memfd
 * with crun in it, or -1 when that cannot be. */
static int
seal_crun (void)
{
  int from = open (CRUN_PATH, O_RDONLY | O_CLOEXEC);
  int made = memfd_create ("crun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  int fd = made >= 0 ? fcntl (made, F_DUPFD_CLOEXEC, MIN_SEALED_FD) : -1;
  char magic[4];
  struct stat st;
  ssize_t n = 1;

  agent_close (&made);
  if (from < 0 || fd < 0 || fstat (from, &st) < 0 || pread (from, magic, sizeof magic, 0) != sizeof magic
      || memcmp (magic, "\177ELF", sizeof magic) != 0)
    n = -1;
  while (n > 0)
    n = sendfile (fd, from, NULL, (size_t) st.st_size);
  agent_close (&from);
  if (n < 0 || lseek (fd, 0, SEEK_CUR) != st.st_size
      || fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    agent_close (&fd);
  return fd;
}

static int
get_sealed_crun (void)
{
  static int sealed = -1, tried;

  if (!tried)
    sealed = seal_crun ();
  tried = 1;
  return sealed;
}

/* The child between fork and exec: nothing of the agent stays open in it. */
static void __attribute__ ((noreturn)) exec_crun (char *const *argv, const int stdio[3], int log, int sealed)
{
  static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char *environment[] = { path, NULL };
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  sigset_t none;

  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGPIPE, SIG_DFL);
  for (int i = 0; i < 3; i++)
    if (dup2 (stdio[i] >= 0 ? stdio[i] : null, i) < 0)
      _exit (126);
  /* dup2 onto itself would leave it close-on-exec */
  if (log == LOG_FD ? fcntl (LOG_FD, F_SETFD, 0) < 0 : dup2 (log, LOG_FD) < 0)
    _exit (126);
  syscall (SYS_close_range, LOG_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (sealed >= 0)
    syscall (SYS_execveat, sealed, "", argv, environment, AT_EMPTY_PATH);
  execve (CRUN_PATH, argv, environment);
  dprintf (LOG_FD, "%s: %s\n", CRUN_PATH, strerror (errno));
  _exit (127);
}

/* the last line is the error; what comes before are warnings */
static void
read_error (int log, char error[MAX_ERROR])
{
  off_t size = lseek (log, 0, SEEK_END);
  off_t from = size > MAX_ERROR - 1 ? size - (MAX_ERROR - 1) : 0;
  ssize_t n = pread (log, error, MAX_ERROR - 1, from);
  char *line;

  error[n > 0 ? n : 0] = '\0';
  while (n > 0 && (error[n - 1] == '\n' || error[n - 1] == ' '))
    error[--n] = '\0';
  line = strrchr (error, '\n');
  if (line != NULL)
    memmove (error, line + 1, strlen (line + 1) + 1);
  if (error[0] == '\0')
    strcpy (error, "the OCI runtime failed without saying why");
}

static VpGrpcCode
code_of (const char *error)
{
  static const struct
  {
    const char *text;
    VpGrpcCode code;
  } meanings[] = {
    { "executable file", VP_GRPC_NOT_FOUND },
    { "xecutable: No such file", VP_GRPC_NOT_FOUND },
    { "exec: No such file", VP_GRPC_NOT_FOUND },
    { "xecutable: Permission denied", VP_GRPC_PERMISSION_DENIED },
    { "exec: Permission denied", VP_GRPC_PERMISSION_DENIED },
    { "exists but it is not executable", VP_GRPC_PERMISSION_DENIED }, /* crun 1.21 */
    { "invalid scheduler", VP_GRPC_INVALID_ARGUMENT }, /* the same; an older one leaves these to us */
    { "invalid io priority", VP_GRPC_INVALID_ARGUMENT },
    { "is not running", VP_GRPC_FAILED_PRECONDITION },
    { "is not paused", VP_GRPC_FAILED_PRECONDITION },
  };

  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
    if (strstr (error, meanings[i].text) != NULL)
      return meanings[i].code;
  return VP_GRPC_INTERNAL;
}

static void
job_ended (pid_t pid, int status, void *data)
{
  Job *job = data;
  char error[MAX_ERROR];

  agent_timer_free (job->timer);
  if (job->timed_out)
    job->func ("the OCI runtime did not end in time", VP_GRPC_DEADLINE_EXCEEDED, job->data);
  else if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    job->func (NULL, VP_GRPC_OK, job->data);
  else
    {
      read_error (job->log, error);
      agent_debug ("crun: %s", error);
      job->func (error, code_of (error), job->data);
    }
  agent_reaper_release (job->agent->reaper);
  close (job->log);
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

int
agent_crun_run (Agent *agent, const char *const *args, const int stdio[3], uint64_t timeout_msec,
                AgentCrunFunc func, void *data)
{
  char *root = agent_printf ("--root=%s/crun", agent->run_dir);
  char *log_option = agent_printf ("--log=/proc/self/fd/%d", LOG_FD);
  const char *argv[MAX_ARGS + 6] = { CRUN_PATH, "--cgroup-manager=cgroupfs", root, log_option };
  int log = memfd_create ("crun-log", MFD_CLOEXEC);
  int sealed = get_sealed_crun ();
  pid_t pid = -1;
  int rc = 0;
  Job *job;

  for (size_t i = 0; i < MAX_ARGS && args[i] != NULL; i++)
    argv[4 + i] = args[i];
  if (log >= 0)
    pid = fork ();
  if (pid == 0)
    exec_crun ((char *const *) argv, stdio, log, sealed);
  if (pid < 0)
    rc = -errno;
  free (root);
  free (log_option);
  if (pid < 0)
    {
      agent_close (&log);
      return rc;
    }
  job = agent_new (Job);
  job->agent = agent;
  job->pid = pid;
  job->log = log;
  job->func = func;
  job->data = data;
  job->timer = agent_timer_new (agent->loop, timeout_msec > 0 ? timeout_msec : DEFAULT_TIMEOUT_MSEC,
                                job_timeout, job);
  agent_reaper_hold (agent->reaper);
  agent_reaper_watch (agent->reaper, pid, job_ended, job);
  return 0;
}
