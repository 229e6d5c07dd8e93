/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent.pb-c.h"

#define MAX_READ (1u << 20)
#define MAX_PARKED 16
#define DRAIN_MSEC 500

/* What a read brought; one buffer, because it is sent before the next read. */
static uint8_t buffer[MAX_READ];

static void pump_output (AgentOutput *o);

static void
set_nonblocking (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags >= 0)
    fcntl (fd, F_SETFL, flags | O_NONBLOCK);
}

static void
reply_data (AgentCall *call, size_t len)
{
  Grpc__ReadStreamResponse response = GRPC__READ_STREAM_RESPONSE__INIT;

  response.data.data = buffer;
  response.data.len = len;
  agent_call_reply (call, &response.base);
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
    reply_data (call, 0);
}

static void
output_event (uint32_t events, void *data)
{
  pump_output (data);
}

/* One read for each parked call. Nothing is read that nobody asked for, so what is
 * not read stays in the pipe and holds the process back. */
static void
pump_output (AgentOutput *o)
{
  AgentCall *call;

  while (o->fd >= 0 && (call = agent_call_peek (&o->reads)) != NULL)
    {
      const Grpc__ReadStreamRequest *request = agent_call_request (call);
      ssize_t n = read (o->fd, buffer, request->len < MAX_READ ? request->len : MAX_READ);

      if (n > 0)
        {
          reply_data (agent_call_unpark (&o->reads), (size_t) n);
          continue;
        }
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN && !o->draining)
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
  if (o->opened && o->fd < 0)
    {
      reply_data (call, 0);
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

static void
pump_input (AgentInput *i)
{
  AgentCall *call;

  while (i->fd >= 0 && (call = agent_call_peek (&i->writes)) != NULL)
    {
      const Grpc__WriteStreamRequest *request = agent_call_request (call);
      Grpc__WriteStreamResponse response = GRPC__WRITE_STREAM_RESPONSE__INIT;
      ssize_t n = write (i->fd, request->data.data, request->data.len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        break;
      if (n < 0)
        {
          end_input (i);
          return;
        }
      response.len = (uint32_t) n;
      agent_call_reply (agent_call_unpark (&i->writes), &response.base);
    }
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
      agent_call_park (call, &i->writes);
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
