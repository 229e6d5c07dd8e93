/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shim-logger.h"

/* The standard streams of a process: as containerd names them, and as the daemon is to
 * open them. */
typedef struct
{
  char *in, *out, *err; /* paths */
  ShimLogger *logger;   /* NULL: none; what it has made are out and err */
  ShimLoggerFunc func;
  void *data;
} ShimStreams;

/* Paths, FIFOs as "fifo://", and files as "file://", which are made; "binary://" names
 * the program that takes stdout and stderr. @directory, @suffix and @id: as
 * shim_logger_start() has them. @func is called with NULL or with what is wrong, now
 * or later. */
void shim_streams_open (ShimStreams *self, const char *const names[3], const char *directory, const char *suffix,
                        const char *id, ShimLoggerFunc func, void *data);
/* The process has ended. */
void shim_streams_end (ShimStreams *self);
/* @func (NULL: nobody) is called, now or later, when nothing is left of them. Who waits
 * for them to be opened hears that they were not. */
void shim_streams_close (ShimStreams *self, ShimLoggerFunc func, void *data);

/* Path, for the daemon, of a stream as containerd names it, malloc'd; a file is made.
 * NULL: *ret_why says why not. */
char *shim_stream_path (const char *name, const char **ret_why);
