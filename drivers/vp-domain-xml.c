/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-domain-xml.h"

#include "vp-device.h"
#include "vp-error.h"
#include "vp-names.h"

#define KIB 1024

static gboolean
add_metadata (xmlNode *domain, const VpPlan *plan, GError **error)
{
  xmlNode *metadata = vp_xml_child (domain, "metadata");
  xmlNode *sandbox = vp_xml_child (metadata, "sandbox");
  xmlNs *ns = xmlNewNs (sandbox, BAD_CAST VP_METADATA_NS, BAD_CAST VP_METADATA_PREFIX);

  vp_xml_set_word (sandbox, "version", "1");
  /* children are in their parent's namespace */
  xmlSetNs (sandbox, ns);
  return vp_xml_add_text (sandbox, "id", plan->sandbox_id, error)
         && vp_xml_add_text (sandbox, "handler", plan->handler, error);
}

static void
add_kib (xmlNode *parent, const char *name, guint64 bytes)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, (bytes + KIB - 1) / KIB);
  xmlNode *node = xmlNewTextChild (parent, NULL, BAD_CAST name, BAD_CAST text);

  vp_xml_set_word (node, "unit", "KiB");
}

static void
add_resources (xmlNode *domain, const VpPlan *plan)
{
  g_autofree char *vcpus = g_strdup_printf ("%u", plan->vcpus);
  xmlNode *backing, *node;

  add_kib (domain, "memory", plan->memory);
  /* virtiofs is a process of its own: it must be able to map the guest's memory */
  backing = vp_xml_child (domain, "memoryBacking");
  node = vp_xml_child (backing, "source");
  vp_xml_set_word (node, "type", "memfd");
  node = vp_xml_child (backing, "access");
  vp_xml_set_word (node, "mode", "shared");
  xmlNewTextChild (domain, NULL, BAD_CAST "vcpu", BAD_CAST vcpus);
}

static gboolean
add_os (xmlNode *domain, const VpPlan *plan, GError **error)
{
  xmlNode *os = vp_xml_child (domain, "os");
  xmlNode *type = xmlNewTextChild (os, NULL, BAD_CAST "type", BAD_CAST "hvm");

  return vp_xml_set (type, "arch", plan->arch, error) && vp_xml_set (type, "machine", plan->machine, error)
         && vp_xml_add_text (os, "kernel", plan->kernel, error)
         && vp_xml_add_text (os, "initrd", plan->initrd, error)
         && vp_xml_add_text (os, "cmdline", plan->cmdline, error);
}

static gboolean
add_cpu (xmlNode *domain, const VpPlan *plan, GError **error)
{
  g_autofree char *cpus = plan->vcpus > 1 ? g_strdup_printf ("0-%u", plan->vcpus - 1) : g_strdup ("0");
  xmlNode *cpu = vp_xml_child (domain, "cpu"), *cell;

  if (plan->cpu_model == NULL)
    vp_xml_set_word (cpu, "mode", "host-passthrough");
  else
    {
      vp_xml_set_word (cpu, "mode", "custom");
      vp_xml_set_word (cpu, "match", "exact");
      /* emulation lacks features of every model: none of them is worth a refusal */
      vp_xml_set_word (cpu, "check", plan->accel == VP_ACCEL_TCG ? "none" : "partial");
      if (!vp_xml_add_text (cpu, "model", plan->cpu_model, error))
        return FALSE;
      vp_xml_set_word (xmlGetLastChild (cpu), "fallback", "forbid");
    }

  /* One cell with everything: without it libvirt forgets over its own restart
   * that the memory is shared, and refuses to plug a share. */
  cell = vp_xml_child (vp_xml_child (cpu, "numa"), "cell");
  vp_xml_set_word (cell, "id", "0");
  vp_xml_set_word (cell, "cpus", cpus);
  vp_xml_set_number (cell, "memory", (plan->memory + KIB - 1) / KIB);
  vp_xml_set_word (cell, "unit", "KiB");
  vp_xml_set_word (cell, "memAccess", "shared");
  return TRUE;
}

static void
add_policy (xmlNode *domain)
{
  xmlNode *clock = vp_xml_child (domain, "clock");

  vp_xml_set_word (clock, "offset", "utc");
  /* a sandbox ends once: a guest that reboots or panics is gone */
  xmlNewTextChild (domain, NULL, BAD_CAST "on_poweroff", BAD_CAST "destroy");
  xmlNewTextChild (domain, NULL, BAD_CAST "on_reboot", BAD_CAST "destroy");
  xmlNewTextChild (domain, NULL, BAD_CAST "on_crash", BAD_CAST "destroy");
}

/* libvirt puts the devices of this document on the first free ports, so there
 * must be one for each of them and the free ones besides. */
static guint
count_ports (const VpPlan *plan)
{
  guint n = plan->hotplug_ports;

  for (guint i = 0; i < plan->devices->len; i++)
    n += vp_device_ops (((const VpDevice *)plan->devices->pdata[i])->kind)->n_ports;
  return n;
}

static void
add_controllers (xmlNode *devices, const VpPlan *plan)
{
  xmlNode *node = vp_xml_child (devices, "controller");
  guint n_ports = count_ports (plan);

  vp_xml_set_word (node, "type", "usb");
  vp_xml_set_word (node, "model", "none");
  node = vp_xml_child (devices, "controller");
  vp_xml_set_word (node, "type", "pci");
  vp_xml_set_word (node, "index", "0");
  vp_xml_set_word (node, "model", "pcie-root");
  for (guint i = 1; i <= n_ports; i++)
    {
      node = vp_xml_child (devices, "controller");
      vp_xml_set_word (node, "type", "pci");
      vp_xml_set_number (node, "index", i);
      vp_xml_set_word (node, "model", "pcie-root-port");
    }
  if (vp_plan_find_device (plan, VP_DEVICE_CHANNEL) != NULL)
    {
      node = vp_xml_child (devices, "controller");
      vp_xml_set_word (node, "type", "virtio-serial");
      vp_xml_set_word (node, "index", "0");
    }
}

static gboolean
add_devices (xmlNode *domain, const VpPlan *plan, const VpDriver *driver, GError **error)
{
  xmlNode *devices = vp_xml_child (domain, "devices"), *node;

  if (plan->emulator != NULL && !vp_xml_add_text (devices, "emulator", plan->emulator, error))
    return FALSE;
  add_controllers (devices, plan);
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (!vp_device_ops (device->kind)->emit_xml (device, driver, devices, error))
        return FALSE;
    }
  node = vp_xml_child (devices, "memballoon");
  vp_xml_set_word (node, "model", "none");
  return TRUE;
}

static gboolean
build (xmlNode *domain, const VpPlan *plan, const VpDriver *driver, GError **error)
{
  const char *type = driver->domain_type (plan->accel);
  g_autofree char *title = g_strdup_printf ("virtpod sandbox %s", plan->sandbox_id);

  if (type == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "accelerator \"%s\": libvirt's %s driver has none", vp_accel_to_string (plan->accel),
                   driver->name);
      return FALSE;
    }
  if (!vp_driver_check_plan (driver, plan, error))
    return FALSE;
  vp_xml_set_word (domain, "type", type);
  if (!vp_xml_add_text (domain, "name", plan->domain_name, error)
      || !vp_xml_add_text (domain, "uuid", plan->uuid, error)
      || !vp_xml_add_text (domain, "title", title, error) || !add_metadata (domain, plan, error))
    return FALSE;
  add_resources (domain, plan);
  if (!add_os (domain, plan, error))
    return FALSE;
  vp_xml_child (vp_xml_child (domain, "features"), "acpi"); /* shut-down and hot-plug need it */
  if (!add_cpu (domain, plan, error))
    return FALSE;
  add_policy (domain);
  return add_devices (domain, plan, driver, error);
}

char *
vp_domain_xml (const VpPlan *plan, const VpDriver *driver, GError **error)
{
  xmlDoc *doc = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *domain = xmlNewDocNode (doc, NULL, BAD_CAST "domain", NULL);
  xmlBuffer *buffer = NULL;
  char *text = NULL;

  xmlDocSetRootElement (doc, domain);
  if (!build (domain, plan, driver, error))
    goto out;
  buffer = xmlBufferCreate ();
  xmlNodeDump (buffer, doc, domain, 0, 1);
  text = g_strdup_printf ("%s\n", (const char *)xmlBufferContent (buffer));

out:
  if (buffer != NULL)
    xmlBufferFree (buffer);
  xmlFreeDoc (doc);
  return text;
}
