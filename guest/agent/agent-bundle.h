/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent.h"
#include "oci.pb-c.h"

/* How the namespaces of one container are made. */
typedef struct
{
  const char *ipc; /* of the sandbox; NULL: one of its own */
  const char *mqueue; /* where the queues of ipc are mounted, NULL: nowhere */
  const char *uts;
  char *pid; /* NULL: one of its own */
} AgentNamespaces;

/* Makes @spec, which came from the host with some parts left out, one that the OCI
 * runtime takes. Changes it in place; it stays freeable as an unpacked message. */
void agent_bundle_complete (Grpc__Spec *spec, const char *id, const AgentNamespaces *ns);
/* Takes what the protocol has no fields for out of @spec's annotations: malloc'd
 * JSON text (see VP_OCI_EXTRA), NULL when there is none. */
char *agent_bundle_take_extra (Grpc__Spec *spec);
/* Writes @dir/config.json: @spec with @extra (or NULL) added. 0 or -errno; -EILSEQ
 * for text that is not UTF-8, -EINVAL for an @extra that is no JSON or does not fit. */
int agent_bundle_write (const char *dir, const Grpc__Spec *spec, const char *extra);
/* The document of a further process, malloc'd: @process with what @extra, its
 * container's, says of processes. NULL with errno, as above. */
char *agent_bundle_process_json (const Grpc__Process *process, const char *extra, size_t *ret_len);
