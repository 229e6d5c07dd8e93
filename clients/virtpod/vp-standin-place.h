/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a stand-in leaves of the host's, for what engines find of a container by its
 * process id: the container's files, and its network namespace. */
typedef struct
{
  char *root;          /* directory that is to be its root file system; NULL: the host's stays */
  gboolean read_only;  /* the root */
  GPtrArray *packets;  /* of GBytes: what is mounted in it, as virtpod-proxy is told */
  char *netns;         /* path of a network namespace; NULL: the host's */
} VpStandinPlace;

/* Reads config.json of a bundle, as far as it goes; somebody else has checked it. For
 * others than root, who may not mount, there is nothing in it. Never NULL. */
VpStandinPlace *vp_standin_place_load (const char *bundle);
void vp_standin_place_free (VpStandinPlace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStandinPlace, vp_standin_place_free)

/* What is mounted, to a stand-in that has been told of the root. Whether it has come is
 * what its answer says. */
void vp_standin_place_send (const VpStandinPlace *self, int control);
