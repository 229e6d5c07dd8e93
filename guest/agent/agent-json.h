/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As much of JSON as it takes to add to a document what the protocol has no
 * fields for. Nothing is copied: a value is a piece of its document's text. */

typedef struct
{
  const char *text; /* NULL: there is none */
  size_t len;
} AgentJson;

/* 0 and the document's value, or -EINVAL when @text is not one JSON value, with
 * at most 64 levels. */
int agent_json_parse (const char *text, size_t len, AgentJson *ret);
/* The member of an object whose name is written exactly so; none when there is
 * none, or when @json is no object. Of a parsed document only. */
AgentJson agent_json_member (AgentJson json, const char *name);
/* Elements of an array one after the other: starts with *at = 0; none after the last. */
AgentJson agent_json_next (AgentJson array, size_t *at);
/* 1 if it is the string @string (of characters that need no escape) */
int agent_json_is_string (AgentJson json, const char *string);
/* 1 and *ret if it is an integer of 64 bits */
int agent_json_get_int (AgentJson json, int64_t *ret);

/* @base with the members of @patch added, level by level: where both have an
 * object, its members; where @base has an array and @patch an object, the
 * elements that the names count ("0" is the first). Anything else is @patch's.
 * malloc'd, NUL-terminated; -EINVAL when one of them is no JSON or when an
 * element is not there. */
int agent_json_merge (const char *base, size_t base_len, const char *patch, size_t patch_len, char **ret,
                      size_t *ret_len);
