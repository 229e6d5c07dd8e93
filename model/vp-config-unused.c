/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that this version takes and does not act on. A workload that asks for
 * one by annotation is refused, so that it does not think it got it; an
 * administrator, whose file may be a translated one, is told what has no effect
 * and why: in the shipped file, in the manual page and by `virtpod explain`. */
#include "vp-config-private.h"

#define NO_VFIO "host devices are not passed to guests: nodes below /dev/vfio are left out of the spec"
#define NO_VHOST_USER "disks that other programs serve are not supported"
#define NO_DISKS "containers have no disks of their own: block devices in a spec are refused"

typedef struct
{
  VpConfigKey key;
  const char *nothing; /* the value that asks for nothing; NULL: the default */
  const char *reason;
} Unused;

static const Unused unused[] = {
  { VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO, "no-port", NO_VFIO },
  { VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO, "no-port", NO_VFIO },
  { VP_CONFIG_RUNTIME_VFIO_MODE, "guest-kernel", NO_VFIO },
  { VP_CONFIG_GUEST_SWAP, "false", "guests have no swap" },
  { VP_CONFIG_BLOCK_DISCARD, NULL, NO_DISKS },
  { VP_CONFIG_BLOCK_LOGICAL_SECTOR_SIZE, "0", NO_DISKS },
  { VP_CONFIG_BLOCK_PHYSICAL_SECTOR_SIZE, "0", NO_DISKS },
  { VP_CONFIG_BLOCK_VHOST_USER, "false", NO_VHOST_USER },
  { VP_CONFIG_BLOCK_VHOST_USER_DIR, NULL, NO_VHOST_USER },
  { VP_CONFIG_BLOCK_VHOST_USER_RECONNECT, "0", NO_VHOST_USER },
  { VP_CONFIG_ANNOTATIONS_VHOST_USER_DIRS, NULL, NO_VHOST_USER },
  { VP_CONFIG_RUNTIME_KEEP_FAILED, "false",
    "a start that failed is undone; record and console log stay until the sandbox is deleted in any case" },
};

static const Unused *
find (VpConfigKey key)
{
  for (guint i = 0; i < G_N_ELEMENTS (unused); i++)
    {
      if (unused[i].key == key)
        return &unused[i];
    }
  return NULL;
}

const char *
vp_config_key_unused (VpConfigKey key)
{
  const Unused *row = find (key);

  return row != NULL ? row->reason : NULL;
}

const char *
vp_config_get_unused (VpConfig *config, VpConfigKey key)
{
  /* first, since it is so for nearly all of them */
  const Unused *row = vp_config_is_default (config, key) ? NULL : find (key);

  if (row == NULL
      || g_str_equal (vp_config_get_string (config, key),
                      row->nothing != NULL ? row->nothing : vp_config_table[key].initial))
    return NULL;
  return row->reason;
}
