/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-container-plan.h"
#include "vp-plan.h"

/* Why a plan is as it is. The planner notes each decision beside the value it
 * sets; `virtpod explain` shows them. Notes are words for people: nothing reads
 * them back, and a plan without them is the same plan. */
typedef struct
{
  char *what;   /* what was decided, as the plan or the spec calls it: "vcpus", "mounts[3]" */
  char *value;  /* what it came to, with its unit: "3", "512 MiB", "refused" */
  char *source; /* who asked for it: "default", "/etc/virtpod/virtpod.conf:12", "annotation
                   io.katacontainers.config.hypervisor.default_vcpus", "spec linux.resources.cpu.quota" */
  char *key;    /* "group.key" that decides it if nobody else does; NULL: none */
  char *why;    /* one line, for what is not plain from the rest; never NULL, may be "" */
} VpDecision;

/* List with its free function, what `decisions` of a plan is. */
GPtrArray *vp_decisions_new (void);
/* Appends; all are copied. @value, @source and @why may be NULL for "". */
void vp_decisions_add (GPtrArray *decisions, const char *what, const char *value, const char *source,
                       const char *why);
/* Says which key the newest decision is about: what an administrator would change. */
void vp_decisions_set_key (GPtrArray *decisions, const char *key);
/* The newest decision on @what, NULL when there is none; @decisions may be NULL. Borrowed. */
const VpDecision *vp_decisions_find (const GPtrArray *decisions, const char *what);

/* In the order they were taken; a second note on the same thing stands for a
 * later step (a limit, say, after a request) and both are kept. */
void vp_plan_note (VpPlan *plan, const char *what, const char *value, const char *source, const char *why);
void vp_container_plan_note (VpContainerPlan *plan, const char *what, const char *value, const char *source,
                             const char *why);
/* The same for values that are put together. */
void vp_plan_note_f (VpPlan *plan, const char *what, const char *source, const char *why, const char *format,
                     ...) G_GNUC_PRINTF (5, 6);
