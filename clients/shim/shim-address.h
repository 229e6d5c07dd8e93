/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Where shims of any kind have their sockets, if containerd does not say */
#define SHIM_SOCKET_DIR "/run/containerd/s"
#define SHIM_SOCKET_DIR_MAX 60 /* a socket's path has to fit into its address */
#define SHIM_GROUP_MAX 129 /* with the NUL */

/* The pod that a config.json puts its container in, or "": itself. @json: the text.
 * 0, or -EINVAL when it is no such document, or names a pod by what is no id. */
int shim_address_read_group (const char *json, size_t len, char group[SHIM_GROUP_MAX]);

/* The path of the socket for a pod's shim: the same for all of its containers, and
 * another for each containerd, namespace and pod. malloc'd. */
char *shim_address_new (const char *directory, const char *containerd, const char *namespace_, const char *group);
/* Whether it can be one that was made so. */
int shim_address_is_ours (const char *path);

/* A socket that listens there. 0, -EADDRINUSE when somebody else does, or another -errno. */
int shim_address_listen (const char *path, int *ret_fd);

/* Whether a shim is there that answers. One that is dying is none: its connections
 * end before the socket does, so that whoever has seen them end may still connect. */
int shim_address_is_served (const char *path);
