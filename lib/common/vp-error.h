/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* The one error domain. Every code is a D-Bus error name of its own
 * (org.virtpod.Error.NAME, the table is in vp-error.c), so what a caller of a
 * C function sees and what a caller over the bus sees is the same thing.
 * Messages are one line, "what: why", and name the field, file or id. */
typedef enum {
  VP_ERROR_FAILED,
  VP_ERROR_NOT_FOUND,
  VP_ERROR_ALREADY_EXISTS,
  VP_ERROR_INVALID_ARGUMENT,
  VP_ERROR_INVALID_STATE,
  VP_ERROR_NOT_SUPPORTED,
  VP_ERROR_NOT_AUTHORIZED,
  VP_ERROR_BUSY,
  VP_ERROR_CANCELLED,
  VP_ERROR_TIMED_OUT,
  VP_ERROR_RESOURCE_EXHAUSTED,
  VP_ERROR_HYPERVISOR_UNAVAILABLE,
  VP_ERROR_HYPERVISOR_FAILED,
  VP_ERROR_AGENT_UNAVAILABLE,
  VP_ERROR_AGENT_FAILED,
  VP_ERROR_CONFIG_ERROR,
  VP_ERROR_COMMAND_NOT_FOUND,      /* the container's executable is not in its rootfs (shells say 127) */
  VP_ERROR_COMMAND_NOT_EXECUTABLE, /* it is there but cannot be executed (shells say 126) */
  VP_N_ERRORS /*< skip >*/
} VpError;

#define VP_ERROR (vp_error_quark ())

GQuark vp_error_quark (void);

/* Full D-Bus name of a code, e.g. "org.virtpod.Error.NotFound". */
const char *vp_error_dbus_name (VpError code);

/* True when @error is ours with @code. */
gboolean vp_error_is (const GError *error, VpError code);

/* @text from outside as a part of a message: one line that moves no cursor, cut
 * between characters when it is long. */
char *vp_error_shown (const char *text);

/* The same for a whole message, at the doors by which messages leave: the bus
 * and the log. Takes @message. */
char *vp_error_clean (char *message);

/* Puts @error into our domain when it is of another one: G_IO_ERROR and
 * G_FILE_ERROR codes get the nearest of ours, the rest becomes @fallback.
 * Takes and returns ownership; NULL stays NULL. */
GError *vp_error_adopt (GError *error, VpError fallback);

/* As g_set_error () in our domain. Always returns FALSE. */
gboolean vp_error_set (GError **error, VpError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Sets @error from an errno value: ENOENT -> NotFound, EEXIST ->
 * AlreadyExists, ENOSPC/EMFILE/ENFILE/ENOMEM -> ResourceExhausted,
 * EACCES/EPERM -> NotAuthorized, EBUSY -> Busy, ETIMEDOUT -> TimedOut, EINVAL and
 * paths of the wrong kind -> InvalidArgument, else Failed. The
 * message is "FORMAT…: strerror". Always returns FALSE. */
gboolean vp_error_set_errno (GError **error, int errsv, const char *format, ...) G_GNUC_PRINTF (3, 4);
