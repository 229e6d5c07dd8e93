/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include "vp-decision.h"
#include "vp-device.h"
#include "vp-names.h"

#define AGENT_VSOCK_PORT 1024 /* where Kata's agent listens as well */
#define USUAL_QUEUE_SIZE 1024
#define MIB (G_GUINT64_CONSTANT (1) << 20)

/* What the [block] group says of any disk; a driver that cannot is not asked for
 * what nobody chose. Sizes of sectors are not among it: an image was made for one. */
static gboolean
tune_disk (VpPlanning *p, VpDeviceDisk *disk, GError **error)
{
  guint queues = vp_planning_uint (p, VP_CONFIG_BLOCK_QUEUES);

  disk->cache_set = vp_planning_bool (p, VP_CONFIG_BLOCK_CACHE_SET);
  disk->cache_direct = vp_planning_bool (p, VP_CONFIG_BLOCK_CACHE_DIRECT);
  disk->cache_noflush = vp_planning_bool (p, VP_CONFIG_BLOCK_CACHE_NOFLUSH);
  if (disk->cache_set && disk->cache_direct && disk->cache_noflush)
    return vp_planning_not_supported (p, VP_CONFIG_BLOCK_CACHE_NOFLUSH, error,
                                      "libvirt has no cache mode that is direct and ignores flushes");
  if (!vp_config_is_default (p->config, VP_CONFIG_BLOCK_AIO))
    (void)vp_disk_io_from_string (vp_config_get_string (p->config, VP_CONFIG_BLOCK_AIO), &disk->io);
  if (!vp_config_is_default (p->config, VP_CONFIG_BLOCK_QUEUES)
      || vp_driver_can (p->driver, VP_FEATURE_DISK_OPTIONS, p->facts->libvirt_version))
    disk->queues = queues != 0 ? queues : vp_plan_get_max_vcpus (p->plan);
  disk->queue_size = vp_planning_uint (p, VP_CONFIG_BLOCK_QUEUE_SIZE);
  disk->max_bytes_per_second = vp_config_get_uint (p->config, VP_CONFIG_BLOCK_MAX_BYTES_PER_SECOND);
  disk->max_ops_per_second = vp_config_get_uint (p->config, VP_CONFIG_BLOCK_MAX_OPS_PER_SECOND);
  disk->iothread = p->plan->iothreads > 0 ? 1 : 0;
  return TRUE;
}

/* What one guest has read of it, all have: they map the same pages. */
static gboolean
plan_image_as_memory (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_GUEST_IMAGE_DRIVER;
  const char *image = vp_config_get_string (p->config, VP_CONFIG_GUEST_IMAGE);
  VpDevice *device;

  if (g_strcmp0 (p->facts->image, image) != 0)
    return vp_planning_not_supported (p, key, error, "the size of \"%s\" is not known", image);
  /* libvirt rounds up, and the hypervisor does not map what is behind a file's end */
  if (p->facts->image_size == 0 || p->facts->image_size % MIB != 0)
    return vp_planning_not_supported (
        p, key, error, "\"%s\" has %" G_GUINT64_FORMAT " bytes, libvirt's NVDIMMs are whole MiB", image,
        p->facts->image_size);
  device = vp_device_memory_new ("image", VP_MEMORY_NVDIMM, p->facts->image_size);
  device->u.memory.source = g_strdup (image);
  device->u.memory.readonly = TRUE;
  vp_plan_add_device (p->plan, device);
  vp_planning_note (p, "image driver", "nvdimm", key, NULL);
  return TRUE;
}

/* First of the disks: the kernel finds it by its place. */
static gboolean
plan_image (VpPlanning *p, GError **error)
{
  VpDevice *device;

  if (!vp_config_boots_image (p->config))
    return TRUE;
  if (vp_planning_is (p, VP_CONFIG_GUEST_IMAGE_DRIVER, "nvdimm"))
    return plan_image_as_memory (p, error);
  device = vp_device_disk_new ("image", vp_config_get_string (p->config, VP_CONFIG_GUEST_IMAGE),
                               VP_DISK_VIRTIO_BLK);
  /* one file for all guests */
  device->u.disk.readonly = TRUE;
  if (!tune_disk (p, &device->u.disk, error))
    {
      vp_device_free (device);
      return FALSE;
    }
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

static gboolean
plan_agent (VpPlanning *p, GError **error)
{
  g_autofree char *socket = vp_planner_dup_agent_socket (p->plan->directory);
  gboolean vsock = vp_planning_is (p, VP_CONFIG_AGENT_TRANSPORT, "vsock");

  if (vsock && !p->facts->vsock
      && vp_driver_can (p->driver, VP_FEATURE_VSOCK, p->facts->libvirt_version))
    return vp_planning_not_supported (p, VP_CONFIG_AGENT_TRANSPORT, error,
                                      "the host has no /dev/vhost-vsock (is the module vhost_vsock loaded?)");
  if (vsock)
    vp_plan_add_device (p->plan, vp_device_vsock_new ("agent", AGENT_VSOCK_PORT));
  else
    vp_plan_add_device (p->plan, vp_device_channel_new ("agent", VP_CHANNEL_NAME, socket));
  vp_planning_note (p, "agent transport", vp_config_get_string (p->config, VP_CONFIG_AGENT_TRANSPORT),
                    VP_CONFIG_AGENT_TRANSPORT, NULL);
  return TRUE;
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

  if (!plan_image (p, error) || !plan_share (p, error) || !plan_agent (p, error))
    return FALSE;
  plan_console (p);
  vp_plan_add_device (p->plan, vp_device_rng_new ("rng0", entropy));
  vp_planning_note (p, "entropy source", entropy, VP_CONFIG_HYPERVISOR_ENTROPY_SOURCE, NULL);
  return TRUE;
}
