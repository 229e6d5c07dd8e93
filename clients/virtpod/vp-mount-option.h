/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

/* Adds the option mount-namespace, unless this process is in the mount namespace of
 * the host's first one: what a caller has mounted for itself (buildah's root file
 * systems) is nowhere else. The daemon says whether it may be. */
gboolean vp_mount_option_add (GVariantBuilder *options, GUnixFDList *fds, GError **error);
