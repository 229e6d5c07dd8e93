/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include "vp-error.h"
#include "vp-verity.h"

/* The root file system of a guest that boots an image: which device it is, how
 * it is mounted, and the service manager in it, which starts the agent. */

#define SECTOR 512

/* Partitions of the image: the file system, and the tree of hashes over it. The
 * image is the first disk of the plan. */
static const struct
{
  const char *driver;
  const char *data, *hash;
} devices[] = {
  { "virtio-blk", "/dev/vda1", "/dev/vda2" },
  { "nvdimm", "/dev/pmem0p1", "/dev/pmem0p2" },
};

/* Memory needs no page cache: "dax" reads it where it is. */
static const struct
{
  const char *type;
  const char *flags, *dax_flags;
} file_systems[] = {
  { "ext4", "data=ordered,errors=remount-ro", "dax,data=ordered,errors=remount-ro" },
  { "xfs", NULL, "dax" },
  { "erofs", NULL, "dax" },
};

static const char systemd[] = " init=/usr/lib/systemd/systemd systemd.unit=kata-containers.target"
                              " systemd.mask=systemd-networkd.service systemd.mask=systemd-networkd.socket"
                              " systemd.show_status=false";

/* ---- dm-verity -------------------------------------------------------------- */

static gboolean
append_verity (GString *line, VpConfig *config, const char *data, const char *hash, GError **error)
{
  const VpConfigKey key = VP_CONFIG_GUEST_VERITY_PARAMS;
  g_autoptr (GError) local = NULL;
  g_autoptr (VpVerity) verity = vp_verity_parse (vp_config_get_string (config, key), &local);

  if (verity == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s: %s",
                   vp_config_get_source (config, key), vp_config_key_name (key), local->message);
      return FALSE;
    }
  g_string_append_printf (
      line,
      " dm-mod.create=\"dm-verity,,,ro,0 %" G_GUINT64_FORMAT " verity 1 %s %s %" G_GUINT64_FORMAT
      " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " 0 sha256 %s %s\"",
      verity->data_blocks * (verity->data_block_size / SECTOR), data, hash, verity->data_block_size,
      verity->hash_block_size, verity->data_blocks, verity->root_hash, verity->salt);
  return TRUE;
}

/* ---- the whole -------------------------------------------------------------- */

gboolean
vp_planner_append_root (GString *line, VpConfig *config, GError **error)
{
  const char *driver = vp_config_get_string (config, VP_CONFIG_GUEST_IMAGE_DRIVER);
  const char *type = vp_config_get_string (config, VP_CONFIG_GUEST_IMAGE_TYPE);
  const char *verity = vp_config_get_string (config, VP_CONFIG_GUEST_VERITY_PARAMS);
  guint d = g_str_equal (driver, devices[1].driver), f = 0;
  const char *flags;

  while (f + 1 < G_N_ELEMENTS (file_systems) && !g_str_equal (type, file_systems[f].type))
    f++;
  if (verity[0] == '\0')
    g_string_append_printf (line, " root=%s", devices[d].data);
  else if (!append_verity (line, config, devices[d].data, devices[d].hash, error))
    return FALSE;
  else
    g_string_append (line, " root=/dev/dm-0");
  /* through the mapping of dm-verity nothing is where it is */
  flags = d == 1 && verity[0] == '\0' ? file_systems[f].dax_flags : file_systems[f].flags;
  g_string_append_printf (line, " rootfstype=%s", type);
  if (flags != NULL)
    g_string_append_printf (line, " rootflags=%s", flags);
  g_string_append (line, " ro");
  g_string_append (line, systemd);
  return TRUE;
}
