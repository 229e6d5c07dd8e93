/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "key-case.h"

#include <string.h>

#include "key-world.h"

/* ---- reading ---------------------------------------------------------------- */

static KeyCase *
case_new (const char *head)
{
  KeyCase *c = g_new0 (KeyCase, 1);

  c->inputs = g_ptr_array_new_with_free_func (g_free);
  c->annotation = key_split (head, &c->name, &c->value);
  return c;
}

static void
case_free (gpointer data)
{
  KeyCase *c = data;

  g_free (c->name);
  g_free (c->value);
  g_ptr_array_unref (c->inputs);
  g_free (c->expected);
  g_free (c->found);
  g_free (c);
}

void
key_file_free (KeyFile *file)
{
  g_free (file->path);
  g_ptr_array_unref (file->cases);
  g_ptr_array_unref (file->comments);
  g_free (file);
}

static gboolean
is_input (const char *line)
{
  return g_str_has_prefix (line, "with ") || g_str_has_prefix (line, "facts ")
         || g_str_has_prefix (line, "in ");
}

/* ---- running ---------------------------------------------------------------- */

/* Whether the file that is said to act on the key reads it. */
static void
check_reader (const KeyCase *c, const char *file)
{
  g_autofree char *path = g_build_filename (VP_SOURCE_DIR, file, NULL);
  g_autofree char *text = NULL;
  g_autofree char *upper = g_ascii_strup (c->name, -1);
  g_autofree char *word = NULL;
  g_autoptr (GError) error = NULL;

  g_strdelimit (upper, ".-", '_');
  word = g_strconcat ("VP_CONFIG_", upper, NULL);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  if (!c->annotation && strstr (text, word) == NULL)
    g_error ("%s: %s is not read there", file, word);
}

static void
case_run (KeyCase *c)
{
  g_autoptr (GPtrArray) without = key_result_new (c->inputs, NULL, NULL, FALSE);
  g_autoptr (GPtrArray) with = key_result_new (c->inputs, c->name, c->value, c->annotation);
  const char *no_effect = key_result_find_no_effect (with);
  g_autoptr (GString) text = g_string_new (NULL);

  if (key_result_is_refusal (without))
    g_error ("%s: is refused without it: %s", c->name, (const char *)without->pdata[0]);
  if (key_result_is_refusal (with))
    {
      c->outcome = KEY_REFUSED;
      g_string_printf (text, "%s\n", (const char *)with->pdata[0]);
    }
  else if (no_effect != NULL)
    {
      c->outcome = KEY_NO_EFFECT;
      g_string_printf (text, "%s\n", no_effect);
    }
  else
    {
      key_result_compare (without, with, text);
      c->outcome = text->len > 0 ? KEY_CHANGES : KEY_NOTHING;
      if (text->len == 0)
        g_string_append (text, "nothing differs\n");
    }
  for (guint i = 0; i < c->inputs->len; i++)
    {
      const char *input = g_ptr_array_index (c->inputs, i);

      if (!g_str_has_prefix (input, "in "))
        continue;
      check_reader (c, input + strlen ("in "));
      if (c->outcome == KEY_NOTHING)
        c->outcome = KEY_ELSEWHERE;
    }
  c->found = g_strdup (text->str);
}

KeyFile *
key_file_load (const char *path)
{
  KeyFile *file = g_new0 (KeyFile, 1);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  GString *expected = g_string_new (NULL), *comment = g_string_new (NULL);
  KeyCase *c = NULL;

  file->path = g_strdup (path);
  file->cases = g_ptr_array_new_with_free_func (case_free);
  file->comments = g_ptr_array_new_with_free_func (g_free);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL && (line[1] != NULL || (*line)[0] != '\0'); line++)
    {
      if ((*line)[0] == '#' || (*line)[0] == '\0')
        {
          g_string_append_printf (comment, "%s\n", *line);
          continue;
        }
      if (g_str_has_prefix (*line, "== "))
        {
          if (c != NULL)
            c->expected = g_strdup (expected->str);
          g_string_truncate (expected, 0);
          g_ptr_array_add (file->comments, g_strdup (comment->str));
          g_string_truncate (comment, 0);
          c = case_new (*line + strlen ("== "));
          g_ptr_array_add (file->cases, c);
        }
      else if (is_input (*line))
        g_ptr_array_add (c->inputs, g_strdup (*line));
      else
        g_string_append_printf (expected, "%s\n", *line);
    }
  if (c != NULL)
    c->expected = g_strdup (expected->str);
  g_ptr_array_add (file->comments, g_string_free (comment, FALSE));
  g_string_free (expected, TRUE);
  for (guint i = 0; i < file->cases->len; i++)
    case_run (file->cases->pdata[i]);
  return file;
}

/* ---- comparing -------------------------------------------------------------- */

static void
write_file (KeyFile *file)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < file->cases->len; i++)
    {
      const KeyCase *c = g_ptr_array_index (file->cases, i);

      g_string_append (text, file->comments->pdata[i]);
      g_string_append_printf (text, "== %s%s%s%s\n", c->annotation ? "annotation " : "", c->name,
                              c->value[0] != '\0' ? " " : "", c->value);
      for (guint j = 0; j < c->inputs->len; j++)
        g_string_append_printf (text, "%s\n", (const char *)c->inputs->pdata[j]);
      g_string_append (text, c->found);
    }
  g_string_append (text, file->comments->pdata[file->cases->len]);
  g_file_set_contents (file->path, text->str, -1, &error);
  g_assert_no_error (error);
}

void
key_file_check (KeyFile *file, gboolean update)
{
  if (update)
    {
      write_file (file);
      return;
    }
  for (guint i = 0; i < file->cases->len; i++)
    {
      const KeyCase *c = g_ptr_array_index (file->cases, i);

      if (g_str_equal (c->found, c->expected))
        continue;
      g_test_message ("%s: %s %s\nexpected:\n%sfound:\n%s", file->path, c->name, c->value, c->expected,
                      c->found);
      g_test_fail ();
    }
}
