/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/annotations.md says what the table says. VP_UPDATE_DOCS=1 writes it. */
#include <string.h>

#include "vp-annotation-table.h"

#define BEGIN "<!-- annotations begin"
#define END "<!-- annotations end"

static void
test_page (void)
{
  g_autofree char *page = NULL;
  g_autofree char *wanted = NULL;
  g_autofree char *table = vp_annotation_describe ();
  g_autoptr (GError) error = NULL;
  char *from, *to;

  g_file_get_contents (VP_ANNOTATIONS_MD, &page, NULL, &error);
  g_assert_no_error (error);
  from = strstr (page, BEGIN);
  g_assert_nonnull (from);
  from = strchr (from, '\n') + 1;
  to = strstr (from, END);
  g_assert_nonnull (to);
  wanted = g_strdup_printf ("%.*s%s%s", (int)(from - page), page, table, to);
  if (g_getenv ("VP_UPDATE_DOCS") != NULL)
    g_assert_true (g_file_set_contents (VP_ANNOTATIONS_MD, wanted, -1, NULL));
  else
    g_assert_cmpstr (page, ==, wanted);
}

/* Each row is one, with six cells: nothing in them ends a cell. */
static void
test_rows (void)
{
  g_autofree char *table = vp_annotation_describe ();
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, vp_annotation_n_rows + 3);
  for (guint i = 0; lines[i][0] != '\0'; i++)
    {
      g_auto (GStrv) cells = g_strsplit (lines[i], "|", -1);

      g_assert_cmpuint (g_strv_length (cells), ==, 8);
      if (i >= 2)
        g_assert_nonnull (strstr (cells[1], vp_annotation_table[i - 2].name));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/annotation-page/current", test_page);
  g_test_add_func ("/annotation-page/rows", test_rows);
  return g_test_run ();
}
