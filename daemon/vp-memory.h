/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the C library keeps of memory that was freed. The daemon does much in short bursts, on
 * dozens of threads, and then nothing: without this it holds several times what it uses. */

/* Before the first thread is started. */
void vp_memory_init (void);

/* Something that took memory is over: within VP_MEMORY_SETTLE_SECONDS what is free goes back
 * to the kernel, once for all calls until then. An idle daemon is not woken. Main thread. */
void vp_memory_settle (void);

/* Forgets what vp_memory_settle() asked for. */
void vp_memory_stop (void);

#define VP_MEMORY_SETTLE_SECONDS 5
