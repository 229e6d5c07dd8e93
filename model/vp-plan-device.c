/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan-device.h"

/* ---- words ------------------------------------------------------------------ */

static gboolean
find_word (const char *const *words, guint n, const char *text, guint *ret_index)
{
  for (guint i = 0; i < n; i++)
    {
      if (g_strcmp0 (words[i], text) == 0)
        {
          *ret_index = i;
          return TRUE;
        }
    }
  return FALSE;
}

static const char *const kinds[] = { "share", "channel", "console", "rng", "vsock", "disk", "nic", "memory" };
G_STATIC_ASSERT (G_N_ELEMENTS (kinds) == VP_N_DEVICE_KINDS);

static const char *const share_caches[] = { "auto", "never", "metadata", "always" };
static const char *const disk_buses[] = { "virtio-blk", "virtio-scsi" };
static const char *const disk_ios[] = { "default", "native", "threads", "io_uring" };
static const char *const nic_backends[] = { "tap", "macvtap", "user", "passt" };
static const char *const memory_models[] = { "dimm", "virtio-mem", "nvdimm", "sgx-epc" };

const char *
vp_device_kind_to_string (VpDeviceKind kind)
{
  return kinds[kind];
}

const char *
vp_share_cache_to_string (VpShareCache cache)
{
  return share_caches[cache];
}

gboolean
vp_share_cache_from_string (const char *text, VpShareCache *ret_cache)
{
  guint i;

  if (!find_word (share_caches, G_N_ELEMENTS (share_caches), text, &i))
    return FALSE;
  *ret_cache = (VpShareCache)i;
  return TRUE;
}

const char *
vp_disk_bus_to_string (VpDiskBus bus)
{
  return disk_buses[bus];
}

gboolean
vp_disk_bus_from_string (const char *text, VpDiskBus *ret_bus)
{
  guint i;

  if (!find_word (disk_buses, G_N_ELEMENTS (disk_buses), text, &i))
    return FALSE;
  *ret_bus = (VpDiskBus)i;
  return TRUE;
}

const char *
vp_disk_io_to_string (VpDiskIo io)
{
  return disk_ios[io];
}

gboolean
vp_disk_io_from_string (const char *text, VpDiskIo *ret_io)
{
  guint i;

  if (!find_word (disk_ios, G_N_ELEMENTS (disk_ios), text, &i))
    return FALSE;
  *ret_io = (VpDiskIo)i;
  return TRUE;
}

const char *
vp_nic_backend_to_string (VpNicBackend backend)
{
  return nic_backends[backend];
}

gboolean
vp_nic_backend_is_user (VpNicBackend backend)
{
  return backend == VP_NIC_USER || backend == VP_NIC_PASST;
}

const char *
vp_memory_model_to_string (VpMemoryModel model)
{
  return memory_models[model];
}

/* ---- freeing ---------------------------------------------------------------- */

void
vp_device_free (VpDevice *device)
{
  if (device == NULL)
    return;
  switch (device->kind)
    {
    case VP_DEVICE_SHARE:
      g_free (device->u.share.tag);
      g_free (device->u.share.source);
      g_free (device->u.share.daemon);
      g_free (device->u.share.sandbox);
      break;
    case VP_DEVICE_CHANNEL:
      g_free (device->u.channel.name);
      g_free (device->u.channel.socket);
      break;
    case VP_DEVICE_CONSOLE:
      g_free (device->u.console.socket);
      g_free (device->u.console.log);
      break;
    case VP_DEVICE_RNG:
      g_free (device->u.rng.source);
      break;
    case VP_DEVICE_DISK:
      g_free (device->u.disk.source);
      g_free (device->u.disk.format);
      g_free (device->u.disk.serial);
      break;
    case VP_DEVICE_NIC:
      g_free (device->u.nic.dev);
      g_free (device->u.nic.address);
      g_free (device->u.nic.mac);
      break;
    case VP_DEVICE_MEMORY:
      g_free (device->u.memory.source);
      break;
    case VP_DEVICE_VSOCK:
    case VP_N_DEVICE_KINDS:
      break;
    }
  g_free (device->id);
  g_free (device);
}

/* ---- text ------------------------------------------------------------------- */

static void
add_word (GString *text, const char *key, const char *value)
{
  if (value != NULL)
    g_string_append_printf (text, " %s=%s", key, value);
}

static void
add_number (GString *text, const char *key, guint64 value)
{
  if (value != 0)
    g_string_append_printf (text, " %s=%" G_GUINT64_FORMAT, key, value);
}

static void
add_flag (GString *text, const char *key, gboolean value)
{
  if (value)
    g_string_append_printf (text, " %s", key);
}

static void
add_share (GString *text, const VpDeviceShare *share)
{
  add_word (text, "tag", share->tag);
  add_word (text, "source", share->source);
  add_word (text, "daemon", share->daemon);
  if (share->cache != VP_SHARE_CACHE_AUTO)
    add_word (text, "cache", vp_share_cache_to_string (share->cache));
  add_number (text, "queue-size", share->queue_size);
  add_number (text, "threads", share->threads);
  add_flag (text, "no-threads", share->no_threads);
  add_word (text, "sandbox", share->sandbox);
  add_flag (text, "xattr", share->xattr);
  add_flag (text, "posix-locks", share->posix_locks);
  add_number (text, "dax-bytes", share->dax_bytes);
}

static void
add_console (GString *text, const VpDeviceConsole *console)
{
  add_word (text, "socket", console->socket);
  add_word (text, "log", console->log);
  g_string_append_printf (text, " max-bytes=%" G_GUINT64_FORMAT, console->max_bytes);
  add_flag (text, "virtio", console->model == VP_CONSOLE_VIRTIO);
}

static void
add_vsock (GString *text, const VpDeviceVsock *vsock)
{
  if (vsock->cid == 0)
    add_word (text, "cid", "auto");
  add_number (text, "cid", vsock->cid);
  add_number (text, "port", vsock->port);
}

static void
add_disk (GString *text, const VpDeviceDisk *disk)
{
  add_word (text, "source", disk->source);
  add_word (text, "bus", vp_disk_bus_to_string (disk->bus));
  add_word (text, "format", disk->format);
  add_flag (text, "block", disk->is_block);
  add_flag (text, "readonly", disk->readonly);
  add_flag (text, "shareable", disk->shareable);
  if (disk->cache_set)
    g_string_append_printf (text, " cache=%s%s", disk->cache_direct ? "direct" : "host",
                            disk->cache_noflush ? ",noflush" : "");
  if (disk->io != VP_DISK_IO_DEFAULT)
    add_word (text, "io", vp_disk_io_to_string (disk->io));
  add_flag (text, "discard", disk->discard);
  add_number (text, "iothread", disk->iothread);
  add_number (text, "queues", disk->queues);
  add_number (text, "queue-size", disk->queue_size);
  add_number (text, "logical-block", disk->logical_block);
  add_number (text, "physical-block", disk->physical_block);
  add_number (text, "max-bytes-per-second", disk->max_bytes_per_second);
  add_number (text, "max-ops-per-second", disk->max_ops_per_second);
  add_word (text, "serial", disk->serial);
}

static void
add_nic (GString *text, const VpDeviceNic *nic)
{
  add_word (text, "backend", vp_nic_backend_to_string (nic->backend));
  add_word (text, "dev", nic->dev);
  add_word (text, "address", nic->address);
  add_number (text, "prefix", nic->prefix);
  add_word (text, "mac", nic->mac);
  add_number (text, "mtu", nic->mtu);
  add_number (text, "queues", nic->queues);
  add_flag (text, "no-vhost", nic->no_vhost);
  add_number (text, "rx-rate", nic->rx_rate);
  add_number (text, "tx-rate", nic->tx_rate);
  add_flag (text, "shaped-by-daemon", nic->shaped_by_daemon);
}

static void
add_memory (GString *text, const VpDeviceMemory *memory)
{
  add_word (text, "model", vp_memory_model_to_string (memory->model));
  add_number (text, "size", memory->size);
  add_number (text, "requested", memory->requested);
  add_number (text, "block", memory->block);
  add_word (text, "source", memory->source);
  add_flag (text, "readonly", memory->readonly);
}

void
vp_device_append_text (const VpDevice *device, GString *text)
{
  g_string_append_printf (text, "%s %s", vp_device_kind_to_string (device->kind), device->id);
  switch (device->kind)
    {
    case VP_DEVICE_SHARE:
      add_share (text, &device->u.share);
      break;
    case VP_DEVICE_CHANNEL:
      add_word (text, "name", device->u.channel.name);
      add_word (text, "socket", device->u.channel.socket);
      break;
    case VP_DEVICE_CONSOLE:
      add_console (text, &device->u.console);
      break;
    case VP_DEVICE_RNG:
      add_word (text, "source", device->u.rng.source);
      break;
    case VP_DEVICE_VSOCK:
      add_vsock (text, &device->u.vsock);
      break;
    case VP_DEVICE_DISK:
      add_disk (text, &device->u.disk);
      break;
    case VP_DEVICE_NIC:
      add_nic (text, &device->u.nic);
      break;
    case VP_DEVICE_MEMORY:
      add_memory (text, &device->u.memory);
      break;
    case VP_N_DEVICE_KINDS:
      break;
    }
}
