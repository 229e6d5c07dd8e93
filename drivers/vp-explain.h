/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-planner.h"

/* What would become of a bundle, and why: the plan, the domain document, the
 * messages to the guest, each decision with its source, and how the spec in the
 * guest differs from the one in the bundle. Starts nothing, touches nothing. */

typedef enum
{
  VP_EXPLAIN_TEXT, /* for reading */
  VP_EXPLAIN_JSON, /* the same and the messages in full, for programs */
  VP_EXPLAIN_XML,  /* the domain document alone, as libvirt gets it */
} VpExplainFormat;

/* "text", "json", "xml"; InvalidArgument for another word. */
gboolean vp_explain_format_from_string (const char *word, VpExplainFormat *ret, GError **error);

/* @who->id is the container's. A bundle that is a container of a pod has no
 * domain: its sandbox's half is left out, and asking for the document alone is
 * InvalidArgument. @uri is libvirt's, only shown; NULL: not known. Errors are
 * those of the planner and the emitters: what cannot be honoured is named here
 * as it would be by a start. */
char *vp_explain (const VpSandboxIdentity *who, VpSpec *spec, VpConfig *config, VpFacts *facts,
                  const char *uri, VpExplainFormat format, GError **error);
