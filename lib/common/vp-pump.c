/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-pump.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-fd.h"

#define BUFFER 65536

typedef struct
{
  VpPump *pump;
  int from, to; /* borrowed */
  guint source; /* for more, or for room for what there is */
  gboolean done;
  gsize start, len;
  char data[BUFFER];
} Flow;

struct _VpPump
{
  int fds[2];
  Flow flows[2];
  VpPumpFunc func;
  gpointer user_data;
};

static gboolean on_readable (int fd, GIOCondition condition, gpointer user_data);
static gboolean on_writable (int fd, GIOCondition condition, gpointer user_data);

static void
wait_for (Flow *flow)
{
  if (flow->len > 0)
    flow->source = g_unix_fd_add (flow->to, G_IO_OUT, on_writable, flow);
  else
    flow->source = g_unix_fd_add (flow->from, G_IO_IN, on_readable, flow);
}

/* The last thing that is done with the flow in a turn. */
static void
finish (Flow *flow)
{
  VpPump *self = flow->pump;

  flow->done = TRUE;
  (void) shutdown (flow->to, SHUT_WR);
  if (self->flows[0].done && self->flows[1].done)
    self->func (self, self->user_data);
}

/* The same, where a connection has broken: nothing goes on in any direction. */
static void
break_off (VpPump *self)
{
  for (int i = 0; i < 2; i++)
    {
      g_clear_handle_id (&self->flows[i].source, g_source_remove);
      self->flows[i].done = TRUE;
    }
  self->func (self, self->user_data);
}

static gboolean
is_later (gssize n)
{
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  Flow *flow = user_data;
  gssize n = send (flow->to, flow->data + flow->start, flow->len, MSG_NOSIGNAL);

  if (is_later (n))
    return G_SOURCE_CONTINUE;
  flow->source = 0;
  if (n < 0)
    {
      /* whoever sent it is to see that nobody wants it */
      (void) shutdown (flow->from, SHUT_RD);
      finish (flow);
      return G_SOURCE_REMOVE;
    }
  flow->start += (gsize) n;
  flow->len -= (gsize) n;
  wait_for (flow);
  return G_SOURCE_REMOVE;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  Flow *flow = user_data;
  gssize n = recv (flow->from, flow->data, sizeof flow->data, 0);

  if (is_later (n))
    return G_SOURCE_CONTINUE;
  flow->source = 0;
  if (n <= 0)
    {
      if (n < 0)
        break_off (flow->pump);
      else
        finish (flow);
      return G_SOURCE_REMOVE;
    }
  flow->start = 0;
  flow->len = (gsize) n;
  wait_for (flow);
  return G_SOURCE_REMOVE;
}

VpPump *
vp_pump_new (int one, int other, VpPumpFunc done, gpointer user_data)
{
  VpPump *self = g_new0 (VpPump, 1);

  self->fds[0] = one;
  self->fds[1] = other;
  self->func = done;
  self->user_data = user_data;
  for (int i = 0; i < 2; i++)
    {
      Flow *flow = &self->flows[i];

      (void) g_unix_set_fd_nonblocking (self->fds[i], TRUE, NULL);
      flow->pump = self;
      flow->from = self->fds[i];
      flow->to = self->fds[1 - i];
      wait_for (flow);
    }
  return self;
}

void
vp_pump_free (VpPump *self)
{
  if (self == NULL)
    return;
  for (int i = 0; i < 2; i++)
    g_clear_handle_id (&self->flows[i].source, g_source_remove);
  for (int i = 0; i < 2; i++)
    vp_fd_clear (&self->fds[i]);
  g_free (self);
}
