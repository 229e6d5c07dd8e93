/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-client.h"

#include <stdlib.h>

#include "vp-agent-call.h"
#include "vp-agent-client-private.h"
#include "vp-agent-error.h"
#include "vp-error.h"
#include "vp-frame.h"
#include "vp-source.h"
#include "vp-ttrpc.h"

/* Frames nobody waits for are normal when a call was given up; each such call
 * allows one more than this. */
#define UNASKED_MAX 64
/* Envelope around an answer: status and its text. */
#define ENVELOPE_MAX (16u << 10)
/* Packed answers: of most calls, and of those that bring text for administrators. */
#define ANSWER_MAX (256u << 10)
#define TEXT_ANSWER_MAX (512u << 10)
/* A message takes many times its packed size when it is made of tiny fields, and
 * reading it takes as long as what it allocates is large: no more than this. */
#define UNPACKED_MIN (256u << 10)
#define UNPACKED_FACTOR 8

typedef struct
{
  VpAgentClient *client; /* borrowed: the task keeps it */
  guint32 stream;
  VpRpc rpc;
  GTask *task;
  gint64 deadline; /* monotonic µs, 0: none */
  gsize limit; /* of the packed answer */
  GSource *cancelled;
} Call;

/* what the finish function needs; task data */
typedef struct
{
  VpRpc rpc;
  gsize note;
} CallInfo;

struct _VpAgentClient
{
  GObject parent_instance;

  VpAgentConn *conn;
  GHashTable *calls; /* stream -> Call */
  GSource *timer; /* ready at the nearest deadline */
  guint64 n_calls;
  guint64 n_failed;
  guint64 n_dropped;
  guint unasked_left;

  gboolean opened;
};

G_DEFINE_FINAL_TYPE (VpAgentClient, vp_agent_client, G_TYPE_OBJECT)

enum
{
  SIGNAL_CLOSED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- one call ------------------------------------------------------------- */

static void
call_free (Call *call)
{
  g_clear_pointer (&call->cancelled, vp_source_end);
  g_clear_object (&call->task);
  g_free (call);
}

/* Takes @call (which is in no table any more), @answer and @error, one of which
 * is NULL. What is called back may do anything. */
static void
call_return (Call *call, GBytes *answer, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&call->task);

  if (error != NULL)
    call->client->n_failed++;
  call_free (call);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, answer, (GDestroyNotify) g_bytes_unref);
}

/* The guest may still answer this one: it is allowed to. */
static void
call_give_up (Call *call, VpError code, const char *why)
{
  VpAgentClient *self = call->client;
  VpRpc rpc = call->rpc;

  g_hash_table_steal (self->calls, GUINT_TO_POINTER (call->stream));
  self->unasked_left++;
  call_return (call, NULL, g_error_new (VP_ERROR, (int) code, "%s: %s", vp_rpc_info (rpc)->method, why));
}

static gboolean
on_call_cancelled (GCancellable *cancellable, gpointer user_data)
{
  call_give_up (user_data, VP_ERROR_CANCELLED, "cancelled");
  return G_SOURCE_REMOVE;
}

/* ---- deadlines: one timer for all calls -------------------------------------- */

static gboolean
on_deadline (gpointer user_data)
{
  g_autoptr (VpAgentClient) self = g_object_ref (user_data);
  g_autoptr (GPtrArray) late = g_ptr_array_new ();
  gint64 now = g_source_get_time (self->timer);
  gint64 next = -1;
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Call *call = value;

      if (call->deadline == 0)
        continue;
      if (call->deadline <= now)
        g_ptr_array_add (late, GUINT_TO_POINTER (call->stream));
      else if (next < 0 || call->deadline < next)
        next = call->deadline;
    }
  g_source_set_ready_time (self->timer, next);

  /* by number: what is called back may end others */
  for (guint i = 0; i < late->len; i++)
    {
      key = g_ptr_array_index (late, i);
      value = g_hash_table_lookup (self->calls, key);
      if (value != NULL)
        call_give_up (value, VP_ERROR_TIMED_OUT, "the agent does not answer in time");
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static void
arm_timer (VpAgentClient *self, gint64 deadline)
{
  gint64 armed;

  if (self->timer == NULL)
    {
      g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

      self->timer = g_source_new (&timer_funcs, sizeof (GSource));
      g_source_set_static_name (self->timer, "agent calls: deadline");
      g_source_set_callback (self->timer, on_deadline, self, NULL);
      g_source_attach (self->timer, context);
    }
  armed = g_source_get_ready_time (self->timer);
  if (armed < 0 || deadline < armed)
    g_source_set_ready_time (self->timer, deadline);
}

/* ---- requests ------------------------------------------------------------------ */

/* The longest packed answer that makes sense for @rpc; @note: how much a read asks for. */
static gsize
answer_limit (VpRpc rpc, gsize note)
{
  switch (rpc)
    {
    case VP_RPC_READ_STDOUT:
    case VP_RPC_READ_STDERR:
      return MIN (note, VP_AGENT_CLIENT_MAX_IO) + 64;
    case VP_RPC_GET_METRICS:
    case VP_RPC_GET_IPTABLES:
    case VP_RPC_SET_IPTABLES:
      return TEXT_ANSWER_MAX;
    default:
      return ANSWER_MAX;
    }
}

/* The frame of a request, from malloc(). */
static guint8 *
pack_request (guint32 stream, VpRpc rpc, GBytes *payload, guint timeout_ms, gsize *ret_len, GError **error)
{
  const VpRpcInfo *info = vp_rpc_info (rpc);
  Ttrpc__Request request = TTRPC__REQUEST__INIT;
  VpFrameHeader header = { .stream = stream, .type = VP_FRAME_REQUEST };
  guint8 *frame;
  gsize size;

  request.service = (char *) info->service;
  request.method = (char *) info->method;
  request.timeout_nano = (gint64) timeout_ms * 1000000;
  request.payload.data = (guint8 *) g_bytes_get_data (payload, &request.payload.len);
  size = ttrpc__request__get_packed_size (&request);
  if (size > VP_FRAME_MAX)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "%s: the request is %" G_GSIZE_FORMAT " bytes, the agent takes %u", info->method, size,
                   VP_FRAME_MAX);
      return NULL;
    }
  frame = malloc (VP_FRAME_HEADER + size);
  if (frame == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "%s: out of memory", info->method);
      return NULL;
    }
  header.length = (guint32) size;
  vp_frame_encode (&header, frame);
  ttrpc__request__pack (&request, frame + VP_FRAME_HEADER);
  *ret_len = VP_FRAME_HEADER + size;
  return frame;
}

static gboolean
send_request (VpAgentClient *self, Call *call, GBytes *payload, guint timeout_ms, GError **error)
{
  guint8 *frame;
  gsize len = 0;

  if (g_hash_table_size (self->calls) >= VP_AGENT_CLIENT_MAX_CALLS)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "%s: %u calls are under way in this sandbox",
                   vp_rpc_info (call->rpc)->method, g_hash_table_size (self->calls));
      return FALSE;
    }
  call->stream = vp_agent_conn_next_stream (self->conn);
  if (call->stream == 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "%s: the channel has no stream ids left",
                   vp_rpc_info (call->rpc)->method);
      return FALSE;
    }
  frame = pack_request (call->stream, call->rpc, payload, timeout_ms, &len, error);
  return frame != NULL && vp_agent_conn_send (self->conn, frame, len, error);
}

static void
start_call (VpAgentClient *self, VpRpc rpc, GBytes *payload, gsize note, guint timeout_ms,
            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Call *call = g_new0 (Call, 1);
  CallInfo *info = g_new0 (CallInfo, 1);
  GError *error = NULL;

  info->rpc = rpc;
  info->note = note;

  call->client = self;
  call->rpc = rpc;
  call->limit = answer_limit (rpc, note);
  call->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (call->task, start_call);
  g_task_set_check_cancellable (call->task, FALSE);
  g_task_set_task_data (call->task, info, g_free);

  self->n_calls++;
  if (g_cancellable_is_cancelled (cancellable))
    error = g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "%s: cancelled", vp_rpc_info (rpc)->method);
  if (error != NULL || !send_request (self, call, payload, timeout_ms, &error))
    {
      call_return (call, NULL, error);
      return;
    }
  g_hash_table_insert (self->calls, GUINT_TO_POINTER (call->stream), call);
  if (timeout_ms != 0)
    {
      call->deadline = g_get_monotonic_time () + (gint64) timeout_ms * 1000;
      arm_timer (self, call->deadline);
    }
  if (cancellable != NULL)
    {
      call->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (call->cancelled, G_SOURCE_FUNC (on_call_cancelled), call, NULL);
      g_source_attach (call->cancelled, g_task_get_context (call->task));
    }
}

void
vp_agent_client_call_packed_async (VpAgentClient *self, VpRpc rpc, GBytes *payload, guint timeout_ms,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  start_call (self, rpc, payload, 0, timeout_ms, cancellable, callback, user_data);
}

void
vp_agent_client_call_noted_async (VpAgentClient *self, VpRpc rpc, const ProtobufCMessage *request, gsize note,
                                  guint timeout_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  gsize size = protobuf_c_message_get_packed_size (request);
  guint8 *data = g_malloc (MAX (size, 1));
  g_autoptr (GBytes) payload = NULL;

  protobuf_c_message_pack (request, data);
  payload = g_bytes_new_take (data, size);
  start_call (self, rpc, payload, note, timeout_ms, cancellable, callback, user_data);
}

gsize
vp_agent_client_call_get_note (GAsyncResult *result)
{
  CallInfo *info = g_task_get_task_data (G_TASK (result));

  return info->note;
}

void
vp_agent_client_call_async (VpAgentClient *self, VpRpc rpc, const ProtobufCMessage *request, guint timeout_ms,
                            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  vp_agent_client_call_noted_async (self, rpc, request, 0, timeout_ms, cancellable, callback, user_data);
}

/* ---- answers --------------------------------------------------------------------- */

/* protobuf-c's memory for one message, with an end to it. Freed with free(),
 * as protobuf-c does by itself. */
static void *
budget_alloc (void *data, size_t size)
{
  gsize *left = data;

  if (size > *left)
    return NULL;
  *left -= size;
  return malloc (size);
}

static void
budget_free (void *data, void *memory)
{
  free (memory);
}

ProtobufCMessage *
vp_agent_client_call_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GBytes) answer = NULL;
  gsize left;
  ProtobufCAllocator budget = { budget_alloc, budget_free, &left };
  const VpRpcInfo *info;
  ProtobufCMessage *message;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  info = vp_rpc_info (((CallInfo *) g_task_get_task_data (G_TASK (result)))->rpc);
  answer = g_task_propagate_pointer (G_TASK (result), error);
  if (answer == NULL)
    return NULL;
  left = UNPACKED_MIN + g_bytes_get_size (answer) * UNPACKED_FACTOR;
  message = protobuf_c_message_unpack (info->response, &budget, g_bytes_get_size (answer),
                                       g_bytes_get_data (answer, NULL));
  if (message == NULL)
    g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "%s: the answer is not a valid %s", info->method,
                 info->response->name);
  return message;
}

void
vp_agent_message_free (ProtobufCMessage *message)
{
  protobuf_c_message_free_unpacked (message, NULL);
}

void
vp_agent_client_violation (VpAgentClient *self, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  error = g_error_new (VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "agent channel: protocol violation: %s", text);
  vp_agent_conn_fail (self->conn, error);
}

static void
drop_unasked (VpAgentClient *self, guint32 stream)
{
  self->n_dropped++;
  if (self->unasked_left-- == 0)
    vp_agent_client_violation (
        self, "the guest goes on answering calls nobody made (stream %" G_GUINT32_FORMAT ")", stream);
}

static gboolean
on_header (VpAgentConn *conn, guint32 stream, gsize len, gpointer user_data)
{
  g_autoptr (VpAgentClient) self = g_object_ref (user_data);
  Call *call = g_hash_table_lookup (self->calls, GUINT_TO_POINTER (stream));

  if (call == NULL)
    drop_unasked (self, stream);
  else if (len > call->limit + ENVELOPE_MAX)
    vp_agent_client_violation (self, "an answer of %" G_GSIZE_FORMAT " bytes to %s", len,
                               vp_rpc_info (call->rpc)->method);
  else
    return TRUE;
  return FALSE;
}

static void
on_frame (VpAgentConn *conn, guint32 stream, const guint8 *payload, gsize len, gpointer user_data)
{
  g_autoptr (VpAgentClient) self = g_object_ref (user_data);
  Call *call = g_hash_table_lookup (self->calls, GUINT_TO_POINTER (stream));
  char *message = NULL;
  guint8 *answer = NULL;
  gsize answer_len = 0;
  GError *error = NULL;
  int code = 0;

  if (call == NULL) /* given up while its answer was on its way */
    {
      drop_unasked (self, stream);
      return;
    }
  if (vp_ttrpc_parse_response (payload, len, &code, &message, &answer, &answer_len) < 0)
    {
      vp_agent_client_violation (self, "an answer to %s that is not a ttrpc response",
                                 vp_rpc_info (call->rpc)->method);
      return;
    }

  g_hash_table_steal (self->calls, GUINT_TO_POINTER (stream));
  if (code != VP_GRPC_OK)
    error = vp_agent_error_new (call->rpc, code, message);
  free (message);
  if (error == NULL)
    {
      call_return (call, g_bytes_new_with_free_func (answer, answer_len, free, answer), NULL);
      return;
    }
  free (answer);
  call_return (call, NULL, error);
}

/* ---- life ------------------------------------------------------------------------- */

static void
fail_all (VpAgentClient *self, const GError *error)
{
  g_autoptr (GHashTable) calls = g_steal_pointer (&self->calls);
  GHashTableIter iter;
  gpointer value;

  self->calls = g_hash_table_new (NULL, NULL);
  g_clear_pointer (&self->timer, vp_source_end);
  /* cancelling meanwhile must not find a call that is about to be returned */
  g_hash_table_iter_init (&iter, calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_clear_pointer (&((Call *) value)->cancelled, vp_source_end);
  g_hash_table_iter_init (&iter, calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    call_return (value, NULL, g_error_copy (error));
}

static void
on_conn_closed (VpAgentConn *conn, GError *error, gpointer user_data)
{
  g_autoptr (VpAgentClient) self = g_object_ref (user_data);
  gboolean tell = self->opened;

  self->opened = FALSE;
  fail_all (self, error);
  if (tell)
    g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}

VpAgentConn *
vp_agent_client_get_conn (VpAgentClient *self)
{
  return self->conn;
}

void
vp_agent_client_set_open (VpAgentClient *self)
{
  self->opened = vp_agent_conn_is_open (self->conn);
}

void
vp_agent_client_close (VpAgentClient *self)
{
  g_autoptr (VpAgentClient) keep = g_object_ref (self);
  g_autoptr (GError) error = g_error_new (VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "agent channel: closed");

  self->opened = FALSE;
  vp_agent_conn_close (self->conn);
  fail_all (keep, error);
}

gboolean
vp_agent_client_is_open (VpAgentClient *self)
{
  return self->opened;
}

int
vp_agent_client_get_fd (VpAgentClient *self)
{
  return vp_agent_conn_get_fd (self->conn);
}

void
vp_agent_client_get_stats (VpAgentClient *self, VpAgentStats *ret_stats)
{
  ret_stats->bytes_in = vp_agent_conn_get_bytes_in (self->conn);
  ret_stats->bytes_out = vp_agent_conn_get_bytes_out (self->conn);
  ret_stats->calls = self->n_calls;
  ret_stats->failed = self->n_failed;
  ret_stats->dropped = self->n_dropped;
  ret_stats->pending = g_hash_table_size (self->calls);
}

static void
vp_agent_client_finalize (GObject *object)
{
  VpAgentClient *self = VP_AGENT_CLIENT (object);

  /* calls keep the client alive: there are none */
  g_signal_handlers_disconnect_by_data (self->conn, self);
  vp_agent_conn_set_frame_func (self->conn, NULL, NULL, NULL);
  vp_agent_conn_close (self->conn);
  g_clear_object (&self->conn);
  g_clear_pointer (&self->timer, vp_source_end);
  g_clear_pointer (&self->calls, g_hash_table_unref);
  G_OBJECT_CLASS (vp_agent_client_parent_class)->finalize (object);
}

static void
vp_agent_client_class_init (VpAgentClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_agent_client_finalize;

  signals[SIGNAL_CLOSED] = g_signal_new ("closed", VP_TYPE_AGENT_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
vp_agent_client_init (VpAgentClient *self)
{
  self->calls = g_hash_table_new (NULL, NULL);
  self->unasked_left = UNASKED_MAX;
}

VpAgentClient *
vp_agent_client_new (VpAgentConn *conn)
{
  VpAgentClient *self = g_object_new (VP_TYPE_AGENT_CLIENT, NULL);

  self->conn = g_object_ref (conn);
  vp_agent_conn_set_frame_func (conn, on_header, on_frame, self);
  g_signal_connect (conn, "closed", G_CALLBACK (on_conn_closed), self);
  return self;
}
