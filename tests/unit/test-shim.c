/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containerd-shim-virtpod-v2 and its D-Bus client are made of. */
#include <glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <gio/gio.h>

#include "shim-address.h"
#include "shim-logger.h"
#include "shim-loop.h"
#include "shim-mount.h"
#include "shim-options.h"
#include "shim-stats.h"
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

/* ---- loggers --------------------------------------------------------------------- */

static void
on_told (const char *why, void *data)
{
  char **told = data;

  *told = g_strdup (why != NULL ? why : "");
  shim_loop_quit ();
}

/* A program of the lines of a shell script, as a URI; in a directory of its own. */
static char *
make_logger (const char *directory, const char *lines, const char *query)
{
  g_autofree char *path = g_strdup_printf ("%s/program", directory);
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\nPATH=/usr/bin:/bin\n%s\n", lines);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0700), ==, 0);
  return g_strdup_printf ("binary://%s?%s", path, query);
}

static void
remove_directory (const char *directory)
{
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", directory);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static void
check_file (const char *directory, const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
write_to (const char *fifo, const char *text)
{
  int fd = open (fifo, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_assert_cmpint (close (fd), ==, 0);
}

static void
test_logger (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory,
                                      "cd \"$2\"; env | grep CONTAINER_ | sort >env; echo \"$3 $4\" >arguments\n"
                                      "exec 5>&-; cat <&3 >out & cat <&4 >err; wait",
                                      "dir=");
  g_autofree char *full = g_strconcat (uri, directory, "&a=b+c", NULL);
  g_autofree char *out = NULL, *ready = NULL, *ended = NULL;
  const char *why = NULL;
  ShimLogger *logger;

  shim_logger_init ("k8s.io");
  logger = shim_logger_start (full, directory, "-x", "web", on_told, &ready, &why);
  g_assert_nonnull (logger);
  shim_loop_run ();
  g_assert_cmpstr (ready, ==, "");
  out = g_strdup (shim_logger_get_out (logger));
  g_assert_true (g_str_has_suffix (out, "/stdout-x"));
  /* who writes may come and go */
  write_to (out, "one\n");
  write_to (out, "two\n");
  write_to (shim_logger_get_err (logger), "wrong\n");
  shim_logger_end (logger, on_told, &ended);
  shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  g_assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
  check_file (directory, "out", "one\ntwo\n");
  check_file (directory, "err", "wrong\n");
  check_file (directory, "env", "CONTAINER_ID=web\nCONTAINER_NAMESPACE=k8s.io\n");
  check_file (directory, "arguments", "a b c\n");
  remove_directory (directory);
}

static void
on_written (uint32_t events, void *data)
{
  gsize *left = data;
  static const char bytes[4096];
  gssize n = write (*(int *) (left + 1), bytes, MIN (sizeof bytes, *left));

  (void) events;
  if (n > 0)
    *left -= (gsize) n;
  if (*left == 0)
    shim_loop_quit ();
}

/* Whoever writes does not stand still because the logger is gone. */
static void
test_logger_lost (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory, "exit 3", "");
  g_autofree char *ready = NULL, *ended = NULL;
  const char *why = NULL;
  struct
  {
    gsize left;
    int fd;
  } writer = { 1 << 20, -1 }; /* more than a pipe holds */
  ShimLogger *logger = shim_logger_start (uri, directory, "", "web", on_told, &ready, &why);
  ShimWatch *watch;

  g_assert_nonnull (logger);
  shim_loop_run ();
  g_assert_cmpstr (ready, ==, "");
  writer.fd = open (shim_logger_get_out (logger), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  watch = shim_watch_new (writer.fd, EPOLLOUT, on_written, &writer);
  shim_loop_run ();
  g_assert_cmpuint (writer.left, ==, 0);
  shim_watch_end (watch);
  (void) close (writer.fd);
  shim_logger_end (logger, on_told, &ended);
  if (ended == NULL)
    shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  remove_directory (directory);
}

static void
test_logger_wrong (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  const char *const wrong[] = { "binary://", "binary://bin/true", "binary:///no/such/program", "binary:///etc/passwd" };
  g_autofree char *told = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      const char *why = NULL;

      g_assert_null (shim_logger_start (wrong[i], directory, "", "web", on_told, &told, &why));
      g_assert_nonnull (why);
    }
  g_assert_null (told);
  /* it has left nothing */
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

/* Which streams may be together, and that who waits for them is always told. */
static void
test_logger_streams (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory, "exec cat 0<&3", "");
  const char *const wrong[][3] = { { "", uri, "" },
                                   { "", uri, "/run/fifo" },
                                   { "", "/run/fifo", uri },
                                   { uri, "", "" },
                                   { "", "", uri } };
  ShimStreams streams = { .logger = NULL };
  char *told = NULL, *ended = NULL;

  for (gsize i = 1; i < G_N_ELEMENTS (wrong); i++)
    {
      shim_streams_open (&streams, wrong[i], directory, "", "web", on_told, &told);
      g_assert_cmpstr (told, !=, "");
      g_clear_pointer (&told, g_free);
      shim_streams_close (&streams, NULL, NULL);
    }
  shim_streams_open (&streams, wrong[0], directory, "", "web", on_told, &told);
  g_assert_null (told);
  g_assert_nonnull (strstr (streams.err, "/stderr"));
  shim_streams_close (&streams, on_told, &ended);
  g_assert_cmpstr (told, ==, "the process was deleted");
  while (ended == NULL)
    shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  g_free (told);
  g_free (ended);
  remove_directory (directory);
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
  g_assert_cmpint (shim_loop_init (), ==, 0);
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
  g_test_add_func ("/shim/logger", test_logger);
  g_test_add_func ("/shim/logger-lost", test_logger_lost);
  g_test_add_func ("/shim/logger-wrong", test_logger_wrong);
  g_test_add_func ("/shim/logger-streams", test_logger_streams);
  g_test_add_func ("/shim/timestamp", test_timestamp);
  g_test_add_func ("/shim/stats", test_stats);
  g_test_add_func ("/shim/stats-damaged", test_stats_damaged);
  g_test_add_func ("/shim/call", test_call);
  g_test_add_func ("/shim/call-without-options", test_call_without_options);
  return g_test_run ();
}
