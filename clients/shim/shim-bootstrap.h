/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "google.pb-c.h"
#include "shim-options.h"

/* What containerd writes to the stdin of "start", and how it wants to be answered: up
 * to 2.2 the options of the runtime, if there are any, and a line of text or JSON; from
 * 2.3 on messages both ways. It lives as long as the shim. */
typedef struct
{
  int speaks_messages;
  const char *ttrpc;           /* containerd's socket for events; NULL: none */
  const char *socket_dir;      /* for our socket */
  Google__Protobuf__Any *runtime_options; /* NULL: none */
  void *message;               /* what the rest points into */
} ShimBootstrap;

/* Reads @fd to its end, but for a terminal; takes from it what @options says too. 0, or
 * -1 with *ret_why: what is wrong, malloc'd. */
int shim_bootstrap_read (ShimBootstrap *self, int fd, ShimOptions *options, char **ret_why);
/* Writes the address of a shim to @fd. 0 or -errno. */
int shim_bootstrap_answer (const ShimBootstrap *self, int fd, const char *address);

/* "-info": writes containerd.types.RuntimeInfo to @out, with the options that are read
 * from @in, an Any or nothing. 0, or -1 with *ret_why, malloc'd. */
int shim_bootstrap_info (int in, int out, char **ret_why);
