/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"

/* What sandboxes and containers use, asked for again and again. A sample is
 * everything at one moment; percentages are between two of them. */
typedef struct _VpUsage VpUsage;

typedef struct
{
  const char *id;
  const char *sandbox; /* id; the same as id for a sandbox */
  gboolean is_sandbox;
  GVariant *stats; /* a{sv}, as GetStats() gave it */
  double cpu_percent; /* of one processor since the sample before; below 0: not known */
} VpUsageRow;

VpUsage *vp_usage_new (VpClient *client);
void vp_usage_free (VpUsage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpUsage, vp_usage_free)

/* Only what is about these ids, containers or sandboxes; default: all. NotFound.
 * @ids is borrowed. */
gboolean vp_usage_choose (VpUsage *self, char **ids, GError **error);

/* Asks the daemon once. @sandboxes: rows of sandboxes, else of containers. */
gboolean vp_usage_sample (VpUsage *self, gboolean sandboxes, GError **error);

/* Of the last sample, sorted by sandbox and id; borrowed until the next one. */
const VpUsageRow *vp_usage_get_rows (VpUsage *self, guint *ret_n);
