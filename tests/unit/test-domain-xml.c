/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must not get into a document; whole documents are in tests/golden. */
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

#include "vp-device.h"
#include "vp-domain-xml.h"
#include "vp-error.h"

static VpPlan *
new_plan (void)
{
  VpPlan *plan = vp_plan_new ();

  plan->sandbox_id = g_strdup ("s1");
  plan->handler = g_strdup ("default");
  plan->uuid = g_strdup ("6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f");
  plan->domain_name = g_strdup ("vp-s1");
  plan->accel = VP_ACCEL_TCG;
  plan->arch = g_strdup ("x86_64");
  plan->machine = g_strdup ("q35");
  plan->cpu_model = g_strdup ("qemu64");
  plan->vcpus = 1;
  plan->memory = 1 << 28;
  plan->kernel = g_strdup ("/k");
  plan->initrd = g_strdup ("/i");
  plan->cmdline = g_strdup ("quiet");
  return plan;
}

/* Value of the XPath @expression in @xml. */
static char *
query (const char *xml, const char *expression)
{
  xmlDoc *doc = xmlReadMemory (xml, (int)strlen (xml), "domain.xml", NULL, XML_PARSE_NONET);
  xmlXPathContext *context;
  xmlXPathObject *object;
  xmlChar *value;
  char *copy;

  g_assert_nonnull (doc);
  context = xmlXPathNewContext (doc);
  object = xmlXPathEvalExpression (BAD_CAST expression, context);
  value = xmlXPathCastToString (object);
  copy = g_strdup ((const char *)value);
  xmlFree (value);
  xmlXPathFreeObject (object);
  xmlXPathFreeContext (context);
  xmlFreeDoc (doc);
  return copy;
}

/* What goes in comes out, and adds no element. */
static void
test_hostile (void)
{
  static const char *const strings[]
      = { "<x/>",     "&amp;",   "\"'><",        "]]>",  "<!-- -->", "&#10;",
          "\303\251", "a,b=c,d", "</kernel><x>", "%s%n", "../..",    " leading and trailing " };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    {
      g_autoptr (VpPlan) plan = new_plan ();
      g_autoptr (GError) error = NULL;
      g_autofree char *xml = NULL;
      g_autofree char *kernel = NULL;
      g_autofree char *source = NULL;
      g_autofree char *id = NULL;
      g_autofree char *n_extra = NULL;

      g_free (plan->kernel);
      plan->kernel = g_strdup (strings[i]);
      g_free (plan->sandbox_id);
      plan->sandbox_id = g_strdup (strings[i]);
      vp_plan_add_device (plan, vp_device_share_new ("share0", "tag", strings[i]));
      xml = vp_domain_xml (plan, &vp_driver_qemu, &error);
      g_assert_no_error (error);
      kernel = query (xml, "/domain/os/kernel");
      source = query (xml, "/domain/devices/filesystem/source/@dir");
      id = query (xml, "/domain/metadata/*[local-name()='sandbox']/*[local-name()='id']");
      n_extra = query (xml, "count(//x)");
      g_assert_cmpstr (kernel, ==, strings[i]);
      g_assert_cmpstr (source, ==, strings[i]);
      g_assert_cmpstr (id, ==, strings[i]);
      g_assert_cmpstr (n_extra, ==, "0");
    }
}

static void
test_refused (void)
{
  static const char *const strings[]
      = { "a\nb", "a\tb", "\x01", "\x7f", "\xff", "a\xc0\x80", "\xef\xbf\xbe", "\xc2\x85" };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    {
      g_autoptr (VpPlan) in_text = new_plan ();
      g_autoptr (VpPlan) in_attribute = new_plan ();
      g_autoptr (GError) error = NULL;

      g_free (in_text->cmdline);
      in_text->cmdline = g_strdup (strings[i]);
      g_assert_null (vp_domain_xml (in_text, &vp_driver_qemu, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "<cmdline> content"));
      g_clear_error (&error);
      vp_plan_add_device (in_attribute, vp_device_channel_new ("agent", "name", strings[i]));
      g_assert_null (vp_domain_xml (in_attribute, &vp_driver_qemu, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "<source> path"));
    }
}

static void
test_drivers (void)
{
  g_autoptr (VpPlan) plan = new_plan ();
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = NULL;

  g_assert_null (vp_domain_xml (plan, &vp_driver_test, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  plan->accel = VP_ACCEL_KVM;
  g_clear_pointer (&plan->cpu_model, g_free);
  vp_plan_add_device (plan, vp_device_share_new ("share0", "tag", "/d"));
  g_assert_null (vp_domain_xml (plan, &vp_driver_ch, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "share0"));
  plan->accel = VP_ACCEL_NONE;
  xml = vp_domain_xml (plan, &vp_driver_test, NULL);
  g_assert_true (g_str_has_prefix (xml, "<domain type=\"test\">"));
  g_assert_true (vp_driver_find ("QEMU") == &vp_driver_qemu);
  g_assert_null (vp_driver_find ("qemu"));
  g_assert_null (vp_driver_find (NULL));
}

/* As many free ports as were asked for, whatever else is there. */
static void
test_ports (void)
{
  g_autoptr (VpPlan) plan = new_plan ();
  g_autofree char *one = NULL, *two = NULL;
  g_autofree char *n_one = NULL, *n_two = NULL;

  plan->hotplug_ports = 3;
  one = vp_domain_xml (plan, &vp_driver_qemu, NULL);
  vp_plan_add_device (plan, vp_device_rng_new ("rng0", "/dev/urandom"));
  vp_plan_add_device (plan, vp_device_channel_new ("agent", "name", "/s"));
  two = vp_domain_xml (plan, &vp_driver_qemu, NULL);
  n_one = query (one, "count(//controller[@model='pcie-root-port'])");
  n_two = query (two, "count(//controller[@model='pcie-root-port'])");
  g_assert_cmpstr (n_one, ==, "3");
  g_assert_cmpstr (n_two, ==, "5");
}

static void
test_sizes (void)
{
  g_autoptr (VpPlan) plan = new_plan ();
  g_autofree char *xml = NULL;
  g_autofree char *memory = NULL, *cell = NULL, *cpus = NULL;
  g_autoptr (GError) error = NULL;

  plan->vcpus = 255;
  plan->memory = (G_GUINT64_CONSTANT (5) << 40) + 1;
  xml = vp_domain_xml (plan, &vp_driver_qemu, NULL);
  memory = query (xml, "/domain/memory");
  cell = query (xml, "//cell/@memory");
  cpus = query (xml, "//cell/@cpus");
  g_assert_cmpstr (memory, ==, "5368709121");
  g_assert_cmpstr (cell, ==, memory);
  plan->max_vcpus = 256;
  g_assert_null (vp_domain_xml (plan, &vp_driver_qemu, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_true (g_str_has_prefix (error->message, "max-vcpus: 256 vCPUs take an IOMMU"));
  g_assert_cmpstr (cpus, ==, "0-254");
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/domain-xml/hostile", test_hostile);
  g_test_add_func ("/domain-xml/refused", test_refused);
  g_test_add_func ("/domain-xml/drivers", test_drivers);
  g_test_add_func ("/domain-xml/ports", test_ports);
  g_test_add_func ("/domain-xml/sizes", test_sizes);
  status = g_test_run ();
  xmlCleanupParser ();
  return status;
}
