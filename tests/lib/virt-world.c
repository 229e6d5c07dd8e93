/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt-world.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-fd.h"

VpVirt *virt;
GString *stops;
char *root;

void
make_root (const char *template)
{
  root = g_dir_make_tmp (template, NULL);
  g_assert_nonnull (root);
  /* QEMU may run as a user of its own and must get in */
  g_chmod (root, 0755);
  stops = g_string_new (NULL);
}

void
remove_root (void)
{
  VP_AUTO_FD tmp = open (g_get_tmp_dir (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *name = g_path_get_basename (root);

  (void) vp_fd_remove_tree (tmp, name, NULL);
  g_string_free (stops, TRUE);
  g_free (root);
}

void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

void
note_stop (VpVirt *object, const char *name, const char *reason, gpointer data)
{
  g_string_append_printf (stops, "%s=%s ", name, reason);
}

gboolean
destroy (const char *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_destroy_async (virt, name, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_destroy_finish (virt, result, error);
}

gboolean
is_listed (const char *name)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) domains = NULL;
  gboolean found = FALSE;

  vp_virt_list_async (virt, NULL, keep_result, &result);
  WAIT (result);
  domains = vp_virt_list_finish (virt, result, NULL);
  g_assert_nonnull (domains);
  for (guint i = 0; i < domains->len; i++)
    found = found || g_str_equal (((VpVirtDomain *) domains->pdata[i])->name, name);
  return found;
}

static int
wait_for (pid_t child)
{
  int status;
  pid_t pid;

  while ((pid = waitpid (-1, &status, 0)) != child)
    if (pid < 0 && errno != EINTR)
      return 1;
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

void
enter_namespace (void)
{
  pid_t child;

  g_assert_cmpint (unshare (CLONE_NEWPID | CLONE_NEWNS), ==, 0);
  g_assert_cmpint (mount ("none", "/", NULL, MS_REC | MS_SLAVE, NULL), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child > 0)
    _exit (wait_for (child));
  g_assert_cmpint (prctl (PR_SET_PDEATHSIG, SIGKILL), ==, 0);
  g_assert_cmpint (mount ("proc", "/proc", "proc", 0, NULL), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child > 0)
    _exit (wait_for (child));
}
