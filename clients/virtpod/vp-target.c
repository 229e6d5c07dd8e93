/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-target.h"

#include <glib/gi18n.h>

#include "vp-error.h"
#include "vp-names.h"

void
vp_target_clear (VpTarget *self)
{
  g_clear_object (&self->sandbox);
  g_clear_object (&self->container);
}

static gboolean
find_one (VpTarget *self, VpClient *client, const char *id, gboolean container, GError **error)
{
  if (container)
    self->container = vp_client_find_container (client, id, error);
  else
    self->sandbox = vp_client_find_sandbox (client, id, error);
  return self->container != NULL || self->sandbox != NULL;
}

gboolean
vp_target_find (VpTarget *self, VpClient *client, const char *id, VpTargetOrder order, GError **error)
{
  gboolean container = order == VP_TARGET_CONTAINER_FIRST;
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  if (find_one (self, client, id, container, &first))
    return TRUE;
  if (order != VP_TARGET_SANDBOX_ONLY && vp_error_is (first, VP_ERROR_NOT_FOUND)
      && find_one (self, client, id, !container, &second))
    return TRUE;
  g_propagate_error (error, second != NULL && !vp_error_is (second, VP_ERROR_NOT_FOUND)
                                ? g_steal_pointer (&second)
                                : g_steal_pointer (&first));
  return FALSE;
}

const char *
vp_target_get_path (VpTarget *self)
{
  return g_dbus_proxy_get_object_path (self->container != NULL ? G_DBUS_PROXY (self->container)
                                                               : G_DBUS_PROXY (self->sandbox));
}

char *
vp_target_dup_sandbox_path (VpTarget *self, VpClient *client, GError **error)
{
  const char *path = vp_target_get_path (self);
  g_autoptr (GVariant) properties = NULL;
  char *sandbox = NULL;

  if (self->container == NULL)
    return g_strdup (path);
  properties = vp_client_get_properties (client, path, VP_IFACE_CONTAINER, error);
  if (properties != NULL && !g_variant_lookup (properties, "Sandbox", "o", &sandbox))
    g_set_error (error, VP_ERROR, VP_ERROR_FAILED, _("%s: its sandbox is not told"), path);
  return sandbox;
}
