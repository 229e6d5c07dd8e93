/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions about a row of the table. */
#include "vp-config-private.h"

/* "group.key" of every key, and back. */
typedef struct
{
  char *names[VP_N_CONFIG_KEYS];
  GHashTable *keys; /* borrowed name -> key + 1 */
} Names;

static const Names *
get_names (void)
{
  static Names names;
  static gsize done;

  if (g_once_init_enter (&done))
    {
      names.keys = g_hash_table_new (g_str_hash, g_str_equal);
      for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
        {
          names.names[i] = g_strconcat (vp_config_table[i].group, ".", vp_config_table[i].key, NULL);
          g_hash_table_insert (names.keys, names.names[i], GINT_TO_POINTER (i + 1));
        }
      g_once_init_leave (&done, 1);
    }
  return &names;
}

const char *
vp_config_key_name (VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, NULL);
  return get_names ()->names[key];
}

VpConfigKey
vp_config_find_key (const char *name)
{
  gpointer found = g_hash_table_lookup (get_names ()->keys, name);

  return found != NULL ? (VpConfigKey)(GPOINTER_TO_INT (found) - 1) : VP_N_CONFIG_KEYS;
}

VpConfigType
vp_config_key_type (VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, VP_CONFIG_TYPE_STRING);
  return vp_config_table[key].type;
}

gboolean
vp_config_key_range (VpConfigKey key, double *ret_min, double *ret_max)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, FALSE);
  if (vp_config_table[key].max <= vp_config_table[key].min)
    return FALSE;
  *ret_min = vp_config_table[key].min;
  *ret_max = vp_config_table[key].max;
  return TRUE;
}

gboolean
vp_config_key_is_global (VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, TRUE);
  return (vp_config_table[key].flags & VP_CONFIG_GLOBAL) != 0;
}
