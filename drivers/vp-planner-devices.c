/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include "vp-decision.h"
#include "vp-device.h"
#include "vp-names.h"

#define AGENT_VSOCK_PORT 1024 /* where Kata's agent listens as well */
#define USUAL_QUEUE_SIZE 1024

/* First of the disks: the kernel finds it by its place. */
static gboolean
plan_image (VpPlanning *p, GError **error)
{
  VpDevice *device;

  if (!vp_config_boots_image (p->config))
    return TRUE;
  if (vp_planning_is (p, VP_CONFIG_GUEST_IMAGE_DRIVER, "nvdimm"))
    return vp_planning_not_supported (p, VP_CONFIG_GUEST_IMAGE_DRIVER, error,
                                      "the size of the image would have to be known");
  device = vp_device_disk_new ("image", vp_config_get_string (p->config, VP_CONFIG_GUEST_IMAGE),
                               VP_DISK_VIRTIO_BLK);
  /* one file for all guests */
  device->u.disk.readonly = TRUE;
  vp_plan_add_device (p->plan, device);
  return TRUE;
}

static gboolean
plan_share (VpPlanning *p, GError **error)
{
  g_autofree char *directory = vp_planner_dup_share_dir (p->plan->directory);
  int threads = (int)vp_config_get_int (p->config, VP_CONFIG_SHARE_THREAD_POOL_SIZE);
  VpDevice *device;

  vp_planning_note (p, "share", vp_config_get_string (p->config, VP_CONFIG_SHARE_TYPE), VP_CONFIG_SHARE_TYPE,
                    NULL);
  if (vp_planning_is (p, VP_CONFIG_SHARE_TYPE, "none"))
    return TRUE;
  if (p->driver->runs_guests && !p->facts->virtiofs && vp_driver_can (p->driver, VP_FEATURE_SHARE, 0))
    return vp_planning_not_supported (p, VP_CONFIG_SHARE_TYPE, error,
                                      "the hypervisor offers no virtiofs (is virtiofsd installed?)");
  device = vp_device_share_new ("share0", VP_SHARE_TAG, directory);
  device->u.share.daemon = vp_planning_dup (p, VP_CONFIG_SHARE_DAEMON);
  if (vp_planning_uint (p, VP_CONFIG_SHARE_QUEUE_SIZE) != USUAL_QUEUE_SIZE)
    device->u.share.queue_size = vp_planning_uint (p, VP_CONFIG_SHARE_QUEUE_SIZE);
  (void)vp_share_cache_from_string (vp_config_get_string (p->config, VP_CONFIG_SHARE_CACHE),
                                    &device->u.share.cache);
  if (threads > 0)
    device->u.share.threads = (guint)threads;
  device->u.share.no_threads = threads == 0;
  if (!vp_planning_is (p, VP_CONFIG_SHARE_SANDBOX, "auto"))
    device->u.share.sandbox = vp_planning_dup (p, VP_CONFIG_SHARE_SANDBOX);
  vp_plan_add_device (p->plan, device);
  vp_planning_note_chosen (p, "share cache", vp_config_get_string (p->config, VP_CONFIG_SHARE_CACHE),
                           VP_CONFIG_SHARE_CACHE, NULL);
  vp_planning_note_chosen (p, "share threads",
                           vp_config_get_string (p->config, VP_CONFIG_SHARE_THREAD_POOL_SIZE),
                           VP_CONFIG_SHARE_THREAD_POOL_SIZE, NULL);
  vp_planning_note_chosen (p, "share sandbox", vp_config_get_string (p->config, VP_CONFIG_SHARE_SANDBOX),
                           VP_CONFIG_SHARE_SANDBOX, NULL);
  return TRUE;
}

static void
plan_agent (VpPlanning *p)
{
  g_autofree char *socket = vp_planner_dup_agent_socket (p->plan->directory);

  if (vp_planning_is (p, VP_CONFIG_AGENT_TRANSPORT, "vsock"))
    vp_plan_add_device (p->plan, vp_device_vsock_new ("agent", AGENT_VSOCK_PORT));
  else
    vp_plan_add_device (p->plan, vp_device_channel_new ("agent", VP_CHANNEL_NAME, socket));
  vp_planning_note (p, "agent transport", vp_config_get_string (p->config, VP_CONFIG_AGENT_TRANSPORT),
                    VP_CONFIG_AGENT_TRANSPORT, NULL);
}

static void
plan_console (VpPlanning *p)
{
  g_autofree char *socket = vp_planner_dup_console_socket (p->plan->directory);
  g_autofree char *log = vp_planner_dup_console_log (p->plan->directory);
  VpDevice *device;

  if (!vp_planning_bool (p, VP_CONFIG_CONSOLE_ENABLED))
    {
      vp_planning_note (p, "console", "none", VP_CONFIG_CONSOLE_ENABLED, NULL);
      return;
    }
  device = vp_device_console_new ("console", socket, log,
                                  vp_config_get_uint (p->config, VP_CONFIG_CONSOLE_MAX_BYTES));
  if (!vp_planning_bool (p, VP_CONFIG_CONSOLE_SERIAL))
    device->u.console.model = VP_CONSOLE_VIRTIO;
  vp_planning_note (p, "console", device->u.console.model == VP_CONSOLE_VIRTIO ? "virtio" : "serial",
                    VP_CONFIG_CONSOLE_SERIAL, NULL);
  vp_plan_add_device (p->plan, device);
}

gboolean
vp_planner_plan_devices (VpPlanning *p, GError **error)
{
  const char *entropy = vp_config_get_string (p->config, VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE);

  if (!plan_image (p, error) || !plan_share (p, error))
    return FALSE;
  plan_agent (p);
  plan_console (p);
  vp_plan_add_device (p->plan, vp_device_rng_new ("rng0", entropy));
  vp_planning_note (p, "entropy source", entropy, VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE, NULL);
  return TRUE;
}
