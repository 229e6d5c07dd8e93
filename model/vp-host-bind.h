/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A host file or directory to appear below a sandbox's share. */
typedef struct
{
  char *field;        /* where it was asked for, for errors: "root.path", "mounts[3].source" */
  char *source;       /* absolute path on the host */
  char *target;       /* below the share's root: "CID/rootfs", "CID/mounts/3" */
  gboolean read_only; /* made so on the host, whatever the guest does */
  gboolean recursive; /* with the mounts below the source */
  gboolean is_rootfs; /* open it with vp_spec_open_rootfs() instead of by path */
} VpHostBind;

VpHostBind *vp_host_bind_new (const char *field, const char *source, const char *target);
void vp_host_bind_free (VpHostBind *bind);

/* Appends "bind: FIELD source=… target=…" as a line. */
void vp_host_bind_append_text (const VpHostBind *bind, GString *text);
