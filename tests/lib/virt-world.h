/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-virt.h"

/* What programs have in common that start real QEMU through a VpVirt. */

extern VpVirt *virt;   /* the one under test */
extern GString *stops; /* "NAME=REASON " of each machine that note_stop () heard of */
extern char *root;     /* directory of the libvirt of the test */

/* @template is a name with XXXXXX at its end. */
void make_root (const char *template);
/* Removes all that is in it. */
void remove_root (void);

/* The callback of a call, for which WAIT (*@data) then waits. */
void keep_result (GObject *source, GAsyncResult *result, gpointer data);

#define WAIT(result)                                                                                         \
  while (result == NULL)                                                                                     \
  g_main_context_iteration (NULL, TRUE)

/* For the signal "domain-stopped". */
void note_stop (VpVirt *object, const char *name, const char *reason, gpointer data);

gboolean destroy (const char *name, GError **error);

/* TRUE when libvirt still has it in its list, which it may for a while after. */
gboolean is_listed (const char *name);

/* Goes on in a child that sees only its own processes: machines of another run
 * have the same names, and those of a run that fails end with it. */
void enter_namespace (void);
