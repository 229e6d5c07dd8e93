/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vp-log.h"
#include "vp-names.h"
#include "vp-pidwatch.h"
#include "virt-world.h"

/* Real QEMU under TCG, started by libvirt's driver inside this process: what
 * is proven is that its processes are reaped, at once and nobody else's. */

static void
settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

static char *
create (const char *xml, VpVirtCreateFlags flags, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_create_async (virt, xml, flags, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_create_finish (virt, result, error);
}

static gboolean
resume (const char *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_resume_async (virt, name, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_resume_finish (virt, result, error);
}

/* @devices goes into <devices>. No kernel: the firmware finds nothing to boot. */
static char *
domain_xml (const char *name, const char *devices)
{
  return g_strdup_printf (
      "<domain type='qemu'><name>%s</name>"
      "<metadata><virtpod:sandbox xmlns:virtpod='" VP_METADATA_NS "' version='1'>"
      "<virtpod:id>%s</virtpod:id></virtpod:sandbox></metadata>"
      "<memory unit='MiB'>64</memory><memoryBacking><source type='memfd'/><access "
      "mode='shared'/></memoryBacking>"
      "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>"
      "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model>"
      "<numa><cell id='0' cpus='0' memory='64' unit='MiB' memAccess='shared'/></numa></cpu>"
      "<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>"
      "<devices><controller type='usb' model='none'/>%s<memballoon model='none'/></devices></domain>",
      name, name, devices);
}

static guint
count_zombies (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int) getpid ());
  g_autofree char *text = NULL;
  g_auto (GStrv) pids = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  pids = g_strsplit (text, " ", -1);
  for (guint i = 0; pids[i] != NULL; i++)
    {
      g_autofree char *stat_path = g_strdup_printf ("/proc/%s/stat", pids[i]);
      g_autofree char *stat = NULL;

      if (pids[i][0] == '\0' || !g_file_get_contents (stat_path, &stat, NULL, NULL))
        continue;
      if (strstr (stat, ") Z ") != NULL)
        {
          g_test_message ("zombie: %s", stat);
          n++;
        }
    }
  return n;
}

static void
check_destroyed (const char *name, pid_t pid, const char *expected)
{
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  double seconds;

  g_assert_true (destroy (name, &error));
  g_assert_no_error (error);
  seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  g_test_message ("destroy %s: %.3f s", name, seconds);
  g_assert_cmpfloat (seconds, <, 1.0);
  settle (200);
  g_assert_cmpint (kill (pid, 0), ==, -1);
  g_assert_cmpint (errno, ==, ESRCH);
  g_assert_cmpuint (count_zombies (), ==, 0);
  g_assert_cmpstr (stops->str, ==, expected);
  g_string_truncate (stops, 0);
}

/* ---- tests --------------------------------------------------------------- */

static void
test_open (void)
{
  g_autofree char *uri = g_strdup_printf ("qemu:///embed?root=%s", root);
  g_autofree char *conf = g_build_filename (root, "etc", "qemu.conf", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  const VpFactsInit *facts;
  gint64 start = g_get_monotonic_time ();

  virt = vp_virt_new (uri);
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), NULL);
  vp_virt_open_async (virt, NULL, keep_result, &result);
  WAIT (result);
  g_assert_true (vp_virt_open_finish (virt, result, &error));
  g_assert_no_error (error);
  g_test_message ("open with cold cache: %.1f s",
                  (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  g_assert_true (g_file_test (conf, G_FILE_TEST_IS_REGULAR));

  facts = vp_facts_get (vp_virt_get_facts (virt));
  g_test_message ("driver %s arch %s emulator %s cpus %u max %u virtiofs %d kvm %d (%s)", facts->driver,
                  facts->arch, facts->emulator, facts->host_cpus, facts->max_vcpus, facts->virtiofs,
                  facts->kvm_usable, facts->kvm_usable ? "" : facts->kvm_reason);
  g_assert_cmpstr (facts->driver, ==, "QEMU");
  g_assert_cmpstr (facts->arch, ==, "x86_64");
  g_assert_nonnull (facts->emulator);
  g_assert_cmpuint (facts->hypervisor_version, >=, 7000000);
  settle (100);
  g_assert_cmpuint (count_zombies (), ==, 0);
}

static void
test_destroy (void)
{
  g_autofree char *xml = domain_xml ("vp-embed-1", "");
  g_autofree char *uuid = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  pid_t pid;

  uuid = create (xml, VP_VIRT_CREATE_PAUSED | VP_VIRT_CREATE_VALIDATE, &error);
  g_assert_no_error (error);
  g_test_message ("create: %.3f s", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  pid = vp_virt_find_pid (virt, "vp-embed-1");
  g_assert_cmpint (pid, >, 0);
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-embed"), ==, 0);
  g_assert_true (resume ("vp-embed-1", &error));
  g_assert_no_error (error);
  check_destroyed ("vp-embed-1", pid, "vp-embed-1=destroyed ");
}

/* Killed from outside: reaped, and told once. */
static void
test_killed (void)
{
  g_autofree char *xml = domain_xml ("vp-embed-2", "");
  g_autofree char *uuid = create (xml, VP_VIRT_CREATE_NONE, NULL);
  gint64 start;
  pid_t pid;

  g_assert_nonnull (uuid);
  pid = vp_virt_find_pid (virt, "vp-embed-2");
  g_assert_cmpint (pid, >, 0);
  start = g_get_monotonic_time ();
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while (stops->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_test_message ("kill to domain-stopped: %.3f s",
                  (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  settle (2500); /* longer than the grace a silent libvirt gets */
  g_assert_cmpstr (stops->str, ==, "vp-embed-2=failed ");
  g_assert_cmpuint (count_zombies (), ==, 0);
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-embed-2"), ==, 0);
  g_string_truncate (stops, 0);
}

/* virtiofsd is an orphan of ours as well, in two processes. */
static void
test_virtiofs (void)
{
  g_autofree char *share = g_build_filename (root, "share", NULL);
  g_autofree char *devices
      = g_strdup_printf ("<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs' "
                         "queue='1024'/><source dir='%s'/><target dir='tag'/></filesystem>",
                         share);
  g_autofree char *xml = domain_xml ("vp-embed-3", devices);
  g_autofree char *uuid = NULL;
  g_autoptr (GError) error = NULL;

  if (!vp_facts_get (vp_virt_get_facts (virt))->virtiofs)
    {
      g_test_skip ("no virtiofsd");
      return;
    }
  g_assert_cmpint (g_mkdir (share, 0755), ==, 0);
  uuid = create (xml, VP_VIRT_CREATE_NONE, &error);
  g_assert_no_error (error);
  check_destroyed ("vp-embed-3", vp_virt_find_pid (virt, "vp-embed-3"), "vp-embed-3=destroyed ");
}

/* A QEMU that ends while it starts is an orphan nobody knows the pid of. */
static void
test_failed_start (void)
{
  g_autofree char *path = g_build_filename (root, "no-image", NULL);
  g_autofree char *disk = g_strdup_printf ("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                                           "<source file='%s'/><target dev='vda' bus='virtio'/></disk>", path);
  g_autofree char *xml = domain_xml ("vp-embed-4", disk);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  double seconds;

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_null (create (xml, VP_VIRT_CREATE_NONE, &error));
  g_test_message ("%s", error->message);
  seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  g_test_message ("failed create: %.3f s", seconds);
  /* libvirt by itself waits for whoever reaps */
  g_assert_cmpfloat (seconds, <, 12.0);
  settle (200);
  g_assert_cmpuint (count_zombies (), ==, 0);
  g_string_truncate (stops, 0);
}

/* A hypervisor that does not hear SIGTERM is not waited for as long as libvirt would. */
static void
test_deaf (void)
{
  g_autofree char *xml = domain_xml ("vp-embed-deaf", "");
  g_autofree char *uuid = create (xml, VP_VIRT_CREATE_NONE, NULL);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  pid_t pid = vp_virt_find_pid (virt, "vp-embed-deaf");

  g_assert_nonnull (uuid);
  g_assert_cmpint (kill (pid, SIGSTOP), ==, 0);
  g_assert_true (destroy ("vp-embed-deaf", &error));
  g_assert_no_error (error);
  g_test_message ("destroyed after %.1f s", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  /* libvirt by itself: 10 s and more */
  g_assert_cmpint (g_get_monotonic_time () - start, <, 9 * G_USEC_PER_SEC);
  g_assert_cmpint (kill (pid, 0), ==, -1);
  while (stops->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (stops->str, ==, "vp-embed-deaf=destroyed ");
  /* who connects while libvirt cleans up is told as well */
  while (is_listed ("vp-embed-deaf"))
    settle (100);
  g_string_truncate (stops, 0);
}

/* A new door to the same root finds what runs. */
static void
test_reopen (void)
{
  g_autofree char *uri = g_strdup (vp_virt_get_uri (virt));
  g_autofree char *xml = domain_xml ("vp-embed-5", "");
  g_autofree char *uuid = create (xml, VP_VIRT_CREATE_NONE, NULL);
  g_autoptr (GAsyncResult) closed = NULL, opened = NULL;
  pid_t pid = vp_virt_find_pid (virt, "vp-embed-5");

  g_assert_nonnull (uuid);
  vp_virt_close_async (virt, keep_result, &closed);
  WAIT (closed);
  vp_virt_close_finish (virt, closed);
  g_clear_object (&closed);
  g_clear_object (&virt);
  settle (50);
  virt = vp_virt_new (uri);
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), NULL);
  vp_virt_open_async (virt, NULL, keep_result, &opened);
  WAIT (opened);
  g_assert_true (vp_virt_open_finish (virt, opened, NULL));
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-embed-5"), ==, pid);
  check_destroyed ("vp-embed-5", pid, "vp-embed-5=destroyed ");
}

static void
test_close (void)
{
  g_autoptr (GAsyncResult) closed = NULL;

  vp_virt_close_async (virt, keep_result, &closed);
  WAIT (closed);
  vp_virt_close_finish (virt, closed);
  g_clear_object (&closed);
  g_clear_object (&virt);
  settle (50);
}

static gboolean
can_run (void)
{
  g_autofree char *qemu = g_find_program_in_path ("qemu-system-x86_64");

  return geteuid () == 0 && qemu != NULL;
}

int
main (int argc, char **argv)
{
  int r;

  g_test_init (&argc, &argv, NULL);
  vp_log_init (); /* warnings are expected and must not be fatal */
  if (!can_run ())
    {
      printf ("1..0 # SKIP needs root and qemu-system-x86_64\n");
      return 0;
    }
  make_root ("vp-embed-XXXXXX");
  g_test_add_func ("/virt-embed/open", test_open);
  g_test_add_func ("/virt-embed/destroy", test_destroy);
  g_test_add_func ("/virt-embed/killed", test_killed);
  g_test_add_func ("/virt-embed/virtiofs", test_virtiofs);
  g_test_add_func ("/virt-embed/failed-start", test_failed_start);
  g_test_add_func ("/virt-embed/deaf", test_deaf);
  g_test_add_func ("/virt-embed/reopen", test_reopen);
  g_test_add_func ("/virt-embed/close", test_close);
  r = g_test_run ();
  remove_root ();
  return r;
}
