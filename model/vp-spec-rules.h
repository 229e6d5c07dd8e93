/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* What the types of vp-spec-table.h cannot say. Each gets a value of the right
 * type and says InvalidArgument or NotSupported with its JSON path. */

gboolean vp_spec_rule_absolute (VpJson *node, GError **error);
gboolean vp_spec_rule_not_empty (VpJson *node, GError **error);
gboolean vp_spec_rule_annotations (VpJson *node, GError **error);
gboolean vp_spec_rule_capabilities (VpJson *node, GError **error);
gboolean vp_spec_rule_domainname (VpJson *node, GError **error);
gboolean vp_spec_rule_environment (VpJson *node, GError **error);
gboolean vp_spec_rule_rlimits (VpJson *node, GError **error);

/* Whether @name looks like that of a capability; which there are is the guest's kernel's. */
gboolean vp_spec_is_capability (const char *name);

/* linux (vp-spec-rules-linux.c) */
gboolean vp_spec_rule_cgroups_path (VpJson *node, GError **error);
gboolean vp_spec_rule_device_access (VpJson *node, GError **error);
gboolean vp_spec_rule_devices (VpJson *node, GError **error);
gboolean vp_spec_rule_kernel_memory (VpJson *node, GError **error);
gboolean vp_spec_rule_mappings (VpJson *node, GError **error);
gboolean vp_spec_rule_memory (VpJson *node, GError **error);
gboolean vp_spec_rule_namespaces (VpJson *node, GError **error);
gboolean vp_spec_rule_number_list (VpJson *node, GError **error);
gboolean vp_spec_rule_page_size (VpJson *node, GError **error);
gboolean vp_spec_rule_seccomp_action (VpJson *node, GError **error);
gboolean vp_spec_rule_sysctl (VpJson *node, GError **error);
gboolean vp_spec_rule_unified (VpJson *node, GError **error);
