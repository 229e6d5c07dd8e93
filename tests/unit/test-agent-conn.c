/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake-agent.h"
#include "vp-agent-conn.h"
#include "vp-error.h"
#include "vp-ttrpc.h"

typedef struct
{
  char *dir;
  char *path;
  VpAgentConn *conn;
  FakeAgent *agent;
  TestResult opened;
  gboolean closed;
  int deaf; /* a connection that nobody reads */
  GError *error;
  guint n_frames;
  guint32 last_stream;
  gsize last_len;
} Fixture;

static void
on_closed (VpAgentConn *conn, GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_false (f->closed);
  f->closed = TRUE;
  f->error = g_error_copy (error);
}

static void
on_frame (VpAgentConn *conn, guint32 stream, const guint8 *payload, gsize len, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_frames++;
  f->last_stream = stream;
  f->last_len = len;
}

static void
use_conn (Fixture *f, VpAgentConn *conn)
{
  f->conn = conn;
  vp_agent_conn_set_frame_func (conn, NULL, on_frame, f);
  g_signal_connect (conn, "closed", G_CALLBACK (on_closed), f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-conn-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "agent.sock", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->agent, fake_agent_free);
  test_result_clear (&f->opened);
  if (f->conn != NULL)
    {
      vp_agent_conn_close (f->conn);
      g_assert_finalize_object (f->conn);
    }
  g_clear_error (&f->error);
  g_unlink (f->path);
  g_rmdir (f->dir);
  g_free (f->path);
  g_free (f->dir);
}

/* Both ends of a pair, opened. */
static void
open_pair (Fixture *f, VpChannelKind kind)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->agent = fake_agent_new_for_fd (fds[1]);
  use_conn (f, vp_agent_conn_new_for_fd (fds[0], kind));
  vp_agent_conn_open_async (f->conn, 5000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_no_error (error);
  g_assert_true (vp_agent_conn_is_open (f->conn));
}

static void
expect_violation (Fixture *f, const char *words)
{
  test_run_until (&f->closed);
  g_assert_error (f->error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
  g_assert_nonnull (strstr (f->error->message, words));
  g_assert_false (vp_agent_conn_is_open (f->conn));
}

static gboolean
listen_late (gpointer user_data)
{
  Fixture *f = user_data;

  f->agent = fake_agent_listen (f->path);
  return G_SOURCE_REMOVE;
}

static void
test_retry (Fixture *f, gconstpointer data)
{
  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_PLAIN));
  g_timeout_add (150, listen_late, f);
  vp_agent_conn_open_async (f->conn, 5000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, NULL));
}

static void
test_deadline (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_PLAIN));
  vp_agent_conn_open_async (f->conn, 100, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_false (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_false (f->closed);
}

/* @fd was an earlier process's. */
static void
open_kept (Fixture *f, int fd)
{
  g_autoptr (GError) error = NULL;

  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_take_fd (f->conn, fd);
  vp_agent_conn_open_async (f->conn, 5000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_no_error (error);
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->agent = fake_agent_new_for_fd (fds[1]);
  open_kept (f, fds[0]); /* nobody listens at the path */
  g_assert_cmpint (vp_agent_conn_get_fd (f->conn), ==, fds[0]);
}

static void
hang_up (gpointer user_data)
{
  close (GPOINTER_TO_INT (user_data));
}

/* Its other end has gone, before or while it is spoken to. */
static void
test_kept_dead (Fixture *f, gconstpointer data)
{
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  if (data == NULL)
    close (fds[1]);
  else
    g_idle_add_once (hang_up, GINT_TO_POINTER (fds[1]));
  g_timeout_add (150, listen_late, f);
  open_kept (f, fds[0]);
}

static void
test_cancel_open (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 0, cancellable, test_result_ready, &f->opened);
  test_run_for (30);
  g_cancellable_cancel (cancellable);
  test_run_until (&f->opened.done);
  g_assert_false (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
}

static void
test_close_while_opening (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 0, NULL, test_result_ready, &f->opened);
  vp_agent_conn_close (f->conn);
  test_run_until (&f->opened.done);
  g_assert_false (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
}

static void
test_long_path (Fixture *f, gconstpointer data)
{
  g_autofree char *deep = g_strdup_printf ("%s/%0100d", f->dir, 7);
  g_autofree char *path = g_build_filename (deep, "agent.sock", NULL);
  g_autofree char *here = g_get_current_dir ();

  /* bound by a short name */
  g_assert_no_errno (g_mkdir (deep, 0700));
  g_assert_no_errno (chdir (deep));
  f->agent = fake_agent_listen ("agent.sock");
  g_assert_no_errno (chdir (here));

  use_conn (f, vp_agent_conn_new (path, VP_CHANNEL_PLAIN));
  vp_agent_conn_open_async (f->conn, 2000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, NULL));
  g_unlink (path);
  g_rmdir (deep);
}

static void
test_resync_garbage (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) garbage = NULL;
  guint8 *old;
  gsize len = 0;

  /* the end of an old conversation: half a frame, then what looks like an ack */
  old = vp_ttrpc_pack_response (77, 0, NULL, NULL, &len);
  old = realloc (old, 4096);
  memset (old + len, 'x', 4096 - len);
  memcpy (old + 2000, "\xffVPSYAK\x01\xffVPSYAK\x01", 16);
  garbage = g_bytes_new_with_free_func (old, 4096, free, old);

  f->agent = fake_agent_listen (f->path);
  fake_agent_set_sync (f->agent, 0, garbage);
  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 5000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, NULL));
  g_assert_cmpuint (fake_agent_get_n_syncs (f->agent), ==, 1);

  fake_agent_reply_empty (f->agent, 5);
  test_run_for (30);
  g_assert_cmpuint (f->n_frames, ==, 1);
  g_assert_cmpuint (f->last_stream, ==, 5);
}

static void
test_resync_again (Fixture *f, gconstpointer data)
{
  f->agent = fake_agent_listen (f->path);
  fake_agent_set_sync (f->agent, 1, NULL);
  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 5000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, NULL));
  g_assert_cmpuint (fake_agent_get_n_syncs (f->agent), ==, 2);
}

static void
test_resync_deadline (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->agent = fake_agent_listen (f->path);
  fake_agent_set_sync (f->agent, 1000, NULL);
  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 100, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_false (vp_agent_conn_open_finish (f->conn, f->opened.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_TIMED_OUT);
}

/* The first connection leads nowhere, the second to the agent. */
static gboolean
on_client (gint listener, GIOCondition condition, gpointer user_data)
{
  Fixture *f = user_data;
  int fd = accept (listener, NULL, NULL);

  g_assert_no_errno (fd);
  if (f->deaf < 0)
    {
      f->deaf = fd;
      return G_SOURCE_CONTINUE;
    }
  f->agent = fake_agent_new_for_fd (fd);
  return G_SOURCE_REMOVE;
}

static void
test_deaf_peer (Fixture *f, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  f->deaf = -1;
  g_strlcpy (address.sun_path, f->path, sizeof address.sun_path);
  g_assert_no_errno (bind (listener, (struct sockaddr *) &address, sizeof address));
  g_assert_no_errno (listen (listener, 2));
  g_unix_fd_add (listener, G_IO_IN, on_client, f);
  use_conn (f, vp_agent_conn_new (f->path, VP_CHANNEL_SERIAL));
  vp_agent_conn_open_async (f->conn, 15000, NULL, test_result_ready, &f->opened);
  test_run_until (&f->opened.done);
  g_assert_true (vp_agent_conn_open_finish (f->conn, f->opened.result, NULL));
  close (f->deaf);
  close (listener);
}

static void
test_hang_up (Fixture *f, gconstpointer data)
{
  open_pair (f, VP_CHANNEL_PLAIN);
  fake_agent_hang_up (f->agent);
  expect_violation (f, "closed");
}

static void
test_huge_frame (Fixture *f, gconstpointer data)
{
  static const guint8 header[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 2, 0 };

  open_pair (f, VP_CHANNEL_SERIAL);
  fake_agent_send_raw (f->agent, header, sizeof header);
  expect_violation (f, "4294967295");
}

static void
test_request_from_guest (Fixture *f, gconstpointer data)
{
  static const guint8 header[] = { 0, 0, 0, 0, 0, 0, 0, 2, 1, 0 };

  open_pair (f, VP_CHANNEL_PLAIN);
  fake_agent_send_raw (f->agent, header, sizeof header);
  expect_violation (f, "type 1");
}

static void
test_garbage (Fixture *f, gconstpointer data)
{
  open_pair (f, VP_CHANNEL_PLAIN);
  fake_agent_send_raw (f->agent, "Kernel panic - not syncing", 26);
  expect_violation (f, "protocol violation");
}

static void
test_slow_frame (Fixture *f, gconstpointer data)
{
  /* announces 4 MiB and sends a little: nothing happens, little is allocated */
  static const guint8 header[] = { 0, 0x40, 0, 0, 0, 0, 0, 1, 2, 0, 'x', 'y' };

  open_pair (f, VP_CHANNEL_PLAIN);
  fake_agent_send_raw (f->agent, header, sizeof header);
  test_run_for (50);
  g_assert_cmpuint (f->n_frames, ==, 0);
  g_assert_true (vp_agent_conn_is_open (f->conn));
}

static gboolean
on_tick (gpointer user_data)
{
  ++*(guint *) user_data;
  return G_SOURCE_CONTINUE;
}

/* A flood does not keep other sources from running. */
static void
test_flood (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *frames = g_malloc0 (4u << 20);
  guint ticks = 0;
  guint source;

  open_pair (f, VP_CHANNEL_PLAIN);
  for (gsize i = 0; i + 10 <= (4u << 20); i += 10)
    memcpy (frames + i, "\0\0\0\0\0\0\0\7\2\0", 10);
  fake_agent_send_raw (f->agent, frames, (4u << 20) / 10 * 10);
  source = g_idle_add_full (G_PRIORITY_DEFAULT, on_tick, &ticks, NULL);
  while (f->n_frames < (4u << 20) / 10)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  g_assert_cmpuint (ticks, >=, 16);
}

static void
test_queue_limit (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  open_pair (f, VP_CHANNEL_PLAIN);
  fake_agent_stall (f->agent);
  while (vp_agent_conn_send (f->conn, calloc (1, 1u << 20), 1u << 20, &error) && n < 100)
    n++;
  g_assert_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED);
  g_assert_cmpuint (n, >=, VP_AGENT_CONN_MAX_QUEUE >> 20);
  g_assert_cmpuint (n, <=, (VP_AGENT_CONN_MAX_QUEUE >> 20) + 2); /* and what the socket took */
  g_assert_cmpuint (vp_agent_conn_get_queued (f->conn), <=, VP_AGENT_CONN_MAX_QUEUE);
  g_assert_true (vp_agent_conn_is_open (f->conn));
}

static void
test_send_closed (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_pair (f, VP_CHANNEL_PLAIN);
  vp_agent_conn_close (f->conn);
  vp_agent_conn_close (f->conn);
  g_assert_false (vp_agent_conn_send (f->conn, malloc (10), 10, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE);
  test_run_for (10);
  g_assert_false (f->closed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/agent-conn/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("retry", test_retry);
  ADD ("deadline", test_deadline);
  ADD ("cancel-open", test_cancel_open);
  ADD ("kept", test_kept);
  ADD ("kept-dead", test_kept_dead);
  g_test_add ("/agent-conn/kept-dying", Fixture, "later", set_up, test_kept_dead, tear_down);
  ADD ("close-while-opening", test_close_while_opening);
  ADD ("long-path", test_long_path);
  ADD ("resync/garbage", test_resync_garbage);
  ADD ("resync/again", test_resync_again);
  ADD ("resync/deadline", test_resync_deadline);
  ADD ("resync/deaf-peer", test_deaf_peer);
  ADD ("hang-up", test_hang_up);
  ADD ("huge-frame", test_huge_frame);
  ADD ("request-from-guest", test_request_from_guest);
  ADD ("garbage", test_garbage);
  ADD ("slow-frame", test_slow_frame);
  ADD ("flood", test_flood);
  ADD ("queue-limit", test_queue_limit);
  ADD ("send-closed", test_send_closed);
#undef ADD
  return g_test_run ();
}
