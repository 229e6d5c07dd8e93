/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a container that has broken out does to the agent of its guest, which is
 * process 1 there and so cannot simply be sent SIGSTOP. The guest's kernel runs it
 * in place of keeping a core dump:
 *   abuse-agent stop      holds it with ptrace, for ever
 *   abuse-agent garbage   takes its end of the channel and writes rubbish to the host */

static int
stop (void)
{
  int status;

  if (ptrace (PTRACE_SEIZE, 1, NULL, NULL) < 0 || ptrace (PTRACE_INTERRUPT, 1, NULL, NULL) < 0
      || waitpid (1, &status, __WALL) < 0)
    {
      perror ("ptrace");
      return 1;
    }
  for (;;)
    pause ();
}

static int
garbage (void)
{
  static char noise[1 << 20];
  int pidfd = (int) syscall (SYS_pidfd_open, 1, 0);

  memset (noise, 0xa5, sizeof noise);
  for (int i = 3; i < 256; i++)
    {
      char path[64], target[256];
      ssize_t n;
      int fd;

      snprintf (path, sizeof path, "/proc/1/fd/%d", i);
      n = readlink (path, target, sizeof target - 1);
      if (n < 0)
        continue;
      target[n] = '\0';
      if (strstr (target, "vport") == NULL)
        continue;
      fd = (int) syscall (SYS_pidfd_getfd, pidfd, i, 0);
      if (fd < 0)
        {
          perror ("pidfd_getfd");
          return 1;
        }
      (void) fcntl (fd, F_SETFL, 0);
      if (write (fd, noise, sizeof noise) < 0)
        perror ("write");
      return 0;
    }
  fprintf (stderr, "no channel found\n");
  return 1;
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "stop") == 0)
    return stop ();
  if (argc == 2 && strcmp (argv[1], "garbage") == 0)
    return garbage ();
  fprintf (stderr, "usage: abuse-agent stop|garbage\n");
  return 2;
}
