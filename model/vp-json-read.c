/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json-private.h"
#include "vp-names.h"

/* The reader of documents from outside. It is ours because those of libraries
 * overflow the stack on deep input, wrap large integers, cut strings at \u0000
 * or keep the last of two members with one name: each document had to be read by
 * something strict first, and that knows all that is needed for the tree.
 *
 * Values of containers that are still open are on one stack; a container that
 * is closed takes its own off the top, in one block. */

#define MAX_INT_DIGITS 20    /* of G_MAXUINT64 */
#define MAX_DOUBLE_CHARS 128 /* no sane document has longer numbers */
#define FEW_MEMBERS 16       /* so many names are compared one by one */

/* One open object or array; @name is the current member's. */
typedef struct
{
  gboolean is_object;
  const char *name;
  guint index;
  guint first;       /* of its items on the stack */
  GHashTable *names; /* of an object with more than a few members; the keys are borrowed */
} Level;

typedef struct
{
  VpJsonDocument *document;
  const char *start, *p, *end;
  char *strings; /* where the next one goes: never more bytes than were read, quotes make room for the NUL */
  Level levels[VP_JSON_MAX_DEPTH];
  guint depth;
  guint n_values;
  GArray *stack; /* of VpJson */
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
               reader->document->file, path->len > 0 ? path->str : "(top)", line,
               (guint)(reader->p - line_start) + 1, message);
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

/* ---- strings ---------------------------------------------------------------- */

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
  reader->strings += g_unichar_to_utf8 (high, reader->strings);
  return TRUE;
}

static gboolean
read_escape (Reader *reader)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *known;
  char c;

  if (reader->p == reader->end)
    return fail (reader, "ends within a string");
  c = *reader->p++;
  if (c == 'u')
    return read_unicode_escape (reader);
  if (c == '\0' || (known = strchr (from, c)) == NULL)
    return fail (reader, "unknown escape");
  *reader->strings++ = to[known - from];
  return TRUE;
}

/* After the opening quote. Names are compared by what they mean, not by how they are spelt. */
static gboolean
read_string (Reader *reader, const char **ret)
{
  char *string = reader->strings;

  for (;;)
    {
      const char *plain = reader->p;

      while (reader->p < reader->end && *reader->p != '"' && *reader->p != '\\' && (guchar)*reader->p >= 0x20)
        reader->p++;
      memcpy (reader->strings, plain, (gsize)(reader->p - plain));
      reader->strings += reader->p - plain;
      if (reader->p == reader->end)
        return fail (reader, "ends within a string");
      if (*reader->p == '"')
        break;
      if (*reader->p != '\\')
        return fail (reader, "control character in a string");
      reader->p++;
      if (!read_escape (reader))
        return FALSE;
    }
  reader->p++;
  *reader->strings++ = '\0';
  *ret = string;
  return TRUE;
}

/* ---- numbers ---------------------------------------------------------------- */

static gsize
count_digits (Reader *reader)
{
  const char *start = reader->p;

  while (reader->p < reader->end && g_ascii_isdigit (*reader->p))
    reader->p++;
  return (gsize)(reader->p - start);
}

static gboolean
read_integer (Reader *reader, const char *digits, gsize n_digits, gboolean negative, VpJson *value)
{
  guint64 number = 0;
  gboolean fits = n_digits <= MAX_INT_DIGITS;

  for (gsize i = 0; fits && i < n_digits; i++)
    fits = g_uint64_checked_mul (&number, number, 10)
           && g_uint64_checked_add (&number, number, (guint64)(digits[i] - '0'));
  if (!fits || (negative && number > (guint64)G_MAXINT64 + 1))
    return fail (reader, "integer does not fit 64 bits");
  value->type = VP_JSON_INT;
  value->is_unsigned = !negative && number > G_MAXINT64;
  value->u.integer = (gint64)(negative ? -number : number);
  return TRUE;
}

static gboolean
read_double (Reader *reader, const char *start, VpJson *value)
{
  char copy[MAX_DOUBLE_CHARS + 1] = "";

  if (reader->p - start > MAX_DOUBLE_CHARS)
    return fail (reader, "number is too long");
  memcpy (copy, start, (gsize)(reader->p - start));
  value->type = VP_JSON_DOUBLE;
  value->u.real = g_ascii_strtod (copy, NULL);
  return isfinite (value->u.real) || fail (reader, "number is too large");
}

static gboolean
read_number (Reader *reader, VpJson *value)
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
  return fraction ? read_double (reader, start, value)
                  : read_integer (reader, digits, n_digits, negative, value);
}

/* ---- containers ------------------------------------------------------------- */

static gboolean read_value (Reader *reader, const char *name, guint index);

static gboolean
push (Reader *reader, gboolean is_object)
{
  if (reader->depth == VP_JSON_MAX_DEPTH)
    return fail (reader, "nested more than %d deep", VP_JSON_MAX_DEPTH);
  reader->levels[reader->depth++] = (Level){ .is_object = is_object, .first = reader->stack->len };
  return TRUE;
}

/* The container is the value below its items on the stack. */
static void
pop (Reader *reader)
{
  Level *level = &reader->levels[--reader->depth];
  guint n = reader->stack->len - level->first;
  VpJson *self = &g_array_index (reader->stack, VpJson, level->first - 1);

  g_clear_pointer (&level->names, g_hash_table_unref);
  if (n == 0)
    return;
  self->n_items = n;
  self->items = g_memdup2 (&g_array_index (reader->stack, VpJson, level->first), n * sizeof (VpJson));
  g_array_set_size (reader->stack, level->first);
  /* these have their place now, so what is below them can know it */
  for (guint i = 0; i < n; i++)
    {
      for (guint j = 0; j < self->items[i].n_items; j++)
        self->items[i].items[j].parent = &self->items[i];
    }
}

static gboolean
read_array (Reader *reader)
{
  guint index = 0;

  if (!push (reader, FALSE))
    return FALSE;
  skip_space (reader);
  if (reader->p < reader->end && *reader->p == ']')
    {
      reader->p++;
      pop (reader);
      return TRUE;
    }
  for (;;)
    {
      if (!read_value (reader, NULL, index))
        return FALSE;
      skip_space (reader);
      if (reader->p == reader->end || *reader->p != ',')
        break;
      reader->p++;
      reader->levels[reader->depth - 1].index = ++index;
    }
  if (reader->p == reader->end || *reader->p != ']')
    return fail (reader, "',' or ']' expected");
  reader->p++;
  pop (reader);
  return TRUE;
}

/* Whether the object has a member @name already; remembers it if not. */
static gboolean
is_known (Reader *reader, Level *level, const char *name)
{
  const VpJson *items = &g_array_index (reader->stack, VpJson, level->first);
  guint n = reader->stack->len - level->first;

  if (level->names != NULL)
    return !g_hash_table_add (level->names, (char *)name);
  for (guint i = 0; i < n; i++)
    {
      if (strcmp (items[i].name, name) == 0)
        return TRUE;
    }
  if (n == FEW_MEMBERS)
    {
      level->names = g_hash_table_new (g_str_hash, g_str_equal);
      for (guint i = 0; i < n; i++)
        g_hash_table_add (level->names, (char *)items[i].name);
      g_hash_table_add (level->names, (char *)name);
    }
  return FALSE;
}

static gboolean
read_member (Reader *reader, guint index)
{
  Level *level = &reader->levels[reader->depth - 1];
  const char *name;
  gboolean twice;

  level->name = NULL;
  if (!expect (reader, '"') || !read_string (reader, &name))
    return FALSE;
  twice = is_known (reader, level, name);
  level->name = name;
  if (twice)
    return fail (reader, "member name is there twice");
  return expect (reader, ':') && read_value (reader, name, index);
}

static gboolean
read_object (Reader *reader)
{
  guint index = 0;

  if (!push (reader, TRUE))
    return FALSE;
  skip_space (reader);
  if (reader->p < reader->end && *reader->p == '}')
    {
      reader->p++;
      pop (reader);
      return TRUE;
    }
  for (;;)
    {
      if (!read_member (reader, index++))
        return FALSE;
      skip_space (reader);
      if (reader->p == reader->end || *reader->p != ',')
        break;
      reader->p++;
    }
  if (reader->p == reader->end || *reader->p != '}')
    return fail (reader, "',' or '}' expected");
  reader->p++;
  pop (reader);
  return TRUE;
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

static gboolean
read_scalar (Reader *reader, VpJson *value)
{
  switch (*reader->p)
    {
    case '"':
      reader->p++;
      value->type = VP_JSON_STRING;
      return read_string (reader, &value->u.string);
    case 't':
      value->type = VP_JSON_BOOL;
      value->u.boolean = TRUE;
      return read_word (reader, "true");
    case 'f':
      value->type = VP_JSON_BOOL;
      return read_word (reader, "false");
    case 'n':
      value->type = VP_JSON_NULL;
      return read_word (reader, "null");
    default:
      return read_number (reader, value);
    }
}

static gboolean
read_value (Reader *reader, const char *name, guint index)
{
  VpJson value = { .document = reader->document, .name = name, .index = index };

  skip_space (reader);
  if (reader->p == reader->end)
    return fail (reader, "ends early, a value expected");
  if (++reader->n_values > VP_JSON_MAX_VALUES)
    return fail (reader, "more than %u values", VP_JSON_MAX_VALUES);
  if (*reader->p != '{' && *reader->p != '[')
    {
      gboolean ok = read_scalar (reader, &value);

      g_array_append_val (reader->stack, value);
      return ok;
    }
  value.type = *reader->p++ == '{' ? VP_JSON_OBJECT : VP_JSON_ARRAY;
  g_array_append_val (reader->stack, value);
  return value.type == VP_JSON_OBJECT ? read_object (reader) : read_array (reader);
}

void
vp_json_clear_items (VpJson *node)
{
  for (guint i = 0; i < node->n_items; i++)
    vp_json_clear_items (&node->items[i]);
  g_free (node->items);
}

static gboolean
read_document (Reader *reader)
{
  const char *bad;

  if (!g_utf8_validate_len (reader->start, (gsize)(reader->end - reader->start), &bad))
    {
      reader->p = bad;
      return fail (reader, *bad == '\0' ? "NUL byte" : "invalid UTF-8");
    }
  if (!read_value (reader, NULL, 0))
    return FALSE;
  skip_space (reader);
  return reader->p == reader->end || fail (reader, "text after the document");
}

/* After an error containers are still open: what was read of them is on the stack. */
static void
drop (Reader *reader)
{
  for (guint i = 0; i < reader->stack->len; i++)
    vp_json_clear_items (&g_array_index (reader->stack, VpJson, i));
  while (reader->depth > 0)
    g_clear_pointer (&reader->levels[--reader->depth].names, g_hash_table_unref);
}

gboolean
vp_json_read (VpJsonDocument *document, const char *text, gsize len, GError **error)
{
  g_autoptr (GArray) stack = g_array_sized_new (FALSE, FALSE, sizeof (VpJson), 64);
  Reader reader
      = { .document = document, .start = text, .p = text, .end = text + len, .stack = stack, .error = error };

  if (len > VP_JSON_MAX_BYTES)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: (top): has more than %u bytes",
                   document->file, VP_JSON_MAX_BYTES);
      return FALSE;
    }
  document->strings = reader.strings = g_malloc (len + 1);
  if (!read_document (&reader))
    {
      drop (&reader);
      return FALSE;
    }
  document->top = g_memdup2 (stack->data, sizeof (VpJson));
  for (guint i = 0; i < document->top->n_items; i++)
    document->top->items[i].parent = document->top;
  return TRUE;
}
