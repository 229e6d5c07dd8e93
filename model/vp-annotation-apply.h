/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"
#include "vp-facts.h"
#include "vp-spec.h"

/* What the content of a file must hash to, the file a key names. */
typedef struct
{
  VpConfigKey key;
  const char *name; /* of the annotation; static */
  char *sha512;     /* hex, lower case */
} VpAnnotationDigest;

/* What a sandbox's annotations came to. */
typedef struct
{
  VpConfig *config;     /* the effective one */
  GPtrArray *decisions; /* of VpDecision, one for each annotation */
  GPtrArray *digests;   /* of VpAnnotationDigest */
} VpAnnotations;

/* @config is that of the sandbox's handler and not changed; @facts may be NULL,
 * limits of the host are not looked at then. @spec is that of a sandbox or of a
 * container on its own: what a pod's further containers carry of it was for the
 * sandbox. Pure.
 *
 * InvalidArgument: not of its type or range, two that contradict each other, a
 * path that no glob of the configuration matches. NotAuthorized: the
 * configuration allows it to nobody. NotSupported: there is no such thing here,
 * and why. All name the annotation. */
VpAnnotations *vp_annotations_apply (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error);
void vp_annotations_free (VpAnnotations *annotations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpAnnotations, vp_annotations_free)

/* Those that are about one container, which pods' further containers have as
 * well. The same errors. */
gboolean vp_annotations_check_container (VpSpec *spec, GError **error);

/* Whether one of the patterns matches all of @name. */
gboolean vp_annotation_is_allowed (const char *const *patterns, const char *name);
/* Whether one of the globs matches @path; "*" does not match "/". */
gboolean vp_annotation_path_is_allowed (const char *const *globs, const char *path);
