/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-pause.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define EMPTY_ROOT "/run"

/* Runs the agent's program anew rather than to go on in its memory, in which everything
 * is that a host ever sent. */
static void __attribute__ ((noreturn)) become_pause (int ready)
{
  static char name[] = AGENT_PAUSE_NAME;
  char *argv[] = { name, NULL }, *environment[] = { NULL };
  sigset_t none;
  int null = open ("/dev/null", O_RDWR);

  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  for (int i = 0; i < 3; i++)
    if (dup2 (i == STDOUT_FILENO ? ready : null, i) < 0)
      _exit (126);
  syscall (SYS_close_range, 3, ~0U, 0);
  execve ("/proc/self/exe", argv, environment);
  _exit (127);
}

pid_t
agent_pause_start (void)
{
  int ready[2];
  char byte;
  pid_t pid;
  int rc;

  if (pipe2 (ready, O_CLOEXEC) < 0)
    return -errno;
  pid = (pid_t)syscall (SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    become_pause (ready[1]);
  rc = pid < 0 ? -errno : 0;
  close (ready[1]);
  /* a container must not see it before it has nothing to be seen; that is at once */
  if (rc == 0 && read (ready[0], &byte, 1) != 1)
    {
      kill (pid, SIGKILL);
      rc = -ECHILD;
    }
  close (ready[0]);
  return rc < 0 ? rc : pid;
}

/* NULL, or what failed with errno */
static const char *
give_up_everything (void)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct none[2] = { { 0 } };

  if (unshare (CLONE_NEWNS) < 0 || mount ("none", "/", "none", MS_PRIVATE | MS_REC, NULL) < 0)
    return "mount namespace";
  if (mount ("tmpfs", EMPTY_ROOT, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555")
          < 0
      || chdir (EMPTY_ROOT) < 0 || syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0
      || chdir ("/") < 0)
    return "root";
  for (unsigned long i = 0; prctl (PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++)
    ;
  if (setgroups (0, NULL) < 0 || setresgid (NOBODY, NOBODY, NOBODY) < 0
      || setresuid (NOBODY, NOBODY, NOBODY) < 0)
    return "user";
  if (syscall (SYS_capset, &header, none) < 0)
    return "capabilities";
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return "privileges";
  return NULL;
}

int
agent_pause_main (void)
{
  const char *what = give_up_everything ();
  sigset_t all;
  int signal_number;

  if (what != NULL)
    {
      dprintf (STDERR_FILENO, AGENT_PAUSE_NAME ": %s: %m\n", what);
      return 1;
    }
  prctl (PR_SET_NAME, AGENT_PAUSE_NAME);
  sigfillset (&all);
  sigprocmask (SIG_BLOCK, &all, NULL);
  if (write (STDOUT_FILENO, "", 1) != 1)
    return 1;
  for (int i = 0; i < 3; i++)
    close (i);
  /* Process 1 gets no signal from its namespace that it has no handler for; the agent
   * sends SIGKILL. What is inherited must not stay a zombie. */
  for (;;)
    {
      while (waitpid (-1, NULL, WNOHANG) > 0)
        ;
      if (sigwait (&all, &signal_number) != 0)
        pause ();
    }
}
