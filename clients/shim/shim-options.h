/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line containerd calls its shims with: Go's, in which one dash is as
 * good as two and a value is behind a space or "=". All of it points into argv. */
typedef struct
{
  const char *namespace_;
  const char *id;
  const char *address; /* containerd's, may be empty */
  const char *publish; /* its program, may be empty */
  const char *bundle;  /* NULL: the working directory */
  int debug, version, info, help;
  const char *verb; /* "start" or "delete"; NULL: none */
} ShimOptions;

/* 0, or -1 with *ret_why: what is wrong, malloc'd. */
int shim_options_parse (ShimOptions *self, int argc, char **argv, char **ret_why);
