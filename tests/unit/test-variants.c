/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every variant of tests/lib/variants.c against its file in tests/domain-xml,
 * libvirt's schema and the other driver's table. VP_UPDATE_GOLDEN=1 writes the
 * files instead of comparing. */
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <string.h>

#include "variants.h"
#include "vp-device.h"
#include "vp-domain-xml.h"
#include "vp-error.h"

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

static xmlRelaxNG *schema;

static void
ignore_error (void *context, const char *format, ...)
{
}

static void show_error (void *context, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
show_error (void *context, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_test_message ("%s", text);
}

static void
compare (const char *name, const char *suffix, const char *text)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  g_autofree char *path = g_build_filename (VP_DOMAIN_XML_DIR, file, NULL);
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;

  if (g_getenv ("VP_UPDATE_GOLDEN") != NULL)
    g_file_set_contents (path, text, -1, &error);
  else
    g_file_get_contents (path, &expected, NULL, &error);
  g_assert_no_error (error);
  if (expected != NULL)
    g_assert_cmpstr (text, ==, expected);
}

static void
test_files (gconstpointer data)
{
  const Variant *variant = data;
  g_autoptr (VpPlan) plan = variant_new_plan (variant);
  g_autoptr (VpPlan) again = variant_new_plan (variant);
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = vp_domain_xml (plan, variant_get_driver (variant), &error);
  g_autofree char *xml_again = vp_domain_xml (again, variant_get_driver (variant), NULL);
  g_autofree char *text = vp_plan_to_text (plan);
  g_autofree char *all = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (xml, ==, xml_again);
  all = g_strdup_printf ("<!--\n%s-->\n%s", text, xml);
  /* a comment may not hold two dashes */
  g_assert_null (strstr (text, "--"));
  compare (variant->name, ".xml", all);
}

static void
test_schema (gconstpointer data)
{
  const Variant *variant = data;
  g_autoptr (VpPlan) plan = variant_new_plan (variant);
  g_autofree char *xml = vp_domain_xml (plan, variant_get_driver (variant), NULL);
  xmlRelaxNGValidCtxt *context;
  xmlDoc *doc;

  if (schema == NULL)
    {
      g_test_skip (SCHEMA " is not installed");
      return;
    }
  doc = xmlReadMemory (xml, (int)strlen (xml), "domain.xml", NULL, XML_PARSE_NONET);
  g_assert_nonnull (doc);
  context = xmlRelaxNGNewValidCtxt (schema);
  xmlRelaxNGSetValidErrors (context, show_error, show_error, NULL);
  g_assert_cmpint (xmlRelaxNGValidateDoc (context, doc), ==, 0);
  xmlRelaxNGFreeValidCtxt (context);
  xmlFreeDoc (doc);
}

/* What the Cloud Hypervisor driver lacks is refused in words that help. */
static void
test_refusal (gconstpointer data)
{
  const Variant *variant = data;
  g_autoptr (VpPlan) plan = variant_new_cloud ();
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = NULL;

  variant->apply (plan);
  plan->libvirt_version = 9000000;
  xml = vp_domain_xml (plan, &vp_driver_ch, &error);
  g_assert_null (xml);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "libvirt's CH driver (libvirt 9.0.0)"));
}

/* Those the QEMU driver lacks, too: no document shows them, so each is here. */
static void
apply_metadata_cache (VpDevice *device)
{
  device->u.share.cache = VP_SHARE_CACHE_METADATA;
}

static void
apply_dax (VpDevice *device)
{
  device->u.share.dax_bytes = 1 << 30;
}

static void
test_qemu_lacks (void)
{
  static const struct
  {
    void (*apply) (VpDevice *device);
    const char *message;
  } cases[] = {
    { apply_metadata_cache,
      "share0: libvirt's QEMU driver (libvirt 9.0.0) has no metadata cache of a virtiofs share: "
      "its virtiofs has the cache modes none and always" },
    { apply_dax, "share0: libvirt's QEMU driver (libvirt 9.0.0) has no DAX window of a virtiofs share: "
                 "its virtiofs has no window of the cache" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpPlan) plan = variant_new_qemu ();
      g_autoptr (GError) error = NULL;
      VpDevice *device = vp_device_share_new ("share0", "tag", "/d");

      cases[i].apply (device);
      vp_plan_add_device (plan, device);
      g_assert_null (vp_domain_xml (plan, &vp_driver_qemu, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

/* A row of the table without a plan that asks for it would never be tried. */
static void
test_every_feature (void)
{
  static const VpFeature elsewhere[] = {
    VP_FEATURE_SHARE_METADATA, VP_FEATURE_SHARE_DAX, /* test_qemu_lacks */
    VP_FEATURE_DISK,           VP_FEATURE_NIC_TAP,        VP_FEATURE_INITRD,          VP_FEATURE_PARTITION,
    VP_FEATURE_EMULATOR,       VP_FEATURE_IOMMU_PLATFORM, VP_FEATURE_FIRMWARE_VOLUME,
  };

  for (VpFeature feature = 0; feature < VP_N_FEATURES; feature++)
    {
      gboolean found = FALSE;

      for (guint i = 0; i < variant_count (); i++)
        found = found || variant_get (i)->feature == feature;
      for (guint i = 0; i < G_N_ELEMENTS (elsewhere); i++)
        found = found || elsewhere[i] == feature;
      if (!found)
        g_error ("no variant asks for: %s", vp_feature_to_string (feature));
    }
}

static void
test_versions (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_driver_can (&vp_driver_ch, VP_FEATURE_CONSOLE, 0));
  g_assert_false (vp_driver_can (&vp_driver_ch, VP_FEATURE_CONSOLE, 10001999));
  g_assert_true (vp_driver_can (&vp_driver_ch, VP_FEATURE_CONSOLE, 10002000));
  g_assert_false (vp_driver_can (&vp_driver_ch, VP_FEATURE_SHARE, 0));
  g_assert_false (vp_driver_can (&vp_driver_ch, VP_FEATURE_SHARE, 99000000));
  g_assert_false (vp_driver_require (&vp_driver_ch, VP_FEATURE_CONSOLE, 9000000, "console", &error));
  g_assert_cmpstr (
      error->message, ==,
      "console: libvirt's CH driver (libvirt 9.0.0) has no serial console on a socket: it takes libvirt "
      "10.2.0 and Cloud Hypervisor 36");
}

static void
append_cell (GString *text, const VpDriver *driver, VpFeature feature)
{
  const VpCapability *cell = &driver->capabilities[feature];

  if (cell->since == 0)
    g_string_append (text, " | yes");
  else if (cell->since == VP_NEVER)
    g_string_append_printf (text, " | no: %s", cell->reason);
  else
    g_string_append_printf (text, " | libvirt %" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT "%s%s",
                            cell->since / 1000000, cell->since / 1000 % 1000, cell->reason != NULL ? " " : "",
                            cell->reason != NULL ? cell->reason : "");
}

/* The page administrators read says what the tables say. */
static void
test_page (void)
{
  g_autoptr (GString) text = g_string_new ("| Feature | QEMU | Cloud Hypervisor |\n|---|---|---|\n");
  g_autofree char *page = NULL;
  g_autoptr (GError) error = NULL;

  for (VpFeature feature = 0; feature < VP_N_FEATURES; feature++)
    {
      g_string_append_printf (text, "| %s", vp_feature_to_string (feature));
      append_cell (text, &vp_driver_qemu, feature);
      append_cell (text, &vp_driver_ch, feature);
      g_string_append (text, " |\n");
    }
  g_file_get_contents (VP_DRIVERS_PAGE, &page, NULL, &error);
  g_assert_no_error (error);
  if (strstr (page, text->str) == NULL)
    g_error (VP_DRIVERS_PAGE " must have this table:\n%s", text->str);
}

static void
load_schema (void)
{
  xmlRelaxNGParserCtxt *parser;

  if (!g_file_test (SCHEMA, G_FILE_TEST_EXISTS))
    return;
  parser = xmlRelaxNGNewParserCtxt (SCHEMA);
  xmlRelaxNGSetParserErrors (parser, ignore_error, ignore_error, NULL);
  schema = xmlRelaxNGParse (parser);
  xmlRelaxNGFreeParserCtxt (parser);
}

static void
add_test (const char *group, const Variant *variant, GTestDataFunc function)
{
  g_autofree char *path = g_strdup_printf ("/variants/%s/%s", group, variant->name);

  g_test_add_data_func (path, variant, function);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  load_schema ();
  g_test_add_func ("/variants/qemu-lacks", test_qemu_lacks);
  g_test_add_func ("/variants/every-feature", test_every_feature);
  g_test_add_func ("/variants/versions", test_versions);
  g_test_add_func ("/variants/page", test_page);
  for (guint i = 0; i < variant_count (); i++)
    {
      const Variant *variant = variant_get (i);

      add_test ("files", variant, test_files);
      add_test ("schema", variant, test_schema);
      if (!variant->cloud && variant->feature != VP_N_FEATURES
          && !vp_driver_can (&vp_driver_ch, variant->feature, 9000000))
        add_test ("refusal", variant, test_refusal);
    }
  status = g_test_run ();
  xmlRelaxNGFree (schema);
  xmlRelaxNGCleanupTypes ();
  xmlCleanupParser ();
  return status;
}
