/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A program that takes what a process writes ("binary:///path?key=value" in place of
 * its streams), as containerd's shims run it: stdout is its file descriptor 3, stderr 4,
 * and it closes 5 when it is ready. The two are FIFOs in the bundle, for the daemon, that
 * are held open here: a daemon that restarts is not the end of the output. */
typedef struct ShimLogger ShimLogger;
typedef void (*ShimLoggerFunc) (const char *why, void *data);

/* containerd's namespace, for the programs; kept. */
void shim_logger_init (const char *namespace_);
int shim_logger_is_meant (const char *name);

/* @directory: for the FIFOs, whose names end in @suffix; @id: of the container or exec,
 * for the program. @func is called later with NULL, or with what went wrong: the
 * logger is to be ended then. NULL with *ret_why: it cannot be run; @func is not called.
 * It stays until shim_logger_end(). */
ShimLogger *shim_logger_start (const char *uri, const char *directory, const char *suffix, const char *id,
                               ShimLoggerFunc func, void *data, const char **ret_why);
/* Paths of the FIFOs. */
const char *shim_logger_get_out (const ShimLogger *self);
const char *shim_logger_get_err (const ShimLogger *self);

/* The process has ended: when the daemon has written the last of it, so has the output. */
void shim_logger_close (ShimLogger *self);
/* Frees it when the program has ended, which it is made to when it takes too long, and
 * calls @func (NULL: nobody) then. */
void shim_logger_end (ShimLogger *self, ShimLoggerFunc func, void *data);
/* The shim ends: waits for those that have not ended, of execs that nobody deleted, as
 * long as for any other, and asks them to end. */
void shim_logger_quit (void);
