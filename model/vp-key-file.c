/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-key-file.h"

#include <string.h>

#include "vp-error.h"

typedef struct
{
  const char *name;
  guint line;
  char *group;      /* NULL before the first */
  GHashTable *seen; /* "group\nkey" -> line */
  VpKeyFileFunc func;
  gpointer user_data;
} Parser;

static gboolean fail (const Parser *parser, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fail (const Parser *parser, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s:%u: %s", parser->name, parser->line, message);
  return FALSE;
}

/* @line begins with "[" and is stripped. */
static gboolean
parse_group (Parser *parser, char *line, GError **error)
{
  gsize length = strlen (line);

  if (length < 3 || line[length - 1] != ']')
    return fail (parser, error, "a group must look like [NAME]");
  line[length - 1] = '\0';
  if (strpbrk (line + 1, "[]") != NULL)
    return fail (parser, error, "a group's name must not have brackets");
  g_free (parser->group);
  parser->group = g_strdup (line + 1);
  return parser->func (parser->group, NULL, NULL, parser->line, parser->user_data, error);
}

static gboolean
parse_pair (Parser *parser, char *line, GError **error)
{
  char *equals = strchr (line, '=');
  g_autofree char *id = NULL;
  g_autofree char *shown = NULL;
  gpointer before;

  if (equals == NULL || equals == line)
    return fail (parser, error, "must be [GROUP], KEY=VALUE or a comment after #");
  *equals = '\0';
  g_strchomp (line);
  shown = vp_error_shown (line);
  if (parser->group == NULL)
    return fail (parser, error, "%s: is before the first [GROUP]", shown);

  id = g_strconcat (parser->group, "\n", line, NULL);
  before = g_hash_table_lookup (parser->seen, id);
  if (before != NULL)
    return fail (parser, error, "%s.%s: is set in line %u already", parser->group, shown,
                 GPOINTER_TO_UINT (before));
  g_hash_table_insert (parser->seen, g_steal_pointer (&id), GUINT_TO_POINTER (parser->line));
  return parser->func (parser->group, line, g_strchug (equals + 1), parser->line, parser->user_data, error);
}

static gboolean
parse_line (Parser *parser, char *line, GError **error)
{
  g_strstrip (line);
  if (line[0] == '\0' || line[0] == '#')
    return TRUE;
  if (!g_utf8_validate (line, -1, NULL))
    return fail (parser, error, "is not UTF-8");
  for (const char *c = line; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c) && *c != '\t')
        return fail (parser, error, "has a control character (byte 0x%02x)", (guint)(guchar)*c);
    }
  return line[0] == '[' ? parse_group (parser, line, error) : parse_pair (parser, line, error);
}

gboolean
vp_key_file_parse (const char *text, gsize length, const char *name, VpKeyFileFunc func, gpointer user_data,
                   GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Parser parser = { .name = name, .seen = seen, .func = func, .user_data = user_data };
  const char *end = text + length;
  gboolean right = TRUE;

  if (memchr (text, '\0', length) != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: has a NUL byte", name);
      return FALSE;
    }
  while (right && text < end)
    {
      const char *newline = memchr (text, '\n', (gsize)(end - text));
      g_autofree char *line = g_strndup (text, (gsize)((newline != NULL ? newline : end) - text));

      parser.line++;
      right = parse_line (&parser, line, error);
      text = newline != NULL ? newline + 1 : end;
    }
  g_free (parser.group);
  return right;
}
