/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's half of a plan, and files of the host that all guests see. */
#include "vp-planner-private.h"

#include <string.h>

#include "vp-annotation.h"
#include "vp-decision.h"
#include "vp-device.h"
#include "vp-error.h"
#include "vp-names.h"

#define MODULE_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"

/* QEMU's user-mode network has a server of its own, which asks the host's. */
static const char *const user_dns[] = { "10.0.2.3", NULL };

/* What answers in the sandbox's network whatever the host's servers are; NULL: nothing. */
static const char *const *
find_own_dns (const VpPlanning *p)
{
  const VpDevice *nic = vp_plan_find_device (p->plan, VP_DEVICE_NIC);

  if (nic != NULL && nic->u.nic.backend == VP_NIC_PASST)
    return vp_uplink_get_dns (p->facts->uplink);
  return nic != NULL && nic->u.nic.backend == VP_NIC_USER ? user_dns : NULL;
}

static void
plan_dns (VpPlanning *p)
{
  const char *const *lines = vp_spec_get_dns (p->spec);
  const char *const *chosen = vp_config_get_list (p->config, VP_CONFIG_GUEST_DNS);
  const char *const *own = chosen[0] == NULL ? find_own_dns (p) : NULL;
  const char *const *servers = own != NULL ? own : chosen;
  GPtrArray *dns;

  if (lines[0] != NULL || servers[0] == NULL)
    {
      g_strfreev (p->plan->dns);
      p->plan->dns = g_strdupv ((char **)lines);
      return;
    }
  dns = g_ptr_array_new ();
  for (; *servers != NULL; servers++)
    g_ptr_array_add (dns, g_strconcat ("nameserver ", *servers, NULL));
  g_ptr_array_add (dns, NULL);
  g_strfreev (p->plan->dns);
  p->plan->dns = (char **)g_ptr_array_free (dns, FALSE);
  if (chosen[0] != NULL)
    vp_planning_note (p, "dns", vp_config_get_string (p->config, VP_CONFIG_GUEST_DNS), VP_CONFIG_GUEST_DNS,
                    "the bundle brings none");
}

/* ---- what the agent does before containers start ---------------------------- */

static gboolean
plan_modules (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_AGENT_KERNEL_MODULES;
  const char *const *modules = vp_config_get_list (p->config, key);

  for (guint i = 0; modules[i] != NULL; i++)
    {
      gsize n = strspn (modules[i], MODULE_CHARS);

      if (n == 0 || (modules[i][n] != '\0' && modules[i][n] != ' ' && modules[i][n] != '\t'))
        {
          g_autofree char *shown = vp_error_shown (modules[i]);

          return vp_planning_invalid (p, key, error, "\"%s\" does not begin with the name of a module", shown);
        }
    }
  g_strfreev (p->plan->kernel_modules);
  p->plan->kernel_modules = g_strdupv ((char **)modules);
  if (modules[0] != NULL)
    vp_planning_note (p, "kernel modules", vp_config_get_string (p->config, key), key,
                      "an agent that loads none refuses the sandbox");
  return TRUE;
}

static void
plan_hooks (VpPlanning *p)
{
  p->plan->guest_hook_dir = vp_planning_dup (p, VP_CONFIG_GUEST_HOOK_DIR);
  if (p->plan->guest_hook_dir != NULL)
    vp_planning_note (p, "guest hooks", p->plan->guest_hook_dir, VP_CONFIG_GUEST_HOOK_DIR,
                      "an agent that runs none refuses the sandbox");
}

/* ---- files of the host in every guest --------------------------------------- */

static gboolean
add_bind (VpPlanning *p, const char *item, GError **error)
{
  const VpConfigKey key = VP_CONFIG_RUNTIME_SANDBOX_BIND_MOUNTS;
  gboolean writable = g_str_has_suffix (item, ":rw");
  gboolean marked = writable || g_str_has_suffix (item, ":ro");
  g_autofree char *source = g_strndup (item, strlen (item) - (marked ? strlen (":rw") : 0));
  g_autofree char *name = g_path_get_basename (source);
  g_autofree char *target = g_build_filename (VP_DIR_SANDBOX_MOUNTS, name, NULL);
  VpHostBind *bind;

  if (g_str_equal (name, "/") || g_str_equal (name, ".."))
    return vp_planning_invalid (p, key, error, "\"%s\" has no name to appear by", source);
  for (guint i = 0; i < p->plan->binds->len; i++)
    {
      const VpHostBind *other = g_ptr_array_index (p->plan->binds, i);

      if (g_str_equal (other->target, target))
        return vp_planning_invalid (p, key, error, "\"%s\" and \"%s\" would appear by the same name",
                                    other->source, source);
    }
  bind = vp_host_bind_new (vp_config_key_name (key), source, target);
  bind->read_only = !writable;
  bind->recursive = TRUE;
  g_ptr_array_add (p->plan->binds, bind);
  return TRUE;
}

static gboolean
plan_binds (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_RUNTIME_SANDBOX_BIND_MOUNTS;
  const char *const *items = vp_config_get_list (p->config, key);

  if (items[0] == NULL)
    return TRUE;
  if (vp_plan_find_device (p->plan, VP_DEVICE_SHARE) == NULL)
    return vp_planning_not_supported (p, key, error, "there is no share to show them by (%s)",
                                      vp_config_key_name (VP_CONFIG_SHARE_TYPE));
  for (; *items != NULL; items++)
    {
      if (!add_bind (p, *items, error))
        return FALSE;
    }
  vp_planning_note (p, "sandbox bind mounts", vp_config_get_string (p->config, key), key,
                    "below " VP_GUEST_SHARED_DIR "/" VP_DIR_SANDBOX_MOUNTS);
  return TRUE;
}

/* What engines make for a pod, and let its containers join, is what the guest makes for the
 * sandbox. Whose processes another container's would be, outside of a pod, is not here. */
static gboolean
plan_namespaces (VpPlanning *p, GError **error)
{
  VpContainerType type;

  if (!vp_annotation_get_container_type (p->spec, &type, error)
      || (type == VP_CONTAINER_SINGLE && !vp_spec_check_namespaces_alone (p->spec, error)))
    return FALSE;
  p->plan->sandbox_pidns = vp_spec_get_namespace_path (p->spec, "pid") != NULL;
  return TRUE;
}

/* ---- the whole -------------------------------------------------------------- */

gboolean
vp_planner_plan_guest (VpPlanning *p, GError **error)
{
  VpPlan *plan = p->plan;
  g_autofree char *size = g_strdup_printf ("size=%" G_GUINT64_FORMAT, vp_spec_get_shm_size (p->spec));
  const char *const shm_options[] = { "noexec", "nosuid", "nodev", "mode=1777", size, NULL };

  plan->hostname = vp_spec_dup_guest_hostname (p->spec);
  plan_dns (p);
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);
      const VpDeviceOps *ops = vp_device_ops (device->kind);

      if (ops->emit_guest != NULL)
        ops->emit_guest (device, plan);
    }
  vp_plan_add_storage (plan, "ephemeral", "shm", "tmpfs", VP_GUEST_SHM_DIR, shm_options);
  plan_hooks (p);
  return plan_namespaces (p, error) && plan_modules (p, error) && plan_binds (p, error);
}
