/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-messages.h"

#include "vp-guest-spec.h"

/* Everything in a message is malloc'd: see vp-guest-spec.c. */

static char **
copy_strings (char *const *strings, size_t *ret_n)
{
  size_t n = strings != NULL ? g_strv_length ((char **)strings) : 0;
  char **copy = n > 0 ? g_new0 (char *, n) : NULL;

  for (size_t i = 0; i < n; i++)
    copy[i] = g_strdup (strings[i]);
  *ret_n = n;
  return copy;
}

static Grpc__Storage *
new_storage (const VpGuestStorage *storage)
{
  Grpc__Storage *message = g_new0 (Grpc__Storage, 1);

  grpc__storage__init (message);
  message->driver = g_strdup (storage->driver);
  message->source = g_strdup (storage->source);
  message->fstype = g_strdup (storage->fstype);
  message->mount_point = g_strdup (storage->mount_point);
  message->options = copy_strings (storage->options, &message->n_options);
  message->driver_options = copy_strings (storage->driver_options, &message->n_driver_options);
  return message;
}

static Grpc__Storage **
new_storages (const GPtrArray *storages, size_t *ret_n)
{
  Grpc__Storage **messages = storages->len > 0 ? g_new0 (Grpc__Storage *, storages->len) : NULL;

  for (guint i = 0; i < storages->len; i++)
    messages[i] = new_storage (g_ptr_array_index (storages, i));
  *ret_n = storages->len;
  return messages;
}

/* "name param=value …" */
static Grpc__KernelModule *
new_module (const char *line)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", -1);
  g_autoptr (GPtrArray) parameters = g_ptr_array_new ();
  Grpc__KernelModule *message = g_new0 (Grpc__KernelModule, 1);

  grpc__kernel_module__init (message);
  message->name = g_strdup (words[0]);
  for (char **word = words + 1; words[0] != NULL && *word != NULL; word++)
    {
      if ((*word)[0] != '\0')
        g_ptr_array_add (parameters, *word);
    }
  g_ptr_array_add (parameters, NULL);
  message->parameters = copy_strings ((char **)parameters->pdata, &message->n_parameters);
  return message;
}

static void
add_modules (Grpc__CreateSandboxRequest *message, const VpPlan *plan)
{
  guint n = g_strv_length (plan->kernel_modules);

  if (n == 0)
    return;
  message->kernel_modules = g_new0 (Grpc__KernelModule *, n);
  for (guint i = 0; i < n; i++)
    message->kernel_modules[message->n_kernel_modules++] = new_module (plan->kernel_modules[i]);
}

Grpc__CreateSandboxRequest *
vp_guest_message_create_sandbox (const VpPlan *plan, GError **error)
{
  Grpc__CreateSandboxRequest *message = g_new0 (Grpc__CreateSandboxRequest, 1);

  grpc__create_sandbox_request__init (message);
  message->hostname = g_strdup (plan->hostname);
  message->sandbox_id = g_strdup (plan->sandbox_id);
  message->dns = copy_strings (plan->dns, &message->n_dns);
  message->sandbox_pidns = plan->sandbox_pidns;
  message->storages = new_storages (plan->storages, &message->n_storages);
  add_modules (message, plan);
  if (plan->guest_hook_dir != NULL)
    message->guest_hook_path = g_strdup (plan->guest_hook_dir);
  return message;
}

Grpc__CreateContainerRequest *
vp_guest_message_create_container (const VpContainerPlan *plan, GError **error)
{
  Grpc__Spec *spec = vp_guest_spec_new (plan->guest_spec, error);
  Grpc__CreateContainerRequest *message;

  if (spec == NULL)
    return NULL;
  message = g_new0 (Grpc__CreateContainerRequest, 1);
  grpc__create_container_request__init (message);
  message->container_id = g_strdup (plan->container_id);
  /* the first process goes by its container's id */
  message->exec_id = g_strdup (plan->container_id);
  message->oci = spec;
  message->storages = new_storages (plan->storages, &message->n_storages);
  message->sandbox_pidns = plan->sandbox_pidns;
  return message;
}

Grpc__ExecProcessRequest *
vp_guest_message_exec_json (const char *container_id, const char *exec_id, VpJson *json, GError **error)
{
  Grpc__Process *process = vp_guest_spec_new_process (json, error);
  Grpc__ExecProcessRequest *message;

  if (process == NULL)
    return NULL;
  message = g_new0 (Grpc__ExecProcessRequest, 1);
  grpc__exec_process_request__init (message);
  message->container_id = g_strdup (container_id);
  message->exec_id = g_strdup (exec_id);
  message->process = process;
  return message;
}

Grpc__ExecProcessRequest *
vp_guest_message_exec_process (const VpContainerPlan *plan, const char *exec_id, const VpSpecExec *exec,
                               GError **error)
{
  g_autoptr (VpJson) json = vp_spec_make_exec (plan->spec, exec, error);

  return json == NULL ? NULL : vp_guest_message_exec_json (plan->container_id, exec_id, json, error);
}

Grpc__UpdateContainerRequest *
vp_guest_message_update_container (const char *container_id, VpJson *resources, GError **error)
{
  Grpc__LinuxResources *limits = vp_guest_spec_new_resources (resources, error);
  Grpc__UpdateContainerRequest *message;

  if (limits == NULL)
    return NULL;
  message = g_new0 (Grpc__UpdateContainerRequest, 1);
  grpc__update_container_request__init (message);
  message->container_id = g_strdup (container_id);
  message->resources = limits;
  return message;
}

GBytes *
vp_guest_message_pack (const ProtobufCMessage *message)
{
  gsize size = protobuf_c_message_get_packed_size (message);
  guint8 *data = g_malloc (size);

  protobuf_c_message_pack (message, data);
  return g_bytes_new_take (data, size);
}
