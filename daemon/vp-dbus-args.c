/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-args.h"

#include <string.h>

#include "vp-error.h"
#include "vp-fd.h"

#define MAX_LABELS 64
#define MAX_LABEL_BYTES 256

static const VpDbusOption *
find_option (const VpDbusOption *table, const char *key)
{
  for (; table->key != NULL; table++)
    if (g_str_equal (table->key, key))
      return table;
  return NULL;
}

gboolean
vp_dbus_args_check (GVariant *options, const VpDbusOption *table, GError **error)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      G_GNUC_UNUSED g_autoptr (GVariant) owned = value;
      const VpDbusOption *option = find_option (table, key);

      if (option == NULL)
        {
          g_autofree char *shown = g_strescape (key, NULL);
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"%.80s\": is not known here", shown);
          return FALSE;
        }
      if (!g_variant_is_of_type (value, G_VARIANT_TYPE (option->type)))
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"%s\": has type \"%s\", must be \"%s\"", key,
                       g_variant_get_type_string (value), option->type);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
vp_dbus_args_get_flag (GVariant *options, const char *key)
{
  gboolean value = FALSE;

  (void) g_variant_lookup (options, key, "b", &value);
  return value;
}

/* -1 with @error set. */
static int
dup_descriptor (GUnixFDList *fds, gint32 handle, const char *key, GError **error)
{
  int fd;

  if (fds == NULL || handle < 0 || handle >= g_unix_fd_list_get_length (fds))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"%s\": no file descriptor came with it", key);
      return -1;
    }
  fd = g_unix_fd_list_get (fds, handle, error);
  if (fd >= 0)
    return fd;
  g_prefix_error (error, "option \"%s\": ", key);
  if (error != NULL)
    *error = vp_error_adopt (*error, VP_ERROR_RESOURCE_EXHAUSTED);
  return -1;
}

gboolean
vp_dbus_args_get_mount_ns (GVariant *options, GUnixFDList *fds, guint32 uid, VpMountNs **ret_ns, GError **error)
{
  static const char key[] = "mount-namespace";
  g_autoptr (VpMountNs) ns = NULL;
  VP_AUTO_FD fd = -1;
  gint32 handle;

  *ret_ns = NULL;
  if (!g_variant_lookup (options, key, "h", &handle))
    return TRUE;
  fd = dup_descriptor (fds, handle, key, error);
  if (fd < 0 || !vp_mount_ns_open (fd, "option \"mount-namespace\"", &ns, error))
    return FALSE;
  if (ns != NULL && uid != 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_AUTHORIZED,
                   "option \"%s\": is another one than the daemon's, which only root may ask for", key);
      return FALSE;
    }
  *ret_ns = g_steal_pointer (&ns);
  return TRUE;
}

VpStreams *
vp_dbus_args_dup_streams (GVariant *options, GUnixFDList *fds, GError **error)
{
  g_autoptr (VpStreams) streams = vp_streams_new ();
  guint32 standin = 0;

  if (g_variant_lookup (options, "standin-pid", "u", &standin) && (standin == 0 || standin > G_MAXINT32))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"standin-pid\": %u is not a process id", standin);
      return NULL;
    }
  streams->standin = (pid_t) standin;
  for (int i = 0; i < VP_N_STREAMS; i++)
    {
      g_autofree char *path_key = g_strconcat (vp_stream_name (i), "-path", NULL);
      const char *path;
      gint32 handle;

      if (g_variant_lookup (options, path_key, "&s", &path))
        {
          if (!vp_streams_set_path (streams, i, path, error))
            return NULL;
        }
      if (!g_variant_lookup (options, vp_stream_name (i), "h", &handle))
        continue;
      if (vp_streams_is_set (streams, i))
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"%s\": \"%s\" is given too",
                       vp_stream_name (i), path_key);
          return NULL;
        }
      {
        int fd = dup_descriptor (fds, handle, vp_stream_name (i), error);

        if (fd < 0)
          return NULL;
        vp_streams_take_fd (streams, i, fd);
      }
    }
  return g_steal_pointer (&streams);
}

GHashTable *
vp_dbus_args_dup_labels (GVariant *options, GError **error)
{
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GVariant) dict = g_variant_lookup_value (options, "labels", G_VARIANT_TYPE ("a{ss}"));
  GVariantIter iter;
  const char *key, *value;

  if (dict == NULL)
    return g_steal_pointer (&labels);
  g_variant_iter_init (&iter, dict);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, &value))
    {
      if (*key == '\0' || strlen (key) > MAX_LABEL_BYTES || strlen (value) > MAX_LABEL_BYTES)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                       "option \"labels\": names and values have 1 to %d bytes", MAX_LABEL_BYTES);
          return NULL;
        }
      g_hash_table_replace (labels, g_strdup (key), g_strdup (value));
      if (g_hash_table_size (labels) > MAX_LABELS)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "option \"labels\": more than %d", MAX_LABELS);
          return NULL;
        }
    }
  return g_steal_pointer (&labels);
}
