/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "google.pb-c.h"

/* What is to be made of the options that containerd's users give for a runtime. */
typedef struct
{
  char *handler; /* of virtpodd's configuration; NULL: its default */
  char *ignored; /* what has no meaning here, for the log; NULL: nothing */
} ShimRuntime;

/* Whether an Any of this type is such options. */
int shim_runtime_is_options (const char *type_url);
/* @options: NULL is none. 0, or -1 with *ret_why: what cannot be honoured. */
int shim_runtime_parse (ShimRuntime *self, const Google__Protobuf__Any *options, const char **ret_why);
void shim_runtime_clear (ShimRuntime *self);
