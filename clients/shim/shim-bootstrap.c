/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "shim-bootstrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap.pb-c.h"
#include "shim-address.h"
#include "shim-runtime.h"
#include "shim-util.h"
#include "vp-message.h"
#include "vp-oci-features.h"

#define INPUT_MAX (1u << 20)
#define MEMORY_MAX (4u << 20)
/* of the protocol between containerd and shims; that 2 is served too nobody has to be told */
#define NEW_VERSION 3
#define OLD_VERSION 2

/* Up to the end, malloc'd. 0 or -errno. */
static int
read_all (int fd, uint8_t **ret, size_t *ret_len)
{
  uint8_t *data = shim_alloc (INPUT_MAX + 1);
  size_t len = 0;
  ssize_t n = isatty (fd) ? 0 : 1;

  while (n != 0 && len <= INPUT_MAX)
    {
      n = read (fd, data + len, INPUT_MAX + 1 - len);
      if (n < 0 && errno != EINTR)
        break;
      len += n > 0 ? (size_t) n : 0;
    }
  if (n < 0 || len > INPUT_MAX)
    {
      free (data);
      /* no stdin is an empty one */
      *ret = NULL;
      *ret_len = 0;
      return n < 0 && errno != EBADF ? -errno : len > INPUT_MAX ? -E2BIG : 0;
    }
  *ret = data;
  *ret_len = len;
  return 0;
}

/* An options message is one that some runtime knows; NULL: the extensions are of other things. */
static Google__Protobuf__Any *
find_options (const Bootstrap__Params *params)
{
  for (size_t i = 0; i < params->n_extensions; i++)
    if (params->extensions[i]->value != NULL && shim_runtime_is_options (params->extensions[i]->value->type_url))
      return params->extensions[i]->value;
  return NULL;
}

static const char *
either (const char *first, const char *second)
{
  return *first != '\0' ? first : second;
}

/* 1: taken; 0: they are none; -1: wrong, with *ret_why. */
static int
take_params (ShimBootstrap *self, const uint8_t *data, size_t len, ShimOptions *options, char **ret_why)
{
  Bootstrap__Params *params
      = (Bootstrap__Params *) vp_message_unpack (&bootstrap__params__descriptor, data, len, MEMORY_MAX);

  /* options of the runtime have a type where these have an id */
  if (params == NULL || strcmp (params->instance_id, options->id) != 0
      || strcmp (params->namespace_, options->namespace_) != 0)
    {
      if (params != NULL)
        bootstrap__params__free_unpacked (params, NULL);
      return 0;
    }
  self->speaks_messages = 1;
  self->message = params;
  self->runtime_options = find_options (params);
  self->ttrpc = *params->containerd_ttrpc_address != '\0' ? params->containerd_ttrpc_address : self->ttrpc;
  self->socket_dir = either (params->socket_dir, self->socket_dir);
  options->address = either (params->containerd_grpc_address, options->address);
  options->publish = either (params->containerd_binary, options->publish);
  if (*self->socket_dir == '/' && strlen (self->socket_dir) <= SHIM_SOCKET_DIR_MAX)
    return 1;
  *ret_why = shim_printf ("socket_dir: must be an absolute path of at most %d bytes", SHIM_SOCKET_DIR_MAX);
  return -1;
}

int
shim_bootstrap_read (ShimBootstrap *self, int fd, ShimOptions *options, char **ret_why)
{
  uint8_t *data;
  size_t len;
  int error = read_all (fd, &data, &len), taken = 0;

  *self = (ShimBootstrap) { .ttrpc = getenv ("TTRPC_ADDRESS"), .socket_dir = SHIM_SOCKET_DIR };
  if (error != 0)
    {
      *ret_why = shim_printf ("standard input: %s", strerror (-error));
      return -1;
    }
  if (len > 0)
    taken = take_params (self, data, len, options, ret_why);
  /* what is neither was never looked at, and may be anything */
  if (len > 0 && taken == 0)
    self->runtime_options
        = (Google__Protobuf__Any *) vp_message_unpack (&google__protobuf__any__descriptor, data, len, MEMORY_MAX);
  free (data);
  return taken < 0 ? -1 : 0;
}

/* ---- answers --------------------------------------------------------------------- */

static int
write_message (int fd, const ProtobufCMessage *message)
{
  size_t len = protobuf_c_message_get_packed_size (message);
  uint8_t *data = shim_alloc (len + 1);
  int error;

  (void) protobuf_c_message_pack (message, data);
  error = shim_write_all (fd, data, len);
  free (data);
  return error;
}

/* Version 3 is what containerd 2.0 knew first, and 1.7 refuses; as both say the same of
 * themselves, older ones than 2.3 are told 2. They run "start" for each container of a
 * pod then, and otherwise use the same. */
int
shim_bootstrap_answer (const ShimBootstrap *self, int fd, const char *address)
{
  static char ttrpc[] = "ttrpc";
  Bootstrap__Result result = BOOTSTRAP__RESULT__INIT;
  char *text;
  int error;

  if (self->speaks_messages)
    {
      result.version = NEW_VERSION;
      result.address = (char *) address;
      result.protocol = ttrpc;
      return write_message (fd, &result.base);
    }
  /* those that take JSON name a version, if not truly theirs */
  text = getenv ("MAX_SHIM_VERSION") != NULL
             ? shim_printf ("{\"version\":%d,\"address\":\"%s\",\"protocol\":\"ttrpc\"}", OLD_VERSION, address)
             : shim_strdup (address);
  error = shim_write_all (fd, text, strlen (text));
  free (text);
  return error;
}

int
shim_bootstrap_info (int in, int out, char **ret_why)
{
  static char name[] = "io.containerd.virtpod.v2", version[] = PACKAGE_VERSION;
  static char features_type[] = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";
  static char features[] = VP_OCI_FEATURES;
  Bootstrap__RuntimeInfo info = BOOTSTRAP__RUNTIME_INFO__INIT;
  Bootstrap__RuntimeVersion runtime_version = BOOTSTRAP__RUNTIME_VERSION__INIT;
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *options = NULL;
  uint8_t *data;
  size_t len;
  int error = read_all (in, &data, &len);

  if (error == 0 && len > 0)
    {
      options = (Google__Protobuf__Any *) vp_message_unpack (&google__protobuf__any__descriptor, data, len, MEMORY_MAX);
      error = options == NULL ? -EPROTO : 0;
      free (data);
    }
  else if (error == 0)
    free (data);
  if (error != 0)
    {
      *ret_why = shim_printf ("standard input: %s", error == -EPROTO ? "not options of a runtime" : strerror (-error));
      return -1;
    }
  runtime_version.version = version;
  any.type_url = features_type;
  any.value.data = (uint8_t *) features;
  any.value.len = strlen (features);
  info.name = name;
  info.version = &runtime_version;
  info.options = options;
  info.features = &any;
  error = write_message (out, &info.base);
  if (options != NULL)
    google__protobuf__any__free_unpacked (options, NULL);
  if (error != 0)
    *ret_why = shim_printf ("standard output: %s", strerror (-error));
  return error == 0 ? 0 : -1;
}
