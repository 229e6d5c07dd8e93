/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containerd-shim-virtpod-v2 says to the daemon, and makes of its answers. */
#include <glib.h>
#include <gio/gio.h>

#include "shim-stats.h"
#include "shim-task.h"

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

/* Of a machine what it takes of the host counts. */
static void
test_stats_machine (void)
{
  static const char sums[] = "({'cpu.usage-usec': <uint64 5>, 'memory.usage-bytes': <uint64 6>, 'pids.current': <uint64 3>,"
                             " 'containers': <uint32 2>, 'vm.cpu-usage-usec': <uint64 50>,"
                             " 'vm.memory-bytes': <uint64 60>},)";
  gsize len;
  g_autofree guint8 *data = make_message (g_variant_new_parsed (sums), &len);
  VpBusMessage message;
  Cgroup__Metrics *metrics;

  g_assert_cmpint (vp_bus_message_parse (data, len, &message), ==, 0);
  metrics = shim_stats_new (&message);
  g_assert_nonnull (metrics);
  g_assert_cmpuint (metrics->cpu->usage->total, ==, 50000);
  g_assert_cmpuint (metrics->memory->usage->usage, ==, 60);
  g_assert_cmpuint (metrics->memory->usage->limit, ==, G_MAXUINT64);
  g_assert_cmpuint (metrics->memory->total_rss, ==, 60);
  g_assert_cmpuint (metrics->pids->current, ==, 3);
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
  const VpBusCall call = { "org.virtpod", "/org/virtpod/Manager", "org.virtpod.Manager1", "CreateSandbox", "ss{qt", 1 };
  const VpBusOption options[] = { { "stdin-path", "/x", 0 }, { "force", NULL, 1 }, { NULL, NULL, 0 } };
  guint8 data[1024], small[64];
  gsize len = pack (data, sizeof data, &call, "id", "/bundle", options, 7, G_GUINT64_CONSTANT (1) << 40);
  g_autoptr (GDBusMessage) message = NULL;
  g_autofree char *body = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (pack (small, sizeof small, &call, "id", "/bundle", options, 7, G_GUINT64_CONSTANT (1) << 40), ==, len);
  vp_bus_message_set_serial (data, 77);
  message = g_dbus_message_new_from_blob (data, len, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_dbus_message_get_serial (message), ==, 77);
  g_assert_cmpstr (g_dbus_message_get_member (message), ==, "CreateSandbox");
  g_assert_cmpstr (g_dbus_message_get_path (message), ==, "/org/virtpod/Manager");
  g_assert_cmpint (g_dbus_message_get_flags (message), ==, G_DBUS_MESSAGE_FLAGS_NONE);
  body = g_variant_print (g_dbus_message_get_body (message), FALSE);
  g_assert_cmpstr (body, ==, "('id', '/bundle', {'stdin-path': <'/x'>, 'force': <true>}, 7, 1099511627776)");
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
  g_test_add_func ("/shim/stats", test_stats);
  g_test_add_func ("/shim/stats-machine", test_stats_machine);
  g_test_add_func ("/shim/stats-damaged", test_stats_damaged);
  g_test_add_func ("/shim/call", test_call);
  g_test_add_func ("/shim/call-without-options", test_call_without_options);
  return g_test_run ();
}
