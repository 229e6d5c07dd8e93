/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bytes between two stream sockets, both ways at once, in the main loop. Each
 * direction has a buffer of its own and reads no more while that is not written;
 * the end of one is passed on and leaves the other open. One that is reset ends both. */
typedef struct _VpPump VpPump;

/* Called once, when both directions have ended; the pump has still to be freed. */
typedef void (*VpPumpFunc) (VpPump *pump, gpointer user_data);

/* Takes both descriptors and makes them non-blocking. */
VpPump *vp_pump_new (int one, int other, VpPumpFunc done, gpointer user_data);

/* Closes both; @done is not called any more. */
void vp_pump_free (VpPump *self);
