/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One value: text to what the key's type says it is. */
#include "vp-config-private.h"

#include <math.h>
#include <string.h>

#include "vp-error.h"

#define TEXT_MAX 65536
#define NUMBER_MAX 24 /* characters */
#define EXACT_MAX 9007199254740992.0 /* 2^53: what a double counts to */

#define fail(error, ...) vp_error_set (error, VP_ERROR_CONFIG_ERROR, __VA_ARGS__)

/* @what is wrong with @text, which may be as long as it likes. */
static gboolean
fail_text (GError **error, const char *text, const char *what)
{
  g_autofree char *shown = vp_error_shown (text);

  return fail (error, "\"%s\" %s", shown, what);
}

VpConfigValue *
vp_config_value_ref (VpConfigValue *value)
{
  g_atomic_ref_count_inc (&value->ref_count);
  return value;
}

void
vp_config_value_unref (VpConfigValue *value)
{
  if (value == NULL || !g_atomic_ref_count_dec (&value->ref_count))
    return;
  g_free (value->text);
  g_free (value->source);
  g_strfreev (value->list);
  g_free (value);
}

/* ---- what to call a type ---------------------------------------------------- */

static char *
dup_words (const VpConfigRow *row, const char *glue)
{
  g_auto (GStrv) words = g_strsplit (row->words, "|", -1);

  return g_strjoinv (glue, words);
}

/* 1073741824 as "1Gi" */
static char *
dup_size (double bytes)
{
  static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
  guint64 number = (guint64)bytes;
  guint unit = 0;

  for (; number > 0 && number % 1024 == 0 && unit + 1 < G_N_ELEMENTS (units); unit++)
    number /= 1024;
  return g_strdup_printf ("%" G_GUINT64_FORMAT "%s", number, units[unit]);
}

/* "a number from 1 to 10" */
static char *
dup_range (const VpConfigRow *row)
{
  const char *zero = (row->flags & VP_CONFIG_OR_ZERO) != 0 ? "0 or " : "";
  const char *what = (row->flags & VP_CONFIG_POWER_OF_TWO) != 0 ? "a power of two" : "a number";
  g_autofree char *min = NULL, *max = NULL;

  switch (row->type)
    {
    case VP_CONFIG_TYPE_SIZE:
      min = dup_size (row->min);
      max = dup_size (row->max);
      return g_strdup_printf ("%s%s of bytes from %s to %s", zero, what, min, max);
    case VP_CONFIG_TYPE_DURATION:
      return g_strdup_printf ("%sa time from %.0f to %.0f ms", zero, row->min, row->max);
    case VP_CONFIG_TYPE_DOUBLE:
      return g_strdup_printf ("%sa number from %.15g to %.15g", zero, row->min, row->max);
    default:
      return g_strdup_printf ("%s%s from %.0f to %.0f", zero, what, row->min, row->max);
    }
}

char *
vp_config_row_describe_type (const VpConfigRow *row)
{
  g_autofree char *text = NULL;

  switch (row->type)
    {
    case VP_CONFIG_TYPE_PATH:
      return g_strdup ((row->flags & VP_CONFIG_EMPTY) != 0 ? "An absolute path or nothing." : "An absolute path.");
    case VP_CONFIG_TYPE_PATH_LIST:
      return g_strdup ("Absolute paths, separated by \";\".");
    case VP_CONFIG_TYPE_LIST:
      return row->words == NULL     ? g_strdup ("A list, separated by \";\".")
             : row->words[0] == ' ' ? g_strdup ("A list, separated by blanks.")
                                    : g_strdup_printf ("A list, separated by \"%s\".", row->words);
    case VP_CONFIG_TYPE_CHOICE:
      text = dup_words (row, ", ");
      return g_strdup_printf ("One of %s.", text);
    case VP_CONFIG_TYPE_BOOL:
      return g_strdup ("true or false.");
    case VP_CONFIG_TYPE_STRING:
      return g_strdup ("A string.");
    case VP_CONFIG_TYPE_UINT:
    case VP_CONFIG_TYPE_INT:
    case VP_CONFIG_TYPE_DOUBLE:
    case VP_CONFIG_TYPE_SIZE:
    case VP_CONFIG_TYPE_DURATION:
      break;
    }
  text = dup_range (row);
  text[0] = g_ascii_toupper (text[0]);
  return g_strdup_printf ("%s%s.", text,
                          row->type == VP_CONFIG_TYPE_SIZE       ? "; Ki, Mi, Gi, k, M, G may be behind it"
                          : row->type == VP_CONFIG_TYPE_DURATION ? "; ms, s, min, h may be behind it"
                                                                 : "");
}

/* ---- numbers ---------------------------------------------------------------- */

/* Digits, perhaps with a fraction; what is behind them is in @ret_unit. */
static gboolean
scan_decimal (const char *text, double *ret, const char **ret_unit)
{
  gsize n = strspn (text, "0123456789");
  char digits[NUMBER_MAX + 1];

  if (n == 0)
    return FALSE;
  if (text[n] == '.')
    {
      gsize fraction = strspn (text + n + 1, "0123456789");

      if (fraction == 0)
        return FALSE;
      n += 1 + fraction;
    }
  if (n > NUMBER_MAX)
    return FALSE;
  memcpy (digits, text, n);
  digits[n] = '\0';
  *ret = g_ascii_strtod (digits, NULL);
  *ret_unit = text + n;
  return TRUE;
}

typedef struct
{
  const char *name;
  double factor;
} Unit;

static const Unit size_units[] = {
  { "", 1 },
  { "B", 1 },
  { "Ki", 1024.0 },
  { "KiB", 1024.0 },
  { "Mi", 1048576.0 },
  { "MiB", 1048576.0 },
  { "Gi", 1073741824.0 },
  { "GiB", 1073741824.0 },
  { "Ti", 1099511627776.0 },
  { "TiB", 1099511627776.0 },
  { "Pi", 1125899906842624.0 },
  { "PiB", 1125899906842624.0 },
  { "k", 1e3 },
  { "M", 1e6 },
  { "G", 1e9 },
  { "T", 1e12 },
  { "P", 1e15 },
  { NULL, 0 },
};

static const Unit time_units[] = {
  { "", 1 }, { "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { NULL, 0 },
};

/* A whole number of the smallest unit. */
static gboolean
scan_with_unit (const char *text, const Unit *units, double *ret)
{
  const char *unit;

  if (!scan_decimal (text, ret, &unit))
    return FALSE;
  for (; units->name != NULL; units++)
    {
      if (g_str_equal (units->name, unit))
        {
          *ret *= units->factor;
          return *ret <= EXACT_MAX && *ret == floor (*ret);
        }
    }
  return FALSE;
}

/* FALSE: not a number of this type at all. */
static gboolean
scan_number (const VpConfigRow *row, const char *text, double *ret)
{
  const char *rest;
  gint64 whole;

  switch (row->type)
    {
    case VP_CONFIG_TYPE_SIZE:
      return scan_with_unit (text, size_units, ret);
    case VP_CONFIG_TYPE_DURATION:
      return scan_with_unit (text, time_units, ret);
    case VP_CONFIG_TYPE_DOUBLE:
      return scan_decimal (text, ret, &rest) && *rest == '\0';
    default:
      if (!g_ascii_isdigit (text[0]) && !(row->type == VP_CONFIG_TYPE_INT && text[0] == '-'))
        return FALSE;
      if (!g_ascii_string_to_signed (text, 10, -(gint64)EXACT_MAX, (gint64)EXACT_MAX, &whole, NULL))
        return FALSE;
      *ret = (double)whole;
      return TRUE;
    }
}

static gboolean
parse_number (const VpConfigRow *row, const char *text, VpConfigValue *value, GError **error)
{
  g_autofree char *range = NULL;
  double number;
  gboolean right;

  right = scan_number (row, text, &number) && number >= row->min && number <= row->max;
  if (right && (row->flags & VP_CONFIG_POWER_OF_TWO) != 0 && number != 0)
    right = ((guint64)number & ((guint64)number - 1)) == 0;
  if (!right && (row->flags & VP_CONFIG_OR_ZERO) != 0 && scan_number (row, text, &number))
    right = number == 0;
  if (!right)
    {
      range = dup_range (row);
      return fail (error, "must be %s", range);
    }
  value->real = number;
  value->number = row->type == VP_CONFIG_TYPE_INT ? (guint64)(gint64)number : (guint64)ceil (number);
  return TRUE;
}

/* ---- lists ------------------------------------------------------------------ */

static gboolean
check_pattern (const char *item, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GRegex) regex = g_regex_new (item, 0, 0, &local);

  if (regex == NULL)
    {
      g_autofree char *shown = vp_error_shown (local->message); /* it quotes the pattern */
      return fail (error, "is not a regular expression: %s", shown);
    }
  return TRUE;
}

static gboolean
check_bind_mount (const char *item, GError **error)
{
  const char *colon = strrchr (item, ':');

  if (!g_path_is_absolute (item))
    return fail_text (error, item, "must be an absolute path");
  if (colon != NULL && !g_str_equal (colon, ":ro") && !g_str_equal (colon, ":rw"))
    return fail_text (error, item, "must end with :ro, :rw or no colon");
  return TRUE;
}

static gboolean
check_item (const VpConfigRow *row, const char *item, GError **error)
{
  if ((row->flags & VP_CONFIG_PATTERNS) != 0)
    return check_pattern (item, error);
  if ((row->flags & VP_CONFIG_BIND_MOUNTS) != 0)
    return check_bind_mount (item, error);
  if (row->type == VP_CONFIG_TYPE_PATH_LIST && !g_path_is_absolute (item))
    return fail_text (error, item, "must be an absolute path");
  return TRUE;
}

static gboolean
parse_list (const VpConfigRow *row, const char *text, VpConfigValue *value, GError **error)
{
  g_auto (GStrv) items = g_strsplit (text, row->words != NULL ? row->words : ";", -1);
  gsize n = 0;

  for (gsize i = 0; items[i] != NULL; i++)
    {
      g_strstrip (items[i]);
      if (items[i][0] == '\0')
        g_free (items[i]);
      else
        items[n++] = items[i];
    }
  items[n] = NULL;
  for (gsize i = 0; i < n; i++)
    {
      if (!check_item (row, items[i], error))
        return FALSE;
    }
  value->list = g_steal_pointer (&items);
  return TRUE;
}

/* ---- all -------------------------------------------------------------------- */

/* What could end a line or a message elsewhere is nowhere of use. */
static gboolean
check_text (const char *text, GError **error)
{
  if (strlen (text) > TEXT_MAX)
    return fail (error, "has more than %d bytes", TEXT_MAX);
  if (!g_utf8_validate (text, -1, NULL))
    return fail (error, "is not UTF-8");
  for (const char *c = text; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c))
        return fail (error, "has a control character (byte 0x%02x)", (guint)(guchar)*c);
    }
  return TRUE;
}

static gboolean
check_choice (const VpConfigRow *row, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit (row->words, "|", -1);
  g_autofree char *what = NULL;

  if (g_strv_contains ((const char *const *)words, text))
    return TRUE;
  what = g_strdup_printf ("must be one of %s", row->words);
  return fail_text (error, text, what);
}

static gboolean
parse_typed (const VpConfigRow *row, const char *text, VpConfigValue *value, GError **error)
{
  gboolean right = TRUE;

  if (!check_text (text, error))
    return FALSE;
  switch (row->type)
    {
    case VP_CONFIG_TYPE_PATH:
      if (text[0] == '\0' ? (row->flags & VP_CONFIG_EMPTY) == 0 : !g_path_is_absolute (text))
        return fail (error, "must be an absolute path");
      break;
    case VP_CONFIG_TYPE_CHOICE:
      right = check_choice (row, text, error);
      break;
    case VP_CONFIG_TYPE_BOOL:
      if (!g_str_equal (text, "true") && !g_str_equal (text, "false"))
        return fail (error, "must be true or false");
      value->boolean = text[0] == 't';
      break;
    case VP_CONFIG_TYPE_LIST:
    case VP_CONFIG_TYPE_PATH_LIST:
      right = parse_list (row, text, value, error);
      break;
    case VP_CONFIG_TYPE_UINT:
    case VP_CONFIG_TYPE_INT:
    case VP_CONFIG_TYPE_SIZE:
    case VP_CONFIG_TYPE_DURATION:
    case VP_CONFIG_TYPE_DOUBLE:
      right = parse_number (row, text, value, error);
      break;
    case VP_CONFIG_TYPE_STRING:
      break;
    }
  return right;
}

VpConfigValue *
vp_config_value_parse (const VpConfigRow *row, const char *text, GError **error)
{
  g_autoptr (VpConfigValue) value = g_new0 (VpConfigValue, 1);

  g_atomic_ref_count_init (&value->ref_count);
  value->text = g_strdup (text);
  return parse_typed (row, text, value, error) ? g_steal_pointer (&value) : NULL;
}
