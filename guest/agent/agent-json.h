/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json-scan.h"

/* Adds to a document what the protocol has no fields for. */

/* @base with the members of @patch added, level by level: where both have an
 * object, its members; where @base has an array and @patch an object, the
 * elements that the names count ("0" is the first). Anything else is @patch's.
 * malloc'd, NUL-terminated; -EINVAL when one of them is no JSON or when an
 * element is not there. */
int agent_json_merge (const char *base, size_t base_len, const char *patch, size_t patch_len, char **ret,
                      size_t *ret_len);
