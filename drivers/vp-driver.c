/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

static const VpDriver *const drivers[] = { &vp_driver_qemu, &vp_driver_test };

const VpDriver *
vp_driver_find (const char *libvirt_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (drivers); i++)
    {
      if (g_strcmp0 (drivers[i]->name, libvirt_name) == 0)
        return drivers[i];
    }
  return NULL;
}
