/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* The table of who may do what: each method has one row, each property that is
 * not for everybody who may look has one too, and what has no row is refused.
 * Nothing else in the daemon decides about rights. */

typedef enum {
  VP_ACTION_INSPECT,   /* see what there is and how it is */
  VP_ACTION_SECRETS,   /* see what is in it: annotations, consoles, configurations */
  VP_ACTION_MANAGE,    /* make, start, stop, delete, signal */
  VP_ACTION_EXEC,      /* run or talk to processes in a container */
  VP_ACTION_CONFIGURE, /* the daemon itself */
  VP_N_ACTIONS
} VpAction;

typedef enum {
  VP_RULE_ASK = 0,   /* not even who made the object may, unless polkit lets him */
  VP_RULE_OWNER = 1, /* who made the object may do it to this object without being asked */
} VpRuleFlags;

typedef struct
{
  const char *interface;
  const char *member; /* method or property */
  VpAction action;
  VpRuleFlags flags;
} VpRule;

/* polkit's name of an action, "org.virtpod.manage". */
const char *vp_action_id (VpAction action);

/* NULL: no row. */
const VpRule *vp_rule_find_method (const char *interface, const char *method);

/* Never NULL: a property without a row is for those who may inspect, and is
 * written by nobody. */
const VpRule *vp_rule_find_property (const char *interface, const char *property, gboolean set);

/* Whether "inspect" is not enough to read it. Such a property is in no signal. */
gboolean vp_rule_is_secret (const char *interface, const char *property);

/* FALSE and an error naming the member when a method or a writable property of
 * @info has no row, or a secret property would be announced when it changes:
 * the daemon then refuses to start. */
gboolean vp_rule_check_interface (const GDBusInterfaceInfo *info, GError **error);
