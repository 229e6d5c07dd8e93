/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-json-lint.h"

#include <math.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json.h"
#include "vp-names.h"

#define MAX_INT_DIGITS 20    /* of G_MAXUINT64 */
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
  Level levels[VP_JSON_MAX_DEPTH];
  guint depth;
  guint n_values;
  guint n_numbers;
  GArray *ret_unsigned;
  GError **error;
} Lint;

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

static gboolean G_GNUC_PRINTF (2, 3) fail (Lint *lint, const char *format, ...)
{
  g_autoptr (GString) path = g_string_new (NULL);
  g_autofree char *message = NULL;
  const char *line_start = lint->start;
  guint line = 1;
  va_list args;

  for (guint i = 0; i < lint->depth; i++)
    {
      Level *level = &lint->levels[i];

      if (!level->is_object || level->name != NULL)
        vp_json_path_append (path, level->is_object ? level->name : NULL, level->index);
    }
  for (const char *c = lint->start; c < lint->p; c++)
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
  g_set_error (lint->error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s: line %u, column %u: %s", lint->file,
               path->len > 0 ? path->str : "(top)", line, (guint)(lint->p - line_start) + 1, message);
  return FALSE;
}

static void
skip_space (Lint *lint)
{
  while (lint->p < lint->end && strchr (" \t\r\n", *lint->p) != NULL && *lint->p != '\0')
    lint->p++;
}

static gboolean
expect (Lint *lint, char c)
{
  skip_space (lint);
  if (lint->p == lint->end)
    return fail (lint, "ends early, '%c' expected", c);
  if (*lint->p != c)
    return fail (lint, "'%c' expected", c);
  lint->p++;
  return TRUE;
}

static gboolean
read_hex4 (Lint *lint, gunichar *ret)
{
  gunichar value = 0;

  if (lint->end - lint->p < 4)
    return fail (lint, "ends within an escape");
  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (lint->p[i]);

      if (digit < 0)
        return fail (lint, "\\u needs four hexadecimal digits");
      value = value * 16 + (gunichar)digit;
    }
  lint->p += 4;
  *ret = value;
  return TRUE;
}

static gboolean
read_unicode_escape (Lint *lint, GString *decoded)
{
  gunichar high, low;

  if (!read_hex4 (lint, &high))
    return FALSE;
  if (high == 0)
    return fail (lint, "\\u0000 is not allowed");
  if (high >= 0xdc00 && high <= 0xdfff)
    return fail (lint, "unpaired surrogate");
  if (high >= 0xd800 && high <= 0xdbff)
    {
      if (lint->end - lint->p < 2 || lint->p[0] != '\\' || lint->p[1] != 'u')
        return fail (lint, "unpaired surrogate");
      lint->p += 2;
      if (!read_hex4 (lint, &low))
        return FALSE;
      if (low < 0xdc00 || low > 0xdfff)
        return fail (lint, "unpaired surrogate");
      high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  g_string_append_unichar (decoded, high);
  return TRUE;
}

/* After the opening quote. Decodes into @decoded: member names are compared by
 * what they mean, not by how they are spelt. */
static gboolean
read_string (Lint *lint, GString *decoded)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

  while (lint->p < lint->end)
    {
      guchar c = (guchar)*lint->p;
      const char *known;

      if (c == '"')
        {
          lint->p++;
          return TRUE;
        }
      if (c < 0x20)
        return fail (lint, "control character in a string");
      lint->p++;
      if (c != '\\')
        {
          g_string_append_c (decoded, (char)c);
          continue;
        }
      if (lint->p == lint->end)
        break;
      c = (guchar)*lint->p++;
      if (c == 'u')
        {
          if (!read_unicode_escape (lint, decoded))
            return FALSE;
        }
      else if (c != '\0' && (known = strchr (from, c)) != NULL)
        g_string_append_c (decoded, to[known - from]);
      else
        return fail (lint, "unknown escape");
    }
  return fail (lint, "ends within a string");
}

static gsize
count_digits (Lint *lint)
{
  const char *start = lint->p;

  while (lint->p < lint->end && g_ascii_isdigit (*lint->p))
    lint->p++;
  return (gsize)(lint->p - start);
}

static gboolean
check_integer (Lint *lint, const char *digits, gsize n_digits, gboolean negative)
{
  char copy[MAX_INT_DIGITS + 1];
  guint64 value;

  if (n_digits > MAX_INT_DIGITS)
    return fail (lint, "integer does not fit 64 bits");
  memcpy (copy, digits, n_digits);
  copy[n_digits] = '\0';
  if (!g_ascii_string_to_unsigned (copy, 10, 0, G_MAXUINT64, &value, NULL)
      || (negative && value > (guint64)G_MAXINT64 + 1))
    return fail (lint, "integer does not fit 64 bits");
  if (!negative && value > G_MAXINT64)
    g_array_append_val (lint->ret_unsigned, lint->n_numbers);
  return TRUE;
}

static gboolean
read_number (Lint *lint)
{
  const char *start = lint->p, *digits;
  gboolean negative = *start == '-', fraction = FALSE;
  gsize n_digits;

  if (negative)
    lint->p++;
  digits = lint->p;
  n_digits = count_digits (lint);
  if (n_digits == 0)
    return fail (lint, "a value expected");
  if (n_digits > 1 && *digits == '0')
    return fail (lint, "number with a leading zero");
  if (lint->p < lint->end && *lint->p == '.')
    {
      lint->p++;
      fraction = TRUE;
      if (count_digits (lint) == 0)
        return fail (lint, "digit expected after '.'");
    }
  if (lint->p < lint->end && (*lint->p == 'e' || *lint->p == 'E'))
    {
      lint->p++;
      fraction = TRUE;
      if (lint->p < lint->end && (*lint->p == '+' || *lint->p == '-'))
        lint->p++;
      if (count_digits (lint) == 0)
        return fail (lint, "digit expected in the exponent");
    }

  if (fraction)
    {
      char copy[MAX_DOUBLE_CHARS + 1] = "";

      if (lint->p - start > MAX_DOUBLE_CHARS)
        return fail (lint, "number is too long");
      memcpy (copy, start, (gsize)(lint->p - start));
      if (!isfinite (g_ascii_strtod (copy, NULL)))
        return fail (lint, "number is too large");
    }
  else if (!check_integer (lint, digits, n_digits, negative))
    return FALSE;
  lint->n_numbers++;
  return TRUE;
}

static gboolean
read_word (Lint *lint, const char *word)
{
  gsize n = strlen (word);

  if ((gsize)(lint->end - lint->p) < n || memcmp (lint->p, word, n) != 0)
    return fail (lint, "a value expected");
  lint->p += n;
  return TRUE;
}

static gboolean read_value (Lint *lint);

static gboolean
push (Lint *lint, gboolean is_object)
{
  if (lint->depth == VP_JSON_MAX_DEPTH)
    return fail (lint, "nested more than %d deep", VP_JSON_MAX_DEPTH);
  lint->levels[lint->depth++] = (Level){ .is_object = is_object };
  return TRUE;
}

static void
pop (Lint *lint)
{
  lint->levels[--lint->depth].name = NULL;
}

static gboolean
read_array (Lint *lint)
{
  if (!push (lint, FALSE))
    return FALSE;
  skip_space (lint);
  if (lint->p < lint->end && *lint->p == ']')
    {
      lint->p++;
      pop (lint);
      return TRUE;
    }
  for (;;)
    {
      if (!read_value (lint))
        return FALSE;
      skip_space (lint);
      if (lint->p == lint->end || *lint->p != ',')
        break;
      lint->p++;
      lint->levels[lint->depth - 1].index++;
    }
  if (lint->p == lint->end || *lint->p != ']')
    return fail (lint, "',' or ']' expected");
  lint->p++;
  pop (lint);
  return TRUE;
}

static gboolean
read_member (Lint *lint, GHashTable *names)
{
  g_autoptr (GString) name = g_string_new (NULL);
  Level *level = &lint->levels[lint->depth - 1];
  char *key;

  level->name = NULL;
  if (!expect (lint, '"') || !read_string (lint, name))
    return FALSE;
  if (g_hash_table_contains (names, name->str))
    {
      level->name = name->str;
      return fail (lint, "member name is there twice");
    }
  /* the set owns the name until the object is closed, the level borrows it */
  key = g_strdup (name->str);
  g_hash_table_add (names, key);
  level->name = key;
  return expect (lint, ':') && read_value (lint);
}

static gboolean
read_object (Lint *lint)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!push (lint, TRUE))
    return FALSE;
  skip_space (lint);
  if (lint->p < lint->end && *lint->p == '}')
    {
      lint->p++;
      pop (lint);
      return TRUE;
    }
  for (;;)
    {
      if (!read_member (lint, names))
        return FALSE;
      skip_space (lint);
      if (lint->p == lint->end || *lint->p != ',')
        break;
      lint->p++;
    }
  if (lint->p == lint->end || *lint->p != '}')
    return fail (lint, "',' or '}' expected");
  lint->p++;
  pop (lint);
  return TRUE;
}

static gboolean
read_value (Lint *lint)
{
  skip_space (lint);
  if (lint->p == lint->end)
    return fail (lint, "ends early, a value expected");
  if (++lint->n_values > VP_JSON_MAX_VALUES)
    return fail (lint, "more than %u values", VP_JSON_MAX_VALUES);

  switch (*lint->p)
    {
    case '{':
      lint->p++;
      return read_object (lint);
    case '[':
      lint->p++;
      return read_array (lint);
    case '"':
      {
        g_autoptr (GString) ignored = g_string_new (NULL);
        lint->p++;
        return read_string (lint, ignored);
      }
    case 't':
      return read_word (lint, "true");
    case 'f':
      return read_word (lint, "false");
    case 'n':
      return read_word (lint, "null");
    default:
      return read_number (lint);
    }
}

gboolean
vp_json_lint (const char *text, gsize len, const char *file, GArray *ret_unsigned, GError **error)
{
  Lint lint = {
    .start = text, .p = text, .end = text + len, .file = file, .ret_unsigned = ret_unsigned, .error = error
  };
  const char *bad;

  if (len > VP_JSON_MAX_BYTES)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: (top): has more than %u bytes", file,
                   VP_JSON_MAX_BYTES);
      return FALSE;
    }
  if (!g_utf8_validate_len (text, len, &bad))
    {
      lint.p = bad;
      return fail (&lint, *bad == '\0' ? "NUL byte" : "invalid UTF-8");
    }
  if (!read_value (&lint))
    return FALSE;
  skip_space (&lint);
  if (lint.p != lint.end)
    return fail (&lint, "text after the document");
  return TRUE;
}
