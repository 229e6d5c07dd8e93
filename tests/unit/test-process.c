/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-error.h"

/* A process, its agent, and what it told. */
typedef struct
{
  DomainFixture domain;
  VpAgentClient *client;
  VpProcess *process;
  VpPlace *place;
  guint changed;
  guint exited;
} Fixture;

static void
count (VpProcess *process, gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (VpAgentConn) conn = NULL;
  g_auto (TestResult) opened = { 0 };
  g_autofree char *path = NULL;

  domain_fixture_set_up (&f->domain, NULL);
  g_assert_true (vp_store_add (f->domain.services.store, "vp-p", "{}", 2, NULL));
  domain_fixture_guest (&f->domain, "vp-p");
  path = g_build_filename (f->domain.dir, "state", "sandboxes", "vp-p", "agent.sock", NULL);
  conn = vp_agent_conn_new (path, VP_CHANNEL_SERIAL);
  f->client = vp_agent_client_new (conn);
  vp_agent_client_open_async (f->client, 10000, NULL, test_result_ready, &opened);
  g_assert_true (vp_agent_client_open_finish (f->client, domain_fixture_await (&opened), NULL));
  f->process = vp_process_new ("s", "c", "", FALSE);
  f->place = vp_place_new ();
  f->place->sandbox = VP_SANDBOX_READY;
  vp_process_set_place (f->process, f->place);
  g_signal_connect (f->process, "changed", G_CALLBACK (count), &f->changed);
  g_signal_connect (f->process, "exited", G_CALLBACK (count), &f->exited);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vp_process_lose (f->process, VP_STATUS_LOST);
  vp_agent_client_close (f->client);
  domain_fixture_assert_gone (f->process);
  vp_place_unref (f->place);
  domain_fixture_assert_gone (f->client);
  domain_fixture_tear_down (&f->domain, NULL);
}

static void
run (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  vp_process_prepare (f->process, f->client, NULL, &error);
  g_assert_no_error (error);
  vp_process_begin_io (f->process);
  f->place->container = VP_CONTAINER_RUNNING;
  vp_process_begin_wait (f->process);
  domain_fixture_await_call (&f->domain, VP_RPC_WAIT_PROCESS, 1);
}

static guint
finish_wait (Fixture *f, TestResult *result)
{
  g_autoptr (GError) error = NULL;
  guint status = 0;
  gint64 exited_at = 0;

  vp_process_wait_finish (f->process, domain_fixture_await (result), &status, &exited_at, &error);
  g_assert_no_error (error);
  g_assert_cmpint (exited_at, ==, vp_process_get_exited_at (f->process));
  return status;
}

static void
assert_wait_fails (Fixture *f, TestResult *result, VpError code)
{
  g_autoptr (GError) error = NULL;
  guint status = 0;
  gint64 exited_at = 0;

  g_assert_false (vp_process_wait_finish (f->process, domain_fixture_await (result), &status, &exited_at, &error));
  g_assert_error (error, VP_ERROR, (int) code);
}

static void
test_exit (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) early = { 0 };
  g_auto (TestResult) second = { 0 };
  g_auto (TestResult) late = { 0 };

  vp_process_wait_async (f->process, NULL, test_result_ready, &early);
  g_assert_cmpint (vp_process_get_state (f->process), ==, VP_PROCESS_CREATED);
  run (f);
  g_assert_cmpint (vp_process_get_state (f->process), ==, VP_PROCESS_RUNNING);
  vp_process_wait_async (f->process, NULL, test_result_ready, &second);
  domain_fixture_exit (&f->domain, "c", "", 7);
  g_assert_cmpuint (finish_wait (f, &early), ==, 7);
  g_assert_cmpuint (finish_wait (f, &second), ==, 7);
  vp_process_wait_async (f->process, NULL, test_result_ready, &late);
  g_assert_cmpuint (finish_wait (f, &late), ==, 7);
  g_assert_cmpuint (f->exited, ==, 1);
  g_assert_cmpuint (f->changed, ==, 2);
  vp_process_lose (f->process, VP_STATUS_LOST);
  g_assert_cmpuint (vp_process_get_exit_status (f->process), ==, 7);
  g_assert_cmpuint (f->exited, ==, 1);
}

static void
test_lost (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) wait = { 0 };

  run (f);
  vp_process_wait_async (f->process, NULL, test_result_ready, &wait);
  fake_agent_hang_up (f->domain.agent);
  g_assert_cmpuint (finish_wait (f, &wait), ==, VP_STATUS_LOST);
  g_assert_cmpuint (f->exited, ==, 1);
}

static void
test_never_ran (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) early = { 0 };
  g_auto (TestResult) late = { 0 };

  vp_process_wait_async (f->process, NULL, test_result_ready, &early);
  vp_process_lose (f->process, VP_STATUS_LOST);
  vp_process_wait_async (f->process, NULL, test_result_ready, &late);
  assert_wait_fails (f, &early, VP_ERROR_INVALID_STATE);
  assert_wait_fails (f, &late, VP_ERROR_INVALID_STATE);
  g_assert_cmpuint (f->exited, ==, 0);
}

static void
test_cancelled_wait (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) given_up = { 0 };
  g_auto (TestResult) kept = { 0 };

  run (f);
  vp_process_wait_async (f->process, cancellable, test_result_ready, &given_up);
  vp_process_wait_async (f->process, NULL, test_result_ready, &kept);
  g_cancellable_cancel (cancellable);
  assert_wait_fails (f, &given_up, VP_ERROR_CANCELLED);
  g_assert_false (kept.done);
  domain_fixture_exit (&f->domain, "c", "", 0);
  g_assert_cmpuint (finish_wait (f, &kept), ==, 0);
}

static void
assert_kill (Fixture *f, int signum, int code)
{
  g_auto (TestResult) kill = { 0 };
  g_autoptr (GError) error = NULL;

  vp_process_kill_async (f->process, signum, FALSE, 500, test_result_ready, &kill);
  vp_process_kill_finish (f->process, domain_fixture_await (&kill), &error);
  if (code < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, VP_ERROR, code);
}

static void
test_kill (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) wait = { 0 };

  assert_kill (f, 15, VP_ERROR_INVALID_STATE);
  run (f);
  assert_kill (f, 15, -1);
  f->domain.mute[VP_RPC_SIGNAL_PROCESS] = TRUE;
  assert_kill (f, 15, VP_ERROR_TIMED_OUT);
  f->domain.mute[VP_RPC_SIGNAL_PROCESS] = FALSE;
  vp_process_wait_async (f->process, NULL, test_result_ready, &wait);
  assert_kill (f, 9, -1);
  g_assert_cmpuint (finish_wait (f, &wait), ==, 137);
  assert_kill (f, 9, VP_ERROR_INVALID_STATE);
}

/* One that is held before its program: killed, seen to end, never "running". */
static void
test_held (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) wait = { 0 };

  g_assert_true (vp_process_prepare (f->process, f->client, NULL, NULL));
  vp_process_begin_io (f->process);
  f->place->container = VP_CONTAINER_CREATED;
  vp_process_wait_async (f->process, NULL, test_result_ready, &wait);
  assert_kill (f, 0, -1);
  g_assert_cmpint (vp_process_get_state (f->process), ==, VP_PROCESS_CREATED);
  assert_kill (f, 9, -1);
  g_assert_cmpuint (finish_wait (f, &wait), ==, 137);
  g_assert_cmpuint (f->domain.calls[VP_RPC_WAIT_PROCESS], ==, 1);
}

/* Streams that were not used are closed with everything else. */
static void
test_streams (Fixture *f, gconstpointer data)
{
  VpStreams *streams = vp_streams_new ();
  g_autoptr (GError) error = NULL;
  int ends[2];
  char byte;

  g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
  vp_streams_take_fd (streams, VP_STREAM_STDOUT, ends[1]);
  streams->paths[VP_STREAM_STDERR] = g_strdup ("/no/such/fifo");
  g_assert_false (vp_process_prepare (f->process, f->client, streams, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  vp_process_lose (f->process, VP_STATUS_LOST);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 0);
  close (ends[0]);
}

static void
test_resize (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) resize = { 0 };
  g_autoptr (GError) error = NULL;

  run (f);
  vp_process_resize_async (f->process, 80, 24, 500, test_result_ready, &resize);
  g_assert_false (vp_process_resize_finish (f->process, domain_fixture_await (&resize), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
}

static void
add (void)
{
#define ADD(path, func) g_test_add ("/process/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("exit", test_exit);
  ADD ("lost", test_lost);
  ADD ("never-ran", test_never_ran);
  ADD ("cancelled-wait", test_cancelled_wait);
  ADD ("kill", test_kill);
  ADD ("watch", test_held);
  ADD ("streams", test_streams);
  ADD ("resize", test_resize);
}

int
main (int argc, char **argv)
{
  return domain_test_run (argc, argv, add);
}
