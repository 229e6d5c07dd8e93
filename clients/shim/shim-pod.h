/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pod.pb-c.h"
#include "sandbox.pb-c.h"

/* The bundle of a pod that has no container of its own. Every sandbox of the daemon has
 * one: it is made here of what a kubelet says of the pod, and its program is this one,
 * which does nothing there. */

/* What it is called there */
#define SHIM_POD_PROGRAM "pause"

/* Of the Any that a pod is made with: NULL when it is none; *ret_why then says what is
 * wrong, or NULL: there is nothing to read. */
Pod__Config *shim_pod_read (const Google__Protobuf__Any *options, const char **ret_why);

/* config.json, malloc'd. @program: path of the one to run. */
char *shim_pod_spec (const Sandbox__CreateRequest *request, const Pod__Config *config, const char *hostname,
                     const char *program);

/* Whether there is a config.json in @directory that names a program to run. */
int shim_pod_is_complete (const char *directory);
/* Makes of @request's directory a bundle: config.json, the root file system, and what the
 * containers of a pod have in /etc. 0 or -errno, with *ret_what: the file. */
int shim_pod_write (const Sandbox__CreateRequest *request, const Pod__Config *config, const char **ret_what);

/* config.json of a container, with mounts of the pod's files in /etc where it has none of
 * its own; malloc'd, NULL: as it is. */
char *shim_pod_add_mounts (const char *json, size_t len, const char *pod_directory);
/* The same to the file in @directory. 0 or -errno. */
int shim_pod_extend (const char *directory, const char *pod_directory);

/* The program of a pod: waits until it is told to end, for children that are left to it too. */
int shim_pod_pause (void);
