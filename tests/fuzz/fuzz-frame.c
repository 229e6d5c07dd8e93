/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vp-message-json.h"
#include "vp-message.h"
#include "vp-rpc.h"
#include "vp-ttrpc-client.h"
#include "vp-ttrpc-server.h"
#include "vp-ttrpc.h"

/* Both ends of a channel on the same bytes. The first byte says in pieces of which
 * size they come. Without libFuzzer (FUZZ_REPLAY) this is a test that runs the corpus. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const uint8_t token[VP_SYNC_TOKEN] = "0123456789abcdef";

static void
print (const ProtobufCMessage *m)
{
  static const unsigned flags[] = { 0, VP_MESSAGE_JSON_OCI, VP_MESSAGE_JSON_PRETTY };

  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    {
      size_t len = 0;
      char *json = vp_message_to_json (m, flags[i], &len);

      assert (json == NULL ? errno == EILSEQ : strlen (json) == len);
      free (json);
    }
}

static void
take_request (const VpFrameReader *r)
{
  Ttrpc__Request *request;
  ProtobufCMessage *m;
  int which;

  if (vp_ttrpc_parse_request (r->payload, r->header.length, &request) < 0)
    return;
  which = vp_rpc_find (request->service, request->method);
  if (which >= 0)
    {
      m = vp_message_unpack (vp_rpc_info ((VpRpc) which)->request, request->payload.data,
                             request->payload.len, 1 << 20);
      if (m != NULL)
        {
          print (m);
          protobuf_c_message_free_unpacked (m, NULL);
        }
    }
  ttrpc__request__free_unpacked (request, NULL);
}

static void
take_response (const VpFrameReader *r)
{
  uint8_t *payload;
  size_t len;
  char *message;
  int code;

  if (vp_ttrpc_parse_response (r->payload, r->header.length, &code, &message, &payload, &len) < 0)
    return;
  assert (strlen (message) <= VP_TTRPC_MESSAGE_MAX && (payload == NULL) == (len == 0));
  free (message);
  free (payload);
}

static void
feed_server (VpTtrpcServer *s, const uint8_t *data, size_t len)
{
  int first = 1;

  while (len > 0)
    {
      size_t used = len + 1;
      int rc = vp_ttrpc_server_feed (s, data, len, first, &used);

      assert (used <= len && (rc != VP_TTRPC_SERVER_MORE || used == len));
      assert (s->reader.allocated <= 2 * s->reader.have + 4096 + (128u << 10));
      if (rc == VP_TTRPC_SERVER_REQUEST)
        take_request (&s->reader);
      /* an error need not take anything, but then the next call does */
      assert (used > 0 || (rc < 0 && s->lost));
      data += used;
      len -= used;
      first = 0;
    }
}

static int
feed_client (VpTtrpcClient *c, const uint8_t *data, size_t len)
{
  while (len > 0)
    {
      size_t used = len + 1;
      int rc = vp_ttrpc_client_feed (c, data, len, &used);

      if (rc < 0)
        return rc;
      assert (used > 0 && used <= len && (rc != VP_TTRPC_CLIENT_MORE || used == len));
      if (rc == VP_TTRPC_CLIENT_RESPONSE)
        take_response (&c->reader);
      data += used;
      len -= used;
    }
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  VpTtrpcServer server;
  VpTtrpcClient client;
  uint8_t hello[VP_SYNC_SIZE];
  int client_alive = 1;
  size_t piece;

  if (size < 2)
    return 0;
  piece = data[0] != 0 ? data[0] : size;
  vp_ttrpc_server_init (&server);
  vp_ttrpc_client_init (&client);
  if (data[0] % 2 == 0)
    vp_ttrpc_client_start_sync (&client, token, hello);
  for (size_t at = 1; at < size; at += piece)
    {
      size_t n = size - at < piece ? size - at : piece;

      feed_server (&server, data + at, n);
      client_alive = client_alive && feed_client (&client, data + at, n) == 0;
    }
  vp_ttrpc_server_clear (&server);
  vp_ttrpc_client_clear (&client);
  return 0;
}

#ifdef FUZZ_REPLAY
static int
replay (const char *dir, const char *name)
{
  static uint8_t data[1 << 20];
  char path[8192];
  size_t n;
  FILE *f;

  snprintf (path, sizeof path, "%s/%s", dir, name);
  f = fopen (path, "re");
  if (f == NULL)
    return -1;
  n = fread (data, 1, sizeof data, f);
  fclose (f);
  return LLVMFuzzerTestOneInput (data, n);
}

int
main (void)
{
  const char *top = getenv ("top_srcdir");
  char dir[4096];
  struct dirent *e;
  unsigned n = 0;
  DIR *d;

  snprintf (dir, sizeof dir, "%s/tests/fuzz/corpus-frame", top != NULL ? top : ".");
  d = opendir (dir);
  while (d != NULL && (e = readdir (d)) != NULL)
    if (e->d_name[0] != '.')
      printf ("%s %u - %s\n", replay (dir, e->d_name) == 0 ? "ok" : "not ok", ++n, e->d_name);
  /* the corpus is part of the source */
  if (n == 0)
    printf ("not ok %u - %s: no inputs\n", ++n, dir);
  printf ("1..%u\n", n);
  if (d != NULL)
    closedir (d);
  return 0;
}
#endif
