/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-address.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim-util.h"
#include "vp-json-scan.h"

#define BACKLOG 64

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
shim_address_new (const char *containerd, const char *namespace_, const char *group)
{
  unsigned __int128 state = (unsigned __int128) 0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;

  hash (&state, containerd);
  hash (&state, namespace_);
  hash (&state, group);
  return shim_printf (SHIM_SOCKET_DIR "/virtpod-%016llx%016llx", (unsigned long long) (state >> 64),
                      (unsigned long long) state);
}

int
shim_address_listen (const char *path, int *ret_fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = 0, other = -1;
  mode_t mask;

  if (fd < 0)
    return -errno;
  memcpy (name.sun_path, path, strlen (path));
  (void) mkdir ("/run/containerd", 0711);
  (void) mkdir (SHIM_SOCKET_DIR, 0711);
  mask = umask (0177);
  if (bind (fd, (struct sockaddr *) &name, sizeof name) < 0)
    error = -errno;
  if (error == -EADDRINUSE && shim_connect (path, &other) == -ECONNREFUSED)
    {
      /* whoever had it is dead */
      (void) unlink (path);
      error = bind (fd, (struct sockaddr *) &name, sizeof name) < 0 ? -errno : 0;
    }
  (void) umask (mask);
  if (other >= 0)
    (void) close (other);
  if (error == 0 && listen (fd, BACKLOG) < 0)
    error = -errno;
  if (error != 0)
    (void) close (fd);
  else
    *ret_fd = fd;
  return error;
}
