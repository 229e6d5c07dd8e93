/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-toml.h"

#include <string.h>

#include "vp-error.h"

#define TEXT_MAX (1u << 20)
#define ITEMS_MAX 4096
#define PATH_MAX_LENGTH 512

typedef struct
{
  const char *name;
  const char *at; /* the text ends with NUL and has no other */
  guint line;
  char *table;      /* "" before the first */
  GHashTable *seen; /* paths */
  VpTomlFunc func;
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
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s:%u: %s", parser->name, parser->line, message);
  return FALSE;
}

static gboolean
fail_key (const Parser *parser, const char *key, const char *what, GError **error)
{
  g_autofree char *shown = vp_error_shown (key);

  return fail (parser, error, "%s: %s", shown, what);
}

/* ---- between things --------------------------------------------------------- */

static void
skip_blanks (Parser *parser)
{
  while (*parser->at == ' ' || *parser->at == '\t')
    parser->at++;
}

static void
skip_comment (Parser *parser)
{
  if (*parser->at == '#')
    parser->at += strcspn (parser->at, "\n");
}

/* Blanks, comments and line ends, as between items of an array. */
static void
skip_space (Parser *parser)
{
  for (;;)
    {
      skip_blanks (parser);
      skip_comment (parser);
      if (*parser->at == '\r' && parser->at[1] == '\n')
        parser->at++;
      if (*parser->at != '\n')
        return;
      parser->line++;
      parser->at++;
    }
}

/* What is behind a value or a table: nothing, or a comment. */
static gboolean
end_line (Parser *parser, GError **error)
{
  skip_blanks (parser);
  skip_comment (parser);
  if (*parser->at == '\r' && parser->at[1] == '\n')
    parser->at++;
  if (*parser->at != '\n' && *parser->at != '\0')
    return fail (parser, error, "there is more than a value in the line");
  return TRUE;
}

/* ---- strings ---------------------------------------------------------------- */

static gboolean
append_code_point (Parser *parser, GString *out, guint digits, GError **error)
{
  gunichar code = 0;

  for (guint i = 0; i < digits; i++, parser->at++)
    {
      if (!g_ascii_isxdigit (*parser->at))
        return fail (parser, error, "\\u needs 4 and \\U 8 hexadecimal digits");
      code = code << 4 | (gunichar)g_ascii_xdigit_value (*parser->at);
    }
  if (code == 0 || !g_unichar_validate (code))
    return fail (parser, error, "\\u%04x is not a character", code);
  g_string_append_unichar (out, code);
  return TRUE;
}

/* Behind a backslash. */
static gboolean
append_escape (Parser *parser, GString *out, GError **error)
{
  static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
  char c = *parser->at;
  const char *found = c != '\0' ? strchr (names, c) : NULL;

  if (c == 'u' || c == 'U')
    {
      parser->at++;
      return append_code_point (parser, out, c == 'u' ? 4 : 8, error);
    }
  if (found == NULL)
    return fail (parser, error, "a backslash has no meaning before this character");
  parser->at++;
  g_string_append_c (out, values[found - names]);
  return TRUE;
}

/* At the opening quote. */
static gboolean
parse_string (Parser *parser, GString *out, GError **error)
{
  char quote = *parser->at;

  if (parser->at[1] == quote && parser->at[2] == quote)
    return fail (parser, error, "strings over several lines are not supported");
  for (parser->at++; *parser->at != quote;)
    {
      if (*parser->at == '\0' || *parser->at == '\n')
        return fail (parser, error, "a string does not end in its line");
      if (*parser->at == '\\' && quote == '"')
        {
          parser->at++;
          if (!append_escape (parser, out, error))
            return FALSE;
        }
      else
        g_string_append_c (out, *parser->at++);
    }
  parser->at++;
  return TRUE;
}

/* ---- keys ------------------------------------------------------------------- */

static gboolean
is_bare (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '-';
}

/* Appends a dotted key to @out, with a "." before it unless that is empty. */
static gboolean
parse_key (Parser *parser, GString *out, GError **error)
{
  do
    {
      const char *start = parser->at;

      if (*parser->at == '.')
        parser->at++;
      skip_blanks (parser);
      if (out->len > 0)
        g_string_append_c (out, '.');
      start = parser->at;
      if (*parser->at == '"' || *parser->at == '\'')
        {
          if (!parse_string (parser, out, error))
            return FALSE;
        }
      else
        {
          while (is_bare (*parser->at))
            g_string_append_c (out, *parser->at++);
        }
      if (parser->at == start)
        return fail (parser, error, "must be [TABLE], KEY = VALUE or a comment after #");
      if (out->len > PATH_MAX_LENGTH)
        return fail (parser, error, "a key has more than %d characters", PATH_MAX_LENGTH);
      skip_blanks (parser);
    }
  while (*parser->at == '.');
  return TRUE;
}

static gboolean
parse_table (Parser *parser, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);

  if (parser->at[1] == '[')
    return fail (parser, error, "arrays of tables are not supported");
  parser->at++;
  skip_blanks (parser);
  if (!parse_key (parser, path, error))
    return FALSE;
  if (*parser->at != ']')
    return fail (parser, error, "a table must look like [NAME]");
  parser->at++;
  g_free (parser->table);
  parser->table = g_strdup (path->str);
  return end_line (parser, error);
}

/* ---- values ----------------------------------------------------------------- */

/* A word that is not quoted, "_" between digits left out. */
static gboolean
scan_number (const char *word, VpTomlType *ret_type, char **ret_text)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  gint64 integer;
  guint64 hexadecimal;
  char *end;

  for (const char *c = word; *c != '\0'; c++)
    {
      if (*c != '_')
        g_string_append_c (digits, *c);
      else if (c == word || !g_ascii_isxdigit (c[-1]) || !g_ascii_isxdigit (c[1]))
        return FALSE;
    }
  *ret_type = VP_TOML_INTEGER;
  if (g_str_has_prefix (digits->str, "0x"))
    {
      if (!g_ascii_string_to_unsigned (digits->str + 2, 16, 0, G_MAXINT64, &hexadecimal, NULL))
        return FALSE;
      *ret_text = g_strdup_printf ("%" G_GUINT64_FORMAT, hexadecimal);
      return TRUE;
    }
  if (digits->str[0] == '+')
    g_string_erase (digits, 0, 1);
  if (g_ascii_string_to_signed (digits->str, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    {
      *ret_text = g_strdup_printf ("%" G_GINT64_FORMAT, integer);
      return TRUE;
    }
  *ret_type = VP_TOML_FLOAT;
  if (digits->len == 0 || digits->len > 40 || strspn (digits->str, "0123456789+-.eE") != digits->len
      || strpbrk (digits->str, ".eE") == NULL)
    return FALSE;
  *ret_text = g_malloc (G_ASCII_DTOSTR_BUF_SIZE);
  g_ascii_formatd (*ret_text, G_ASCII_DTOSTR_BUF_SIZE, "%.15g", g_ascii_strtod (digits->str, &end));
  return *end == '\0';
}

static gboolean
parse_word (Parser *parser, VpTomlType *ret_type, char **ret_text, GError **error)
{
  gsize length = strcspn (parser->at, " \t\r\n,]#");
  g_autofree char *word = g_strndup (parser->at, length);
  g_autofree char *text = NULL;

  if (word[0] == '{')
    return fail (parser, error, "inline tables are not supported");
  if (word[0] == '\0')
    return fail (parser, error, "a value is missing");
  if (g_str_equal (word, "true") || g_str_equal (word, "false"))
    {
      *ret_type = VP_TOML_BOOLEAN;
      text = g_steal_pointer (&word);
    }
  else if (!scan_number (word, ret_type, &text))
    {
      g_autofree char *shown = vp_error_shown (word);
      return fail (parser, error, "\"%s\" is not a string, number, boolean or array", shown);
    }
  parser->at += length;
  *ret_text = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
parse_scalar (Parser *parser, VpTomlType *ret_type, char **ret_text, GError **error)
{
  g_autoptr (GString) string = NULL;

  if (*parser->at == '[')
    return fail (parser, error, "arrays of arrays are not supported");
  if (*parser->at != '"' && *parser->at != '\'')
    return parse_word (parser, ret_type, ret_text, error);
  string = g_string_new (NULL);
  if (!parse_string (parser, string, error))
    return FALSE;
  *ret_type = VP_TOML_STRING;
  *ret_text = g_string_free (g_steal_pointer (&string), FALSE);
  return TRUE;
}

/* At the opening bracket. */
static gboolean
parse_array (Parser *parser, GPtrArray *items, GError **error)
{
  VpTomlType type;

  parser->at++;
  for (;;)
    {
      char *text = NULL;

      skip_space (parser);
      if (*parser->at == ']')
        break;
      if (*parser->at == '\0')
        return fail (parser, error, "an array does not end");
      if (items->len >= ITEMS_MAX)
        return fail (parser, error, "an array has more than %d items", ITEMS_MAX);
      if (!parse_scalar (parser, &type, &text, error))
        return FALSE;
      g_ptr_array_add (items, text);
      skip_space (parser);
      if (*parser->at == ',')
        parser->at++;
      else if (*parser->at != ']')
        return fail (parser, error, "items of an array must be separated by commas");
    }
  parser->at++;
  return TRUE;
}

static gboolean
parse_pair (Parser *parser, GError **error)
{
  g_autoptr (GString) path = g_string_new (parser->table);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL;
  VpTomlValue value = { VP_TOML_ARRAY, "", NULL };
  guint line = parser->line;

  if (!parse_key (parser, path, error))
    return FALSE;
  if (*parser->at != '=')
    return fail_key (parser, path->str, "\"=\" is missing", error);
  parser->at++;
  skip_blanks (parser);
  if (!g_hash_table_add (parser->seen, g_strdup (path->str)))
    return fail_key (parser, path->str, "is set twice", error);
  if (*parser->at == '[')
    {
      if (!parse_array (parser, items, error))
        return FALSE;
      g_ptr_array_add (items, NULL);
      value.items = (const char *const *)items->pdata;
    }
  else
    {
      if (!parse_scalar (parser, &value.type, &text, error))
        return FALSE;
      value.text = text;
    }
  return end_line (parser, error) && parser->func (path->str, &value, line, parser->user_data, error);
}

gboolean
vp_toml_parse (const char *text, gsize length, const char *name, VpTomlFunc func, gpointer user_data,
               GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *copy = NULL;
  Parser parser = { .name = name, .line = 1, .seen = seen, .func = func, .user_data = user_data };
  gboolean right = TRUE;

  if (length > TEXT_MAX)
    return fail (&parser, error, "the text has more than %u bytes", TEXT_MAX);
  if (!g_utf8_validate_len (text, length, NULL)) /* NUL bytes too */
    return fail (&parser, error, "the text is not UTF-8");
  copy = g_strndup (text, length);
  parser.at = copy;
  parser.table = g_strdup ("");
  for (skip_space (&parser); right && *parser.at != '\0'; skip_space (&parser))
    right = *parser.at == '[' ? parse_table (&parser, error) : parse_pair (&parser, error);
  g_free (parser.table);
  return right;
}
