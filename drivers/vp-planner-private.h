/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation-apply.h"
#include "vp-planner.h"

/* Shared by the vp-planner*.c rooms only. */

/* One plan in the making: all that is decided from, and what comes of it. */
typedef struct
{
  VpPlan *plan;
  const VpDriver *driver;
  const VpFactsInit *facts;
  VpSpec *spec;
  VpConfig *config;         /* the effective one */
  const GPtrArray *digests; /* of VpAnnotationDigest */
} VpPlanning;

/* Sets NotSupported "SOURCE: KEY: MESSAGE" for what a key asks for; FALSE. */
gboolean vp_planning_not_supported (VpPlanning *p, VpConfigKey key, GError **error, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* The same as InvalidArgument. */
gboolean vp_planning_invalid (VpPlanning *p, VpConfigKey key, GError **error, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* Notes that @what came to @value because of @key. */
void vp_planning_note (VpPlanning *p, const char *what, const char *value, VpConfigKey key, const char *why);
/* The same, but not for a value nobody chose. */
void vp_planning_note_chosen (VpPlanning *p, const char *what, const char *value, VpConfigKey key,
                              const char *why);

/* A key's text as a new string, NULL when it is empty. */
char *vp_planning_dup (VpPlanning *p, VpConfigKey key);
gboolean vp_planning_bool (VpPlanning *p, VpConfigKey key);
guint vp_planning_uint (VpPlanning *p, VpConfigKey key);
gboolean vp_planning_is (VpPlanning *p, VpConfigKey key, const char *word);

/* vp-planner-machine.c: accelerator, processors, memory, ports, confinement. */
gboolean vp_planner_plan_machine (VpPlanning *p, GError **error);
/* vp-planner-memory.c: after the sizes are known. */
gboolean vp_planner_plan_memory (VpPlanning *p, GError **error);
/* vp-planner-boot.c: what is booted, and every path that has to be looked at. */
gboolean vp_planner_plan_boot (VpPlanning *p, GError **error);
/* vp-planner-devices.c: the guest's image, share, channel, console, entropy. */
gboolean vp_planner_plan_devices (VpPlanning *p, GError **error);

/* vp-planner-network.c: the interfaces, by what is in the sandbox's network namespace. */
gboolean vp_planner_plan_network (VpPlanning *p, GError **error);

/* vp-planner-guest.c: what the agent is told, files of the host in every guest. */
gboolean vp_planner_plan_guest (VpPlanning *p, GError **error);

/* The guest's kernel command line (vp-planner-cmdline.c). InvalidArgument for a
 * sysctl of the spec that cannot be in one. */
char *vp_planner_make_cmdline (VpAccel accel, const char *arch, VpSpec *spec, VpConfig *config,
                               GError **error);

/* Appends what a guest that boots an image must be told (vp-planner-root.c).
 * InvalidArgument for dm-verity parameters that are none. */
gboolean vp_planner_append_root (GString *line, VpConfig *config, GError **error);
