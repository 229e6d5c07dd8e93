/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"

/* Every annotation by which a workload asks for something of its sandbox or
 * container, as one table: what it may be, who may use it and which key of the
 * configuration it sets. A name that is not here and is not of another program's
 * is refused; so is one that has no counterpart, with the reason in its row. */

typedef enum
{
  VP_ANNOTATION_HYPERVISOR, /* io.katacontainers.config.hypervisor.: annotations.hypervisor allows it */
  VP_ANNOTATION_RUNTIME,    /* io.katacontainers.config.runtime.: annotations.runtime */
  VP_ANNOTATION_AGENT,      /* io.katacontainers.config.agent.: annotations.agent */
  VP_ANNOTATION_SANDBOX,    /* of the sandbox, asks for nothing that has to be allowed */
  VP_ANNOTATION_CONTAINER,  /* of one container, which pays for it itself */
  VP_ANNOTATION_MOUNT,      /* not an annotation but the beginning of a mount's option */
} VpAnnotationScope;

const char *vp_annotation_scope_to_string (VpAnnotationScope scope); /* "hypervisor", ... */

typedef enum
{
  VP_ANNOTATION_TYPE_TEXT,      /* anything; empty asks for nothing, here and for the other texts */
  VP_ANNOTATION_TYPE_PATH,      /* absolute, without "." and ".." */
  VP_ANNOTATION_TYPE_BOOL,      /* 1 t T TRUE true True, 0 f F FALSE false False */
  VP_ANNOTATION_TYPE_UINT,      /* decimal, 64 bits */
  VP_ANNOTATION_TYPE_CPUS,      /* decimal with a fraction */
  VP_ANNOTATION_TYPE_MIB,       /* whole number of MiB, or a quantity: "512", "1Gi" */
  VP_ANNOTATION_TYPE_QUANTITY,  /* of Kubernetes, with a binary suffix: "64Mi" */
  VP_ANNOTATION_TYPE_CHOICE,    /* one of `words` */
  VP_ANNOTATION_TYPE_PARAMS,    /* parameters of a kernel, separated by blanks */
  VP_ANNOTATION_TYPE_VERITY,    /* see vp-verity.h */
  VP_ANNOTATION_TYPE_MODULES,   /* kernel modules, separated by ";" */
  VP_ANNOTATION_TYPE_NODES,     /* sets of NUMA nodes, separated by blanks */
  VP_ANNOTATION_TYPE_ARGUMENTS, /* of virtiofsd: a JSON array of strings, or separated by commas */
  VP_ANNOTATION_TYPE_LIST,      /* words, separated by blanks or commas */
  VP_ANNOTATION_TYPE_JSON,      /* any document */
  VP_ANNOTATION_TYPE_BASE64,
  VP_ANNOTATION_TYPE_SHA512, /* 128 hexadecimal digits */
  VP_N_ANNOTATION_TYPES
} VpAnnotationType;

const char *vp_annotation_type_to_string (VpAnnotationType type);

typedef enum
{
  VP_ANNOTATION_SET,     /* the key takes the value */
  VP_ANNOTATION_SET_NOT, /* the key takes the opposite of a boolean */
  VP_ANNOTATION_MERGE,   /* parameters and arguments: those of the same name are replaced */
  VP_ANNOTATION_DIGEST,  /* what the file that the key names must hash to */
  VP_ANNOTATION_PASS,    /* nothing to do, goes to the guest with the rest */
  VP_ANNOTATION_REFUSE,  /* NotSupported for the reason given, but for what `neutral` says */
} VpAnnotationAction;

enum
{
  VP_ANNOTATION_ZERO_KEEPS = 1 << 0,   /* 0 asks for nothing */
  VP_ANNOTATION_HOST_CPUS = 1 << 1,    /* not more than the host has */
  VP_ANNOTATION_MACHINE_CPUS = 1 << 2, /* nor than a domain can have */
};

typedef struct
{
  const char *name;
  VpAnnotationScope scope;
  VpAnnotationType type;
  VpAnnotationAction action;
  guint flags;
  VpConfigKey key;     /* VP_N_CONFIG_KEYS: none */
  VpConfigKey globs;   /* the list a path must match one of; VP_N_CONFIG_KEYS: none */
  guint64 min, max;    /* both 0: the key's own range, else 64 bits */
  const char *unit;    /* what is appended for the key: "s"; NULL: nothing */
  const char *words;   /* CHOICE: "theirs=ours|same|refused=!"; BOOL: what true and false come to, "yes|no" */
  const char *neutral; /* REFUSE: values that ask for what is so anyway, "false|0" */
  const char *reason;  /* REFUSE, and words with "!": why; else a remark for the page */
} VpAnnotationRow;

/* In the order in which they are applied. */
extern const VpAnnotationRow vp_annotation_table[];
extern const guint vp_annotation_n_rows;

/* NULL when there is none; a mount's option is found by its beginning. */
const VpAnnotationRow *vp_annotation_find (const char *name);

/* The list of patterns that allows a row; VP_N_CONFIG_KEYS: none has to. */
VpConfigKey vp_annotation_row_gate (const VpAnnotationRow *row);
/* The part of its name that the patterns are about. */
const char *vp_annotation_row_short_name (const VpAnnotationRow *row);
/* What a number may be; FALSE: not a number. */
gboolean vp_annotation_row_range (const VpAnnotationRow *row, guint64 *ret_min, guint64 *ret_max);
/* Whether @value is among the neutral ones. */
gboolean vp_annotation_row_is_neutral (const VpAnnotationRow *row, const char *value);

/* The table of docs/annotations.md. */
char *vp_annotation_describe (void);
