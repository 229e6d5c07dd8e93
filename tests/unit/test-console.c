/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-console.h"
#include "vp-error.h"
#include "vp-log.h"
#include "vp-fd.h"
#include "vp-sdnotify.h"

typedef struct
{
  char *dir;
  char *socket_path;
  int listener;
} Fixture;

static int
bind_socket (const char *path, int type)
{
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);

  g_strlcpy (addr.sun_path, path, sizeof addr.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &addr, sizeof addr), ==, 0);
  return fd;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-console-XXXXXX", NULL);
  f->socket_path = g_build_filename (f->dir, "console.sock", NULL);
  f->listener = bind_socket (f->socket_path, SOCK_STREAM);
  g_assert_cmpint (listen (f->listener, 1), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  VP_AUTO_FD tmp = open (g_get_tmp_dir (), O_RDONLY | O_DIRECTORY);
  g_autofree char *name = g_path_get_basename (f->dir);

  vp_fd_clear (&f->listener);
  g_assert_true (vp_fd_remove_tree (tmp, name, NULL));
  g_free (f->dir);
  g_free (f->socket_path);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static gboolean
start (VpConsole *console, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_console_start_async (console, NULL, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return vp_console_start_finish (console, result, error);
}

static char *
read_log (Fixture *f, const char *name, gsize *len)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, len, NULL))
    *len = 0;
  return text;
}

static void
pump_until (VpConsole *console, guint64 n)
{
  while (vp_console_get_n_bytes (console) < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_basic (Fixture *f, gconstpointer data)
{
  g_autoptr (VpConsole) console = vp_console_new (f->socket_path, f->dir, "console.log", 65536);
  g_autoptr (GError) error = NULL;
  g_autofree char *log = NULL, *tail = NULL;
  const char raw[]
      = "\033[2J\033[1;31mboot\033[0m\r\n\tok \x01\xff caf\xc3\xa9\n\033]0;title\apanic: no init\r\n\n";
  VP_AUTO_FD guest = -1;
  gsize len;

  tail = vp_console_dup_tail (console, 100);
  g_assert_cmpstr (tail, ==, "");
  g_clear_pointer (&tail, g_free);

  g_assert_true (start (console, &error));
  g_assert_no_error (error);
  g_assert_true (vp_console_is_running (console));
  g_assert_false (start (console, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  g_assert_true (vp_console_is_running (console));

  guest = accept (f->listener, NULL, NULL);
  g_assert_cmpint (write (guest, raw, sizeof raw - 1), ==, sizeof raw - 1);
  pump_until (console, sizeof raw - 1);
  log = read_log (f, "console.log", &len);
  g_assert_cmpmem (log, len, raw, sizeof raw - 1);
  tail = vp_console_dup_tail (console, 1000);
  g_assert_cmpstr (tail, ==, "boot\n\tok .. caf\xc3\xa9\npanic: no init");
  g_clear_pointer (&tail, g_free);
  tail = vp_console_dup_tail (console, 35);
  g_assert_cmpstr (tail, ==, "panic: no init");
  g_clear_pointer (&tail, g_free);
  tail = vp_console_dup_tail (console, 10);
  g_assert_cmpstr (tail, ==, "no init");

  /* what is still in the socket at the end is not lost */
  g_assert_cmpint (write (guest, "last words", 10), ==, 10);
  vp_console_stop (console);
  g_assert_false (vp_console_is_running (console));
  g_clear_pointer (&tail, g_free);
  tail = vp_console_dup_tail (console, 1000);
  g_assert_true (g_str_has_suffix (tail, "last words"));
}

static gpointer
flood (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  char line[64];

  for (int i = 0; i < 40000; i++)
    {
      int n = g_snprintf (line, sizeof line, "line %07d of a flood\n", i);

      g_assert_cmpint (write (fd, line, (size_t) n), ==, n);
    }
  close (fd);
  return NULL;
}

static void
test_bounded (Fixture *f, gconstpointer data)
{
  g_autoptr (VpConsole) console = vp_console_new (f->socket_path, f->dir, "console.log", 50000);
  g_autofree char *log = NULL, *old = NULL, *both = NULL, *tail = NULL;
  GThread *thread;
  gsize len, old_len;
  guint turns = 0;

  g_assert_true (start (console, NULL));
  thread = g_thread_new ("flood", flood, GINT_TO_POINTER (accept (f->listener, NULL, NULL)));
  for (; vp_console_is_running (console); turns++)
    {
      guint64 before = vp_console_get_n_bytes (console);

      g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (vp_console_get_n_bytes (console) - before, <=, 16384);
    }
  g_thread_join (thread);
  g_assert_cmpuint (vp_console_get_n_bytes (console), ==, 40000 * 24);

  log = read_log (f, "console.log", &len);
  old = read_log (f, "console.log.1", &old_len);
  g_assert_cmpuint (len, <=, 25000);
  g_assert_cmpuint (old_len, <=, 25000);
  both = g_strconcat (old, log, NULL);
  g_assert_true (g_str_has_suffix (both, "line 0039999 of a flood\n"));
  /* no gap between the two */
  g_assert_true (strstr (both, "line 0039500 of a flood\nline 0039501 of a flood\n") != NULL);
  tail = vp_console_dup_tail (console, 30000);
  g_assert_true (g_str_has_prefix (tail, "line "));
  g_assert_cmpuint (strlen (tail), >, len - 1 < 30000 ? len - 1 : 29000);
}

/* a restarted daemon goes on with the same file */
static void
test_continued (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (VpConsole) console = vp_console_new (f->socket_path, f->dir, "console.log", 65536);
      VP_AUTO_FD guest = -1;

      g_assert_true (start (console, NULL));
      guest = accept (f->listener, NULL, NULL);
      g_assert_cmpint (write (guest, "again\n", 6), ==, 6);
    }
  {
    g_autoptr (VpConsole) console = vp_console_new (f->socket_path, f->dir, "console.log", 65536);
    g_autofree char *tail = vp_console_dup_tail (console, 100);

    g_assert_cmpstr (tail, ==, "again\nagain");
  }
}

static void
test_errors (Fixture *f, gconstpointer data)
{
  g_autofree char *log = g_build_filename (f->dir, "console.log", NULL);
  g_autofree char *other = g_build_filename (f->dir, "other", NULL);
  g_autofree char *missing = g_build_filename (f->dir, "missing.sock", NULL);
  g_autofree char *long_path = g_strnfill (200, 'x');
  g_autoptr (VpConsole) a = vp_console_new (missing, f->dir, "console.log", 65536);
  g_autoptr (VpConsole) b = vp_console_new (f->socket_path, f->dir, "console.log", 65536);
  g_autoptr (VpConsole) c = vp_console_new (long_path, f->dir, "console.log", 65536);
  g_autoptr (GError) error = NULL;

  g_assert_false (start (a, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_false (vp_console_is_running (a));
  g_clear_error (&error);
  g_assert_false (start (c, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  /* neither a symlink nor a hard link is written through */
  g_assert_true (g_file_set_contents (other, "precious", -1, NULL));
  g_unlink (log);
  g_assert_cmpint (symlink (other, log), ==, 0);
  g_assert_false (start (b, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_unlink (log);
  g_assert_cmpint (link (other, log), ==, 0);
  g_assert_false (start (b, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  g_assert_false (vp_console_is_running (b));
}

/* ---- notifications ------------------------------------------------------- */

static void
check_datagram (int fd, const char *expected)
{
  char text[256];
  ssize_t n = recv (fd, text, sizeof text, MSG_DONTWAIT);

  g_assert_cmpint (n, >, 0);
  g_assert_cmpmem (text, (gsize) n, expected, strlen (expected));
}

static void
test_sdnotify (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "notify", NULL);
  g_autofree char *abstract = g_strdup_printf ("@vp-test-%d", (int) getpid ());
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  VP_AUTO_FD fd = bind_socket (path, SOCK_DGRAM);
  VP_AUTO_FD fd2 = socket (AF_UNIX, SOCK_DGRAM, 0);

  g_unsetenv ("NOTIFY_SOCKET");
  g_assert_false (vp_sdnotify (VP_SDNOTIFY_READY));
  g_setenv ("NOTIFY_SOCKET", path, TRUE);
  g_assert_true (vp_sdnotify (VP_SDNOTIFY_READY));
  check_datagram (fd, "READY=1");
  g_assert_true (vp_sdnotify_status ("two\nlines"));
  check_datagram (fd, "STATUS=two lines");

  memcpy (addr.sun_path + 1, abstract + 1, strlen (abstract) - 1);
  g_assert_cmpint (bind (fd2, (struct sockaddr *) &addr,
                         (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (abstract))),
                   ==, 0);
  g_setenv ("NOTIFY_SOCKET", abstract, TRUE);
  g_assert_true (vp_sdnotify (VP_SDNOTIFY_STOPPING));
  check_datagram (fd2, "STOPPING=1");
  g_setenv ("NOTIFY_SOCKET", "relative", TRUE);
  g_assert_false (vp_sdnotify (VP_SDNOTIFY_READY));
  g_unsetenv ("NOTIFY_SOCKET");

  g_unsetenv ("WATCHDOG_USEC");
  g_assert_cmpuint (vp_sdnotify_get_watchdog_usec (), ==, 0);
  g_setenv ("WATCHDOG_USEC", "3000000", TRUE);
  g_assert_cmpuint (vp_sdnotify_get_watchdog_usec (), ==, 1500000);
  g_setenv ("WATCHDOG_PID", "1", TRUE);
  g_assert_cmpuint (vp_sdnotify_get_watchdog_usec (), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vp_log_init (); /* warnings are expected and must not be fatal */
#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)
  ADD ("/console/basic", test_basic);
  ADD ("/console/bounded", test_bounded);
  ADD ("/console/continued", test_continued);
  ADD ("/console/errors", test_errors);
  ADD ("/sdnotify", test_sdnotify);
  return g_test_run ();
}
