/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-options.h"

#include <stddef.h>
#include <string.h>

#include "shim-util.h"

typedef struct
{
  const char *name;
  size_t offset;
  int has_value;
} Option;

static const Option options[] = {
  { "namespace", offsetof (ShimOptions, namespace_), 1 },
  { "id", offsetof (ShimOptions, id), 1 },
  { "address", offsetof (ShimOptions, address), 1 },
  { "publish-binary", offsetof (ShimOptions, publish), 1 },
  { "bundle", offsetof (ShimOptions, bundle), 1 },
  { "debug", offsetof (ShimOptions, debug), 0 },
  { "v", offsetof (ShimOptions, version), 0 },
  { "version", offsetof (ShimOptions, version), 0 },
  { "info", offsetof (ShimOptions, info), 0 },
  { "h", offsetof (ShimOptions, help), 0 },
  { "help", offsetof (ShimOptions, help), 0 },
};

static const Option *
find_option (const char *name, size_t len)
{
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (strlen (options[i].name) == len && memcmp (options[i].name, name, len) == 0)
      return &options[i];
  return NULL;
}

static int
take_flag (int *flag, const char *value)
{
  if (value != NULL && strcmp (value, "true") != 0 && strcmp (value, "false") != 0)
    return -1;
  *flag = value == NULL || *value == 't';
  return 0;
}

static int
check (const ShimOptions *self, char **ret_why)
{
  if (self->version || self->info || self->help)
    return 0;
  if (self->verb == NULL || (strcmp (self->verb, "start") != 0 && strcmp (self->verb, "delete") != 0))
    *ret_why = shim_printf ("\"start\" or \"delete\" must follow the options");
  else if (self->id == NULL || !shim_id_is_valid (self->id))
    *ret_why = shim_printf ("-id: must be 1 to 128 of A-Z a-z 0-9 _ . + -, beginning with a letter or digit");
  else if (self->namespace_ == NULL || !shim_id_is_valid (self->namespace_))
    *ret_why = shim_printf ("-namespace: must be given, and is no such name");
  else
    return 0;
  return -1;
}

int
shim_options_parse (ShimOptions *self, int argc, char **argv, char **ret_why)
{
  *self = (ShimOptions) { .address = "", .publish = "" };
  for (int i = 1; i < argc; i++)
    {
      const char *name = argv[i] + (argv[i][0] == '-') + (argv[i][0] == '-' && argv[i][1] == '-');
      const char *value = strchr (name, '=');
      const Option *option;
      void *place;

      if (name == argv[i])
        {
          if (self->verb != NULL || i + 1 != argc)
            {
              *ret_why = shim_printf ("%.64s: nothing may follow", self->verb != NULL ? self->verb : argv[i]);
              return -1;
            }
          self->verb = argv[i];
          break;
        }
      option = find_option (name, value != NULL ? (size_t) (value - name) : strlen (name));
      if (option == NULL)
        {
          *ret_why = shim_printf ("%.64s: is no option", argv[i]);
          return -1;
        }
      place = (char *) self + option->offset;
      if (value != NULL)
        value++;
      if (option->has_value && value == NULL && (value = argv[++i]) == NULL)
        {
          *ret_why = shim_printf ("-%s: has no value", option->name);
          return -1;
        }
      if (option->has_value)
        *(const char **) place = value;
      else if (take_flag (place, value) < 0)
        {
          *ret_why = shim_printf ("-%s: is true or false", option->name);
          return -1;
        }
    }
  return check (self, ret_why);
}
