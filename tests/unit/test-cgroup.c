/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-cgroup-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

/* The real hierarchies of this host, below a directory of our own. */

typedef struct
{
  char *top;  /* /virtpod-test-cgroup.PID */
  char *path; /* TOP/a/b */
  GPtrArray *all;
  pid_t pids[2]; /* of children that do nothing */
} Scene;

static pid_t
spawn (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    for (;;)
      pause ();
  g_assert_cmpint (pid, >, 0);
  return pid;
}

static void
end (pid_t pid)
{
  (void) kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

static gboolean
set_up (Scene *s, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  s->top = g_strdup_printf ("/virtpod-test-cgroup.%d", (int) getpid ());
  s->path = g_strconcat (s->top, "/a/b", NULL);
  s->all = vp_cgroup_hierarchies ();
  for (gsize i = 0; i < G_N_ELEMENTS (s->pids); i++)
    s->pids[i] = spawn ();
  if (vp_cgroup_make (s->path, &error))
    return TRUE;
  g_test_message ("%s", error->message);
  /* only a host without cgroups, or that lets nobody make any, has an excuse */
  g_assert_true (vp_error_is (error, VP_ERROR_NOT_SUPPORTED) || vp_error_is (error, VP_ERROR_NOT_AUTHORIZED)
                 || strstr (error->message, "Read-only") != NULL);
  g_test_skip (error->message);
  return FALSE;
}

static char *
place (const VpCgroupHierarchy *h, const char *path, const char *more)
{
  return g_strconcat (h->mount, path, more, NULL);
}

static void
tear_down (Scene *s, gconstpointer data)
{
  static const char *const below[] = { "/a/b", "/a", "/m/qemu-1-x.libvirt-qemu/emulator", "/m/qemu-1-x.libvirt-qemu",
                                       "/m", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (s->pids); i++)
    end (s->pids[i]);
  for (guint i = 0; i < s->all->len; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (below); k++)
      {
        g_autofree char *path = place (s->all->pdata[i], s->top, below[k]);

        /* what has just ended may still be there */
        for (int tries = 0; tries < 2000 && rmdir (path) < 0 && errno == EBUSY; tries++)
          g_usleep (5000);
        g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      }
  g_ptr_array_unref (s->all);
  g_free (s->path);
  g_free (s->top);
}

static void
assert_there (const Scene *s, gboolean there)
{
  for (guint i = 0; i < s->all->len; i++)
    {
      const VpCgroupHierarchy *h = s->all->pdata[i];
      g_autofree char *path = place (h, s->path, NULL);

      g_test_message ("%s", path);
      g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR) == (there && h->ours));
    }
}

static void
test_life (Scene *s, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint n_figures = 0;

  if (!set_up (s, data))
    return;
  assert_there (s, TRUE);
  g_assert_true (vp_cgroup_make (s->path, &error)); /* nobody uses it */
  (void) vp_cgroup_join (s->path, VP_CGROUP_MACHINE, s->pids, 1, &error);
  g_assert_no_error (error);
  g_assert_true (vp_cgroup_join (s->path, VP_CGROUP_STANDIN, s->pids + 1, 1, &error));
  for (guint i = 0; i < s->all->len; i++)
    {
      const VpCgroupHierarchy *h = s->all->pdata[i];
      g_autofree char *machine = vp_cgroup_dup_place (h, s->pids[0]);
      g_autofree char *standin = vp_cgroup_dup_place (h, s->pids[1]);

      g_test_message ("%s %s %s", h->mount, machine, standin);
      g_assert_true (g_str_equal (machine, s->path) == h->figures);
      g_assert_true (g_str_equal (standin, s->path) == (h->figures || (h->ours && !h->cpuset)));
      n_figures += h->figures ? 1 : 0;
    }
  g_assert_cmpuint (n_figures, >, 0);

  /* somebody's, who is not asked */
  g_assert_false (vp_cgroup_make (s->path, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_false (vp_cgroup_make (s->top, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  g_clear_error (&error);

  /* only who is named is put out of it */
  g_assert_false (vp_cgroup_remove (s->path, s->pids + 1, 1, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  g_clear_error (&error);
  end (s->pids[0]);
  g_assert_true (vp_cgroup_remove (s->path, s->pids + 1, 1, &error));
  g_assert_cmpint (kill (s->pids[1], 0), ==, 0);
  assert_there (s, FALSE);
  g_assert_true (vp_cgroup_remove (s->path, NULL, 0, &error));
  s->pids[0] = spawn ();

  /* what has ended, or was never made, is no reason to fail */
  (void) vp_cgroup_join (s->path, VP_CGROUP_MACHINE, s->pids, 1, &error);
  g_assert_no_error (error);
  g_assert_true (vp_cgroup_make (s->path, &error));
  end (s->pids[0]);
  g_assert_true (vp_cgroup_join (s->path, VP_CGROUP_STANDIN, s->pids, 1, &error));
  g_assert_true (vp_cgroup_remove (s->path, NULL, 0, &error));
  g_assert_no_error (error);
  s->pids[0] = spawn ();
}

/* What libvirt has put into a machine's group comes along, whatever it is. */
static void
test_libvirt (Scene *s, gconstpointer data)
{
  g_autofree char *group = NULL;
  g_autofree char *emulator = NULL;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;

  if (!set_up (s, data))
    return;
  group = g_strconcat (s->top, "/m/qemu-1-x.libvirt-qemu", NULL);
  emulator = g_strconcat (group, "/emulator", NULL);
  g_assert_null (vp_cgroup_dup_libvirts (s->pids[0]));
  g_assert_true (vp_cgroup_make (emulator, &error));
  g_assert_true (vp_cgroup_join (emulator, VP_CGROUP_MACHINE, s->pids, 2, &error));
  found = vp_cgroup_dup_libvirts (s->pids[0]);
  g_assert_cmpstr (found, ==, group);

  (void) vp_cgroup_join (s->path, VP_CGROUP_MACHINE, s->pids, 1, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < s->all->len; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (s->pids); k++)
      {
        const VpCgroupHierarchy *h = s->all->pdata[i];
        g_autofree char *where = vp_cgroup_dup_place (h, s->pids[k]);

        g_assert_true (g_str_equal (where, s->path) == h->figures);
      }
  g_assert_true (vp_cgroup_remove_libvirts (group, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < s->all->len; i++)
    {
      g_autofree char *path = place (s->all->pdata[i], group, NULL);

      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  g_assert_false (vp_cgroup_remove_libvirts (s->path, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

/* A directory on which something else is mounted, or that is a link, is no group. */
static void
test_elsewhere (Scene *s, gconstpointer data)
{
  g_autofree char *below = NULL;
  g_autofree char *upper = NULL;
  g_autoptr (GError) error = NULL;

  if (!set_up (s, data))
    return;
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_assert_cmpint (errno, ==, EPERM); /* whatever else it is is a failure */
      g_test_skip ("unshare (CLONE_NEWNS): not permitted, it takes CAP_SYS_ADMIN");
      return;
    }
  below = g_strconcat (s->path, "/c", NULL);
  for (guint i = 0; i < s->all->len; i++)
    {
      if (!((const VpCgroupHierarchy *) s->all->pdata[i])->ours)
        g_ptr_array_remove_index (s->all, i--);
    }
  for (guint i = 0; i < s->all->len; i++)
    {
      g_autofree char *path = place (s->all->pdata[i], s->path, NULL);
      g_autofree char *link = place (s->all->pdata[i], s->path, "/l");

      g_assert_cmpint (mount ("tmpfs", path, "tmpfs", 0, NULL), ==, 0);
      g_assert_cmpint (symlink (s->top, link), ==, 0);
    }
  g_assert_false (vp_cgroup_make (below, &error));
  g_clear_error (&error);
  g_assert_false (vp_cgroup_join (s->path, VP_CGROUP_STANDIN, s->pids, 1, &error));
  g_clear_error (&error);
  upper = g_strconcat (s->path, "/l/x", NULL);
  g_assert_false (vp_cgroup_make (upper, &error));
  for (guint i = 0; i < s->all->len; i++)
    {
      g_autofree char *path = place (s->all->pdata[i], s->path, NULL);
      g_autofree char *made = place (s->all->pdata[i], s->path, "/c");
      g_autofree char *where = vp_cgroup_dup_place (s->all->pdata[i], s->pids[0]);

      g_assert_false (g_file_test (made, G_FILE_TEST_EXISTS));
      g_assert_cmpstr (where, !=, s->path);
      g_assert_cmpint (umount2 (path, MNT_DETACH), ==, 0);
    }
}

/* ---- filters of devices ---- */

static char *
find_version_2 (void)
{
  FILE *mounts = setmntent ("/proc/self/mounts", "re");
  char *found = NULL;
  struct mntent *entry;

  while (mounts != NULL && found == NULL && (entry = getmntent (mounts)) != NULL)
    if (strcmp (entry->mnt_type, "cgroup2") == 0)
      found = g_strdup (entry->mnt_dir);
  if (mounts != NULL)
    endmntent (mounts);
  return found;
}

/* Attaches a program to @group that lets nothing be opened. */
static gboolean
deny_devices (int group)
{
  static const struct bpf_insn nothing[]
      = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 }, { .code = BPF_JMP | BPF_EXIT } };
  union bpf_attr attr;
  VP_AUTO_FD program = -1;

  memset (&attr, 0, sizeof attr);
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = (guint64) (guintptr) nothing;
  attr.insn_cnt = G_N_ELEMENTS (nothing);
  attr.license = (guint64) (guintptr) "GPL";
  program = (int) syscall (SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
  if (program < 0)
    return FALSE;
  memset (&attr, 0, sizeof attr);
  attr.target_fd = (guint32) group;
  attr.attach_bpf_fd = (guint32) program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  return syscall (SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) == 0;
}

static void
write_pid (const char *group, pid_t pid)
{
  g_autofree char *path = g_build_filename (group, "cgroup.procs", NULL);
  g_autofree char *text = g_strdup_printf ("%d", (int) pid);
  VP_AUTO_FD fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (write (fd, text, strlen (text)), ==, (int) strlen (text));
}

/* Exits with whether it cannot open a device, when it is told to. */
static pid_t
spawn_opener (int *ret_go)
{
  int pipes[2];
  pid_t pid;

  g_assert_cmpint (pipe2 (pipes, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      char byte;

      (void) close (pipes[1]);
      _exit (read (pipes[0], &byte, 1) == 0 && open ("/dev/null", O_RDONLY) < 0 && errno == EPERM ? 0 : 1);
    }
  (void) close (pipes[0]);
  *ret_go = pipes[1];
  return pid;
}

static void
test_devices (void)
{
  g_autofree char *mount = find_version_2 ();
  g_autofree char *from = g_strdup_printf ("%s/virtpod-test-cgroup-a.%d", mount, (int) getpid ());
  g_autofree char *to = g_strdup_printf ("%s/virtpod-test-cgroup-b.%d", mount, (int) getpid ());
  const VpCgroupHierarchy h = { mount, NULL, 2, TRUE, TRUE, FALSE };
  g_autoptr (GError) error = NULL;
  int go = -1, status = -1;
  pid_t pid;

  if (mount == NULL || mkdir (from, 0755) < 0 || mkdir (to, 0755) < 0)
    {
      g_assert_true (mount == NULL || errno == EACCES || errno == EPERM || errno == EROFS);
      g_test_skip (mount == NULL ? "no cgroups of version 2 are mounted" : "no cgroup of version 2 may be made");
      return;
    }
  {
    VP_AUTO_FD source = open (from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    VP_AUTO_FD target = open (to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean denied = deny_devices (source);

    pid = spawn_opener (&go);
    write_pid (from, pid);
    g_assert_true (vp_cgroup_keep_device_filter (&h, pid, target, &error));
    g_assert_true (vp_cgroup_keep_device_filter (&h, pid, target, &error)); /* once more is nothing */
    g_assert_no_error (error);
    write_pid (to, pid);
    (void) close (go);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    if (denied)
      g_assert_cmpint (status, ==, 0);
    else
      g_test_skip ("this kernel filters no devices in cgroups of version 2");
  }
  while (rmdir (to) < 0 && errno == EBUSY)
    g_usleep (5000);
  while (rmdir (from) < 0 && errno == EBUSY)
    g_usleep (5000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Scene, NULL, (void *) NULL, func, tear_down)
  ADD ("/cgroup/life", test_life);
  ADD ("/cgroup/libvirt", test_libvirt);
  ADD ("/cgroup/elsewhere", test_elsewhere);
  g_test_add_func ("/cgroup/devices", test_devices);
  return g_test_run ();
}
