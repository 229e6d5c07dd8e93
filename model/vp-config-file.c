/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod.conf and its drop-ins: the only file of the configuration that does I/O. */
#include "vp-config-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-key-file.h"
#include "vp-names.h"

#define DEFAULT_FILE VP_PKGCONFDIR "/" VP_FILE_CONFIG
#define FILE_MAX (1u << 20)
#define HANDLER_PREFIX "handler "

typedef struct
{
  VpConfig *config;
  const char *path;
  guint number; /* of the file, from 1 */
} Merge;

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

/* @name of a group or key as it is in the file. */
static gboolean
merge_fail (GError **error, const char *source, const char *name, const char *what)
{
  g_autofree char *shown = vp_error_shown (name);

  g_set_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR, "%s: %s: %s", source, shown, what);
  return FALSE;
}

/* Looks at the value too: a handler that nobody asks for must not hide a mistake. */
static gboolean
merge_handler (Merge *merge, const char *name, const char *key, const char *value, const char *where,
               GError **error)
{
  g_autofree char *source = g_strdup_printf ("handler %s (%s)", name, where);
  VpConfigHandler *handler;
  VpConfigKey index;
  g_autoptr (VpConfigValue) parsed = NULL;
  g_autoptr (GError) local = NULL;

  if (!vp_config_handler_name_is_valid (name))
    {
      g_autofree char *group = g_strdup_printf ("[" HANDLER_PREFIX "%s]", name);
      return merge_fail (error, where, group,
                         "the name must be up to 63 letters, digits, \".\", \"_\" and \"-\"");
    }
  handler = vp_config_ensure_handler (merge->config, name);
  if (key == NULL)
    return TRUE;

  index = vp_config_find_key (key);
  if (index == VP_N_CONFIG_KEYS)
    return merge_fail (error, source, key, "key is not known (in a handler it is GROUP.KEY)");
  if (vp_config_key_is_global (index))
    return merge_fail (error, source, key, "is the same for all handlers");
  parsed = vp_config_value_parse (&vp_config_table[index], value, &local);
  if (parsed == NULL)
    return merge_fail (error, source, key, local->message);
  vp_config_handler_add (handler, index, value, source, merge->number);
  return TRUE;
}

static gboolean
merge_one (const char *group, const char *key, const char *value, guint line, gpointer user_data, GError **error)
{
  Merge *merge = user_data;
  g_autofree char *where = g_strdup_printf ("%s:%u", merge->path, line);
  g_autofree char *name = NULL;
  VpConfigKey index;

  if (g_str_has_prefix (group, HANDLER_PREFIX))
    return merge_handler (merge, group + strlen (HANDLER_PREFIX), key, value, where, error);
  if (!group_is_known (group))
    {
      g_autofree char *bracketed = g_strdup_printf ("[%s]", group);
      return merge_fail (error, where, bracketed, "group is not known");
    }
  if (key == NULL)
    return TRUE;
  name = g_strconcat (group, ".", key, NULL);
  index = vp_config_find_key (name);
  if (index == VP_N_CONFIG_KEYS)
    return merge_fail (error, where, name, "key is not known");
  return vp_config_set (merge->config, index, value, where, merge->number, VP_ERROR_CONFIG_ERROR, error);
}

static gboolean
merge_file (Merge *merge, GError **error)
{
  g_autoptr (GError) local = NULL;
  VP_AUTO_FD fd = vp_fd_open (merge->path, O_RDONLY | O_NONBLOCK, "file", &local);
  g_autofree char *text = NULL;
  gsize length = 0;

  if (fd >= 0)
    text = vp_fd_read_all (fd, FILE_MAX, merge->path, &length, &local);
  if (text == NULL)
    {
      gboolean missing = vp_error_is (local, VP_ERROR_NOT_FOUND);

      g_set_error (error, VP_ERROR, missing ? VP_ERROR_NOT_FOUND : VP_ERROR_CONFIG_ERROR, "%s", local->message);
      return FALSE;
    }
  return vp_key_file_parse (text, length, merge->path, merge_one, merge, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
add_drop_ins (GPtrArray *files, const char *file)
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
    g_ptr_array_add (files, g_build_filename (directory, g_ptr_array_index (names, i), NULL));
}

char **
vp_config_list_files (const char *path)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  const char *file = path != NULL ? path : DEFAULT_FILE;

  if (path != NULL || g_file_test (file, G_FILE_TEST_EXISTS))
    g_ptr_array_add (files, g_strdup (file));
  add_drop_ins (files, file);
  g_ptr_array_add (files, NULL);
  return (char **)g_ptr_array_free (files, FALSE);
}

/* Each handler on its own, so that a contradiction shows at start and not when
 * the first client asks for it. */
static gboolean
check_handlers (VpConfig *config, GError **error)
{
  g_auto (GStrv) names = vp_config_list_handlers (config);

  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (VpConfig) effective = vp_config_for_handler (config, *name, error);

      if (effective == NULL)
        return FALSE;
    }
  return TRUE;
}

VpConfig *
vp_config_load (const char *path, GError **error)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_auto (GStrv) files = vp_config_list_files (path);

  for (guint i = 0; files[i] != NULL; i++)
    {
      Merge merge = { config, files[i], i + 1 };

      if (!merge_file (&merge, error))
        return NULL;
    }
  if (!vp_config_check (config, error) || !check_handlers (config, error))
    return NULL;
  return g_steal_pointer (&config);
}
