/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* Parts of a spec that arrive by themselves, later: checked by the same table as
 * config.json (vp-spec-table.h), and made what the guest gets. Pure. Errors are
 * InvalidArgument and NotSupported, naming the JSON path within the part. */

#define VP_SPEC_RESOURCES_MAX (64u << 10) /* bytes of text */
#define VP_SPEC_PROCESS_MAX (1u << 20)

/* A linux.resources object for the container of @spec (or NULL): without what means
 * something on the host only (cpu.cpus, cpu.mems, blockIO). "devices" is refused: a
 * list of them replaces the container's, and the devices of the guest are not the
 * caller's. One that repeats those of @spec, as containerd's CRI plugin has it, asks
 * for no change and is left out. */
VpJson *vp_spec_parse_resources (const char *text, gsize len, VpSpec *spec, GError **error);

/* A process object, for a further process: complete as it is, without the
 * labels of the host's security modules. */
VpJson *vp_spec_parse_exec (const char *text, gsize len, GError **error);
