/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-tar-worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent-tar.h"
#include "vp-agent-names.h"

#define MAX_ARGS 16
#define MAX_GROUPS 65536
#define MAX_CAPABILITY 63

/* what the child needs to know, all of it the parent's memory as of the fork */
typedef struct
{
  pid_t pid;          /* of the container's first process */
  const char *cgroup; /* NULL: stays where it is */
  const Grpc__Process *process;
  const char *args[MAX_ARGS + 1];
} Worker;

static int
fill_args (const Grpc__Process *process, const char *args[MAX_ARGS + 1])
{
  size_t n = process->n_args - 1;

  if (n > MAX_ARGS)
    return -1;
  for (size_t i = 0; i < n; i++)
    args[i] = process->args[i + 1];
  args[n] = NULL;
  return 0;
}

int
agent_tar_worker_check (const Grpc__Process *process, const char **ret_error)
{
  const char *args[MAX_ARGS + 1];

  *ret_error = "args: are too many";
  if (fill_args (process, args) < 0)
    return -1;
  *ret_error = "user.additionalGids: are too many";
  if (process->user != NULL && process->user->n_additionalgids > MAX_GROUPS)
    return -1;
  return agent_tar_check (args, ret_error);
}

/* /proc/PID/NAME of the container's first process; -1 with errno */
static int
open_of (const Worker *w, const char *name, int flags)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/%s", (int) w->pid, name);
  return open (path, flags | O_CLOEXEC);
}

/* The capabilities that the container's processes can ever have */
static uint64_t
read_bounding_set (const Worker *w)
{
  char path[64], buf[4096];
  const char *at;

  snprintf (path, sizeof path, "/proc/%d/status", (int) w->pid);
  if (agent_read_file (path, buf, sizeof buf) < 0)
    return 0;
  at = strstr (buf, "\nCapBnd:");
  return at != NULL ? strtoull (at + 8, NULL, 16) : 0;
}

/* So that what is written counts as the container's, and it is what is killed when there
 * is too little memory. */
static void
join_cgroup (const Worker *w)
{
  char *path = agent_printf ("%s/cgroup.procs", w->cgroup), score[32];
  int fd = open_of (w, "oom_score_adj", O_RDONLY);
  ssize_t n = fd >= 0 ? read (fd, score, sizeof score) : -1;

  agent_write_file (path, "0", 1, 0);
  if (n > 0)
    agent_write_file ("/proc/self/oom_score_adj", score, (size_t) n, 0);
  agent_close (&fd);
  free (path);
}

static int
is_same (int fd, const char *path)
{
  struct stat a, b;

  return fstat (fd, &a) == 0 && stat (path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* NULL, or what failed with errno */
static const char *
enter (const Worker *w)
{
  int user = open_of (w, "ns/user", O_RDONLY), mount = open_of (w, "ns/mnt", O_RDONLY);
  int root = open_of (w, "root", O_PATH | O_DIRECTORY);

  if (user < 0 || mount < 0 || root < 0)
    return "its first process";
  /* one cannot enter what one is in */
  if (!is_same (user, "/proc/self/ns/user") && setns (user, CLONE_NEWUSER) < 0)
    return "user namespace";
  if (setns (mount, CLONE_NEWNS) < 0)
    return "mount namespace";
  if (fchdir (root) < 0 || chroot (".") < 0)
    return "root directory";
  close (user);
  close (mount);
  close (root);
  return NULL;
}

static const char *
drop_rights (const Worker *w, uint64_t allowed)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct sets[2] = { { 0 } };
  const Grpc__User *user = w->process->user;
  uid_t uid = user != NULL ? user->uid : 0;
  gid_t gid = user != NULL ? user->gid : 0;

  for (unsigned long i = 0; i <= MAX_CAPABILITY; i++)
    if ((allowed >> i & 1) == 0 && prctl (PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
      return "bounding set";
  if (setgroups (user != NULL ? user->n_additionalgids : 0, user != NULL ? user->additionalgids : NULL) < 0)
    return "additional groups";
  if (setresgid (gid, gid, gid) < 0)
    return "group";
  if (setresuid (uid, uid, uid) < 0)
    return "user";
  if (syscall (SYS_capget, &header, sets) < 0)
    return "capabilities";
  for (int i = 0; i < 2; i++)
    {
      sets[i].permitted &= uid == 0 ? (uint32_t) (allowed >> (32 * i)) : 0;
      sets[i].effective = sets[i].permitted;
      sets[i].inheritable = 0;
    }
  if (syscall (SYS_capset, &header, sets) < 0)
    return "capabilities";
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return "privileges";
  return NULL;
}

static int
work (void *data)
{
  const Worker *w = data;
  uint64_t allowed = read_bounding_set (w);
  const char *what;
  int root;

  if (w->cgroup != NULL)
    join_cgroup (w);
  what = enter (w);
  if (what == NULL)
    what = drop_rights (w, allowed);
  if (what != NULL)
    {
      dprintf (STDERR_FILENO, "cannot enter the container: %s: %s\n", what, strerror (errno));
      return VP_TAR_FAILED;
    }
  root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return agent_tar_main (root, w->args, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}

int
agent_tar_worker_start (AgentProcess *p, AgentContainer *c, const Grpc__Process *process)
{
  Worker w = { .pid = c->init->pid, .process = process };

  if (c->init->state != AGENT_PROCESS_RUNNING)
    return -ESRCH;
  /* it would be frozen in there */
  if (c->state != AGENT_CONTAINER_PAUSING && c->state != AGENT_CONTAINER_PAUSED)
    w.cgroup = c->cgroup;
  fill_args (process, w.args);
  return agent_process_fork (p, work, &w);
}
