/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "virtpod check" says of hosts that are made of files in a directory. */
#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-check-private.h"
#include "vp-fd.h"

typedef struct
{
  char *root;
  VpCheck check;
  VpFactsInit init;
} Host;

static void
put (Host *host, const char *path, const char *text, int mode)
{
  g_autofree char *file = g_strconcat (host->root, path, NULL);
  g_autofree char *directory = g_path_get_dirname (file);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0755), ==, 0);
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  g_assert_cmpint (g_chmod (file, mode), ==, 0);
}

static void
set (Host *host, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  vp_config_override (host->check.config, key, value, &error);
  g_assert_no_error (error);
}

/* A host on which everything is as it should be, but what each test changes. */
static void
host_set_up (Host *host, gconstpointer data)
{
  host->root = g_dir_make_tmp ("vp-check-XXXXXX", NULL);
  g_assert_cmpint (g_chmod (host->root, 0755), ==, 0);
  put (host, "/usr/bin/qemu", "#!", 0755);
  put (host, "/usr/libexec/virtiofsd", "#!", 0755);
  put (host, "/guest/vmlinux", "kernel", 0644);
  put (host, "/guest/initrd.img", "initrd", 0644);
  put (host, "/etc/libvirt/qemu.conf", "# comment\n#user = \"root\"\nuser = \"+4294900000\"\n", 0600);
  put (host, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n", 0444);
  put (host, "/sys/kernel/iommu_groups/1/x", "", 0644);
  put (host, "/dev/vhost-net", "", 0666);
  put (host, "/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\nHugePages_Free:      128\n"
                             "Hugepagesize:       2048 kB\n", 0444);
  put (host, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n", 0644);
  put (host, "/run/virtpod/x", "", 0644);

  host->init = (VpFactsInit) {
    .driver = "QEMU",
    .arch = "x86_64",
    .emulator = "/usr/bin/qemu",
    .libvirt_version = 9000000,
    .hypervisor_version = 7002000,
    .kvm_usable = TRUE,
    .virtiofs = TRUE,
  };
  host->check = (VpCheck) {
    .root = host->root,
    .config = vp_config_new_default (),
    .uri = "qemu:///system",
    .polkit = 1,
    .nofile = 1048576,
    .rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_check_row_free),
  };
  set (host, "guest.kernel", "/guest/vmlinux");
  set (host, "guest.initrd", "/guest/initrd.img");
}

static void
host_tear_down (Host *host, gconstpointer data)
{
  g_autofree char *name = g_path_get_basename (host->root);
  g_autofree char *parent = g_path_get_dirname (host->root);
  VP_AUTO_FD dir = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_true (vp_fd_remove_tree (dir, name, NULL));
  g_ptr_array_unref (host->check.rows);
  vp_config_unref (host->check.config);
  g_clear_pointer (&host->check.facts, vp_facts_unref);
  g_free (host->root);
}

static void
look (Host *host)
{
  g_ptr_array_set_size (host->check.rows, 0);
  g_clear_pointer (&host->check.facts, vp_facts_unref);
  if (host->init.driver != NULL)
    host->check.facts = vp_facts_new (&host->init);
  vp_check_everything (&host->check);
}

static VpCheckRow *
row (Host *host, const char *name)
{
  for (guint i = 0; i < host->check.rows->len; i++)
    {
      VpCheckRow *found = host->check.rows->pdata[i];

      if (g_str_equal (found->name, name))
        return found;
    }
  return NULL;
}

/* A row that is not good says what to do; one that is says nothing. */
static void
expect (Host *host, const char *name, VpCheckStatus status, const char *part)
{
  VpCheckRow *found;

  look (host);
  found = row (host, name);
  if (found == NULL || found->status != status || strstr (found->found, part) == NULL)
    g_error ("%s: is %s \"%s\", not %s \"…%s…\"", name,
             found == NULL ? "missing" : vp_check_status_to_string (found->status), found == NULL ? "" : found->found,
             vp_check_status_to_string (status), part);
  g_assert_cmpint (found->hint[0] == '\0', ==, status == VP_CHECK_OK);
}

static void
test_good (Host *host, gconstpointer data)
{
  look (host);
  for (guint i = 0; i < host->check.rows->len; i++)
    {
      VpCheckRow *found = host->check.rows->pdata[i];

      /* the directory is wherever the test runs */
      if (found->status != VP_CHECK_OK && !g_str_equal (found->name, "state-dir"))
        g_error ("%s: %s", found->name, found->found);
      g_assert_null (strchr (found->found, '\n'));
    }
  expect (host, "libvirt", VP_CHECK_OK, "libvirt 9.0.0 at qemu:///system, QEMU 7.2.0");
  expect (host, "acceleration", VP_CHECK_OK, "kvm");
  expect (host, "guest-kernel", VP_CHECK_OK, "readable for user uid 4294900000");
}

static void
test_libvirt (Host *host, gconstpointer data)
{
  host->check.reason = "Connection refused";
  expect (host, "libvirt", VP_CHECK_ERROR, "qemu:///system: Connection refused");
  /* what was known of it before is still looked at */
  expect (host, "emulator", VP_CHECK_OK, "/usr/bin/qemu");
  host->check.reason = NULL;
  host->check.uri = "qemu+ssh://elsewhere/system";
  expect (host, "libvirt", VP_CHECK_ERROR, "another host");
  g_assert_null (row (host, "emulator"));
  g_assert_null (row (host, "guest-kernel"));
  host->check.uri = "test:///default";
  host->init.driver = "TEST";
  expect (host, "libvirt", VP_CHECK_WARNING, "runs no guests");
  g_assert_null (row (host, "acceleration"));
  host->init.driver = NULL;
  host->check.reason = "not connected yet";
  expect (host, "libvirt", VP_CHECK_ERROR, "not connected yet");
  g_assert_null (row (host, "virtiofsd"));
}

static void
test_acceleration (Host *host, gconstpointer data)
{
  set (host, "hypervisor.accel", "tcg");
  expect (host, "acceleration", VP_CHECK_WARNING, "although this host has kvm");
  host->init.kvm_usable = FALSE;
  host->init.kvm_reason = "there is no /dev/kvm";
  expect (host, "acceleration", VP_CHECK_WARNING, "tcg: guests are emulated and slow (there is no /dev/kvm)");
  set (host, "hypervisor.accel", "auto");
  expect (host, "acceleration", VP_CHECK_WARNING, "there is no /dev/kvm");
  set (host, "hypervisor.accel", "kvm");
  expect (host, "acceleration", VP_CHECK_ERROR, "not usable: there is no /dev/kvm");
}

static void
test_programs (Host *host, gconstpointer data)
{
  set (host, "hypervisor.emulator", "/opt/qemu");
  expect (host, "emulator", VP_CHECK_ERROR, "/opt/qemu: is not a program");
  put (host, "/opt/qemu", "#!", 0755);
  expect (host, "emulator", VP_CHECK_OK, "/opt/qemu");
  set (host, "share.daemon", "/opt/virtiofsd");
  expect (host, "virtiofsd", VP_CHECK_ERROR, "/opt/virtiofsd");
  put (host, "/opt/virtiofsd", "#!", 0644);
  expect (host, "virtiofsd", VP_CHECK_ERROR, "is not a program");
  set (host, "share.daemon", "");
  expect (host, "virtiofsd", VP_CHECK_OK, "/usr/libexec/virtiofsd");
  host->init.virtiofs = FALSE;
  expect (host, "virtiofsd", VP_CHECK_ERROR, "does not offer");
  set (host, "share.type", "none");
  expect (host, "virtiofsd", VP_CHECK_OK, "not needed");
}

static void
test_guest_files (Host *host, gconstpointer data)
{
  g_autofree char *directory = g_strconcat (host->root, "/guest", NULL);

  put (host, "/guest/vmlinux", "kernel", 0600);
  expect (host, "guest-kernel", VP_CHECK_WARNING, "not readable for user uid 4294900000");
  put (host, "/guest/vmlinux", "", 0644);
  expect (host, "guest-kernel", VP_CHECK_ERROR, "is empty");
  set (host, "guest.kernel", "/guest/none");
  expect (host, "guest-kernel", VP_CHECK_ERROR, "there is no such file");
  g_assert_cmpint (g_chmod (directory, 0700), ==, 0);
  expect (host, "guest-initrd", VP_CHECK_ERROR, "may not enter");
  /* root may enter everywhere */
  put (host, "/etc/libvirt/qemu.conf", "user=\"+0\"\n", 0600);
  expect (host, "guest-initrd", VP_CHECK_OK, "initrd.img");
  g_assert_cmpint (g_chmod (directory, 0755), ==, 0);
  put (host, "/etc/libvirt/qemu.conf", "user = 'nobody-has-this-name'\n", 0600);
  expect (host, "guest-initrd", VP_CHECK_OK, "not known who QEMU runs as");
  /* the embedded driver has a qemu.conf of its own */
  put (host, "/etc/libvirt/qemu.conf", "user=\"+4294900000\"\n", 0600);
  put (host, "/embed/etc/qemu.conf", "user=\"+4294900001\"\n", 0600);
  host->check.uri = "qemu:///embed?root=/embed";
  expect (host, "guest-initrd", VP_CHECK_OK, "4294900001");
}

static void
test_state_dir (Host *host, gconstpointer data)
{
  g_autofree char *long_name = g_strnfill (80, 's');
  g_autofree char *directory = g_strconcat ("/", long_name, NULL);

  expect (host, "socket-names", VP_CHECK_OK, "of 107 bytes");
  set (host, "daemon.state-dir", directory);
  expect (host, "socket-names", VP_CHECK_ERROR, "the kernel takes 107");
  g_assert_nonnull (row (host, "state-dir"));
}

static void
test_kernel (Host *host, gconstpointer data)
{
  g_autofree char *cgroup = g_strconcat (host->root, "/sys/fs/cgroup/cgroup.controllers", NULL);

  put (host, "/sys/fs/cgroup/cgroup.controllers", "cpu io\n", 0444);
  expect (host, "cgroups", VP_CHECK_WARNING, "without the controllers memory pids");
  g_unlink (cgroup);
  expect (host, "cgroups", VP_CHECK_WARNING, "no unified hierarchy");
  expect (host, "vhost-vsock", VP_CHECK_OK, "not needed");
  set (host, "agent.transport", "vsock");
  expect (host, "vhost-vsock", VP_CHECK_ERROR, "agent.transport=vsock needs");
  put (host, "/dev/vhost-vsock", "", 0666);
  expect (host, "vhost-vsock", VP_CHECK_OK, "/dev/vhost-vsock");
  expect (host, "loopback-forward", VP_CHECK_OK, "sk_lookup");
  host->check.no_steering = "load a program: Operation not permitted";
  expect (host, "loopback-forward", VP_CHECK_WARNING, "not permitted");
  set (host, "network.loopback-forward", "false");
  expect (host, "loopback-forward", VP_CHECK_OK, "not needed");
  expect (host, "vfio", VP_CHECK_OK, "not needed");
  set (host, "hypervisor.cold-plug-vfio", "root-port");
  expect (host, "iommu", VP_CHECK_OK, "1 groups");
  expect (host, "vfio", VP_CHECK_ERROR, "/dev/vfio/vfio");
}

#define ROUTES "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"

static void
test_user_network (Host *host, gconstpointer data)
{
  host->init.passt_reason = "there is no program \"passt\"";
  expect (host, "user-network", VP_CHECK_OK, "the hypervisor's own, not passt: there is no program");
  set (host, "network.user-backend", "passt");
  expect (host, "user-network", VP_CHECK_WARNING, "network.user-backend=passt: there is no program");
  set (host, "network.model", "user");
  expect (host, "user-network", VP_CHECK_ERROR, "there is no program");
  host->init.passt = TRUE;
  expect (host, "user-network", VP_CHECK_ERROR, "no IPv4 default route");
  put (host, "/proc/net/route", ROUTES "up0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", 0444);
  expect (host, "user-network", VP_CHECK_WARNING, "passt, by up0: its version is not known");
  host->init.passt_release = 20250503;
  expect (host, "user-network", VP_CHECK_WARNING, "passt, by up0: it is of 2025_05_03");
  set (host, "network.user-backend", "auto");
  expect (host, "user-network", VP_CHECK_OK, "the hypervisor's own, not passt: it is of 2025_05_03, and those before");
  host->init.passt_release = 20261002;
  expect (host, "user-network", VP_CHECK_OK, "passt, by up0");
  set (host, "network.user-backend", "passt");
  expect (host, "user-network", VP_CHECK_OK, "passt, by up0");
  set (host, "network.user-backend", "qemu");
  expect (host, "user-network", VP_CHECK_OK, "network.user-backend=qemu");
}

static void
test_memory (Host *host, gconstpointer data)
{
  expect (host, "memory", VP_CHECK_OK, "3906 MiB available, a sandbox has 256 MiB");
  set (host, "hypervisor.memory-mib", "2048");
  expect (host, "memory", VP_CHECK_WARNING, "3906 MiB");
  set (host, "hypervisor.memory-mib", "4096");
  expect (host, "memory", VP_CHECK_ERROR, "4096 MiB");
  set (host, "hypervisor.memory-mib", "128");
  set (host, "hypervisor.huge-pages", "true");
  expect (host, "huge-pages", VP_CHECK_OK, "256 MiB are free in pages of 2048 KiB: 2 sandboxes");
  set (host, "hypervisor.memory-mib", "512");
  expect (host, "huge-pages", VP_CHECK_ERROR, "a sandbox needs 512 MiB");
  set (host, "hypervisor.huge-page-type", "thp");
  expect (host, "huge-pages", VP_CHECK_OK, "always [madvise] never");
  put (host, "/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n", 0644);
  expect (host, "huge-pages", VP_CHECK_WARNING, "[never]");
}

static void
test_daemon (Host *host, gconstpointer data)
{
  g_autofree char *file = g_strconcat (host->root, "/virtpod.conf", NULL);
  g_autoptr (GError) error = NULL;

  host->check.nofile = 1024;
  expect (host, "open-files", VP_CHECK_WARNING, "the limit is 1024");
  host->check.polkit = 0;
  expect (host, "polkit", VP_CHECK_WARNING, "only root");
  host->check.polkit = -1;
  expect (host, "polkit", VP_CHECK_OK, "not asked");

  put (host, "/virtpod.conf", "[hypervisor]\nmemory-mib=300\n[handler big]\nhypervisor.memory-mib=512\n", 0644);
  vp_config_unref (host->check.config);
  host->check.config = vp_config_load (file, &error);
  g_assert_no_error (error);
  expect (host, "configuration", VP_CHECK_OK, "2 runtime handlers");
  g_assert_null (row (host, "configuration-files"));
  g_assert_cmpint (g_chmod (file, 0664), ==, 0);
  expect (host, "configuration-files", VP_CHECK_WARNING, "others than root may write it");
}

#define ADD(name, func) g_test_add ("/check/" name, Host, NULL, host_set_up, func, host_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("good", test_good);
  ADD ("libvirt", test_libvirt);
  ADD ("acceleration", test_acceleration);
  ADD ("programs", test_programs);
  ADD ("guest-files", test_guest_files);
  ADD ("state-dir", test_state_dir);
  ADD ("kernel", test_kernel);
  ADD ("user-network", test_user_network);
  ADD ("memory", test_memory);
  ADD ("daemon", test_daemon);
  return g_test_run ();
}
