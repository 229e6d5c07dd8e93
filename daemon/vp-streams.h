/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

/* Where a process's standard streams lead on the host, as its creator asked:
 * for each an owned descriptor, or a path to open when the process starts, or
 * nothing. A value; the I/O is VpStdio's. */

typedef enum {
  VP_STREAM_STDIN,
  VP_STREAM_STDOUT,
  VP_STREAM_STDERR,
  VP_N_STREAMS
} VpStream;

typedef struct
{
  int fds[VP_N_STREAMS];     /* -1: none */
  char *paths[VP_N_STREAMS]; /* absolute; NULL: none */
  pid_t standin;             /* process on the host that stands for it and holds them; 0: none */
} VpStreams;

const char *vp_stream_name (VpStream stream); /* "stdin"… */

VpStreams *vp_streams_new (void);
void vp_streams_free (VpStreams *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStreams, vp_streams_free)

void vp_streams_take_fd (VpStreams *self, VpStream stream, int fd);
int vp_streams_steal_fd (VpStreams *self, VpStream stream);

/* InvalidArgument when @path is not absolute or a directory, NotFound when it is
 * not there. It is opened later: a FIFO's other side may come then. */
gboolean vp_streams_set_path (VpStreams *self, VpStream stream, const char *path, GError **error);

gboolean vp_streams_is_set (VpStreams *self, VpStream stream);
