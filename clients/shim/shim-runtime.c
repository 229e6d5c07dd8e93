/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-runtime.h"

#include <stdlib.h>
#include <string.h>

#include "options.pb-c.h"
#include "shim-util.h"
#include "vp-message.h"

#define MAX_OPTIONS (1u << 20) /* memory of them, unpacked */
#define SHOWN_MAX 128

static int
is_set (const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  const void *member = (const char *) message + field->offset;

  switch (field->type)
    {
    case PROTOBUF_C_TYPE_STRING:
      return **(char *const *) member != '\0';
    case PROTOBUF_C_TYPE_BYTES:
      return ((const ProtobufCBinaryData *) member)->len > 0;
    case PROTOBUF_C_TYPE_BOOL:
      return *(const protobuf_c_boolean *) member != 0;
    default: /* there are no others than uint32 */
      return *(const uint32_t *) member != 0;
    }
}

/* The names of the fields that say something, but for @but; malloc'd, NULL: there are none. */
static char *
list_set (const ProtobufCMessage *message, const char *but)
{
  char *list = NULL;

  for (unsigned i = 0; i < message->descriptor->n_fields; i++)
    {
      const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
      char *longer;

      if (strcmp (field->name, but) == 0 || !is_set (message, field))
        continue;
      longer = shim_printf ("%s%s%s", list != NULL ? list : "", list != NULL ? ", " : "", field->name);
      free (list);
      list = longer;
    }
  return list;
}

/* ConfigPath is the one word that containerd carries for runtimes it does not know. */
static int
read_generic (ShimRuntime *self, const Options__Generic *options, const char **ret_why)
{
  if (strchr (options->config_path, '/') != NULL)
    {
      *ret_why = "ConfigPath must be the name of a handler of virtpodd's configuration, and not a file "
                 "(see \"virtpod config import-kata\")";
      return -1;
    }
  if (*options->config_path != '\0')
    self->handler = shim_strdup (options->config_path);
  return 0;
}

static const struct
{
  const char *name;
  const ProtobufCMessageDescriptor *descriptor;
} types[] = {
  { "runtimeoptions.v1.Options", &options__generic__descriptor },
  { "cri.runtimeoptions.v1.Options", &options__generic__descriptor }, /* of older ones */
  { "containerd.runc.v1.Options", &options__runc__descriptor },
};

/* What a type is called without where it is described. */
static const char *
name_of (const char *type_url)
{
  const char *slash = strrchr (type_url, '/');

  return slash != NULL ? slash + 1 : type_url;
}

static const ProtobufCMessageDescriptor *
find_type (const char *name)
{
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp (types[i].name, name) == 0)
      return types[i].descriptor;
  return NULL;
}

int
shim_runtime_is_options (const char *type_url)
{
  return find_type (name_of (type_url)) != NULL;
}

int
shim_runtime_parse (ShimRuntime *self, const Google__Protobuf__Any *options, const char **ret_why)
{
  const ProtobufCMessageDescriptor *type;
  ProtobufCMessage *message = NULL;
  int result = 0;

  *self = (ShimRuntime) { NULL, NULL };
  if (options == NULL || *options->type_url == '\0')
    return 0;
  type = find_type (name_of (options->type_url));
  if (type == NULL)
    {
      self->ignored = shim_printf ("all of type %.*s", SHOWN_MAX, name_of (options->type_url));
      return 0;
    }
  message = vp_message_unpack (type, options->value.data, options->value.len, MAX_OPTIONS);
  if (message == NULL)
    {
      *ret_why = "not of the type they claim to be";
      return -1;
    }
  if (message->descriptor == &options__generic__descriptor)
    result = read_generic (self, (const Options__Generic *) message, ret_why);
  if (result == 0)
    self->ignored = list_set (message, "config_path");
  protobuf_c_message_free_unpacked (message, NULL);
  return result;
}

void
shim_runtime_clear (ShimRuntime *self)
{
  free (self->handler);
  free (self->ignored);
  *self = (ShimRuntime) { NULL, NULL };
}
