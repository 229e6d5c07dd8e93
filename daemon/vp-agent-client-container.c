/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-client.h"

#include <stdlib.h>
#include <string.h>

#include "agent.pb-c.h"
#include "vp-agent-call.h"
#include "vp-agent-error.h"
#include "vp-agent-stats.h"
#include "vp-error.h"
#include "vp-agent-names.h"

/* The calls about a container that runs: its cgroup, what it uses, what is in it. */

/* as many as the kernel's pid_max is without further ado */
#define PIDS_MAX 32768

void
vp_agent_client_pause_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__PauseContainerRequest request = GRPC__PAUSE_CONTAINER_REQUEST__INIT;

  request.container_id = (char *) cid;
  vp_agent_client_call_async (self, VP_RPC_PAUSE_CONTAINER, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_resume_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__ResumeContainerRequest request = GRPC__RESUME_CONTAINER_REQUEST__INIT;

  request.container_id = (char *) cid;
  vp_agent_client_call_async (self, VP_RPC_RESUME_CONTAINER, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_update_container_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_UPDATE_CONTAINER, request, timeout_ms, cancellable, callback,
                                     user_data);
}

void
vp_agent_client_stats_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__StatsContainerRequest request = GRPC__STATS_CONTAINER_REQUEST__INIT;

  request.container_id = (char *) cid;
  vp_agent_client_call_async (self, VP_RPC_STATS_CONTAINER, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

GVariant *
vp_agent_client_stats_container_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);

  if (answer == NULL)
    return NULL;
  return g_variant_ref_sink (vp_agent_stats_to_variant ((Grpc__StatsContainerResponse *) answer));
}

/* ---- what is in it ---- */

void
vp_agent_client_list_pids_async (VpAgentClient *self, const char *cid, guint timeout_ms, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__GetDiagnosticDataRequest request = GRPC__GET_DIAGNOSTIC_DATA_REQUEST__INIT;

  request.log_type = (char *) VP_DIAGNOSTIC_PIDS;
  request.container_id = (char *) cid;
  vp_agent_client_call_async (self, VP_RPC_GET_DIAGNOSTIC_DATA, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

GArray *
vp_agent_client_list_pids_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (guint32));
  const char *text;

  if (answer == NULL)
    return NULL;
  for (text = ((Grpc__GetDiagnosticDataResponse *) answer)->data; *text != '\0';)
    {
      guint64 pid = 0;
      gsize digits = 0;

      for (; digits <= 10 && g_ascii_isdigit (text[digits]); digits++)
        pid = pid * 10 + (guint64) (text[digits] - '0');
      if (pid == 0 || pid > G_MAXINT32 || (text[digits] != '\n' && text[digits] != '\0'))
        {
          g_set_error_literal (error, VP_ERROR, VP_ERROR_AGENT_FAILED,
                               "GetDiagnosticData: the answer is not a list of pids");
          return NULL;
        }
      if (pids->len >= PIDS_MAX)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "GetDiagnosticData: more than %u processes", PIDS_MAX);
          return NULL;
        }
      g_array_append_vals (pids, &(guint32) { (guint32) pid }, 1);
      text += digits + (text[digits] == '\n');
    }
  return g_steal_pointer (&pids);
}

/* ---- what concerns the whole guest ---- */

void
vp_agent_client_disown_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__GetDiagnosticDataRequest request = GRPC__GET_DIAGNOSTIC_DATA_REQUEST__INIT;

  request.log_type = (char *) VP_DIAGNOSTIC_DISOWN;
  vp_agent_client_call_async (self, VP_RPC_GET_DIAGNOSTIC_DATA, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_get_metrics_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__GetMetricsRequest request = GRPC__GET_METRICS_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_GET_METRICS, &request.base, timeout_ms, cancellable, callback, user_data);
}

char *
vp_agent_client_get_metrics_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);

  /* a text the size of an answer at the most; D-Bus takes nothing that is not UTF-8 */
  return answer == NULL ? NULL : g_utf8_make_valid (((Grpc__Metrics *) answer)->metrics, -1);
}

void
vp_agent_client_get_oom_event_async (VpAgentClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  Grpc__GetOOMEventRequest request = GRPC__GET_OOMEVENT_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_GET_OOM_EVENT, &request.base, 0, cancellable, callback, user_data);
}

char *
vp_agent_client_get_oom_event_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  const char *cid;

  if (answer == NULL)
    return NULL;
  cid = ((Grpc__OOMEvent *) answer)->container_id;
  return vp_agent_text_sanitise (cid, strlen (cid), VP_AGENT_TEXT_MAX);
}
