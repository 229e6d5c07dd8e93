/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include <string.h>

#include "vp-error.h"

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

typedef struct
{
  char *root_hash, *salt;
  guint64 blocks, block_size, hash_block_size;
} Verity;

static void
verity_clear (Verity *verity)
{
  g_free (verity->root_hash);
  g_free (verity->salt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Verity, verity_clear)

static gboolean
refuse (GError **error, const char *what, const char *why)
{
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s%s%s",
               vp_config_key_name (VP_CONFIG_GUEST_VERITY_PARAMS), what != NULL ? what : "",
               what != NULL ? " " : "", why);
  return FALSE;
}

static gboolean
take_hex (char **slot, const char *name, const char *value, GError **error)
{
  gsize len = strlen (value);

  if (len == 0 || len % 2 != 0 || strspn (value, G_CSET_DIGITS "abcdefABCDEF") != len)
    return refuse (error, name, "must be hexadecimal");
  g_free (*slot);
  *slot = g_strdup (value);
  return TRUE;
}

static gboolean
take_number (guint64 *slot, const char *name, const char *value, GError **error)
{
  if (!g_ascii_string_to_unsigned (value, 10, 1, G_MAXINT64 / SECTOR, slot, NULL))
    return refuse (error, name, "must be a number above 0");
  return TRUE;
}

static gboolean
take (Verity *verity, const char *name, const char *value, GError **error)
{
  if (g_str_equal (name, "root_hash"))
    return take_hex (&verity->root_hash, name, value, error);
  if (g_str_equal (name, "salt"))
    return take_hex (&verity->salt, name, value, error);
  if (g_str_equal (name, "data_blocks"))
    return take_number (&verity->blocks, name, value, error);
  if (g_str_equal (name, "data_block_size"))
    return take_number (&verity->block_size, name, value, error);
  if (g_str_equal (name, "hash_block_size"))
    return take_number (&verity->hash_block_size, name, value, error);
  return refuse (error, name, "is no parameter of dm-verity");
}

static gboolean
parse_verity (Verity *verity, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (char **word = words; *word != NULL; word++)
    {
      char *value = strchr (g_strstrip (*word), '=');

      if (value == NULL)
        return refuse (error, NULL, "must be NAME=VALUE, separated by commas");
      *value++ = '\0';
      if (!take (verity, *word, value, error))
        return FALSE;
    }
  if (verity->root_hash == NULL || verity->salt == NULL || verity->blocks == 0 || verity->block_size == 0
      || verity->hash_block_size == 0)
    return refuse (error, NULL, "needs root_hash, salt, data_blocks, data_block_size and hash_block_size");
  if (verity->block_size % SECTOR != 0)
    return refuse (error, "data_block_size", "must be a multiple of 512");
  if (verity->blocks > G_MAXINT64 / verity->block_size)
    return refuse (error, "data_blocks", "are more than a disk can have");
  return TRUE;
}

static gboolean
append_verity (GString *line, const char *text, const char *data, const char *hash, GError **error)
{
  g_auto (Verity) verity = { 0 };

  if (!parse_verity (&verity, text, error))
    return FALSE;
  g_string_append_printf (line,
                          " dm-mod.create=\"dm-verity,,,ro,0 %" G_GUINT64_FORMAT
                          " verity 1 %s %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " 0 sha256 %s %s\"",
                          verity.blocks * (verity.block_size / SECTOR), data, hash, verity.block_size,
                          verity.hash_block_size, verity.blocks, verity.root_hash, verity.salt);
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
  else if (!append_verity (line, verity, devices[d].data, devices[d].hash, error))
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
