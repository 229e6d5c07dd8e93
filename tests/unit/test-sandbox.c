/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include "vp-error.h"

static VpSandbox *
create (DomainFixture *f, const char *id)
{
  g_autoptr (VpSpec) spec = domain_fixture_load_spec (f, id);
  g_autoptr (GHashTable) labels = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  VpSandbox *sandbox = vp_sandbox_new (&f->services, id, "default", f->services.config, labels);

  vp_sandbox_create (sandbox, spec, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_CREATED);
  domain_fixture_guest (f, vp_sandbox_get_domain_name (sandbox));
  return sandbox;
}

static int
await_start (VpSandbox *sandbox, TestResult *result)
{
  g_autoptr (GError) error = NULL;

  if (vp_sandbox_start_finish (sandbox, domain_fixture_await (result), &error))
    return -1;
  g_assert_cmpint ((int) error->domain, ==, (int) VP_ERROR);
  return error->code;
}

static VpSandbox *
create_ready (DomainFixture *f, const char *id)
{
  VpSandbox *sandbox = create (f, id);
  g_auto (TestResult) started = { 0 };

  vp_sandbox_start_async (sandbox, 0, test_result_ready, &started);
  g_assert_cmpint (await_start (sandbox, &started), ==, -1);
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_READY);
  return sandbox;
}

static void
stop (VpSandbox *sandbox, gboolean force)
{
  g_auto (TestResult) stopped = { 0 };

  vp_sandbox_stop_async (sandbox, 0, force, test_result_ready, &stopped);
  g_assert_true (vp_sandbox_stop_finish (sandbox, domain_fixture_await (&stopped), NULL));
}

static int
delete (VpSandbox *sandbox, gboolean force)
{
  g_auto (TestResult) deleted = { 0 };
  g_autoptr (GError) error = NULL;

  vp_sandbox_delete_async (sandbox, force, test_result_ready, &deleted);
  if (vp_sandbox_delete_finish (sandbox, domain_fixture_await (&deleted), &error))
    return -1;
  return error->code;
}

static void
test_life (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create_ready (f, "life");
  VpSandboxStage stages[16];
  g_auto (TestResult) wait = { 0 };
  guint status = 0;
  gint64 exited_at = 0;

  g_assert_cmpuint (vp_sandbox_get_stages (sandbox, stages, G_N_ELEMENTS (stages)), ==, 15);
  g_assert_cmpuint (domain_fixture_count_mounts (f), >, 0);
  vp_sandbox_wait_async (sandbox, NULL, test_result_ready, &wait);
  stop (sandbox, FALSE);
  g_assert_true (vp_sandbox_wait_finish (sandbox, domain_fixture_await (&wait), &status, &exited_at, NULL));
  g_assert_cmpuint (status, ==, VP_STATUS_LOST);
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_STOPPED);
  g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
  g_assert_cmpuint (f->calls[VP_RPC_DESTROY_SANDBOX], ==, 1);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  test_result_clear (&wait);
  domain_fixture_assert_gone (sandbox);
}

/* The guest refuses, or does not answer, at each step. */
static void
test_failing_steps (DomainFixture *f, gconstpointer data)
{
  const VpRpc rpcs[] = { VP_RPC_CREATE_SANDBOX, VP_RPC_CREATE_CONTAINER };

  for (gsize i = 0; i < G_N_ELEMENTS (rpcs) * 2; i++)
    {
      VpRpc rpc = rpcs[i / 2];
      VpSandbox *sandbox = create (f, "fails");
      g_auto (TestResult) started = { 0 };

      f->mute[rpc] = i % 2 == 0;
      f->fail[rpc] = i % 2 == 0 ? 0 : 13;
      vp_sandbox_start_async (sandbox, 0, test_result_ready, &started);
      g_assert_cmpint (await_start (sandbox, &started), ==, i % 2 == 0 ? VP_ERROR_TIMED_OUT : VP_ERROR_AGENT_FAILED);
      test_result_clear (&started);
      f->mute[rpc] = FALSE;
      f->fail[rpc] = 0;
      g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_FAILED);
      g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
      vp_sandbox_start_async (sandbox, 0, test_result_ready, &started);
      g_assert_cmpint (await_start (sandbox, &started), ==, VP_ERROR_INVALID_STATE);
      g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
      test_result_clear (&started);
      domain_fixture_assert_gone (sandbox);
    }
}

static void
test_stop_while_starting (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create (f, "stopped");
  g_auto (TestResult) started = { 0 };

  f->mute[VP_RPC_CREATE_SANDBOX] = TRUE;
  vp_sandbox_start_async (sandbox, 0, test_result_ready, &started);
  domain_fixture_await_call (f, VP_RPC_CREATE_SANDBOX, 1);
  g_assert_cmpint (delete (sandbox, FALSE), ==, VP_ERROR_INVALID_STATE);
  stop (sandbox, FALSE);
  g_assert_cmpint (await_start (sandbox, &started), ==, VP_ERROR_CANCELLED);
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_FAILED);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  test_result_clear (&started);
  domain_fixture_assert_gone (sandbox);
}

static void
test_start_deadline (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create (f, "late");
  g_auto (TestResult) started = { 0 };

  f->mute[VP_RPC_CREATE_SANDBOX] = TRUE;
  vp_sandbox_start_async (sandbox, 100, test_result_ready, &started);
  g_assert_cmpint (await_start (sandbox, &started), ==, VP_ERROR_TIMED_OUT);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  test_result_clear (&started);
  domain_fixture_assert_gone (sandbox);
}

static void
test_lost (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create_ready (f, "lost");
  g_auto (TestResult) wait = { 0 };
  guint status = 0;
  gint64 exited_at = 0;

  vp_sandbox_wait_async (sandbox, NULL, test_result_ready, &wait);
  fake_agent_hang_up (f->agent);
  g_assert_true (vp_sandbox_wait_finish (sandbox, domain_fixture_await (&wait), &status, &exited_at, NULL));
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_LOST);
  g_assert_cmpstr (vp_sandbox_get_exit_reason (sandbox), ==, "lost");
  g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
  vp_sandbox_domain_stopped (sandbox, "destroyed"); /* news of the past */
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  test_result_clear (&wait);
  domain_fixture_assert_gone (sandbox);
}

static void
test_domain_stopped (DomainFixture *f, gconstpointer data)
{
  const struct {
    const char *reason;
    VpSandboxState state;
    const char *exit_reason;
  } cases[] = {
    { "shutdown", VP_SANDBOX_STOPPED, "guest-shutdown" },
    { "crashed", VP_SANDBOX_LOST, "crashed" },
    { "destroyed", VP_SANDBOX_LOST, "lost" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VpSandbox *sandbox = create_ready (f, "ends");

      vp_sandbox_domain_stopped (sandbox, cases[i].reason);
      stop (sandbox, FALSE);
      g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, cases[i].state);
      g_assert_cmpstr (vp_sandbox_get_exit_reason (sandbox), ==, cases[i].exit_reason);
      g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
      domain_fixture_assert_gone (sandbox);
    }
}

/* Calls that come when it is gone: each says so, and does nothing. */
static void
test_after_delete (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create (f, "gone");
  g_autoptr (VpSpec) spec = domain_fixture_load_spec (f, "more");
  g_autoptr (GError) error = NULL;
  g_auto (TestResult) started = { 0 }, stopped = { 0 }, early = { 0 }, late = { 0 }, added = { 0 };
  guint status = 0;
  gint64 exited_at = 0;

  vp_sandbox_wait_async (sandbox, NULL, test_result_ready, &early);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  g_assert_false (vp_sandbox_wait_finish (sandbox, domain_fixture_await (&early), &status, &exited_at, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  g_clear_error (&error);

  vp_sandbox_start_async (sandbox, 0, test_result_ready, &started);
  g_assert_cmpint (await_start (sandbox, &started), ==, VP_ERROR_NOT_FOUND);
  vp_sandbox_stop_async (sandbox, 0, TRUE, test_result_ready, &stopped);
  g_assert_false (vp_sandbox_stop_finish (sandbox, domain_fixture_await (&stopped), NULL));
  vp_sandbox_wait_async (sandbox, NULL, test_result_ready, &late);
  g_assert_false (vp_sandbox_wait_finish (sandbox, domain_fixture_await (&late), &status, &exited_at, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  vp_sandbox_add_container_async (sandbox, "more", spec, NULL, NULL, test_result_ready, &added);
  g_assert_null (vp_sandbox_add_container_finish (sandbox, domain_fixture_await (&added), NULL));
  g_assert_cmpint (delete (sandbox, TRUE), ==, VP_ERROR_NOT_FOUND);
  for (TestResult **r = (TestResult *[]) { &started, &stopped, &early, &late, &added, NULL }; *r != NULL; r++)
    test_result_clear (*r);
  domain_fixture_assert_gone (sandbox);
}

/* Who forces does not wait for who is patient. */
static void
test_force_overtakes (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create_ready (f, "patient");
  g_auto (TestResult) slow = { 0 };

  f->mute[VP_RPC_DESTROY_SANDBOX] = TRUE;
  vp_sandbox_stop_async (sandbox, 3600 * 1000, FALSE, test_result_ready, &slow);
  domain_fixture_await_call (f, VP_RPC_DESTROY_SANDBOX, 1);
  g_assert_cmpint (delete (sandbox, TRUE), ==, -1);
  g_assert_true (vp_sandbox_stop_finish (sandbox, domain_fixture_await (&slow), NULL));
  test_result_clear (&slow);
  domain_fixture_assert_gone (sandbox);
}

static void
reopen (DomainFixture *f)
{
  g_auto (TestResult) opened = { 0 };

  vp_virt_open_async (f->services.virt, NULL, test_result_ready, &opened);
  g_assert_true (vp_virt_open_finish (f->services.virt, domain_fixture_await (&opened), NULL));
}

/* A sandbox that ends while libvirt is away keeps its record until its domain is gone. */
static void
test_libvirt_away (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create_ready (f, "away");
  g_auto (TestResult) closed = { 0 };
  g_auto (GStrv) names = NULL;

  vp_virt_close_async (f->services.virt, test_result_ready, &closed);
  vp_virt_close_finish (f->services.virt, domain_fixture_await (&closed));
  stop (sandbox, TRUE);
  g_assert_cmpint (delete (sandbox, TRUE), ==, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  g_assert_cmpint (vp_sandbox_get_state (sandbox), ==, VP_SANDBOX_STOPPED);
  names = vp_store_list (f->services.store, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  reopen (f);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  domain_fixture_assert_gone (sandbox);
}

/* The end waits for the mounts of what is being added. */
static void
test_add_and_stop (DomainFixture *f, gconstpointer data)
{
  VpSandbox *sandbox = create_ready (f, "adds");
  g_autoptr (VpSpec) spec = domain_fixture_load_spec (f, "more");
  g_auto (TestResult) added = { 0 };
  g_autoptr (GError) error = NULL;

  f->mute[VP_RPC_CREATE_CONTAINER] = TRUE;
  vp_sandbox_add_container_async (sandbox, "more", spec, NULL, NULL, test_result_ready, &added);
  domain_fixture_await_call (f, VP_RPC_CREATE_CONTAINER, 2);
  stop (sandbox, FALSE);
  g_assert_null (vp_sandbox_add_container_finish (sandbox, domain_fixture_await (&added), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
  g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
  g_assert_cmpuint (vp_sandbox_get_containers (sandbox)->len, ==, 1);
  g_assert_cmpint (delete (sandbox, FALSE), ==, -1);
  test_result_clear (&added);
  domain_fixture_assert_gone (sandbox);
}

static void
add (void)
{
  DOMAIN_TEST ("/sandbox/life", test_life);
  DOMAIN_TEST ("/sandbox/failing-steps", test_failing_steps);
  DOMAIN_TEST ("/sandbox/stop-while-starting", test_stop_while_starting);
  DOMAIN_TEST ("/sandbox/start-deadline", test_start_deadline);
  DOMAIN_TEST ("/sandbox/lost", test_lost);
  DOMAIN_TEST ("/sandbox/domain-stopped", test_domain_stopped);
  DOMAIN_TEST ("/sandbox/after-delete", test_after_delete);
  DOMAIN_TEST ("/sandbox/force-overtakes", test_force_overtakes);
  DOMAIN_TEST ("/sandbox/add-and-stop", test_add_and_stop);
  DOMAIN_TEST ("/sandbox/libvirt-away", test_libvirt_away);
}

int
main (int argc, char **argv)
{
  return domain_test_run (argc, argv, add);
}
