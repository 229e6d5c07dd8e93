/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "vp-host-mount.h"
#include "vp-planner.h"
#include "vp-recovery.h"

/* How many directories were cleaned up. */
static guint
recover (DomainFixture *f)
{
  g_autoptr (VpManager) manager = vp_manager_new (&f->services);
  g_auto (GStrv) names = vp_store_list (f->services.store, NULL);
  g_auto (TestResult) done = { 0 };
  g_autoptr (GError) error = NULL;
  guint restored, cleaned;

  vp_recovery_run_async (manager, (const char *const *) names, test_result_ready, &done);
  g_assert_true (vp_recovery_run_finish (domain_fixture_await (&done), &restored, &cleaned, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (restored, ==, vp_manager_get_n_sandboxes (manager));
  return cleaned;
}

static guint
count_left (DomainFixture *f)
{
  g_auto (GStrv) names = vp_store_list (f->services.store, NULL);

  return g_strv_length (names);
}

static void
test_nothing (DomainFixture *f, gconstpointer data)
{
  g_assert_cmpuint (recover (f), ==, 0);
}

/* Whatever the records say, or do not say. */
static void
test_records (DomainFixture *f, gconstpointer data)
{
  const char *const records[] = { "", "{", "{\"version\": 99}", "{\"version\": 1}", "null" };

  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autofree char *name = g_strdup_printf ("vp-%zu", i);
      g_assert_true (vp_store_add (f->services.store, name, records[i], strlen (records[i]), NULL));
    }
  g_assert_cmpuint (recover (f), ==, G_N_ELEMENTS (records));
  g_assert_cmpuint (count_left (f), ==, 0);
}

static void
test_mounts (DomainFixture *f, gconstpointer data)
{
  g_autofree char *directory = vp_store_dup_directory (f->services.store, "vp-m");
  g_autofree char *share = vp_planner_dup_share_dir (directory);
  g_autofree char *inside = g_build_filename (share, "c", "rootfs", NULL);
  g_autofree char *bundle = domain_fixture_make_bundle (f, "bundle");
  g_autofree char *kept = g_build_filename (bundle, "config.json", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_store_add (f->services.store, "vp-m", "{}", 2, NULL));
  g_assert_no_errno (g_mkdir_with_parents (inside, 0700));
  g_assert_true (vp_host_mount_share_prepare (share, &error));
  g_assert_no_error (error);
  g_assert_no_errno (mount (bundle, inside, NULL, MS_BIND, NULL));
  g_assert_cmpuint (recover (f), ==, 1);
  g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
  g_assert_cmpuint (count_left (f), ==, 0);
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
}

/* What cannot be removed stays for the next time and does not keep the others. */
static void
test_one_fails (DomainFixture *f, gconstpointer data)
{
  g_autofree char *directory = vp_store_dup_directory (f->services.store, "vp-b");
  g_autofree char *other = g_build_filename (directory, "other", NULL);

  for (const char *const *name = (const char *const[]) { "vp-a", "vp-b", "vp-c", NULL }; *name != NULL; name++)
    g_assert_true (vp_store_add (f->services.store, *name, "{}", 2, NULL));
  g_assert_no_errno (g_mkdir_with_parents (other, 0700));
  g_assert_no_errno (mount ("tmpfs", other, "tmpfs", 0, NULL)); /* not below the share: not ours */
  g_assert_cmpuint (recover (f), ==, 2);
  g_assert_cmpuint (count_left (f), ==, 1);
  g_assert_no_errno (umount2 (other, MNT_DETACH));
  g_assert_cmpuint (recover (f), ==, 1);
}

static void
add (void)
{
  DOMAIN_TEST ("/recovery/nothing", test_nothing);
  DOMAIN_TEST ("/recovery/records", test_records);
  DOMAIN_TEST ("/recovery/mounts", test_mounts);
  DOMAIN_TEST ("/recovery/one-fails", test_one_fails);
}

int
main (int argc, char **argv)
{
  return domain_test_run (argc, argv, add);
}
