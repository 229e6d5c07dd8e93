/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containerd-shim-virtpod-v2 and its D-Bus client are made of. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <gio/gio.h>

#include "shim-address.h"
#include "shim-mount.h"
#include "shim-options.h"
#include "shim-stats.h"
#include "shim-task.h"
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
  char *one = shim_address_new ("/run/c.sock", "k8s.io", "pod"), *again = shim_address_new ("/run/c.sock", "k8s.io", "pod");
  char *others[] = { shim_address_new ("/run/d.sock", "k8s.io", "pod"), shim_address_new ("/run/c.sock", "k8s.i", "opod"),
                     shim_address_new ("/run/c.sock", "k8s.io", "pod2"), shim_address_new ("", "", "") };

  g_assert_cmpstr (one, ==, again);
  g_assert_true (g_str_has_prefix (one, SHIM_SOCKET_DIR "/"));
  g_assert_cmpuint (strlen (one), <, 100);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_assert_cmpstr (one, !=, others[i]);
      free (others[i]);
    }
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
  g_autofree char *uri = g_strdup_printf ("file://%s/logs/out", directory);
  const char *const wrong[] = { "relative", "binary:///bin/true", "http://x", "file://relative", "file:///no/such/dir/x" };
  const char *why = NULL;
  char *path;

  path = shim_stream_path ("", &why);
  g_assert_cmpstr (path, ==, "/dev/null");
  free (path);
  path = shim_stream_path ("/run/fifo", &why);
  g_assert_cmpstr (path, ==, "/run/fifo");
  free (path);
  path = shim_stream_path (uri, &why);
  g_assert_cmpstr (path, ==, uri + strlen ("file://"));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  g_assert_null (why);
  (void) g_unlink (path);
  *strrchr (path, '/') = '\0';
  (void) g_rmdir (path);
  (void) g_rmdir (directory);
  free (path);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      why = NULL;
      g_assert_null (shim_stream_path (wrong[i], &why));
      g_assert_nonnull (why);
    }
}

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

/* ---- statistics ------------------------------------------------------------------ */

/* The bytes of a message with that body, as GDBus makes them. */
static guint8 *
make_message (GVariant *body, gsize *ret_len)
{
  g_autoptr (GDBusMessage) message = g_dbus_message_new_signal ("/a", "b.c", "D");

  g_dbus_message_set_body (message, body);
  g_dbus_message_set_serial (message, 1);
  return g_dbus_message_to_blob (message, ret_len, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
}

static const char figures[]
    = "({'cpu.usage-usec': <uint64 5>, 'cpu.percpu-usage-usec': <[uint64 1, 2]>, 'pids.current': <uint64 3>,"
      " 'memory.limit-bytes': <uint64 18446744073709551615>, 'memory.hierarchy': <true>,"
      " 'memory.stat': <{'inactive_file': uint64 7, 'what_is_this': 8}>,"
      " 'network': <[{'name': <'eth0'>, 'rx-bytes': <uint64 9>, 'odd': <(1, 'x', [@y 1])>}]>,"
      " 'blkio.serviced': <[{'op': <'read'>, 'major': <uint64 8>, 'value': <uint64 11>}]>},)";

static void
test_stats (void)
{
  gsize len;
  g_autofree guint8 *data = make_message (g_variant_new_parsed (figures), &len);
  VpBusMessage message;
  Cgroup__Metrics *metrics;

  g_assert_cmpint (vp_bus_message_length (data, len, 65536), ==, len);
  g_assert_cmpint (vp_bus_message_parse (data, len, &message), ==, 0);
  metrics = shim_stats_new (&message);
  g_assert_nonnull (metrics);
  g_assert_cmpuint (metrics->cpu->usage->total, ==, 5000);
  g_assert_cmpuint (metrics->pids->current, ==, 3);
  g_assert_cmpuint (metrics->memory->usage->limit, ==, G_MAXUINT64);
  g_assert_cmpuint (metrics->memory->total_inactive_file, ==, 7);
  g_assert_cmpuint (metrics->n_network, ==, 1);
  g_assert_cmpstr (metrics->network[0]->name, ==, "eth0");
  g_assert_cmpuint (metrics->network[0]->rx_bytes, ==, 9);
  g_assert_cmpuint (metrics->blkio->n_io_serviced_recursive, ==, 1);
  g_assert_cmpstr (metrics->blkio->io_serviced_recursive[0]->op, ==, "read");
  g_assert_cmpuint (metrics->blkio->io_serviced_recursive[0]->value, ==, 11);
  shim_stats_free (metrics);
}

/* Whatever byte is another one: no crash and no read behind the end (asan says). */
static void
test_stats_damaged (void)
{
  gsize len;
  g_autofree guint8 *data = make_message (g_variant_new_parsed (figures), &len);

  for (gsize at = 0; at < len; at++)
    for (int flip = 1; flip < 256; flip <<= 1)
      {
        g_autofree guint8 *damaged = g_memdup2 (data, len);
        VpBusMessage message;
        Cgroup__Metrics *metrics;
        long length;

        damaged[at] ^= (guint8) flip;
        length = vp_bus_message_length (damaged, len, 65536);
        if (length <= 0 || (gsize) length > len || vp_bus_message_parse (damaged, (gsize) length, &message) < 0)
          continue;
        metrics = shim_stats_new (&message);
        if (metrics != NULL)
          shim_stats_free (metrics);
      }
}

/* ---- calls ----------------------------------------------------------------------- */

static gsize
pack (guint8 *data, gsize size, const VpBusCall *call, ...)
{
  va_list arguments;
  gsize len;

  va_start (arguments, call);
  len = vp_bus_message_pack (data, size, call, arguments);
  va_end (arguments);
  return len;
}

/* What we make is what GDBus reads. */
static void
test_call (void)
{
  const VpBusCall call = { "org.virtpod", "/org/virtpod/Manager", "org.virtpod.Manager1", "CreateSandbox", "ss{q", 1 };
  const VpBusOption options[] = { { "stdin-path", "/x", 0 }, { "force", NULL, 1 }, { NULL, NULL, 0 } };
  guint8 data[1024], small[64];
  gsize len = pack (data, sizeof data, &call, "id", "/bundle", options, 7);
  g_autoptr (GDBusMessage) message = NULL;
  g_autofree char *body = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (pack (small, sizeof small, &call, "id", "/bundle", options, 7), ==, len);
  vp_bus_message_set_serial (data, 77);
  message = g_dbus_message_new_from_blob (data, len, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_dbus_message_get_serial (message), ==, 77);
  g_assert_cmpstr (g_dbus_message_get_member (message), ==, "CreateSandbox");
  g_assert_cmpstr (g_dbus_message_get_path (message), ==, "/org/virtpod/Manager");
  g_assert_cmpint (g_dbus_message_get_flags (message), ==, G_DBUS_MESSAGE_FLAGS_NONE);
  body = g_variant_print (g_dbus_message_get_body (message), FALSE);
  g_assert_cmpstr (body, ==, "('id', '/bundle', {'stdin-path': <'/x'>, 'force': <true>}, 7)");
}

static void
test_call_without_options (void)
{
  const VpBusCall call = { "a.b", "/a", "a.b", "C", "{", 0 };
  guint8 data[256];
  gsize len = pack (data, sizeof data, &call, NULL);
  g_autoptr (GDBusMessage) message = NULL;
  g_autofree char *body = NULL;

  vp_bus_message_set_serial (data, 1);
  message = g_dbus_message_new_from_blob (data, len, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  g_assert_nonnull (message);
  g_assert_cmpint (g_dbus_message_get_flags (message), ==, G_DBUS_MESSAGE_FLAGS_NO_AUTO_START);
  body = g_variant_print (g_dbus_message_get_body (message), FALSE);
  g_assert_cmpstr (body, ==, "({},)");
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
  g_test_add_func ("/shim/timestamp", test_timestamp);
  g_test_add_func ("/shim/stats", test_stats);
  g_test_add_func ("/shim/stats-damaged", test_stats_damaged);
  g_test_add_func ("/shim/call", test_call);
  g_test_add_func ("/shim/call-without-options", test_call_without_options);
  return g_test_run ();
}
