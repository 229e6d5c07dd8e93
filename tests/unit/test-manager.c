/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include <string.h>

#include "vp-error.h"
#include "vp-manager.h"

static VpSandbox *
create_full (DomainFixture *f, VpManager *manager, const char *id, const char *bundle, const char *handler,
             GError **error)
{
  g_autoptr (GHashTable) labels = g_hash_table_new (g_str_hash, g_str_equal);
  const VpManagerCreate what
      = { .id = id, .bundle = bundle, .handler = handler, .labels = labels, .streams = vp_streams_new () };
  g_auto (TestResult) created = { 0 };

  vp_manager_create_async (manager, &what, test_result_ready, &created);
  return vp_manager_create_finish (manager, domain_fixture_await (&created), error);
}

static VpSandbox *
create (DomainFixture *f, VpManager *manager, const char *id)
{
  g_autofree char *bundle = domain_fixture_make_bundle (f, id);
  g_autoptr (GError) error = NULL;
  VpSandbox *sandbox = create_full (f, manager, id, bundle, NULL, &error);

  g_assert_no_error (error);
  return sandbox;
}

static void
shut_down (VpManager *manager)
{
  g_auto (TestResult) down = { 0 };

  vp_manager_shutdown_async (manager, test_result_ready, &down);
  vp_manager_shutdown_finish (manager, domain_fixture_await (&down));
  g_assert_cmpuint (vp_manager_get_n_sandboxes (manager), ==, 0);
}

static void
count (gpointer object, gpointer sandbox, gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_create (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  guint added = 0, removed = 0;
  VpContainer *container = NULL;
  VpSandbox *sandbox;

  g_signal_connect (manager, "sandbox-added", G_CALLBACK (count), &added);
  g_signal_connect (manager, "sandbox-removed", G_CALLBACK (count), &removed);
  sandbox = create (f, manager, "one");
  g_assert_true (vp_manager_find_sandbox (manager, "one", NULL) == sandbox);
  g_assert_true (vp_manager_find_container (manager, "one", &container, NULL) == sandbox);
  g_assert_cmpstr (vp_container_get_id (container), ==, "one");
  g_assert_cmpuint (vp_manager_get_n_containers (manager), ==, 1);
  g_assert_cmpuint (added, ==, 1);
  shut_down (manager);
  g_assert_cmpuint (removed, ==, 1);
}

static void
test_refused (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_autofree char *bundle = domain_fixture_make_bundle (f, "bundle");
  const struct {
    const char *id, *bundle, *handler;
    VpError code;
  } cases[] = {
    { "", bundle, NULL, VP_ERROR_INVALID_ARGUMENT },
    { "a/b", bundle, NULL, VP_ERROR_INVALID_ARGUMENT },
    { "a", "relative", NULL, VP_ERROR_INVALID_ARGUMENT },
    { "a", bundle, "other", VP_ERROR_INVALID_ARGUMENT },
    { "a", "/no/such/bundle", NULL, VP_ERROR_NOT_FOUND },
    { "taken", bundle, NULL, VP_ERROR_ALREADY_EXISTS },
  };

  create (f, manager, "taken");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (create_full (f, manager, cases[i].id, cases[i].bundle, cases[i].handler, &error));
      g_assert_error (error, VP_ERROR, (int) cases[i].code);
      g_assert_null (strchr (error->message, '\n'));
    }
  g_assert_cmpuint (vp_manager_get_n_sandboxes (manager), ==, 1);
  shut_down (manager);
}

/* Two calls for one id: while the bundle of one is read the other is refused. */
static void
test_same_id (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_autofree char *bundle = domain_fixture_make_bundle (f, "bundle");
  g_autoptr (GHashTable) labels = g_hash_table_new (g_str_hash, g_str_equal);
  const VpManagerCreate what = { .id = "x", .bundle = bundle, .labels = labels };
  g_auto (TestResult) first = { 0 }, second = { 0 };
  g_autoptr (GError) error = NULL;

  vp_manager_create_async (manager, &what, test_result_ready, &first);
  vp_manager_create_async (manager, &what, test_result_ready, &second);
  g_assert_nonnull (vp_manager_create_finish (manager, domain_fixture_await (&first), NULL));
  g_assert_null (vp_manager_create_finish (manager, domain_fixture_await (&second), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  shut_down (manager);
}

static void
test_limit (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_autofree char *bundle = domain_fixture_make_bundle (f, "bundle");
  g_autoptr (GError) error = NULL;

  create (f, manager, "one");
  create (f, manager, "two");
  create (f, manager, "three");
  g_assert_null (create_full (f, manager, "four", bundle, NULL, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED);
  shut_down (manager);
}

/* A sandbox whose bundle is being read when the daemon goes down is not made. */
static void
test_shutdown_while_reading (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_autofree char *bundle = domain_fixture_make_bundle (f, "bundle");
  g_autoptr (GHashTable) labels = g_hash_table_new (g_str_hash, g_str_equal);
  const VpManagerCreate what = { .id = "x", .bundle = bundle, .labels = labels };
  g_auto (GStrv) names = NULL;
  g_auto (TestResult) created = { 0 };
  g_autoptr (GError) error = NULL;

  vp_manager_create_async (manager, &what, test_result_ready, &created);
  shut_down (manager);
  g_assert_null (vp_manager_create_finish (manager, domain_fixture_await (&created), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  names = vp_store_list (f->services.store, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 0);
}

static void
test_not_found (DomainFixture *f, gconstpointer data)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_autofree char *long_id = g_strnfill (10000, '\n');
  g_autoptr (GError) error = NULL;

  g_assert_null (vp_manager_find_sandbox (manager, long_id, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_cmpuint (strlen (error->message), <, 200);
  g_clear_error (&error);
  g_assert_null (vp_manager_find_container (manager, "x", NULL, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
}

static void
add (void)
{
  DOMAIN_TEST ("/manager/create", test_create);
  DOMAIN_TEST ("/manager/refused", test_refused);
  DOMAIN_TEST ("/manager/same-id", test_same_id);
  DOMAIN_TEST ("/manager/limit", test_limit);
  DOMAIN_TEST ("/manager/shutdown-while-reading", test_shutdown_while_reading);
  DOMAIN_TEST ("/manager/not-found", test_not_found);
}

int
main (int argc, char **argv)
{
  return domain_test_run (argc, argv, add);
}
