/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that containerd-shim-virtpod-v2 reads and makes: options, addresses, mounts, streams. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "shim-address.h"
#include "shim-mount.h"
#include "shim-options.h"
#include "shim-stream.h"
#include "shim-task.h"
#include "shim-uri.h"
#include "shim-util.h"

/* ---- the command line ------------------------------------------------------------ */

static void
test_options (void)
{
  char *argv[] = { "shim", "-namespace", "k8s.io", "--address=/run/c.sock", "-publish-binary", "", "-id", "web",
                   "-debug", "-bundle", "/b", "start", NULL };
  ShimOptions options;
  char *why = NULL;

  g_assert_cmpint (shim_options_parse (&options, 12, argv, &why), ==, 0);
  g_assert_cmpstr (options.namespace_, ==, "k8s.io");
  g_assert_cmpstr (options.address, ==, "/run/c.sock");
  g_assert_cmpstr (options.publish, ==, "");
  g_assert_cmpstr (options.id, ==, "web");
  g_assert_cmpstr (options.bundle, ==, "/b");
  g_assert_cmpstr (options.verb, ==, "start");
  g_assert_true (options.debug);
}

static void
test_options_wrong (void)
{
  char *const wrong[][8] = {
    { "shim", NULL },
    { "shim", "-id", "a", "-namespace", "n", NULL },
    { "shim", "-id", "a", "-namespace", "n", "stop", NULL },
    { "shim", "-id", "a", "-namespace", "n", "start", "delete", NULL },
    { "shim", "-id", "../a", "-namespace", "n", "start", NULL },
    { "shim", "-id", "", "-namespace", "n", "start", NULL },
    { "shim", "-id", "a", "start", NULL },
    { "shim", "-namespace", "n", "delete", NULL },
    { "shim", "-id", NULL },
    { "shim", "-nonsense", "start", NULL },
    { "shim", "-debug=maybe", "start", NULL },
    { "shim", "-", "start", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ShimOptions options;
      char *why = NULL;

      g_assert_cmpint (shim_options_parse (&options, (int) g_strv_length ((char **) wrong[i]), (char **) wrong[i], &why),
                       <, 0);
      g_assert_nonnull (why);
      free (why);
    }
}

static void
test_id (void)
{
  g_autofree char *longest = g_strnfill (128, 'a'), *longer = g_strnfill (129, 'a');

  g_assert_true (shim_id_is_valid ("a"));
  g_assert_true (shim_id_is_valid ("0b_c.d-E+"));
  g_assert_true (shim_id_is_valid (longest));
  g_assert_false (shim_id_is_valid (longer));
  g_assert_false (shim_id_is_valid (""));
  g_assert_false (shim_id_is_valid (".a"));
  g_assert_false (shim_id_is_valid ("a/b"));
  g_assert_false (shim_id_is_valid ("a\nb"));
  g_assert_false (shim_id_is_valid ("\xc3\xa4"));
}

/* ---- which shim ------------------------------------------------------------------ */

static void
test_group (void)
{
  static const struct
  {
    const char *annotations;
    int result;
    const char *group;
  } cases[] = {
    { "{}", 0, "" },
    { "{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}", 0, "" },
    { "{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}", 0, "pod" },
    { "{\"io.kubernetes.cri-o.ContainerType\":\"container\",\"io.kubernetes.cri-o.SandboxID\":\"pod\"}", 0, "pod" },
    { "{\"io.kubernetes.docker.type\":\"container\",\"io.kubernetes.sandbox.id\":\"pod\"}", 0, "pod" },
    { "{\"io.kubernetes.cri.container-type\":\"container\"}", -1, NULL },
    { "{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":7}", -1, NULL },
    { "{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"../x\"}", -1, NULL },
    { "{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"a\\u0000\"}", -1, NULL },
    { "{", -1, NULL },
    { "[]", 0, "" },
    { "null", 0, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json = g_strdup_printf ("{\"annotations\": %s}", cases[i].annotations);
      char group[SHIM_GROUP_MAX];
      int result = shim_address_read_group (json, strlen (json), group);

      g_assert_cmpint (result < 0, ==, cases[i].result < 0);
      if (result == 0)
        g_assert_cmpstr (group, ==, cases[i].group);
    }
}

static void
test_address (void)
{
  const char *const directory = SHIM_SOCKET_DIR;
  char *one = shim_address_new (directory, "/run/c.sock", "k8s.io", "pod");
  char *again = shim_address_new (directory, "/run/c.sock", "k8s.io", "pod");
  char *others[] = { shim_address_new (directory, "/run/d.sock", "k8s.io", "pod"),
                     shim_address_new (directory, "/run/c.sock", "k8s.i", "opod"),
                     shim_address_new (directory, "/run/c.sock", "k8s.io", "pod2"),
                     shim_address_new (directory, "", "", ""),
                     shim_address_new ("/run/other", "/run/c.sock", "k8s.io", "pod") };

  g_assert_cmpstr (one, ==, again);
  g_assert_true (g_str_has_prefix (one, SHIM_SOCKET_DIR "/"));
  g_assert_cmpuint (strlen (one), <, 100);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_assert_cmpstr (one, !=, others[i]);
      g_assert_true (shim_address_is_ours (others[i]));
      free (others[i]);
    }
  one[strlen (one) - 1] = 'g';
  g_assert_false (shim_address_is_ours (one));
  one[strlen (one) - 1] = '\0';
  g_assert_false (shim_address_is_ours (one));
  g_assert_false (shim_address_is_ours ("virtpod-0123456789abcdef0123456789abcdef"));
  g_assert_false (shim_address_is_ours (""));
  free (one);
  free (again);
}

/* ---- mounts ---------------------------------------------------------------------- */

static void
test_mount_options (void)
{
  char *const options[] = { "index=off", "ro", "nosuid", "rw", "noexec", "upperdir=/u" };
  ShimMountOptions parsed = shim_mount_options_parse (options, G_N_ELEMENTS (options));

  g_assert_cmpuint (parsed.flags, ==, MS_NOSUID | MS_NOEXEC);
  g_assert_cmpstr (parsed.data, ==, "index=off,upperdir=/u");
  free (parsed.data);
  parsed = shim_mount_options_parse (NULL, 0);
  g_assert_cmpstr (parsed.data, ==, "");
  free (parsed.data);
}

static void
test_mount_shorten (void)
{
  static const struct
  {
    const char *before, *after, *directory;
  } cases[] = {
    { "a=b,lowerdir=/s/11/fs:/s/12/fs:/s/2/fs,upperdir=/u", "a=b,lowerdir=11/fs:12/fs:2/fs,upperdir=/u", "/s/" },
    { "lowerdir=/s/one/fs:/s/one/other", "lowerdir=fs:other", "/s/one/" },
    { "lowerdir=/s/one", "lowerdir=one", "/s/" },
    { "lowerdir=/a:/b", NULL, NULL },
    { "lowerdir=/s/a\\:b:/s/c", NULL, NULL },
    { "lowerdir=", NULL, NULL },
    { "upperdir=/u", NULL, NULL },
    { "", NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      ShimMountOptions options = { 0, strdup (cases[i].before) };
      char *directory = shim_mount_options_shorten (&options);

      g_assert_cmpstr (directory, ==, cases[i].directory);
      g_assert_cmpstr (options.data, ==, cases[i].after != NULL ? cases[i].after : cases[i].before);
      free (directory);
      free (options.data);
    }
}

/* ---- streams --------------------------------------------------------------------- */

static void
test_streams (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = g_strdup_printf ("file://%s/logs/of%%20it/out", directory);
  g_autofree char *file = g_strdup_printf ("%s/logs/of it/out", directory);
  const char *const wrong[] = { "relative", "binary:///bin/true", "http://x", "file://relative", "file:///proc/no/such/x",
                                "file:///%zz", "fifo://host/x" };
  const char *why = NULL;
  char *path;

  path = shim_stream_path ("", &why);
  g_assert_cmpstr (path, ==, "/dev/null");
  free (path);
  path = shim_stream_path ("/run/fifo", &why);
  g_assert_cmpstr (path, ==, "/run/fifo");
  free (path);
  path = shim_stream_path (uri, &why);
  g_assert_cmpstr (path, ==, file);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  g_assert_null (why);
  free (path);
  (void) g_unlink (file);
  for (int i = 0; i < 3; i++)
    {
      *strrchr (file, '/') = '\0';
      (void) g_rmdir (file);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      why = NULL;
      g_assert_null (shim_stream_path (wrong[i], &why));
      g_assert_nonnull (why);
    }
}

static void
test_uri (void)
{
  static const struct
  {
    const char *text, *path, *query; /* the query's parts with "|" between; path NULL: is none */
  } cases[] = {
    { "/bin/log", "/bin/log", "" },
    { "/bin/log?a=b&c=d", "/bin/log", "a|b|c|d" },
    { "/bin/log?", "/bin/log", "" },
    { "/bin/log?a", "/bin/log", "a|" },
    { "/bin/log?=a&&b=", "/bin/log", "|a|b|" },
    { "/bin/log?a=1&b=2&a=3", "/bin/log", "a|1|b|2" },
    { "/bin/log?a=b=c", "/bin/log", "a|b=c" },
    { "/bin/a+b?a+b=%2fx+%3D", "/bin/a+b", "a b|/x =" },
    { "/b%69n/%41?x=%C3%A4#y", "/bin/A", "x|\xc3\xa4" },
    { "/bin/log#?a=b", "/bin/log", "" },
    { "bin/log", NULL, NULL },
    { "", NULL, NULL },
    { "/bin/%", NULL, NULL },
    { "/bin/%4", NULL, NULL },
    { "/bin/%4g", NULL, NULL },
    { "/bin/%00", NULL, NULL },
    { "/bin/log?a=%00", NULL, NULL },
    { "/bin/log?%zz=a", NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *query = NULL;
      const char *why = NULL;
      ShimUri uri;

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (shim_uri_parse (&uri, cases[i].text, &why) == 0, ==, cases[i].path != NULL);
      g_assert_cmpint (why == NULL, ==, cases[i].path != NULL);
      if (cases[i].path == NULL)
        continue;
      query = g_strjoinv ("|", uri.query);
      g_assert_cmpstr (uri.path, ==, cases[i].path);
      g_assert_cmpstr (query, ==, cases[i].query);
      shim_uri_clear (&uri);
    }
}

static void
test_uri_long (void)
{
  g_autoptr (GString) text = g_string_new ("/x?");
  g_autofree char *path = g_strnfill (70000, '/');
  const char *why = NULL;
  ShimUri uri;

  for (int i = 0; i < 257; i++)
    g_string_append_printf (text, "k%d=v&", i);
  g_assert_cmpint (shim_uri_parse (&uri, text->str, &why), <, 0);
  g_assert_cmpint (shim_uri_parse (&uri, path, &why), <, 0);
  *strstr (text->str, "k256") = '\0';
  g_assert_cmpint (shim_uri_parse (&uri, text->str, &why), ==, 0);
  g_assert_cmpuint (g_strv_length (uri.query), ==, 512);
  shim_uri_clear (&uri);
}

/* ---- times ----------------------------------------------------------------------- */

static void
test_timestamp (void)
{
  Google__Protobuf__Timestamp timestamp;

  shim_timestamp (&timestamp, 1795322394720168);
  g_assert_cmpint (timestamp.seconds, ==, 1795322394);
  g_assert_cmpint (timestamp.nanos, ==, 720168000);
  shim_timestamp (&timestamp, 0);
  g_assert_cmpint (timestamp.seconds, ==, -62135596800);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shim/options", test_options);
  g_test_add_func ("/shim/options-wrong", test_options_wrong);
  g_test_add_func ("/shim/id", test_id);
  g_test_add_func ("/shim/group", test_group);
  g_test_add_func ("/shim/address", test_address);
  g_test_add_func ("/shim/mount-options", test_mount_options);
  g_test_add_func ("/shim/mount-shorten", test_mount_shorten);
  g_test_add_func ("/shim/streams", test_streams);
  g_test_add_func ("/shim/uri", test_uri);
  g_test_add_func ("/shim/uri-long", test_uri_long);
  g_test_add_func ("/shim/timestamp", test_timestamp);
  return g_test_run ();
}
