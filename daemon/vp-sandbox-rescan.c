/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"

/* The guest gets what a start would give it now: interfaces that have gone from the
 * namespace (or are down) are taken out, those that have come are plugged in, and
 * of all it is told what they are. What fails does not keep the rest from being done. */

typedef struct
{
  GPtrArray *gone;     /* handles, to be taken out */
  GPtrArray *come;     /* interfaces, to be plugged in */
  guint next;          /* of both, one after the other */
  GPtrArray *attached; /* handles */
  GPtrArray *detached;
  VpNetwork *network; /* as it is at the end */
  GError *error;      /* the first */
} Rescan;

static void
rescan_free (gpointer data)
{
  Rescan *rescan = data;

  g_ptr_array_unref (rescan->gone);
  g_ptr_array_unref (rescan->come);
  g_ptr_array_unref (rescan->attached);
  g_ptr_array_unref (rescan->detached);
  g_clear_pointer (&rescan->network, vp_network_unref);
  g_clear_error (&rescan->error);
  g_free (rescan);
}

/* Takes @error, which may be NULL. */
static void
keep_error (Rescan *rescan, GError *error)
{
  if (error != NULL && rescan->error == NULL)
    rescan->error = error;
  else
    g_clear_error (&error);
}

/* Takes @task. */
static void
finish (GTask *task)
{
  Rescan *rescan = g_task_get_task_data (task);

  if (rescan->error != NULL)
    g_task_return_error (task, g_steal_pointer (&rescan->error));
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* ---- what all of them are ---- */

static void
on_told (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (VpSandbox) self = g_object_ref (g_task_get_source_object (task));
  GError *error = NULL;

  (void)vp_sandbox_tell_network_finish (self, result, &error);
  keep_error (g_task_get_task_data (task), error);
  finish (task);
  vp_sandbox_end_turn (self);
}

static void
tell_all (gpointer data)
{
  GTask *task = data;
  Rescan *rescan = g_task_get_task_data (task);
  g_autoptr (VpSandbox) self = g_object_ref (g_task_get_source_object (task));
  GError *error = NULL;

  if (vp_sandbox_check_verb (self, VP_VERB_SANDBOX_RESCAN, &error))
    {
      vp_sandbox_tell_network_async (self, rescan->network, NULL, on_told, task);
      return;
    }
  keep_error (rescan, error);
  finish (task);
  vp_sandbox_end_turn (self);
}

/* Things may have changed since the first look. */
static void
on_looked_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Rescan *rescan = g_task_get_task_data (task);
  VpNetNsId id;
  GError *error = NULL;

  rescan->network = vp_sandbox_look_finish (VP_SANDBOX (source), result, &id, &error);
  if (rescan->network != NULL && vp_sandbox_take_turn (VP_SANDBOX (source), tell_all, task, &error))
    return;
  keep_error (rescan, error);
  finish (task);
}

/* ---- one after the other ---- */

static void go_on (GTask *task);

static void
on_detached (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Rescan *rescan = g_task_get_task_data (task);
  GError *error = NULL;

  if (vp_sandbox_detach_nic_finish (VP_SANDBOX (source), result, &error))
    g_ptr_array_add (rescan->detached, g_strdup (rescan->gone->pdata[rescan->next]));
  /* it was on its way out already */
  else if (vp_error_is (error, VP_ERROR_NOT_FOUND)
           && vp_sandbox_find_nic (VP_SANDBOX (source), rescan->gone->pdata[rescan->next]) == NULL)
    g_clear_error (&error);
  keep_error (rescan, error);
  rescan->next++;
  go_on (task);
}

static void
on_attached (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Rescan *rescan = g_task_get_task_data (task);
  GError *error = NULL;
  char *handle = vp_sandbox_attach_nic_finish (VP_SANDBOX (source), result, &error);

  if (handle != NULL)
    g_ptr_array_add (rescan->attached, handle);
  /* somebody else was asked for the same */
  else if (vp_error_is (error, VP_ERROR_ALREADY_EXISTS)
           && vp_sandbox_find_pair_of (VP_SANDBOX (source), rescan->come->pdata[rescan->next - rescan->gone->len]) != NULL)
    g_clear_error (&error);
  keep_error (rescan, error);
  rescan->next++;
  go_on (task);
}

static void
go_on (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);
  Rescan *rescan = g_task_get_task_data (task);
  guint n_gone = rescan->gone->len;

  if (rescan->next < n_gone)
    vp_sandbox_detach_nic_async (self, rescan->gone->pdata[rescan->next], 0, on_detached, task);
  else if (rescan->next < n_gone + rescan->come->len)
    vp_sandbox_attach_nic_async (self, rescan->come->pdata[rescan->next - n_gone], on_attached, task);
  else
    vp_sandbox_look_async (self, on_looked_again, task);
}

static void
compare (VpSandbox *self, const VpNetwork *network, Rescan *rescan)
{
  const char *tap, *device;
  char *handle;

  for (guint i = 0; vp_sandbox_get_nic (self, i, &handle, &tap, &device); i++)
    if (device != NULL && vp_network_find_interface (network, device) == NULL)
      g_ptr_array_add (rescan->gone, handle);
    else
      g_free (handle);
  for (guint i = 0; i < vp_network_get_n_interfaces (network); i++)
    {
      const char *name = vp_network_get_interface (network, i)->name;
      const VpNetPair *pair = vp_sandbox_find_pair_of (self, name);

      /* one that is on its way out is plugged in again after that */
      if (pair == NULL || pair->changing)
        g_ptr_array_add (rescan->come, g_strdup (name));
    }
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  VpNetNsId id;
  GError *error = NULL;
  g_autoptr (VpNetwork) network = vp_sandbox_look_finish (VP_SANDBOX (source), result, &id, &error);

  if (network == NULL)
    {
      keep_error (g_task_get_task_data (task), error);
      finish (task);
      return;
    }
  compare (VP_SANDBOX (source), network, g_task_get_task_data (task));
  go_on (task);
}

void
vp_sandbox_rescan_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data); /* owned by finish () */
  Rescan *rescan = g_new0 (Rescan, 1);
  GError *error = NULL;

  rescan->gone = g_ptr_array_new_with_free_func (g_free);
  rescan->come = g_ptr_array_new_with_free_func (g_free);
  rescan->attached = g_ptr_array_new_with_free_func (g_free);
  rescan->detached = g_ptr_array_new_with_free_func (g_free);
  g_task_set_task_data (task, rescan, rescan_free);
  if (vp_sandbox_check_verb (self, VP_VERB_SANDBOX_RESCAN, &error))
    {
      vp_sandbox_look_async (self, on_looked, task);
      return;
    }
  keep_error (rescan, error);
  finish (task);
}

static char **
take_strv (GPtrArray *array)
{
  g_ptr_array_add (array, NULL);
  return g_strdupv ((char **)array->pdata);
}

gboolean
vp_sandbox_rescan_finish (VpSandbox *self, GAsyncResult *result, char ***ret_attached, char ***ret_detached,
                          GError **error)
{
  Rescan *rescan = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  *ret_attached = take_strv (rescan->attached);
  *ret_detached = take_strv (rescan->detached);
  return TRUE;
}
