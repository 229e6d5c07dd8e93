/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-names.h"
#include "vp-spec.h"

/* a document that is right, as printf parts: root, process, the rest */
#define DOC(root, process, rest) "{\"ociVersion\":\"1.0.2\"," root process rest "\"hostname\":\"h\"}"
#define ROOT "\"root\":{\"path\":\"rootfs\"},"
#define PROCESS "\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"},"

static VpSpec *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (text, strlen (text), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

typedef struct
{
  const char *text;
  const char *words;
  VpError code;
} BadDocument;

static const BadDocument bad_documents[] = {
  { "not json", "(top)", VP_ERROR_INVALID_ARGUMENT },
  { "[]", "(top): must be an object", VP_ERROR_INVALID_ARGUMENT },
  { "{}", "ociVersion: is missing", VP_ERROR_INVALID_ARGUMENT },
  { "{\"ociVersion\":1}", "ociVersion: must be a string", VP_ERROR_INVALID_ARGUMENT },
  { "{\"ociVersion\":\"2.0.0\"," ROOT PROCESS "\"hostname\":\"h\"}", "ociVersion",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC ("", PROCESS, ""), "root: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC ("\"root\":[],", PROCESS, ""), "root: must be an object, is an array", VP_ERROR_INVALID_ARGUMENT },
  { DOC ("\"root\":{},", PROCESS, ""), "root.path: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC ("\"root\":{\"path\":\"\"},", PROCESS, ""), "root.path: is empty", VP_ERROR_INVALID_ARGUMENT },
  { DOC ("\"root\":{\"path\":7},", PROCESS, ""), "root.path: must be a string", VP_ERROR_INVALID_ARGUMENT },
  { DOC ("\"root\":{\"path\":\"r\",\"readonly\":\"yes\"},", PROCESS, ""), "root.readonly",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "", ""), "process: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":null,", ""), "process: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"cwd\":\"/\"},", ""), "process.args: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[],\"cwd\":\"/\"},", ""), "process.args: is empty",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"\"],\"cwd\":\"/\"},", ""), "process.args[0]: is empty",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\",2],\"cwd\":\"/\"},", ""), "process.args[1]: must be a string",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"]},", ""), "process.cwd: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"],\"cwd\":\"tmp\"},", ""),
    "process.cwd: must be an absolute path", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"env\":\"A=1\"},", ""),
    "process.env: must be an array", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"terminal\":1},", ""), "process.terminal",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}},", ""), "process.user.uid",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"gid\":4294967296}},", ""),
    "process.user.gid", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"hostname\":\"twice\","), "hostname", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":{},"), "mounts: must be an array", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[7],"), "mounts[0]: must be an object", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"type\":\"proc\"}],"), "mounts[0].destination: is missing",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"destination\":\"proc\"}],"),
    "mounts[0].destination: must be an absolute path", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"destination\":\"/a/../../b\"}],"),
    "mounts[0].destination: must not have", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"destination\":\"/a\\u0000b\"}],"), "mounts[0].destination",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\"}],"),
    "mounts[0].source: is missing", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"mounts\":[{\"destination\":\"/a\",\"options\":[\"ro\",null]}],"),
    "mounts[0].options[1]", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"linux\":[],"), "linux: must be an object", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"linux\":{\"namespaces\":[{}]},"), "linux.namespaces[0].type: is missing",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"linux\":{\"resources\":{\"memory\":{\"limit\":\"1G\"}}},"),
    "linux.resources.memory.limit", VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"linux\":{\"resources\":{\"cpu\":{\"period\":-1}}},"), "linux.resources.cpu.period",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"annotations\":{\"a.b/c\":1},"), "annotations[\"a.b/c\"]: must be a string",
    VP_ERROR_INVALID_ARGUMENT },
  { DOC (ROOT, PROCESS, "\"hooks\":{\"createContainer\":[{\"path\":\"/bin/x\"}]},"), "hooks.createContainer",
    VP_ERROR_NOT_SUPPORTED },
};

static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_documents); i++)
    {
      const BadDocument *bad = &bad_documents[i];
      g_autoptr (GError) error = NULL;
      g_autoptr (VpSpec) spec = vp_spec_parse (bad->text, strlen (bad->text), "/b", &error);

      g_assert_null (spec);
      g_assert_error (error, VP_ERROR, (gint)bad->code);
      if (strstr (error->message, bad->words) == NULL)
        g_test_message ("%s lacks \"%s\"", error->message, bad->words);
      g_assert_nonnull (strstr (error->message, bad->words));
      g_assert_true (g_str_has_prefix (error->message, "/b/config.json: "));
    }
}

static void
test_getters (void)
{
  g_autoptr (VpSpec) spec = parse (DOC (
      "\"root\":{\"path\":\"rootfs\",\"readonly\":true},",
      "\"process\":{\"terminal\":true,\"args\":[\"a\",\"b\"],\"env\":[\"X=1\"],\"cwd\":\"/w\"},",
      "\"mounts\":[{\"destination\":\"/a\",\"type\":\"none\",\"source\":\"/x\",\"options\":[\"rbind\",\"ro\","
      "\"rw\"]},{\"destination\":\"/p\",\"type\":\"proc\"}],"
      "\"annotations\":{\"k\":\"v\"},\"unknown\":{\"x\":1},\"hooks\":{\"prestart\":[]},"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"},{\"type\":\"mount\"}],"
      "\"resources\":{\"memory\":{\"limit\":1024},\"cpu\":{\"quota\":100001,\"period\":50000}}},"));
  g_autofree char *root = vp_spec_dup_root_path (spec);
  const VpSpecMount *mount = vp_spec_get_mount (spec, 0);

  g_assert_cmpstr (vp_spec_get_bundle (spec), ==, "/b");
  g_assert_cmpstr (vp_spec_get_hostname (spec), ==, "h");
  g_assert_cmpstr (root, ==, "/b/rootfs");
  g_assert_true (vp_spec_get_root_readonly (spec));
  g_assert_true (vp_spec_get_terminal (spec));
  g_assert_cmpstr (vp_spec_get_args (spec)[1], ==, "b");
  g_assert_cmpstr (vp_spec_get_env (spec)[0], ==, "X=1");
  g_assert_cmpstr (vp_spec_get_cwd (spec), ==, "/w");
  g_assert_cmpuint (vp_spec_get_n_mounts (spec), ==, 2);
  g_assert_true (vp_spec_mount_is_bind (mount));
  g_assert_false (vp_spec_mount_is_read_only (mount));
  g_assert_false (vp_spec_mount_is_bind (vp_spec_get_mount (spec, 1)));
  g_assert_null (vp_spec_get_mount (spec, 2));
  g_assert_cmpstr (vp_spec_get_annotation (spec, "k"), ==, "v");
  g_assert_null (vp_spec_get_annotation (spec, "x"));
  g_assert_cmpstr (vp_spec_get_namespace_path (spec, "pid"), ==, "/proc/1/ns/pid");
  g_assert_true (vp_spec_has_namespace (spec, "mount"));
  g_assert_false (vp_spec_has_namespace (spec, "network"));
  g_assert_cmpint (vp_spec_get_memory_limit (spec), ==, 1024);
  g_assert_cmpuint (vp_spec_get_n_cpus (spec), ==, 3);
  g_assert_nonnull (vp_json_lookup (vp_spec_get_json (spec), "unknown"));
}

static void
test_no_limits (void)
{
  static const char *const limits[] = { "0", "-1", "9223372036854771712" };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autofree char *text = g_strdup_printf (
          DOC (ROOT, PROCESS,
               "\"linux\":{\"resources\":{\"memory\":{\"limit\":%s},\"cpu\":{\"quota\":-1}}},"),
          limits[i]);
      g_autoptr (VpSpec) spec = parse (text);

      g_assert_cmpint (vp_spec_get_memory_limit (spec), ==, -1);
      g_assert_cmpint (vp_spec_get_cpu_quota (spec), ==, -1);
      g_assert_cmpuint (vp_spec_get_n_cpus (spec), ==, 0);
    }
}

/* ---- exec ------------------------------------------------------------------- */

static void
test_exec (void)
{
  static const char *const args[] = { "ls", "-l", NULL };
  static const char *const env[] = { "B=9", "C=3", NULL };
  g_autoptr (VpSpec) spec = parse (DOC (
      ROOT,
      "\"process\":{\"terminal\":true,\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},\"args\":[\"a\"],"
      "\"env\":[\"A=1\",\"B=2\"],\"cwd\":\"/w\",\"noNewPrivileges\":true,\"apparmorProfile\":\"x\"},",
      ""));
  VpSpecExec exec = { .args = args, .env = env };
  g_autoptr (VpJson) same = vp_spec_make_exec (spec, &exec, NULL);
  g_autofree char *same_text = vp_json_to_text (same, FALSE, NULL);
  g_autoptr (VpJson) other = NULL;
  g_autofree char *other_text = NULL;

  g_assert_cmpstr (
      same_text, ==,
      "{\"terminal\":false,\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},\"args\":[\"ls\",\"-l\"],"
      "\"env\":[\"A=1\",\"B=9\",\"C=3\"],\"cwd\":\"/w\",\"noNewPrivileges\":true}");
  exec = (VpSpecExec){ .args = args, .cwd = "/", .user = "1000:4294967295", .terminal = TRUE };
  other = vp_spec_make_exec (spec, &exec, NULL);
  other_text = vp_json_to_text (other, FALSE, NULL);
  g_assert_cmpstr (other_text, ==,
                   "{\"terminal\":true,\"user\":{\"uid\":1000,\"gid\":4294967295},\"args\":[\"ls\",\"-l\"],"
                   "\"env\":[\"A=1\",\"B=2\"],\"cwd\":\"/\",\"noNewPrivileges\":true}");
}

/* What is added goes beside what the container has; another user has no groups of it. */
static void
test_exec_more (void)
{
  static const char *const args[] = { "ls", NULL }, *const added[] = { "CAP_KILL", "CAP_SYS_ADMIN", NULL };
  static const guint32 gids[] = { 8, 4294967295 };
  g_autoptr (VpSpec) spec = parse (DOC (
      ROOT,
      "\"process\":{\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7],\"umask\":18},\"args\":[\"a\"],\"cwd\":\"/w\","
      "\"noNewPrivileges\":false,\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_CHOWN\"],"
      "\"ambient\":[\"CAP_CHOWN\"]}},",
      ""));
  VpSpecExec exec = { .args = args, .additional_gids = gids, .n_additional_gids = 2, .capabilities = added,
                      .no_new_privileges = TRUE };
  g_autoptr (VpJson) all = vp_spec_make_exec (spec, &exec, NULL);
  g_autofree char *all_text = vp_json_to_text (all, FALSE, NULL);
  g_autoptr (VpJson) other = NULL;
  g_autofree char *other_text = NULL;

  g_assert_cmpstr (
      all_text, ==,
      "{\"terminal\":false,\"user\":{\"uid\":5,\"gid\":6,\"umask\":18,\"additionalGids\":[7,8,4294967295]},"
      "\"args\":[\"ls\"],\"env\":[],\"cwd\":\"/w\",\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_SYS_ADMIN\"],"
      "\"effective\":[\"CAP_CHOWN\",\"CAP_KILL\",\"CAP_SYS_ADMIN\"],\"permitted\":[\"CAP_KILL\",\"CAP_SYS_ADMIN\"],"
      "\"ambient\":[\"CAP_CHOWN\"]},\"noNewPrivileges\":true}");
  exec = (VpSpecExec){ .args = args, .user = "1", .additional_gids = gids, .n_additional_gids = 1 };
  other = vp_spec_make_exec (spec, &exec, NULL);
  other_text = vp_json_to_text (other, FALSE, NULL);
  g_assert_true (g_str_has_prefix (other_text,
                                   "{\"terminal\":false,\"user\":{\"uid\":1,\"gid\":0,\"additionalGids\":[8]},"));
}

static void
test_exec_refused (void)
{
  static const char *const good[] = { "ls", NULL }, *const none[] = { NULL }, *const odd[] = { "\xff", NULL };
  static const char *const no_value[] = { "A=1", "B", NULL }, *const no_name[] = { "=x", NULL };
  static const char *const no_cap[] = { "CAP_KILL", "KILL", NULL };
  static const struct
  {
    VpSpecExec exec;
    const char *words;
  } cases[] = {
    { { .args = none }, "args: " },
    { { .args = NULL }, "args: " },
    { { .args = odd }, "args[0]: " },
    { { .args = good, .env = no_value }, "env[1]: must be NAME=VALUE" },
    { { .args = good, .env = no_name }, "env[0]: " },
    { { .args = good, .cwd = "tmp" }, "cwd: " },
    { { .args = good, .capabilities = no_cap }, "capabilities[1]: " },
    { { .args = good, .user = "root" }, "user: \"root\"" },
    { { .args = good, .user = "" }, "user: " },
    { { .args = good, .user = "1:2:3" }, "user: " },
    { { .args = good, .user = "1:" }, "user: " },
    { { .args = good, .user = "-1" }, "user: " },
    { { .args = good, .user = "4294967296" }, "user: " },
  };
  g_autoptr (VpSpec) spec = parse (DOC (ROOT, PROCESS, ""));

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (vp_spec_make_exec (spec, &cases[i].exec, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, cases[i].words));
    }
}

/* ---- loading ---------------------------------------------------------------- */

typedef struct
{
  char *bundle;
} Fixture;

static char *
below (Fixture *f, const char *name)
{
  return g_build_filename (f->bundle, name, NULL);
}

static void
write_config (Fixture *f, const char *text)
{
  g_autofree char *path = below (f, "config.json");

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->bundle = g_dir_make_tmp ("virtpod-test-XXXXXX", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "config.json", "rootfs", "real/deep", "real" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = below (f, names[i]);
      if (g_remove (path) < 0)
        g_rmdir (path);
    }
  g_assert_cmpint (g_rmdir (f->bundle), ==, 0);
  g_free (f->bundle);
}

static void
assert_not_loaded (const char *bundle, VpError code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpSpec) spec = vp_spec_load (bundle, &error);

  g_assert_null (spec);
  g_assert_error (error, VP_ERROR, (gint)code);
  if (strstr (error->message, words) == NULL)
    g_test_message ("%s lacks \"%s\"", error->message, words);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_load (Fixture *f, gconstpointer data)
{
  g_autofree char *rootfs = below (f, "rootfs");
  g_autofree char *config = below (f, "config.json");
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (GError) error = NULL;

  assert_not_loaded ("relative", VP_ERROR_INVALID_ARGUMENT, "must be an absolute path");
  assert_not_loaded ("/nonexistent", VP_ERROR_NOT_FOUND, "/nonexistent");
  assert_not_loaded (f->bundle, VP_ERROR_NOT_FOUND, "config.json");
  g_assert_cmpint (mkfifo (config, 0600), ==, 0);
  assert_not_loaded (f->bundle, VP_ERROR_INVALID_ARGUMENT, "is not a regular file");
  g_remove (config);
  write_config (f, DOC (ROOT, PROCESS, ""));
  assert_not_loaded (f->bundle, VP_ERROR_NOT_FOUND, "root.path \"rootfs\"");
  g_assert_cmpint (g_mkdir (rootfs, 0755), ==, 0);
  spec = vp_spec_load (f->bundle, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vp_spec_get_bundle (spec), ==, f->bundle);
}

static void
test_load_large (Fixture *f, gconstpointer data)
{
  g_autofree char *spaces = g_strnfill (VP_JSON_MAX_BYTES + 1, ' ');

  write_config (f, spaces);
  assert_not_loaded (f->bundle, VP_ERROR_INVALID_ARGUMENT, "config.json");
}

static void
test_load_links (Fixture *f, gconstpointer data)
{
  static const char *const outside[] = { "/", "..", "../..", "/etc", "real/../../x" };
  g_autofree char *rootfs = below (f, "rootfs");
  g_autofree char *deep = below (f, "real/deep");
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (GError) error = NULL;

  write_config (f, DOC (ROOT, PROCESS, ""));
  g_assert_cmpint (g_mkdir_with_parents (deep, 0755), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (outside); i++)
    {
      g_assert_cmpint (symlink (outside[i], rootfs), ==, 0);
      assert_not_loaded (f->bundle, VP_ERROR_INVALID_ARGUMENT, "root.path \"rootfs\": leads outside");
      g_remove (rootfs);
    }
  /* within the bundle a link may lead where it likes */
  g_assert_cmpint (symlink ("real/deep", rootfs), ==, 0);
  spec = vp_spec_load (f->bundle, &error);
  g_assert_no_error (error);
}

static void
test_load_absolute (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strdup_printf (DOC ("\"root\":{\"path\":\"%s/real\"},", PROCESS, ""), f->bundle);
  g_autofree char *real = below (f, "real");
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (GError) error = NULL;

  write_config (f, text);
  assert_not_loaded (f->bundle, VP_ERROR_NOT_FOUND, "root.path");
  g_assert_cmpint (g_mkdir (real, 0755), ==, 0);
  spec = vp_spec_load (f->bundle, &error);
  g_assert_no_error (error);
  write_config (f, DOC ("\"root\":{\"path\":\"../..\"},", PROCESS, ""));
  assert_not_loaded (f->bundle, VP_ERROR_INVALID_ARGUMENT, "leads outside");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spec/refused", test_refused);
  g_test_add_func ("/spec/getters", test_getters);
  g_test_add_func ("/spec/no-limits", test_no_limits);
  g_test_add_func ("/spec/exec", test_exec);
  g_test_add_func ("/spec/exec-more", test_exec_more);
  g_test_add_func ("/spec/exec-refused", test_exec_refused);
  g_test_add ("/spec/load", Fixture, NULL, set_up, test_load, tear_down);
  g_test_add ("/spec/load/large", Fixture, NULL, set_up, test_load_large, tear_down);
  g_test_add ("/spec/load/links", Fixture, NULL, set_up, test_load_links, tear_down);
  g_test_add ("/spec/load/absolute", Fixture, NULL, set_up, test_load_absolute, tear_down);
  return g_test_run ();
}
