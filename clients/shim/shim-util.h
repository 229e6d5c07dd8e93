/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Memory of a few kilobytes that is not there ends the shim: containerd tidies up
 * after it as after a crash. What comes from outside is bounded before. */
void *shim_alloc (size_t size); /* zeroed */
char *shim_strdup (const char *text);
char *shim_printf (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
char *shim_vprintf (const char *format, va_list arguments) __attribute__ ((format (printf, 1, 0)));

/* CLOCK_MONOTONIC, milliseconds; CLOCK_REALTIME, microseconds */
uint64_t shim_now (void);
uint64_t shim_time (void);

/* An id as the daemon takes them: it may be a file name, and part of an object path. */
int shim_id_is_valid (const char *id);

/* 0, or -errno: the whole file, at most @max bytes, NUL-terminated, malloc'd. */
int shim_read_file (const char *path, size_t max, char **ret, size_t *ret_len);

/* 0 or -errno: all of it. */
int shim_write_all (int fd, const void *data, size_t len);

/* 0 or -errno: a UNIX socket that is connected to @path ("unix://" in front is ignored). */
int shim_connect (const char *path, int *ret_fd);

/* Lines for containerd's log. Before shim_log_open() they go to stderr. */
void shim_log_open (const char *fifo);
void shim_log (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
