/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"
#include "agent.pb-c.h"

/* What the host has mounted in the guest, by mount point, with a count of users. One
 * head of a list holds all of a sandbox. */
typedef struct
{
  AgentList link;
  char *mount_point;
  const char *driver;
  unsigned users;
} AgentStorage;

/* Mounts @s, or counts one more user if its mount point is known. VP_GRPC_OK, or a
 * code and a message (malloc'd) that names driver and mount point. */
VpGrpcCode agent_storage_add (AgentList *storages, const Grpc__Storage *s, char **ret_message);
/* One user less; unmounts after the last one. Unknown mount points are ignored. */
void agent_storage_drop (AgentList *storages, const char *mount_point);
/* Unmounts all, the last mounted first. */
void agent_storage_clear (AgentList *storages);

/* Gives a tmpfs that is mounted as "ephemeral" other options, its size above all; the
 * flags it has stay. VP_GRPC_OK, or a code and a message (malloc'd). */
VpGrpcCode agent_storage_update (AgentList *storages, const Grpc__Storage *s, char **ret_message);

/* the drivers, for GetGuestDetails; NULL-terminated */
extern const char *const agent_storage_drivers[];
