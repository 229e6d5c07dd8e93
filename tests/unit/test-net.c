/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon does with network namespaces, on real ones: the program is in
 * a network and a mount namespace of its own, which plays the host. Needs root
 * and ip and tc of iproute2; skipped elsewhere. */
#include "vp-net.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-net-nl.h"
#include "vp-net-scan.h"
#include "vp-net-tap.h"
#include "vp-net-tc.h"

#define POD_MAC "02:00:00:00:00:0a"
#define TAP "vptest-0"

typedef struct
{
  char *dir;
  char *pod; /* path of a namespace with eth0, whose other end "host0" is in ours */
} Fixture;

/* In our namespace; fails the test when the program does. */
static char *run (const char *format, ...) G_GNUC_PRINTF (1, 2);

static char *
run (const char *format, ...)
{
  g_autofree char *line = NULL, *quoted = NULL, *out = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;
  int status;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  quoted = g_strdup_printf ("/bin/sh -c 'PATH=$PATH:/usr/sbin:/sbin; %s'", line);
  g_spawn_command_line_sync (quoted, &out, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", line, error->message);
  return g_steal_pointer (&out);
}

/* In the pod's. */
#define IN(f, ...) in ((f)->pod, __VA_ARGS__)

static char *in (const char *ns, const char *format, ...)G_GNUC_PRINTF (2, 3);

static char *
in (const char *ns, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  return run ("nsenter --net=%s sh -c \"%s\"", ns, line);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->dir = g_dir_make_tmp ("vp-net-XXXXXX", &error);
  g_assert_no_error (error);
  f->pod = g_build_filename (f->dir, "pod", NULL);
  g_assert_true (vp_net_ns_create (f->pod, &error));
  g_assert_no_error (error);
  g_free (run ("ip link add host0 type veth peer name eth0"));
  g_free (run ("ip link set eth0 address %s mtu 1400", POD_MAC));
  g_free (run ("nsenter --net=%s true && ip link set eth0 netns %s", f->pod, f->pod));
  g_free (IN (f, "ip link set lo up && ip link set eth0 up && ip addr add 10.99.0.2/24 dev eth0 "
                 "&& ip addr add fd99::2/64 dev eth0 nodad"));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_net_ns_remove (f->pod, &error));
  g_assert_no_error (error);
  g_free (run ("ip link del host0 2>/dev/null || true"));
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->pod);
}

/* ---- namespaces ---- */

static void
test_open (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *missing = g_build_filename (f->dir, "missing", NULL);
  g_autofree char *fifo = g_build_filename (f->dir, "fifo", NULL);
  static const char *const wrong[] = { "/dev/null", "/proc/self/ns/mnt", "/", NULL };
  VpNetNsId id, again;
  int fd;

  fd = vp_net_ns_open (f->pod, &id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_false (vp_net_ns_is_host (&id));
  fd = vp_net_ns_open ("/proc/self/ns/net", &again, &error);
  g_assert_no_error (error);
  close (fd);
  g_assert_true (vp_net_ns_is_host (&again));
  g_assert_cmpuint (id.ino, !=, again.ino);

  g_assert_cmpint (vp_net_ns_open (missing, &id, &error), ==, -1);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* a FIFO would hold up whoever opens it */
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (vp_net_ns_open (fifo, &id, &error), ==, -1);
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_unlink (fifo);
  for (guint i = 0; wrong[i] != NULL; i++)
    {
      g_assert_cmpint (vp_net_ns_open (wrong[i], &id, &error), ==, -1);
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
    }
}

static void
test_create (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "new", NULL);
  g_autofree char *nowhere = g_build_filename (f->dir, "no", "where", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_net_ns_remove (path, &error)); /* before there is one */
  g_assert_true (vp_net_ns_create (path, &error));
  g_assert_no_error (error);
  g_assert_true (vp_net_ns_remove (path, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  /* what was left half made */
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_true (vp_net_ns_remove (path, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (vp_net_ns_remove (nowhere, &error));
  g_assert_false (vp_net_ns_create (nowhere, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
}

static void
test_host (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  VpNetNsId id;

  g_assert_null (vp_net_look ("/proc/self/ns/net", &id, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
}

/* ---- looking ---- */

static VpNetwork *
look (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  VpNetNsId id;
  VpNetwork *network = vp_net_look (f->pod, &id, &error);

  g_assert_no_error (error);
  return network;
}

static void
test_scan (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetwork) network = NULL;
  g_autofree char *text = NULL;
  const VpNetworkInterface *eth0;

  g_free (IN (f, "ip route add default via 10.99.0.1 dev eth0 src 10.99.0.2 mtu 1300 "
                 "&& ip route add 169.254.1.1 dev eth0 scope link "
                 "&& ip route add 10.50.0.0/16 via 10.98.0.1 dev eth0 onlink "
                 "&& ip -6 route add default via fd99::1 dev eth0 "
                 "&& ip neigh add 10.99.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent "
                 "&& ip link add br0 type bridge && ip link add port0 type veth peer name port1 "
                 "&& ip link set port0 master br0 && ip link set port0 up && ip link add down0 type bridge "
                 "&& ip addr add 10.97.0.1 peer 10.97.0.2/32 dev br0"));
  g_free (
      IN (f, "ip link set br0 address 02:00:00:00:00:0b up; ip route add table 100 10.1.0.0/16 dev eth0"));
  network = look (f);
  text = vp_network_to_json (network);
  g_test_message ("%s", text);
  g_assert_cmpuint (vp_network_get_n_interfaces (network), ==, 2);
  eth0 = vp_network_find_interface (network, "eth0");
  g_assert_nonnull (eth0);
  g_assert_cmpstr (eth0->mac, ==, POD_MAC);
  g_assert_cmpstr (eth0->kind, ==, "veth");
  g_assert_cmpuint (eth0->mtu, ==, 1400);
  g_assert_cmpuint (eth0->addresses->len, ==, 2); /* and not its link-local one */
  g_assert_nonnull (strstr (text, "\"10.99.0.2/24\""));
  g_assert_nonnull (strstr (text, "\"fd99::2/64\""));
  g_assert_nonnull (strstr (text, "\"10.97.0.1/32\""));
  /* the peer, 169.254.1.1, 10.50/16, both defaults, and nothing of the kernel's or of another table */
  g_assert_cmpuint (vp_network_get_n_routes (network), ==, 5);
  g_assert_nonnull (strstr (text, "\"10.97.0.2/32\""));
  g_assert_nonnull (strstr (text, "\"source\": \"10.99.0.2\""));
  g_assert_nonnull (strstr (text, "\"mtu\": 1300"));
  g_assert_nonnull (strstr (text, "\"onlink\": true"));
  g_assert_cmpstr (vp_network_get_route (network, 0)->gateway, ==, "");
  g_assert_cmpstr (vp_network_get_route (network, 4)->gateway, !=, "");
  g_assert_cmpuint (vp_network_get_n_neighbours (network), ==, 1);
}

static void
test_empty (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetwork) network = NULL;

  g_free (run ("ip link del host0"));
  network = look (f);
  g_assert_cmpuint (vp_network_get_n_interfaces (network), ==, 0);
}

/* A thousand of each is a namespace like any other. */
static void
test_many (Fixture *f, gconstpointer data)
{
  g_autofree char *batch = g_build_filename (f->dir, "batch", NULL);
  g_autoptr (VpNetwork) network = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text,
                            "addr add 10.100.%u.%u/16 dev eth0\nroute add 10.200.%u.%u/32 via 10.99.0.1\n",
                            i / 250, i % 250 + 1, i / 250, i % 250 + 1);
  g_assert_true (g_file_set_contents (batch, text->str, -1, NULL));
  g_free (IN (f, "ip -batch %s", batch));
  g_unlink (batch);
  network = look (f);
  g_assert_cmpuint (vp_network_find_interface (network, "eth0")->addresses->len, ==, 1002);
  g_assert_cmpuint (vp_network_get_n_routes (network), ==, 1000);
}

/* More than the bound is an error that says so. */
static void
test_too_many (Fixture *f, gconstpointer data)
{
  g_autofree char *batch = g_build_filename (f->dir, "batch", NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  VpNetNsId id;

  for (guint i = 0; i <= VP_NETWORK_MAX_ROUTES; i++)
    g_string_append_printf (text, "route add 10.200.%u.%u/32 via 10.99.0.1\n", i / 250, i % 250 + 1);
  g_assert_true (g_file_set_contents (batch, text->str, -1, NULL));
  g_free (IN (f, "ip -batch %s", batch));
  g_unlink (batch);
  g_assert_null (vp_net_look (f->pod, &id, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED);
  g_assert_cmpstr (error->message, ==, "network namespace: more than 4096 routes");
}

/* ---- connecting ---- */

static VpNetJob *
new_job (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  VpNetNsId id;
  int fd = vp_net_ns_open (f->pod, &id, &error);
  VpNetJob *job;

  g_assert_no_error (error);
  close (fd);
  job = vp_net_job_new ("test", f->pod, &id);
  vp_net_job_add (job, TAP, "eth0", 1400, 1);
  return job;
}

/* Nothing of ours in either namespace, and eth0 as it was. */
static void
assert_clean (Fixture *f)
{
  g_autofree char *links = run ("ip -o link");
  g_autofree char *theirs = IN (f, "ip -o link; tc qdisc show");

  g_assert_null (strstr (links, TAP));
  g_assert_null (strstr (theirs, TAP));
  g_assert_null (strstr (theirs, "ingress"));
}

static void
test_connect (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *link = NULL, *filters = NULL, *addresses = NULL;

  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  g_assert_no_error (error);
  before = run ("ip -d link show %s", TAP);
  g_assert_nonnull (strstr (before, "alias virtpod test eth0"));
  g_assert_nonnull (strstr (before, "mtu 1400"));
  g_assert_nonnull (strstr (before, "persist on"));
  g_assert_nonnull (strstr (before, "vnet_hdr on"));
  g_assert_null (strstr (before, "multi_queue"));
  g_assert_nonnull (strstr (before, "addrgenmode none"));

  g_assert_true (vp_net_tcfilter.connect (job, &error));
  g_assert_no_error (error);
  link = IN (f, "ip -d link show %s", TAP);
  g_assert_nonnull (strstr (link, "UP"));
  g_assert_nonnull (strstr (link, "mtu 1400"));
  filters = IN (f, "tc filter show dev eth0 ingress; tc filter show dev %s ingress", TAP);
  g_assert_nonnull (strstr (filters, "Egress Redirect to device " TAP));
  g_assert_nonnull (strstr (filters, "Egress Redirect to device eth0"));
  addresses = IN (f, "ip -6 addr show dev %s", TAP);
  g_assert_cmpstr (addresses, ==, "");

  g_assert_true (vp_net_tcfilter.remove (job, &error));
  g_assert_no_error (error);
  assert_clean (f);
  g_assert_true (vp_net_tcfilter.remove (job, &error)); /* once more finds nothing */
  g_assert_no_error (error);
}

static void
test_queues (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = vp_net_job_new ("test", f->pod, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *link = NULL;

  vp_net_job_add (job, TAP, "eth0", 0, 4);
  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  link = run ("ip -d link show %s", TAP);
  g_assert_nonnull (strstr (link, "multi_queue"));
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  assert_clean (f);
}

#define VNET_HDR 10
#define DEADLINE_MS 20000

/* As the hypervisor does it. */
static int
open_tap (void)
{
  struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
  int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

  g_strlcpy (request.ifr_name, TAP, IFNAMSIZ);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ioctl (fd, TUNSETIFF, &request), ==, 0);
  return fd;
}

/* Reads frames until one has @word in it. */
static void
wait_for (int fd, const char *word)
{
  gint64 end = g_get_monotonic_time () + DEADLINE_MS * 1000;
  struct pollfd poll_fd = { fd, POLLIN, 0 };
  char frame[4096];

  for (;;)
    {
      ssize_t n;

      g_assert_cmpint (poll (&poll_fd, 1, (int)MAX ((end - g_get_monotonic_time ()) / 1000, 0)), ==, 1);
      n = read (fd, frame, sizeof frame);
      if (n > 0 && memmem (frame, (gsize)n, word, strlen (word)) != NULL)
        return;
    }
}

static void
send_datagram (const char *word)
{
  const struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons (9),
                                  .sin_addr.s_addr = htonl (0x0a630002) /* 10.99.0.2 */ };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (sendto (fd, word, strlen (word), 0, (const struct sockaddr *)&to, sizeof to), >, 0);
  close (fd);
}

/* What comes in by eth0 goes out by the tap and the other way round, although
 * the tap was opened before it was moved. */
static void
test_packets (Fixture *f, gconstpointer data)
{
  static const char frame[VNET_HDR + 14 + 46 + 1] = "\0\0\0\0\0\0\0\0\0\0"
                                                    "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0a\x88\xb5"
                                                    "from the guest";
  struct sockaddr_ll at_host0 = { .sll_family = AF_PACKET, .sll_protocol = htons (0x88b5) };
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (GError) error = NULL;
  int tap, raw;

  g_free (run ("ip link set host0 up && ip addr add 10.99.0.1/24 dev host0 "
               "&& ip neigh replace 10.99.0.2 lladdr " POD_MAC " dev host0"));
  at_host0.sll_ifindex = (int)if_nametoindex ("host0");
  raw = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons (0x88b5));
  g_assert_cmpint (bind (raw, (const struct sockaddr *)&at_host0, sizeof at_host0), ==, 0);
  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  tap = open_tap ();
  g_assert_true (vp_net_tcfilter.connect (job, &error));
  g_assert_no_error (error);

  send_datagram ("from the host");
  wait_for (tap, "from the host");
  g_assert_cmpint (write (tap, frame, sizeof frame - 1), ==, sizeof frame - 1);
  wait_for (raw, "from the guest");

  /* the hypervisor has it still when it is taken away */
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  g_assert_no_error (error);
  assert_clean (f);
  close (tap);
  close (raw);
}

/* Two jobs with one interface: the second is refused and leaves the first alone. */
static void
test_collision (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (VpNetJob) same = new_job (f);
  g_autoptr (VpNetJob) other = vp_net_job_new ("other", f->pod, &job->id);
  g_autoptr (GError) error = NULL;
  g_autofree char *filters = NULL;

  vp_net_job_add (other, "vptest-1", "eth0", 1400, 1);
  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  g_assert_false (vp_net_tcfilter.prepare (same, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_assert_true (vp_net_tcfilter.connect (job, &error));
  g_assert_true (vp_net_tcfilter.prepare (other, &error));
  g_assert_false (vp_net_tcfilter.connect (other, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_assert_nonnull (strstr (error->message, "interface \"eth0\""));
  g_clear_error (&error);
  g_assert_true (vp_net_tcfilter.remove (other, &error));
  g_assert_no_error (error);
  filters = IN (f, "tc filter show dev eth0 ingress");
  g_assert_nonnull (strstr (filters, "Egress Redirect to device " TAP));
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  assert_clean (f);
}

/* An interface of that name that is no tap is somebody's. */
static void
test_foreign_name (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (GError) error = NULL;

  g_free (run ("ip link add %s type bridge", TAP));
  g_assert_false (vp_net_tcfilter.prepare (job, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_assert_false (vp_net_tcfilter.remove (job, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_free (run ("ip link del %s", TAP));
}

static void
test_vanished_device (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  g_free (run ("ip link del host0"));
  g_assert_false (vp_net_tcfilter.connect (job, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  g_assert_no_error (error);
  assert_clean (f);
}

static gboolean
is_there (const char *name)
{
  g_autofree char *path = g_strdup_printf ("/sys/class/net/%s", name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* A namespace that goes away takes with it what was in it; the kernel does that
 * in its own time, and our part does not depend on it. */
static void
test_vanished_namespace (Fixture *f, gconstpointer data)
{
  g_autoptr (VpNetJob) job = new_job (f);
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  g_assert_true (vp_net_tcfilter.connect (job, &error));
  g_assert_true (vp_net_ns_remove (f->pod, &error));
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  g_assert_no_error (error);
  g_assert_false (is_there (TAP));
  /* another one of the same name is not taken for it */
  g_assert_true (vp_net_ns_create (f->pod, &error));
  g_assert_true (vp_net_tcfilter.prepare (job, &error));
  g_assert_false (vp_net_tcfilter.connect (job, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (vp_net_tcfilter.remove (job, &error));
  assert_clean (f);
}

/* ---- */

/* A host of our own: nobody else sees what we make or leave. */
static gboolean
enter_sandbox (void)
{
  g_autofree char *ip = g_find_program_in_path ("ip"), *tc = g_find_program_in_path ("tc");

  if (geteuid () != 0 || ip == NULL || tc == NULL || access ("/dev/net/tun", R_OK | W_OK) < 0)
    return FALSE;
  if (unshare (CLONE_NEWNET | CLONE_NEWNS) < 0)
    return FALSE;
  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) == 0;
}

#define ADD(name, func) g_test_add ("/net/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_autofree char *path = g_strconcat (g_getenv ("PATH"), ":/usr/sbin:/sbin", NULL);

  g_setenv ("PATH", path, TRUE);
  g_test_init (&argc, &argv, NULL);
  if (!enter_sandbox ())
    {
      g_print ("1..0 # SKIP needs root, iproute2 and /dev/net/tun\n");
      return 0;
    }
  ADD ("open", test_open);
  ADD ("create", test_create);
  ADD ("host", test_host);
  ADD ("scan", test_scan);
  ADD ("empty", test_empty);
  ADD ("many", test_many);
  ADD ("too-many", test_too_many);
  ADD ("connect", test_connect);
  ADD ("queues", test_queues);
  ADD ("packets", test_packets);
  ADD ("collision", test_collision);
  ADD ("foreign-name", test_foreign_name);
  ADD ("vanished-device", test_vanished_device);
  ADD ("vanished-namespace", test_vanished_namespace);
  return g_test_run ();
}
