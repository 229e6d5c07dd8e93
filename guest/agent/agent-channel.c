/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-util.h"
#include "vp-ttrpc-server.h"

#define READ_SIZE (64u << 10)
/* reads before others get their turn */
#define READS_AT_ONCE 16
/* answers waiting for a slow host, above which no more requests are taken */
#define MAX_QUEUED (1u << 20)

/* @head_len bytes at @head, then @len at @body, which are @piece's */
typedef struct
{
  AgentList link;
  uint8_t *head;
  const uint8_t *body;
  size_t head_len, len;
  AgentPiece *piece;
  size_t done; /* of both */
} Frame;

struct AgentChannel
{
  AgentLoop *loop;
  const AgentChannelFuncs *funcs;
  void *data;
  int listener; /* -1: @fd is a port, which stays open while the host comes and goes */
  AgentWatch *listener_watch;
  int fd;
  AgentWatch *watch;
  AgentTimer *again; /* there was more to read */
  VpTtrpcServer server;
  AgentList out;
  size_t queued;
  int paused;  /* not reading because of MAX_QUEUED */
  int hung_up; /* a port: there is no host, as far as was seen */
  uint8_t buf[READ_SIZE];
};

static void pump_in (AgentChannel *c);

static void
frame_free (Frame *f)
{
  agent_list_remove (&f->link);
  agent_piece_unref (f->piece);
  free (f->head);
  free (f);
}

static void
drop_output (AgentChannel *c)
{
  agent_list_foreach_safe (it, &c->out) frame_free (agent_container_of (it, Frame, link));
  c->queued = 0;
  c->paused = 0;
}

static void
reset (AgentChannel *c)
{
  drop_output (c);
  c->funcs->reset (c->data);
}

static void
disconnect (AgentChannel *c)
{
  agent_watch_free (c->watch);
  c->watch = NULL;
  agent_close (&c->fd);
  vp_ttrpc_server_reset (&c->server);
  reset (c);
  agent_watch_set (c->listener_watch, EPOLLIN);
}

/* read() said that nobody is at the other end */
static void
host_is_gone (AgentChannel *c)
{
  if (c->listener >= 0)
    {
      disconnect (c);
      return;
    }
  /* The first bytes of a new host can be here before the guest's kernel takes notice
   * of it; what they caused must not be thrown away for the end of the old one. */
  if (c->hung_up)
    return;
  c->hung_up = 1;
  vp_ttrpc_server_reset (&c->server);
  reset (c);
}

static void
write_failed (AgentChannel *c)
{
  if (c->listener >= 0)
    {
      disconnect (c);
      return;
    }
  agent_warning ("cannot write to the host: %m");
  drop_output (c);
}

/* As much as fits in one call; like write() */
static ssize_t
write_some (AgentChannel *c, const Frame *f)
{
  size_t body_done;

  if (f->done < f->head_len)
    return write (c->fd, f->head + f->done, f->head_len - f->done);
  body_done = f->done - f->head_len;
  return write (c->fd, f->body + body_done, f->len - body_done);
}

static void
pump_out (AgentChannel *c)
{
  while (c->fd >= 0 && !agent_list_is_empty (&c->out))
    {
      Frame *f = agent_container_of (c->out.next, Frame, link);
      ssize_t n = write_some (c, f);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        break;
      if (n < 0)
        {
          write_failed (c);
          return;
        }
      f->done += (size_t) n;
      c->queued -= (size_t) n;
      if (f->done == f->head_len + f->len)
        frame_free (f);
    }
}

/* Takes the frame's head and reference. */
static void
send_frame (AgentChannel *c, const Frame *frame)
{
  Frame *f;

  if (c->fd < 0)
    {
      agent_piece_unref (frame->piece);
      free (frame->head);
      return;
    }
  f = agent_new (Frame);
  *f = *frame;
  agent_list_append (&c->out, &f->link);
  c->queued += f->head_len + f->len;
  pump_out (c);
}

void
agent_channel_send (AgentChannel *c, uint8_t *frame, size_t len)
{
  send_frame (c, &(Frame){ .head = frame, .head_len = len });
}

void
agent_channel_send_piece (AgentChannel *c, uint8_t *head, size_t head_len, AgentPiece *piece, size_t start,
                          size_t len)
{
  Frame frame = { .head = head, .head_len = head_len, .body = agent_piece_bytes (piece) + start, .len = len };

  frame.piece = agent_piece_ref (piece);
  /* in front of what it belongs to, where there is room for it: one write less */
  if (start == 0 && head_len <= AGENT_PIECE_HEADROOM)
    {
      memcpy (agent_piece_bytes (piece) - head_len, head, head_len);
      free (head);
      frame = (Frame){ .piece = frame.piece, .body = frame.body - head_len, .len = len + head_len };
    }
  send_frame (c, &frame);
}

int
agent_channel_is_idle (const AgentChannel *c)
{
  return agent_list_is_empty (&c->out);
}

static void
answer_sync (AgentChannel *c)
{
  uint8_t *ack = agent_alloc (VP_SYNC_SIZE);

  agent_debug ("the host starts a new conversation");
  reset (c);
  vp_ttrpc_server_get_ack (&c->server, ack);
  agent_channel_send (c, ack, VP_SYNC_SIZE);
}

/* 0, or -1 when the connection did not survive */
static int
take (AgentChannel *c, const uint8_t *data, size_t len)
{
  int first = 1;

  while (len > 0)
    {
      size_t used;
      int rc = vp_ttrpc_server_feed (&c->server, data, len, first, &used);

      if (rc < 0)
        {
          agent_warning ("the host does not speak ttrpc: %s", strerror (-rc));
          if (c->listener >= 0)
            {
              disconnect (c);
              return -1;
            }
          /* answers to what was sent before make no sense to that host either */
          reset (c);
        }
      else if (rc == VP_TTRPC_SERVER_SYNC)
        answer_sync (c);
      else if (rc == VP_TTRPC_SERVER_REQUEST)
        c->funcs->request (c->server.reader.header.stream, c->server.reader.payload,
                           c->server.reader.header.length, c->data);
      if (c->fd < 0)
        return -1;
      data += used;
      len -= used;
      first = 0;
    }
  return 0;
}

static void
read_again (void *data)
{
  AgentChannel *c = data;

  c->again = NULL;
  pump_in (c);
}

/* The watch is edge-triggered: a port without a host is hung up for ever, which a
 * level-triggered one would report for ever. So it is read until it has no more. */
static void
pump_in (AgentChannel *c)
{
  for (int i = 0; c->fd >= 0; i++)
    {
      ssize_t n;

      c->paused = c->queued > MAX_QUEUED;
      if (c->paused)
        return;
      if (i == READS_AT_ONCE)
        {
          if (c->again == NULL)
            c->again = agent_timer_new (c->loop, 0, read_again, c);
          return;
        }
      n = read (c->fd, c->buf, sizeof c->buf);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        {
          host_is_gone (c);
          return;
        }
      if (take (c, c->buf, (size_t) n) < 0)
        return;
    }
}

static void
channel_event (uint32_t events, void *data)
{
  AgentChannel *c = data;
  int was_paused = c->paused;

  if ((events & EPOLLHUP) == 0)
    c->hung_up = 0;
  if ((events & EPOLLOUT) != 0)
    pump_out (c);
  if ((events & ~(uint32_t) EPOLLOUT) != 0 || was_paused)
    pump_in (c);
}

static void
accept_client (uint32_t events, void *data)
{
  AgentChannel *c = data;
  int fd = accept4 (c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0)
    return;
  /* others wait in the backlog */
  agent_watch_set (c->listener_watch, 0);
  c->fd = fd;
  c->watch = agent_watch_new (c->loop, fd, EPOLLIN | EPOLLOUT | EPOLLET, channel_event, c);
}

static AgentChannel *
channel_new (AgentLoop *loop, const AgentChannelFuncs *funcs, void *data)
{
  AgentChannel *c = agent_new (AgentChannel);

  c->loop = loop;
  c->funcs = funcs;
  c->data = data;
  c->fd = -1;
  c->listener = -1;
  agent_list_init (&c->out);
  vp_ttrpc_server_init (&c->server);
  return c;
}

AgentChannel *
agent_channel_new_port (AgentLoop *loop, int fd, const AgentChannelFuncs *funcs, void *data)
{
  AgentChannel *c = channel_new (loop, funcs, data);

  c->fd = fd;
  c->watch = agent_watch_new (loop, fd, EPOLLIN | EPOLLOUT | EPOLLET, channel_event, c);
  return c;
}

AgentChannel *
agent_channel_new_listener (AgentLoop *loop, int fd, const AgentChannelFuncs *funcs, void *data)
{
  AgentChannel *c = channel_new (loop, funcs, data);

  c->listener = fd;
  c->listener_watch = agent_watch_new (loop, fd, EPOLLIN, accept_client, c);
  return c;
}

void
agent_channel_free (AgentChannel *c)
{
  if (c == NULL)
    return;
  drop_output (c);
  agent_timer_free (c->again);
  agent_watch_free (c->watch);
  agent_watch_free (c->listener_watch);
  agent_close (&c->fd);
  agent_close (&c->listener);
  vp_ttrpc_server_clear (&c->server);
  free (c);
}
