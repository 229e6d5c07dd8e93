/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants-private.h"

static VpPlan *
new_plan (void)
{
  VpPlan *plan = vp_plan_new ();

  plan->sandbox_id = g_strdup ("s1");
  plan->handler = g_strdup ("default");
  plan->uuid = g_strdup ("6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f");
  plan->domain_name = g_strdup ("vp-s1");
  plan->directory = g_strdup ("/run/virtpod/sandboxes/s1");
  plan->libvirt_version = 9000000;
  plan->arch = g_strdup ("x86_64");
  plan->vcpus = 1;
  plan->memory = 256 << 20;
  plan->kernel = g_strdup ("/usr/lib/virtpod/guest/vmlinux");
  plan->cmdline = g_strdup ("quiet");
  plan->hostname = g_strdup ("");
  return plan;
}

VpPlan *
variant_new_qemu (void)
{
  VpPlan *plan = new_plan ();

  plan->accel = VP_ACCEL_TCG;
  plan->machine = g_strdup ("q35");
  plan->cpu_model = g_strdup ("qemu64");
  return plan;
}

VpPlan *
variant_new_cloud (void)
{
  VpPlan *plan = new_plan ();

  plan->accel = VP_ACCEL_KVM;
  plan->machine = g_strdup ("q35"); /* from the configuration, and without a meaning here */
  return plan;
}

VpPlan *
variant_new_plan (const Variant *variant)
{
  VpPlan *plan = variant->cloud ? variant_new_cloud () : variant_new_qemu ();

  variant->apply (plan);
  return plan;
}

const VpDriver *
variant_get_driver (const Variant *variant)
{
  return variant->cloud ? &vp_driver_ch : &vp_driver_qemu;
}

static const struct
{
  const Variant *variants;
  const guint *n;
} groups[] = {
  { variants_machine, &n_variants_machine },
  { variants_devices, &n_variants_devices },
  { variants_cloud, &n_variants_cloud },
};

guint
variant_count (void)
{
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    n += *groups[i].n;
  return n;
}

const Variant *
variant_get (guint index)
{
  guint i = 0;

  for (; index >= *groups[i].n; i++)
    index -= *groups[i].n;
  return &groups[i].variants[index];
}
