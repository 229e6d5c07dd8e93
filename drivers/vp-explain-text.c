/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-explain-private.h"
#include "vp-json-writer.h"

/* For a terminal: sections with aligned columns, long lines wrapped below
 * their column. What comes from outside cannot move the cursor, nor look like a
 * line of ours. */

#define WIDTH 100
#define MAX_COLUMN 34 /* a longer name gets a line of its own */
#define MAX_VALUE 34    /* of the middle column */
#define MAX_SHOWN 160 /* of a value in the list of differences; JSON has it all */

static void
add_spaces (GString *text, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_c (text, ' ');
}

static void
add_char (GString *text, gunichar c)
{
  if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e)
      || (c >= 0x2066 && c <= 0x2069))
    g_string_append_printf (text, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
  else
    g_string_append_unichar (text, c);
}

/* @value with @indent spaces before every line but the first, which starts at
 * that column already. */
static void
add_wrapped (GString *text, guint indent, const char *value)
{
  guint column = indent;

  for (const char *p = value; *p != '\0';)
    {
      gsize word = strcspn (p, " ");
      guint length = (guint)g_utf8_strlen (p, (gssize)word);
      const char *end = p + word;

      if (column > indent && column + 1 + length > WIDTH)
        {
          g_string_append_c (text, '\n');
          add_spaces (text, indent);
          column = indent;
        }
      else if (p != value)
        {
          g_string_append_c (text, ' ');
          column++;
        }
      for (; p < end; p = g_utf8_next_char (p))
        add_char (text, g_utf8_get_char (p));
      column += length;
      if (*p == ' ')
        p++;
    }
}

static void
add_section (GString *text, const char *title)
{
  g_string_append_printf (text, "\n%s\n", title);
}

static guint
name_width (guint width, const char *name)
{
  guint length = (guint)g_utf8_strlen (name, -1);

  return length <= MAX_COLUMN ? MAX (width, length) : width;
}

/* "  NAME   VALUE", the value from column 2 + @width + 2 on. */
static void
add_row (GString *text, guint width, const char *name, const char *value)
{
  guint length = (guint)g_utf8_strlen (name, -1);

  g_string_append (text, "  ");
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    add_char (text, g_utf8_get_char (p));
  if (value[0] == '\0')
    {
      g_string_append_c (text, '\n');
      return;
    }
  if (length > width)
    {
      g_string_append_c (text, '\n');
      length = 0;
      add_spaces (text, 2);
    }
  add_spaces (text, width - length + 2);
  add_wrapped (text, width + 4, value);
  g_string_append_c (text, '\n');
}

/* ---- sections ---- */

static void
add_version (GString *text, const char *name, guint64 version)
{
  if (version == 0)
    g_string_append (text, name);
  else
    g_string_append_printf (text, "%s %u.%u.%u", name, (guint)(version / 1000000),
                            (guint)(version / 1000 % 1000), (guint)(version % 1000));
}

static void
add_head (GString *text, const VpExplanation *e)
{
  const VpFactsInit *facts = vp_facts_get (e->facts);
  g_autofree char *what = NULL;

  if (e->joins != NULL)
    what = g_strdup_printf ("Container %s in sandbox %s", e->who->id, e->joins);
  else
    what = g_strdup_printf ("Sandbox %s, handler %s", e->who->id, e->plan->handler);
  add_wrapped (text, 0, what);
  g_string_append (text, "\nBundle ");
  add_wrapped (text, 7, vp_spec_get_bundle (e->spec));
  g_string_append (text, "\nHost ");
  add_version (text, facts->driver, facts->hypervisor_version);
  g_string_append (text, ", ");
  add_version (text, "libvirt", facts->libvirt_version);
  g_string_append_printf (text, ", %s", facts->arch);
  if (e->uri != NULL)
    g_string_append_printf (text, ", %s", e->uri);
  g_string_append (text, "\nNothing was started.\n");
}

/* Three columns; @why, if any, is in lines below the second, where there is room. */
static void
add_sourced_row (GString *text, const guint *widths, const char *name, const char *value, const char *source,
                 const char *why)
{
  guint indent = widths[0] + 4;
  guint length = (guint)g_utf8_strlen (value, -1);

  if (length > widths[1])
    {
      g_autofree char *line = g_strdup_printf ("%s  %s", value, source);

      add_row (text, widths[0], name, line);
    }
  else
    {
      add_row (text, widths[0], name, value[0] != '\0' ? value : "-");
      if (source[0] != '\0')
        {
          g_string_truncate (text, text->len - 1);
          add_spaces (text, widths[1] - MAX (length, 1) + 2);
          add_wrapped (text, indent + widths[1] + 2, source);
          g_string_append_c (text, '\n');
        }
    }
  if (why[0] == '\0')
    return;
  add_spaces (text, indent);
  add_wrapped (text, indent, why);
  g_string_append_c (text, '\n');
}

static guint
value_width (guint width, const char *value)
{
  guint length = (guint)g_utf8_strlen (value, -1);

  return length <= MAX_VALUE ? MAX (width, length) : width;
}

/* What the bundle or the administrator asked for and does not get. */
static gboolean
is_denied (const VpDecision *decision)
{
  return g_str_equal (decision->value, "no effect") || g_str_equal (decision->value, "left out")
         || (g_str_equal (decision->value, "libvirt's own") && g_str_has_prefix (decision->source, "spec "));
}

static void
measure (guint *widths, const GPtrArray *decisions, gboolean denied)
{
  for (guint i = 0; decisions != NULL && i < decisions->len; i++)
    {
      const VpDecision *decision = decisions->pdata[i];

      if (is_denied (decision) != denied)
        continue;
      widths[0] = name_width (widths[0], decision->what);
      widths[1] = value_width (widths[1], decision->value);
    }
}

static void
add_decision (GString *text, const guint *widths, const VpDecision *decision)
{
  g_autofree char *both = NULL;

  /* who has the say: the key, and where it got its value */
  if (decision->key != NULL && !g_str_equal (decision->key, decision->what)
      && !g_str_has_prefix (decision->source, "spec "))
    both = g_strdup_printf ("%s (%s)", decision->key, decision->source);
  add_sourced_row (text, widths, decision->what, decision->value, both != NULL ? both : decision->source,
                   decision->why);
}

static void
add_some_decisions (GString *text, const VpExplanation *e, gboolean denied, const char *title)
{
  const GPtrArray *lists[] = { e->plan != NULL ? e->plan->decisions : NULL, e->container->decisions };
  guint widths[2] = { 0, 1 };
  gboolean any = FALSE;

  for (guint n = 0; n < G_N_ELEMENTS (lists); n++)
    measure (widths, lists[n], denied);
  for (guint n = 0; n < G_N_ELEMENTS (lists); n++)
    {
      for (guint i = 0; lists[n] != NULL && i < lists[n]->len; i++)
        {
          const VpDecision *decision = lists[n]->pdata[i];

          if (is_denied (decision) != denied)
            continue;
          if (!any)
            add_section (text, title);
          any = TRUE;
          add_decision (text, widths, decision);
        }
    }
}

static void
add_settings (GString *text, const VpExplanation *e)
{
  guint widths[2] = { 0, 1 };
  gboolean any = FALSE;

  for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      if (vp_config_is_default (e->config, key))
        continue;
      widths[0] = name_width (widths[0], vp_config_key_name (key));
      widths[1] = value_width (widths[1], vp_config_get_string (e->config, key));
    }
  for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      if (vp_config_is_default (e->config, key))
        continue;
      if (!any)
        add_section (text, "Settings that are not the default");
      any = TRUE;
      add_sourced_row (text, widths, vp_config_key_name (key), vp_config_get_string (e->config, key),
                       vp_config_get_source (e->config, key), "");
    }
}

/* Bytes of memory as people count them; NULL: @value says it well. */
static char *
dup_sized (const char *key, const char *value)
{
  static const char *const sizes[] = { "memory", "max-memory", "huge-page-size", NULL };
  guint64 bytes;

  if (!g_strv_contains (sizes, key) || !g_ascii_string_to_unsigned (value, 10, 1, G_MAXUINT64, &bytes, NULL))
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT " MiB", bytes >> 20);
}

/* The "key: value" lines of a plan as rows. */
static void
add_plan (GString *text, const char *plan)
{
  g_auto (GStrv) lines = g_strsplit (plan, "\n", -1);
  guint width = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strstr (lines[i], ": ");

      if (colon == NULL)
        continue;
      *colon = '\0';
      width = name_width (width, lines[i]);
      *colon = ':';
    }
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strstr (lines[i], ": ");
      g_autofree char *sized = NULL;

      if (colon == NULL || colon[2] == '\0' || g_str_equal (colon + 2, "-"))
        continue; /* as usual */
      *colon = '\0';
      sized = dup_sized (lines[i], colon + 2);
      add_row (text, width, lines[i], sized != NULL ? sized : colon + 2);
    }
}

static char *
shorten (const char *value)
{
  const char *end;
  glong length = g_utf8_strlen (value, -1);

  if (length <= MAX_SHOWN)
    return g_strdup (value);
  end = g_utf8_offset_to_pointer (value, MAX_SHOWN);
  return g_strdup_printf ("%.*s... (%ld characters)", (int)(end - value), value, length);
}

static void
add_changes (GString *text, const VpExplanation *e)
{
  g_autoptr (GHashTable) told = g_hash_table_new (NULL, NULL);
  guint width = 0;

  for (guint i = 0; i < e->changes->len; i++)
    width = name_width (width, ((const VpSpecChange *)e->changes->pdata[i])->path);
  for (guint i = 0; i < e->changes->len; i++)
    {
      const VpSpecChange *change = e->changes->pdata[i];
      g_autofree char *before = change->before != NULL ? shorten (change->before) : NULL;
      g_autofree char *after = change->after != NULL ? shorten (change->after) : NULL;
      g_autofree char *value = NULL;

      if (before == NULL)
        value = g_strdup_printf ("added %s", after);
      else if (after == NULL)
        value = g_strdup_printf ("removed %s", before);
      else
        value = g_strdup_printf ("%s -> %s", before, after);
      add_row (text, width, change->path, value);
      /* the same field of another mount has the same reason: once is enough */
      if (change->why != NULL && g_hash_table_add (told, (gpointer)change->why))
        {
          add_spaces (text, width + 4);
          add_wrapped (text, width + 4, change->why);
          g_string_append_c (text, '\n');
        }
    }
}

/* Lines of @block, each behind two spaces more. */
static void
add_block (GString *text, const char *block)
{
  g_auto (GStrv) lines = g_strsplit (block, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (lines[i][0] == '\0')
        continue;
      add_spaces (text, 2);
      for (const char *p = lines[i]; *p != '\0'; p = g_utf8_next_char (p))
        add_char (text, g_utf8_get_char (p));
      g_string_append_c (text, '\n');
    }
}

static void
add_message (GString *text, const char *name, gsize size, const char *remark, const char *json)
{
  g_autoptr (VpJson) node = NULL;
  g_autofree char *pretty = NULL;

  if (json == NULL)
    return;
  node = vp_json_parse (json, strlen (json), name, NULL);
  if (node != NULL)
    pretty = vp_json_to_text (node, TRUE, NULL);
  g_string_append_printf (text, "\nMessage %s, %" G_GSIZE_FORMAT " bytes%s\n", name, size, remark);
  add_block (text, pretty != NULL ? pretty : json);
}

char *
vp_explanation_to_text (const VpExplanation *e)
{
  GString *text = g_string_new (NULL);
  g_autofree char *plan = e->plan != NULL ? vp_plan_to_text (e->plan) : NULL;
  g_autofree char *container = vp_container_plan_to_text (e->container);

  add_head (text, e);
  add_some_decisions (text, e, TRUE, "Not as it was asked for");
  add_some_decisions (text, e, FALSE, "Decisions");
  add_settings (text, e);
  if (plan != NULL)
    {
      add_section (text, "Virtual machine");
      add_plan (text, plan);
    }
  add_section (text, "Container");
  add_plan (text, container);
  add_section (text, e->changes->len > 0 ? "The guest gets config.json, except for"
                                         : "The guest gets config.json as it is");
  add_changes (text, e);
  add_message (text, "CreateSandbox", e->sandbox_size, "", e->create_sandbox);
  add_message (text, "CreateContainer", e->container_size, ", without the spec", e->create_container);
  if (e->xml != NULL)
    {
      add_section (text, "Domain");
      add_block (text, e->xml);
    }
  return g_string_free (text, FALSE);
}
