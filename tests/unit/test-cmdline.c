/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's command line by configuration; the plain one is in tests/golden. */
#include <string.h>

#include "vp-error.h"
#include "vp-planner-private.h"

#define SYSTEMD                                                                                              \
  " init=/usr/lib/systemd/systemd systemd.unit=kata-containers.target"                                       \
  " systemd.mask=systemd-networkd.service systemd.mask=systemd-networkd.socket systemd.show_status=false"
#define NAMED "command line: guest.verity-params: "
#define VERITY "root_hash=aa00,salt=bb11,data_blocks=65536,data_block_size=4096,hash_block_size=512"

typedef struct
{
  const char *name;
  const char *settings[5][2];
  const char *has; /* part of the line */
} Case;

static const Case cases[] = {
  { "plain", { { NULL } }, "selinux=0 apparmor=0 mitigations=off" },
  { "console", { { NULL } }, " console=ttyS0" },
  { "console-virtio", { { "console.serial", "false" } }, " console=hvc0" },
  { "selinux", { { "guest.selinux", "true" } }, " selinux=1 " },
  { "iommu", { { "hypervisor.iommu", "true" } }, " intel_iommu=on iommu=pt" },
  { "agent-debug", { { "agent.debug", "true" } }, " agent.log=debug" },
  { "debug-console",
    { { "agent.debug-console", "true" } },
    " agent.debug_console agent.debug_console_vport=1026" },
  { "pipe-size", { { "agent.container-pipe-size", "64KiB" } }, " agent.container_pipe_size=65536" },
  { "extra-last", { { "guest.cmdline-extra", "console=tty9" } }, " console=ttyS0 console=tty9" },
  { "image",
    { { "guest.image", "/i" } },
    " root=/dev/vda1 rootfstype=ext4 rootflags=data=ordered,errors=remount-ro ro" SYSTEMD },
  { "image-nvdimm",
    { { "guest.image", "/i" }, { "guest.image-driver", "nvdimm" } },
    " root=/dev/pmem0p1 rootfstype=ext4 rootflags=dax,data=ordered,errors=remount-ro ro" SYSTEMD },
  { "image-erofs",
    { { "guest.image", "/i" }, { "guest.image-type", "erofs" } },
    " root=/dev/vda1 rootfstype=erofs ro" SYSTEMD },
  { "image-erofs-nvdimm",
    { { "guest.image", "/i" }, { "guest.image-type", "erofs" }, { "guest.image-driver", "nvdimm" } },
    " root=/dev/pmem0p1 rootfstype=erofs rootflags=dax ro" SYSTEMD },
  { "image-xfs", { { "guest.image", "/i" }, { "guest.image-type", "xfs" } }, " rootfstype=xfs ro" SYSTEMD },
  { "verity",
    { { "guest.image", "/i" }, { "guest.verity-params", VERITY } },
    " dm-mod.create=\"dm-verity,,,ro,0 524288 verity 1 /dev/vda1 /dev/vda2 4096 512 65536 0 sha256 aa00 "
    "bb11\""
    " root=/dev/dm-0 rootfstype=ext4" },
  { "verity-nvdimm",
    { { "guest.image", "/i" }, { "guest.verity-params", VERITY }, { "guest.image-driver", "nvdimm" } },
    " root=/dev/dm-0 rootfstype=ext4 rootflags=data=ordered,errors=remount-ro ro" },
};

static char *
make_line (const Case *c, GError **error)
{
  static const char json[] = "{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"},"
                             "\"root\":{\"path\":\"rootfs\"}}";
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpSpec) spec = vp_spec_parse (json, strlen (json), "/bundle", NULL);

  g_assert_nonnull (spec);
  for (guint i = 0; i < G_N_ELEMENTS (c->settings) && c->settings[i][0] != NULL; i++)
    g_assert_true (vp_config_override (config, c->settings[i][0], c->settings[i][1], NULL));
  return vp_planner_make_cmdline (VP_ACCEL_TCG, "x86_64", spec, config, error);
}

static void
test_lines (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *line = make_line (&cases[i], &error);

      g_assert_no_error (error);
      g_test_message ("%s: %s", cases[i].name, line);
      g_assert_nonnull (strstr (line, cases[i].has));
      g_assert_true (strstr (cases[i].name, "image") != NULL || strstr (cases[i].name, "verity") != NULL
                     || strstr (line, "systemd") == NULL);
    }
}

static void
test_bad_verity (void)
{
  static const char *const texts[][2] = {
    { "root_hash", NAMED "\"root_hash\" is none of its parameters" },
    { "root_hash=aa", NAMED "salt is missing" },
    { "root_hash=ag", NAMED "root_hash must be hexadecimal bytes" },
    { "root_hash=aaa", NAMED "root_hash must be hexadecimal bytes" },
    { "salt=", NAMED "salt must be hexadecimal bytes" },
    { "data_blocks=0", NAMED "data_blocks must be a number from 1 to 281474976710656" },
    { "data_blocks=-1", NAMED "data_blocks must be a number from 1 to 281474976710656" },
    { "data_blocks=99999999999999999999", NAMED "data_blocks must be a number from 1 to 281474976710656" },
    { "hash_block_size=\" x", NAMED "hash_block_size must be a number from 1 to 1048576" },
    { "other=1", NAMED "\"other=1\" is none of its parameters" },
    { "root_hash=aa,salt=bb,data_blocks=8,data_block_size=100,hash_block_size=512",
      NAMED "data_block_size must be a multiple of 512" },
    { "root_hash=aa,salt=bb,data_blocks=18014398509481983,data_block_size=4096,hash_block_size=512",
      NAMED "data_blocks must be a number from 1 to 281474976710656" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      const Case c = { "bad", { { "guest.image", "/i" }, { "guest.verity-params", texts[i][0] } }, NULL };
      g_autoptr (GError) error = NULL;

      g_assert_null (make_line (&c, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (error->message, ==, texts[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cmdline/lines", test_lines);
  g_test_add_func ("/cmdline/bad-verity", test_bad_verity);
  return g_test_run ();
}
