/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Values of annotations and what becomes of each, by groups of the table. A row
 * needs one it takes, one it refuses and one at a limit; booleans and digests
 * have theirs by their type, see tests/unit/test-annotation-table.c. */

#define KATA "io.katacontainers."
#define HV KATA "config.hypervisor."
#define RT KATA "config.runtime."
#define AG KATA "config.agent."

typedef enum
{
  GOOD,    /* taken; `expect` is what the key is then, NULL for rows without one */
  BAD,     /* InvalidArgument, `expect` is in the message */
  EDGE,    /* as GOOD: the last value that is taken, or one that asks for nothing (`expect` NULL) */
  BEYOND,  /* as BAD: the first that is not */
  REFUSED, /* NotSupported, `expect` is in the message */
  DENIED,  /* NotAuthorized for its value */
} AnnotationKind;

typedef struct
{
  const char *name;
  AnnotationKind kind;
  const char *value;
  const char *expect;
} AnnotationCase;

extern const AnnotationCase annotation_cases_machine[];
extern const guint annotation_n_cases_machine;
extern const AnnotationCase annotation_cases_devices[];
extern const guint annotation_n_cases_devices;
extern const AnnotationCase annotation_cases_others[];
extern const guint annotation_n_cases_others;
