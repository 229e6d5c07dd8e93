/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-decision.h"
#include "vp-explain.h"

/* Everything there is to say about a bundle, before it has a form. */
typedef struct
{
  const VpSandboxIdentity *who;
  VpSpec *spec;
  VpFacts *facts;
  const char *uri;

  const char *joins; /* sandbox id of a container of a pod; NULL: a sandbox of its own */
  VpConfig *config;  /* the handler's */
  VpPlan *plan;      /* NULL with @joins */
  char *xml;         /* NULL with @joins */
  VpContainerPlan *container;
  GPtrArray *changes; /* of VpSpecChange */

  /* as JSON in one line; the spec, which @changes tell, is apart */
  char *create_sandbox; /* NULL with @joins */
  char *create_container;
  char *guest_spec;
  gsize sandbox_size, container_size; /* on the wire */
} VpExplanation;

/* One difference between the bundle's spec and the guest's. */
typedef struct
{
  const char *verb; /* "removed", "added", "changed" */
  char *path;       /* "linux.namespaces[1]" */
  char *before;     /* JSON, NULL when added */
  char *after;      /* JSON, NULL when removed */
  const char *why;  /* a phrase, static; NULL: nothing is to be said */
} VpSpecChange;

GPtrArray *vp_explain_changes (VpJson *before, VpJson *after);

char *vp_explanation_to_text (const VpExplanation *explanation);
char *vp_explanation_to_json (const VpExplanation *explanation);
