/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-annotation-value.h"

#include <string.h>

#include "vp-error.h"
#include "vp-node-set.h"
#include "vp-json.h"
#include "vp-verity.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define FRACTION_MAX 6 /* digits */
#define SHA512_DIGITS 128
#define invalid(error, ...) vp_error_set (error, VP_ERROR_INVALID_ARGUMENT, __VA_ARGS__)

/* ---- booleans and numbers --------------------------------------------------- */

static gboolean
parse_bool (const char *text, gboolean *ret, GError **error)
{
  static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True", NULL };
  static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False", NULL };

  *ret = g_strv_contains (yes, text);
  return *ret || g_strv_contains (no, text) || invalid (error, "must be true or false");
}

/* Decimal, or (@any_base) with 0x, 0o, 0 or 0b before it as in source code. */
static gboolean
parse_uint (const char *text, gboolean any_base, guint64 min, guint64 max, guint64 *ret, GError **error)
{
  guint base = 10;

  if (any_base && text[0] == '0' && text[1] != '\0')
    {
      const char letter = g_ascii_tolower (text[1]);

      base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
      text += letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1;
    }
  /* takes neither a sign nor blanks; 0x would be read for base 16 once more */
  if (!g_ascii_isxdigit (text[0]) || (base == 16 && g_ascii_tolower (text[1]) == 'x')
      || !g_ascii_string_to_unsigned (text, base, min, max, ret, NULL))
    return invalid (error, "must be a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
  return TRUE;
}

/* "1", "1.5"; FALSE: something else. @ret_rest is what is behind. */
static gboolean
scan_decimal (const char *text, guint64 *ret_whole, guint64 *ret_fraction, guint64 *ret_scale,
              const char **ret_rest)
{
  char *end;

  *ret_fraction = 0;
  *ret_scale = 1;
  if (!g_ascii_isdigit (text[0]))
    return FALSE;
  errno = 0;
  *ret_whole = g_ascii_strtoull (text, &end, 10);
  if (errno != 0)
    return FALSE;
  if (*end == '.')
    {
      const char *digit = ++end;

      for (; g_ascii_isdigit (*digit) && digit - end < FRACTION_MAX; digit++, *ret_scale *= 10)
        *ret_fraction = *ret_fraction * 10 + (guint64)g_ascii_digit_value (*digit);
      if (digit == end || g_ascii_isdigit (*digit))
        return FALSE;
      end += digit - end;
    }
  *ret_rest = end;
  return TRUE;
}

/* Bytes of "64Mi", rounded up. FALSE without a binary suffix. */
static gboolean
scan_quantity (const char *text, guint64 *ret)
{
  static const char *const suffixes[] = { "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
  guint64 whole, fraction, scale, part = 0;
  const char *rest;
  guint shift = 0;

  if (!scan_decimal (text, &whole, &fraction, &scale, &rest))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (suffixes) && shift == 0; i++)
    shift = g_str_equal (rest, suffixes[i]) ? (i + 1) * 10 : 0;
  if (shift == 0 || whole > ((guint64)G_MAXINT64 >> shift))
    return FALSE;
  if (fraction != 0)
    {
      /* six digits are 20 bits: what is more than Ti would not fit */
      if (shift > 40)
        return FALSE;
      part = ((fraction << shift) + scale - 1) / scale;
    }
  return g_uint64_checked_add (ret, whole << shift, part) && *ret <= G_MAXINT64;
}

static gboolean
parse_quantity (const char *value, char **ret, GError **error)
{
  guint64 bytes;

  if (!scan_quantity (value, &bytes))
    return invalid (error, "must be a number with Ki, Mi, Gi, Ti, Pi or Ei behind it");
  *ret = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);
  return TRUE;
}

static gboolean
parse_number (const VpAnnotationRow *row, const char *value, const VpFactsInit *facts, char **ret,
              GError **error)
{
  guint64 min = 0, max = 0, number;

  vp_annotation_row_range (row, &min, &max);
  if (row->type == VP_ANNOTATION_TYPE_MIB && scan_quantity (value, &number))
    {
      number = number / MIB + (number % MIB != 0);
      if (number < min || number > max)
        return invalid (error, "must be from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " MiB", min, max);
    }
  else if (!parse_uint (value, row->scope == VP_ANNOTATION_CONTAINER, min, max, &number, error))
    return FALSE;
  if (number == 0 && (row->flags & VP_ANNOTATION_ZERO_KEEPS) != 0)
    return TRUE;
  if (facts != NULL && (row->flags & VP_ANNOTATION_HOST_CPUS) != 0 && facts->host_cpus > 0
      && number > facts->host_cpus)
    return invalid (error, "the host has %u CPUs", facts->host_cpus);
  if (facts != NULL && (row->flags & VP_ANNOTATION_MACHINE_CPUS) != 0 && facts->max_vcpus > 0
      && number > facts->max_vcpus)
    return invalid (error, "a virtual machine can have %u CPUs", facts->max_vcpus);
  *ret = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  return TRUE;
}

static gboolean
parse_cpus (const char *value, const VpFactsInit *facts, char **ret, GError **error)
{
  guint64 whole, fraction, scale;
  const char *rest;

  if (!scan_decimal (value, &whole, &fraction, &scale, &rest) || *rest != '\0')
    return invalid (error, "must be a number of CPUs, with up to %d digits behind the point", FRACTION_MAX);
  if (facts != NULL && facts->host_cpus > 0
      && (whole > facts->host_cpus || (whole == facts->host_cpus && fraction > 0)))
    return invalid (error, "the host has %u CPUs", facts->host_cpus);
  *ret = g_strdup (value);
  return TRUE;
}

static gboolean
parse_switch (const VpAnnotationRow *row, const char *value, char **ret, GError **error)
{
  g_auto (GStrv) words = g_strsplit (row->words != NULL ? row->words : "true|false", "|", 2);
  gboolean on;

  if (!parse_bool (value, &on, error))
    return FALSE;
  if (row->action == VP_ANNOTATION_SET_NOT)
    on = !on;
  *ret = g_strdup (words[on ? 0 : 1]);
  return TRUE;
}

/* ---- texts ------------------------------------------------------------------ */

static gboolean
parse_path (const char *value, char **ret, GError **error)
{
  g_auto (GStrv) parts = NULL;

  if (value[0] != '/')
    return invalid (error, "must be an absolute path");
  parts = g_strsplit (value + 1, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    {
      if (parts[i][0] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
        return invalid (error, "must be a path without \".\", \"..\" and empty parts");
    }
  *ret = g_strdup (value);
  return TRUE;
}

static gboolean
parse_choice (const VpAnnotationRow *row, const char *value, char **ret, GError **error)
{
  g_auto (GStrv) words = g_strsplit (row->words, "|", -1);
  g_autoptr (GString) known = g_string_new (NULL);

  for (char **word = words; *word != NULL; word++)
    {
      char *equals = strchr (*word, '=');
      const char *ours = equals != NULL ? equals + 1 : *word;

      if (equals != NULL)
        *equals = '\0';
      if (g_str_equal (*word, value))
        {
          if (g_str_equal (ours, "!"))
            return vp_error_set (error, VP_ERROR_NOT_SUPPORTED, "%s: %s", value, row->reason);
          *ret = g_strdup (ours);
          return TRUE;
        }
      if (!g_str_equal (ours, "!"))
        g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", *word);
    }
  return invalid (error, "must be one of %s", known->str);
}

static gboolean
parse_modules (const char *value, char **ret, GError **error)
{
  g_auto (GStrv) items = g_strsplit (value, ";", -1);

  for (char **item = items; *item != NULL; item++)
    {
      gsize n;

      g_strstrip (*item);
      n = strspn (*item, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-");
      if ((*item)[0] != '\0' && (n == 0 || ((*item)[n] != '\0' && (*item)[n] != ' ' && (*item)[n] != '\t')))
        {
          g_autofree char *shown = vp_error_shown (*item);
          return invalid (error, "\"%s\" does not begin with the name of a module", shown);
        }
    }
  *ret = g_strdup (value);
  return TRUE;
}

static gboolean
parse_nodes (const char *value, char **ret, GError **error)
{
  g_auto (GStrv) items = g_strsplit_set (value, " \t", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  VpNodeSet nodes;

  for (char **item = items; *item != NULL; item++)
    {
      if ((*item)[0] == '\0')
        continue;
      if (!vp_node_set_parse (*item, &nodes))
        {
          g_autofree char *shown = vp_error_shown (*item);
          return invalid (error, "\"%s\" is no set of nodes as in \"0-1,3\"", shown);
        }
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", *item);
    }
  if (text->len > 0)
    *ret = g_strdup (text->str);
  return TRUE;
}

static gboolean
parse_verity (const char *value, char **ret, GError **error)
{
  g_autoptr (VpVerity) verity = vp_verity_parse (value, error);

  if (verity == NULL)
    return FALSE;
  *ret = g_strdup (value);
  return TRUE;
}

static gboolean
parse_json (const char *value, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (VpJson) json = vp_json_parse (value, strlen (value), "(value)", &local);

  return json != NULL || invalid (error, "must be JSON: %s", local->message);
}

static gboolean
parse_base64 (const char *value, GError **error)
{
  gsize len = strlen (value);
  gsize digits = strspn (value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+/");

  if (len % 4 != 0 || len - digits > 2 || strspn (value + digits, "=") != len - digits)
    return invalid (error, "must be base64");
  return TRUE;
}

static gboolean
parse_sha512 (const char *value, char **ret, GError **error)
{
  if (strlen (value) != SHA512_DIGITS || strspn (value, "0123456789abcdefABCDEF") != SHA512_DIGITS)
    return invalid (error, "must be a SHA-512, %d hexadecimal digits", SHA512_DIGITS);
  *ret = g_ascii_strdown (value, -1);
  return TRUE;
}

/* ---- all -------------------------------------------------------------------- */

static gboolean
parse_text (const VpAnnotationRow *row, const char *value, char **ret, GError **error)
{
  g_autoptr (GPtrArray) arguments = NULL;

  switch (row->type)
    {
    case VP_ANNOTATION_TYPE_PATH:
      return parse_path (value, ret, error);
    case VP_ANNOTATION_TYPE_PARAMS:
      return vp_annotation_parse_params (value, ret, error);
    case VP_ANNOTATION_TYPE_VERITY:
      return parse_verity (value, ret, error);
    case VP_ANNOTATION_TYPE_MODULES:
      return parse_modules (value, ret, error);
    case VP_ANNOTATION_TYPE_NODES:
      return parse_nodes (value, ret, error);
    case VP_ANNOTATION_TYPE_SHA512:
      return parse_sha512 (value, ret, error);
    case VP_ANNOTATION_TYPE_ARGUMENTS:
      arguments = vp_annotation_parse_arguments (value, error);
      if (arguments == NULL)
        return FALSE;
      break;
    case VP_ANNOTATION_TYPE_JSON:
      if (!parse_json (value, error))
        return FALSE;
      break;
    case VP_ANNOTATION_TYPE_BASE64:
      if (!parse_base64 (value, error))
        return FALSE;
      break;
    default:
      break;
    }
  *ret = g_strdup (value);
  return TRUE;
}

gboolean
vp_annotation_parse_value (const VpAnnotationRow *row, const char *value, const VpFactsInit *facts,
                           char **ret_text, GError **error)
{
  *ret_text = NULL;
  switch (row->type)
    {
    case VP_ANNOTATION_TYPE_BOOL:
      return parse_switch (row, value, ret_text, error);
    case VP_ANNOTATION_TYPE_UINT:
    case VP_ANNOTATION_TYPE_MIB:
      return parse_number (row, value, facts, ret_text, error);
    case VP_ANNOTATION_TYPE_CPUS:
      return parse_cpus (value, facts, ret_text, error);
    case VP_ANNOTATION_TYPE_QUANTITY:
      return parse_quantity (value, ret_text, error);
    case VP_ANNOTATION_TYPE_CHOICE:
      return parse_choice (row, value, ret_text, error);
    default:
      return value[0] == '\0' || parse_text (row, value, ret_text, error);
    }
}
