/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

#include "vp-names.h"

VpDevice *
vp_device_share_new (const char *id, const char *tag, const char *source)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_SHARE;
  device->id = g_strdup (id);
  device->u.share.tag = g_strdup (tag);
  device->u.share.source = g_strdup (source);
  return device;
}

#define QUEUE_SIZE 1024

/* Anything to say to the daemon that is not its own choice already? */
static gboolean
needs_binary (const VpDeviceShare *share, const char *mode)
{
  return share->daemon != NULL || mode != NULL || share->threads > 0 || share->no_threads
         || share->sandbox != NULL || share->xattr || share->posix_locks;
}

static gboolean
emit_daemon (const VpDeviceShare *share, xmlNode *filesystem, GError **error)
{
  /* the daemon's own "auto" is what an absent element means */
  static const char *const modes[] = { NULL, "none", NULL, "always" };
  const char *mode = modes[share->cache];
  xmlNode *binary, *node;

  if (!needs_binary (share, mode))
    return TRUE;
  binary = vp_xml_child (filesystem, "binary");
  if (share->daemon != NULL && !vp_xml_set (binary, "path", share->daemon, error))
    return FALSE;
  if (share->xattr)
    vp_xml_set_word (binary, "xattr", "on");
  if (mode != NULL)
    vp_xml_set_word (vp_xml_child (binary, "cache"), "mode", mode);
  if (share->sandbox != NULL && !vp_xml_set (vp_xml_child (binary, "sandbox"), "mode", share->sandbox, error))
    return FALSE;
  if (share->posix_locks)
    {
      node = vp_xml_child (binary, "lock");
      vp_xml_set_word (node, "posix", "on");
      vp_xml_set_word (node, "flock", "on");
    }
  if (share->threads > 0 || share->no_threads)
    vp_xml_set_number (vp_xml_child (binary, "thread_pool"), "size", share->threads);
  return TRUE;
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  const VpDeviceShare *share = &device->u.share;
  xmlNode *filesystem = vp_xml_child (devices, "filesystem"), *node;

  vp_xml_set_word (filesystem, "type", "mount");
  /* owners and modes of a root file system must be what they are */
  vp_xml_set_word (filesystem, "accessmode", "passthrough");
  node = vp_xml_child (filesystem, "driver");
  vp_xml_set_word (node, "type", "virtiofs");
  vp_xml_set_number (node, "queue", share->queue_size > 0 ? share->queue_size : QUEUE_SIZE);
  /* never behind the IOMMU: virtiofsd does not offer to translate, and QEMU would not start */
  if (!emit_daemon (share, filesystem, error))
    return FALSE;
  node = vp_xml_child (filesystem, "source");
  if (!vp_xml_set (node, "dir", share->source, error))
    return FALSE;
  node = vp_xml_child (filesystem, "target");
  return vp_xml_set (node, "dir", share->tag, error);
}

static void
emit_guest (const VpDevice *device, VpPlan *plan)
{
  vp_plan_add_storage (plan, "virtio-fs", device->u.share.tag, "virtiofs", VP_GUEST_SHARED_DIR, NULL);
}

const VpDeviceOps vp_device_share = {
  .kind = VP_DEVICE_SHARE,
  .n_ports = 1,
  .emit_xml = emit_xml,
  .emit_guest = emit_guest,
};
