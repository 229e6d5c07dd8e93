/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys as text for people: shipped file, manual page, `show`. */
#include "vp-config.h"

#include <string.h>

#include "vp-config-private.h"

#define WIDTH 90

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
describe_unused (VpConfigKey key)
{
  const char *reason = vp_config_key_unused (key);

  return reason != NULL ? g_strdup_printf (" No effect in this version: %s.", reason) : g_strdup ("");
}

static char *
describe_key_file (void)
{
  GString *out
      = g_string_new ("# virtpod.conf(5): configuration of virtpodd.\n"
                      "# The values shown are the defaults. Files named *.conf in virtpod.conf.d beside\n"
                      "# this one are read after it, in the order of their names.\n"
                      "# A group [handler NAME] with GROUP.KEY=VALUE lines says what is different for\n"
                      "# sandboxes of that handler.\n");

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];
      g_autofree char *type = vp_config_row_describe_type (row);
      g_autofree char *unused = describe_unused ((VpConfigKey)i);
      g_autofree char *text = g_strdup_printf ("%s %s%s", row->doc, type, unused);

      if (starts_group (i))
        g_string_append_printf (out, "\n[%s]\n", row->group);
      else
        g_string_append_c (out, '\n');
      append_filled (out, "# ", text);
      g_string_append_printf (out, "#%s=%s\n", row->key, row->initial);
    }
  return g_string_free (out, FALSE);
}

/* " Kata: a, b." without what only the reader of Kata's files needs */
static void
append_kata (GString *out, const VpConfigRow *row)
{
  g_auto (GStrv) names = g_strsplit (row->kata ?: "", " ", -1);

  for (char **name = names; *name != NULL; name++)
    {
      gsize length = strcspn (*name, ":");

      g_string_append_printf (out, "%s``%.*s``", name == names ? " Kata: " : ", ", (int)length, *name);
    }
  if (names[0] != NULL && names[0][0] != '\0')
    g_string_append_c (out, '.');
}

static char *
describe_rst (void)
{
  GString *out = g_string_new (NULL);

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];
      g_autofree char *type = vp_config_row_describe_type (row);
      g_autofree char *initial
          = row->initial[0] != '\0' ? g_strdup_printf ("``%s``", row->initial) : g_strdup ("empty");
      g_autofree char *unused = describe_unused ((VpConfigKey)i);
      g_autoptr (GString) text = g_string_new (NULL);

      g_string_printf (text, "%s %s%s", row->doc, type, unused);
      g_string_replace (text, "*", "\\*", 0); /* else a mark of emphasis */
      g_string_append_printf (text, " Default: %s.", initial);
      append_kata (text, row);
      if (starts_group (i))
        {
          g_autofree char *title = g_strdup_printf ("[%s]", row->group);
          g_autofree char *line = g_strnfill (strlen (title), '-');
          g_string_append_printf (out, "%s%s\n%s\n\n", i > 0 ? "\n" : "", title, line);
        }
      g_string_append_printf (out, "``%s``\n", row->key);
      append_filled (out, "  ", text->str);
    }
  return g_string_free (out, FALSE);
}

char *
vp_config_describe (VpConfigFormat format)
{
  return format == VP_CONFIG_FORMAT_RST ? describe_rst () : describe_key_file ();
}

static void
append_value (GString *out, const char *name, const char *text, const char *source)
{
  if (source != NULL)
    g_string_append_printf (out, "# %s\n", source);
  g_string_append_printf (out, "%s=%s\n", name, text);
}

static void
append_handler (GString *out, const VpConfigHandler *handler, gboolean sources)
{
  g_string_append_printf (out, "\n[handler %s]\n", handler->name);
  for (guint i = 0; i < handler->entries->len; i++)
    {
      const VpConfigEntry *entry = g_ptr_array_index (handler->entries, i);
      gboolean replaced = FALSE;

      for (guint j = i + 1; j < handler->entries->len && !replaced; j++)
        replaced = ((const VpConfigEntry *)g_ptr_array_index (handler->entries, j))->key == entry->key;
      if (!replaced)
        append_value (out, vp_config_key_name (entry->key), entry->text, sources ? entry->source : NULL);
    }
}

/* Of two ways to boot only one is in force; the other would contradict it in one file. */
static const char *
shown_text (VpConfig *config, VpConfigKey key)
{
  gboolean image = vp_config_boots_image (config);

  if (key == VP_CONFIG_GUEST_IMAGE && !image)
    return "";
  if (key == VP_CONFIG_GUEST_INITRD && image)
    return "";
  return config->values[key]->text;
}

char *
vp_config_show (VpConfig *config, gboolean sources)
{
  GString *out = g_string_new (NULL);

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];

      if (starts_group (i))
        g_string_append_printf (out, "%s[%s]\n", i > 0 ? "\n" : "", row->group);
      append_value (out, row->key, shown_text (config, (VpConfigKey)i),
                    sources ? config->values[i]->source : NULL);
    }
  for (guint i = 0; i < config->handlers->len; i++)
    append_handler (out, g_ptr_array_index (config->handlers, i), sources);
  return g_string_free (out, FALSE);
}
