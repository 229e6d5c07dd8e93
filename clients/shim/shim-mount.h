/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "task.pb-c.h"

/* The root file system of a container, which containerd hands over as mounts to be
 * made (an overlay, as a rule) and not as a directory. */

/* mount(2)'s flags and the rest of the options, malloc'd, "" if there is none. */
typedef struct
{
  unsigned long flags;
  char *data;
} ShimMountOptions;

/* @options: n of them */
ShimMountOptions shim_mount_options_parse (char *const *options, size_t n);

/* An overlay's options may be longer than the page that mount(2) takes: names what all
 * lower directories are below, malloc'd, and takes it from the options. NULL: nothing to gain. */
char *shim_mount_options_shorten (ShimMountOptions *options);

/* Mounts one above the other on @target. 0, or -errno with *ret_what the number of the
 * one that failed; nothing is mounted then. */
int shim_mount_all (Task__Mount *const *mounts, size_t n, const char *target, size_t *ret_what);

/* Everything that is mounted right there; nothing is success. 0 or -errno. */
int shim_unmount_all (const char *target);
