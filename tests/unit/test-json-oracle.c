/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What our reader makes of the documents real tools wrote, against what a
 * library makes of them: read by us and written again, they must mean the same. */
#include <json-glib/json-glib.h>

#include "vp-json-writer.h"
#include "vp-json.h"

static JsonNode *
read_by_library (const char *text, gsize len)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, (gssize) len, &error);
  g_assert_no_error (error);
  return json_parser_steal_root (parser);
}

static void
compare (gconstpointer data)
{
  const char *path = data;
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  g_autoptr (VpJson) json = NULL;
  g_autoptr (JsonNode) before = NULL;
  g_autoptr (JsonNode) after = NULL;
  g_autoptr (GError) error = NULL;
  gsize len = 0, again_len = 0;

  g_file_get_contents (path, &text, &len, &error);
  g_assert_no_error (error);
  json = vp_json_parse (text, len, path, &error);
  g_assert_no_error (error);
  again = vp_json_to_text (json, FALSE, &again_len);

  before = read_by_library (text, len);
  after = read_by_library (again, again_len);
  g_assert_true (json_node_equal (before, after));
}

static guint
add_cases (const char *golden)
{
  g_autoptr (GDir) dir = g_dir_open (golden, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      char *path = g_build_filename (golden, name, "config.json", NULL);
      g_autofree char *test = g_strconcat ("/json-oracle/", name, NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        {
          g_free (path);
          continue;
        }
      g_test_add_data_func_full (test, path, compare, g_free);
      n++;
    }
  return n;
}

int
main (int argc, char **argv)
{
  g_autofree char *golden = NULL;
  const char *srcdir = g_getenv ("top_srcdir");

  g_test_init (&argc, &argv, NULL);
  golden = g_build_filename (srcdir != NULL ? srcdir : ".", "tests", "golden", NULL);
  g_assert_cmpuint (add_cases (golden), >=, 20);
  return g_test_run ();
}
