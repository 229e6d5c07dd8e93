/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent.pb-c.h"

#define MAX_READ (1u << 20)
#define MIN_READ 4096
#define MAX_PARKED 16
/* answers to be told again, above which no more is read: the host says what it has */
#define MAX_TOLD 32
#define DRAIN_MSEC 500

#define DATA_FIELD 1 /* of ReadStreamResponse */

/* what a host was told, until it asks for more */
typedef struct
{
  AgentList link;
  uint64_t conversation; /* in which it was told last */
  uint64_t offset;
  AgentPiece *piece;
  size_t start, len; /* in the piece */
} Told;

static void pump_output (AgentOutput *o);

static void
set_nonblocking (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags >= 0)
    fcntl (fd, F_SETFL, flags | O_NONBLOCK);
}

/* Takes @piece. */
static Told *
told_new (uint64_t conversation, uint64_t offset, AgentPiece *piece, size_t start, size_t len)
{
  Told *t = agent_new (Told);

  t->conversation = conversation;
  t->offset = offset;
  t->piece = piece;
  t->start = start;
  t->len = len;
  return t;
}

static void
told_free (AgentOutput *o, Told *t)
{
  o->n_told--;
  agent_list_remove (&t->link);
  agent_pool_give (&o->pool, t->piece);
  free (t);
}

static void
reply_told (AgentCall *call, const Told *t)
{
  Grpc__ReadStreamResponse response = GRPC__READ_STREAM_RESPONSE__INIT;

  response.offset = t->offset;
  agent_call_reply_piece (call, &response.base, DATA_FIELD, t->piece, t->start, t->len);
}

static void
reply_end (AgentOutput *o, AgentCall *call)
{
  Grpc__ReadStreamResponse response = GRPC__READ_STREAM_RESPONSE__INIT;

  response.offset = o->offset;
  agent_call_reply (call, &response.base);
}

/* The host that asks for more has what it was told first, or says what it has. */
static void
confirm (AgentOutput *o, const AgentCall *call)
{
  const Grpc__ReadStreamRequest *request = agent_call_request (call);

  agent_list_foreach_safe (it, &o->told)
  {
    Told *t = agent_container_of (it, Told, link);

    if (request->done == 0)
      {
        if (t->conversation == agent_call_conversation (call))
          told_free (o, t);
        break;
      }
    if (t->offset + t->len > request->done)
      break;
    told_free (o, t);
  }
}

/* Tells what was told to a host that is gone; 0 if there is none of that. */
static int
tell_again (AgentOutput *o, AgentCall *call)
{
  const Grpc__ReadStreamRequest *request = agent_call_request (call);
  uint64_t conversation = agent_call_conversation (call);

  agent_list_foreach (it, &o->told)
  {
    Told *t = agent_container_of (it, Told, link), *rest;

    if (t->conversation == conversation)
      continue;
    t->conversation = conversation;
    if (t->len > request->len)
      {
        /* in two, so that the first half can be confirmed alone */
        rest = told_new (conversation - 1, t->offset + request->len, agent_piece_ref (t->piece),
                         t->start + request->len, t->len - request->len);
        t->len = request->len;
        /* in front of the one behind @t */
        agent_list_append (it->next, &rest->link);
        o->n_told++;
      }
    reply_told (call, t);
    return 1;
  }
  return 0;
}

static void
end_output (AgentOutput *o)
{
  AgentCall *call;

  agent_watch_free (o->watch);
  o->watch = NULL;
  agent_close (&o->fd);
  agent_timer_free (o->drain);
  o->drain = NULL;
  while ((call = agent_call_unpark (&o->reads)) != NULL)
    reply_end (o, call);
}

static void
output_event (uint32_t events, void *data)
{
  pump_output (data);
}

/* What there is to read for @call, which is then what it was told; NULL with errno, or 0
 * at the end */
static Told *
read_some (AgentOutput *o, const AgentCall *call)
{
  const Grpc__ReadStreamRequest *request = agent_call_request (call);
  size_t max = request->len < MAX_READ ? request->len : MAX_READ;
  AgentPiece *piece;
  int there = 0, error;
  ssize_t n;

  /* no more memory than that is used */
  if (ioctl (o->fd, FIONREAD, &there) < 0 || there < MIN_READ)
    there = MIN_READ;
  piece = agent_pool_take (&o->pool, max < (size_t) there ? max : (size_t) there);
  do
    n = read (o->fd, agent_piece_bytes (piece), max < piece->size ? max : piece->size);
  while (n < 0 && errno == EINTR);
  error = n < 0 ? errno : 0;
  if (n > 0)
    return told_new (agent_call_conversation (call), o->offset, piece, 0, (size_t) n);
  agent_pool_give (&o->pool, piece);
  errno = error;
  return NULL;
}

/* One read for each parked call. Nothing is read that nobody asked for, so what is
 * not read stays in the pipe and holds the process back. */
static void
pump_output (AgentOutput *o)
{
  AgentCall *call;

  while (o->fd >= 0 && o->n_told < MAX_TOLD && (call = agent_call_peek (&o->reads)) != NULL)
    {
      Told *t = read_some (o, call);

      if (t != NULL)
        {
          agent_list_append (&o->told, &t->link);
          o->n_told++;
          o->offset += t->len;
          reply_told (agent_call_unpark (&o->reads), t);
          continue;
        }
      if (errno == EAGAIN && !o->draining)
        break;
      /* the end: nobody has the other side open (EIO is a pty's word for it) */
      end_output (o);
    }
  if (o->watch != NULL)
    agent_watch_set (o->watch, agent_list_is_empty (&o->reads) ? 0 : EPOLLIN);
}

void
agent_output_init (AgentOutput *o, AgentLoop *loop)
{
  *o = (AgentOutput){ .loop = loop, .fd = -1 };
  agent_list_init (&o->reads);
  agent_list_init (&o->told);
  agent_pool_init (&o->pool, loop);
}

void
agent_output_open (AgentOutput *o, int fd)
{
  o->opened = 1;
  o->fd = fd;
  if (fd < 0)
    {
      end_output (o);
      return;
    }
  set_nonblocking (fd);
  o->watch = agent_watch_new (o->loop, fd, 0, output_event, o);
  pump_output (o);
}

void
agent_output_read (AgentOutput *o, AgentCall *call)
{
  const Grpc__ReadStreamRequest *request = agent_call_request (call);

  if (request->len == 0)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "len: must not be 0");
      return;
    }
  confirm (o, call);
  if (tell_again (o, call))
    return;
  if (o->opened && o->fd < 0)
    {
      reply_end (o, call);
      return;
    }
  if (agent_call_count (&o->reads) >= MAX_PARKED)
    {
      agent_call_fail (call, VP_GRPC_RESOURCE_EXHAUSTED, "more than %d reads of one stream at once",
                       MAX_PARKED);
      return;
    }
  agent_call_park (call, &o->reads);
  pump_output (o);
}

static void
drain_timeout (void *data)
{
  AgentOutput *o = data;

  o->drain = NULL;
  o->draining = 1;
  pump_output (o);
}

void
agent_output_process_exited (AgentOutput *o)
{
  if (o->fd >= 0 && o->drain == NULL && !o->draining)
    o->drain = agent_timer_new (o->loop, DRAIN_MSEC, drain_timeout, o);
}

void
agent_output_clear (AgentOutput *o)
{
  end_output (o);
  while (!agent_list_is_empty (&o->told))
    told_free (o, agent_container_of (o->told.next, Told, link));
  agent_pool_clear (&o->pool);
}

static void
end_input (AgentInput *i)
{
  AgentCall *call;

  agent_watch_free (i->watch);
  i->watch = NULL;
  agent_close (&i->fd);
  while ((call = agent_call_unpark (&i->writes)) != NULL)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "standard input is closed");
}

/* One write for a call that is answered: the rest is for the host to send again. All of
 * it for one whose host is gone. 0 when the pipe is full, -1 when nobody reads it. */
static int
write_call (AgentInput *i, AgentCall *call)
{
  const Grpc__WriteStreamRequest *request = agent_call_request (call);
  Grpc__WriteStreamResponse response = GRPC__WRITE_STREAM_RESPONSE__INIT;
  ssize_t n;

  do
    n = write (i->fd, request->data.data + i->done, request->data.len - i->done);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? 0 : -1;
  i->done += (size_t)n;
  if (i->done < request->data.len && agent_call_is_orphan (call))
    return 1;
  response.len = (uint32_t)i->done;
  i->done = 0;
  agent_call_reply (agent_call_unpark (&i->writes), &response.base);
  return 1;
}

static void
pump_input (AgentInput *i)
{
  AgentCall *call;
  int rc = 1;

  while (i->fd >= 0 && rc > 0 && (call = agent_call_peek (&i->writes)) != NULL)
    rc = write_call (i, call);
  if (rc < 0)
    end_input (i);
  if (i->fd < 0)
    return;
  if (i->close_wanted && agent_list_is_empty (&i->writes))
    end_input (i);
  else
    agent_watch_set (i->watch, agent_list_is_empty (&i->writes) ? 0 : EPOLLOUT);
}

static void
input_event (uint32_t events, void *data)
{
  pump_input (data);
}

void
agent_input_init (AgentInput *i, AgentLoop *loop)
{
  *i = (AgentInput){ .loop = loop, .fd = -1 };
  agent_list_init (&i->writes);
}

void
agent_input_open (AgentInput *i, int fd)
{
  set_nonblocking (fd);
  i->fd = fd;
  i->watch = agent_watch_new (i->loop, fd, 0, input_event, i);
}

void
agent_input_write (AgentInput *i, AgentCall *call)
{
  const Grpc__WriteStreamRequest *request = agent_call_request (call);
  Grpc__WriteStreamResponse response = GRPC__WRITE_STREAM_RESPONSE__INIT;

  if (i->fd < 0 || i->close_wanted)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "standard input is closed");
  else if (agent_call_count (&i->writes) >= MAX_PARKED)
    agent_call_fail (call, VP_GRPC_RESOURCE_EXHAUSTED, "more than %d writes to one stream at once",
                     MAX_PARKED);
  else if (request->data.len == 0)
    agent_call_reply (call, &response.base);
  else
    {
      agent_call_park_for_good (call, &i->writes);
      pump_input (i);
    }
}

void
agent_input_close (AgentInput *i)
{
  i->close_wanted = 1;
  pump_input (i);
}

void
agent_input_clear (AgentInput *i)
{
  end_input (i);
}
