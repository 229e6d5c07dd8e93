/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-standin-place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "place.h"
#include "vp-fd.h"
#include "vp-json-text.h"
#include "vp-names.h"

static gboolean
is_at_or_below (const char *path, const char *directory)
{
  gsize n = strlen (directory);

  return strncmp (path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* The kernel's own trees are those of the guest, and so is the container's shared memory. */
static gboolean
is_shared (const char *destination, const char *source)
{
  return !g_str_equal (destination, "/dev/shm") && !is_at_or_below (source, "/proc")
         && !is_at_or_below (source, "/sys") && !is_at_or_below (source, "/dev");
}

static GBytes *
make_packet (char kind, const char *destination, const char *source)
{
  GByteArray *packet = g_byte_array_new ();

  g_byte_array_append (packet, (const guint8 *) &kind, 1);
  if (destination != NULL)
    g_byte_array_append (packet, (const guint8 *) destination, (guint) strlen (destination) + 1);
  if (source != NULL)
    g_byte_array_append (packet, (const guint8 *) source, (guint) strlen (source) + 1);
  return g_byte_array_free_to_bytes (packet);
}

/* Of an array of the spec's, which is here one of variants. */
static gboolean
has_option (GVariant *options, const char *name)
{
  GVariantIter iter;
  GVariant *option;
  gboolean found = FALSE;

  if (options == NULL)
    return FALSE;
  g_variant_iter_init (&iter, options);
  while (!found && g_variant_iter_next (&iter, "v", &option))
    {
      found = g_variant_is_of_type (option, G_VARIANT_TYPE_STRING)
              && g_str_equal (g_variant_get_string (option, NULL), name);
      g_variant_unref (option);
    }
  return found;
}

static void
add_mount (VpStandinPlace *self, const char *bundle, GVariant *mount)
{
  g_autoptr (GVariant) options = g_variant_lookup_value (mount, "options", G_VARIANT_TYPE ("av"));
  g_autofree char *path = NULL;
  const char *destination = NULL;
  const char *source = "";
  const char *type = "";

  (void) g_variant_lookup (mount, "source", "&s", &source);
  (void) g_variant_lookup (mount, "type", "&s", &type);
  if (!g_variant_lookup (mount, "destination", "&s", &destination))
    return;
  if (!g_str_equal (type, "bind") && !g_str_equal (type, "rbind") && !has_option (options, "bind")
      && !has_option (options, "rbind"))
    {
      g_ptr_array_add (self->packets, make_packet (PLACE_COVER, destination, NULL));
      return;
    }
  path = g_canonicalize_filename (source, bundle);
  if (is_shared (destination, path))
    g_ptr_array_add (self->packets, make_packet (has_option (options, "ro") ? PLACE_BIND_READ_ONLY : PLACE_BIND,
                                                 destination, path));
  else
    g_ptr_array_add (self->packets, make_packet (PLACE_COVER, destination, NULL));
}

static void
add_mounts (VpStandinPlace *self, const char *bundle, GVariant *mounts)
{
  GVariantIter iter;
  GVariant *item;

  g_variant_iter_init (&iter, mounts);
  while (g_variant_iter_next (&iter, "v", &item))
    {
      if (g_variant_is_of_type (item, G_VARIANT_TYPE_VARDICT))
        add_mount (self, bundle, item);
      g_variant_unref (item);
    }
}

VpStandinPlace *
vp_standin_place_load (const char *bundle)
{
  VpStandinPlace *self = g_new0 (VpStandinPlace, 1);
  g_autofree char *directory = g_canonicalize_filename (bundle, NULL);
  g_autofree char *path = g_build_filename (directory, VP_FILE_OCI_CONFIG, NULL);
  VP_AUTO_FD fd = geteuid () == 0 ? vp_fd_open (path, O_RDONLY, path, NULL) : -1;
  g_autofree char *json = fd < 0 ? NULL : vp_fd_read_all (fd, VP_JSON_MAX_BYTES, path, NULL, NULL);
  g_autoptr (GVariant) root = json == NULL ? NULL : vp_json_parse_member (json, "root");
  g_autoptr (GVariant) mounts = json == NULL ? NULL : vp_json_parse_member (json, "mounts");
  const char *root_path = "";

  self->packets = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (root != NULL)
    g_variant_ref_sink (root);
  if (mounts != NULL)
    g_variant_ref_sink (mounts);
  if (root == NULL || !g_variant_is_of_type (root, G_VARIANT_TYPE_VARDICT)
      || !g_variant_lookup (root, "path", "&s", &root_path) || *root_path == '\0')
    return self;
  self->root = g_canonicalize_filename (root_path, directory);
  (void) g_variant_lookup (root, "readonly", "b", &self->read_only);
  if (mounts != NULL && g_variant_is_of_type (mounts, G_VARIANT_TYPE ("av")))
    add_mounts (self, directory, mounts);
  return self;
}

void
vp_standin_place_free (VpStandinPlace *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->packets);
  g_free (self->root);
  g_free (self->netns);
  g_free (self);
}

void
vp_standin_place_send (const VpStandinPlace *self, int control)
{
  const char end = self->read_only ? PLACE_END_READ_ONLY : PLACE_END;

  for (guint i = 0; i < self->packets->len; i++)
    {
      gsize size;
      const void *data = g_bytes_get_data (self->packets->pdata[i], &size);

      (void) send (control, data, size, MSG_NOSIGNAL);
    }
  (void) send (control, &end, 1, MSG_NOSIGNAL);
}
