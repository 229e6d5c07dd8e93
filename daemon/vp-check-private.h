/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-check.h"
#include "vp-facts.h"

/* What the questions are answered from: copies, so that a worker can. Tests make
 * one of their own, with a directory instead of the host. */
typedef struct
{
  const char *root; /* put before every path; "" for the host */
  VpConfig *config;
  VpFacts *facts;     /* NULL: never connected */
  const char *uri;    /* libvirt's */
  const char *reason; /* why it is not connected; NULL: it is */
  int polkit;         /* 1: there; 0: not; -1: could not be asked */
  const char *no_steering; /* why the kernel does not steer connections in a namespace; NULL: it does */
  guint64 nofile;     /* how many descriptors the daemon may have */

  GPtrArray *rows;
} VpCheck;

void vp_check_add (VpCheck *self, const char *name, VpCheckStatus status, const char *hint, const char *format, ...)
    G_GNUC_PRINTF (5, 6);

/* Whether the hypervisor is on this host, and whether there is one at all. */
gboolean vp_check_is_local (VpCheck *self);
gboolean vp_check_runs_guests (VpCheck *self);

/* The host's name of @path, to free, and the text of a small file there (NULL: cannot be read). */
char *vp_check_path (VpCheck *self, const char *path);
char *vp_check_read (VpCheck *self, const char *path);

/* The questions, by what they are about. */
void vp_check_libvirt (VpCheck *self);
void vp_check_guest_files (VpCheck *self);
void vp_check_state_dir (VpCheck *self);
void vp_check_cgroups (VpCheck *self);
void vp_check_devices (VpCheck *self);
void vp_check_memory (VpCheck *self);
void vp_check_daemon (VpCheck *self);

/* All of them. */
void vp_check_everything (VpCheck *self);
