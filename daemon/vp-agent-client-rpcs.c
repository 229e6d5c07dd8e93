/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-client.h"

#include <string.h>

#include "agent.pb-c.h"
#include "health.pb-c.h"
#include "vp-agent-call.h"
#include "vp-agent-error.h"
#include "vp-error.h"
#include "vp-log.h"

/* One function per RPC the daemon uses: C types in, C types out, and what the
 * guest says checked before anybody sees it. */

/* most elements of a list in the agent's details, most bytes of one */
#define DETAILS_MAX 64
#define DETAIL_LEN 64

gboolean
vp_agent_client_empty_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);

  if (answer == NULL)
    return FALSE;
  if (answer->descriptor == &grpc__health_check_response__descriptor)
    {
      Grpc__HealthCheckResponse *check = (Grpc__HealthCheckResponse *) answer;

      if (check->status == GRPC__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING)
        {
          g_set_error_literal (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "Check: the agent does not serve");
          return FALSE;
        }
    }
  return TRUE;
}

void
vp_agent_client_check_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__CheckRequest request = GRPC__CHECK_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_HEALTH_CHECK, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_version_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__CheckRequest request = GRPC__CHECK_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_HEALTH_VERSION, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

char *
vp_agent_client_version_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  const char *version;

  if (answer == NULL)
    return NULL;
  version = ((Grpc__VersionCheckResponse *) answer)->agent_version;
  return vp_agent_text_sanitise (version, strlen (version), DETAIL_LEN);
}

void
vp_agent_client_create_sandbox_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_CREATE_SANDBOX, request, timeout_ms, cancellable, callback,
                                     user_data);
}

void
vp_agent_client_create_container_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_CREATE_CONTAINER, request, timeout_ms, cancellable,
                                     callback, user_data);
}

void
vp_agent_client_exec_process_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_EXEC_PROCESS, request, timeout_ms, cancellable, callback,
                                     user_data);
}

void
vp_agent_client_destroy_sandbox_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__DestroySandboxRequest request = GRPC__DESTROY_SANDBOX_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_DESTROY_SANDBOX, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_start_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  Grpc__StartContainerRequest request = GRPC__START_CONTAINER_REQUEST__INIT;

  request.container_id = (char *) cid;
  vp_agent_client_call_async (self, VP_RPC_START_CONTAINER, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_remove_container_async (VpAgentClient *self, const char *cid, guint guest_timeout,
                                        guint timeout_ms, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__RemoveContainerRequest request = GRPC__REMOVE_CONTAINER_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.timeout = guest_timeout;
  vp_agent_client_call_async (self, VP_RPC_REMOVE_CONTAINER, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_signal_process_async (VpAgentClient *self, const char *cid, const char *exec_id, guint signum,
                                      guint timeout_ms, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__SignalProcessRequest request = GRPC__SIGNAL_PROCESS_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  request.signal = signum;
  vp_agent_client_call_async (self, VP_RPC_SIGNAL_PROCESS, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_close_stdin_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                   guint timeout_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  Grpc__CloseStdinRequest request = GRPC__CLOSE_STDIN_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  vp_agent_client_call_async (self, VP_RPC_CLOSE_STDIN, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_tty_win_resize_async (VpAgentClient *self, const char *cid, const char *exec_id, guint rows,
                                      guint columns, guint timeout_ms, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__TtyWinResizeRequest request = GRPC__TTY_WIN_RESIZE_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  request.row = rows;
  request.column = columns;
  vp_agent_client_call_async (self, VP_RPC_TTY_WIN_RESIZE, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

void
vp_agent_client_set_date_time_async (VpAgentClient *self, gint64 usec, guint timeout_ms,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  Grpc__SetGuestDateTimeRequest request = GRPC__SET_GUEST_DATE_TIME_REQUEST__INIT;

  request.sec = usec / G_USEC_PER_SEC;
  request.usec = usec % G_USEC_PER_SEC;
  vp_agent_client_call_async (self, VP_RPC_SET_GUEST_DATE_TIME, &request.base, timeout_ms, cancellable,
                              callback, user_data);
}

void
vp_agent_client_reseed_random_async (VpAgentClient *self, GBytes *seed, guint timeout_ms,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  Grpc__ReseedRandomDevRequest request = GRPC__RESEED_RANDOM_DEV_REQUEST__INIT;

  request.data.data = (guint8 *) g_bytes_get_data (seed, &request.data.len);
  vp_agent_client_call_async (self, VP_RPC_RESEED_RANDOM_DEV, &request.base, timeout_ms, cancellable,
                              callback, user_data);
}

void
vp_agent_client_wait_process_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  Grpc__WaitProcessRequest request = GRPC__WAIT_PROCESS_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  vp_agent_client_call_async (self, VP_RPC_WAIT_PROCESS, &request.base, 0, cancellable, callback, user_data);
}

gboolean
vp_agent_client_wait_process_finish (VpAgentClient *self, GAsyncResult *result, guint *ret_status,
                                     GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  gint32 status;

  if (answer == NULL)
    return FALSE;
  status = ((Grpc__WaitProcessResponse *) answer)->status;
  if (status < 0 || status > 255)
    {
      vp_warning (NULL, NULL, "WaitProcess: the guest says exit status %d, taken as 255", status);
      status = 255;
    }
  *ret_status = (guint) status;
  return TRUE;
}

void
vp_agent_client_write_stdin_async (VpAgentClient *self, const char *cid, const char *exec_id, GBytes *data,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  Grpc__WriteStreamRequest request = GRPC__WRITE_STREAM_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  request.data.data = (guint8 *) g_bytes_get_data (data, &request.data.len);
  vp_agent_client_call_noted_async (self, VP_RPC_WRITE_STDIN, &request.base, request.data.len, 0, cancellable,
                                    callback, user_data);
}

gssize
vp_agent_client_write_stdin_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  gsize sent = vp_agent_client_call_get_note (result);
  gsize taken;

  if (answer == NULL)
    return -1;
  taken = ((Grpc__WriteStreamResponse *) answer)->len;
  if (taken > sent)
    {
      vp_agent_client_violation (self, "WriteStdin took %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes",
                                 taken, sent);
      g_set_error_literal (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "WriteStdin: protocol violation");
      return -1;
    }
  return (gssize) taken;
}

void
vp_agent_client_read_async (VpAgentClient *self, const char *cid, const char *exec_id, gboolean from_stderr,
                            gsize max, guint64 done, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  Grpc__ReadStreamRequest request = GRPC__READ_STREAM_REQUEST__INIT;

  request.container_id = (char *) cid;
  request.exec_id = (char *) exec_id;
  request.len = (guint32) MIN (max, VP_AGENT_CLIENT_MAX_IO);
  request.done = done;
  vp_agent_client_call_noted_async (self, from_stderr ? VP_RPC_READ_STDERR : VP_RPC_READ_STDOUT,
                                    &request.base, request.len, 0, cancellable, callback, user_data);
}

/* Kata's agents up to 3.20 or so end a stream with an error that says "EOF". */
static gboolean
says_eof (const GError *error)
{
  g_autofree char *text = NULL;

  if (error->domain != VP_ERROR || error->code == VP_ERROR_AGENT_UNAVAILABLE
      || error->code == VP_ERROR_TIMED_OUT || error->code == VP_ERROR_CANCELLED)
    return FALSE;
  text = g_ascii_strdown (error->message, -1);
  return strstr (text, "eof") != NULL;
}

GBytes *
vp_agent_client_read_finish (VpAgentClient *self, GAsyncResult *result, guint64 *ret_offset, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, &local);
  gsize asked = vp_agent_client_call_get_note (result);
  ProtobufCBinaryData data;

  *ret_offset = 0;
  if (answer == NULL)
    {
      if (says_eof (local))
        return g_bytes_new (NULL, 0);
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  data = ((Grpc__ReadStreamResponse *) answer)->data;
  *ret_offset = ((Grpc__ReadStreamResponse *) answer)->offset;
  if (data.len > asked)
    {
      vp_agent_client_violation (
          self, "%" G_GSIZE_FORMAT " bytes of output where %" G_GSIZE_FORMAT " were asked for", data.len,
          asked);
      g_set_error_literal (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "ReadStdout: protocol violation");
      return NULL;
    }
  /* moved out of the message: it may be a megabyte */
  ((Grpc__ReadStreamResponse *) answer)->data = (ProtobufCBinaryData){ 0, NULL };
  return g_bytes_new_with_free_func (data.data, data.len, free, data.data);
}

/* ---- the agent about itself ----------------------------------------------------- */

static char **
bounded_list (char **list, gsize n)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (gsize i = 0; i < MIN (n, DETAILS_MAX); i++)
    {
      g_autofree char *text = vp_agent_text_sanitise (list[i], strlen (list[i]), DETAIL_LEN);

      g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

void
vp_agent_client_get_guest_details_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__GuestDetailsRequest request = GRPC__GUEST_DETAILS_REQUEST__INIT;

  request.mem_block_size = TRUE;
  request.mem_hotplug_probe = TRUE;
  vp_agent_client_call_async (self, VP_RPC_GET_GUEST_DETAILS, &request.base, timeout_ms, cancellable,
                              callback, user_data);
}

VpGuestDetails *
vp_agent_client_get_guest_details_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  g_autoptr (VpGuestDetails) details = NULL;
  Grpc__GuestDetailsResponse *response;
  Grpc__AgentDetails *agent;
  Grpc__AgentDetails nothing = GRPC__AGENT_DETAILS__INIT;

  if (answer == NULL)
    return NULL;
  response = (Grpc__GuestDetailsResponse *) answer;
  agent = response->agent_details != NULL ? response->agent_details : &nothing;

  details = g_new0 (VpGuestDetails, 1);
  details->version = vp_agent_text_sanitise (agent->version, strlen (agent->version), DETAIL_LEN);
  details->init_daemon = agent->init_daemon != 0;
  details->supports_seccomp = agent->supports_seccomp != 0;
  details->supports_mem_hotplug_probe = response->support_mem_hotplug_probe != 0;
  /* 1 MiB to 64 GiB and a power of two, or it is no block size of Linux */
  if (response->mem_block_size_bytes >= (1u << 20)
      && response->mem_block_size_bytes <= (G_GUINT64_CONSTANT (64) << 30)
      && (response->mem_block_size_bytes & (response->mem_block_size_bytes - 1)) == 0)
    details->mem_block_size = response->mem_block_size_bytes;
  details->device_handlers = bounded_list (agent->device_handlers, agent->n_device_handlers);
  details->storage_handlers = bounded_list (agent->storage_handlers, agent->n_storage_handlers);
  details->extra_features = bounded_list (agent->extra_features, agent->n_extra_features);
  return g_steal_pointer (&details);
}

VpGuestDetails *
vp_guest_details_copy (const VpGuestDetails *self)
{
  VpGuestDetails *copy = g_new (VpGuestDetails, 1);

  *copy = *self;
  copy->version = g_strdup (self->version);
  copy->device_handlers = g_strdupv (self->device_handlers);
  copy->storage_handlers = g_strdupv (self->storage_handlers);
  copy->extra_features = g_strdupv (self->extra_features);
  return copy;
}

void
vp_guest_details_free (VpGuestDetails *self)
{
  if (self == NULL)
    return;
  g_free (self->version);
  g_strfreev (self->device_handlers);
  g_strfreev (self->storage_handlers);
  g_strfreev (self->extra_features);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (VpGuestDetails, vp_guest_details, vp_guest_details_copy, vp_guest_details_free)
