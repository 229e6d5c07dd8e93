/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* URIs that name the streams of a process, as Go's net/url reads them: containerd's
 * clients make them with it. */
typedef struct
{
  char *path;   /* absolute */
  char **query; /* key, value, key, value, ..., NULL; each key once, the first value counts */
} ShimUri;

/* @text: what is behind "scheme://". 0, or -1 with *ret_why: what is wrong. */
int shim_uri_parse (ShimUri *self, const char *text, const char **ret_why);
void shim_uri_clear (ShimUri *self);
