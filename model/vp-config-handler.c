/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: named lists of keys over the rest of the configuration. */
#include "vp-config-private.h"

#include <string.h>

#include "vp-error.h"

#define NAME_MAX_LENGTH 63
#define DEFAULT_NAME "default"

gboolean
vp_config_handler_name_is_valid (const char *name)
{
  gsize length = strlen (name);

  if (length == 0 || length > NAME_MAX_LENGTH || !g_ascii_isalnum (name[0]))
    return FALSE;
  for (; *name != '\0'; name++)
    {
      if (!g_ascii_isalnum (*name) && strchr ("._-", *name) == NULL)
        return FALSE;
    }
  return TRUE;
}

static void
entry_free (gpointer data)
{
  VpConfigEntry *entry = data;

  g_free (entry->text);
  g_free (entry->source);
  g_free (entry);
}

void
vp_config_handler_free (gpointer data)
{
  VpConfigHandler *handler = data;

  g_free (handler->name);
  g_ptr_array_unref (handler->entries);
  g_free (handler);
}

VpConfigHandler *
vp_config_find_handler (VpConfig *config, const char *name)
{
  for (guint i = 0; i < config->handlers->len; i++)
    {
      VpConfigHandler *handler = g_ptr_array_index (config->handlers, i);

      if (g_str_equal (handler->name, name))
        return handler;
    }
  return NULL;
}

VpConfigHandler *
vp_config_ensure_handler (VpConfig *config, const char *name)
{
  VpConfigHandler *handler = vp_config_find_handler (config, name);

  if (handler == NULL)
    {
      handler = g_new0 (VpConfigHandler, 1);
      handler->name = g_strdup (name);
      handler->entries = g_ptr_array_new_with_free_func (entry_free);
      g_ptr_array_add (config->handlers, handler);
    }
  return handler;
}

void
vp_config_handler_add (VpConfigHandler *handler, VpConfigKey key, const char *text, const char *source, guint file)
{
  VpConfigEntry *entry = g_new0 (VpConfigEntry, 1);

  entry->key = key;
  entry->text = g_strdup (text);
  entry->source = g_strdup (source);
  entry->file = file;
  g_ptr_array_add (handler->entries, entry);
}

VpConfig *
vp_config_for_handler (VpConfig *config, const char *name, GError **error)
{
  const VpConfigHandler *handler = vp_config_find_handler (config, name != NULL ? name : DEFAULT_NAME);
  g_autoptr (VpConfig) copy = NULL;
  guint base = config->last_layer;

  if (handler == NULL && name != NULL && !g_str_equal (name, DEFAULT_NAME))
    {
      g_autofree char *shown = g_strescape (name, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "handler \"%s\": is not configured", shown);
      return NULL;
    }
  if (handler == NULL)
    return vp_config_ref (config);

  copy = vp_config_copy (config);
  for (guint i = 0; i < handler->entries->len; i++)
    {
      const VpConfigEntry *entry = g_ptr_array_index (handler->entries, i);

      if (!vp_config_set (copy, entry->key, entry->text, entry->source, base + entry->file,
                          VP_ERROR_CONFIG_ERROR, error))
        return NULL;
    }
  return vp_config_check (copy, error) ? g_steal_pointer (&copy) : NULL;
}

char **
vp_config_list_handlers (VpConfig *config)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  g_strv_builder_add (names, DEFAULT_NAME);
  for (guint i = 0; i < config->handlers->len; i++)
    {
      const VpConfigHandler *handler = g_ptr_array_index (config->handlers, i);

      if (!g_str_equal (handler->name, DEFAULT_NAME))
        g_strv_builder_add (names, handler->name);
    }
  return g_strv_builder_end (names);
}
