/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <libvirt/virterror.h>

/* libvirt's errors as VP_ERROR, by one table (vp-virt-error.c). Any thread. */

/* A new error from @err (NULL: unknown failure): "MESSAGE (libvirt NAME, CODE)".
 * Line breaks become spaces. */
GError *vp_virt_error (virErrorPtr err);

/* The same for the last error of the calling thread, with "@what: " in front. */
GError *vp_virt_error_last (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Name of a libvirt error code as in virterror.h without VIR_ERR_, e.g.
 * "NO_DOMAIN"; "UNKNOWN" when the table does not know it. */
const char *vp_virt_error_name (int libvirt_code);
