/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer-table.h"

#include "vp-error.h"
#include "vp-names.h"

#define INSPECT VP_ACTION_INSPECT, VP_RULE_OWNER
#define SECRETS VP_ACTION_SECRETS, VP_RULE_OWNER
#define MANAGE VP_ACTION_MANAGE, VP_RULE_OWNER
#define EXEC VP_ACTION_EXEC, VP_RULE_OWNER
/* what reaches paths or resources of the host: it was not asked for when the object was made */
#define MANAGE_HOST VP_ACTION_MANAGE, VP_RULE_ASK
#define CONFIGURE VP_ACTION_CONFIGURE, VP_RULE_ASK

static const VpRule methods[] = {
  { VP_IFACE_OBJECT_MANAGER, "GetManagedObjects", INSPECT },
  { VP_IFACE_MANAGER, "CreateSandbox", MANAGE_HOST },
  { VP_IFACE_MANAGER, "GetSandbox", INSPECT },
  { VP_IFACE_MANAGER, "GetContainer", INSPECT },
  { VP_IFACE_MANAGER, "ListSandboxes", INSPECT },
  { VP_IFACE_MANAGER, "ListContainers", INSPECT },
  { VP_IFACE_MANAGER, "Explain", SECRETS }, /* reads any config.json of the host */
  { VP_IFACE_MANAGER, "GetConfig", INSPECT },
  { VP_IFACE_MANAGER, "Check", MANAGE_HOST }, /* with an option it makes a sandbox */
  { VP_IFACE_MANAGER, "GetStats", INSPECT },
  { VP_IFACE_MANAGER, "Prune", MANAGE_HOST },
  { VP_IFACE_MANAGER, "Drain", CONFIGURE },
  { VP_IFACE_MANAGER, "Reload", CONFIGURE },
  { VP_IFACE_MANAGER, "OpenPrivateConnection", INSPECT },
  { VP_IFACE_SANDBOX, "Start", MANAGE },
  { VP_IFACE_SANDBOX, "Stop", MANAGE },
  { VP_IFACE_SANDBOX, "Delete", MANAGE },
  { VP_IFACE_SANDBOX, "Pause", MANAGE },
  { VP_IFACE_SANDBOX, "Resume", MANAGE },
  { VP_IFACE_SANDBOX, "Wait", INSPECT },
  { VP_IFACE_SANDBOX, "Ping", INSPECT },
  { VP_IFACE_SANDBOX, "CreateContainer", MANAGE_HOST },
  { VP_IFACE_SANDBOX, "ListContainers", INSPECT },
  { VP_IFACE_SANDBOX, "ListDevices", SECRETS },
  { VP_IFACE_SANDBOX, "Update", MANAGE_HOST },
  { VP_IFACE_SANDBOX, "UpdateInterface", MANAGE },
  { VP_IFACE_SANDBOX, "UpdateRoutes", MANAGE },
  { VP_IFACE_SANDBOX, "ListInterfaces", INSPECT },
  { VP_IFACE_SANDBOX, "ListRoutes", INSPECT },
  { VP_IFACE_SANDBOX, "GetIPTables", INSPECT },
  { VP_IFACE_SANDBOX, "SetIPTables", MANAGE },
  { VP_IFACE_SANDBOX, "PortForward", EXEC },
  { VP_IFACE_SANDBOX, "AttachDevice", MANAGE },
  { VP_IFACE_SANDBOX, "DetachDevice", MANAGE },
  { VP_IFACE_SANDBOX, "RescanNetwork", MANAGE },
  { VP_IFACE_SANDBOX, "GetStats", INSPECT },
  { VP_IFACE_SANDBOX, "GetMetrics", INSPECT },
  { VP_IFACE_SANDBOX, "OpenConsole", SECRETS },
  { VP_IFACE_SANDBOX, "GetDomainXML", SECRETS },
  { VP_IFACE_SANDBOX, "GetGuestDetails", INSPECT },
  { VP_IFACE_CONTAINER, "Start", MANAGE },
  { VP_IFACE_CONTAINER, "Kill", MANAGE },
  { VP_IFACE_CONTAINER, "Wait", INSPECT },
  { VP_IFACE_CONTAINER, "Delete", MANAGE },
  { VP_IFACE_CONTAINER, "Pause", MANAGE },
  { VP_IFACE_CONTAINER, "Resume", MANAGE },
  { VP_IFACE_CONTAINER, "Update", MANAGE },
  { VP_IFACE_CONTAINER, "Exec", EXEC },
  { VP_IFACE_CONTAINER, "ExecProcessSpec", EXEC },
  { VP_IFACE_CONTAINER, "Attach", EXEC },
  { VP_IFACE_CONTAINER, "CopyIn", EXEC },
  { VP_IFACE_CONTAINER, "CopyOut", EXEC },
  { VP_IFACE_CONTAINER, "ListPids", INSPECT },
  { VP_IFACE_CONTAINER, "GetStats", INSPECT },
  { VP_IFACE_CONTAINER, "GetState", SECRETS }, /* has the annotations */
  { VP_IFACE_CONTAINER, "GetProcess", INSPECT },
  { VP_IFACE_PROCESS, "Start", EXEC },
  { VP_IFACE_PROCESS, "Wait", INSPECT },
  { VP_IFACE_PROCESS, "Kill", MANAGE },
  { VP_IFACE_PROCESS, "Delete", EXEC },
  { VP_IFACE_PROCESS, "ResizeTty", EXEC },
  { VP_IFACE_PROCESS, "CloseStdin", EXEC },
  { VP_IFACE_JOB, "Cancel", MANAGE },
};

static const VpRule secrets[] = {
  { VP_IFACE_SANDBOX, "Annotations", SECRETS },
  { VP_IFACE_CONTAINER, "Annotations", SECRETS },
};

static const VpRule writable[] = {
  { VP_IFACE_LOG_CONTROL, "LogLevel", CONFIGURE },
  { VP_IFACE_LOG_CONTROL, "LogTarget", CONFIGURE },
};

static const VpRule read_property = { NULL, NULL, INSPECT };
static const VpRule write_property = { NULL, NULL, CONFIGURE };

static const char *const action_ids[VP_N_ACTIONS] = {
  [VP_ACTION_INSPECT] = VP_BUS_NAME ".inspect",
  [VP_ACTION_SECRETS] = VP_BUS_NAME ".secrets",
  [VP_ACTION_MANAGE] = VP_BUS_NAME ".manage",
  [VP_ACTION_EXEC] = VP_BUS_NAME ".exec",
  [VP_ACTION_CONFIGURE] = VP_BUS_NAME ".configure",
};

const char *
vp_action_id (VpAction action)
{
  return action_ids[action];
}

static const VpRule *
find_row (const VpRule *table, gsize n, const char *interface, const char *member)
{
  for (gsize i = 0; i < n; i++)
    if (g_str_equal (table[i].member, member) && g_str_equal (table[i].interface, interface))
      return &table[i];
  return NULL;
}

const VpRule *
vp_rule_find_method (const char *interface, const char *method)
{
  return find_row (methods, G_N_ELEMENTS (methods), interface, method);
}

const VpRule *
vp_rule_find_property (const char *interface, const char *property, gboolean set)
{
  const VpRule *rule = set ? find_row (writable, G_N_ELEMENTS (writable), interface, property)
                           : find_row (secrets, G_N_ELEMENTS (secrets), interface, property);

  if (rule != NULL)
    return rule;
  return set ? &write_property : &read_property;
}

gboolean
vp_rule_is_secret (const char *interface, const char *property)
{
  return find_row (secrets, G_N_ELEMENTS (secrets), interface, property) != NULL;
}

static gboolean
check_property (const char *interface, GDBusPropertyInfo *info, GError **error)
{
  const char *emits
      = g_dbus_annotation_info_lookup (info->annotations, "org.freedesktop.DBus.Property.EmitsChangedSignal");

  if ((info->flags & G_DBUS_PROPERTY_INFO_FLAGS_WRITABLE) != 0
      && find_row (writable, G_N_ELEMENTS (writable), interface, info->name) == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED,
                   "%s.%s: can be written and has no row in the authorisation table", interface, info->name);
      return FALSE;
    }
  if (vp_rule_is_secret (interface, info->name) && g_strcmp0 (emits, "const") != 0
      && g_strcmp0 (emits, "false") != 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED,
                   "%s.%s: is not for everybody, and its changes would be announced", interface, info->name);
      return FALSE;
    }
  return TRUE;
}

gboolean
vp_rule_check_interface (const GDBusInterfaceInfo *info, GError **error)
{
  for (gsize i = 0; info->methods != NULL && info->methods[i] != NULL; i++)
    if (vp_rule_find_method (info->name, info->methods[i]->name) == NULL)
      {
        g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "%s.%s: has no row in the authorisation table",
                     info->name, info->methods[i]->name);
        return FALSE;
      }
  for (gsize i = 0; info->properties != NULL && info->properties[i] != NULL; i++)
    if (!check_property (info->name, info->properties[i], error))
      return FALSE;
  return TRUE;
}
