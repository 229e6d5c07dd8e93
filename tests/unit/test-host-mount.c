/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real mounts, in a mount namespace of the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-host-mount.h"

typedef struct
{
  char *top;    /* a tmpfs; everything is below */
  char *share;  /* the share under test */
  char *source; /* a directory with "file" and a mount "sub" with "inner" */
} Fixture;

static char *
below (const char *directory, const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
write_file (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = below (directory, name);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static gboolean
exists (const char *directory, const char *name)
{
  g_autofree char *path = below (directory, name);

  return g_access (path, F_OK) == 0;
}

static int
try_write (const char *directory, const char *name)
{
  g_autofree char *path = below (directory, name);
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  if (fd < 0)
    return errno;
  close (fd);
  return 0;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *sub = NULL;

  f->top = g_dir_make_tmp ("virtpod-test-XXXXXX", NULL);
  g_assert_nonnull (f->top);
  g_assert_cmpint (mount ("test", f->top, "tmpfs", 0, NULL), ==, 0);
  f->share = below (f->top, "shared");
  f->source = below (f->top, "source");
  sub = below (f->source, "sub");
  g_assert_cmpint (g_mkdir_with_parents (sub, 0755), ==, 0);
  write_file (f->source, "file", "text");
  g_assert_cmpint (mount ("test", sub, "tmpfs", 0, NULL), ==, 0);
  write_file (sub, "inner", "text");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  umount2 (f->top, MNT_DETACH);
  g_rmdir (f->top);
  g_free (f->top);
  g_free (f->share);
  g_free (f->source);
}

static void
prepare (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  vp_host_mount_share_prepare (f->share, &error);
  g_assert_no_error (error);
}

static VpHostBind
make_bind (const char *source, const char *target)
{
  return (
      VpHostBind){ .field = (char *)"mounts[0].source", .source = (char *)source, .target = (char *)target };
}

static void
assert_bind (Fixture *f, const VpHostBind *bind)
{
  g_autoptr (GError) error = NULL;

  vp_host_mount_bind (f->share, bind, -1, &error);
  g_assert_no_error (error);
}

static guint
count_mounts (const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    n += strstr (*line, path) != NULL;
  return n;
}

static void
test_prepare (Fixture *f, gconstpointer data)
{
  g_autofree char *info = NULL;
  g_autofree char *wanted = g_strdup_printf (" %s ro,[a-z,]* shared:", f->share);

  prepare (f);
  prepare (f); /* again is nothing */
  g_assert_cmpuint (count_mounts (f->share), ==, 1);
  g_file_get_contents ("/proc/self/mountinfo", &info, NULL, NULL);
  g_assert_true (g_regex_match_simple (wanted, info, 0, 0));
  /* the guest, who is root through the file server, gets the same answer */
  g_assert_cmpint (try_write (f->share, "new"), ==, EROFS);
}

static void
test_bind_directory (Fixture *f, gconstpointer data)
{
  g_autofree char *mounted = below (f->share, "c1/rootfs");
  VpHostBind bind = make_bind (f->source, "c1/rootfs");

  prepare (f);
  assert_bind (f, &bind);
  g_assert_true (exists (mounted, "file"));
  g_assert_false (exists (mounted, "sub/inner"));
  g_assert_cmpint (try_write (mounted, "new"), ==, 0);
  g_assert_true (exists (f->source, "new"));
}

static void
test_bind_read_only (Fixture *f, gconstpointer data)
{
  g_autofree char *mounted = below (f->share, "c1/mounts/3");
  VpHostBind bind = make_bind (f->source, "c1/mounts/3");

  bind.read_only = TRUE;
  bind.recursive = TRUE;
  prepare (f);
  assert_bind (f, &bind);
  g_assert_true (exists (mounted, "sub/inner"));
  g_assert_cmpint (try_write (mounted, "new"), ==, EROFS);
  g_assert_cmpint (try_write (mounted, "file"), ==, EROFS);
  g_assert_cmpint (try_write (mounted, "sub/inner"), ==, EROFS);
  /* the source itself is as it was */
  g_assert_cmpint (try_write (f->source, "new"), ==, 0);
  g_assert_cmpint (try_write (f->source, "sub/inner"), ==, 0);
}

static void
test_bind_file (Fixture *f, gconstpointer data)
{
  g_autofree char *link = below (f->source, "link");
  VpHostBind bind = make_bind (link, "c1/mounts/0");
  g_autofree char *text = NULL;
  g_autofree char *mounted = below (f->share, "c1/mounts/0");

  /* a link of the host is followed, as for /etc/resolv.conf */
  g_assert_cmpint (symlink ("file", link), ==, 0);
  prepare (f);
  assert_bind (f, &bind);
  g_file_get_contents (mounted, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, "text");
}

static void
assert_refused (Fixture *f, const VpHostBind *bind, VpError code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vp_host_mount_bind (f->share, bind, -1, &error));
  g_assert_error (error, VP_ERROR, (gint)code);
  if (strstr (error->message, words) == NULL)
    g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_bind_kinds (Fixture *f, gconstpointer data)
{
  g_autofree char *fifo = below (f->source, "fifo");
  g_autofree char *socket_path = below (f->source, "socket");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  VpHostBind to_fifo = make_bind (fifo, "c1/mounts/0");
  VpHostBind to_socket = make_bind (socket_path, "c1/mounts/1");
  VpHostBind to_device = make_bind ("/dev/null", "c1/mounts/2");
  VpHostBind to_nothing = make_bind ("/nonexistent", "c1/mounts/3");
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_strlcpy (address.sun_path, socket_path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  prepare (f);
  assert_refused (f, &to_fifo, VP_ERROR_NOT_SUPPORTED, "mounts[0].source: ");
  assert_refused (f, &to_fifo, VP_ERROR_NOT_SUPPORTED, " fifo");
  assert_refused (f, &to_socket, VP_ERROR_NOT_SUPPORTED, " socket");
  assert_refused (f, &to_device, VP_ERROR_NOT_SUPPORTED, " character device");
  assert_refused (f, &to_nothing, VP_ERROR_NOT_FOUND, "\"/nonexistent\"");
  g_assert_cmpuint (count_mounts (f->share), ==, 1);
  close (fd);
}

static void
test_bind_escape (Fixture *f, gconstpointer data)
{
  g_autofree char *container = below (f->share, "c1");
  g_autofree char *evil = below (container, "mounts");
  VpHostBind through_link = make_bind (f->source, "c1/mounts/0");
  VpHostBind upwards = make_bind (f->source, "../outside");

  /* put there before the share is read-only: even so nothing is followed */
  g_assert_cmpint (g_mkdir_with_parents (container, 0755), ==, 0);
  g_assert_cmpint (symlink (f->source, evil), ==, 0);
  prepare (f);
  assert_refused (f, &through_link, VP_ERROR_INVALID_ARGUMENT, "mount point");
  assert_refused (f, &upwards, VP_ERROR_INVALID_ARGUMENT, "leads outside");
  g_assert_false (exists (f->source, "0"));
  g_assert_false (exists (f->top, "outside"));
}

static void
test_bind_twice (Fixture *f, gconstpointer data)
{
  VpHostBind bind = make_bind (f->source, "c1/rootfs");

  prepare (f);
  assert_bind (f, &bind);
  assert_refused (f, &bind, VP_ERROR_ALREADY_EXISTS, "c1/rootfs");
}

static void
test_bind_unprepared (Fixture *f, gconstpointer data)
{
  VpHostBind bind = make_bind (f->source, "c1/rootfs");

  assert_refused (f, &bind, VP_ERROR_NOT_FOUND, "share");
  g_assert_cmpint (g_mkdir (f->share, 0755), ==, 0);
  assert_refused (f, &bind, VP_ERROR_INVALID_STATE, "not mounted");
}

static VpContainerPlan *
make_plan (Fixture *f, const char *id)
{
  static const char json[] = "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"source\"},"
                             "\"process\":{\"args\":[\"true\"],\"cwd\":\"/\"}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (VpSpec) spec = vp_spec_parse (json, sizeof json - 1, f->top, &error);
  g_autofree char *target = g_strconcat (id, "/rootfs", NULL);
  VpContainerPlan *plan;

  g_assert_no_error (error);
  plan = vp_container_plan_new ("s1", id, spec);
  vp_container_plan_add_bind (plan, "root.path", f->source, target)->is_rootfs = TRUE;
  return plan;
}

static void
test_container (Fixture *f, gconstpointer data)
{
  g_autoptr (VpContainerPlan) one = make_plan (f, "c1");
  g_autoptr (VpContainerPlan) two = make_plan (f, "c2");
  g_autofree char *mounted = below (f->share, "c2/rootfs");
  g_autoptr (GError) error = NULL;

  prepare (f);
  vp_host_mount_container (f->share, one, NULL, &error);
  g_assert_no_error (error);
  vp_host_mount_container (f->share, two, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_mounts (f->share), ==, 3);

  for (int i = 0; i < 2; i++) /* the second time there is nothing to do */
    {
      vp_host_mount_container_remove (f->share, "c1", &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (count_mounts (f->share), ==, 2);
  g_assert_false (exists (f->share, "c1"));
  g_assert_true (exists (mounted, "file"));
  g_assert_true (exists (f->source, "file"));
}

/* What every guest sees is there, or nothing is. */
static void
test_sandbox (Fixture *f, gconstpointer data)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();
  g_autoptr (GError) error = NULL;
  VpHostBind *bind = vp_host_bind_new ("runtime.sandbox-bind-mounts", f->source, "sandbox-mounts/source");

  bind->read_only = TRUE;
  g_ptr_array_add (plan->binds, bind);
  g_assert_true (vp_host_mount_sandbox (f->share, plan, &error));
  g_assert_no_error (error);
  g_assert_true (exists (f->share, "sandbox-mounts/source/file"));
  g_assert_cmpint (try_write (f->share, "sandbox-mounts/source/file"), ==, EROFS);
  g_assert_true (vp_host_mount_share_remove (f->share, NULL));
  g_assert_cmpuint (count_mounts (f->share), ==, 0);

  g_ptr_array_add (plan->binds, vp_host_bind_new ("runtime.sandbox-bind-mounts", "/nonexistent", "sandbox-mounts/n"));
  g_assert_false (vp_host_mount_sandbox (f->share, plan, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "runtime.sandbox-bind-mounts"));
  g_assert_cmpuint (count_mounts (f->share), ==, 0);
}

static void
test_container_failure (Fixture *f, gconstpointer data)
{
  g_autoptr (VpContainerPlan) plan = make_plan (f, "c1");
  g_autoptr (GError) error = NULL;

  vp_container_plan_add_bind (plan, "mounts[4].source", "/nonexistent", "c1/mounts/4");
  prepare (f);
  g_assert_false (vp_host_mount_container (f->share, plan, NULL, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_cmpuint (count_mounts (f->share), ==, 1);
  g_assert_false (exists (f->share, "c1"));
  g_assert_true (exists (f->source, "file"));
}

static void
test_share_remove (Fixture *f, gconstpointer data)
{
  g_autoptr (VpContainerPlan) plan = make_plan (f, "c1");
  g_autofree char *on_top = below (f->share, "c1/rootfs");
  g_autofree char *open_file = below (on_top, "file");
  g_autoptr (GError) error = NULL;
  int fd;

  prepare (f);
  vp_host_mount_container (f->share, plan, NULL, &error);
  g_assert_no_error (error);
  /* stacked, and in use */
  g_assert_cmpint (mount (f->source, on_top, NULL, MS_BIND | MS_REC, NULL), ==, 0);
  fd = open (open_file, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  for (int i = 0; i < 2; i++)
    {
      vp_host_mount_share_remove (f->share, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (count_mounts (f->share), ==, 0);
  g_assert_false (g_file_test (f->share, G_FILE_TEST_EXISTS));
  g_assert_true (exists (f->source, "file"));
  g_assert_true (exists (f->source, "sub/inner"));
  close (fd);
}

/* What is mounted later reaches a namespace that was made before, as a file server's is. */
static void
test_propagation (Fixture *f, gconstpointer data)
{
  VpHostBind bind = make_bind (f->source, "c1/rootfs");
  g_autofree char *mounted = below (f->share, "c1/rootfs/file");
  int ready[2], go[2], status;
  char byte = 0;
  pid_t pid;

  prepare (f);
  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (go, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0
          || write (ready[1], &byte, 1) != 1 || read (go[0], &byte, 1) != 1)
        _exit (2);
      _exit (access (mounted, F_OK) == 0 ? 0 : 1);
    }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  assert_bind (f, &bind);
  g_assert_cmpint (write (go[1], &byte, 1), ==, 1);
  g_assert_true (g_spawn_check_wait_status ((waitpid (pid, &status, 0), status), NULL));
  close (ready[0]);
  close (ready[1]);
  close (go[0]);
  close (go[1]);
}

static void
test_skipped (void)
{
  g_test_skip ("needs root and a mount namespace of its own");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (geteuid () != 0 || unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_test_add_func ("/host-mount/all", test_skipped);
      return g_test_run ();
    }
#define ADD(path, func) g_test_add ("/host-mount/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("prepare", test_prepare);
  ADD ("bind/directory", test_bind_directory);
  ADD ("bind/read-only", test_bind_read_only);
  ADD ("bind/file", test_bind_file);
  ADD ("bind/kinds", test_bind_kinds);
  ADD ("bind/escape", test_bind_escape);
  ADD ("bind/twice", test_bind_twice);
  ADD ("bind/unprepared", test_bind_unprepared);
  ADD ("container", test_container);
  ADD ("container-failure", test_container_failure);
  ADD ("sandbox", test_sandbox);
  ADD ("share-remove", test_share_remove);
  ADD ("propagation", test_propagation);
#undef ADD
  return g_test_run ();
}
