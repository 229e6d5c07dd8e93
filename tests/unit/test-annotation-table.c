/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every row of the table of annotations: what it takes, what it refuses, the
 * values on both sides of its limits, and that nobody may use it who is not
 * allowed to. A row without its cases fails the test. */
#include <string.h>

#include "annotation-cases.h"
#include "vp-annotation-apply.h"
#include "vp-annotation-table.h"
#include "vp-decision.h"
#include "vp-error.h"

#define SHA                                                                                                  \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static guint
n_cases (void)
{
  return annotation_n_cases_machine + annotation_n_cases_devices + annotation_n_cases_others;
}

static const AnnotationCase *
get_case (guint i)
{
  if (i < annotation_n_cases_machine)
    return &annotation_cases_machine[i];
  i -= annotation_n_cases_machine;
  if (i < annotation_n_cases_devices)
    return &annotation_cases_devices[i];
  return &annotation_cases_others[i - annotation_n_cases_devices];
}

/* ---- one annotation --------------------------------------------------------- */

static VpSpec *
spec_with (const char *annotations)
{
  g_autofree char *text
      = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":"
                         "[\"x\"],\"cwd\":\"/\"},\"annotations\":{%s}}",
                         annotations);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (text, strlen (text), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

static VpConfig *
make_config (gboolean allow)
{
  static const char *const paths[]
      = { "emulator-paths", "boot-paths", "share-daemon-paths", "vhost-user-dirs" };
  static const char *const gates[] = { "hypervisor", "runtime", "agent" };
  VpConfig *config = vp_config_new_default ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    {
      g_autofree char *name = g_strconcat ("annotations.", gates[i], NULL);

      vp_config_override (config, name, allow ? ".*" : "nothing", &error);
      g_assert_no_error (error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *name = g_strconcat ("annotations.", paths[i], NULL);

      vp_config_override (config, name, "/ok/*", &error);
      g_assert_no_error (error);
    }
  vp_config_override (config, "guest.cmdline-extra", "foo=1 base=1", &error);
  g_assert_no_error (error);
  return config;
}

static VpAnnotations *
apply (const char *annotations, gboolean allow, GError **error)
{
  g_autoptr (VpSpec) spec = spec_with (annotations);
  g_autoptr (VpConfig) config = make_config (allow);
  g_autoptr (VpFacts) facts
      = vp_facts_new (&(VpFactsInit){ .driver = "QEMU", .host_cpus = 8, .max_vcpus = 6 });

  return vp_annotations_apply (spec, config, facts, error);
}

static VpAnnotations *
apply_one (const char *name, const char *value, gboolean allow, GError **error)
{
  g_autofree char *text = g_strdup_printf ("\"%s\":\"%s\"", name, value);

  return apply (text, allow, error);
}

static void
assert_says (const GError *error, VpError code, const char *name, const char *words, const char *value)
{
  g_autofree char *place = g_strdup_printf ("annotations[\"%s\"]: ", name);

  g_assert_error (error, VP_ERROR, (gint)code);
  if (strstr (error->message, words) == NULL
      || !g_str_has_prefix (error->message, "/b/config.json: annotations"))
    g_error ("%s=\"%s\": \"%s\" lacks \"%s\"", name, value, error->message, words);
  /* what contradicts another key names that */
  if (strstr (words, " needs ") == NULL && strstr (words, "needs ") != words)
    g_assert_nonnull (strstr (error->message, place));
  g_assert_null (strchr (error->message, '\n'));
}

static void
assert_taken (const VpAnnotationRow *row, const char *value, const char *expect)
{
  g_autofree char *source = g_strconcat ("annotation ", row->name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpAnnotations) result = apply_one (row->name, value, TRUE, &error);
  VpConfigKey key = row->type == VP_ANNOTATION_TYPE_ARGUMENTS ? VP_CONFIG_SHARE_THREAD_POOL_SIZE : row->key;

  if (error != NULL)
    g_error ("%s=\"%s\": %s", row->name, value, error->message);
  if (row->action == VP_ANNOTATION_PASS)
    return;
  g_assert_cmpuint (result->decisions->len, >=, expect != NULL ? 1 : 0);
  if (expect != NULL)
    {
      g_assert_cmpstr (vp_config_get_string (result->config, key), ==, expect);
      g_assert_cmpstr (vp_config_get_source (result->config, key), ==, source);
    }
  else if (key != VP_N_CONFIG_KEYS)
    g_assert_false (g_str_equal (vp_config_get_source (result->config, key), source));
}

static void
assert_refused (const VpAnnotationRow *row, const char *value, gboolean allow, VpError code,
                const char *words)
{
  g_autoptr (GError) error = NULL;
  VpAnnotations *result = apply_one (row->name, value, allow, &error);

  if (result != NULL)
    g_error ("%s=\"%s\" was taken", row->name, value);
  assert_says (error, code, row->name, words, value);
}

static void
assert_gated (const VpAnnotationRow *row, const char *value)
{
  if (vp_annotation_row_gate (row) == VP_N_CONFIG_KEYS)
    assert_taken (row, value, NULL);
  else
    assert_refused (row, value, FALSE, VP_ERROR_NOT_AUTHORIZED, "is not allowed, annotations.");
}

static void
run_case (const AnnotationCase *c)
{
  const VpAnnotationRow *row = vp_annotation_find (c->name);

  g_assert_nonnull (row);
  switch (c->kind)
    {
    case GOOD:
    case EDGE:
      if (row->action == VP_ANNOTATION_REFUSE && !vp_annotation_row_is_neutral (row, c->value))
        {
          assert_refused (row, c->value, TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
          return;
        }
      assert_taken (row, c->value, c->expect);
      assert_gated (row, c->value);
      break;
    case BAD:
    case BEYOND:
      assert_refused (row, c->value, TRUE, VP_ERROR_INVALID_ARGUMENT, c->expect);
      break;
    case REFUSED:
      assert_refused (row, c->value, TRUE, VP_ERROR_NOT_SUPPORTED, c->expect);
      /* nobody can have it, whoever is allowed */
      assert_refused (row, c->value, FALSE, VP_ERROR_NOT_SUPPORTED, c->expect);
      break;
    case DENIED:
      assert_refused (row, c->value, TRUE, VP_ERROR_NOT_AUTHORIZED, c->expect);
      break;
    }
}

static void
test_cases (void)
{
  for (guint i = 0; i < n_cases (); i++)
    run_case (get_case (i));
}

/* ---- rows whose cases follow from their type -------------------------------- */

static void
run_bool (const VpAnnotationRow *row)
{
  static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
  static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };
  static const char *const bad[] = { "yes", "", "tRUE", "true ", "2", "on" };
  g_auto (GStrv) words = g_strsplit (row->words != NULL ? row->words : "true|false", "|", 2);
  const guint on = row->action == VP_ANNOTATION_SET_NOT ? 1 : 0;

  for (guint i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      if (row->action == VP_ANNOTATION_REFUSE)
        assert_refused (row, yes[i], TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
      /* needs another one beside it */
      else if (row->key == VP_CONFIG_NETWORK_NEW_NETNS)
        assert_refused (row, yes[i], TRUE, VP_ERROR_INVALID_ARGUMENT, "needs network.model=none");
      else
        assert_taken (row, yes[i], words[on]);
      assert_taken (row, no[i], row->action == VP_ANNOTATION_REFUSE ? NULL : words[1 - on]);
      assert_gated (row, no[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (row, bad[i], TRUE, VP_ERROR_INVALID_ARGUMENT, "must be true or false");
}

static void
run_digest (const VpAnnotationRow *row)
{
  g_autoptr (VpAnnotations) result = NULL;
  const VpAnnotationDigest *digest;
  const char *right = SHA "F";

  assert_refused (row, SHA, TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  assert_refused (row, SHA "00", TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  assert_refused (row, SHA "g", TRUE, VP_ERROR_INVALID_ARGUMENT, "128 hexadecimal digits");
  if (row->action == VP_ANNOTATION_REFUSE)
    {
      assert_refused (row, right, TRUE, VP_ERROR_NOT_SUPPORTED, row->reason);
      return;
    }
  assert_gated (row, right);
  result = apply_one (row->name, right, TRUE, NULL);
  g_assert_cmpuint (result->digests->len, ==, 1);
  digest = g_ptr_array_index (result->digests, 0);
  g_assert_cmpint (digest->key, ==, row->key);
  g_assert_cmpstr (digest->sha512, ==, SHA "f");
}

static gboolean
has_case (const VpAnnotationRow *row, AnnotationKind a, AnnotationKind b, AnnotationKind c)
{
  for (guint i = 0; i < n_cases (); i++)
    {
      const AnnotationCase *found = get_case (i);

      if (g_str_equal (found->name, row->name) && (found->kind == a || found->kind == b || found->kind == c))
        return TRUE;
    }
  return FALSE;
}

/* Nothing that is not text can be said by any annotation; values of TEXT that
 * are refused or passed on have no limits. */
static gboolean
any_text (const VpAnnotationRow *row)
{
  return row->action == VP_ANNOTATION_PASS || row->scope == VP_ANNOTATION_MOUNT;
}

static void
test_complete (void)
{
  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];

      g_assert_true (vp_annotation_find (row->name) == row);
      if (row->action == VP_ANNOTATION_REFUSE)
        g_assert_nonnull (row->reason);
      if (row->scope == VP_ANNOTATION_MOUNT)
        continue; /* not the sandbox's, below */
      if (row->type == VP_ANNOTATION_TYPE_BOOL)
        run_bool (row);
      else if (row->type == VP_ANNOTATION_TYPE_SHA512)
        run_digest (row);
      else if (!has_case (row, GOOD, REFUSED, GOOD) || (!any_text (row) && !has_case (row, BAD, REFUSED, BAD))
               || (!any_text (row) && !has_case (row, EDGE, BEYOND, EDGE)))
        g_error ("%s lacks a case", row->name);
    }
}

/* ---- several, and those that are not the sandbox's -------------------------- */

static void
test_together (void)
{
  static const struct
  {
    const char *annotations;
    VpError code;
    const char *words; /* NULL: taken */
  } together[] = {
    { "", VP_ERROR_FAILED, NULL },
    { "\"other\":\"x\",\"io.katacontainersx\":\"y\"", VP_ERROR_FAILED, NULL },
    { "\"" HV "nothing\":\"x\"", VP_ERROR_NOT_SUPPORTED,
      "annotations[\"" HV "nothing\"]: no annotation has" },
    { "\"" KATA "new\":\"x\"", VP_ERROR_NOT_SUPPORTED, "no annotation has this name" },
    { "\"" HV "image\":\"/ok/a\",\"" HV "initrd\":\"/ok/b\"", VP_ERROR_INVALID_ARGUMENT,
      "only one can boot" },
    { "\"" HV "hot_plug_vfio\":\"root-port\",\"" HV "cold_plug_vfio\":\"root-port\"",
      VP_ERROR_INVALID_ARGUMENT, "one must be no-port" },
    { "\"" HV "hot_plug_vfio\":\"no-port\",\"" HV "cold_plug_vfio\":\"root-port\"", VP_ERROR_FAILED, NULL },
    { "\"" HV "blk_logical_sector_size\":\"4096\",\"" HV "blk_physical_sector_size\":\"512\"",
      VP_ERROR_INVALID_ARGUMENT, "is more than" },
    { "\"" HV "block_device_aio\":\"native\",\"" HV "block_device_cache_set\":\"1\",\"" HV
      "block_device_cache_direct\":\"1\"",
      VP_ERROR_FAILED, NULL },
    { "\"" RT "disable_new_netns\":\"1\",\"" RT "internetworking_model\":\"none\"", VP_ERROR_FAILED, NULL },
    { "\"" KATA "fs-opt.is-layer\":\"\"", VP_ERROR_NOT_SUPPORTED, "layers" },
    { "\"" KATA "volume=abc\":\"\"", VP_ERROR_NOT_SUPPORTED, "virtual volumes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (together); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpAnnotations) result = apply (together[i].annotations, TRUE, &error);

      if (together[i].words == NULL)
        {
          g_assert_no_error (error);
          continue;
        }
      if (result != NULL)
        g_error ("%s was taken", together[i].annotations);
      g_assert_error (error, VP_ERROR, (gint)together[i].code);
      if (strstr (error->message, together[i].words) == NULL)
        g_error ("\"%s\" lacks \"%s\"", error->message, together[i].words);
    }
}

/* What the sandbox's annotations say ends what the configuration says. */
static void
test_plug_resets (void)
{
  g_autoptr (VpSpec) spec = spec_with ("\"" HV "cold_plug_vfio\":\"root-port\"");
  g_autoptr (VpConfig) config = make_config (TRUE);
  g_autoptr (VpAnnotations) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_config_override (config, "hypervisor.hot-plug-vfio", "switch-port", NULL));
  result = vp_annotations_apply (spec, config, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vp_config_get_string (result->config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO), ==, "no-port");
  g_assert_cmpstr (vp_config_get_string (result->config, VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO), ==,
                   "root-port");
  /* what was handed in is as it was */
  g_assert_cmpstr (vp_config_get_string (config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO), ==, "switch-port");
}

static void
test_container (void)
{
  g_autoptr (VpSpec) plain = spec_with ("\"" HV "kernel\":\"/bin/sh\"");
  g_autoptr (VpSpec) swappy = spec_with ("\"" KATA "container.resource.swappiness\":\"60\"");
  g_autoptr (GError) error = NULL;

  /* what a pod's container carries of its sandbox was the sandbox's */
  g_assert_true (vp_annotations_check_container (plain, &error));
  g_assert_no_error (error);
  g_assert_false (vp_annotations_check_container (swappy, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
}

static void
test_patterns (void)
{
  static const struct
  {
    const char *patterns[3], *name;
    gboolean allowed;
  } patterns[] = {
    { { "path" }, "path", TRUE },
    { { "path" }, "jailer_path", FALSE },
    { { "path" }, "path_hash", FALSE },
    { { "a|ab" }, "ab", TRUE },
    { { "a|path" }, "jailer_path", FALSE },
    { { "enable_.*", "x" }, "enable_iommu", TRUE },
    { { "enable_.*", "x" }, "x", TRUE },
    { { "^kernel$" }, "kernel", TRUE },
    { { "^kernel$" }, "kernel_params", FALSE },
    { { "(" }, "kernel", FALSE },
    { { NULL }, "kernel", FALSE },
    { { "" }, "kernel", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++)
    g_assert_true (vp_annotation_is_allowed (patterns[i].patterns, patterns[i].name) == patterns[i].allowed);
}

/* The defaults allow what has been allowed to everybody for years, no more. */
static void
test_defaults (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (GString) allowed = g_string_new (NULL);

  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];
      VpConfigKey gate = vp_annotation_row_gate (row);

      if (gate != VP_N_CONFIG_KEYS
          && vp_annotation_is_allowed (vp_config_get_list (config, gate), vp_annotation_row_short_name (row)))
        g_string_append_printf (allowed, "%s ", vp_annotation_row_short_name (row));
    }
  g_assert_cmpstr (allowed->str, ==,
                   "kernel_params kernel_verity_params enable_iommu create_container_timeout "
                   "container_pipe_size ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/annotation-table/complete", test_complete);
  g_test_add_func ("/annotation-table/cases", test_cases);
  g_test_add_func ("/annotation-table/together", test_together);
  g_test_add_func ("/annotation-table/plug-resets", test_plug_resets);
  g_test_add_func ("/annotation-table/container", test_container);
  g_test_add_func ("/annotation-table/patterns", test_patterns);
  g_test_add_func ("/annotation-table/defaults", test_defaults);
  return g_test_run ();
}
