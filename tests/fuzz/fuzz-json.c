/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A document from outside: lint, tree, printer, and the loader of config.json. */
#include "fuzz.h"
#include "vp-annotation.h"
#include "vp-json-writer.h"
#include "vp-spec.h"

static void
walk (VpJson *node)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);
      const char *name = vp_json_get_name (item);

      if (name != NULL)
        g_assert_true (vp_json_lookup (node, name) == item);
      if (i < 8)
        {
          g_autofree char *path = vp_json_dup_path (item);
          g_assert_true (path[0] != '\0');
        }
      walk (item);
    }
}

/* What was printed is read again as the same thing. */
static void
print_and_read (VpJson *node, gboolean pretty)
{
  gsize len = 0;
  g_autofree char *text = vp_json_to_text (node, pretty, &len);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpJson) again = vp_json_parse (text, len, "again", &error);

  if (again == NULL && len > 1 << 20)
    return; /* longer than it was: too long */
  g_assert_no_error (error);
  {
    g_autofree char *text2 = vp_json_to_text (again, pretty, NULL);
    g_assert_cmpstr (text, ==, text2);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  g_autoptr (VpJson) node = vp_json_parse ((const char *)data, size, "input", &error);
  g_autoptr (VpSpec) spec = NULL;
  VpContainerType type;
  const char *sandbox_id;

  if (node == NULL)
    {
      fuzz_check_error (&error);
      return 0;
    }
  walk (node);
  print_and_read (node, FALSE);
  print_and_read (node, TRUE);
  spec = vp_spec_parse ((const char *)data, size, "/bundle", &error);
  if (spec == NULL)
    {
      fuzz_check_error (&error);
      return 0;
    }
  g_assert_nonnull (vp_spec_get_args (spec)[0]);
  g_assert_true (vp_spec_get_cwd (spec)[0] == '/');
  if (!vp_annotation_get_container_type (spec, &type, &error))
    fuzz_check_error (&error);
  else if (!vp_annotation_get_sandbox_id (spec, &sandbox_id, &error))
    fuzz_check_error (&error);
  return 0;
}
