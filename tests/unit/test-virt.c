/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-facts.h"
#include "vp-names.h"
#include "vp-virt-embed.h"
#include "vp-virt-error.h"
#include "vp-virt-xml.h"
#include "vp-virt.h"

#define UUID "3f1a8c1e-58b2-4b9c-8d0e-0a4a4c7a2b11"

/* ---- helpers ------------------------------------------------------------- */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

#define WAIT(result)                                                                                         \
  while (result == NULL)                                                                                     \
  g_main_context_iteration (NULL, TRUE)

static gboolean
open_virt (VpVirt *virt, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_open_async (virt, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_open_finish (virt, result, error);
}

static void
close_virt (VpVirt *virt)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_close_async (virt, keep_result, &result);
  WAIT (result);
  vp_virt_close_finish (virt, result);
}

static char *
create (VpVirt *virt, const char *xml, VpVirtCreateFlags flags, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_create_async (virt, xml, flags, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_create_finish (virt, result, error);
}

static gboolean
destroy (VpVirt *virt, const char *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_destroy_async (virt, name, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_destroy_finish (virt, result, error);
}

static gboolean
shut_down (VpVirt *virt, const char *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_shutdown_async (virt, name, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_shutdown_finish (virt, result, error);
}

static char *
domain_xml (const char *name, const char *uuid)
{
  return g_strdup_printf (
      "<domain type='test'><name>%s</name>%s%s%s"
      "<metadata><virtpod:sandbox xmlns:virtpod='" VP_METADATA_NS "' version='1'>"
      "<virtpod:id>sb-%s</virtpod:id><virtpod:handler>qemu</virtpod:handler></virtpod:sandbox></metadata>"
      "<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>",
      name, uuid ? "<uuid>" : "", uuid ? uuid : "", uuid ? "</uuid>" : "", name);
}

static void
note_stop (VpVirt *virt, const char *name, const char *reason, GString *log)
{
  g_string_append_printf (log, "%s=%s ", name, reason);
}

/* Everything that is on its way has arrived. */
static void
settle (void)
{
  gint64 end = g_get_monotonic_time () + 100000;

  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

static VpVirtDomain *
find (GPtrArray *domains, const char *name)
{
  for (guint i = 0; i < domains->len; i++)
    if (g_str_equal (((VpVirtDomain *) domains->pdata[i])->name, name))
      return domains->pdata[i];
  return NULL;
}

static GPtrArray *
list (VpVirt *virt, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vp_virt_list_async (virt, NULL, keep_result, &result);
  WAIT (result);
  return vp_virt_list_finish (virt, result, error);
}

/* ---- pure parts ---------------------------------------------------------- */

static void
test_error_table (void)
{
  static const struct
  {
    int code;
    VpError error;
    const char *name;
  } rows[] = {
    { VIR_ERR_NO_DOMAIN, VP_ERROR_NOT_FOUND, "NO_DOMAIN" },
    { VIR_ERR_DOM_EXIST, VP_ERROR_ALREADY_EXISTS, "DOM_EXIST" },
    { VIR_ERR_OPERATION_TIMEOUT, VP_ERROR_TIMED_OUT, "OPERATION_TIMEOUT" },
    { VIR_ERR_CONFIG_UNSUPPORTED, VP_ERROR_NOT_SUPPORTED, "CONFIG_UNSUPPORTED" },
    { VIR_ERR_NO_SUPPORT, VP_ERROR_NOT_SUPPORTED, "NO_SUPPORT" },
    { VIR_ERR_XML_ERROR, VP_ERROR_CONFIG_ERROR, "XML_ERROR" },
    { VIR_ERR_XML_INVALID_SCHEMA, VP_ERROR_CONFIG_ERROR, "XML_INVALID_SCHEMA" },
    { VIR_ERR_RPC, VP_ERROR_HYPERVISOR_UNAVAILABLE, "RPC" },
    { VIR_ERR_INVALID_CONN, VP_ERROR_HYPERVISOR_UNAVAILABLE, "INVALID_CONN" },
    { VIR_ERR_OPERATION_INVALID, VP_ERROR_INVALID_STATE, "OPERATION_INVALID" },
    { VIR_ERR_DEVICE_MISSING, VP_ERROR_NOT_FOUND, "DEVICE_MISSING" },
    { VIR_ERR_INTERNAL_ERROR, VP_ERROR_HYPERVISOR_FAILED, "INTERNAL_ERROR" },
    { VIR_ERR_ACCESS_DENIED, VP_ERROR_NOT_AUTHORIZED, "ACCESS_DENIED" },
    { VIR_ERR_RESOURCE_BUSY, VP_ERROR_BUSY, "RESOURCE_BUSY" },
    { 9999, VP_ERROR_HYPERVISOR_FAILED, "UNKNOWN" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      virError err = { .code = rows[i].code, .message = (char *) "it is\nso\n" };
      g_autoptr (GError) error = vp_virt_error (&err);
      g_autofree char *expected = g_strdup_printf ("it is so (libvirt %s, %d)", rows[i].name, rows[i].code);

      g_assert_error (error, VP_ERROR, (int) rows[i].error);
      g_assert_cmpstr (error->message, ==, expected);
    }
  {
    g_autoptr (GError) error = vp_virt_error (NULL);

    g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_FAILED);
  }
}

static void
test_xml (void)
{
  g_auto (VpVirtCapabilities) caps = { 0 };
  g_auto (VpVirtDomainCaps) domain = { 0 };
  g_autofree char *id = NULL, *handler = NULL, *nodes = NULL;

  vp_virt_xml_read_capabilities ("<capabilities><host><cpu><arch>x86_64</arch></cpu>"
                                 "<topology><cells num='3'><cell id='0'><memory unit='KiB'>1024</memory></cell>"
                                 "<cell id='1'><memory unit='KiB'>0</memory></cell>"
                                 "<cell id='4'><memory unit='KiB'>1</memory></cell>"
                                 "<cell id='x'><memory unit='KiB'>1</memory></cell></cells></topology>"
                                 "<secmodel><model>selinux</model></secmodel>"
                                 "<secmodel><model>dac</model></secmodel></host>"
                                 "<guest><arch name='i686'><emulator>/bin/i386</emulator></arch></guest>"
                                 "<guest><arch name='x86_64'><emulator>/bin/x64</emulator></arch></guest>"
                                 "</capabilities>",
                                 &caps);
  g_assert_cmpstr (caps.arch, ==, "x86_64");
  g_assert_cmpstr (caps.emulator, ==, "/bin/x64");
  g_assert_true (caps.selinux);
  nodes = vp_node_set_to_text (&caps.nodes);
  g_assert_cmpstr (nodes, ==, "0,4");

  vp_virt_xml_read_domain_caps (
      "<domainCapabilities><path>/bin/x64</path><domain>kvm</domain><vcpu max='288'/>"
      "<devices><filesystem supported='yes'><enum name='driverType'><value>path</value>"
      "<value>virtiofs</value></enum></filesystem></devices></domainCapabilities>",
      &domain);
  g_assert_cmpstr (domain.type, ==, "kvm");
  g_assert_cmpuint (domain.max_vcpus, ==, 288);
  g_assert_true (domain.virtiofs);

  vp_virt_xml_read_metadata ("<virtpod:sandbox xmlns:virtpod='x' version='1'><virtpod:id>a</virtpod:id>"
                             "<virtpod:handler>h</virtpod:handler></virtpod:sandbox>",
                             &id, &handler);
  g_assert_cmpstr (id, ==, "a");
  g_assert_cmpstr (handler, ==, "h");
  g_clear_pointer (&id, g_free);
  g_clear_pointer (&handler, g_free);
  vp_virt_xml_read_metadata ("<not xml", &id, &handler);
  g_assert_null (id);
  g_assert_null (handler);
}

#define VSOCK(inner) "<domain><devices><vsock model='virtio'>" inner "</vsock></devices></domain>"

static void
test_vsock_cid (void)
{
  static const struct
  {
    const char *xml;
    guint32 cid;
  } cases[] = {
    { VSOCK ("<cid auto='yes' address='3'/>"), 3 },
    { VSOCK ("<cid auto='no' address='4294967294'/>"), 4294967294u },
    { VSOCK ("<cid auto='yes'/>"), 0 },
    { VSOCK ("<cid auto='yes' address='2'/>"), 0 },
    { VSOCK ("<cid auto='yes' address='4294967295'/>"), 0 },
    { VSOCK ("<cid auto='yes' address='x'/>"), 0 },
    { "<domain><devices/></domain>", 0 },
    { "<dom", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (vp_virt_xml_read_vsock_cid (cases[i].xml), ==, cases[i].cid);
}

static void
test_embed_uri (void)
{
  g_autoptr (VpVirtEmbed) embed = vp_virt_embed_new ("qemu:///embed?root=/a%20b/c");

  g_assert_nonnull (embed);
  g_assert_cmpstr (vp_virt_embed_get_root (embed), ==, "/a b/c");
  g_assert_null (vp_virt_embed_new ("qemu:///system"));
  g_assert_null (vp_virt_embed_new ("qemu:///embed"));
  g_assert_null (vp_virt_embed_new ("qemu:///embed?root=relative"));
}

/* ---- with libvirt's test driver ------------------------------------------ */

static void
count (VpVirt *virt, guint *n)
{
  (*n)++;
}

static void
test_open (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GError) error = NULL;
  const VpFactsInit *facts;
  guint changes = 0;

  g_signal_connect (virt, "state-changed", G_CALLBACK (count), &changes);
  g_assert_cmpint (vp_virt_get_state (virt), ==, VP_VIRT_DOWN);
  g_assert_null (vp_virt_get_facts (virt));
  g_assert_true (open_virt (virt, &error));
  g_assert_no_error (error);
  g_assert_cmpint (vp_virt_get_state (virt), ==, VP_VIRT_CONNECTED);
  g_assert_cmpuint (changes, ==, 2);
  g_assert_null (vp_virt_get_reason (virt));

  facts = vp_facts_get (vp_virt_get_facts (virt));
  g_assert_cmpstr (facts->driver, ==, "TEST");
  g_assert_cmpuint (facts->libvirt_version, >=, 9000000);
  g_assert_cmpuint (facts->host_cpus, >, 0);
  g_assert_cmpuint (facts->max_vcpus, >, 0);
  g_assert_false (facts->kvm_usable);
  g_assert_nonnull (facts->kvm_reason);

  g_assert_false (open_virt (virt, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  close_virt (virt);
  g_assert_cmpint (vp_virt_get_state (virt), ==, VP_VIRT_DOWN);
  g_assert_cmpuint (changes, ==, 3);
  close_virt (virt);
}

static void
test_lifecycle (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GString) stops = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) domains = NULL;
  g_autofree char *xml = domain_xml ("vp-life", UUID);
  g_autofree char *uuid = NULL, *again = NULL;

  g_assert_true (open_virt (virt, NULL));
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), stops);
  uuid = create (virt, xml, VP_VIRT_CREATE_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (uuid, ==, UUID);

  again = create (virt, xml, VP_VIRT_CREATE_NONE, &error);
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_assert_null (again);
  g_clear_error (&error);

  domains = list (virt, &error);
  g_assert_no_error (error);
  g_assert_nonnull (find (domains, "test")); /* the driver's own */
  g_assert_null (find (domains, "test")->sandbox_id);
  g_assert_cmpstr (find (domains, "vp-life")->uuid, ==, UUID);
  g_assert_cmpstr (find (domains, "vp-life")->sandbox_id, ==, "sb-vp-life");
  g_assert_cmpstr (find (domains, "vp-life")->handler, ==, "qemu");
  g_assert_true (find (domains, "vp-life")->active);
  g_assert_cmpint (vp_virt_find_pid (virt, "vp-life"), ==, 0);

  {
    g_autoptr (GAsyncResult) result = NULL;
    g_autofree char *live = NULL;

    vp_virt_dup_xml_async (virt, "vp-life", NULL, keep_result, &result);
    WAIT (result);
    live = vp_virt_dup_xml_finish (virt, result, &error);
    g_assert_no_error (error);
    g_assert_nonnull (strstr (live, "<name>vp-life</name>"));
  }

  g_assert_true (destroy (virt, "vp-life", &error));
  g_assert_no_error (error);
  settle ();
  g_assert_cmpstr (stops->str, ==, "vp-life=destroyed ");
  g_assert_false (destroy (virt, "vp-life", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "\"vp-life\""));
  g_assert_nonnull (strstr (error->message, "NO_DOMAIN, 42"));

  /* the same domain lives again: a new life, a new end */
  g_free (g_steal_pointer (&uuid));
  uuid = create (virt, xml, VP_VIRT_CREATE_NONE, NULL);
  g_assert_nonnull (uuid);
  g_assert_true (shut_down (virt, "vp-life", NULL));
  settle ();
  g_assert_cmpstr (stops->str, ==, "vp-life=destroyed vp-life=shutdown ");
  close_virt (virt);
}

/* Sixteen at a time and more than there are threads; each stops once. */
static void
test_many (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GString) stops = g_string_new (NULL);
  GAsyncResult *results[40] = { NULL };

  g_assert_true (open_virt (virt, NULL));
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), stops);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);
      g_autofree char *xml = domain_xml (name, NULL);

      vp_virt_create_async (virt, xml, VP_VIRT_CREATE_NONE, NULL, keep_result, &results[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autofree char *uuid = NULL;

      WAIT (results[i]);
      uuid = vp_virt_create_finish (virt, results[i], NULL);
      g_assert_nonnull (uuid);
      g_clear_object (&results[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);

      vp_virt_destroy_async (virt, name, NULL, keep_result, &results[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      WAIT (results[i]);
      g_assert_true (vp_virt_destroy_finish (virt, results[i], NULL));
      g_clear_object (&results[i]);
    }
  settle ();
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autofree char *entry = g_strdup_printf ("many-%u=destroyed ", i);
      const char *first = strstr (stops->str, entry);

      g_assert_nonnull (first);
      g_assert_null (strstr (first + 1, entry));
    }
  close_virt (virt);
}

/* What ended while nobody listened is told at the next connect. */
static void
test_reconcile (void)
{
  g_autoptr (VpVirt) other = vp_virt_new ("test:///default");
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GString) stops = g_string_new (NULL);
  g_autofree char *xml = domain_xml ("vp-away", NULL);
  g_autofree char *uuid = NULL;

  g_assert_true (open_virt (other, NULL)); /* keeps the driver's state */
  g_assert_true (open_virt (virt, NULL));
  g_signal_connect (virt, "domain-stopped", G_CALLBACK (note_stop), stops);
  uuid = create (virt, xml, VP_VIRT_CREATE_NONE, NULL);
  g_assert_nonnull (uuid);
  close_virt (virt);
  g_assert_true (destroy (other, "vp-away", NULL));
  settle ();
  g_assert_cmpstr (stops->str, ==, "");
  g_assert_true (open_virt (virt, NULL));
  g_assert_cmpstr (stops->str, ==, "vp-away=failed ");
  close_virt (virt);
  close_virt (other);
}

static void
test_bad_xml (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GError) error = NULL;

  g_assert_true (open_virt (virt, NULL));
  g_assert_null (create (virt, "<domain", VP_VIRT_CREATE_NONE, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR);
  g_assert_null (strchr (error->message, '\n'));
  g_clear_error (&error);
  g_assert_null (create (virt, "<domain type='test'/>", VP_VIRT_CREATE_NONE, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  /* the test driver has no such flag */
  g_assert_null (create (virt, "<domain type='test'><name>x</name></domain>", VP_VIRT_CREATE_PAUSED, &error));
  g_assert_nonnull (error);
  close_virt (virt);
}

static void
test_not_connected (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///nonexistent/node.xml");
  g_autoptr (GError) error = NULL;
  gint64 start;

  g_assert_null (create (virt, "<domain/>", VP_VIRT_CREATE_NONE, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_cmpstr (error->message, ==, "libvirt at test:///nonexistent/node.xml: not opened");
  g_clear_error (&error);

  g_assert_false (open_virt (virt, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (error->message, "libvirt at test:///nonexistent/node.xml: "));
  g_clear_error (&error);
  g_assert_cmpint (vp_virt_get_state (virt), ==, VP_VIRT_DOWN);

  start = g_get_monotonic_time ();
  g_assert_false (destroy (virt, "x", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_null (list (virt, NULL));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 1000000);
  close_virt (virt);
}

/* The file appears, and so does the connection, without anybody asking. */
static void
test_retry (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-virt-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "node.xml", NULL);
  g_autofree char *uri = g_strdup_printf ("test://%s", path);
  g_autoptr (VpVirt) virt = vp_virt_new (uri);
  g_autoptr (GFile) file = g_file_new_for_path (path), parent = g_file_new_for_path (dir);
  gint64 end = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  g_assert_false (open_virt (virt, NULL));
  g_assert_true (g_file_set_contents (path,
                                      "<node><cpu><mhz>6000</mhz><model>i986</model><active>50</active>"
                                      "<nodes>4</nodes><sockets>4</sockets><cores>4</cores></cpu>"
                                      "<memory>6000000</memory></node>",
                                      -1, NULL));
  while (vp_virt_get_state (virt) != VP_VIRT_CONNECTED && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (vp_virt_get_state (virt), ==, VP_VIRT_CONNECTED);
  g_assert_null (vp_virt_get_reason (virt));
  close_virt (virt);
  g_file_delete (file, NULL, NULL);
  g_file_delete (parent, NULL, NULL);
}

/* Closing while it opens, and letting go of an open one. */
static void
test_close_early (void)
{
  g_autoptr (GAsyncResult) opened = NULL;
  g_autoptr (GError) error = NULL;
  VpVirt *virt = vp_virt_new ("test:///default");

  vp_virt_open_async (virt, NULL, keep_result, &opened);
  close_virt (virt);
  WAIT (opened);
  g_assert_false (vp_virt_open_finish (virt, opened, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
  g_clear_object (&opened);
  settle ();
  g_object_add_weak_pointer (G_OBJECT (virt), (gpointer *) &virt);
  g_object_unref (virt);
  g_assert_null (virt);

  virt = vp_virt_new ("test:///default");
  g_assert_true (open_virt (virt, NULL));
  settle ();
  g_object_add_weak_pointer (G_OBJECT (virt), (gpointer *) &virt);
  g_object_unref (virt);
  g_assert_null (virt);
  settle ();
}

static void
test_cancelled (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("test:///default");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) domains = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = domain_xml ("never", NULL);

  g_assert_true (open_virt (virt, NULL));
  g_cancellable_cancel (cancellable);
  vp_virt_create_async (virt, xml, VP_VIRT_CREATE_NONE, cancellable, keep_result, &result);
  WAIT (result);
  g_assert_null (vp_virt_create_finish (virt, result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
  domains = list (virt, NULL);
  g_assert_null (find (domains, "never"));
  close_virt (virt);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vp_log_init (); /* warnings are expected and must not be fatal */
  g_test_add_func ("/virt/error-table", test_error_table);
  g_test_add_func ("/virt/xml", test_xml);
  g_test_add_func ("/virt/vsock-cid", test_vsock_cid);
  g_test_add_func ("/virt/embed-uri", test_embed_uri);
  g_test_add_func ("/virt/open", test_open);
  g_test_add_func ("/virt/lifecycle", test_lifecycle);
  g_test_add_func ("/virt/many", test_many);
  g_test_add_func ("/virt/reconcile", test_reconcile);
  g_test_add_func ("/virt/bad-xml", test_bad_xml);
  g_test_add_func ("/virt/not-connected", test_not_connected);
  g_test_add_func ("/virt/retry", test_retry);
  g_test_add_func ("/virt/close-early", test_close_early);
  g_test_add_func ("/virt/cancelled", test_cancelled);
  return g_test_run ();
}
