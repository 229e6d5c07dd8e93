/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every document there is for QEMU, defined in a real libvirt with its schema:
 * the variants of tests/lib/variants.c and each case of tests/golden. Nothing
 * is started. The driver runs in this process, in a directory of its own. */
#include <errno.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "variants.h"
#include "vp-domain-xml.h"

/* Its log daemon is not running here. And QEMU is asked what it can as who runs
 * it: if that user may not open /dev/kvm and root may, libvirt asks anew for
 * each document. */
#define QEMU_CONF "stdio_handler = \"file\"\nuser = \"root\"\ngroup = \"root\"\n"

/* A libvirt with its Cloud Hypervisor driver, which Debian's is built without:
 * "ch+unix:///system?socket=…". Nobody else's domains are touched. */
#define CH_URI "VP_TEST_CH_URI"

static virConnectPtr connection, cloud;
static const char *cloud_missing; /* why there is none */

static void
ignore_error (void *data, virErrorPtr error)
{
}

static gpointer
run_events (gpointer data)
{
  for (;;)
    virEventRunDefaultImpl ();
  return NULL;
}

static guint
count (const char *text, const char *word)
{
  guint n = 0;

  for (const char *at = strstr (text, word); at != NULL; at = strstr (at + 1, word))
    n++;
  return n;
}

/* libvirt adds a port when there is none for a device, and then there would be
 * fewer free ones than were asked for. */
static void
check_ports (virDomainPtr domain, const char *asked)
{
  char *made = virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE);

  g_assert_nonnull (made);
  g_assert_cmpuint (count (made, "model='pcie-root-port'"), ==, count (asked, "model=\"pcie-root-port\""));
  g_assert_cmpuint (count (made, "model='pcie-to-pci-bridge'"), ==, 0);
  free (made);
}

/* TRUE: libvirt took the document. FALSE: @ret_message says why not. */
static gboolean
define (virConnectPtr to, const char *xml, char **ret_message)
{
  virDomainPtr domain = virDomainDefineXMLFlags (to, xml, VIR_DOMAIN_DEFINE_VALIDATE);

  if (domain == NULL)
    {
      virErrorPtr error = virGetLastError ();
      *ret_message = g_strdup (error != NULL ? error->message : "no message");
      return FALSE;
    }
  check_ports (domain, xml);
  g_assert_cmpint (virDomainUndefineFlags (domain, VIR_DOMAIN_UNDEFINE_NVRAM), ==, 0);
  virDomainFree (domain);
  return TRUE;
}

static void
test_variant (gconstpointer data)
{
  const Variant *variant = data;
  g_autoptr (VpPlan) plan = variant_new_plan (variant);
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = vp_domain_xml (plan, variant_get_driver (variant), &error);
  g_autofree char *message = NULL;

  g_assert_no_error (error);
  if (variant->cloud && cloud == NULL)
    {
      g_test_skip (cloud_missing);
      return;
    }
  if (define (variant->cloud ? cloud : connection, xml, &message))
    return;
  if (variant->host_needs != NULL && strstr (message, variant->host_needs) != NULL)
    {
      g_test_skip (message);
      return;
    }
  g_test_message ("%s", xml);
  g_test_message ("%s: %s", variant->name, message);
  g_test_fail ();
}

/* A path that is some administrator's is not this host's. */
static void
drop_emulator (char *xml)
{
  char *start = strstr (xml, "<emulator>");
  char *end = start != NULL ? strstr (start, "</emulator>") : NULL;

  if (end != NULL)
    memset (start, ' ', (gsize)(end - start) + strlen ("</emulator>"));
}

static void
test_golden (gconstpointer data)
{
  g_autofree char *xml = NULL, *message = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (data, &xml, NULL, &error);
  g_assert_no_error (error);
  if (!g_str_has_prefix (xml, "<domain type=\"qemu\">") && !g_str_has_prefix (xml, "<domain type=\"kvm\">"))
    {
      g_test_skip ("for another driver");
      return;
    }
  drop_emulator (xml);
  if (define (connection, xml, &message))
    return;
  if (strstr (message, "kvm") != NULL || strstr (message, "element 'backend': 'passt'") != NULL)
    g_test_skip (message);
  else
    {
      g_test_message ("%s: %s", (const char *)data, message);
      g_test_fail ();
    }
}

/* What the tests would prove if libvirt took anything: it does not. */
static void
test_refused (void)
{
  g_autoptr (VpPlan) plan = variant_new_qemu ();
  g_autofree char *xml = vp_domain_xml (plan, &vp_driver_qemu, NULL), *message = NULL;
  char *features = strstr (xml, "<acpi/>");

  g_assert_nonnull (features);
  memcpy (features, "<apci/>", strlen ("<apci/>"));
  g_assert_false (define (connection, xml, &message));
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *where)
{
  return remove (path);
}

static void
open_libvirt (const char *root)
{
  g_autofree char *etc = g_build_filename (root, "etc", NULL);
  g_autofree char *conf = g_build_filename (etc, "qemu.conf", NULL);
  g_autofree char *uri = g_strdup_printf ("qemu:///embed?root=%s", root);

  g_mkdir (etc, 0755);
  g_assert_true (g_file_set_contents (conf, QEMU_CONF, -1, NULL));
  virSetErrorFunc (NULL, ignore_error);
  g_assert_cmpint (virEventRegisterDefaultImpl (), ==, 0);
  g_thread_unref (g_thread_new ("events", run_events, NULL));
  connection = virConnectOpen (uri);
  if (connection == NULL)
    g_error ("%s: %s", uri, virGetLastErrorMessage ());
}

static void
open_cloud (void)
{
  const char *uri = g_getenv (CH_URI);

  cloud = uri != NULL ? virConnectOpen (uri) : NULL;
  if (uri == NULL)
    cloud_missing = CH_URI " names no libvirt with the Cloud Hypervisor driver, which Debian's is built without";
  else if (cloud == NULL)
    cloud_missing = virGetLastErrorMessage ();
}

static void
add_golden (GPtrArray *paths)
{
  g_autoptr (GDir) dir = g_dir_open (VP_GOLDEN_DIR, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (VP_GOLDEN_DIR, name, "domain.xml", NULL);
      g_autofree char *test = g_strdup_printf ("/xml-accepted/golden/%s", name);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      g_test_add_data_func (test, path, test_golden);
      g_ptr_array_add (paths, g_steal_pointer (&path));
    }
}

/* libvirt asks QEMU what it can by running it as a daemon, and waits until it
 * is gone for good: somebody must reap it, and not every pid 1 does. The test
 * runs in a child, and orphans come to its parent. */
static int
run_reaped (void)
{
  pid_t child, pid;
  int status, result = 1;

  g_assert_cmpint (prctl (PR_SET_CHILD_SUBREAPER, 1), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    return -1;
  do
    {
      pid = waitpid (-1, &status, 0);
      if (pid == child)
        result = WIFEXITED (status) ? WEXITSTATUS (status) : 1;
    }
  while (pid > 0 && pid != child);
  return result;
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
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *root = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  if (!can_run ())
    {
      printf ("1..0 # SKIP needs root and qemu-system-x86_64\n");
      return 0;
    }
  status = run_reaped ();
  if (status >= 0)
    return status;
  root = g_dir_make_tmp ("vp-accepted-XXXXXX", NULL);
  g_chmod (root, 0755);
  open_libvirt (root);
  open_cloud ();
  g_test_add_func ("/xml-accepted/refused", test_refused);
  for (guint i = 0; i < variant_count (); i++)
    {
      g_autofree char *test = g_strdup_printf ("/xml-accepted/variant/%s", variant_get (i)->name);

      g_test_add_data_func (test, variant_get (i), test_variant);
    }
  add_golden (paths);
  status = g_test_run ();
  if (cloud != NULL)
    virConnectClose (cloud);
  virConnectClose (connection);
  nftw (root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  return status;
}
