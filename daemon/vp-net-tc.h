/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Two interfaces of a namespace as one wire: whatever one receives, the other
 * sends. The host's own stack in the namespace sees nothing of it any more.
 *
 * Block; not on the main thread. They work in the namespace of the calling
 * thread. */

/* AlreadyExists when somebody else looks at what one of them receives (an
 * ingress queueing discipline). Nothing stays behind on failure. */
gboolean vp_net_tc_join (const char *one, const char *other, GError **error);

/* Takes back what was done to @other for the sake of @one; what belongs to
 * somebody else stays. What is not there is success. */
gboolean vp_net_tc_part (const char *one, const char *other, GError **error);
