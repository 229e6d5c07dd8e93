/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent.h"
#include "oci.pb-c.h"

/* How the namespaces of one container are made. */
typedef struct
{
  const char *ipc; /* of the sandbox; NULL: one of its own */
  const char *uts;
  char *pid; /* NULL: one of its own */
} AgentNamespaces;

/* Makes @spec, which came from the host with some parts left out, one that the OCI
 * runtime takes. Changes it in place; it stays freeable as an unpacked message. */
void agent_bundle_complete (Grpc__Spec *spec, const char *id, const AgentNamespaces *ns);
/* Writes @dir/config.json. 0 or -errno; -EILSEQ for text that is not UTF-8. */
int agent_bundle_write (const char *dir, const Grpc__Spec *spec);
