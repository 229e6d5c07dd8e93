/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes between two sockets: ends that are passed on, a connection that breaks. */
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-pump.h"

#define LARGE (4u << 20) /* more than sockets hold */

typedef struct
{
  int near[2]; /* ours, and the pump's: a connection of TCP */
  int far[2];
  VpPump *pump;
  guint n_done;
} World;

static void
on_done (VpPump *pump, gpointer user_data)
{
  World *world = user_data;

  g_assert_true (pump == world->pump);
  world->n_done++;
}

static void
connect_pair (int ends[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &size), ==, 0);
  ends[0] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (ends[0], (struct sockaddr *) &address, size), ==, 0);
  ends[1] = accept (listener, NULL, NULL);
  g_assert_cmpint (ends[1], >=, 0);
  close (listener);
}

static void
set_up (World *world, gconstpointer data)
{
  connect_pair (world->near);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, world->far), ==, 0);
  world->pump = vp_pump_new (world->near[1], world->far[1], on_done, world);
}

static void
tear_down (World *world, gconstpointer data)
{
  vp_pump_free (world->pump);
  close (world->near[0]);
  close (world->far[0]);
}

static void
turn (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* The rest of what comes, until the end. */
static gsize
count_rest (int fd)
{
  static char data[65536];
  gsize total = 0;

  for (;;)
    {
      gssize n;

      turn ();
      n = recv (fd, data, sizeof data, MSG_DONTWAIT);
      if (n == 0)
        return total;
      if (n > 0)
        total += (gsize) n;
    }
}

static gpointer
send_large (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  static char piece[65536];

  for (gsize sent = 0; sent < LARGE; sent += sizeof piece)
    g_assert_cmpint (send (fd, piece, sizeof piece, MSG_NOSIGNAL), ==, sizeof piece);
  shutdown (fd, SHUT_WR);
  return NULL;
}

/* Each direction by itself; the pump is done with the second. */
static void
test_ends (World *world, gconstpointer data)
{
  GThread *sender = g_thread_new ("sender", send_large, GINT_TO_POINTER (world->near[0]));

  g_assert_cmpuint (count_rest (world->far[0]), ==, LARGE);
  g_thread_join (sender);
  g_assert_cmpuint (world->n_done, ==, 0);
  sender = g_thread_new ("sender", send_large, GINT_TO_POINTER (world->far[0]));
  g_assert_cmpuint (count_rest (world->near[0]), ==, LARGE);
  g_thread_join (sender);
  while (world->n_done == 0)
    turn ();
  g_assert_cmpuint (world->n_done, ==, 1);
}

/* Both directions end at once, also when the other one waits for room. */
static void
test_reset (World *world, gconstpointer data)
{
  const struct linger now = { 1, 0 };
  gboolean stuck = GPOINTER_TO_INT (data);
  static char piece[65536];

  while (stuck)
    {
      gssize n = send (world->far[0], piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL);

      turn ();
      stuck = n > 0;
    }
  g_assert_cmpint (setsockopt (world->near[0], SOL_SOCKET, SO_LINGER, &now, sizeof now), ==, 0);
  close (world->near[0]);
  while (world->n_done == 0)
    turn ();
  turn ();
  g_assert_cmpuint (world->n_done, ==, 1);
  world->near[0] = -1;
}

/* Who closes while nothing is on the way has ended one direction, as far as can be known. */
static void
test_closed (World *world, gconstpointer data)
{
  close (world->near[0]);
  world->near[0] = -1;
  g_assert_cmpuint (count_rest (world->far[0]), ==, 0);
  g_assert_cmpuint (world->n_done, ==, 0);
  /* there is nobody for what still comes */
  while (world->n_done == 0)
    {
      (void) send (world->far[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
      turn ();
    }
  g_assert_cmpuint (world->n_done, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/pump/ends", World, NULL, set_up, test_ends, tear_down);
  g_test_add ("/pump/reset", World, GINT_TO_POINTER (FALSE), set_up, test_reset, tear_down);
  g_test_add ("/pump/reset-while-full", World, GINT_TO_POINTER (TRUE), set_up, test_reset, tear_down);
  g_test_add ("/pump/closed", World, NULL, set_up, test_closed, tear_down);
  return g_test_run ();
}
