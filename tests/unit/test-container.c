/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include "vp-error.h"

/* A ready sandbox; its own container is the one under test. */
typedef struct
{
  DomainFixture domain;
  VpSandbox *sandbox;
  VpContainer *container;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (GHashTable) labels = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (TestResult) started = { 0 };
  g_autoptr (GError) error = NULL;

  domain_fixture_set_up (&f->domain, NULL);
  spec = domain_fixture_load_spec (&f->domain, "c");
  f->sandbox = vp_sandbox_new (&f->domain.services, "c", "default", f->domain.services.config, labels);
  g_assert_true (vp_sandbox_create (f->sandbox, spec, NULL, NULL, NULL));
  domain_fixture_guest (&f->domain, vp_sandbox_get_domain_name (f->sandbox));
  vp_sandbox_start_async (f->sandbox, 0, test_result_ready, &started);
  vp_sandbox_start_finish (f->sandbox, domain_fixture_await (&started), &error);
  g_assert_no_error (error);
  f->container = g_object_ref (vp_sandbox_find_container (f->sandbox, "c"));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) deleted = { 0 };

  vp_sandbox_delete_async (f->sandbox, TRUE, test_result_ready, &deleted);
  g_assert_true (vp_sandbox_delete_finish (f->sandbox, domain_fixture_await (&deleted), NULL));
  test_result_clear (&deleted);
  domain_fixture_assert_gone (f->container);
  domain_fixture_assert_gone (f->sandbox);
  domain_fixture_tear_down (&f->domain, NULL);
}

static int
code_of (gboolean ok, GError *error)
{
  g_autoptr (GError) owned = error;

  return ok ? -1 : owned->code;
}

static int
finish_start (Fixture *f, TestResult *result)
{
  GError *error = NULL;
  gboolean ok = vp_container_start_finish (f->container, domain_fixture_await (result), &error);

  return code_of (ok, error);
}

static int
start (Fixture *f)
{
  g_auto (TestResult) started = { 0 };

  vp_container_start_async (f->container, test_result_ready, &started);
  return finish_start (f, &started);
}

static int
kill_it (Fixture *f, int signum)
{
  g_auto (TestResult) killed = { 0 };
  GError *error = NULL;
  gboolean ok;

  vp_container_kill_async (f->container, signum, FALSE, test_result_ready, &killed);
  ok = vp_container_kill_finish (f->container, domain_fixture_await (&killed), &error);
  return code_of (ok, error);
}

static VpProcess *
exec (Fixture *f, const char *exec_id, int *ret_code)
{
  static const char *const args[] = { "true", NULL };
  const VpSpecExec what = { .args = args };
  g_auto (TestResult) made = { 0 };
  g_autoptr (VpJson) json = vp_spec_make_exec (vp_container_get_spec (f->container), &what, NULL);
  GError *error = NULL;
  VpProcess *process;

  vp_container_exec_async (f->container, exec_id, json, VP_EXEC_NONE, NULL, test_result_ready, &made);
  process = vp_container_exec_finish (f->container, domain_fixture_await (&made), &error);
  *ret_code = code_of (process != NULL, error);
  return process;
}

static void
await_state (Fixture *f, VpContainerState state)
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  while (vp_container_get_state (f->container) != state)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
}

static void
test_run (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (vp_container_get_state (f->container), ==, VP_CONTAINER_CREATED);
  g_assert_cmpint (start (f), ==, -1);
  g_assert_cmpint (vp_container_get_state (f->container), ==, VP_CONTAINER_RUNNING);
  g_assert_cmpint (start (f), ==, VP_ERROR_INVALID_STATE);
  domain_fixture_await_call (&f->domain, VP_RPC_WAIT_PROCESS, 1);
  domain_fixture_exit (&f->domain, "c", "", 3);
  await_state (f, VP_CONTAINER_STOPPED);
  g_assert_cmpuint (vp_process_get_exit_status (vp_container_get_init (f->container)), ==, 3);
  g_assert_cmpint (kill_it (f, 15), ==, VP_ERROR_INVALID_STATE);
}

/* Three at once: one is sent, two are refused. */
static void
test_start_thrice (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) first = { 0 }, second = { 0 }, third = { 0 };

  f->domain.mute[VP_RPC_START_CONTAINER] = TRUE;
  vp_container_start_async (f->container, test_result_ready, &first);
  vp_container_start_async (f->container, test_result_ready, &second);
  g_assert_cmpint (finish_start (f, &second), ==, VP_ERROR_INVALID_STATE);
  vp_container_start_async (f->container, test_result_ready, &third);
  g_assert_cmpint (finish_start (f, &third), ==, VP_ERROR_INVALID_STATE);
  g_assert_cmpint (finish_start (f, &first), ==, VP_ERROR_TIMED_OUT);
  g_assert_cmpuint (f->domain.calls[VP_RPC_START_CONTAINER], ==, 1);
  f->domain.mute[VP_RPC_START_CONTAINER] = FALSE;
  g_assert_cmpint (start (f), ==, -1);
}

static void
test_kill_created (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (kill_it (f, 28), ==, -1);
  g_assert_cmpint (vp_container_get_state (f->container), ==, VP_CONTAINER_CREATED);
  g_assert_cmpint (kill_it (f, 9), ==, -1);
  await_state (f, VP_CONTAINER_STOPPED);
  g_assert_cmpuint (vp_process_get_exit_status (vp_container_get_init (f->container)), ==, 137);
  g_assert_cmpint (start (f), ==, VP_ERROR_INVALID_STATE);
}

static void
test_exec (Fixture *f, gconstpointer data)
{
  VpProcess *process;
  int code;

  g_assert_nonnull (exec (f, "early", &code)); /* what is held before its program has its namespaces already */
  g_assert_cmpint (start (f), ==, -1);
  process = exec (f, "x", &code);
  g_assert_cmpint (code, ==, -1);
  g_assert_true (vp_container_find_process (f->container, "x") == process);
  g_assert_null (exec (f, "x", &code));
  g_assert_cmpint (code, ==, VP_ERROR_ALREADY_EXISTS);
  g_assert_null (exec (f, "a b", &code));
  g_assert_cmpint (code, ==, VP_ERROR_INVALID_ARGUMENT);
  f->domain.fail[VP_RPC_EXEC_PROCESS] = 13;
  g_assert_null (exec (f, "y", &code));
  g_assert_cmpint (code, ==, VP_ERROR_AGENT_FAILED);
  g_assert_null (vp_container_find_process (f->container, "y"));
}

/* Ended ones make room, running ones do not. */
static void
test_many_execs (Fixture *f, gconstpointer data)
{
  int code;

  g_assert_cmpint (start (f), ==, -1);
  for (guint i = 0; i < 512; i++)
    {
      g_autofree char *id = g_strdup_printf ("e%u", i);
      g_assert_nonnull (exec (f, id, &code));
    }
  g_assert_null (exec (f, "full", &code));
  g_assert_cmpint (code, ==, VP_ERROR_RESOURCE_EXHAUSTED);
  domain_fixture_await_call (&f->domain, VP_RPC_WAIT_PROCESS, 513);
  domain_fixture_exit (&f->domain, "c", "e7", 1);
  while (vp_process_get_state (vp_container_find_process (f->container, "e7")) != VP_PROCESS_STOPPED)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (exec (f, "e7", &code)); /* still remembered */
  g_assert_cmpint (code, ==, VP_ERROR_ALREADY_EXISTS);
  g_assert_nonnull (exec (f, "full", &code));
  g_assert_null (vp_container_find_process (f->container, "e7"));
  g_assert_null (exec (f, "fuller", &code));
  g_assert_cmpint (code, ==, VP_ERROR_RESOURCE_EXHAUSTED);
}

static void
test_lose (Fixture *f, gconstpointer data)
{
  VpProcess *process;
  int code;

  g_assert_cmpint (start (f), ==, -1);
  process = g_object_ref (exec (f, "x", &code));
  vp_container_lose (f->container);
  g_assert_cmpint (vp_container_get_state (f->container), ==, VP_CONTAINER_STOPPED);
  g_assert_cmpuint (vp_process_get_exit_status (process), ==, VP_STATUS_LOST);
  vp_container_lose (f->container);
  g_object_unref (process);
}

/* Deleting twice: the second caller is told, the guest is asked once. */
static void
test_remove_twice (Fixture *f, gconstpointer data)
{
  g_autoptr (VpSpec) spec = domain_fixture_load_spec (&f->domain, "more");
  g_auto (TestResult) added = { 0 }, first = { 0 }, second = { 0 }, third = { 0 };
  g_autoptr (VpContainer) more = NULL;
  g_autoptr (GError) error = NULL;

  vp_sandbox_add_container_async (f->sandbox, "more", spec, NULL, NULL, test_result_ready, &added);
  more = vp_sandbox_add_container_finish (f->sandbox, domain_fixture_await (&added), &error);
  g_assert_no_error (error);
  g_object_ref (more);
  vp_sandbox_remove_container_async (f->sandbox, more, TRUE, test_result_ready, &first);
  vp_sandbox_remove_container_async (f->sandbox, more, TRUE, test_result_ready, &second);
  g_assert_false (vp_sandbox_remove_container_finish (f->sandbox, domain_fixture_await (&second), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  g_clear_error (&error);
  g_assert_true (vp_sandbox_remove_container_finish (f->sandbox, domain_fixture_await (&first), &error));
  vp_sandbox_remove_container_async (f->sandbox, more, TRUE, test_result_ready, &third);
  g_assert_false (vp_sandbox_remove_container_finish (f->sandbox, domain_fixture_await (&third), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_cmpuint (f->domain.calls[VP_RPC_REMOVE_CONTAINER], ==, 1);
}

static void
add (void)
{
#define ADD(path, func) g_test_add ("/container/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("run", test_run);
  ADD ("start-thrice", test_start_thrice);
  ADD ("kill-created", test_kill_created);
  ADD ("exec", test_exec);
  ADD ("many-execs", test_many_execs);
  ADD ("lose", test_lose);
  ADD ("remove-twice", test_remove_twice);
}

int
main (int argc, char **argv)
{
  return domain_test_run (argc, argv, add);
}
