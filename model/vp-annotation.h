/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* The only reader of annotations. What a container is to its pod is told
 * differently by containerd, CRI-O and dockershim; the first of them (in that
 * order) that has a word in the spec is believed. */
typedef enum
{
  VP_CONTAINER_SINGLE,    /* no pod: a sandbox with one container */
  VP_CONTAINER_SANDBOX,   /* the pod's own (pause) container */
  VP_CONTAINER_CONTAINER, /* joins the sandbox of vp_annotation_get_sandbox_id() */
} VpContainerType;

const char *vp_container_type_to_string (VpContainerType type);

/* A type word nobody knows is InvalidArgument. */
gboolean vp_annotation_get_container_type (VpSpec *spec, VpContainerType *ret, GError **error);

/* Sandbox to join of a VP_CONTAINER_CONTAINER; missing or not an id is
 * InvalidArgument. NULL without an error for the other types. Borrowed. */
gboolean vp_annotation_get_sandbox_id (VpSpec *spec, const char **ret, GError **error);

/* What the orchestrator calls the pod. Names only: what is there may be anything. */
typedef enum
{
  VP_POD_NAME,
  VP_POD_NAMESPACE,
  VP_POD_UID,
} VpPodWord;

/* NULL when nobody says it. Borrowed. */
const char *vp_annotation_get_pod_word (VpSpec *spec, VpPodWord word);
