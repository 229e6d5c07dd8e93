/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-domain-xml.h"

#include "vp-domain-xml-private.h"
#include "vp-names.h"

static gboolean
add_pod (xmlNode *sandbox, const VpPlan *plan, GError **error)
{
  const char *const attributes[] = { "name", "namespace", "uid" };
  const char *const values[] = { plan->pod_name, plan->pod_namespace, plan->pod_uid };
  xmlNode *pod = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      if (values[i] == NULL)
        continue;
      if (pod == NULL)
        pod = vp_xml_child (sandbox, "pod");
      if (!vp_xml_set (pod, attributes[i], values[i], error))
        return FALSE;
    }
  return TRUE;
}

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
         && vp_xml_add_text (sandbox, "handler", plan->handler, error) && add_pod (sandbox, plan, error);
}

static gboolean
add_identity (xmlNode *domain, const VpPlan *plan, GError **error)
{
  g_autofree char *title = g_strdup_printf ("virtpod sandbox %s", plan->sandbox_id);

  return vp_xml_add_text (domain, "name", plan->domain_name, error)
         && vp_xml_add_text (domain, "uuid", plan->uuid, error)
         && vp_xml_add_text (domain, "title", title, error) && add_metadata (domain, plan, error);
}

/* ---- boot ------------------------------------------------------------------- */

static gboolean
add_firmware (xmlNode *os, const VpPlan *plan, GError **error)
{
  g_autofree char *variables = NULL;
  xmlNode *loader;

  if (plan->firmware == NULL)
    return TRUE;
  if (!vp_xml_add_text (os, "loader", plan->firmware, error))
    return FALSE;
  loader = xmlGetLastChild (os);
  if (plan->firmware_volume == NULL)
    {
      vp_xml_set_word (loader, "type", "rom");
      return TRUE;
    }
  vp_xml_set_word (loader, "readonly", "yes");
  vp_xml_set_word (loader, "type", "pflash");
  variables = g_build_filename (plan->directory, VP_FILE_NVRAM, NULL);
  return vp_xml_add_text (os, "nvram", variables, error)
         && vp_xml_set (xmlGetLastChild (os), "template", plan->firmware_volume, error);
}

static gboolean
add_os (xmlNode *domain, const VpPlan *plan, const VpDriver *driver, GError **error)
{
  const char *const names[] = { "kernel", "initrd", "cmdline" };
  const char *const texts[] = { plan->kernel, plan->initrd, plan->cmdline };
  xmlNode *os = vp_xml_child (domain, "os");
  xmlNode *type = vp_xml_add_word (os, "type", "hvm");

  if (!vp_xml_set (type, "arch", plan->arch, error))
    return FALSE;
  if (driver->has_buses && !vp_xml_set (type, "machine", plan->machine, error))
    return FALSE;
  if (!add_firmware (os, plan, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      if (texts[i] != NULL && !vp_xml_add_text (os, names[i], texts[i], error))
        return FALSE;
    }
  return TRUE;
}

static void
add_features (xmlNode *domain, const VpPlan *plan)
{
  xmlNode *features = vp_xml_child (domain, "features");

  vp_xml_child (features, "acpi"); /* shut-down and hot-plug need it */
  vp_domain_emit_cpu_features (plan, features);
  /* remapped interrupts pass an I/O APIC that knows of them */
  if (plan->iommu == VP_IOMMU_INTEL)
    vp_xml_set_word (vp_xml_child (features, "ioapic"), "driver", "qemu");
}

/* ---- confinement and policy ------------------------------------------------- */

static gboolean
add_tuning (xmlNode *domain, const VpPlan *plan, GError **error)
{
  xmlNode *cputune = NULL;

  for (guint i = 0; plan->vcpu_pins != NULL && plan->vcpu_pins[i] != NULL; i++)
    {
      xmlNode *pin;

      if (cputune == NULL)
        cputune = vp_xml_child (domain, "cputune");
      pin = vp_xml_child (cputune, "vcpupin");
      vp_xml_set_number (pin, "vcpu", i);
      if (!vp_xml_set (pin, "cpuset", plan->vcpu_pins[i], error))
        return FALSE;
    }
  return plan->partition == NULL
         || vp_xml_add_text (vp_xml_child (domain, "resource"), "partition", plan->partition, error);
}

static void
add_policy (xmlNode *domain, const VpPlan *plan)
{
  xmlNode *clock = vp_xml_child (domain, "clock");

  vp_xml_set_word (clock, "offset", "utc");
  /* a sandbox ends once: a guest that reboots or panics is gone */
  vp_xml_add_word (domain, "on_poweroff", "destroy");
  vp_xml_add_word (domain, "on_reboot", "destroy");
  vp_xml_add_word (domain, "on_crash", plan->crash_dump ? "coredump-destroy" : "destroy");
}

static gboolean
add_seclabels (xmlNode *domain, const VpPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->seclabels->len; i++)
    {
      const VpSecLabel *seclabel = g_ptr_array_index (plan->seclabels, i);
      xmlNode *node = vp_xml_child (domain, "seclabel");

      vp_xml_set_word (node, "type", seclabel->label != NULL ? "static" : "none");
      if (!vp_xml_set (node, "model", seclabel->model, error))
        return FALSE;
      vp_xml_set_word (node, "relabel", seclabel->label != NULL && !seclabel->no_relabel ? "yes" : "no");
      if ((seclabel->label != NULL && !vp_xml_add_text (node, "label", seclabel->label, error))
          || (seclabel->image_label != NULL
              && !vp_xml_add_text (node, "imagelabel", seclabel->image_label, error)))
        return FALSE;
    }
  return TRUE;
}

/* ---- the whole -------------------------------------------------------------- */

static gboolean
add_devices (xmlNode *domain, const VpPlan *plan, const VpDriver *driver, GError **error)
{
  xmlNode *devices = vp_xml_child (domain, "devices");

  if (plan->emulator != NULL && !vp_xml_add_text (devices, "emulator", plan->emulator, error))
    return FALSE;
  if (driver->has_buses)
    vp_domain_emit_controllers (plan, devices);
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (!vp_device_ops (device->kind)->emit_xml (device, plan, driver, devices, error))
        return FALSE;
    }
  if (driver->has_buses)
    vp_domain_emit_platform (plan, devices);
  return TRUE;
}

static gboolean
build (xmlNode *domain, const VpPlan *plan, const VpDriver *driver, GError **error)
{
  if (!vp_driver_check_plan (driver, plan, error))
    return FALSE;
  vp_xml_set_word (domain, "type", driver->domain_type (plan->accel));
  if (!add_identity (domain, plan, error) || !vp_domain_emit_memory (plan, driver, domain, error))
    return FALSE;
  if (!vp_domain_emit_vcpus (plan, driver, domain, error) || !add_tuning (domain, plan, error)
      || !add_os (domain, plan, driver, error))
    return FALSE;
  add_features (domain, plan);
  if (driver->has_buses && !vp_domain_emit_cpu (plan, domain, error))
    return FALSE;
  add_policy (domain, plan);
  return add_devices (domain, plan, driver, error) && add_seclabels (domain, plan, error);
}

/* Indented, without a declaration. */
static char *
print (xmlDoc *doc, xmlNode *node)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  xmlNodeDump (buffer, doc, node, 0, 1);
  text = g_strdup_printf ("%s\n", (const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

char *
vp_domain_xml (const VpPlan *plan, const VpDriver *driver, GError **error)
{
  xmlDoc *doc = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *domain = xmlNewDocNode (doc, NULL, BAD_CAST "domain", NULL);
  char *text = NULL;

  xmlDocSetRootElement (doc, domain);
  if (build (domain, plan, driver, error))
    text = print (doc, domain);
  xmlFreeDoc (doc);
  return text;
}

char *
vp_domain_device_xml (const VpPlan *plan, const VpDriver *driver, const VpDevice *device, GError **error)
{
  xmlDoc *doc = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *devices = xmlNewDocNode (doc, NULL, BAD_CAST "devices", NULL);
  char *text = NULL;

  xmlDocSetRootElement (doc, devices);
  if (vp_driver_check_device (driver, plan, device, error)
      && vp_device_ops (device->kind)->emit_xml (device, plan, driver, devices, error))
    text = print (doc, xmlFirstElementChild (devices));
  xmlFreeDoc (doc);
  return text;
}
