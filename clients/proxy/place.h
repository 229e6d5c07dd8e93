/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The mount namespace of virtpod-proxy, in which engines look for the files of
 * what they take for the container (podman cp).
 *
 * It has the container's root file system and what is mounted in it, as far as that
 * is the host's. What is the guest's own (tmpfs, proc) is an empty file system that
 * cannot be written to: else a copy would end up below, where the container never
 * sees it. A mount that cannot be made here is left out. */

/* What is mounted comes in packets: one of these, and then texts, each with its NUL. */
#define PLACE_BIND 'b'          /* place in the container, place on the host */
#define PLACE_BIND_READ_ONLY 'B' /* the same */
#define PLACE_COVER 'c'         /* place in the container */
#define PLACE_END 'e'           /* this is all */
#define PLACE_END_READ_ONLY 'E' /* this is all, and the root cannot be written to */

/* Takes them, to the end, from @control, in the namespace that sources are in. 0 or a negative errno. */
int place_hear (int control);

/* From here on the directory @root, and what was heard, is all there is. The same. */
int place_enter (const char *root);
