/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-config.h"

#include <string.h>

#include "vp-config-private.h"
#include "vp-error.h"

#define COMMAND_LINE "command line"

/* ---- values ----------------------------------------------------------------- */

gboolean
vp_config_set (VpConfig *config, VpConfigKey key, const char *text, const char *source, guint layer, int code,
               GError **error)
{
  g_autoptr (GError) local = NULL;
  VpConfigValue *value = vp_config_value_parse (&vp_config_table[key], text, &local);

  if (value == NULL)
    {
      g_set_error (error, VP_ERROR, code, "%s: %s: %s", source, vp_config_key_name (key), local->message);
      return FALSE;
    }
  value->source = g_strdup (source);
  value->layer = layer;
  config->last_layer = MAX (config->last_layer, layer);
  vp_config_value_unref (config->values[key]);
  config->values[key] = value;
  return TRUE;
}

gboolean
vp_config_override (VpConfig *config, const char *name, const char *value, GError **error)
{
  VpConfigKey key = vp_config_find_key (name);

  if (key == VP_N_CONFIG_KEYS)
    {
      g_autofree char *shown = g_strescape (name, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, COMMAND_LINE ": %s: key is not known", shown);
      return FALSE;
    }
  return vp_config_set (config, key, value, COMMAND_LINE, config->last_layer + 1, VP_ERROR_CONFIG_ERROR, error);
}

gboolean
vp_config_override_from (VpConfig *config, VpConfigKey key, const char *value, const char *source,
                         GError **error)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS && source != NULL, FALSE);
  return vp_config_set (config, key, value, source, config->last_layer + 1, VP_ERROR_INVALID_ARGUMENT, error);
}

/* ---- what contradicts itself ------------------------------------------------ */

static gboolean
contradicts (VpConfig *config, VpConfigKey key, GError **error, const char *why)
{
  g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: %s: %s", vp_config_get_source (config, key),
               vp_config_key_name (key), why);
  return FALSE;
}

static gboolean
is_word (VpConfig *config, VpConfigKey key, const char *word)
{
  return g_str_equal (vp_config_get_string (config, key), word);
}

gboolean
vp_config_check (VpConfig *config, GError **error)
{
  const VpConfigValue *image = config->values[VP_CONFIG_GUEST_IMAGE];
  const VpConfigValue *initrd = config->values[VP_CONFIG_GUEST_INITRD];
  guint64 logical = vp_config_get_uint (config, VP_CONFIG_BLOCK_LOGICAL_SECTOR_SIZE);
  guint64 physical = vp_config_get_uint (config, VP_CONFIG_BLOCK_PHYSICAL_SECTOR_SIZE);

  if (image->text[0] != '\0' && initrd->text[0] != '\0' && image->layer == initrd->layer)
    return contradicts (config, VP_CONFIG_GUEST_IMAGE, error, "guest.initrd is set beside it, only one can boot");
  if (!is_word (config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO, "no-port")
      && !is_word (config, VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO, "no-port"))
    return contradicts (config, VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO, error,
                        "hypervisor.hot-plug-vfio is set too, one must be no-port");
  if (logical > 0 && physical > 0 && logical > physical)
    return contradicts (config, VP_CONFIG_BLOCK_LOGICAL_SECTOR_SIZE, error,
                        "is more than block.physical-sector-size");
  if (is_word (config, VP_CONFIG_BLOCK_AIO, "native")
      && !(vp_config_get_bool (config, VP_CONFIG_BLOCK_CACHE_SET)
           && vp_config_get_bool (config, VP_CONFIG_BLOCK_CACHE_DIRECT)))
    return contradicts (config, VP_CONFIG_BLOCK_AIO, error,
                        "native needs block.cache-set and block.cache-direct");
  if (!vp_config_get_bool (config, VP_CONFIG_NETWORK_NEW_NETNS)
      && !is_word (config, VP_CONFIG_NETWORK_MODEL, "none"))
    return contradicts (config, VP_CONFIG_NETWORK_NEW_NETNS, error, "false needs network.model=none");
  return TRUE;
}

gboolean
vp_config_boots_image (VpConfig *config)
{
  const VpConfigValue *image = config->values[VP_CONFIG_GUEST_IMAGE];
  const VpConfigValue *initrd = config->values[VP_CONFIG_GUEST_INITRD];

  return image->text[0] != '\0' && (initrd->text[0] == '\0' || image->layer > initrd->layer);
}

/* ---- the object ------------------------------------------------------------- */

static VpConfig *
new_empty (void)
{
  VpConfig *config = g_new0 (VpConfig, 1);

  g_atomic_ref_count_init (&config->ref_count);
  return config;
}

VpConfig *
vp_config_new_default (void)
{
  VpConfig *config = new_empty ();

  config->handlers = g_ptr_array_new_with_free_func (vp_config_handler_free);
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!vp_config_set (config, (VpConfigKey)i, vp_config_table[i].initial, "default", 0, VP_ERROR_FAILED,
                          &error))
        g_error ("%s", error->message); /* the table is wrong: a unit test finds it */
    }
  return config;
}

VpConfig *
vp_config_copy (VpConfig *config)
{
  VpConfig *copy = new_empty ();

  copy->handlers = g_ptr_array_ref (config->handlers);
  copy->last_layer = config->last_layer;
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    copy->values[i] = vp_config_value_ref (config->values[i]);
  return copy;
}

VpConfig *
vp_config_ref (VpConfig *config)
{
  g_atomic_ref_count_inc (&config->ref_count);
  return config;
}

void
vp_config_unref (VpConfig *config)
{
  if (config == NULL || !g_atomic_ref_count_dec (&config->ref_count))
    return;
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    vp_config_value_unref (config->values[i]);
  g_ptr_array_unref (config->handlers);
  g_free (config);
}

/* ---- getters ---------------------------------------------------------------- */

static gboolean
has_type (VpConfigKey key, guint types)
{
  return key < VP_N_CONFIG_KEYS && ((1u << vp_config_table[key].type) & types) != 0;
}

const char *
vp_config_get_string (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, "");
  return config->values[key]->text;
}

guint64
vp_config_get_uint (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (has_type (key, 1u << VP_CONFIG_TYPE_UINT | 1u << VP_CONFIG_TYPE_SIZE
                                           | 1u << VP_CONFIG_TYPE_DURATION | 1u << VP_CONFIG_TYPE_DOUBLE),
                        0);
  return config->values[key]->number;
}

gint64
vp_config_get_int (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (has_type (key, 1u << VP_CONFIG_TYPE_INT), 0);
  return (gint64)config->values[key]->number;
}

double
vp_config_get_double (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (has_type (key, 1u << VP_CONFIG_TYPE_DOUBLE), 0);
  return config->values[key]->real;
}

gboolean
vp_config_get_bool (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (has_type (key, 1u << VP_CONFIG_TYPE_BOOL), FALSE);
  return config->values[key]->boolean;
}

const char *const *
vp_config_get_list (VpConfig *config, VpConfigKey key)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (has_type (key, 1u << VP_CONFIG_TYPE_LIST | 1u << VP_CONFIG_TYPE_PATH_LIST), none);
  return (const char *const *)config->values[key]->list;
}

const char *
vp_config_get_source (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, "");
  return config->values[key]->source;
}

gboolean
vp_config_is_default (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, TRUE);
  return config->values[key]->layer == 0;
}
