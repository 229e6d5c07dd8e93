/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-usage.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vp-error.h"

/* What an object path is called. */
typedef struct
{
  char *id;
  char *sandbox;
  gboolean is_sandbox;
} Name;

typedef struct
{
  guint64 cpu, time;
} Before;

struct _VpUsage
{
  VpClient *client;
  char **ids;
  GHashTable *names;  /* object path -> Name */
  GHashTable *before; /* object path -> Before */
  GArray *rows;       /* VpUsageRow */
};

static void
name_free (gpointer data)
{
  Name *name = data;

  g_free (name->id);
  g_free (name->sandbox);
  g_free (name);
}

static void
row_clear (gpointer data)
{
  g_variant_unref (((VpUsageRow *) data)->stats);
}

VpUsage *
vp_usage_new (VpClient *client)
{
  VpUsage *self = g_new0 (VpUsage, 1);

  self->client = client;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, name_free);
  self->before = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->rows = g_array_new (FALSE, TRUE, sizeof (VpUsageRow));
  g_array_set_clear_func (self->rows, row_clear);
  return self;
}

void
vp_usage_free (VpUsage *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->rows);
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->before);
  g_free (self);
}

static void
add_name (VpUsage *self, const char *path, const char *id, const char *sandbox, gboolean is_sandbox)
{
  Name *name = g_new0 (Name, 1);

  name->id = g_strdup (id);
  name->sandbox = g_strdup (sandbox);
  name->is_sandbox = is_sandbox;
  g_hash_table_replace (self->names, g_strdup (path), name);
}

/* Rows have paths, people have ids: the lists have both. */
static gboolean
load_names (VpUsage *self, VpDBusManager1 *manager, GError **error)
{
  g_autoptr (GVariant) sandboxes = NULL;
  g_autoptr (GVariant) containers = NULL;
  const char *id, *sandbox, *path;
  GVariantIter iter;

  if (!vp_dbus_manager1_call_list_sandboxes_sync (manager, g_variant_new ("a{ss}", NULL), &sandboxes, NULL, error)
      || !vp_dbus_manager1_call_list_containers_sync (manager, g_variant_new ("a{ss}", NULL), &containers, NULL,
                                                      error))
    return FALSE;
  g_hash_table_remove_all (self->names);
  g_variant_iter_init (&iter, sandboxes);
  while (g_variant_iter_next (&iter, "(&s&s&st&o)", &id, NULL, NULL, NULL, &path))
    add_name (self, path, id, id, TRUE);
  g_variant_iter_init (&iter, containers);
  while (g_variant_iter_next (&iter, "(&s&s&s&sut&o)", &id, &sandbox, NULL, NULL, NULL, NULL, &path))
    add_name (self, path, id, sandbox, FALSE);
  return TRUE;
}

static gboolean
is_chosen (VpUsage *self, const Name *name)
{
  return self->ids == NULL || g_strv_contains ((const char *const *) self->ids, name->id)
         || g_strv_contains ((const char *const *) self->ids, name->sandbox);
}

static gboolean
exists (VpUsage *self, const char *id)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (g_str_equal (((Name *) value)->id, id))
      return TRUE;
  return FALSE;
}

gboolean
vp_usage_choose (VpUsage *self, char **ids, GError **error)
{
  VpDBusManager1 *manager = vp_client_get_manager (self->client, error);

  if (manager == NULL || !load_names (self, manager, error))
    return FALSE;
  for (char **id = ids; *id != NULL; id++)
    if (!exists (self, *id))
      {
        g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, _("\"%s\": there is no such container or sandbox"), *id);
        return FALSE;
      }
  self->ids = *ids == NULL ? NULL : ids;
  return TRUE;
}

/* The guests nobody asked about are not woken. */
static GVariant *
make_options (VpUsage *self, gboolean sandboxes)
{
  GVariantBuilder builder, list;
  GHashTableIter iter;
  gpointer value;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (self->ids != NULL)
    {
      g_variant_builder_init (&list, G_VARIANT_TYPE_STRING_ARRAY);
      g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

      g_hash_table_iter_init (&iter, self->names);
      while (g_hash_table_iter_next (&iter, NULL, &value))
        if (is_chosen (self, value) && g_hash_table_add (seen, ((Name *) value)->sandbox))
          g_variant_builder_add (&list, "s", ((Name *) value)->sandbox);
      g_variant_builder_add (&builder, "{sv}", "sandboxes", g_variant_builder_end (&list));
    }
  if (!sandboxes)
    g_variant_builder_add (&builder, "{sv}", "containers", g_variant_new_boolean (TRUE));
  return g_variant_builder_end (&builder);
}

static double
cpu_percent (VpUsage *self, const char *path, GVariant *stats, const char *key)
{
  Before now = { 0 };
  Before *before = g_hash_table_lookup (self->before, path);
  double percent = -1;

  if (!g_variant_lookup (stats, key, "t", &now.cpu) || !g_variant_lookup (stats, "time-usec", "t", &now.time))
    return -1;
  if (before != NULL && now.time > before->time && now.cpu >= before->cpu)
    percent = 100.0 * (double) (now.cpu - before->cpu) / (double) (now.time - before->time);
  g_hash_table_replace (self->before, g_strdup (path), g_memdup2 (&now, sizeof now));
  return percent;
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const VpUsageRow *left = a, *right = b;
  int order = strcmp (left->sandbox, right->sandbox);

  return order != 0 ? order : strcmp (left->id, right->id);
}

gboolean
vp_usage_sample (VpUsage *self, gboolean sandboxes, GError **error)
{
  VpDBusManager1 *manager = vp_client_get_manager (self->client, error);
  g_autoptr (GVariant) reply = NULL;
  const char *path;
  GVariantIter iter;
  GVariant *stats;

  g_array_set_size (self->rows, 0);
  if (manager == NULL || !load_names (self, manager, error)
      || !vp_dbus_manager1_call_get_stats_sync (manager, make_options (self, sandboxes), &reply, NULL, error))
    return FALSE;
  g_variant_iter_init (&iter, reply);
  while (g_variant_iter_loop (&iter, "{&o@a{sv}}", &path, &stats))
    {
      const Name *name = g_hash_table_lookup (self->names, path);
      VpUsageRow row = { 0 };

      if (name == NULL || name->is_sandbox != sandboxes || !is_chosen (self, name))
        continue;
      row.id = name->id;
      row.sandbox = name->sandbox;
      row.is_sandbox = name->is_sandbox;
      row.stats = g_variant_ref (stats);
      row.cpu_percent = cpu_percent (self, path, stats, sandboxes ? "vm.cpu-usage-usec" : "cpu.usage-usec");
      g_array_append_val (self->rows, row);
    }
  g_array_sort (self->rows, compare_rows);
  return TRUE;
}

const VpUsageRow *
vp_usage_get_rows (VpUsage *self, guint *ret_n)
{
  *ret_n = self->rows->len;
  return (const VpUsageRow *) (gpointer) self->rows->data;
}
