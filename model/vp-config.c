/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-config.h"

#include <string.h>

#include "vp-config-table.h"
#include "vp-error.h"
#include "vp-names.h"

#define DEFAULT_FILE VP_PKGCONFDIR "/" VP_FILE_CONFIG

typedef struct
{
  char *text; /* as written; never NULL */
  guint64 number;
  gboolean boolean;
} Value;

struct _VpConfig
{
  gatomicrefcount ref_count;
  Value values[VP_N_CONFIG_KEYS];
};

/* ---- one value -------------------------------------------------------------- */

static gboolean fail (GError **error, const char *file, const VpConfigRow *row, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
fail (GError **error, const char *file, const VpConfigRow *row, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: %s.%s: %s", file, row->group, row->key, message);
  return FALSE;
}

static gboolean
check_choice (const VpConfigRow *row, const char *text, const char *file, GError **error)
{
  g_auto (GStrv) words = g_strsplit (row->choices, "|", -1);
  g_autofree char *shown = NULL;

  if (g_strv_contains ((const char *const *)words, text))
    return TRUE;
  shown = g_strescape (text, NULL);
  return fail (error, file, row, "\"%s\" must be one of %s", shown, row->choices);
}

static gboolean
parse_value (const VpConfigRow *row, const char *text, Value *value, const char *file, GError **error)
{
  switch (row->type)
    {
    case VP_CONFIG_TYPE_PATH:
      if (!g_path_is_absolute (text))
        return fail (error, file, row, "must be an absolute path");
      break;
    case VP_CONFIG_TYPE_CHOICE:
      return check_choice (row, text, file, error);
    case VP_CONFIG_TYPE_UINT:
      if (!g_ascii_string_to_unsigned (text, 10, row->min, row->max, &value->number, NULL))
        return fail (error, file, row, "must be a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                     row->min, row->max);
      break;
    case VP_CONFIG_TYPE_BOOL:
      if (!g_str_equal (text, "true") && !g_str_equal (text, "false"))
        return fail (error, file, row, "must be true or false");
      value->boolean = text[0] == 't';
      break;
    case VP_CONFIG_TYPE_STRING:
      break;
    }
  return TRUE;
}

static gboolean
set_value (VpConfig *config, VpConfigKey key, const char *text, const char *file, GError **error)
{
  Value value = { 0 };

  if (!g_utf8_validate (text, -1, NULL))
    return fail (error, file, &vp_config_table[key], "is not UTF-8");
  if (!parse_value (&vp_config_table[key], text, &value, file, error))
    return FALSE;
  value.text = g_strdup (text);
  g_free (config->values[key].text);
  config->values[key] = value;
  return TRUE;
}

static int
find_key (const char *group, const char *key)
{
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      if (g_str_equal (vp_config_table[i].group, group) && g_str_equal (vp_config_table[i].key, key))
        return i;
    }
  return -1;
}

static gboolean
group_is_known (const char *group)
{
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      if (g_str_equal (vp_config_table[i].group, group))
        return TRUE;
    }
  return FALSE;
}

/* ---- files ------------------------------------------------------------------ */

static gboolean
merge_group (VpConfig *config, GKeyFile *key_file, const char *group, const char *file, GError **error)
{
  g_auto (GStrv) keys = NULL;

  if (!group_is_known (group))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: [%s]: group is not known", file, group);
      return FALSE;
    }
  keys = g_key_file_get_keys (key_file, group, NULL, NULL);
  for (char **key = keys; key != NULL && *key != NULL; key++)
    {
      g_autoptr (GError) local = NULL;
      g_autofree char *text = NULL;
      int index = find_key (group, *key);

      if (index < 0)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: %s.%s: key is not known", file, group,
                       *key);
          return FALSE;
        }
      text = g_key_file_get_string (key_file, group, *key, &local);
      if (text == NULL)
        return fail (error, file, &vp_config_table[index], "%s", local->message);
      if (!set_value (config, (VpConfigKey)index, g_strstrip (text), file, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
merge_file (VpConfig *config, const char *file, gboolean must_exist, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  g_autoptr (GError) local = NULL;

  if (!g_key_file_load_from_file (key_file, file, G_KEY_FILE_NONE, &local))
    {
      gboolean missing = g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT);

      if (missing && !must_exist)
        return TRUE;
      g_set_error (error, VP_ERROR, missing ? VP_ERROR_NOT_FOUND : VP_ERROR_CONFIG_ERROR, "%s: %s", file,
                   local->message);
      return FALSE;
    }
  groups = g_key_file_get_groups (key_file, NULL);
  for (char **group = groups; *group != NULL; group++)
    {
      if (!merge_group (config, key_file, *group, file, error))
        return FALSE;
    }
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
merge_drop_ins (VpConfig *config, const char *file, GError **error)
{
  g_autofree char *directory = g_strconcat (file, ".d", NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if (g_str_has_suffix (name, ".conf") && name[0] != '.')
        g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (directory, g_ptr_array_index (names, i), NULL);

      if (!merge_file (config, path, TRUE, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- the object ------------------------------------------------------------- */

VpConfig *
vp_config_new_default (void)
{
  VpConfig *config = g_new0 (VpConfig, 1);

  g_atomic_ref_count_init (&config->ref_count);
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!set_value (config, (VpConfigKey)i, vp_config_table[i].initial, "default", &error))
        g_error ("%s", error->message); /* the table is wrong: a unit test finds it */
    }
  return config;
}

VpConfig *
vp_config_load (const char *path, GError **error)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  const char *file = path != NULL ? path : DEFAULT_FILE;

  if (!merge_file (config, file, path != NULL, error) || !merge_drop_ins (config, file, error))
    return NULL;
  return g_steal_pointer (&config);
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
    g_free (config->values[i].text);
  g_free (config);
}

gboolean
vp_config_override (VpConfig *config, const char *name, const char *value, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (name, ".", 2);
  int index = g_strv_length (parts) == 2 ? find_key (parts[0], parts[1]) : -1;

  if (index < 0)
    {
      g_autofree char *shown = g_strescape (name, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "command line: %s: key is not known", shown);
      return FALSE;
    }
  return set_value (config, (VpConfigKey)index, value, "command line", error);
}

const char *
vp_config_get_string (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS, "");
  return config->values[key].text;
}

guint64
vp_config_get_uint (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS && vp_config_table[key].type == VP_CONFIG_TYPE_UINT, 0);
  return config->values[key].number;
}

gboolean
vp_config_get_bool (VpConfig *config, VpConfigKey key)
{
  g_return_val_if_fail (key < VP_N_CONFIG_KEYS && vp_config_table[key].type == VP_CONFIG_TYPE_BOOL, FALSE);
  return config->values[key].boolean;
}
