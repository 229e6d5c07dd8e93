/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Sandbox, container and exec ids: ^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$. Such an
 * id can be a file name, part of a log line and (escaped) of an object path.
 * @what names the id in the error ("sandbox id", "exec id"). InvalidArgument. */
gboolean vp_id_check (const char *id, const char *what, GError **error);

/* One element of a D-Bus object path as sd_bus_path_encode() makes it: letters
 * and digits stay (a leading digit does not), the rest becomes _XX; "" is "_". */
char *vp_id_to_path_element (const char *id);

/* libvirt domain name of a sandbox: "vp-" + at most 24 characters of the id +
 * "-" + 8 hex digits of its SHA-256, so that it is a valid machine name
 * (<= 64 characters) and long ids do not collide. */
char *vp_id_to_domain_name (const char *sandbox_id);

/* @n_bytes of the kernel's randomness as lower-case hex. */
char *vp_id_random_hex (gsize n_bytes);
