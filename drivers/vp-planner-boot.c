/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest boots, and the files that have to be what they claim to be. */
#include "vp-planner-private.h"

#include "vp-decision.h"
#include "vp-error.h"

/* Keys that name something on the host. */
typedef struct
{
  VpConfigKey key;
  VpPathKind kind;
} HostPath;

static const HostPath host_paths[] = {
  { VP_CONFIG_GUEST_KERNEL, VP_PATH_FILE },        { VP_CONFIG_GUEST_INITRD, VP_PATH_FILE },
  { VP_CONFIG_GUEST_IMAGE, VP_PATH_DISK },         { VP_CONFIG_GUEST_FIRMWARE, VP_PATH_FILE },
  { VP_CONFIG_GUEST_FIRMWARE_VARS, VP_PATH_FILE }, { VP_CONFIG_HYPERVISOR_EMULATOR, VP_PATH_EXECUTABLE },
  { VP_CONFIG_SHARE_DAEMON, VP_PATH_EXECUTABLE },  { VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE, VP_PATH_CHAR },
};

/* The file a key comes to, NULL when nothing uses it. */
static const char *
used_path (VpPlanning *p, VpConfigKey key)
{
  const char *path = vp_config_get_string (p->config, key);
  gboolean image = vp_config_boots_image (p->config);

  if (key == VP_CONFIG_HYPERVISOR_EMULATOR && path[0] == '\0')
    path = p->facts->emulator != NULL ? p->facts->emulator : "";
  if (path[0] == '\0' || (key == VP_CONFIG_GUEST_INITRD && image) || (key == VP_CONFIG_GUEST_IMAGE && !image)
      || (key == VP_CONFIG_SHARE_DAEMON && vp_planning_is (p, VP_CONFIG_SHARE_TYPE, "none")))
    return NULL;
  return path;
}

static VpPathCheck *
find_check (VpPlan *plan, const char *path)
{
  for (guint i = 0; i < plan->paths->len; i++)
    {
      VpPathCheck *check = g_ptr_array_index (plan->paths, i);

      if (g_str_equal (check->path, path))
        return check;
    }
  return NULL;
}

static void
add_check (VpPlanning *p, const HostPath *host)
{
  const char *path = used_path (p, host->key);
  const char *source = vp_config_get_source (p->config, host->key);

  /* what libvirt chose for itself it looks after itself */
  if (path == NULL || (host->key == VP_CONFIG_HYPERVISOR_EMULATOR && p->plan->emulator == NULL))
    return;
  vp_plan_add_path (p->plan, path, host->kind,
                    g_str_has_prefix (source, "annotation ") ? source : vp_config_key_name (host->key));
}

static gboolean
add_digest (VpPlanning *p, const VpAnnotationDigest *digest, GError **error)
{
  const char *path = used_path (p, digest->key);
  VpPathCheck *check;
  g_autofree char *what = g_strconcat ("annotation ", digest->name, NULL);

  if (path == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: the sandbox uses no %s", what,
                   vp_config_key_name (digest->key));
      return FALSE;
    }
  check = find_check (p->plan, path);
  if (check == NULL)
    check = vp_plan_add_path (p->plan, path, VP_PATH_FILE, what);
  if (check->sha512 != NULL && !g_str_equal (check->sha512, digest->sha512))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "%s: another annotation gives \"%s\" another one", what, path);
      return FALSE;
    }
  if (check->sha512 == NULL)
    check->sha512 = g_strdup (digest->sha512);
  return TRUE;
}

static gboolean
check_verity (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_GUEST_VERITY_PARAMS;

  return vp_config_get_string (p->config, key)[0] == '\0' || vp_config_boots_image (p->config)
         || !g_str_has_prefix (vp_config_get_source (p->config, key), "annotation ")
         || vp_planning_invalid (p, key, error, "the guest boots an initrd, which has no such protection");
}

static void
note_boot (VpPlanning *p)
{
  gboolean image = vp_config_boots_image (p->config);
  VpConfigKey root = image ? VP_CONFIG_GUEST_IMAGE : VP_CONFIG_GUEST_INITRD;

  if (p->plan->kernel != NULL)
    vp_planning_note (p, "kernel", p->plan->kernel, VP_CONFIG_GUEST_KERNEL, NULL);
  if (used_path (p, root) != NULL)
    vp_planning_note (p, image ? "image" : "initrd", used_path (p, root), root, NULL);
  if (p->plan->firmware != NULL)
    vp_planning_note (p, "firmware", p->plan->firmware, VP_CONFIG_GUEST_FIRMWARE, NULL);
  if (p->plan->emulator != NULL)
    vp_planning_note (p, "emulator", p->plan->emulator, VP_CONFIG_HYPERVISOR_EMULATOR, NULL);
}

gboolean
vp_planner_plan_boot (VpPlanning *p, GError **error)
{
  VpPlan *plan = p->plan;

  plan->kernel = vp_planning_dup (p, VP_CONFIG_GUEST_KERNEL);
  plan->initrd = g_strdup (used_path (p, VP_CONFIG_GUEST_INITRD));
  plan->firmware = vp_planning_dup (p, VP_CONFIG_GUEST_FIRMWARE);
  plan->firmware_volume = vp_planning_dup (p, VP_CONFIG_GUEST_FIRMWARE_VARS);
  plan->emulator = vp_planning_dup (p, VP_CONFIG_HYPERVISOR_EMULATOR);
  if (plan->kernel == NULL && plan->firmware == NULL)
    return vp_planning_invalid (p, VP_CONFIG_GUEST_KERNEL, error, "is empty, and no firmware boots another");
  if (plan->firmware_volume != NULL && plan->firmware == NULL)
    return vp_planning_invalid (p, VP_CONFIG_GUEST_FIRMWARE_VARS, error,
                                "there is no firmware that has variables");
  if (plan->kernel == NULL && plan->initrd != NULL)
    return vp_planning_invalid (p, VP_CONFIG_GUEST_INITRD, error,
                                "needs a kernel, firmware does not load it");
  if (!check_verity (p, error))
    return FALSE;
  note_boot (p);
  /* a domain that is make-believe needs no files */
  if (!p->driver->runs_guests)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (host_paths); i++)
    add_check (p, &host_paths[i]);
  for (guint i = 0; i < p->digests->len; i++)
    {
      if (!add_digest (p, g_ptr_array_index (p->digests, i), error))
        return FALSE;
    }
  return TRUE;
}
