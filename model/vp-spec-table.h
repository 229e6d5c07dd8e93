/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* THE table of what config.json can say: for each field its type and range,
 * and what becomes of it. It drives the checks of vp_spec_parse(), what the
 * planner copies into the guest's document, and the table of docs/spec.md. A
 * field that has no row is unknown: it is kept and goes to the guest as it is. */

typedef enum
{
  VP_FATE_GUEST,      /* goes to the guest as it is and is honoured there */
  VP_FATE_HOST,       /* is honoured by the host; the guest does not see it */
  VP_FATE_TRANSLATED, /* becomes something else, `how` says what */
  VP_FATE_REFUSED,    /* NotSupported when it asks for anything, `how` says why */
} VpSpecFate;

typedef enum
{
  VP_SPEC_STRING,
  VP_SPEC_BOOL,
  VP_SPEC_INT,    /* from min to max */
  VP_SPEC_UINT,   /* from umin to umax */
  VP_SPEC_OBJECT, /* with members */
  VP_SPEC_MAP,    /* an object of any names; values are strings, or objects when there are members */
  VP_SPEC_ANY,    /* not looked into */
} VpSpecType;

#define VP_SPEC_LIST (1 << 0)     /* an array of that type */
#define VP_SPEC_REQUIRED (1 << 1) /* an error when it is missing or null */
#define VP_SPEC_NAMES (1 << 2)    /* the names of its members ask for something, whatever their values are */

typedef struct _VpSpecField VpSpecField;

/* Checks what a type cannot say; @node has the right type and is not null. */
typedef gboolean (*VpSpecRule) (VpJson *node, GError **error);

struct _VpSpecField
{
  const char *name; /* NULL ends a list */
  VpSpecType type;
  guint flags;
  VpSpecFate fate;
  const char *how; /* a phrase for people; NULL: the fate says it all */
  gint64 min, max;
  guint64 umin, umax;
  const char *const *words;   /* the only values of a string; NULL: any */
  const VpSpecField *members; /* of an object, or of each in a list or map */
  VpSpecRule rule;
};

extern const VpSpecField vp_spec_fields[];       /* the document */
extern const VpSpecField vp_spec_linux_fields[]; /* its member "linux" */

/* The row of the member @name, NULL when it is unknown. */
const VpSpecField *vp_spec_field_find (const VpSpecField *fields, const char *name);

/* Does the value ask for anything? null, false, 0, "" and what holds nothing but these do not. */
gboolean vp_spec_value_is_empty (VpJson *node);

/* Checks @object against @fields: InvalidArgument, or NotSupported for what is
 * refused, with the message "FILE: PATH: why". */
gboolean vp_spec_check_fields (VpJson *object, const VpSpecField *fields, GError **error);

/* Is this element of linux.devices one that every kernel has under its number,
 * whatever the hardware? */
gboolean vp_spec_device_is_of_kernel (VpJson *device);

/* Sets NotSupported "FILE: PATH: message" and returns FALSE. */
gboolean vp_spec_refuse (GError **error, VpJson *node, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* The table as Markdown, a row a field: "| `linux.sysctl` | map of strings | guest | ... |". */
char *vp_spec_describe (void);
