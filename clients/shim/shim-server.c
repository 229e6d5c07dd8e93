/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-server.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim-loop.h"
#include "shim-util.h"
#include "vp-frame.h"
#include "vp-message.h"

#define MAX_CONNECTIONS 64
#define MAX_CALLS 1024              /* of one connection under way */
#define MAX_MESSAGE (16u << 20)     /* memory of one request, unpacked */
#define MAX_QUEUE (16u << 20)       /* bytes a connection does not read */
#define FLUSH_MS 2000

typedef struct Connection Connection;
struct Connection
{
  Connection *next;
  int fd;
  ShimWatch *watch;
  VpFrameReader reader;
  ShimCall *calls;
  unsigned n_calls;
  uint8_t *out; /* what is to be sent: from sent to len */
  size_t sent, len, size;
};

struct ShimCall
{
  ShimCall *next; /* of the connection */
  Connection *connection; /* NULL: it is gone */
  uint32_t stream;
  ProtobufCMessage *request;
};

static const ShimService *service_table;
static Connection *connections;
static unsigned n_connections;

/* ---- sending --------------------------------------------------------------------- */

static void
drop (Connection *self)
{
  Connection **place = &connections;

  while (*place != self)
    place = &(*place)->next;
  *place = self->next;
  n_connections--;
  for (ShimCall *call = self->calls; call != NULL; call = call->next)
    call->connection = NULL;
  shim_watch_end (self->watch);
  (void) close (self->fd);
  vp_frame_reader_clear (&self->reader);
  free (self->out);
  free (self);
}

/* 0, or -1: the connection is of no use any more. */
static int
flush (Connection *self)
{
  while (self->sent < self->len)
    {
      ssize_t n = send (self->fd, self->out + self->sent, self->len - self->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno != EAGAIN)
        return -1;
      if (n < 0)
        break;
      self->sent += (size_t) n;
    }
  if (self->sent == self->len)
    {
      free (self->out);
      self->out = NULL;
      self->sent = self->len = self->size = 0;
    }
  shim_watch_set (self->watch, self->len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return 0;
}

static int
queue (Connection *self, const uint8_t *data, size_t len)
{
  if (self->len - self->sent + len > MAX_QUEUE)
    return -1;
  if (self->len + len > self->size)
    {
      uint8_t *bigger = shim_alloc (self->len - self->sent + len);

      if (self->len > self->sent)
        memcpy (bigger, self->out + self->sent, self->len - self->sent);
      free (self->out);
      self->out = bigger;
      self->len -= self->sent;
      self->sent = 0;
      self->size = self->len + len;
    }
  memcpy (self->out + self->len, data, len);
  self->len += len;
  return flush (self);
}

static void
end_call (ShimCall *self, uint8_t *frame, size_t len)
{
  Connection *connection = self->connection;
  ShimCall **place;

  if (connection != NULL)
    {
      for (place = &connection->calls; *place != self; place = &(*place)->next)
        ;
      *place = self->next;
      connection->n_calls--;
      /* the loop finds out that it is dead, and ends it: who calls may be in the middle of it */
      if (frame == NULL || queue (connection, frame, len) < 0)
        (void) shutdown (connection->fd, SHUT_RDWR);
    }
  free (frame);
  protobuf_c_message_free_unpacked (self->request, NULL);
  free (self);
}

void *
shim_call_request (ShimCall *self)
{
  return self->request;
}

void
shim_call_append (ShimCall ***calls, size_t *n, ShimCall *call)
{
  ShimCall **bigger = realloc (*calls, (*n + 1) * sizeof *bigger);

  if (bigger == NULL)
    abort ();
  bigger[(*n)++] = call;
  *calls = bigger;
}

void
shim_call_reply (ShimCall *self, const void *response)
{
  size_t len = 0;
  uint8_t *frame = vp_ttrpc_pack_response (self->stream, VP_GRPC_OK, NULL, response, &len);

  end_call (self, frame, len);
}

void
shim_call_fail (ShimCall *self, VpGrpcCode code, const char *format, ...)
{
  char text[VP_TTRPC_MESSAGE_MAX];
  va_list arguments;
  uint8_t *frame;
  size_t len = 0;

  va_start (arguments, format);
  (void) vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  frame = vp_ttrpc_pack_response (self->stream, code, text, NULL, &len);
  end_call (self, frame, len);
}

/* ---- receiving ------------------------------------------------------------------- */

static const ShimMethod *
find_method (const Ttrpc__Request *request)
{
  for (const ShimService *service = service_table; service->name != NULL; service++)
    if (strcmp (request->service, service->name) == 0)
      for (const ShimMethod *method = service->methods; method->name != NULL; method++)
        if (strcmp (request->method, method->name) == 0)
          return method;
  return NULL;
}

static void
on_request (Connection *self)
{
  ShimCall *call = shim_alloc (sizeof *call);
  Ttrpc__Request *request = NULL;
  const ShimMethod *method = NULL;

  call->connection = self;
  call->stream = self->reader.header.stream;
  call->next = self->calls;
  self->calls = call;
  self->n_calls++;
  if (self->n_calls > MAX_CALLS)
    shim_call_fail (call, VP_GRPC_RESOURCE_EXHAUSTED, "more than %d calls under way", MAX_CALLS);
  else if (vp_ttrpc_parse_request (self->reader.payload, self->reader.header.length, &request) < 0)
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "not a ttrpc request");
  else if ((method = find_method (request)) == NULL)
    shim_call_fail (call, VP_GRPC_UNIMPLEMENTED, "%.64s/%.64s is not known here", request->service, request->method);
  else
    {
      call->request = vp_message_unpack (method->request, request->payload.data, request->payload.len, MAX_MESSAGE);
      if (call->request == NULL)
        shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "%s: not such a request", method->name);
      else
        method->handler (call);
    }
  if (request != NULL)
    ttrpc__request__free_unpacked (request, NULL);
}

/* 0, or -1: the end. */
static int
receive (Connection *self)
{
  uint8_t data[16384];
  size_t at = 0, taken;
  ssize_t n = recv (self->fd, data, sizeof data, MSG_DONTWAIT);
  int got;

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  if (n <= 0)
    return -1;
  do
    {
      got = vp_frame_reader_feed (&self->reader, data + at, (size_t) n - at, &taken);
      at += taken;
      if (got > 0 && self->reader.header.type != VP_FRAME_REQUEST)
        return -1;
      if (got > 0)
        on_request (self);
    }
  while (got > 0);
  return got;
}

static void
on_ready (uint32_t events, void *data)
{
  Connection *self = data;
  int dead = 0;

  if ((events & EPOLLOUT) != 0)
    dead = flush (self) < 0;
  if (!dead && (events & ~(uint32_t) EPOLLOUT) != 0)
    dead = receive (self) < 0;
  if (dead)
    drop (self);
}

static void
on_connection (uint32_t events, void *data)
{
  int fd = accept4 (*(int *) data, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct ucred peer = { .uid = (uid_t) -1 };
  socklen_t len = sizeof peer;
  Connection *self;

  (void) events;
  if (fd < 0)
    return;
  /* who may talk to the shim may do all that its user may */
  if (n_connections >= MAX_CONNECTIONS || getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0
      || (peer.uid != geteuid () && peer.uid != 0))
    {
      (void) close (fd);
      return;
    }
  self = shim_alloc (sizeof *self);
  self->fd = fd;
  vp_frame_reader_init (&self->reader);
  self->next = connections;
  connections = self;
  n_connections++;
  self->watch = shim_watch_new (fd, EPOLLIN, on_ready, self);
}

void
shim_server_start (int fd, const ShimService *services)
{
  static int listening;

  listening = fd;
  service_table = services;
  (void) shim_watch_new (listening, EPOLLIN, on_connection, &listening);
}

void
shim_server_flush (void)
{
  uint64_t end = shim_now () + FLUSH_MS;

  for (Connection *self = connections; self != NULL; self = self->next)
    while (self->len > self->sent && shim_now () < end)
      {
        struct pollfd fd = { .fd = self->fd, .events = POLLOUT };

        if (poll (&fd, 1, (int) (end - shim_now ())) <= 0 || flush (self) < 0)
          break;
      }
}
