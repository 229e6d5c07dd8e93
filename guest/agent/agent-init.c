/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-init.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-module.h"
#include "agent-util.h"

#define CGROUP_DIR "/sys/fs/cgroup"
#define NEW_ROOT "/.newroot"
#define MAX_FILES 65536

static const struct
{
  const char *source, *target, *type;
  unsigned long flags;
  const char *data;
} mounts[] = {
  { "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
  { "sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
  { "devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755" },
  { "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666" },
  { "tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777" },
  { "mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
  { "tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755" },
  { "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777" },
  { "cgroup2", CGROUP_DIR, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate,memory_recursiveprot" },
};

/* An initramfs is the one file system that pivot_root() cannot leave. A bind mount of
 * it, moved over it, can be left; crun needs that for every container. */
static int
leave_rootfs (void)
{
  mkdir (NEW_ROOT, 0700);
  if (mount ("/", NEW_ROOT, NULL, MS_BIND, NULL) < 0 || chdir (NEW_ROOT) < 0
      || mount (".", "/", NULL, MS_MOVE, NULL) < 0 || chroot (".") < 0 || chdir ("/") < 0)
    return -errno;
  rmdir (NEW_ROOT);
  return 0;
}

/* Without /dev/console in the initramfs the kernel starts process 1 with no open file
 * at all, and the first one opened would become its standard input. */
static void
open_console (void)
{
  int fd = open ("/dev/console", O_RDWR | O_NOCTTY);

  if (fd < 0)
    fd = open ("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++)
    if (fd != i)
      dup2 (fd, i);
  if (fd > 2)
    close (fd);
}

static void
mount_all (void)
{
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
    {
      mkdir (mounts[i].target, 0755);
      if (mount (mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data) < 0
          && errno != EBUSY)
        agent_warning ("cannot mount %s: %m", mounts[i].target);
      if (i == 2)
        open_console ();
    }
  if (symlink ("/proc/self/fd", "/dev/fd") < 0 && errno != EEXIST)
    agent_warning ("/dev/fd: %m");
}

static void
enable_controllers (void)
{
  char buf[512], *save = NULL;

  if (agent_read_file (CGROUP_DIR "/cgroup.controllers", buf, sizeof buf) <= 0)
    return;
  for (char *name = strtok_r (buf, " \n", &save); name != NULL; name = strtok_r (NULL, " \n", &save))
    {
      char word[64];
      int rc;

      snprintf (word, sizeof word, "+%s", name);
      rc = agent_write_file (CGROUP_DIR "/cgroup.subtree_control", word, strlen (word), 0);
      if (rc < 0)
        agent_warning ("cgroup controller %s: %s", name, strerror (-rc));
    }
}

/* The names are those of the Kata agent; what it knows and this one does not is none
 * of an operator's mistakes, so unknown ones are passed over. */
static void
read_command_line (void)
{
  char buf[4096], *save = NULL;

  if (agent_read_file ("/proc/cmdline", buf, sizeof buf) <= 0)
    return;
  for (char *word = strtok_r (buf, " \n", &save); word != NULL; word = strtok_r (NULL, " \n", &save))
    if (strncmp (word, "agent.log=", 10) == 0)
      agent_log_set_level (word + 10);
}

static void
bring_up_loopback (void)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (fd < 0 || ioctl (fd, SIOCSIFFLAGS, &request) < 0)
    agent_warning ("lo: %m");
  agent_close (&fd);
}

void
agent_init_guest (void)
{
  struct rlimit files = { MAX_FILES, MAX_FILES };
  int rc = leave_rootfs ();

  umask (022);
  mount_all ();
  if (rc < 0)
    agent_warning ("cannot leave the initramfs: %s", strerror (-rc));
  read_command_line ();
  agent_module_load_boot ();
  enable_controllers ();
  bring_up_loopback ();
  setrlimit (RLIMIT_NOFILE, &files);
  setenv ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}
