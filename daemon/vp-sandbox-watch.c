/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <unistd.h>

#include "vp-error.h"
#include "vp-log.h"

/* Looking at the network namespace whenever something in it has changed, while
 * the sandbox is ready (network.watch). What was found and dealt with last is kept:
 * taps that come and go are changes too, and must not be the cause of more. */

static void look (VpSandbox *self);

static void
look_ended (VpSandbox *self)
{
  self->watch.looking = FALSE;
  if (self->watch.again)
    look (self);
}

static void
on_rescanned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = VP_SANDBOX (user_data);
  g_auto (GStrv) attached = NULL;
  g_auto (GStrv) detached = NULL;
  g_autoptr (GError) error = NULL;

  if (!vp_sandbox_rescan_finish (self, result, &attached, &detached, &error) && self->state == VP_SANDBOX_READY)
    vp_warning (self->id, NULL, "its network has changed, and the guest's is not the same: %s", error->message);
  look_ended (self);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = VP_SANDBOX (user_data);
  g_autoptr (GError) error = NULL;
  VpNetNsId id;
  g_autoptr (VpNetwork) network = vp_sandbox_look_finish (self, result, &id, &error);
  g_autofree char *found = network != NULL ? vp_network_to_json (network) : NULL;

  if (network == NULL)
    vp_info (self->id, NULL, "its network namespace: %s", error->message);
  else if (g_strcmp0 (found, self->watch.found) != 0)
    {
      g_free (self->watch.found);
      self->watch.found = g_steal_pointer (&found);
      vp_sandbox_rescan_async (self, on_rescanned, g_object_ref (self));
      return;
    }
  look_ended (self);
}

/* Now, or once more when the look that is under way is over. */
static void
look (VpSandbox *self)
{
  self->watch.again = self->watch.looking && self->watch.watch != NULL;
  if (self->watch.looking || self->watch.watch == NULL)
    return;
  self->watch.looking = TRUE;
  vp_sandbox_look_async (self, on_looked, g_object_ref (self));
}

static void
on_change (gpointer user_data)
{
  look (user_data);
}

static void
open_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  int fd = vp_net_watch_open (task_data, &error);

  if (fd < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, fd);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;
  int fd = (int)g_task_propagate_int (G_TASK (result), &error);

  self->watch.opening = FALSE;
  if (fd < 0)
    vp_warning (self->id, NULL, "its network is not watched: %s", error->message);
  else if (self->state != VP_SANDBOX_READY || self->watch.watch != NULL)
    (void)close (fd);
  else
    {
      self->watch.watch = vp_net_watch_new (fd, on_change, self);
      look (self); /* what happened before */
    }
}

void
vp_sandbox_watch_network (VpSandbox *self)
{
  const char *path = vp_sandbox_get_network_namespace (self);

  if (self->state != VP_SANDBOX_READY)
    {
      g_clear_pointer (&self->watch.watch, vp_net_watch_free);
      return;
    }
  if (path == NULL || self->watch.watch != NULL || self->watch.opening
      || !vp_config_get_bool (self->config, VP_CONFIG_NETWORK_WATCH)
      || !g_str_equal (vp_config_get_string (self->config, VP_CONFIG_NETWORK_MODEL), vp_net_tcfilter.name))
    return;
  self->watch.opening = TRUE;
  vp_worker_run_async (self->services->worker, self, vp_sandbox_watch_network, open_in_worker, g_strdup (path), g_free,
                       NULL, on_opened, NULL);
}
