/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-names.h"
#include "vp-virt-private.h"
#include "virt-world.h"

/* A libvirtd of our own, in private directories, that is killed and started
 * again: the connection comes back by itself, domains live on, and those that
 * ended meanwhile are reported. */

static GPid libvirtd;

static void
start_libvirtd (void)
{
  static const char script[]
      = "for d in run lib log cache; do mkdir -p \"$1/$d\"; done\n"
        "mount --bind \"$1/etc\" /etc/libvirt && mount --bind \"$1/run\" /run/libvirt &&\n"
        "mount --bind \"$1/lib\" /var/lib/libvirt && mount --bind \"$1/log\" /var/log/libvirt &&\n"
        "mount --bind \"$1/cache\" /var/cache/libvirt &&\n"
        "exec libvirtd -f \"$1/etc/libvirtd.conf\" -p \"$1/libvirtd.pid\"\n";
  const char *argv[] = { "unshare", "-m", "--propagation", "slave", "sh", "-c", script, "sh", root, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_async (NULL, (char **) argv, NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                 &libvirtd, &error);
  g_assert_no_error (error);
}

static void
kill_libvirtd (void)
{
  int status;

  g_assert_cmpint (kill (libvirtd, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (libvirtd, &status, 0), ==, libvirtd);
  libvirtd = 0;
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (root, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up_root (void)
{
  g_autofree char *etc = NULL, *conf = NULL;

  make_root ("vp-libvirtd-XXXXXX");
  etc = g_build_filename (root, "etc", NULL);
  g_assert_cmpint (g_mkdir (etc, 0755), ==, 0);
  write_file ("etc/qemu.conf", "stdio_handler = \"file\"\nuser = \"root\"\ngroup = \"root\"\n");
  conf = g_strdup_printf ("unix_sock_dir = \"%s\"\nunix_sock_group = \"root\"\nauth_unix_rw = \"none\"\n"
                          "auth_unix_ro = \"none\"\nlog_outputs = \"3:file:%s/libvirtd.log\"\n",
                          root, root);
  write_file ("etc/libvirtd.conf", conf);
}

static gboolean
wake_up (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for_state (VpVirtState state, guint seconds)
{
  gint64 end = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  guint id = g_timeout_add (100, wake_up, NULL);

  while (vp_virt_get_state (virt) != state && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (id);
  g_assert_cmpint (vp_virt_get_state (virt), ==, state);
}

static char *
domain_xml (const char *name)
{
  return g_strdup_printf (
      "<domain type='qemu'><name>%s</name>"
      "<metadata><virtpod:sandbox xmlns:virtpod='" VP_METADATA_NS "' version='1'>"
      "<virtpod:id>%s</virtpod:id></virtpod:sandbox></metadata><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
      "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
      "<devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>",
      name, name);
}

static void
create_async (const char *name, GAsyncResult **result)
{
  g_autofree char *xml = domain_xml (name);

  vp_virt_create_async (virt, xml, VP_VIRT_CREATE_VALIDATE, NULL, keep_result, result);
}

static void
create (const char *name)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = NULL;

  create_async (name, &result);
  WAIT (result);
  uuid = vp_virt_create_finish (virt, result, &error);
  g_assert_no_error (error);
}

static void
wait_for_stop (const char *expected)
{
  gint64 start = g_get_monotonic_time ();

  while (stops->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_test_message ("told after %.1f ms", (double) (g_get_monotonic_time () - start) / 1000);
  g_assert_cmpstr (stops->str, ==, expected);
  g_string_truncate (stops, 0);
}

/* Nobody there at first: the open call says so, later it connects by itself. */
static void
test_connect (void)
{
  g_autofree char *uri = g_strdup_printf ("qemu+unix:///system?socket=%s/libvirt-sock", root);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  virt = vp_virt_new (uri);
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), NULL);
  vp_virt_open_async (virt, NULL, keep_result, &result);
  WAIT (result);
  g_assert_false (vp_virt_open_finish (virt, result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_test_message ("%s", error->message);
  start_libvirtd ();
  wait_for_state (VP_VIRT_CONNECTED, 60);
  g_assert_cmpstr (vp_facts_get (vp_virt_get_facts (virt))->driver, ==, "QEMU");
}

static void
test_restart (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) domains = NULL;
  pid_t pid_a, pid_b, pid_c, pid_d;

  create ("vp-restart-a");
  create ("vp-restart-b");
  create ("vp-restart-c");
  create ("vp-restart-d");
  pid_a
      = vp_virt_find_pid (virt, "vp-restart-a"); /* by looking through /proc: the pid file is out of sight */
  pid_b = vp_virt_find_pid (virt, "vp-restart-b");
  pid_c = vp_virt_find_pid (virt, "vp-restart-c");
  pid_d = vp_virt_find_pid (virt, "vp-restart-d");
  g_assert_cmpint (pid_d, >, 0);
  g_assert_cmpint (pid_a, >, 0);
  g_assert_cmpint (pid_b, >, 0);
  g_assert_cmpint (pid_a, !=, pid_b);

  /* libvirtd is there: it says what became of the domain */
  kill (pid_a, SIGKILL);
  wait_for_stop ("vp-restart-a=failed ");

  kill_libvirtd ();
  wait_for_state (VP_VIRT_DOWN, 5);
  g_test_message ("%s", vp_virt_get_reason (virt));
  /* libvirtd is not there: destroying does not need it, and the process tells */
  g_assert_true (destroy ("vp-restart-b", &error));
  g_assert_no_error (error);
  wait_for_stop ("vp-restart-b=destroyed ");
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-restart-b"), ==, 0);
  kill (pid_d, SIGKILL);
  wait_for_stop ("vp-restart-d=failed ");
  g_assert_false (destroy ("vp-never-was", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);

  start_libvirtd ();
  wait_for_state (VP_VIRT_CONNECTED, 60);
  vp_virt_list_async (virt, NULL, keep_result, &result);
  WAIT (result);
  domains = vp_virt_list_finish (virt, result, NULL);
  g_assert_nonnull (domains);
  g_assert_cmpuint (domains->len, ==, 1);
  g_assert_cmpstr (((VpVirtDomain *) domains->pdata[0])->sandbox_id, ==, "vp-restart-c");
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-restart-c"), ==, pid_c);
  g_clear_error (&error);
  g_assert_true (destroy ("vp-restart-c", &error));
  g_assert_no_error (error);
  if (stops->len == 0)
    wait_for_stop ("vp-restart-c=destroyed ");
  else
    g_assert_cmpstr (stops->str, ==, "vp-restart-c=destroyed ");
}

static void
run_for (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;
  guint id = g_timeout_add (5, wake_up, NULL);

  while (g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (id);
}

/* A name can be used again as soon as its destroy is answered, which does not
 * wait for libvirt's clean-up. */
static void
test_name_again (void)
{
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 start;

      create ("vp-again");
      start = g_get_monotonic_time ();
      g_assert_true (destroy ("vp-again", &error));
      g_assert_no_error (error);
      g_test_message ("destroyed after %.1f ms", (double) (g_get_monotonic_time () - start) / 1000);
      g_assert_cmpint (vp_virt_find_pid (virt, "vp-again"), ==, 0);
    }
  g_string_truncate (stops, 0);
}

/* What libvirt itself says, which may be more than our list. */
static gboolean
libvirt_lists (const char *name)
{
  g_autofree char *uri = g_strdup_printf ("qemu+unix:///system?socket=%s/libvirt-sock", root);
  const char *argv[] = { "virsh", "-q", "-c", uri, "list", "--all", "--name", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_auto (GStrv) lines = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  lines = g_strsplit_set (out, "\n ", -1);
  return g_strv_contains ((const char *const *) lines, name);
}

static void
wait_until_gone (const char *name)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  /* a list may have been made just before its end */
  while ((is_listed (name) || libvirt_lists (name)) && g_get_monotonic_time () < end)
    run_for (50);
  g_assert_false (is_listed (name));
  g_assert_false (libvirt_lists (name));
  g_assert_cmpint (vp_virt_find_pid (virt, name), ==, 0);
}

/* The directory of libvirt's files about domains where it usually is. */
static void
show_run_dir (gboolean shown)
{
  g_autofree char *run = g_build_filename (root, "run", NULL);

  if (shown)
    g_assert_cmpint (mount (run, "/run/libvirt", NULL, MS_BIND, NULL), ==, 0);
  else
    g_assert_cmpint (umount ("/run/libvirt"), ==, 0);
}

/* After it was killed. */
static void
restart_libvirtd (void)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  while (vp_virt_get_state (virt) == VP_VIRT_CONNECTED && g_get_monotonic_time () < end)
    run_for (10);
  g_assert_cmpint (vp_virt_get_state (virt), !=, VP_VIRT_CONNECTED);
  start_libvirtd ();
  wait_for_state (VP_VIRT_CONNECTED, 60);
}

/* libvirtd is killed while it creates: the call fails, and what it came to is
 * gone when libvirt is back, so that the name can be used again. */
static void
test_killed_while_creating (void)
{
  static const guint delays_ms[] = { 20, 60, 120, 200, 300, 450 };

  show_run_dir (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (delays_ms); i++)
    {
      /* cgroups of another run that creates at the same time are in the same place */
      g_autofree char *name = g_strdup_printf ("vp-half-%u-%s", i, root + strlen (root) - 6);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *uuid = NULL;

      create_async (name, &result);
      run_for (delays_ms[i]);
      kill_libvirtd ();
      WAIT (result);
      uuid = vp_virt_create_finish (virt, result, &error);
      g_test_message ("%u ms: %s", delays_ms[i], error != NULL ? error->message : "created");
      if (error != NULL)
        g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
      else
        g_assert_true (destroy (name, NULL));
      restart_libvirtd ();
      wait_until_gone (name);
      create (name);
      g_assert_true (destroy (name, NULL));
    }
  show_run_dir (FALSE);
  g_string_truncate (stops, 0);
}

static void
replace (char **text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (*text, from, 2);

  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_free (*text);
  *text = g_strjoinv (to, parts);
}

/* libvirtd's file about a domain as it is before the domain has a process, with
 * libvirtd and the process killed. */
static void
make_husk (const char *name)
{
  g_autofree char *file = g_strdup_printf ("run/qemu/%s.xml", name);
  g_autofree char *path = g_build_filename (root, file, NULL);
  pid_t pid = vp_virt_find_pid (virt, name);
  g_autofree char *attribute = g_strdup_printf ("pid='%d'", (int) pid);
  g_autofree char *text = NULL;

  g_assert_cmpint (pid, >, 0);
  kill_libvirtd ();
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  replace (&text, "state='running' reason='booted'", "state='paused' reason='starting up'");
  replace (&text, attribute, "pid='0'");
  replace (&text, "<vcpus>", "<job type='none' async='start' flags='0x10'/><vcpus>");
  write_file (file, text);
}

/* libvirt believes in a start that nobody goes on with, and its files are out of
 * our reach: it does not hold anybody up, and a create of the name says why it fails. */
static void
test_husk (void)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;

  create ("vp-husk");
  make_husk ("vp-husk");
  restart_libvirtd ();
  g_assert_true (libvirt_lists ("vp-husk"));
  g_assert_false (is_listed ("vp-husk"));
  start = g_get_monotonic_time ();
  g_assert_true (destroy ("vp-husk", &error));
  g_assert_no_error (error);
  /* libvirt would take 30 s to say no */
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC);
  g_assert_false (is_listed ("vp-husk"));

  create_async ("vp-husk", &result);
  WAIT (result);
  g_assert_null (vp_virt_create_finish (virt, result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_assert_nonnull (strstr (error->message, "until it is started again"));

  /* within reach: the next libvirtd does not know of it */
  show_run_dir (TRUE);
  g_assert_true (destroy ("vp-husk", NULL));
  show_run_dir (FALSE);
  kill_libvirtd ();
  restart_libvirtd ();
  g_assert_false (libvirt_lists ("vp-husk"));
  create ("vp-husk");
  g_assert_true (destroy ("vp-husk", NULL));
  g_string_truncate (stops, 0);
}

/* By somebody else. */
static void
create_by_virsh (const char *name)
{
  g_autofree char *uri = g_strdup_printf ("qemu+unix:///system?socket=%s/libvirt-sock", root);
  g_autofree char *path = g_build_filename (root, "domain.xml", NULL);
  const char *argv[] = { "virsh", "-q", "-c", uri, "create", path, NULL };
  g_autofree char *xml = domain_xml (name);
  g_autoptr (GError) error = NULL;
  int status;

  write_file ("domain.xml", xml);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
}

static void
wait_until_forgotten (const char *name)
{
  gint64 end = g_get_monotonic_time () + 120 * G_USEC_PER_SEC;

  while (g_hash_table_contains (virt->doomed, name) && g_get_monotonic_time () < end)
    run_for (50);
  g_assert_false (g_hash_table_contains (virt->doomed, name));
}

/* What is to be gone while libvirt cannot be asked is ended when libvirt shows it,
 * be it late; what never shows up is forgotten. */
static void
test_doomed (void)
{
  g_autoptr (GError) error = NULL;

  kill_libvirtd ();
  wait_for_state (VP_VIRT_DOWN, 10);
  g_assert_false (destroy ("vp-late", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_false (destroy ("vp-never-was", NULL));
  g_assert_true (g_hash_table_contains (virt->doomed, "vp-late"));
  g_assert_true (g_hash_table_contains (virt->doomed, "vp-never-was"));
  restart_libvirtd ();
  create_by_virsh ("vp-late");
  wait_until_gone ("vp-late");
  wait_until_forgotten ("vp-late");
  wait_until_forgotten ("vp-never-was");
  create_by_virsh ("vp-never-was");
  run_for (1000);
  g_assert_true (libvirt_lists ("vp-never-was"));
  g_assert_true (destroy ("vp-never-was", NULL));
  g_string_truncate (stops, 0);
}

/* Calls wait for libvirt when they may, and not longer than they may. */
static void
test_wait (void)
{
  g_autoptr (GAsyncResult) list_result = NULL, result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) domains = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;

  kill_libvirtd ();
  wait_for_state (VP_VIRT_DOWN, 10);
  vp_virt_set_wait (virt, 300);
  start = g_get_monotonic_time ();
  vp_virt_list_async (virt, NULL, keep_result, &result);
  WAIT (result);
  g_assert_null (vp_virt_list_finish (virt, result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 290000);
  g_clear_error (&error);
  g_clear_object (&result);

  vp_virt_set_wait (virt, 60000);
  vp_virt_list_async (virt, cancellable, keep_result, &result);
  g_cancellable_cancel (cancellable);
  WAIT (result);
  g_assert_null (vp_virt_list_finish (virt, result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&result);

  vp_virt_list_async (virt, NULL, keep_result, &list_result);
  create_async ("vp-waited", &result);
  run_for (100);
  g_assert_null (list_result);
  start_libvirtd ();
  WAIT (list_result);
  WAIT (result);
  domains = vp_virt_list_finish (virt, list_result, &error);
  g_assert_no_error (error);
  g_free (vp_virt_create_finish (virt, result, &error));
  g_assert_no_error (error);
  g_assert_true (destroy ("vp-waited", NULL));
  vp_virt_set_wait (virt, 0);
  g_string_truncate (stops, 0);
}

static void
test_close (void)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_close_async (virt, keep_result, &result);
  WAIT (result);
  vp_virt_close_finish (virt, result);
  g_clear_object (&result);
  g_clear_object (&virt);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  kill_libvirtd ();
}

static gboolean
can_run (void)
{
  g_autofree char *daemon = g_find_program_in_path ("libvirtd");
  g_autofree char *qemu = g_find_program_in_path ("qemu-system-x86_64");
  g_autofree char *virsh = g_find_program_in_path ("virsh");

  return geteuid () == 0 && daemon != NULL && qemu != NULL && virsh != NULL && g_file_test ("/etc/libvirt", G_FILE_TEST_IS_DIR)
         && g_file_test ("/var/lib/libvirt", G_FILE_TEST_IS_DIR)
         && g_file_test ("/var/log/libvirt", G_FILE_TEST_IS_DIR)
         && g_file_test ("/var/cache/libvirt", G_FILE_TEST_IS_DIR)
         && (g_file_test ("/run/libvirt", G_FILE_TEST_IS_DIR) || g_mkdir ("/run/libvirt", 0755) == 0);
}

int
main (int argc, char **argv)
{
  int r;

  g_test_init (&argc, &argv, NULL);
  vp_log_init (); /* warnings are expected and must not be fatal */
  if (!can_run ())
    {
      printf ("1..0 # SKIP needs root, libvirtd, virsh and qemu-system-x86_64\n");
      return 0;
    }
  enter_namespace ();
  set_up_root ();
  g_test_add_func ("/virt-daemon/connect", test_connect);
  g_test_add_func ("/virt-daemon/restart", test_restart);
  g_test_add_func ("/virt-daemon/name-again", test_name_again);
  g_test_add_func ("/virt-daemon/killed-while-creating", test_killed_while_creating);
  g_test_add_func ("/virt-daemon/husk", test_husk);
  g_test_add_func ("/virt-daemon/doomed", test_doomed);
  g_test_add_func ("/virt-daemon/wait", test_wait);
  g_test_add_func ("/virt-daemon/close", test_close);
  r = g_test_run ();
  remove_root ();
  return r;
}
