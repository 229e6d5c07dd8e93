/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-guest-storage.h"
#include "vp-host-bind.h"
#include "vp-spec.h"

/* What one container needs: files of the host made visible in the sandbox's
 * share, and the spec as the guest gets it. Public to be read; reference counted. */

/* A program of the host to be run at a point of the container's life. */
typedef struct
{
  VpHookKind kind;
  char *path;     /* absolute */
  char **args;    /* with argv[0]; empty: only the path */
  char **env;     /* NAME=VALUE, all it gets */
  gint64 timeout; /* seconds; 0: none */
} VpHostHook;

typedef struct _VpContainerPlan
{
  char *sandbox_id;
  char *container_id;
  VpSpec *spec;         /* as loaded */
  VpJson *guest_spec;   /* as the agent gets it */
  GPtrArray *binds;     /* of VpHostBind; the root file system is the first */
  GPtrArray *storages;  /* of VpGuestStorage, mounted before the container is made */
  GPtrArray *hooks;     /* of VpHostHook, by kind and then in the document's order */
  GPtrArray *decisions; /* of VpDecision, see vp-decision.h */
  gboolean sandbox_pidns;
  gboolean terminal;
} VpContainerPlan;

VpContainerPlan *vp_container_plan_new (const char *sandbox_id, const char *container_id, VpSpec *spec);
VpContainerPlan *vp_container_plan_ref (VpContainerPlan *plan);
void vp_container_plan_unref (VpContainerPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpContainerPlan, vp_container_plan_unref)

VpHostBind *vp_container_plan_add_bind (VpContainerPlan *plan, const char *field, const char *source,
                                        const char *target);

/* @hook as the document has it, checked. */
void vp_container_plan_add_hook (VpContainerPlan *plan, VpHookKind kind, VpJson *hook);

/* One "key: value" a line, without the specs. */
char *vp_container_plan_to_text (const VpContainerPlan *plan);
