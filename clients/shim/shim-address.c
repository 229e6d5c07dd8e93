/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-address.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim-util.h"
#include "vp-json-scan.h"
#include "vp-ttrpc.h"

#define BACKLOG 64
#define PREFIX "virtpod-"
#define HASH_DIGITS 32
/* for an answer: a shim that runs has it in a millisecond */
#define ANSWER_MS 2000

/* Who is a container of a pod says so in these words, and names the pod in the third. */
static const struct
{
  const char *type, *container, *pod;
} dialects[] = {
  { "io.kubernetes.cri.container-type", "container", "io.kubernetes.cri.sandbox-id" },
  { "io.kubernetes.cri-o.ContainerType", "container", "io.kubernetes.cri-o.SandboxID" },
  { "io.kubernetes.docker.type", "container", "io.kubernetes.sandbox.id" },
};

int
shim_address_read_group (const char *json, size_t len, char group[SHIM_GROUP_MAX])
{
  VpJsonPiece document, annotations;

  *group = '\0';
  if (vp_json_scan_parse (json, len, &document) < 0)
    return -EINVAL;
  annotations = vp_json_scan_member (document, "annotations");
  for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
    {
      VpJsonPiece type = vp_json_scan_member (annotations, dialects[i].type);

      if (type.text == NULL)
        continue;
      if (!vp_json_scan_is_string (type, dialects[i].container))
        return 0;
      return vp_json_scan_get_string (vp_json_scan_member (annotations, dialects[i].pod), group, SHIM_GROUP_MAX)
                     && shim_id_is_valid (group)
                 ? 0
                 : -EINVAL;
    }
  return 0;
}

/* FNV-1a of 128 bits: paths of sockets are short, names are not. Nothing depends on
 * nobody finding two names with one hash: all of them are root's. */
static void
hash (unsigned __int128 *state, const char *text)
{
  const unsigned __int128 prime = (unsigned __int128) 0x1000000 << 64 | 0x13b;

  do
    *state = (*state ^ (unsigned char) *text) * prime;
  while (*text++ != '\0');
}

char *
shim_address_new (const char *directory, const char *containerd, const char *namespace_, const char *group)
{
  unsigned __int128 state = (unsigned __int128) 0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;

  hash (&state, containerd);
  hash (&state, namespace_);
  hash (&state, group);
  return shim_printf ("%s/" PREFIX "%016llx%016llx", directory, (unsigned long long) (state >> 64),
                      (unsigned long long) state);
}

int
shim_address_is_ours (const char *path)
{
  const char *name = strrchr (path, '/');

  return *path == '/' && strncmp (name + 1, PREFIX, strlen (PREFIX)) == 0
         && strlen (name + 1) == strlen (PREFIX) + HASH_DIGITS
         && strspn (name + 1 + strlen (PREFIX), "0123456789abcdef") == HASH_DIGITS;
}

/* Asks for what no shim has: the answer is that, or an end. */
static int
answers (int fd)
{
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  size_t len = 0;
  uint8_t *frame = vp_ttrpc_pack_request (1, "", "", NULL, 0, &len);
  int lives = frame == NULL || send (fd, frame, len, MSG_NOSIGNAL) == (ssize_t) len;
  char byte;

  free (frame);
  /* silence is no end: whoever has not begun to serve is not to lose its place */
  if (lives && poll (&wait, 1, ANSWER_MS) > 0)
    lives = recv (fd, &byte, 1, 0) == 1;
  return lives;
}

int
shim_address_is_served (const char *path)
{
  int fd, error = shim_connect (path, &fd), lives;

  if (error < 0)
    return error != -ECONNREFUSED && error != -ENOENT;
  lives = answers (fd);
  (void) close (fd);
  return lives;
}

/* Those that @path is in. That one cannot be made is told by the socket. */
static void
make_directories (const char *path)
{
  char *directory = shim_strdup (path);

  for (char *at = strchr (directory + 1, '/'); at != NULL; at = strchr (at + 1, '/'))
    {
      *at = '\0';
      (void) mkdir (directory, 0711);
      *at = '/';
    }
  free (directory);
}

int
shim_address_listen (const char *path, int *ret_fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = 0;
  mode_t mask;

  if (fd < 0)
    return -errno;
  memcpy (name.sun_path, path, strlen (path));
  make_directories (path);
  mask = umask (0177);
  if (bind (fd, (struct sockaddr *) &name, sizeof name) < 0)
    error = -errno;
  if (error == -EADDRINUSE && !shim_address_is_served (path))
    {
      /* whoever had it is dead */
      (void) unlink (path);
      error = bind (fd, (struct sockaddr *) &name, sizeof name) < 0 ? -errno : 0;
    }
  (void) umask (mask);
  if (error == 0 && listen (fd, BACKLOG) < 0)
    error = -errno;
  if (error != 0)
    (void) close (fd);
  else
    *ret_fd = fd;
  return error;
}
