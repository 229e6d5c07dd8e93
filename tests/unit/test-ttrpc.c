/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "agent.pb-c.h"
#include "health.pb-c.h"
#include "vp-frame.h"
#include "vp-rpc.h"
#include "vp-ttrpc-client.h"
#include "vp-ttrpc-server.h"
#include "vp-ttrpc.h"

static void
test_rpc_table (void)
{
  for (int i = 0; i < VP_N_RPCS; i++)
    {
      const VpRpcInfo *info = vp_rpc_info ((VpRpc) i);

      g_assert_nonnull (info->method);
      g_assert_nonnull (info->request);
      g_assert_nonnull (info->response);
      g_assert_cmpint (vp_rpc_find (info->service, info->method), ==, i);
    }
  g_assert_null (vp_rpc_info (VP_N_RPCS));
  g_assert_cmpint (vp_rpc_find ("grpc.AgentService", "Check"), ==, -1);
  g_assert_cmpint (vp_rpc_find ("grpc.Health", "Check"), ==, VP_RPC_HEALTH_CHECK);
  g_assert_true (vp_rpc_info (VP_RPC_WAIT_PROCESS)->response == &grpc__wait_process_response__descriptor);
}

/* the first frame of any client: 00 00 LL LL 00 00 00 01 01 00 */
static void
test_request (void)
{
  g_autofree guint8 *frame = NULL;
  Grpc__WaitProcessRequest wait = GRPC__WAIT_PROCESS_REQUEST__INIT;
  Ttrpc__Request *request;
  Grpc__WaitProcessRequest *back;
  gsize len;

  wait.container_id = (char *) "c1";
  frame = vp_ttrpc_pack_request (1, VP_RPC_AGENT_SERVICE, "WaitProcess", &wait.base, 5, &len);
  g_assert_cmpuint (len, >, VP_FRAME_HEADER);
  g_assert_cmpmem (frame, 3, "\0\0\0", 3);
  g_assert_cmpuint (frame[3], ==, len - VP_FRAME_HEADER);
  g_assert_cmpmem (frame + 4, 6, "\0\0\0\1\1\0", 6);
  g_assert_cmpint (vp_ttrpc_parse_request (frame + VP_FRAME_HEADER, len - VP_FRAME_HEADER, &request), ==, 0);
  g_assert_cmpstr (request->service, ==, "grpc.AgentService");
  g_assert_cmpstr (request->method, ==, "WaitProcess");
  g_assert_cmpint (request->timeout_nano, ==, 5);
  back = grpc__wait_process_request__unpack (NULL, request->payload.len, request->payload.data);
  g_assert_cmpstr (back->container_id, ==, "c1");
  grpc__wait_process_request__free_unpacked (back, NULL);
  ttrpc__request__free_unpacked (request, NULL);
}

static void
test_response (void)
{
  g_autofree guint8 *frame = NULL, *failed = NULL, *payload = NULL;
  g_autofree char *message = NULL, *why = NULL;
  Grpc__WaitProcessResponse response = GRPC__WAIT_PROCESS_RESPONSE__INIT;
  gsize len, payload_len;
  int code;

  response.status = 137;
  frame = vp_ttrpc_pack_response (3, VP_GRPC_OK, NULL, &response.base, &len);
  g_assert_cmpmem (frame + 4, 6, "\0\0\0\3\2\0", 6);
  g_assert_cmpint (vp_ttrpc_parse_response (frame + 10, len - 10, &code, &message, &payload, &payload_len),
                   ==, 0);
  g_assert_cmpint (code, ==, VP_GRPC_OK);
  g_assert_cmpstr (message, ==, "");
  g_assert_cmpuint (payload_len, ==, 3);

  failed = vp_ttrpc_pack_response (5, VP_GRPC_NOT_FOUND, "container \"x\": not found", &response.base, &len);
  g_clear_pointer (&payload, g_free);
  g_assert_cmpint (vp_ttrpc_parse_response (failed + 10, len - 10, &code, &why, &payload, &payload_len), ==,
                   0);
  g_assert_cmpint (code, ==, VP_GRPC_NOT_FOUND);
  g_assert_cmpstr (why, ==, "container \"x\": not found");
  g_assert_null (payload);
  g_assert_cmpint (vp_ttrpc_parse_response ((const guint8 *) "\xff", 1, &code, &why, &payload, &payload_len),
                   ==, -EPROTO);
}

/* Sent behind its head, a field that was not copied is what it would have been in it. */
static void
test_response_head (void)
{
  static const gsize sizes[] = { 1, 127, 128, 20000, 1u << 20 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      Grpc__ReadStreamResponse response = GRPC__READ_STREAM_RESPONSE__INIT;
      g_autoptr (GByteArray) frame = g_byte_array_new ();
      g_autofree guint8 *data = g_malloc (sizes[i]), *head = NULL, *payload = NULL;
      g_autofree char *message = NULL;
      Grpc__ReadStreamResponse *back;
      gsize len, payload_len;
      VpFrameHeader header;
      int code;

      memset (data, 'x', sizes[i]);
      response.offset = i == 0 ? 0 : 77;
      head = vp_ttrpc_pack_response_head (9, &response.base, 1, sizes[i], &len);
      g_byte_array_append (frame, head, (guint) len);
      g_byte_array_append (frame, data, (guint) sizes[i]);
      g_assert_cmpint (vp_frame_decode (frame->data, &header), ==, 0);
      g_assert_cmpuint (header.stream, ==, 9);
      g_assert_cmpuint (header.length, ==, frame->len - VP_FRAME_HEADER);
      g_assert_cmpint (vp_ttrpc_parse_response (frame->data + VP_FRAME_HEADER, header.length, &code, &message, &payload,
                                                &payload_len),
                       ==, 0);
      g_assert_cmpint (code, ==, VP_GRPC_OK);
      back = grpc__read_stream_response__unpack (NULL, payload_len, payload);
      g_assert_nonnull (back);
      g_assert_cmpuint (back->offset, ==, response.offset);
      g_assert_cmpmem (back->data.data, back->data.len, data, sizes[i]);
      grpc__read_stream_response__free_unpacked (back, NULL);
    }
}

static void
test_too_long (void)
{
  g_autofree guint8 *data = g_malloc0 (VP_FRAME_MAX);
  Grpc__ReadStreamResponse response = GRPC__READ_STREAM_RESPONSE__INIT;
  gsize len;

  response.data.data = data;
  response.data.len = VP_FRAME_MAX;
  g_assert_null (vp_ttrpc_pack_response (1, VP_GRPC_OK, NULL, &response.base, &len));
  g_assert_cmpint (errno, ==, EMSGSIZE);
  response.data.len = 0;
  g_assert_null (vp_ttrpc_pack_response_head (1, &response.base, 1, VP_FRAME_MAX, &len));
  g_assert_cmpint (errno, ==, EMSGSIZE);
  g_assert_null (vp_ttrpc_pack_response_head (1, &response.base, 1, G_MAXSIZE, &len));
  g_assert_cmpint (errno, ==, EMSGSIZE);
  response.data.len = VP_FRAME_MAX;
  g_assert_null (vp_ttrpc_pack_request (1, "s", "m", &response.base, 0, &len));
  g_assert_cmpint (errno, ==, EMSGSIZE);
}

static void
test_client (void)
{
  const guint8 token[VP_SYNC_TOKEN] = "0123456789abcdef";
  guint8 out[VP_SYNC_SIZE], ack[VP_SYNC_SIZE];
  g_autofree guint8 *frame = NULL;
  VpTtrpcClient c;
  gsize len, used;

  vp_ttrpc_client_init (&c);
  g_assert_cmpuint (vp_ttrpc_client_next_stream (&c), ==, 1);
  g_assert_cmpuint (vp_ttrpc_client_next_stream (&c), ==, 3);
  vp_ttrpc_client_start_sync (&c, token, out);
  g_assert_cmpint (vp_ttrpc_client_feed (&c, (const guint8 *) "rest of yesterday", 17, &used), ==,
                   VP_TTRPC_CLIENT_MORE);
  vp_sync_make_ack (token, ack);
  g_assert_cmpint (vp_ttrpc_client_feed (&c, ack, sizeof ack, &used), ==, VP_TTRPC_CLIENT_SYNCED);
  frame = vp_ttrpc_pack_response (3, VP_GRPC_OK, NULL, NULL, &len);
  g_assert_cmpint (vp_ttrpc_client_feed (&c, frame, len, &used), ==, VP_TTRPC_CLIENT_RESPONSE);
  g_assert_cmpuint (c.reader.header.stream, ==, 3);
  frame[8] = VP_FRAME_REQUEST;
  g_assert_cmpint (vp_ttrpc_client_feed (&c, frame, len, &used), ==, -EPROTO);
  c.next_stream = G_MAXINT32;
  g_assert_cmpuint (vp_ttrpc_client_next_stream (&c), ==, G_MAXINT32);
  g_assert_cmpuint (vp_ttrpc_client_next_stream (&c), ==, 0);
  vp_ttrpc_client_clear (&c);
}

/* All events of @data, fed at once. The reader's frames are counted in @n_requests. */
static int
feed_all (VpTtrpcServer *s, const guint8 *data, gsize len, guint *n_requests, guint *n_syncs)
{
  gboolean first = TRUE;
  int error = 0;

  while (len > 0)
    {
      gsize used;
      int rc = vp_ttrpc_server_feed (s, data, len, first, &used);

      *n_requests += rc == VP_TTRPC_SERVER_REQUEST;
      *n_syncs += rc == VP_TTRPC_SERVER_SYNC;
      error = rc < 0 ? rc : error;
      g_assert_cmpuint (used, <=, len);
      g_assert_true (used > 0 || rc < 0);
      data += used;
      len -= used;
      first = FALSE;
    }
  return error;
}

static void
test_server (void)
{
  const guint8 token[VP_SYNC_TOKEN] = "0123456789abcdef";
  guint8 request[VP_SYNC_SIZE], ack[VP_SYNC_SIZE], wanted[VP_SYNC_SIZE];
  g_autofree guint8 *frame = NULL;
  guint n_requests = 0, n_syncs = 0;
  VpTtrpcServer s;
  gsize len;

  vp_ttrpc_server_init (&s);
  frame = vp_ttrpc_pack_request (1, "grpc.Health", "Check", NULL, 0, &len);
  g_assert_cmpint (feed_all (&s, frame, len, &n_requests, &n_syncs), ==, 0);
  g_assert_cmpuint (n_requests, ==, 1);

  /* inside a frame: only as the whole of a read */
  vp_sync_make_request (token, request);
  feed_all (&s, frame, len - 1, &n_requests, &n_syncs);
  g_assert_cmpint (feed_all (&s, request, sizeof request, &n_requests, &n_syncs), ==, 0);
  g_assert_cmpuint (n_syncs, ==, 1);
  vp_ttrpc_server_get_ack (&s, ack);
  vp_sync_make_ack (token, wanted);
  g_assert_cmpmem (ack, sizeof ack, wanted, sizeof wanted);
  feed_all (&s, frame, len, &n_requests, &n_syncs);
  g_assert_cmpuint (n_requests, ==, 2);

  /* at a boundary: in any pieces */
  for (gsize i = 0; i < sizeof request; i++)
    feed_all (&s, request + i, 1, &n_requests, &n_syncs);
  g_assert_cmpuint (n_syncs, ==, 2);
  vp_ttrpc_server_clear (&s);
}

static void
test_server_lost (void)
{
  const guint8 token[VP_SYNC_TOKEN] = "\xff"
                                      "123456789abcdef";
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  guint8 request[VP_SYNC_SIZE];
  guint n_requests = 0, n_syncs = 0;
  VpTtrpcServer s;

  vp_ttrpc_server_init (&s);
  vp_sync_make_request (token, request);
  g_byte_array_append (stream, (const guint8 *) "\x7fnonsense", 9);
  g_byte_array_append (stream, (const guint8 *) "\xff\xffVPSYNC\x02\xff", 10);
  g_byte_array_append (stream, request, 12);
  g_byte_array_append (stream, request, sizeof request);
  g_assert_cmpint (feed_all (&s, stream->data, stream->len, &n_requests, &n_syncs), ==, -EMSGSIZE);
  g_assert_cmpuint (n_requests, ==, 0);
  /* half a sync and a whole one: the first 24 bytes that look right are taken */
  g_assert_cmpuint (n_syncs, ==, 1);
  vp_ttrpc_server_clear (&s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ttrpc/rpc-table", test_rpc_table);
  g_test_add_func ("/ttrpc/request", test_request);
  g_test_add_func ("/ttrpc/response", test_response);
  g_test_add_func ("/ttrpc/response-head", test_response_head);
  g_test_add_func ("/ttrpc/too-long", test_too_long);
  g_test_add_func ("/ttrpc/client", test_client);
  g_test_add_func ("/ttrpc/server", test_server);
  g_test_add_func ("/ttrpc/server-lost", test_server_lost);
  return g_test_run ();
}
