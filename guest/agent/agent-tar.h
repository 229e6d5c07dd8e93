/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives of a part of a file system that is not trusted, and into one. @root is a
 * directory that stands for "/": @path and all symbolic links on the way to it are
 * looked up as if there were nothing above it. All run in a process of their own, for
 * they block. Each returns a status of vp-agent-names.h and writes to @error, a file
 * descriptor, lines of text that tell why it is not 0. */

typedef enum
{
  AGENT_TAR_DEREFERENCE = 1 << 0,
  AGENT_TAR_ONE_FILE_SYSTEM = 1 << 1,
  AGENT_TAR_NO_OVERWRITE = 1 << 2,
  AGENT_TAR_NO_SAME_OWNER = 1 << 3,
  AGENT_TAR_MKDIR = 1 << 4,
  AGENT_TAR_DEVICES = 1 << 5,
} AgentTarFlags;

/* Writes @path, and what is below it if it is a directory, to @out; its name in the
 * archive is its last element, "." for "/" or if it ends with "/.". Content of proc,
 * sysfs and the like is left out. Memory: names of one branch of the tree, and of at
 * most 16384 files that have several names. */
int agent_tar_create (int root, const char *path, AgentTarFlags flags, int out, int error);

/* Makes what the archive @in says below the directory @path. Every directory on the way
 * to an entry is opened beneath @path: names that lead out of it are refused, also
 * through symbolic links, whoever made these and when. What is there is replaced, but
 * no directory by something else; directories that are there stay as they are. */
int agent_tar_extract (int root, const char *path, AgentTarFlags flags, int in, int error);

/* "create" or "extract" with what follows as in vp-agent-names.h, NULL-terminated */
int agent_tar_main (int root, const char *const *args, int in, int out, int error);
/* 0, or -1 and what is wrong with @args */
int agent_tar_check (const char *const *args, const char **ret_error);
