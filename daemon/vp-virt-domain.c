/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <string.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-names.h"
#include "vp-virt-error.h"
#include "vp-virt-xml.h"

/* ---- create -------------------------------------------------------------- */

/* libvirt says "operation invalid" or "failed" about a name that is taken. */
static GError *
create_error (VpVirtCall *call)
{
  int code = virGetLastErrorCode ();
  GError *error = vp_virt_call_error (call, "create");
  virDomainPtr existing;

  if ((code != VIR_ERR_OPERATION_INVALID && code != VIR_ERR_OPERATION_FAILED) || call->name == NULL)
    return error;
  existing = virDomainLookupByName (call->conn, call->name);
  if (existing != NULL)
    {
      error->code = VP_ERROR_ALREADY_EXISTS;
      virDomainFree (existing);
    }
  return error;
}

static void
create_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  unsigned int flags = 0;
  char uuid[VIR_UUID_STRING_BUFLEN];
  virDomainPtr domain = NULL;
  GError *error = NULL;

  if (call->flags & VP_VIRT_CREATE_PAUSED)
    flags |= VIR_DOMAIN_START_PAUSED;
  if (call->flags & VP_VIRT_CREATE_VALIDATE)
    flags |= VIR_DOMAIN_START_VALIDATE;
  if (VP_FAILPOINT ("virt.create.before", &error))
    {
      call->sent = TRUE;
      domain = virDomainCreateXML (call->conn, call->xml, flags);
      if (domain == NULL || virDomainGetUUIDString (domain, uuid) < 0)
        error = create_error (call);
      VP_FAILPOINT_ONLY ("virt.create.after");
    }
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_strdup (uuid), g_free);
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

static void
on_created (GObject *source, GAsyncResult *result, gpointer data)
{
  VpVirt *self = VP_VIRT (source);
  g_autoptr (GTask) outer = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = g_task_propagate_pointer (G_TASK (result), &error);
  VpVirtCall *call = g_task_get_task_data (G_TASK (result));

  if (call->name != NULL)
    g_hash_table_remove (self->creating, call->name);
  if (uuid != NULL)
    vp_virt_life_seen (self, call->name, uuid, TRUE);
  else if (call->sent && call->name != NULL && vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE))
    vp_virt_doom_and_kill (self, call->name); /* libvirtd may have come so far as to start it */
  else if (call->name != NULL && g_hash_table_contains (self->husks, call->name))
    g_prefix_error (&error, "libvirt keeps the name until it is started again: ");
  vp_virt_snapshot_end (self);
  if (uuid != NULL)
    g_task_return_pointer (outer, g_steal_pointer (&uuid), g_free);
  else
    g_task_return_error (outer, g_steal_pointer (&error));
}

static GTask *
outer_task (VpVirt *self, gpointer tag, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, tag);
  return task;
}

void
vp_virt_create_async (VpVirt *self, const char *xml, VpVirtCreateFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *name = vp_virt_xml_read_domain_name (xml);
  VpVirtCall *call = vp_virt_call_new (self, name);

  call->xml = g_strdup (xml);
  call->flags = flags;
  call->needs_name = name != NULL;
  if (name != NULL)
    g_hash_table_add (self->creating, g_strdup (name));
  vp_virt_snapshot_begin (self);
  vp_virt_call_run (self, vp_virt_create_async, create_in_worker, call, cancellable, on_created,
            outer_task (self, vp_virt_create_async, callback, user_data));
}

char *
vp_virt_create_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_create_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- verbs on a domain --------------------------------------------------- */

typedef struct
{
  const char *name;
  int (*func) (virDomainPtr domain);
} Verb;

static const Verb verb_suspend = { "pause", virDomainSuspend };
static const Verb verb_resume = { "resume", virDomainResume };
static const Verb verb_shutdown = { "shut down", virDomainShutdown };

static void
run_verb (GTask *task, VpVirtCall *call, const Verb *verb)
{
  virDomainPtr domain = virDomainLookupByName (call->conn, call->name);

  if (domain != NULL && verb->func (domain) == 0)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, vp_virt_call_error (call, verb->name));
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

static void
suspend_in_worker (GTask *task, gpointer source, gpointer data)
{
  run_verb (task, data, &verb_suspend);
}

static void
resume_in_worker (GTask *task, gpointer source, gpointer data)
{
  run_verb (task, data, &verb_resume);
}

static void
shutdown_in_worker (GTask *task, gpointer source, gpointer data)
{
  run_verb (task, data, &verb_shutdown);
}

void
vp_virt_suspend_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_call_run (self, vp_virt_suspend_async, suspend_in_worker, vp_virt_call_new (self, domain_name), cancellable,
                    callback, user_data);
}

gboolean
vp_virt_suspend_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_suspend_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_virt_resume_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_call_run (self, vp_virt_resume_async, resume_in_worker, vp_virt_call_new (self, domain_name), cancellable, callback,
            user_data);
}

gboolean
vp_virt_resume_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_resume_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_virt_shutdown_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_call_run (self, vp_virt_shutdown_async, shutdown_in_worker, vp_virt_call_new (self, domain_name), cancellable,
            callback, user_data);
}

gboolean
vp_virt_shutdown_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_shutdown_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
dup_xml_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  virDomainPtr domain = virDomainLookupByName (call->conn, call->name);
  char *xml = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;

  if (xml != NULL)
    g_task_return_pointer (task, g_strdup (xml), g_free);
  else
    g_task_return_error (task, vp_virt_call_error (call, "read"));
  free (xml);
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

void
vp_virt_dup_xml_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_call_run (self, vp_virt_dup_xml_async, dup_xml_in_worker, vp_virt_call_new (self, domain_name), cancellable,
            callback, user_data);
}

char *
vp_virt_dup_xml_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_dup_xml_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- list ---------------------------------------------------------------- */

void
vp_virt_domain_free (VpVirtDomain *domain)
{
  if (domain == NULL)
    return;
  g_free (domain->name);
  g_free (domain->uuid);
  g_free (domain->sandbox_id);
  g_free (domain->handler);
  g_free (domain);
}

/* NULL when it went away while it was looked at. */
static VpVirtDomain *
describe (virDomainPtr domain)
{
  g_autoptr (VpVirtDomain) out = g_new0 (VpVirtDomain, 1);
  char uuid[VIR_UUID_STRING_BUFLEN];
  char *metadata;
  int state, reason;

  if (virDomainGetUUIDString (domain, uuid) < 0 || virDomainGetState (domain, &state, &reason, 0) < 0)
    return NULL;
  out->name = g_strdup (virDomainGetName (domain));
  out->uuid = g_strdup (uuid);
  out->active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
  out->paused = state == VIR_DOMAIN_PAUSED;
  out->starting = out->paused && reason == VIR_DOMAIN_PAUSED_STARTING_UP;

  metadata = virDomainGetMetadata (domain, VIR_DOMAIN_METADATA_ELEMENT, VP_METADATA_NS, 0);
  if (metadata != NULL)
    vp_virt_xml_read_metadata (metadata, &out->sandbox_id, &out->handler);
  free (metadata);
  return g_steal_pointer (&out);
}

GPtrArray *
vp_virt_list_domains (virConnectPtr conn, GError **error)
{
  g_autoptr (GPtrArray) out = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_virt_domain_free);
  virDomainPtr *domains = NULL;
  int n;

  if (!VP_FAILPOINT ("virt.list.before", error))
    return NULL;
  n = virConnectListAllDomains (conn, &domains, 0);
  VP_FAILPOINT_ONLY ("virt.list.after");
  if (n < 0)
    {
      g_propagate_error (error, vp_virt_error_last ("list domains"));
      return NULL;
    }
  for (int i = 0; i < n; i++)
    {
      VpVirtDomain *domain = describe (domains[i]);

      if (domain != NULL)
        g_ptr_array_add (out, domain);
      virDomainFree (domains[i]);
    }
  free (domains);
  return g_steal_pointer (&out);
}

static void
list_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  g_autoptr (GError) error = NULL;
  GPtrArray *domains = vp_virt_list_domains (call->conn, &error);

  if (domains != NULL)
    g_task_return_pointer (task, domains, (GDestroyNotify) g_ptr_array_unref);
  else if (virConnectIsAlive (call->conn) == 1)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s", call->uri,
                             error->message);
  vp_virt_call_drop_connection (call);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer data)
{
  VpVirt *self = VP_VIRT (source);
  g_autoptr (GTask) outer = data;
  g_autoptr (GError) error = NULL;
  GPtrArray *domains = g_task_propagate_pointer (G_TASK (result), &error);

  if (domains != NULL)
    vp_virt_sift (self, domains);
  for (guint i = 0; domains != NULL && i < domains->len; i++)
    {
      VpVirtDomain *domain = domains->pdata[i];

      if (domain->active)
        vp_virt_life_seen (self, domain->name, domain->uuid, domain->sandbox_id != NULL);
    }
  vp_virt_snapshot_end (self);
  if (domains != NULL)
    g_task_return_pointer (outer, domains, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (outer, g_steal_pointer (&error));
}

void
vp_virt_list_async (VpVirt *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_snapshot_begin (self);
  vp_virt_call_run (self, vp_virt_list_async, list_in_worker, vp_virt_call_new (self, NULL), cancellable, on_listed,
            outer_task (self, vp_virt_list_async, callback, user_data));
}

GPtrArray *
vp_virt_list_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_list_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
