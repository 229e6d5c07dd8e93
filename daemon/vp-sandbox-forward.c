/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-container-connect.h"
#include "vp-error.h"

/* Ports of the guest, which all containers share: which one stands for the sandbox
 * does not matter as long as the guest has it. */

static VpContainer *
find_container (VpSandbox *self, GError **error)
{
  for (guint i = 0; i < self->containers->len; i++)
    {
      VpContainerState state = vp_container_get_state (self->containers->pdata[i]);

      if (state == VP_CONTAINER_CREATED || state == VP_CONTAINER_RUNNING || state == VP_CONTAINER_PAUSED)
        return self->containers->pdata[i];
    }
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s sandbox \"%s\": none of its containers is there",
               vp_verb_to_string (VP_VERB_SANDBOX_FORWARD), self->id);
  return NULL;
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  int fd = vp_container_connect_finish (VP_CONTAINER (source), result, &error);

  if (fd < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, fd);
}

void
vp_sandbox_forward_async (VpSandbox *self, guint16 port, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  VpContainer *container = NULL;
  GError *error = NULL;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_FORWARD, &error))
    ;
  else if (port == 0)
    g_set_error_literal (&error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "port: must be 1 to 65535");
  else
    container = find_container (self, &error);
  if (container == NULL)
    g_task_return_error (task, error);
  else
    vp_container_connect_async (container, port, cancellable, on_connected, g_steal_pointer (&task));
}

int
vp_sandbox_forward_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
