/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include "vp-decision.h"

const char *
vp_accel_to_string (VpAccel accel)
{
  static const char *const names[] = { "none", "tcg", "kvm" };

  return names[accel];
}

const char *
vp_device_kind_to_string (VpDeviceKind kind)
{
  static const char *const names[] = { "share", "channel", "console", "rng" };

  G_STATIC_ASSERT (G_N_ELEMENTS (names) == VP_N_DEVICE_KINDS);
  return names[kind];
}

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
    case VP_N_DEVICE_KINDS:
      break;
    }
  g_free (device->id);
  g_free (device);
}

static void
storage_free (gpointer data)
{
  VpGuestStorage *storage = data;

  g_free (storage->driver);
  g_free (storage->source);
  g_free (storage->fstype);
  g_free (storage->mount_point);
  g_strfreev (storage->options);
  g_strfreev (storage->driver_options);
  g_free (storage);
}

VpPlan *
vp_plan_new (void)
{
  VpPlan *plan = g_atomic_rc_box_new0 (VpPlan);

  plan->devices = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_device_free);
  plan->storages = g_ptr_array_new_with_free_func (storage_free);
  plan->dns = g_new0 (char *, 1);
  plan->decisions = vp_decisions_new ();
  return plan;
}

VpPlan *
vp_plan_ref (VpPlan *plan)
{
  return g_atomic_rc_box_acquire (plan);
}

static void
plan_clear (gpointer data)
{
  VpPlan *plan = data;

  g_free (plan->sandbox_id);
  g_free (plan->handler);
  g_free (plan->uuid);
  g_free (plan->domain_name);
  g_free (plan->directory);
  g_free (plan->arch);
  g_free (plan->machine);
  g_free (plan->cpu_model);
  g_free (plan->emulator);
  g_free (plan->kernel);
  g_free (plan->initrd);
  g_free (plan->cmdline);
  g_free (plan->hostname);
  g_strfreev (plan->dns);
  g_ptr_array_unref (plan->devices);
  g_ptr_array_unref (plan->storages);
  g_ptr_array_unref (plan->decisions);
}

void
vp_plan_unref (VpPlan *plan)
{
  if (plan != NULL)
    g_atomic_rc_box_release_full (plan, plan_clear);
}

void
vp_plan_add_device (VpPlan *plan, VpDevice *device)
{
  g_ptr_array_add (plan->devices, device);
}

VpGuestStorage *
vp_plan_add_storage (VpPlan *plan, const char *driver, const char *source, const char *fstype,
                     const char *mount_point, const char *const *options)
{
  VpGuestStorage *storage = g_new0 (VpGuestStorage, 1);

  storage->driver = g_strdup (driver);
  storage->source = g_strdup (source);
  storage->fstype = g_strdup (fstype);
  storage->mount_point = g_strdup (mount_point);
  storage->options = options != NULL ? g_strdupv ((char **)options) : g_new0 (char *, 1);
  storage->driver_options = g_new0 (char *, 1);
  g_ptr_array_add (plan->storages, storage);
  return storage;
}

const VpDevice *
vp_plan_find_device (const VpPlan *plan, VpDeviceKind kind)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (device->kind == kind)
        return device;
    }
  return NULL;
}

/* ---- text ------------------------------------------------------------------- */

static void
add_line (GString *text, const char *key, const char *value)
{
  g_string_append_printf (text, "%s: %s\n", key, value ?: "-");
}

static void
add_device (GString *text, const VpDevice *device)
{
  g_string_append_printf (text, "device: %s %s", vp_device_kind_to_string (device->kind), device->id);
  switch (device->kind)
    {
    case VP_DEVICE_SHARE:
      g_string_append_printf (text, " tag=%s source=%s", device->u.share.tag, device->u.share.source);
      break;
    case VP_DEVICE_CHANNEL:
      g_string_append_printf (text, " name=%s socket=%s", device->u.channel.name, device->u.channel.socket);
      break;
    case VP_DEVICE_CONSOLE:
      g_string_append_printf (text, " socket=%s log=%s max-bytes=%" G_GUINT64_FORMAT,
                              device->u.console.socket, device->u.console.log, device->u.console.max_bytes);
      break;
    case VP_DEVICE_RNG:
      g_string_append_printf (text, " source=%s", device->u.rng.source);
      break;
    case VP_N_DEVICE_KINDS:
      break;
    }
  g_string_append_c (text, '\n');
}

static void
add_storage (GString *text, const VpGuestStorage *storage)
{
  g_autofree char *options = g_strjoinv (",", storage->options);

  g_string_append_printf (text, "storage: %s source=%s fstype=%s mount-point=%s options=%s\n",
                          storage->driver, storage->source, storage->fstype, storage->mount_point, options);
}

char *
vp_plan_to_text (const VpPlan *plan)
{
  GString *text = g_string_new (NULL);
  g_autofree char *dns = g_strjoinv (", ", plan->dns);

  add_line (text, "sandbox", plan->sandbox_id);
  add_line (text, "handler", plan->handler);
  add_line (text, "uuid", plan->uuid);
  add_line (text, "domain", plan->domain_name);
  add_line (text, "directory", plan->directory);
  add_line (text, "accelerator", vp_accel_to_string (plan->accel));
  add_line (text, "arch", plan->arch);
  add_line (text, "machine", plan->machine);
  add_line (text, "cpu-model", plan->cpu_model);
  add_line (text, "emulator", plan->emulator);
  g_string_append_printf (text, "vcpus: %u\n", plan->vcpus);
  g_string_append_printf (text, "memory: %" G_GUINT64_FORMAT "\n", plan->memory);
  g_string_append_printf (text, "hotplug-ports: %u\n", plan->hotplug_ports);
  add_line (text, "kernel", plan->kernel);
  add_line (text, "initrd", plan->initrd);
  add_line (text, "cmdline", plan->cmdline);
  for (guint i = 0; i < plan->devices->len; i++)
    add_device (text, g_ptr_array_index (plan->devices, i));
  add_line (text, "hostname", plan->hostname);
  add_line (text, "dns", dns);
  add_line (text, "sandbox-pidns", plan->sandbox_pidns ? "yes" : "no");
  for (guint i = 0; i < plan->storages->len; i++)
    add_storage (text, g_ptr_array_index (plan->storages, i));
  return g_string_free (text, FALSE);
}
