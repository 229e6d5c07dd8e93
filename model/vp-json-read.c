/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json-private.h"
#include "vp-names.h"

#define SMALL_OBJECT 24
#define MAX_DOUBLE_CHARS 128 /* no sane document has longer numbers */

/* One open object or array; @name is the current member's, decoded. */
typedef struct
{
  gboolean is_object;
  const char *name;
  guint index;
} Level;

typedef struct
{
  const char *start, *p, *end;
  const char *file;
  char *out;     /* where the next string goes */
  GArray *nodes; /* of VpJson: values of what is open, the innermost last */
  Level levels[VP_JSON_MAX_DEPTH];
  guint depth;
  guint n_values;
  GError **error;
} Reader;

void
vp_json_path_append (GString *path, const char *name, guint index)
{
  if (name == NULL)
    {
      g_string_append_printf (path, "[%u]", index);
    }
  else if (name[0] != '\0' && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == strlen (name))
    {
      if (path->len > 0)
        g_string_append_c (path, '.');
      g_string_append (path, name);
    }
  else
    {
      g_autofree char *shown = g_strescape (name, NULL);
      g_string_append_printf (path, "[\"%s\"]", shown);
    }
}

static gboolean G_GNUC_PRINTF (2, 3) fail (Reader *reader, const char *format, ...)
{
  g_autoptr (GString) path = g_string_new (NULL);
  g_autofree char *message = NULL;
  const char *line_start = reader->start;
  guint line = 1;
  va_list args;

  for (guint i = 0; i < reader->depth; i++)
    {
      Level *level = &reader->levels[i];

      if (!level->is_object || level->name != NULL)
        vp_json_path_append (path, level->is_object ? level->name : NULL, level->index);
    }
  for (const char *c = reader->start; c < reader->p; c++)
    {
      if (*c == '\n')
        {
          line++;
          line_start = c + 1;
        }
    }
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (reader->error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s: line %u, column %u: %s",
               reader->file, path->len > 0 ? path->str : "(top)", line, (guint)(reader->p - line_start) + 1,
               message);
  return FALSE;
}

static void
skip_space (Reader *reader)
{
  while (reader->p < reader->end
         && (*reader->p == ' ' || *reader->p == '\n' || *reader->p == '\t' || *reader->p == '\r'))
    reader->p++;
}

static gboolean
expect (Reader *reader, char c)
{
  skip_space (reader);
  if (reader->p == reader->end)
    return fail (reader, "ends early, '%c' expected", c);
  if (*reader->p != c)
    return fail (reader, "'%c' expected", c);
  reader->p++;
  return TRUE;
}

static gboolean
read_hex4 (Reader *reader, gunichar *ret)
{
  gunichar value = 0;

  if (reader->end - reader->p < 4)
    return fail (reader, "ends within an escape");
  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (reader->p[i]);

      if (digit < 0)
        return fail (reader, "\\u needs four hexadecimal digits");
      value = value * 16 + (gunichar)digit;
    }
  reader->p += 4;
  *ret = value;
  return TRUE;
}

static gboolean
read_unicode_escape (Reader *reader)
{
  gunichar high, low;

  if (!read_hex4 (reader, &high))
    return FALSE;
  if (high == 0)
    return fail (reader, "\\u0000 is not allowed");
  if (high >= 0xdc00 && high <= 0xdfff)
    return fail (reader, "unpaired surrogate");
  if (high >= 0xd800 && high <= 0xdbff)
    {
      if (reader->end - reader->p < 2 || reader->p[0] != '\\' || reader->p[1] != 'u')
        return fail (reader, "unpaired surrogate");
      reader->p += 2;
      if (!read_hex4 (reader, &low))
        return FALSE;
      if (low < 0xdc00 || low > 0xdfff)
        return fail (reader, "unpaired surrogate");
      high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  reader->out += g_unichar_to_utf8 (high, reader->out);
  return TRUE;
}

/* Characters up to the next that is not plain. */
static void
copy_plain (Reader *reader)
{
  const char *start = reader->p;
  gsize n;

  while (reader->p < reader->end && *reader->p != '"' && *reader->p != '\\' && (guchar)*reader->p >= 0x20)
    reader->p++;
  n = (gsize)(reader->p - start);
  memcpy (reader->out, start, n);
  reader->out += n;
}

/* After the opening quote. Decodes into the document's strings, where there is
 * room: no string is longer than its spelling with the quotes. */
static gboolean
read_string (Reader *reader, const char **ret)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

  *ret = reader->out;
  for (;;)
    {
      const char *known;
      char c;

      copy_plain (reader);
      if (reader->p == reader->end)
        break;
      c = *reader->p;
      if (c != '"' && c != '\\')
        return fail (reader, "control character in a string");
      reader->p++;
      if (c == '"')
        {
          *reader->out++ = '\0';
          return TRUE;
        }
      if (reader->p == reader->end)
        break;
      c = *reader->p++;
      if (c == 'u')
        {
          if (!read_unicode_escape (reader))
            return FALSE;
        }
      else if (c != '\0' && (known = strchr (from, c)) != NULL)
        *reader->out++ = to[known - from];
      else
        return fail (reader, "unknown escape");
    }
  return fail (reader, "ends within a string");
}

static gsize
count_digits (Reader *reader)
{
  const char *start = reader->p;

  while (reader->p < reader->end && g_ascii_isdigit (*reader->p))
    reader->p++;
  return (gsize)(reader->p - start);
}

static gboolean
read_integer (Reader *reader, VpJson *node, const char *digits, gsize n_digits, gboolean negative)
{
  guint64 value = 0;

  for (gsize i = 0; i < n_digits; i++)
    {
      guint digit = (guint)(digits[i] - '0');

      if (value > (G_MAXUINT64 - digit) / 10)
        return fail (reader, "integer does not fit 64 bits");
      value = value * 10 + digit;
    }
  if (negative && value > (guint64)G_MAXINT64 + 1)
    return fail (reader, "integer does not fit 64 bits");
  node->type = VP_JSON_INT;
  node->is_unsigned = !negative && value > G_MAXINT64;
  node->u.integer = (gint64)(negative ? 0 - value : value);
  return TRUE;
}

static gboolean
read_number (Reader *reader, VpJson *node)
{
  const char *start = reader->p, *digits;
  gboolean negative = *start == '-', fraction = FALSE;
  gsize n_digits;

  if (negative)
    reader->p++;
  digits = reader->p;
  n_digits = count_digits (reader);
  if (n_digits == 0)
    return fail (reader, "a value expected");
  if (n_digits > 1 && *digits == '0')
    return fail (reader, "number with a leading zero");
  if (reader->p < reader->end && *reader->p == '.')
    {
      reader->p++;
      fraction = TRUE;
      if (count_digits (reader) == 0)
        return fail (reader, "digit expected after '.'");
    }
  if (reader->p < reader->end && (*reader->p == 'e' || *reader->p == 'E'))
    {
      reader->p++;
      fraction = TRUE;
      if (reader->p < reader->end && (*reader->p == '+' || *reader->p == '-'))
        reader->p++;
      if (count_digits (reader) == 0)
        return fail (reader, "digit expected in the exponent");
    }

  if (fraction)
    {
      char copy[MAX_DOUBLE_CHARS + 1] = "";

      if (reader->p - start > MAX_DOUBLE_CHARS)
        return fail (reader, "number is too long");
      memcpy (copy, start, (gsize)(reader->p - start));
      node->type = VP_JSON_DOUBLE;
      node->u.real = g_ascii_strtod (copy, NULL);
      return isfinite (node->u.real) || fail (reader, "number is too large");
    }
  return read_integer (reader, node, digits, n_digits, negative);
}

static gboolean
read_word (Reader *reader, const char *word)
{
  gsize n = strlen (word);

  if ((gsize)(reader->end - reader->p) < n || memcmp (reader->p, word, n) != 0)
    return fail (reader, "a value expected");
  reader->p += n;
  return TRUE;
}

static gboolean read_value (Reader *reader, const char *name);

static gboolean
push (Reader *reader, gboolean is_object)
{
  if (reader->depth == VP_JSON_MAX_DEPTH)
    return fail (reader, "nested more than %d deep", VP_JSON_MAX_DEPTH);
  reader->levels[reader->depth++] = (Level){ .is_object = is_object };
  return TRUE;
}

/* The values from the @first on become the items of @node. */
static void
pop (Reader *reader, VpJson *node, guint first)
{
  node->n_items = reader->nodes->len - first;
  if (node->n_items > 0)
    node->items = g_memdup2 (&g_array_index (reader->nodes, VpJson, first), node->n_items * sizeof (VpJson));
  g_array_set_size (reader->nodes, first);
  reader->levels[--reader->depth].name = NULL;
}

/* Whether the next character is @c, which is then behind us. */
static gboolean
take (Reader *reader, char c)
{
  skip_space (reader);
  if (reader->p == reader->end || *reader->p != c)
    return FALSE;
  reader->p++;
  return TRUE;
}

static gboolean
read_array (Reader *reader, VpJson *node)
{
  guint first = reader->nodes->len;

  node->type = VP_JSON_ARRAY;
  if (!push (reader, FALSE))
    return FALSE;
  if (!take (reader, ']'))
    {
      do
        {
          reader->levels[reader->depth - 1].index = reader->nodes->len - first;
          if (!read_value (reader, NULL))
            return FALSE;
        }
      while (take (reader, ','));
      if (!take (reader, ']'))
        return fail (reader, "',' or ']' expected");
    }
  pop (reader, node, first);
  return TRUE;
}

/* Is @name that of a value from the @first on? Objects are small; in one that is
 * not, *@names remembers them. */
static gboolean
is_taken (Reader *reader, guint first, const char *name, GHashTable **names)
{
  guint n = reader->nodes->len - first;

  if (n < SMALL_OBJECT)
    {
      for (guint i = first; i < reader->nodes->len; i++)
        {
          if (strcmp (g_array_index (reader->nodes, VpJson, i).name, name) == 0)
            return TRUE;
        }
      return FALSE;
    }
  if (*names == NULL)
    {
      *names = g_hash_table_new (g_str_hash, g_str_equal);
      for (guint i = first; i < reader->nodes->len; i++)
        g_hash_table_add (*names, (gpointer)g_array_index (reader->nodes, VpJson, i).name);
    }
  return !g_hash_table_add (*names, (gpointer)name);
}

static gboolean
read_member (Reader *reader, guint first, GHashTable **names)
{
  Level *level = &reader->levels[reader->depth - 1];
  const char *name;

  level->name = NULL;
  if (!expect (reader, '"') || !read_string (reader, &name))
    return FALSE;
  level->name = name;
  if (is_taken (reader, first, name, names))
    return fail (reader, "member name is there twice");
  return expect (reader, ':') && read_value (reader, name);
}

static gboolean
read_object (Reader *reader, VpJson *node)
{
  g_autoptr (GHashTable) names = NULL;
  guint first = reader->nodes->len;

  node->type = VP_JSON_OBJECT;
  if (!push (reader, TRUE))
    return FALSE;
  if (!take (reader, '}'))
    {
      do
        {
          if (!read_member (reader, first, &names))
            return FALSE;
        }
      while (take (reader, ','));
      if (!take (reader, '}'))
        return fail (reader, "',' or '}' expected");
    }
  pop (reader, node, first);
  return TRUE;
}

static gboolean
read_content (Reader *reader, VpJson *node)
{
  switch (*reader->p)
    {
    case '{':
      reader->p++;
      return read_object (reader, node);
    case '[':
      reader->p++;
      return read_array (reader, node);
    case '"':
      reader->p++;
      node->type = VP_JSON_STRING;
      return read_string (reader, &node->u.string);
    case 't':
    case 'f':
      node->type = VP_JSON_BOOL;
      node->u.boolean = *reader->p == 't';
      return read_word (reader, node->u.boolean ? "true" : "false");
    case 'n':
      return read_word (reader, "null");
    default:
      return read_number (reader, node);
    }
}

/* The value and its @name become the last of the reader's nodes. */
static gboolean
read_value (Reader *reader, const char *name)
{
  VpJson node = { .name = name, .type = VP_JSON_NULL };

  skip_space (reader);
  if (reader->p == reader->end)
    return fail (reader, "ends early, a value expected");
  if (++reader->n_values > VP_JSON_MAX_VALUES)
    return fail (reader, "more than %u values", VP_JSON_MAX_VALUES);
  if (!read_content (reader, &node))
    return FALSE;
  g_array_append_val (reader->nodes, node);
  return TRUE;
}

static gboolean
read_document (Reader *reader)
{
  if (!read_value (reader, NULL))
    return FALSE;
  skip_space (reader);
  return reader->p == reader->end || fail (reader, "text after the document");
}

/* Most documents are nothing else, which is seen eight bytes at a time. */
static gboolean
is_ascii (const char *text, gsize len)
{
  guint64 word, all = 0;
  gsize i;

  for (i = 0; i + sizeof word <= len; i += sizeof word)
    {
      memcpy (&word, text + i, sizeof word);
      all |= word;
    }
  for (; i < len; i++)
    all |= (guchar)text[i];
  return (all & G_GUINT64_CONSTANT (0x8080808080808080)) == 0 && memchr (text, '\0', len) == NULL;
}

gboolean
vp_json_read (VpJsonDocument *document, const char *text, gsize len, GError **error)
{
  Reader reader = { .start = text, .p = text, .end = text + len, .file = document->file, .error = error };
  gboolean fine;
  const char *bad;

  if (len > VP_JSON_MAX_BYTES)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: (top): has more than %u bytes",
                   document->file, VP_JSON_MAX_BYTES);
      return FALSE;
    }
  if (!is_ascii (text, len) && !g_utf8_validate_len (text, len, &bad))
    {
      reader.p = bad;
      return fail (&reader, *bad == '\0' ? "NUL byte" : "invalid UTF-8");
    }
  document->strings = reader.out = g_malloc (len + 1);
  reader.nodes = g_array_sized_new (FALSE, FALSE, sizeof (VpJson), 256);
  fine = read_document (&reader);
  if (fine)
    {
      g_array_index (reader.nodes, VpJson, 0).document = document;
      document->top = g_array_index (reader.nodes, VpJson, 0);
    }
  else
    {
      for (guint i = 0; i < reader.nodes->len; i++)
        vp_json_clear_items (&g_array_index (reader.nodes, VpJson, i));
    }
  g_array_unref (reader.nodes);
  return fine;
}
