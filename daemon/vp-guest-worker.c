/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-worker.h"

#include <gio/gunixinputstream.h>
#include <string.h>

#include "vp-error.h"

#define MAX_REASON 512

/* ---- why it failed -------------------------------------------------------- */

static void
return_reason (GTask *task, const char *text, gsize len)
{
  g_autofree char *lines = g_strchomp (g_strndup (text, len));
  const char *last = strrchr (lines, '\n');
  g_autofree char *shown = vp_error_shown (last != NULL ? last + 1 : lines);

  g_task_return_pointer (task, g_strdup (*shown != '\0' ? shown : "the guest does not say why"), g_free);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GBytes) text = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, NULL);
  gsize len = 0;
  const char *data = text != NULL ? g_bytes_get_data (text, &len) : NULL;

  return_reason (task, data != NULL ? data : "", len);
}

void
vp_guest_worker_reason_async (VpProcess *process, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (process, NULL, callback, user_data);
  int ends[VP_STDIO_N_STREAMS] = { -1, -1, -1 };
  g_autoptr (GInputStream) stream = NULL;

  g_task_set_source_tag (task, vp_guest_worker_reason_async);
  if (!vp_stdio_attach (vp_process_get_stdio (process), 1u << VP_STDIO_STDERR, ends, NULL) || ends[VP_STDIO_STDERR] < 0)
    {
      return_reason (task, "", 0);
      return;
    }
  stream = g_unix_input_stream_new (ends[VP_STDIO_STDERR], TRUE);
  g_input_stream_read_bytes_async (stream, MAX_REASON, G_PRIORITY_DEFAULT, NULL, on_read, g_steal_pointer (&task));
}

char *
vp_guest_worker_reason_finish (VpProcess *process, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* ---- what it wrote ----------------------------------------------------------- */

static void wait_for_reader (GTask *task);

static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_stdio_drain_finish (VP_STDIO (source), result, &error) && vp_error_is (error, VP_ERROR_TIMED_OUT)
      && vp_agent_client_is_open (g_task_get_task_data (task)))
    wait_for_reader (task);
  else
    g_task_return_boolean (task, TRUE);
}

static void
wait_for_reader (GTask *task)
{
  VpProcess *process = g_task_get_source_object (task);

  vp_stdio_drain_async (vp_process_get_stdio (process), NULL, on_drained, g_object_ref (task));
}

void
vp_guest_worker_drain_async (VpProcess *process, VpAgentClient *agent, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (process, NULL, callback, user_data);

  g_task_set_source_tag (task, vp_guest_worker_drain_async);
  g_task_set_task_data (task, g_object_ref (agent), g_object_unref);
  wait_for_reader (task);
}

void
vp_guest_worker_drain_finish (VpProcess *process, GAsyncResult *result)
{
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
