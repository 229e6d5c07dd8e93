/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A container's control group, version 2, by its path below /sys/fs/cgroup. */

/* The directory of the group @pid is in; NULL if there is no version 2. malloc'd. */
char *agent_cgroup_find (pid_t pid);
/* SIGKILL for every process in it and below; 0 or -errno */
int agent_cgroup_kill (const char *cgroup);
/* Calls @func for every process in it and below. */
void agent_cgroup_pids (const char *cgroup, void (*func) (pid_t pid, void *data), void *data);
/* the value of @key in a file of "key value" lines, 0 if it is not there */
uint64_t agent_cgroup_read_key (const char *cgroup, const char *file, const char *key);
/* @file's number, @max_value for "max", 0 if it cannot be read */
uint64_t agent_cgroup_read (const char *cgroup, const char *file, uint64_t max_value);
/* Calls @func for each "key value" line of @file. */
void agent_cgroup_each (const char *cgroup, const char *file, void (*func) (const char *, uint64_t, void *),
                        void *data);
