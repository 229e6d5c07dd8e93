/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-log.h"
#include "vp-net-door.h"
#include "vp-net-file.h"
#include "vp-planner.h"
#include "vp-pump.h"

/* Who is in the sandbox's network namespace and connects to its loopback device is
 * led to the guest's (network.loopback-forward): there an engine looks for what
 * listens in a pod. It is PortForward without a call, once for each connection. */

/* At a time; PortForward has the rest of a container's. */
#define MAX_VISITS 32

/* Of a sandbox that runs, until it does not or the namespace is to go. The sandbox holds
 * it, each of its visits does, and so does the job that opens the door. */
struct _VpSandboxDoor
{
  VpSandbox *sandbox;    /* borrowed; NULL: closed */
  VpNetDoor *door;       /* NULL: not open yet, or closed */
  VpNetFile *file;       /* that the namespace is kept by */
  GCancellable *cancellable;
  GQueue visits;
};

typedef struct
{
  VpSandboxDoor *door;
  guint16 port;
  int fd;       /* belongs to the pump, if there is one; -1: broken off with the door */
  VpPump *pump; /* NULL: the guest is not connected yet */
  GList link;
} Visit;

static void
door_clear (gpointer data)
{
  VpSandboxDoor *self = data;

  g_clear_object (&self->cancellable);
}

static void
door_unref (gpointer self)
{
  g_rc_box_release_full (self, door_clear);
}

/* ---- visits ---- */

static void
visit_free (Visit *visit)
{
  VpSandboxDoor *self = visit->door;

  g_queue_unlink (&self->visits, &visit->link);
  if (visit->pump == NULL)
    vp_fd_clear (&visit->fd);
  g_clear_pointer (&visit->pump, vp_pump_free);
  if (self->door != NULL)
    vp_net_door_left (self->door);
  g_free (visit);
  door_unref (self);
}

static void
on_pumped (VpPump *pump, gpointer user_data)
{
  visit_free (user_data);
}

static void
on_forwarded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *sandbox = VP_SANDBOX (source);
  Visit *visit = user_data;
  g_autoptr (GError) error = NULL;
  VP_AUTO_FD guest = vp_sandbox_forward_finish (sandbox, result, &error);

  if (guest < 0)
    vp_info (sandbox->id, NULL, "connection to port %u in its namespace: %s", visit->port, error->message);
  if (guest >= 0 && visit->fd >= 0)
    {
      visit->pump = vp_pump_new (visit->fd, vp_fd_steal (&guest), on_pumped, visit);
      return;
    }
  if (visit->fd >= 0)
    vp_net_door_break_off (visit->fd);
  visit_free (visit);
}

static void
on_visitor (int fd, guint16 port, gpointer user_data)
{
  VpSandboxDoor *self = user_data;
  Visit *visit = g_new0 (Visit, 1);

  visit->door = g_rc_box_acquire (self);
  visit->fd = fd;
  visit->port = port;
  visit->link.data = visit;
  g_queue_push_tail_link (&self->visits, &visit->link);
  vp_sandbox_forward_async (self->sandbox, port, self->cancellable, on_forwarded, visit);
}

/* ---- the door ---- */

/* Lets go of the namespace: no socket is left in it, not even for what is still to be sent. */
static void
close_door (VpSandboxDoor *self)
{
  GList *next;

  self->sandbox = NULL;
  g_clear_pointer (&self->file, vp_net_file_free);
  g_clear_pointer (&self->door, vp_net_door_free);
  for (GList *link = self->visits.head; link != NULL; link = next)
    {
      Visit *visit = link->data;

      next = link->next;
      if (visit->fd >= 0)
        vp_net_door_break_off (visit->fd);
      if (visit->pump != NULL)
        visit_free (visit);
      else
        vp_fd_clear (&visit->fd);
    }
  g_cancellable_cancel (self->cancellable);
}

/* Closed, it stays the sandbox's: no other is opened in a namespace that was to go. */
static void
on_file_gone (gpointer user_data)
{
  VpSandboxDoor *self = user_data;

  vp_info (self->sandbox->id, NULL, "its network namespace is to go: nobody in there is led to the guest any more");
  close_door (self);
}

static void
open_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  VpNetDoor *door = vp_net_door_open (task_data, &error);

  if (door == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, door, (GDestroyNotify)vp_net_door_free);
}

/* What a kernel cannot it cannot for any sandbox. */
static void
tell_why_not (VpSandbox *sandbox, const GError *error)
{
  static gboolean told;

  if (!vp_error_is (error, VP_ERROR_NOT_SUPPORTED))
    vp_info (sandbox->id, NULL, "who is in its network namespace is not led to the guest: %s", error->message);
  else if (!told)
    {
      told = TRUE;
      vp_notice (NULL, NULL, "nobody in a network namespace is led to its guest (network.loopback-forward): %s",
                 error->message);
    }
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandboxDoor *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpNetDoor) door = g_task_propagate_pointer (G_TASK (result), &error);

  if (self->sandbox != NULL && door == NULL)
    tell_why_not (self->sandbox, error);
  else if (self->sandbox != NULL)
    {
      self->door = g_steal_pointer (&door);
      vp_net_door_serve (self->door, MAX_VISITS, on_visitor, self);
    }
  g_task_return_boolean (task, TRUE);
}

static gboolean
wants_door (VpSandbox *self)
{
  return self->door == NULL && vp_sandbox_get_network_namespace (self) != NULL
         && vp_config_get_bool (self->config, VP_CONFIG_NETWORK_LOOPBACK_FORWARD)
         && vp_planner_wants_namespace (self->spec, self->config);
}

void
vp_sandbox_open_door_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  const char *path = vp_sandbox_get_network_namespace (self);
  g_autoptr (GError) error = NULL;
  VpSandboxDoor *door;

  if (!wants_door (self))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  door = self->door = g_rc_box_new0 (VpSandboxDoor);
  door->sandbox = self;
  door->cancellable = g_cancellable_new ();
  g_queue_init (&door->visits);
  door->file = vp_net_file_watch (path, on_file_gone, door, &error);
  if (door->file == NULL)
    {
      tell_why_not (self, error);
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_task_set_task_data (task, g_rc_box_acquire (door), door_unref);
  vp_worker_run_async (self->services->worker, self, vp_sandbox_open_door_async, open_in_worker, g_strdup (path), g_free,
                       door->cancellable, on_opened, g_steal_pointer (&task));
}

void
vp_sandbox_open_door_finish (VpSandbox *self, GAsyncResult *result)
{
  (void)g_task_propagate_boolean (G_TASK (result), NULL);
}

void
vp_sandbox_close_door (VpSandbox *self)
{
  VpSandboxDoor *door = g_steal_pointer (&self->door);

  if (door == NULL)
    return;
  close_door (door);
  door_unref (door);
}

/* ---- as a step ---- */

static void
on_step_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_sandbox_open_door_finish (VP_SANDBOX (source), result);
  vp_step_done (user_data, NULL);
}

/* While the guest boots: who comes before it is ready is refused. */
void
vp_sandbox_run_door (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  vp_sandbox_open_door_async (owner, on_step_opened, steps);
}

void
vp_sandbox_undo_door (gpointer owner, VpSteps *steps)
{
  vp_sandbox_close_door (owner);
  vp_step_done (steps, NULL);
}
