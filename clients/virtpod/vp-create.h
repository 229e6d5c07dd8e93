/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"

/* The OCI runtime's "create": a bundle becomes a container that waits for its
 * start, in a virtual machine that runs, with a stand-in on the host. */
typedef struct
{
  const char *bundle;         /* NULL: the current directory */
  const char *handler;        /* NULL: the default one */
  const char *pid_file;       /* NULL: none */
  const char *console_socket; /* NULL: the container has no terminal */
} VpCreate;

/* To own. On failure nothing is left of it. As vp_standin_new(): before the first thread. */
VpDBusContainer1 *vp_create (VpClient *client, const char *id, const VpCreate *create, GError **error);
