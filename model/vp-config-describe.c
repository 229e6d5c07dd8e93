/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys as text for people: shipped file, manual page, `show`. */
#include "vp-config.h"

#include <string.h>

#include "vp-config-table.h"

#define WIDTH 90

const char *
vp_config_key_name (VpConfigKey key)
{
  static char *names[VP_N_CONFIG_KEYS];
  static gsize done;

  if (g_once_init_enter (&done))
    {
      for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
        names[i] = g_strconcat (vp_config_table[i].group, ".", vp_config_table[i].key, NULL);
      g_once_init_leave (&done, 1);
    }
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, NULL);
  return names[key];
}

/* "a number from 1 to 10", in words for the reader. */
static char *
describe_type (const VpConfigRow *row)
{
  switch (row->type)
    {
    case VP_CONFIG_TYPE_PATH:
      return g_strdup ("An absolute path.");
    case VP_CONFIG_TYPE_CHOICE:
      {
        g_auto (GStrv) words = g_strsplit (row->choices, "|", -1);
        g_autofree char *list = g_strjoinv (", ", words);
        return g_strdup_printf ("One of %s.", list);
      }
    case VP_CONFIG_TYPE_UINT:
      return g_strdup_printf ("A number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".", row->min,
                              row->max);
    case VP_CONFIG_TYPE_BOOL:
      return g_strdup ("true or false.");
    case VP_CONFIG_TYPE_STRING:
      break;
    }
  return g_strdup ("A string.");
}

/* Fills lines, each with @prefix. */
static void
append_filled (GString *out, const char *prefix, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gsize column = 0;

  for (char **word = words; *word != NULL; word++)
    {
      if (column > 0 && column + 1 + strlen (*word) > WIDTH)
        {
          g_string_append_c (out, '\n');
          column = 0;
        }
      g_string_append (out, column == 0 ? prefix : " ");
      g_string_append (out, *word);
      column += strlen (*word) + (column == 0 ? strlen (prefix) : 1);
    }
  g_string_append_c (out, '\n');
}

static gboolean
starts_group (int i)
{
  return i == 0 || !g_str_equal (vp_config_table[i].group, vp_config_table[i - 1].group);
}

static char *
describe_key_file (void)
{
  GString *out
      = g_string_new ("# virtpod.conf(5): configuration of virtpodd.\n"
                      "# The values shown are the defaults. Files named *.conf in virtpod.conf.d beside\n"
                      "# this one are read after it, in the order of their names.\n");

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];
      g_autofree char *type = describe_type (row);
      g_autofree char *text = g_strdup_printf ("%s %s", row->doc, type);

      if (starts_group (i))
        g_string_append_printf (out, "\n[%s]\n", row->group);
      else
        g_string_append_c (out, '\n');
      append_filled (out, "# ", text);
      g_string_append_printf (out, "#%s=%s\n", row->key, row->initial);
    }
  return g_string_free (out, FALSE);
}

static char *
describe_rst (void)
{
  GString *out = g_string_new (NULL);

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];
      g_autofree char *type = describe_type (row);
      g_autofree char *initial
          = row->initial[0] != '\0' ? g_strdup_printf ("``%s``", row->initial) : g_strdup ("empty");
      g_autofree char *text = g_strdup_printf ("%s %s Default: %s.", row->doc, type, initial);

      if (starts_group (i))
        {
          g_autofree char *title = g_strdup_printf ("[%s]", row->group);
          g_autofree char *line = g_strnfill (strlen (title), '-');
          g_string_append_printf (out, "%s%s\n%s\n\n", i > 0 ? "\n" : "", title, line);
        }
      g_string_append_printf (out, "``%s``\n", row->key);
      append_filled (out, "  ", text);
    }
  return g_string_free (out, FALSE);
}

char *
vp_config_describe (VpConfigFormat format)
{
  return format == VP_CONFIG_FORMAT_RST ? describe_rst () : describe_key_file ();
}

char *
vp_config_show (VpConfig *config)
{
  GString *out = g_string_new (NULL);

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      if (starts_group (i))
        g_string_append_printf (out, "%s[%s]\n", i > 0 ? "\n" : "", vp_config_table[i].group);
      g_string_append_printf (out, "%s=%s\n", vp_config_table[i].key,
                              vp_config_get_string (config, (VpConfigKey)i));
    }
  return g_string_free (out, FALSE);
}
