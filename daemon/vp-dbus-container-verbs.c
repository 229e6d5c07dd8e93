/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include <unistd.h>

#include "vp-agent-names.h"
#include "vp-container-copy.h"
#include "vp-dbus-args.h"
#include "vp-dbus-job.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"

/* org.virtpod.Container1: what is done with one that is there */

/* ---- pause, resume, update ---- */

VP_DBUS_DONE_CALLBACK (on_pause_changed, VP_CONTAINER, vp_container_pause_finish)

static gboolean
handle_pause (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_container_pause_async (user_data, on_pause_changed, invocation);
  return TRUE;
}

static gboolean
handle_resume (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_container_resume_async (user_data, on_pause_changed, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_updated, VP_CONTAINER, vp_container_update_finish)

static gboolean
handle_update (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, const char *resources,
               gpointer user_data)
{
  vp_container_update_async (user_data, resources, on_updated, invocation);
  return TRUE;
}

/* ---- looking ---- */

static void
on_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) stats = vp_container_stats_finish (VP_CONTAINER (source), result, &error);

  if (stats != NULL)
    vp_dbus_container1_complete_get_stats (NULL, user_data, stats);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_get_stats (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_container_stats_async (user_data, on_stats, invocation);
  return TRUE;
}

static void
on_pids (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GArray) pids = vp_container_list_pids_finish (VP_CONTAINER (source), result, &error);

  if (pids != NULL)
    vp_dbus_container1_complete_list_pids (
        NULL, user_data,
        g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, pids->data, pids->len, sizeof (guint32)));
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_list_pids (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_container_list_pids_async (user_data, on_pids, invocation);
  return TRUE;
}

/* ---- files ---- */

/* our options and the agent's words for them */
typedef struct
{
  const char *key;
  const char *word;
} CopyOption;

static const CopyOption into[] = {
  { "no-overwrite", VP_TAR_NO_OVERWRITE },
  { "no-same-owner", VP_TAR_NO_SAME_OWNER },
  { "mkdir", VP_TAR_MKDIR },
  { "devices", VP_TAR_DEVICES },
};
static const CopyOption out_of[] = {
  { "dereference", VP_TAR_DEREFERENCE },
  { "one-file-system", VP_TAR_ONE_FILE_SYSTEM },
};
#define MAX_WORDS 4

static gboolean
take_words (GVariant *options, const CopyOption *known, guint n_known, const char *words[MAX_WORDS + 1],
            GError **error)
{
  VpDbusOption table[MAX_WORDS + 1] = { { NULL } };
  guint n = 0;

  for (guint i = 0; i < n_known; i++)
    table[i] = (VpDbusOption) { known[i].key, "b" };
  if (!vp_dbus_args_check (options, table, error))
    return FALSE;
  for (guint i = 0; i < n_known; i++)
    if (vp_dbus_args_get_flag (options, known[i].key))
      words[n++] = known[i].word;
  return TRUE;
}

static GCancellable *
begin_job (GDBusMethodInvocation *invocation, const char *operation)
{
  GCancellable *cancellable = vp_dbus_watch_caller (invocation);

  vp_dbus_job_begin (invocation, operation,
                     VP_DBUS_JOB_OBJECT (g_dbus_method_invocation_get_object_path (invocation)), cancellable);
  return cancellable;
}

VP_DBUS_DONE_CALLBACK (on_copied_in, VP_CONTAINER, vp_container_copy_finish)

static gboolean
handle_copy_in (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, GVariant *tar,
                const char *path, GVariant *options, gpointer user_data)
{
  const char *words[MAX_WORDS + 1] = { NULL };
  VpContainerCopy what = { .path = path, .options = words };
  GError *error = NULL;
  int fd = -1;

  if (take_words (options, into, G_N_ELEMENTS (into), words, &error))
    {
      what.as_container = vp_dbus_args_get_flag (options, "no-same-owner");
      fd = fds == NULL ? -1 : g_unix_fd_list_get (fds, g_variant_get_handle (tar), NULL);
      if (fd < 0)
        g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "tar: no file descriptor came with it");
    }
  if (error != NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_container_copy_async (user_data, &what, fd, begin_job (invocation, "copy-in"), on_copied_in, invocation);
  return TRUE;
}

static void
on_copied_out (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  int fd = vp_container_copy_finish (VP_CONTAINER (source), result, &error);
  g_autoptr (GUnixFDList) fds = NULL;

  if (fd < 0)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  vp_dbus_container1_complete_copy_out (NULL, user_data, fds, g_variant_new_handle (0));
}

static gboolean
handle_copy_out (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, const char *path,
                 GVariant *options, gpointer user_data)
{
  const char *words[MAX_WORDS + 1] = { NULL };
  VpContainerCopy what = { .out = TRUE, .path = path, .options = words };
  GError *error = NULL;

  if (!take_words (options, out_of, G_N_ELEMENTS (out_of), words, &error))
    vp_dbus_fail (invocation, error);
  else
    vp_container_copy_async (user_data, &what, -1, begin_job (invocation, "copy-out"), on_copied_out, invocation);
  return TRUE;
}

void
vp_dbus_container_add_verbs (VpDBusContainer1 *skeleton, VpContainer *container)
{
  vp_dbus_handle (skeleton, "handle-pause", handle_pause, container);
  vp_dbus_handle (skeleton, "handle-resume", handle_resume, container);
  vp_dbus_handle (skeleton, "handle-update", handle_update, container);
  vp_dbus_handle (skeleton, "handle-get-stats", handle_get_stats, container);
  vp_dbus_handle (skeleton, "handle-list-pids", handle_list_pids, container);
  vp_dbus_handle (skeleton, "handle-copy-in", handle_copy_in, container);
  vp_dbus_handle (skeleton, "handle-copy-out", handle_copy_out, container);
}
