/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Reading a tar stream that a guest made, on the host and with the host's rights.
 * Nothing in it is believed:
 *
 *  - every name must be below the one name that was asked for; absolute names and
 *    ".." are errors, so a guest cannot add files beside it;
 *  - directories are walked one by one from a descriptor and never through a
 *    symbolic link, whether the stream made it or it was there;
 *  - a file is always a new one: what has its name is removed, never written
 *    through; a hard link leads only to a file that this stream made;
 *  - set-id and sticky bits, devices, FIFOs, attributes and ACLs are left out.
 *
 * Symbolic links are made as they are: who follows them is warned here. Main
 * thread, blocking. */

typedef void (*VpTarProgress) (guint64 bytes, gpointer user_data);

typedef struct
{
  const char *top;       /* the first element every name must have; NULL: any, of "/" */
  const char *as;        /* its name on the host; NULL: what is in it goes into the directory itself */
  gboolean no_overwrite; /* what is there already is an error */
  gboolean keep_owner;   /* numeric owner and group as in the stream (root); else ours */
  VpTarProgress progress;
  gpointer user_data;
} VpTarRead;

/* Unpacks what comes out of @fd below @dirfd. InvalidArgument for what the guest
 * should not have sent, AgentFailed when the stream ends before the archive does.
 * What was unpacked before stays. @ret_skipped: members that were left out. */
gboolean vp_tar_extract (int fd, int dirfd, const VpTarRead *how, guint64 *ret_skipped, GError **error);

/* The type (S_IFMT) of the first member; 0 and @error when there is none. Reads
 * no further. */
mode_t vp_tar_peek (int fd, GError **error);

/* Passes the stream on from @fd to @out as it is, with the same care for its end. */
gboolean vp_tar_pass (int fd, int out, VpTarProgress progress, gpointer user_data, GError **error);
