/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-verity.h"

#include <string.h>

#include "vp-error.h"

#define SECTOR 512
#define HEX_MAX 512 /* digits */
#define BLOCKS_MAX (G_GUINT64_CONSTANT (1) << 48)
#define BLOCK_MAX (1u << 20)

enum
{
  ROOT_HASH,
  SALT,
  DATA_BLOCKS,
  DATA_BLOCK_SIZE,
  HASH_BLOCK_SIZE,
  N_FIELDS
};

static const char *const names[N_FIELDS]
    = { "root_hash", "salt", "data_blocks", "data_block_size", "hash_block_size" };

void
vp_verity_free (VpVerity *verity)
{
  if (verity == NULL)
    return;
  g_free (verity->root_hash);
  g_free (verity->salt);
  g_free (verity);
}

static gboolean
fail (GError **error, int field, const char *why)
{
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s %s", names[field], why);
  return FALSE;
}

static gboolean
take_hex (int field, const char *text, char **ret, GError **error)
{
  gsize len = strlen (text);

  if (len == 0 || len > HEX_MAX || len % 2 != 0 || strspn (text, "0123456789abcdefABCDEF") != len)
    return fail (error, field, "must be hexadecimal bytes");
  *ret = g_ascii_strdown (text, -1);
  return TRUE;
}

static gboolean
take_number (int field, const char *text, guint64 unit, guint64 max, guint64 *ret, GError **error)
{
  if (!g_ascii_string_to_unsigned (text, 10, 1, max, ret, NULL))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "%s must be a number from 1 to %" G_GUINT64_FORMAT, names[field], max);
      return FALSE;
    }
  return *ret % unit == 0 || fail (error, field, "must be a multiple of 512");
}

static gboolean
take_field (VpVerity *verity, int field, const char *text, GError **error)
{
  switch (field)
    {
    case ROOT_HASH:
      return take_hex (field, text, &verity->root_hash, error);
    case SALT:
      return take_hex (field, text, &verity->salt, error);
    case DATA_BLOCKS:
      return take_number (field, text, 1, BLOCKS_MAX, &verity->data_blocks, error);
    case DATA_BLOCK_SIZE:
      return take_number (field, text, SECTOR, BLOCK_MAX, &verity->data_block_size, error);
    default:
      return take_number (field, text, SECTOR, BLOCK_MAX, &verity->hash_block_size, error);
    }
}

static int
find_field (const char *item)
{
  for (int i = 0; i < N_FIELDS; i++)
    {
      if (g_str_has_prefix (item, names[i]) && item[strlen (names[i])] == '=')
        return i;
    }
  return -1;
}

VpVerity *
vp_verity_parse (const char *text, GError **error)
{
  g_autoptr (VpVerity) verity = g_new0 (VpVerity, 1);
  g_auto (GStrv) items = g_strsplit (text, ",", -1);
  gboolean seen[N_FIELDS] = { FALSE };

  for (char **item = items; *item != NULL; item++)
    {
      int field = find_field (g_strstrip (*item));

      if (field < 0)
        {
          g_autofree char *shown = vp_error_shown (*item);
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "\"%s\" is none of its parameters", shown);
          return NULL;
        }
      if (seen[field])
        {
          fail (error, field, "is there twice");
          return NULL;
        }
      seen[field] = TRUE;
      if (!take_field (verity, field, strchr (*item, '=') + 1, error))
        return NULL;
    }
  for (int i = 0; i < N_FIELDS; i++)
    {
      if (!seen[i])
        {
          fail (error, i, "is missing");
          return NULL;
        }
    }
  return g_steal_pointer (&verity);
}
