/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-args.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"

static const VpDbusOption table[] = { { "force", "b" }, { "labels", "a{ss}" }, VP_DBUS_STREAM_OPTIONS, { NULL } };

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
test_check (void)
{
  const struct {
    const char *text;
    const char *names; /* what the message has; NULL: good */
  } cases[] = {
    { "{}", NULL },
    { "{'force': <true>}", NULL },
    { "{'force': <true>, 'force': <false>}", NULL },
    { "{'stdin': <handle 0>, 'stderr-path': <'/x'>}", NULL },
    { "{'Force': <true>}", "Force" },
    { "{'': <true>}", "\"\"" },
    { "{'force': <'true'>}", "\"force\": has type \"s\", must be \"b\"" },
    { "{'force': <1>}", "force" },
    { "{'force': <<true>>}", "force" },
    { "{'stdin': <0>}", "stdin" },
    { "{'labels': <['a']>}", "labels" },
    { "{'force': <true>, 'a\\nb': <true>}", "a\\nb" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) options = parse (cases[i].text);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (vp_dbus_args_check (options, table, &error), ==, cases[i].names == NULL);
      if (cases[i].names == NULL)
        continue;
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].names));
      g_assert_null (strchr (error->message, '\n'));
    }
}

static void
test_flag (void)
{
  g_autoptr (GVariant) options = parse ("{'force': <true>, 'text': <'x'>}");

  g_assert_true (vp_dbus_args_get_flag (options, "force"));
  g_assert_false (vp_dbus_args_get_flag (options, "text"));
  g_assert_false (vp_dbus_args_get_flag (options, "missing"));
}

static void
test_streams (void)
{
  g_autoptr (GVariant) options = parse ("{'stdin': <handle 0>, 'stdout': <handle 1>, 'stderr-path': <'/dev/null'>}");
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (VpStreams) streams = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
  g_unix_fd_list_append (fds, ends[0], NULL);
  g_unix_fd_list_append (fds, ends[1], NULL);
  close (ends[0]);
  close (ends[1]);
  streams = vp_dbus_args_dup_streams (options, fds, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (streams->paths[VP_STREAM_STDERR], ==, "/dev/null");
  g_clear_object (&fds);
  g_assert_cmpint (write (streams->fds[VP_STREAM_STDOUT], "x", 1), ==, 1);
}

static void
test_bad_streams (void)
{
  const char *const cases[] = {
    "{'stdin': <handle 1>}",
    "{'stdin': <handle -1>}",
    "{'stdin': <handle 2147483647>}",
    "{'stdin': <handle 0>, 'stdin-path': <'/dev/null'>}",
    "{'stdout-path': <'relative'>}",
    "{'stdin': <handle 0>, 'stderr-path': <'/'>}",
  };
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  g_unix_fd_list_append (fds, STDOUT_FILENO, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) options = parse (cases[i]);
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) without = NULL;
      int next = dup (STDOUT_FILENO);

      close (next);
      g_assert_null (vp_dbus_args_dup_streams (options, fds, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, "std"));
      g_assert_null (vp_dbus_args_dup_streams (options, NULL, &without));
      /* nothing was left open: the next descriptor is the same as before */
      g_assert_cmpint (dup (STDOUT_FILENO), ==, next);
      close (next);
    }
}

static void
test_labels (void)
{
  g_autoptr (GVariant) options = parse ("{'labels': <{'a': 'b', 'c': ''}>}");
  g_autoptr (GVariant) none = parse ("{}");
  g_autoptr (GHashTable) labels = vp_dbus_args_dup_labels (options, NULL);
  g_autoptr (GHashTable) empty = vp_dbus_args_dup_labels (none, NULL);

  g_assert_cmpuint (g_hash_table_size (labels), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (labels, "a"), ==, "b");
  g_assert_cmpuint (g_hash_table_size (empty), ==, 0);
}

static GVariant *
make_labels (guint n, gsize key_len, gsize value_len)
{
  GVariantBuilder dict;
  g_autofree char *value = g_strnfill (value_len, 'v');
  GVariantDict options;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{ss}"));
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = key_len == 0 ? g_strdup ("") : g_strdup_printf ("%0*u", (int) key_len, i);
      g_variant_builder_add (&dict, "{ss}", key, value);
    }
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert_value (&options, "labels", g_variant_builder_end (&dict));
  return g_variant_ref_sink (g_variant_dict_end (&options));
}

static void
test_label_limits (void)
{
  const struct {
    guint n;
    gsize key_len, value_len;
    gboolean good;
  } cases[] = {
    { 64, 256, 256, TRUE }, { 65, 4, 1, FALSE }, { 1, 257, 1, FALSE }, { 1, 1, 257, FALSE }, { 1, 0, 1, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) options = make_labels (cases[i].n, cases[i].key_len, cases[i].value_len);
      g_autoptr (GError) error = NULL;
      g_autoptr (GHashTable) labels = vp_dbus_args_dup_labels (options, &error);

      g_assert_cmpint (labels != NULL, ==, cases[i].good);
      if (!cases[i].good)
        g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
    }
}

/* ---- mount namespaces ---- */

static GUnixFDList *
list_of (const char *path)
{
  GUnixFDList *fds = g_unix_fd_list_new ();
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  g_assert_no_errno (fd);
  g_assert_no_errno (g_unix_fd_list_append (fds, fd, NULL));
  close (fd);
  return fds;
}

static void
test_mount_namespace (void)
{
  g_autoptr (GVariant) none = parse ("{}");
  g_autoptr (GVariant) options = parse ("{'mount-namespace': <handle 0>}");
  g_autoptr (GVariant) beyond = parse ("{'mount-namespace': <handle 1>}");
  const char *const others[] = { "/dev/null", "/", "/proc/self/ns/net", "/proc/self/ns/user" };
  g_autoptr (GUnixFDList) own = list_of ("/proc/self/ns/mnt");
  VpMountNs *ns = NULL;

  g_assert_true (vp_dbus_args_get_mount_ns (none, NULL, 1000, &ns, NULL));
  g_assert_null (ns);
  /* ours is as good as none */
  g_assert_true (vp_dbus_args_get_mount_ns (options, own, 1000, &ns, NULL));
  g_assert_null (ns);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GUnixFDList) fds = list_of (others[i]);
      g_autoptr (GError) error = NULL;

      g_assert_false (vp_dbus_args_get_mount_ns (options, fds, 0, &ns, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, "mount-namespace"));
    }
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (vp_dbus_args_get_mount_ns (beyond, i == 0 ? NULL : own, 0, &ns, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
    }
}

static gboolean
read_own_link (gpointer data, GError **error)
{
  *(char **) data = g_file_read_link ("/proc/thread-self/ns/mnt", error);
  return *(char **) data != NULL;
}

static void
test_other_mount_namespace (void)
{
  g_autoptr (GVariant) options = parse ("{'mount-namespace': <handle 0>}");
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (VpMountNs) ns = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *there = NULL;
  g_autofree char *seen = NULL;
  g_autofree char *here = NULL;
  int ready[2];
  char byte = 0;
  int status;
  pid_t pid;

  g_assert_no_errno (pipe2 (ready, O_CLOEXEC));
  pid = fork ();
  if (pid == 0)
    {
      if (unshare (CLONE_NEWNS) < 0 || write (ready[1], "x", 1) != 1)
        _exit (errno == EPERM ? 1 : 2);
      pause ();
      _exit (0);
    }
  close (ready[1]);
  if (read (ready[0], &byte, 1) != 1)
    {
      close (ready[0]);
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      /* whoever may, has to be able to */
      g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 1);
      g_test_skip ("unshare (CLONE_NEWNS): not permitted, it takes CAP_SYS_ADMIN");
      return;
    }
  close (ready[0]);
  path = g_strdup_printf ("/proc/%d/ns/mnt", (int) pid);
  there = g_file_read_link (path, NULL);
  fds = list_of (path);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);

  g_assert_false (vp_dbus_args_get_mount_ns (options, fds, 1000, &ns, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_AUTHORIZED);
  g_assert_null (ns);
  g_assert_true (vp_dbus_args_get_mount_ns (options, fds, 0, &ns, NULL));
  g_assert_nonnull (ns);
  g_assert_true (vp_mount_ns_run (ns, read_own_link, &seen, NULL));
  g_assert_cmpstr (seen, ==, there);
  /* that of this thread is what it was */
  here = g_file_read_link ("/proc/thread-self/ns/mnt", NULL);
  g_assert_cmpstr (here, !=, there);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dbus-args/check", test_check);
  g_test_add_func ("/dbus-args/flag", test_flag);
  g_test_add_func ("/dbus-args/streams", test_streams);
  g_test_add_func ("/dbus-args/bad-streams", test_bad_streams);
  g_test_add_func ("/dbus-args/labels", test_labels);
  g_test_add_func ("/dbus-args/mount-namespace", test_mount_namespace);
  g_test_add_func ("/dbus-args/other-mount-namespace", test_other_mount_namespace);
  g_test_add_func ("/dbus-args/label-limits", test_label_limits);
  return g_test_run ();
}
