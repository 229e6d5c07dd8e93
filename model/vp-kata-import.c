/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-kata-import.h"

#include <string.h>

#include "vp-config-private.h"
#include "vp-error.h"
#include "vp-kata-import-table.h"
#include "vp-toml.h"

typedef struct
{
  const char *file;
  VpConfig *config;
  gboolean set[VP_N_CONFIG_KEYS];
  GPtrArray *notes;
  char *hypervisor; /* the first [hypervisor.NAME]; NULL before it */
} Import;

/* One setting on its way. */
typedef struct
{
  const char *path; /* as written: "hypervisor.qemu.kernel" */
  const char *name; /* as in the tables: "hypervisor.kernel" */
  const VpTomlValue *value;
  guint line;
} Setting;

static void note (Import *import, const Setting *setting, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
note (Import *import, const Setting *setting, const char *format, ...)
{
  g_autofree char *path = g_strescape (setting->path, NULL);
  g_autofree char *why = NULL;
  va_list args;

  va_start (args, format);
  why = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (import->notes, g_strdup_printf ("%s:%u: %s: %s", import->file, setting->line, path, why));
}

/* ---- one value -------------------------------------------------------------- */

static void
store (Import *import, const Setting *setting, VpConfigKey key, const char *text)
{
  g_autofree char *source = g_strdup_printf ("%s:%u %s", import->file, setting->line, setting->path);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpConfigValue) parsed = vp_config_value_parse (&vp_config_table[key], text, &error);

  if (parsed == NULL)
    {
      note (import, setting, "%s %s", vp_config_key_name (key), error->message);
      return;
    }
  /* all in one layer: what contradicts itself there does here */
  import->set[key] = vp_config_set (import->config, key, text, source, 1, VP_ERROR_INVALID_ARGUMENT, NULL);
}

static void
store_array (Import *import, const Setting *setting, VpConfigKey key)
{
  const VpConfigRow *row = &vp_config_table[key];
  const char *separator = row->words != NULL ? row->words : ";";
  g_autofree char *text = NULL;

  if (row->type != VP_CONFIG_TYPE_LIST && row->type != VP_CONFIG_TYPE_PATH_LIST)
    {
      note (import, setting, "%s is not a list", vp_config_key_name (key));
      return;
    }
  for (const char *const *item = setting->value->items; *item != NULL; item++)
    {
      if (strstr (*item, separator) != NULL)
        {
          note (import, setting, "%s separates items by \"%s\", which one of them has", vp_config_key_name (key),
                separator);
          return;
        }
    }
  text = g_strjoinv (separator, (char **)setting->value->items);
  store (import, setting, key, text);
}

/* TRUE: @ret_text is theirs in our words. */
static gboolean
translate_word (Import *import, const Setting *setting, const char **ret_text)
{
  *ret_text = setting->value->text;
  for (const VpKataWord *word = vp_kata_words; word->name != NULL; word++)
    {
      if (!g_str_equal (word->name, setting->name) || !g_str_equal (word->theirs, setting->value->text))
        continue;
      if (word->ours == NULL)
        {
          note (import, setting, "\"%s\": %s", word->theirs, word->why);
          return FALSE;
        }
      *ret_text = word->ours;
    }
  return TRUE;
}

/* @how: what is behind the ":" in the table, or NULL. */
static void
apply (Import *import, const Setting *setting, VpConfigKey key, const char *how)
{
  const VpTomlValue *value = setting->value;
  g_autofree char *converted = NULL;
  const char *text;

  if (value->type == VP_TOML_ARRAY)
    {
      store_array (import, setting, key);
      return;
    }
  if (!translate_word (import, setting, &text))
    return;
  if (g_strcmp0 (how, "not") == 0 && value->type == VP_TOML_BOOLEAN)
    text = g_str_equal (text, "true") ? "false" : "true";
  else if (g_strcmp0 (how, "s") == 0)
    text = converted = g_strconcat (text, "s", NULL);
  else if (g_strcmp0 (how, "bits") == 0)
    text = converted = g_strdup_printf ("%" G_GUINT64_FORMAT, g_ascii_strtoull (text, NULL, 10) / 8);
  store (import, setting, key, text);
}

/* FALSE: no row of the table names it. */
static gboolean
apply_rows (Import *import, const Setting *setting)
{
  gboolean found = FALSE;

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      g_auto (GStrv) names = g_strsplit (vp_config_table[i].kata ?: "", " ", -1);

      for (char **name = names; *name != NULL; name++)
        {
          char *how = strchr (*name, ':');

          if (how != NULL)
            *how++ = '\0';
          if (g_str_equal (*name, setting->name))
            {
              apply (import, setting, (VpConfigKey)i, how);
              found = TRUE;
            }
        }
    }
  return found;
}

/* ---- what no row can say ---------------------------------------------------- */

static void
import_virtiofsd_args (Import *import, const Setting *setting)
{
  static const struct
  {
    const char *prefix;
    VpConfigKey key;
  } known[] = {
    { "--thread-pool-size=", VP_CONFIG_SHARE_THREAD_POOL_SIZE },
    { "--sandbox=", VP_CONFIG_SHARE_SANDBOX },
  };

  for (const char *const *arg = setting->value->items; arg != NULL && *arg != NULL; arg++)
    {
      gboolean found = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (known) && !found; i++)
        {
          found = g_str_has_prefix (*arg, known[i].prefix);
          if (found)
            store (import, setting, known[i].key, *arg + strlen (known[i].prefix));
        }
      if (!found)
        {
          g_autofree char *shown = g_strescape (*arg, NULL);
          note (import, setting, "\"%.80s\": libvirt makes virtiofsd's command line", shown);
        }
    }
}

static void
import_image_nvdimm (Import *import, const Setting *setting)
{
  store (import, setting, VP_CONFIG_GUEST_IMAGE_DRIVER,
         g_str_equal (setting->value->text, "true") ? "virtio-blk" : "nvdimm");
}

static gboolean
is_off (const VpTomlValue *value)
{
  static const char *const off[] = { "", "0", "false", NULL };

  if (value->items == NULL)
    return g_strv_contains (off, value->text);
  for (const char *const *item = value->items; *item != NULL; item++)
    {
      if ((*item)[0] != '\0')
        return FALSE;
    }
  return TRUE;
}

static void
explain_missing (Import *import, const Setting *setting)
{
  for (const VpKataMissing *row = vp_kata_missing; row->name != NULL; row++)
    {
      gsize length = strlen (row->name);
      gboolean same = row->name[length - 1] == '*' ? strncmp (setting->name, row->name, length - 1) == 0
                                                   : g_str_equal (setting->name, row->name);

      if (!same)
        continue;
      if (!is_off (setting->value) && g_strcmp0 (row->harmless, setting->value->text) != 0)
        note (import, setting, "%s", row->why);
      return;
    }
  note (import, setting, "is not known");
}

/* ---- sections --------------------------------------------------------------- */

/* @rest: "qemu.kernel". FALSE: the setting is of another hypervisor than the first. */
static gboolean
enter_hypervisor (Import *import, const Setting *setting, const char *rest)
{
  const char *dot = strchr (rest, '.');
  g_autofree char *kind = g_strndup (rest, (gsize)(dot - rest));

  if (import->hypervisor != NULL)
    {
      if (g_str_equal (import->hypervisor, kind))
        return TRUE;
      note (import, setting, "only [hypervisor.%s], which is the first, is read", import->hypervisor);
      return FALSE;
    }
  import->hypervisor = g_steal_pointer (&kind);
  if (g_str_equal (import->hypervisor, "clh") || g_str_equal (import->hypervisor, "cloud-hypervisor"))
    store (import, setting, VP_CONFIG_HYPERVISOR_URI, "ch:///system");
  else if (!g_str_equal (import->hypervisor, "qemu"))
    note (import, setting, "libvirt has no driver for this hypervisor; the values are taken for QEMU");
  return TRUE;
}

/* "hypervisor.qemu.kernel" to "hypervisor.kernel". NULL: not to be read. */
static char *
dup_name (Import *import, const Setting *setting)
{
  static const char hypervisor[] = "hypervisor.";
  const char *path = setting->path;
  const char *rest = path + strlen (hypervisor);

  /* not g_str_has_prefix(), of which gcc 14 infers that there may be no path */
  if (strncmp (path, hypervisor, strlen (hypervisor)) == 0 && strchr (rest, '.') != NULL)
    return enter_hypervisor (import, setting, rest) ? g_strconcat ("hypervisor", strchr (rest, '.'), NULL) : NULL;
  if (g_str_has_prefix (path, "agent.kata."))
    return g_strconcat ("agent.", path + strlen ("agent.kata."), NULL);
  return g_strdup (path);
}

static gboolean
import_one (const char *path, const VpTomlValue *value, guint line, gpointer user_data, GError **error)
{
  Import *import = user_data;
  Setting setting = { path, path, value, line };
  g_autofree char *name = dup_name (import, &setting);

  if (name == NULL)
    return TRUE;
  setting.name = name;
  if (g_str_equal (name, "hypervisor.virtio_fs_extra_args"))
    import_virtiofsd_args (import, &setting);
  else if (g_str_equal (name, "hypervisor.disable_image_nvdimm"))
    import_image_nvdimm (import, &setting);
  else if (!apply_rows (import, &setting))
    explain_missing (import, &setting);
  return TRUE;
}

/* ---- the text --------------------------------------------------------------- */

static char *
write_out (Import *import)
{
  GString *out = g_string_new (NULL);
  const char *group = "";

  g_string_append_printf (out, "# virtpod.conf(5), made from %s\n", import->file);
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      const VpConfigRow *row = &vp_config_table[i];

      if (!import->set[i])
        continue;
      if (!g_str_equal (group, row->group))
        g_string_append_printf (out, "\n[%s]\n", row->group);
      group = row->group;
      g_string_append_printf (out, "# %s\n%s=%s\n", vp_config_get_source (import->config, (VpConfigKey)i), row->key,
                              vp_config_get_string (import->config, (VpConfigKey)i));
    }
  g_string_append (out, g_str_equal (group, "annotations") ? "" : "\n[annotations]\n");
  g_string_append (out, "# Kata lets every workload use all of these; here none but the harmless ones.\n"
                        "#runtime=.*\n#agent=.*\n");
  return g_string_free (out, FALSE);
}

char *
vp_kata_import (const char *toml, gsize length, const char *name, char ***ret_notes, GError **error)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  Import import = { .file = name, .config = config, .notes = notes };
  gboolean right = vp_toml_parse (toml, length, name, import_one, &import, error);

  g_free (import.hypervisor);
  if (!right)
    return NULL;
  /* the agent of those images listens there and nowhere else */
  if (import.set[VP_CONFIG_GUEST_IMAGE] || import.set[VP_CONFIG_GUEST_INITRD])
    import.set[VP_CONFIG_AGENT_TRANSPORT]
        = vp_config_set (config, VP_CONFIG_AGENT_TRANSPORT, "vsock", "Kata's agent in the guest listens on vsock", 1,
                         VP_ERROR_INVALID_ARGUMENT, error);
  if (!vp_config_check (config, error))
    return NULL;
  g_ptr_array_add (notes, NULL);
  *ret_notes = (char **)g_ptr_array_steal (notes, NULL);
  return write_out (&import);
}
