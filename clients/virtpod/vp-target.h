/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"

/* What an id on the command line stands for. A sandbox and its own container
 * have the same one, so that each command says which it means first. */
typedef enum
{
  VP_TARGET_CONTAINER_FIRST,
  VP_TARGET_SANDBOX_FIRST,
  VP_TARGET_SANDBOX_ONLY,
} VpTargetOrder;

/* One of the two, the other is NULL. */
typedef struct
{
  VpDBusSandbox1 *sandbox;
  VpDBusContainer1 *container;
} VpTarget;

void vp_target_clear (VpTarget *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VpTarget, vp_target_clear)

/* NotFound when there is neither. */
gboolean vp_target_find (VpTarget *self, VpClient *client, const char *id, VpTargetOrder order, GError **error);

/* Of whichever it is. Borrowed. */
const char *vp_target_get_path (VpTarget *self);

/* The object of the sandbox that it is or is in; to free. */
char *vp_target_dup_sandbox_path (VpTarget *self, VpClient *client, GError **error);
