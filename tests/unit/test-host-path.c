/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "vp-error.h"
#include "vp-host-path.h"

/* of "abc" */
#define ABC                                                                                                  \
  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                                         \
  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static char *directory, *file;

static void
test_kinds (void)
{
  const struct
  {
    const char *path;
    VpPathKind kind;
    gboolean right;
  } cases[] = {
    { file, VP_PATH_FILE, TRUE },
    { file, VP_PATH_DISK, TRUE },
    { file, VP_PATH_DIRECTORY, FALSE },
    { file, VP_PATH_BLOCK, FALSE },
    { file, VP_PATH_CHAR, FALSE },
    { directory, VP_PATH_DIRECTORY, TRUE },
    { directory, VP_PATH_FILE, FALSE },
    { "/dev/null", VP_PATH_CHAR, TRUE },
    { "/dev/null", VP_PATH_FILE, FALSE },
    { "/bin/sh", VP_PATH_EXECUTABLE, TRUE },
    { directory, VP_PATH_EXECUTABLE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VpPathCheck check = { (char *)cases[i].path, cases[i].kind, (char *)"guest.kernel", NULL };
      g_autoptr (GError) error = NULL;

      g_assert_true (vp_host_path_check (&check, &error) == cases[i].right);
      if (cases[i].right)
        continue;
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "guest.kernel \""));
      g_assert_nonnull (strstr (error->message, ": is no "));
    }
}

static void
test_access (void)
{
  VpPathCheck check = { file, VP_PATH_EXECUTABLE, (char *)"share.daemon", NULL };
  g_autoptr (GError) error = NULL;

  /* not even root runs what nobody may run */
  g_assert_false (vp_host_path_check (&check, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_AUTHORIZED);
  g_clear_error (&error);
  check.path = (char *)"/nonexistent/file";
  g_assert_false (vp_host_path_check (&check, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "share.daemon \"/nonexistent/file\": "));
}

static void
test_content (void)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();
  g_autoptr (GError) error = NULL;
  VpPathCheck *check = vp_plan_add_path (plan, file, VP_PATH_FILE, "annotation x");

  check->sha512 = g_strdup (ABC);
  g_assert_true (vp_host_path_check_plan (plan, &error));
  g_assert_no_error (error);
  check->sha512[0] = '0';
  g_assert_false (vp_host_path_check_plan (plan, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "its SHA-512 is " ABC));
}

/* Only who boots an image as memory has it looked at. */
static void
test_learn (void)
{
  static const char json[] = "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},"
                             "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"}}";
  g_autoptr (VpSpec) spec = vp_spec_parse (json, strlen (json), "/b", NULL);
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts = vp_facts_new (&(VpFactsInit){ .driver = "QEMU", .host_cpus = 3 });
  g_autoptr (VpFacts) same = vp_host_path_learn (spec, config, facts, NULL);
  g_autoptr (VpFacts) more = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (same == facts);
  g_assert_true (vp_config_override (config, "guest.image", file, NULL));
  g_assert_true (vp_config_override (config, "guest.image-driver", "nvdimm", NULL));
  more = vp_host_path_learn (spec, config, facts, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vp_facts_get (more)->image, ==, file);
  g_assert_cmpuint (vp_facts_get (more)->image_size, ==, 3);
  g_assert_cmpuint (vp_facts_get (more)->host_cpus, ==, 3);
  g_assert_null (vp_facts_get (facts)->image);
  g_assert_true (vp_config_override (config, "guest.image", "/nonexistent/image", NULL));
  g_assert_null (vp_host_path_learn (spec, config, facts, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "command line \"/nonexistent/image\": "));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("vp-host-path-XXXXXX", NULL);
  file = g_build_filename (directory, "file", NULL);
  g_assert_true (g_file_set_contents (file, "abc", 3, NULL));
  g_test_add_func ("/host-path/kinds", test_kinds);
  g_test_add_func ("/host-path/access", test_access);
  g_test_add_func ("/host-path/content", test_content);
  g_test_add_func ("/host-path/learn", test_learn);
  status = g_test_run ();
  g_remove (file);
  g_rmdir (directory);
  g_free (file);
  g_free (directory);
  return status;
}
