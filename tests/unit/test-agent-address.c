/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an agent is. That a path of any length works is tests/unit/test-agent-conn's. */
#include "vp-agent-address.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static void
test_text (void)
{
  static const char *const bad[] = { "vsock:", "vsock:3", "vsock:3:", "vsock::1024", "vsock:x:1", "vsock:3:4294967296",
                                     "vsock:-1:1024", "vsock:3:1024 ", "vsock: 3:1" };
  g_autofree char *text = vp_agent_address_for_vsock (4294967294u, 1024);
  guint32 cid = 0, port = 0;

  g_assert_cmpstr (text, ==, "vsock:4294967294:1024");
  g_assert_true (vp_agent_address_is_vsock (text, &cid, &port));
  g_assert_cmpuint (cid, ==, 4294967294u);
  g_assert_cmpuint (port, ==, 1024);
  g_assert_false (vp_agent_address_is_vsock ("/run/vsock:3:1024", &cid, &port));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      int fd = -1, r = vp_agent_address_connect (bad[i], &fd);

      g_assert_true (r == -EINVAL || r == -EAFNOSUPPORT);
      g_assert_cmpint (fd, ==, -1);
    }
}

static void
test_waiting (void)
{
  static const struct
  {
    int errsv;
    gboolean path, vsock;
  } cases[] = {
    { ENOENT, TRUE, FALSE },      { ECONNREFUSED, TRUE, FALSE }, { EAGAIN, TRUE, FALSE },   { EINTR, TRUE, TRUE },
    { ECONNRESET, FALSE, TRUE },  { ENODEV, FALSE, TRUE },       { ETIMEDOUT, FALSE, TRUE }, { EHOSTUNREACH, FALSE, TRUE },
    { EACCES, FALSE, FALSE },     { EINVAL, FALSE, FALSE },      { EAFNOSUPPORT, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (vp_agent_address_is_worth_waiting ("/a.sock", cases[i].errsv), ==, cases[i].path);
      g_assert_cmpint (vp_agent_address_is_worth_waiting ("vsock:3:1024", cases[i].errsv), ==, cases[i].vsock);
    }
}

/* Where the kernel sends to itself. */
static void
test_loopback (void)
{
  struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY };
  socklen_t len = sizeof address;
  int listener = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = -1, r, errsv = 0;
  struct pollfd ready = { .events = POLLOUT };
  g_autofree char *text = NULL;

  if (listener < 0 || bind (listener, (struct sockaddr *) &address, sizeof address) < 0 || listen (listener, 1) < 0
      || getsockname (listener, (struct sockaddr *) &address, &len) < 0)
    {
      g_test_skip ("no vsock");
      return;
    }
  text = vp_agent_address_for_vsock (VMADDR_CID_LOCAL, address.svm_port);
  r = vp_agent_address_connect (text, &fd);
  len = sizeof errsv;
  ready.fd = fd;
  if (r == -EINPROGRESS && poll (&ready, 1, 1000) == 1 && getsockopt (fd, SOL_SOCKET, SO_ERROR, &errsv, &len) == 0)
    r = -errsv;
  if (r < 0)
    g_test_skip ("no vsock_loopback");
  if (fd >= 0)
    close (fd);
  close (listener);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-address/text", test_text);
  g_test_add_func ("/agent-address/waiting", test_waiting);
  g_test_add_func ("/agent-address/loopback", test_loopback);
  return g_test_run ();
}
