/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent.pb-c.h"
#include "fake-agent.h"
#include "health.pb-c.h"
#include "vp-agent-call.h"
#include "vp-agent-client.h"
#include "vp-error.h"
#include "vp-frame.h"
#include "vp-ttrpc.h"

typedef struct
{
  VpAgentClient *client;
  FakeAgent *agent;
  gboolean closed;
  GError *error;
  guint32 streams[16]; /* of the requests the handler took */
  guint n_streams;
  VpRpc last_rpc;
  int not_serving; /* Checks to answer so that the agent seems to be starting */
} Fixture;

static void
on_closed (VpAgentClient *client, GError *error, gpointer user_data)
{
  Fixture *f = user_data;
  VpAgentStats stats;

  f->closed = TRUE;
  f->error = g_error_copy (error);
  vp_agent_client_get_stats (client, &stats);
  g_assert_cmpuint (stats.pending, ==, 0);
}

/* Notes every request but Check and answers none. */
static gboolean
take_all (FakeAgent *agent, guint32 stream, VpRpc rpc, const ProtobufCMessage *request, gpointer user_data)
{
  Fixture *f = user_data;

  if (rpc == VP_RPC_HEALTH_CHECK)
    {
      if (f->not_serving == 0)
        return FALSE;
      f->not_serving--;
      fake_agent_reply_error (agent, stream, VP_GRPC_UNAVAILABLE, "starting");
      return TRUE;
    }
  if (f->n_streams < G_N_ELEMENTS (f->streams))
    f->streams[f->n_streams++] = stream;
  f->last_rpc = rpc;
  return TRUE;
}

static void
set_up_unopened (Fixture *f, gconstpointer data)
{
  g_autoptr (VpAgentConn) conn = NULL;
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->agent = fake_agent_new_for_fd (fds[1]);
  fake_agent_set_func (f->agent, take_all, f);
  conn = vp_agent_conn_new_for_fd (fds[0], VP_CHANNEL_SERIAL);
  f->client = vp_agent_client_new (conn);
  g_signal_connect (f->client, "closed", G_CALLBACK (on_closed), f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };
  g_autoptr (GError) error = NULL;

  set_up_unopened (f, data);
  vp_agent_client_open_async (f->client, 5000, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  g_assert_true (vp_agent_client_open_finish (f->client, opened.result, &error));
  g_assert_no_error (error);
  g_assert_true (vp_agent_client_is_open (f->client));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vp_agent_client_close (f->client);
  fake_agent_free (f->agent);
  g_assert_finalize_object (f->client);
  g_clear_error (&f->error);
}

static void
wait_requests (Fixture *f, guint n)
{
  while (f->n_streams < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
expect_empty_error (Fixture *f, TestResult *result, VpError code)
{
  g_autoptr (GError) error = NULL;

  test_run_until (&result->done);
  g_assert_false (vp_agent_client_empty_finish (f->client, result->result, &error));
  g_assert_error (error, VP_ERROR, (int) code);
  test_result_clear (result);
}

static void
test_open_starting (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };

  f->not_serving = 2;
  vp_agent_client_open_async (f->client, 5000, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  g_assert_true (vp_agent_client_open_finish (f->client, opened.result, NULL));
  g_assert_cmpint (f->not_serving, ==, 0);
}

static void
test_open_fails (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };
  g_autoptr (GError) error = NULL;

  f->not_serving = 1000;
  vp_agent_client_open_async (f->client, 250, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  g_assert_false (vp_agent_client_open_finish (f->client, opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_TIMED_OUT);
  g_assert_false (vp_agent_client_is_open (f->client));
  g_assert_false (f->closed);
}

static void
test_open_hang_up (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };
  g_autoptr (GError) error = NULL;

  f->not_serving = 1000;
  vp_agent_client_open_async (f->client, 5000, NULL, test_result_ready, &opened);
  test_run_for (150);
  fake_agent_hang_up (f->agent);
  test_run_until (&opened.done);
  g_assert_false (vp_agent_client_open_finish (f->client, opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_false (f->closed);
}

static void
test_out_of_order (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) first = { 0 }, second = { 0 };
  Grpc__WaitProcessResponse answer = GRPC__WAIT_PROCESS_RESPONSE__INIT;
  guint status = 0;

  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &first);
  vp_agent_client_wait_process_async (f->client, "b", "", NULL, test_result_ready, &second);
  wait_requests (f, 2);
  answer.status = 2;
  fake_agent_reply (f->agent, f->streams[1], &answer.base);
  test_run_until (&second.done);
  g_assert_false (first.done);
  answer.status = 1;
  fake_agent_reply (f->agent, f->streams[0], &answer.base);
  test_run_until (&first.done);
  g_assert_true (vp_agent_client_wait_process_finish (f->client, first.result, &status, NULL));
  g_assert_cmpuint (status, ==, 1);
  g_assert_true (vp_agent_client_wait_process_finish (f->client, second.result, &status, NULL));
  g_assert_cmpuint (status, ==, 2);
}

static void
test_forged_status (Fixture *f, gconstpointer data)
{
  static const gint32 forged[] = { -1, 256, G_MAXINT32, G_MININT32 };

  for (guint i = 0; i < G_N_ELEMENTS (forged); i++)
    {
      g_auto (TestResult) result = { 0 };
      Grpc__WaitProcessResponse answer = GRPC__WAIT_PROCESS_RESPONSE__INIT;
      guint status = 0;

      vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &result);
      wait_requests (f, i + 1);
      answer.status = forged[i];
      fake_agent_reply (f->agent, f->streams[i], &answer.base);
      test_run_until (&result.done);
      g_assert_true (vp_agent_client_wait_process_finish (f->client, result.result, &status, NULL));
      g_assert_cmpuint (status, ==, 255);
    }
}

static void
test_timeout (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) slow = { 0 }, quick = { 0 };
  VpAgentStats stats;

  vp_agent_client_start_container_async (f->client, "a", 300, NULL, test_result_ready, &slow);
  vp_agent_client_start_container_async (f->client, "a", 50, NULL, test_result_ready, &quick);
  test_run_until (&quick.done);
  g_assert_false (slow.done);
  expect_empty_error (f, &quick, VP_ERROR_TIMED_OUT);
  expect_empty_error (f, &slow, VP_ERROR_TIMED_OUT);

  /* too late */
  fake_agent_reply_empty (f->agent, f->streams[0]);
  test_run_for (20);
  vp_agent_client_get_stats (f->client, &stats);
  g_assert_cmpuint (stats.dropped, ==, 1);
  g_assert_cmpuint (stats.pending, ==, 0);
  g_assert_cmpuint (stats.failed, ==, 2);
  g_assert_false (f->closed);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) result = { 0 };
  guint before;

  vp_agent_client_wait_process_async (f->client, "a", "", cancellable, test_result_ready, &result);
  wait_requests (f, 1);
  g_cancellable_cancel (cancellable);
  expect_empty_error (f, &result, VP_ERROR_CANCELLED);

  /* one that is cancelled before it starts is not sent */
  before = fake_agent_get_n_requests (f->agent);
  vp_agent_client_start_container_async (f->client, "a", 0, cancellable, test_result_ready, &result);
  expect_empty_error (f, &result, VP_ERROR_CANCELLED);
  test_run_for (20);
  g_assert_cmpuint (fake_agent_get_n_requests (f->agent), ==, before);
}

static void
test_close_fails_pending (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) one = { 0 }, two = { 0 };

  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &one);
  vp_agent_client_start_container_async (f->client, "a", 1000, NULL, test_result_ready, &two);
  vp_agent_client_close (f->client);
  expect_empty_error (f, &one, VP_ERROR_AGENT_UNAVAILABLE);
  expect_empty_error (f, &two, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_false (f->closed);

  vp_agent_client_start_container_async (f->client, "a", 1000, NULL, test_result_ready, &one);
  expect_empty_error (f, &one, VP_ERROR_AGENT_UNAVAILABLE);
}

static void
test_hang_up_fails_pending (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) one = { 0 };

  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &one);
  wait_requests (f, 1);
  fake_agent_hang_up (f->agent);
  expect_empty_error (f, &one, VP_ERROR_AGENT_UNAVAILABLE);
  test_run_until (&f->closed);
  g_assert_error (f->error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
}

static void
test_answer_twice (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  VpAgentStats stats;

  vp_agent_client_start_container_async (f->client, "a", 1000, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  fake_agent_reply_empty (f->agent, f->streams[0]);
  fake_agent_reply_empty (f->agent, f->streams[0]);
  test_run_until (&result.done);
  g_assert_true (vp_agent_client_empty_finish (f->client, result.result, NULL));
  test_run_for (20);
  vp_agent_client_get_stats (f->client, &stats);
  g_assert_cmpuint (stats.dropped, ==, 1);
  g_assert_false (f->closed);
}

static void
test_unasked_flood (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) pending = { 0 };

  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &pending);
  wait_requests (f, 1);
  for (guint i = 0; i < 100; i++)
    fake_agent_reply_empty (f->agent, 1000001 + 2 * i);
  test_run_until (&f->closed);
  g_assert_nonnull (strstr (f->error->message, "nobody made"));
  expect_empty_error (f, &pending, VP_ERROR_AGENT_UNAVAILABLE);
}

static void
test_too_many_calls (Fixture *f, gconstpointer data)
{
  g_autofree TestResult *results = g_new0 (TestResult, VP_AGENT_CLIENT_MAX_CALLS);
  g_auto (TestResult) more = { 0 };

  for (guint i = 0; i < VP_AGENT_CLIENT_MAX_CALLS; i++)
    vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &results[i]);
  vp_agent_client_start_container_async (f->client, "a", 1000, NULL, test_result_ready, &more);
  expect_empty_error (f, &more, VP_ERROR_RESOURCE_EXHAUSTED);
  vp_agent_client_close (f->client);
  for (guint i = 0; i < VP_AGENT_CLIENT_MAX_CALLS; i++)
    expect_empty_error (f, &results[i], VP_ERROR_AGENT_UNAVAILABLE);
}

static void
test_read (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  guint64 offset;

  vp_agent_client_read_async (f->client, "a", "", TRUE, 100, 0, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  g_assert_cmpint (f->last_rpc, ==, VP_RPC_READ_STDERR);
  fake_agent_reply_data (f->agent, f->streams[0], "hello", 5);
  test_run_until (&result.done);
  bytes = vp_agent_client_read_finish (f->client, result.result, &offset, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "hello", 5);
}

static void
test_read_eof (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      g_auto (TestResult) result = { 0 };
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;
      guint64 offset;

      vp_agent_client_read_async (f->client, "a", "", FALSE, 100, 0, NULL, test_result_ready, &result);
      wait_requests (f, i + 1);
      if (i == 0)
        fake_agent_reply_data (f->agent, f->streams[i], NULL, 0);
      else
        fake_agent_reply_error (f->agent, f->streams[i], VP_GRPC_INTERNAL, "read stdout: Read meet EOF");
      test_run_until (&result.done);
      bytes = vp_agent_client_read_finish (f->client, result.result, &offset, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
    }
}

static void
test_read_too_long (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  g_autoptr (GError) error = NULL;
  char text[101] = { 0 };
  guint64 offset;

  vp_agent_client_read_async (f->client, "a", "", FALSE, 100, 0, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  fake_agent_reply_data (f->agent, f->streams[0], text, sizeof text);
  test_run_until (&result.done);
  g_assert_null (vp_agent_client_read_finish (f->client, result.result, &offset, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_true (f->closed);
  g_assert_nonnull (strstr (f->error->message, "101 bytes"));
}

static void
test_oversized_answer (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (1u << 20, 'x');
  g_auto (TestResult) result = { 0 };

  vp_agent_client_start_container_async (f->client, "a", 1000, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  fake_agent_reply_data (f->agent, f->streams[0], text, 1u << 20);
  expect_empty_error (f, &result, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_true (f->closed);
}

static void
test_oversized_request (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *noise = g_malloc0 (4u << 20);
  g_autoptr (GBytes) request = g_bytes_new_static (noise, 4u << 20);
  g_auto (TestResult) result = { 0 };

  vp_agent_client_create_container_async (f->client, request, 1000, NULL, test_result_ready, &result);
  expect_empty_error (f, &result, VP_ERROR_INVALID_ARGUMENT);
  g_assert_true (vp_agent_client_is_open (f->client));
}

static void
test_write_more_than_sent (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  Grpc__WriteStreamResponse answer = GRPC__WRITE_STREAM_RESPONSE__INIT;
  g_auto (TestResult) result = { 0 };

  vp_agent_client_write_stdin_async (f->client, "a", "", bytes, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  answer.len = 4;
  fake_agent_reply (f->agent, f->streams[0], &answer.base);
  test_run_until (&result.done);
  g_assert_cmpint (vp_agent_client_write_stdin_finish (f->client, result.result, NULL), ==, -1);
  g_assert_true (f->closed);
}

static void
test_bad_answer (Fixture *f, gconstpointer data)
{
  /* a response whose payload is no message: this call fails, the channel lives */
  static const guint8 payload[] = { 0x12, 0x03, 0xff, 0xff, 0xff };
  guint8 frame[] = { 0, 0, 0, sizeof payload, 0, 0, 0, 0, 2, 0 };
  g_auto (TestResult) result = { 0 };

  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &result);
  wait_requests (f, 1);
  frame[7] = (guint8) f->streams[0];
  fake_agent_send_raw (f->agent, frame, sizeof frame);
  fake_agent_send_raw (f->agent, payload, sizeof payload);
  expect_empty_error (f, &result, VP_ERROR_AGENT_FAILED);
  g_assert_false (f->closed);

  /* one that is no ttrpc response at all ends it */
  vp_agent_client_wait_process_async (f->client, "a", "", NULL, test_result_ready, &result);
  wait_requests (f, 2);
  frame[7] = (guint8) f->streams[1];
  frame[3] = 3;
  fake_agent_send_raw (f->agent, frame, sizeof frame);
  fake_agent_send_raw (f->agent, payload + 2, 3);
  expect_empty_error (f, &result, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_true (f->closed);
}

/* Tiny fields that become big structs do not get more memory than the budget. */
static void
test_unpack_bomb (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  g_auto (TestResult) result = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VpGuestDetails) details = NULL;
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  VpFrameHeader header = { .type = VP_FRAME_RESPONSE };
  guint8 head[VP_FRAME_HEADER];
  g_autofree guint8 *body = NULL;

  g_byte_array_append (packed, (const guint8 *) "\x12\x80\x80\x04", 4); /* agent_details, 64 KiB */
  for (guint i = 0; i < 32768; i++)
    g_byte_array_append (packed, (const guint8 *) "\x1a\x00", 2); /* device_handlers "" */
  vp_agent_client_get_guest_details_async (f->client, 1000, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  response.payload.data = packed->data;
  response.payload.len = packed->len;
  header.stream = f->streams[0];
  header.length = (guint32) ttrpc__response__get_packed_size (&response);
  body = g_malloc (header.length);
  ttrpc__response__pack (&response, body);
  vp_frame_encode (&header, head);
  fake_agent_send_raw (f->agent, head, sizeof head);
  fake_agent_send_raw (f->agent, body, header.length);
  test_run_until (&result.done);
  details = vp_agent_client_get_guest_details_finish (f->client, result.result, &error);
  g_assert_null (details);
  g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED);
  g_assert_true (vp_agent_client_is_open (f->client));
}

/* An answer that is too long for its call ends the channel when its header is
 * there: nothing of it is read. */
static void
test_long_header (Fixture *f, gconstpointer data)
{
  VpFrameHeader header = { .type = VP_FRAME_RESPONSE, .length = VP_FRAME_MAX };
  g_auto (TestResult) result = { 0 };
  guint8 head[VP_FRAME_HEADER];

  vp_agent_client_read_async (f->client, "c", "", FALSE, 4096, 0, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  header.stream = f->streams[0];
  vp_frame_encode (&header, head);
  fake_agent_send_raw (f->agent, head, sizeof head);
  test_run_until (&result.done);
  g_assert_true (f->closed);
}

static void
test_guest_details (Fixture *f, gconstpointer data)
{
  char *handlers[] = { (char *) "blk", (char *) "a\x1b[31mred\n" };
  Grpc__AgentDetails agent = GRPC__AGENT_DETAILS__INIT;
  Grpc__GuestDetailsResponse answer = GRPC__GUEST_DETAILS_RESPONSE__INIT;
  g_auto (TestResult) result = { 0 };
  g_autoptr (VpGuestDetails) details = NULL;
  g_autoptr (VpGuestDetails) copy = NULL;

  agent.version = (char *) "3.1.0";
  agent.storage_handlers = handlers;
  agent.n_storage_handlers = 2;
  agent.supports_seccomp = TRUE;
  answer.agent_details = &agent;
  answer.mem_block_size_bytes = 128u << 20;
  vp_agent_client_get_guest_details_async (f->client, 1000, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  fake_agent_reply (f->agent, f->streams[0], &answer.base);
  test_run_until (&result.done);
  details = vp_agent_client_get_guest_details_finish (f->client, result.result, NULL);
  copy = g_boxed_copy (VP_TYPE_GUEST_DETAILS, details);
  g_assert_cmpstr (copy->version, ==, "3.1.0");
  g_assert_true (copy->supports_seccomp);
  g_assert_cmpuint (copy->mem_block_size, ==, 128u << 20);
  g_assert_cmpstr (copy->storage_handlers[1], ==, "a\\x1b[31mred\\n");
}

static void
test_version (Fixture *f, gconstpointer data)
{
  Grpc__VersionCheckResponse answer = GRPC__VERSION_CHECK_RESPONSE__INIT;
  g_auto (TestResult) result = { 0 };
  g_autofree char *version = NULL;

  answer.agent_version = (char *) "3.1";
  vp_agent_client_version_async (f->client, 1000, NULL, test_result_ready, &result);
  wait_requests (f, 1);
  fake_agent_reply (f->agent, f->streams[0], &answer.base);
  test_run_until (&result.done);
  version = vp_agent_client_version_finish (f->client, result.result, NULL);
  g_assert_cmpstr (version, ==, "3.1");
}

static void
close_in_callback (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_agent_client_close (VP_AGENT_CLIENT (source));
  *(gboolean *) user_data = TRUE;
}

static void
test_close_in_callback (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) other = { 0 };
  gboolean done = FALSE;

  vp_agent_client_start_container_async (f->client, "a", 50, NULL, close_in_callback, &done);
  vp_agent_client_start_container_async (f->client, "a", 50, NULL, test_result_ready, &other);
  test_run_until (&done);
  test_run_until (&other.done);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* warnings about the guest are what is tested here */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add ("/agent-client/" name, Fixture, NULL, set_up, func, tear_down)
#define ADD_UNOPENED(name, func)                                                                             \
  g_test_add ("/agent-client/" name, Fixture, NULL, set_up_unopened, func, tear_down)
  ADD_UNOPENED ("open/starting", test_open_starting);
  ADD_UNOPENED ("open/fails", test_open_fails);
  ADD_UNOPENED ("open/hang-up", test_open_hang_up);
  ADD ("out-of-order", test_out_of_order);
  ADD ("forged-status", test_forged_status);
  ADD ("timeout", test_timeout);
  ADD ("cancel", test_cancel);
  ADD ("close-fails-pending", test_close_fails_pending);
  ADD ("hang-up-fails-pending", test_hang_up_fails_pending);
  ADD ("answer-twice", test_answer_twice);
  ADD ("unasked-flood", test_unasked_flood);
  ADD ("too-many-calls", test_too_many_calls);
  ADD ("read/data", test_read);
  ADD ("read/eof", test_read_eof);
  ADD ("read/too-long", test_read_too_long);
  ADD ("oversized-answer", test_oversized_answer);
  ADD ("oversized-request", test_oversized_request);
  ADD ("write-more-than-sent", test_write_more_than_sent);
  ADD ("bad-answer", test_bad_answer);
  ADD ("unpack-bomb", test_unpack_bomb);
  ADD ("long-header", test_long_header);
  ADD ("guest-details", test_guest_details);
  ADD ("version", test_version);
  ADD ("close-in-callback", test_close_in_callback);
#undef ADD
#undef ADD_UNOPENED
  return g_test_run ();
}
