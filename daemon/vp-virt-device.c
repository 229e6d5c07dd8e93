/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <string.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-virt-xml.h"

/* Devices of a domain that runs. Its description is not kept anywhere, so what is
 * plugged is plugged into the machine alone. */

#define FLAGS VIR_DOMAIN_AFFECT_LIVE
/* QEMU's words */
#define ALREADY_ASKED "already in the process of unplug"

static void
attach_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  virDomainPtr domain = NULL;
  GError *error = NULL;

  if (VP_FAILPOINT ("virt.attach.before", &error))
    {
      domain = virDomainLookupByName (call->conn, call->name);
      if (domain == NULL || virDomainAttachDeviceFlags (domain, call->xml, FLAGS) < 0)
        error = vp_virt_call_error (call, "plug a device into");
      VP_FAILPOINT_ONLY ("virt.attach.after");
    }
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

void
vp_virt_attach_async (VpVirt *self, const char *domain_name, const char *xml, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  VpVirtCall *call = vp_virt_call_new (self, domain_name);

  call->xml = g_strdup (xml);
  vp_virt_call_run (self, vp_virt_attach_async, attach_in_worker, call, cancellable, callback, user_data);
}

gboolean
vp_virt_attach_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_attach_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- interfaces by their device on the host ---- */

/* NULL with @error. */
static char *
find_nic (VpVirtCall *call, virDomainPtr domain, const char *verb, GError **error)
{
  char *xml = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;
  char *alias = xml != NULL ? vp_virt_xml_read_nic_alias (xml, call->xml) : NULL;

  if (xml == NULL)
    g_propagate_error (error, vp_virt_call_error (call, verb));
  else if (alias == NULL)
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "%s domain \"%s\": it has no interface \"%s\"", verb,
                 call->name, call->xml);
  free (xml);
  return alias;
}

static void
return_alias (GTask *task, VpVirtCall *call, virDomainPtr domain, char *alias, GError *error)
{
  if (error != NULL)
    {
      g_free (alias);
      g_task_return_error (task, error);
    }
  else
    g_task_return_pointer (task, alias, g_free);
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

/* It may go, or be on its way out for somebody who asked before, between one call and the next;
 * libvirt then says "internal error", and why in words. */
static void
detach_alias (VpVirtCall *call, virDomainPtr domain, char **alias, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (virDomainDetachDeviceAlias (domain, *alias, FLAGS) == 0)
    return;
  why = vp_virt_call_error (call, "plug a device out of");
  if (strstr (why->message, ALREADY_ASKED) != NULL)
    return;
  g_clear_pointer (alias, g_free);
  *alias = find_nic (call, domain, "plug a device out of", error);
  if (*alias != NULL)
    g_propagate_error (error, g_steal_pointer (&why));
}

static void
detach_nic_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  virDomainPtr domain = NULL;
  GError *error = NULL;
  char *alias = NULL;

  if (VP_FAILPOINT ("virt.detach.before", &error))
    {
      domain = virDomainLookupByName (call->conn, call->name);
      alias = find_nic (call, domain, "plug a device out of", &error);
      if (alias != NULL)
        detach_alias (call, domain, &alias, &error);
      VP_FAILPOINT_ONLY ("virt.detach.after");
    }
  return_alias (task, call, domain, alias, error);
}

static void
find_nic_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  virDomainPtr domain = virDomainLookupByName (call->conn, call->name);
  GError *error = NULL;
  char *alias = find_nic (call, domain, "look at", &error);

  return_alias (task, call, domain, alias, error);
}

static void
run_for_nic (VpVirt *self, gpointer tag, VpWorkerFunc func, const char *domain_name, const char *dev,
             GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  VpVirtCall *call = vp_virt_call_new (self, domain_name);

  call->xml = g_strdup (dev);
  vp_virt_call_run (self, tag, func, call, cancellable, callback, user_data);
}

void
vp_virt_detach_nic_async (VpVirt *self, const char *domain_name, const char *dev, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  run_for_nic (self, vp_virt_detach_nic_async, detach_nic_in_worker, domain_name, dev, cancellable, callback,
               user_data);
}

char *
vp_virt_detach_nic_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_detach_nic_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
vp_virt_find_nic_async (VpVirt *self, const char *domain_name, const char *dev, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  run_for_nic (self, vp_virt_find_nic_async, find_nic_in_worker, domain_name, dev, cancellable, callback, user_data);
}

char *
vp_virt_find_nic_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_find_nic_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- what libvirt writes down ---- */

static void
settle_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  virDomainPtr domain = virDomainLookupByName (call->conn, call->name);
  virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];

  /* of all that waits until the domain is not being changed this does the least */
  if (domain != NULL)
    {
      (void) virDomainMemoryStats (domain, stats, G_N_ELEMENTS (stats), 0);
      virDomainFree (domain);
    }
  g_task_return_boolean (task, TRUE);
  vp_virt_call_drop_connection (call);
}

void
vp_virt_settle_async (VpVirt *self, const char *domain_name, GAsyncReadyCallback callback, gpointer user_data)
{
  vp_virt_call_run (self, vp_virt_settle_async, settle_in_worker, vp_virt_call_new (self, domain_name), NULL, callback,
                    user_data);
}

gboolean
vp_virt_settle_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
