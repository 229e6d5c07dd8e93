/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each configuration key and each annotation, one at a time, on top of the same
 * bundle: what it changes of plan, document and messages, or who else acts on
 * it, or why it is refused. The cases are in tests/keys; a key or a row of a
 * table without one fails. VP_UPDATE_GOLDEN=1 writes what comes out. */
#include <string.h>

#include "key-case.h"
#include "vp-annotation-table.h"

static GPtrArray *files; /* of KeyFile */

static void
test_file (gconstpointer data)
{
  key_file_check ((KeyFile *)data, g_getenv ("VP_UPDATE_GOLDEN") != NULL);
}

/* The outcomes of all cases about @name. */
static GPtrArray *
find_cases (const char *name, gboolean annotation)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < files->len; i++)
    {
      KeyFile *file = g_ptr_array_index (files, i);

      for (guint j = 0; j < file->cases->len; j++)
        {
          KeyCase *c = g_ptr_array_index (file->cases, j);

          if (c->annotation == annotation && g_str_equal (c->name, name))
            g_ptr_array_add (found, c);
        }
    }
  return found;
}

static guint
count (const GPtrArray *cases, KeyOutcome outcome)
{
  guint n = 0;

  for (guint i = 0; i < cases->len; i++)
    n += ((const KeyCase *)g_ptr_array_index (cases, i))->outcome == outcome;
  return n;
}

/* Something is different, or the file that acts on it is named and does; what
 * has no effect says so, and is in the list of those. */
static void
test_every_key (void)
{
  for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      const char *name = vp_config_key_name (key);
      g_autoptr (GPtrArray) cases = find_cases (name, FALSE);
      gboolean acts = count (cases, KEY_CHANGES) + count (cases, KEY_ELSEWHERE) > 0;
      gboolean idle = count (cases, KEY_NO_EFFECT) > 0;

      /* what may not be asked for is what these are about */
      if (g_str_has_prefix (name, "annotations."))
        acts = acts || count (cases, KEY_REFUSED) > 0;
      if (cases->len == 0)
        g_error ("%s has no case in tests/keys", name);
      if (!acts && !idle)
        g_error ("no case of %s has an effect, names who acts on it or says that nothing does", name);
      g_assert_cmpint (idle, ==, vp_config_key_unused (key) != NULL);
    }
}

static gboolean
is_idle (const VpAnnotationRow *row)
{
  return row->key != VP_N_CONFIG_KEYS && vp_config_key_unused (row->key) != NULL;
}

/* A value that is granted changes something; what is refused is so with a reason. */
static void
test_every_annotation (void)
{
  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];
      g_autoptr (GPtrArray) cases = find_cases (row->name, TRUE);
      gboolean acts = count (cases, KEY_CHANGES) + count (cases, KEY_ELSEWHERE) > 0;
      gboolean refused = count (cases, KEY_REFUSED) > 0;

      if (cases->len == 0)
        g_error ("%s has no case in tests/keys", row->name);
      if (row->action == VP_ANNOTATION_REFUSE || is_idle (row))
        g_assert_true (refused);
      else if (!acts && row->action != VP_ANNOTATION_PASS)
        g_error ("no case of %s has an effect", row->name);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;
  int status;

  g_test_init (&argc, &argv, NULL);
  files = g_ptr_array_new_with_free_func ((GDestroyNotify)key_file_free);
  dir = g_dir_open (VP_KEYS_DIR, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (VP_KEYS_DIR, name, NULL);
      g_autofree char *test = g_strconcat ("/keys/", name, NULL);

      if (!g_str_has_suffix (name, ".txt"))
        continue;
      g_ptr_array_add (files, key_file_load (path));
      g_test_add_data_func (test, files->pdata[files->len - 1], test_file);
    }
  g_test_add_func ("/keys/every-key", test_every_key);
  g_test_add_func ("/keys/every-annotation", test_every_annotation);
  status = g_test_run ();
  g_ptr_array_unref (files);
  return status;
}
