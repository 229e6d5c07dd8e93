/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-check-private.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-names.h"

/* What the kernel of the host offers and has left. */

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

#define MIB (1024.0 * 1024.0)
#define MIN_STATE_MIB 64

/* Descriptors of one sandbox with one container: agent, console and its log,
 * pidfd, streams. */
#define FDS_A_SANDBOX 10

/* ---- the state directory ------------------------------------------------------------ */

/* The nearest directory above @path that exists. */
static char *
find_existing (const char *path)
{
  g_autofree char *at = g_strdup (path);

  while (!g_file_test (at, G_FILE_TEST_IS_DIR) && strcmp (at, "/") != 0 && strcmp (at, ".") != 0)
    {
      char *above = g_path_get_dirname (at);

      g_free (at);
      at = above;
    }
  return g_steal_pointer (&at);
}

/* What is wrong with keeping records and sockets there, or NULL. */
static const char *
judge_file_system (long type, gboolean *ret_serious)
{
  static const struct
  {
    long type;
    gboolean serious;
    const char *why;
  } table[] = {
    { NFS_SUPER_MAGIC, TRUE, "is NFS: no sockets of this host, and it survives a reboot" },
    { V9FS_MAGIC, TRUE, "is 9p: no sockets" },
    { FUSE_SUPER_MAGIC, TRUE, "is FUSE: mounts below it do not reach virtiofsd safely" },
    { EXT4_SUPER_MAGIC, FALSE, "is ext4: records survive a reboot, which their sandboxes do not" },
    { XFS_SUPER_MAGIC, FALSE, "is xfs: records survive a reboot, which their sandboxes do not" },
    { BTRFS_SUPER_MAGIC, FALSE, "is btrfs: records survive a reboot, which their sandboxes do not" },
    { OVERLAYFS_SUPER_MAGIC, FALSE, "is overlayfs: records survive a reboot, which their sandboxes do not" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].type == type)
      {
        *ret_serious = table[i].serious;
        return table[i].why;
      }
  return NULL;
}

static void
check_socket_names (VpCheck *self, const char *directory)
{
  gsize longest = strlen (directory) + strlen ("/" VP_DIR_SANDBOXES "/") + VP_DOMAIN_NAME_MAX
                  + strlen ("/" VP_FILE_CONSOLE_SOCKET);
  const gsize room = sizeof ((struct sockaddr_un *) NULL)->sun_path - 1;

  if (longest > room)
    vp_check_add (self, "socket-names", VP_CHECK_ERROR, "set daemon.state-dir to a shorter path",
                  "sockets below %s have names of %" G_GSIZE_FORMAT " bytes, the kernel takes %" G_GSIZE_FORMAT,
                  directory, longest, room);
  else
    vp_check_add (self, "socket-names", VP_CHECK_OK, "", "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes", longest,
                  room);
}

void
vp_check_state_dir (VpCheck *self)
{
  const char *directory = vp_config_get_string (self->config, VP_CONFIG_DAEMON_STATE_DIR);
  g_autofree char *there = vp_check_path (self, directory);
  g_autofree char *existing = find_existing (there);
  gboolean serious = FALSE;
  const char *why;
  struct statfs fs;
  double free_mib;

  if (statfs (existing, &fs) < 0)
    {
      vp_check_add (self, "state-dir", VP_CHECK_ERROR, "set daemon.state-dir", "%s: cannot be looked at", directory);
      return;
    }
  free_mib = (double) fs.f_bavail * (double) fs.f_bsize / MIB;
  why = judge_file_system ((long) fs.f_type, &serious);
  if (free_mib < MIN_STATE_MIB || (fs.f_files > 0 && fs.f_ffree == 0))
    vp_check_add (self, "state-dir", VP_CHECK_ERROR, "make room", "%s: %.0f MiB and %" G_GUINT64_FORMAT " inodes are free",
                  directory, free_mib, (guint64) fs.f_ffree);
  else if (why != NULL)
    vp_check_add (self, "state-dir", serious ? VP_CHECK_ERROR : VP_CHECK_WARNING,
                  "set daemon.state-dir to a directory on a tmpfs, such as /run/virtpod", "%s: %s", directory, why);
  else
    vp_check_add (self, "state-dir", VP_CHECK_OK, "", "%s, %.0f MiB free", directory, free_mib);
  check_socket_names (self, directory);
}

/* ---- cgroups -------------------------------------------------------------------------- */

void
vp_check_cgroups (VpCheck *self)
{
  static const char *const needed[] = { "cpu", "memory", "pids", "io" };
  g_autofree char *text = vp_check_read (self, "/sys/fs/cgroup/cgroup.controllers");
  g_auto (GStrv) have = text == NULL ? NULL : g_strsplit (g_strchomp (text), " ", -1);
  g_autoptr (GString) missing = g_string_new (NULL);

  if (text == NULL)
    {
      vp_check_add (self, "cgroups", VP_CHECK_WARNING, "boot with systemd.unified_cgroup_hierarchy=1",
                    "no unified hierarchy at /sys/fs/cgroup: limits of virtual machines are not enforced together");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    if (!g_strv_contains ((const char *const *) have, needed[i]))
      g_string_append_printf (missing, " %s", needed[i]);
  if (missing->len > 0)
    vp_check_add (self, "cgroups", VP_CHECK_WARNING, "see cgroup_disable= of the kernel's command line",
                  "version 2, without the controllers%s", missing->str);
  else
    vp_check_add (self, "cgroups", VP_CHECK_OK, "", "version 2, %s", text);
}

/* ---- devices --------------------------------------------------------------------------- */

/* A character device that some configurations need. */
static void
check_device (VpCheck *self, const char *name, const char *path, gboolean needed, VpCheckStatus without,
              const char *key, const char *hint)
{
  g_autofree char *there = vp_check_path (self, path);

  if (g_file_test (there, G_FILE_TEST_EXISTS))
    vp_check_add (self, name, VP_CHECK_OK, "", "%s", path);
  else if (!needed)
    vp_check_add (self, name, VP_CHECK_OK, "", "there is no %s; not needed by this configuration", path);
  else
    vp_check_add (self, name, without, hint, "there is no %s, which %s needs", path, key);
}

static guint
count_entries (VpCheck *self, const char *path)
{
  g_autofree char *there = vp_check_path (self, path);
  g_autoptr (GDir) directory = g_dir_open (there, 0, NULL);
  guint n = 0;

  while (directory != NULL && g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

static void
check_iommu (VpCheck *self)
{
  guint groups = count_entries (self, "/sys/kernel/iommu_groups");
  gboolean needed
      = !g_str_equal (vp_config_get_string (self->config, VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO), "no-port")
        || !g_str_equal (vp_config_get_string (self->config, VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO), "no-port");

  if (groups > 0)
    vp_check_add (self, "iommu", VP_CHECK_OK, "", "%u groups", groups);
  else if (!needed)
    vp_check_add (self, "iommu", VP_CHECK_OK, "", "none; not needed by this configuration");
  else
    vp_check_add (self, "iommu", VP_CHECK_ERROR,
                  "switch it on in the firmware and boot with intel_iommu=on or amd_iommu=on",
                  "no IOMMU groups, but ports for host devices are configured");
  check_device (self, "vfio", "/dev/vfio/vfio", needed, VP_CHECK_ERROR, "a port for host devices",
                "modprobe vfio-pci");
}

/* Ports of a pod, which engines look for on the loopback device of its namespace. */
static void
check_steering (VpCheck *self)
{
  const char *model = vp_config_get_string (self->config, VP_CONFIG_NETWORK_MODEL);
  gboolean needed = vp_config_get_bool (self->config, VP_CONFIG_NETWORK_LOOPBACK_FORWARD)
                    && (g_str_equal (model, "tcfilter") || g_str_equal (model, "macvtap"));

  if (!needed)
    vp_check_add (self, "loopback-forward", VP_CHECK_OK, "", "not needed by this configuration");
  else if (self->no_steering == NULL)
    vp_check_add (self, "loopback-forward", VP_CHECK_OK, "", "the kernel steers connections (sk_lookup)");
  else
    vp_check_add (self, "loopback-forward", VP_CHECK_WARNING,
                  "take Linux 5.9 or later with CONFIG_BPF_SYSCALL; without it `kubectl port-forward` finds no port",
                  "%s", self->no_steering);
}

void
vp_check_devices (VpCheck *self)
{
  gboolean vsock = g_str_equal (vp_config_get_string (self->config, VP_CONFIG_AGENT_TRANSPORT), "vsock");
  gboolean vhost = vp_config_get_bool (self->config, VP_CONFIG_NETWORK_VHOST)
                   && !g_str_equal (vp_config_get_string (self->config, VP_CONFIG_NETWORK_MODEL), "none");

  check_device (self, "vhost-vsock", "/dev/vhost-vsock", vsock, VP_CHECK_ERROR, "agent.transport=vsock",
                "modprobe vhost_vsock, or set agent.transport=channel");
  check_device (self, "vhost-net", "/dev/vhost-net", vhost, VP_CHECK_WARNING, "network.vhost",
                "modprobe vhost_net; without it networks are slower");
  check_iommu (self);
  check_steering (self);
}

/* ---- memory ------------------------------------------------------------------------------ */

/* "KEY:   123 kB" or a bare number, as it stands; 0 when it is not there. */
static guint64
meminfo (const char *text, const char *key)
{
  g_autofree char *start = g_strconcat ("\n", key, ":", NULL);
  const char *line = text == NULL ? NULL : strstr (text, start);

  return line == NULL ? 0 : g_ascii_strtoull (line + strlen (start), NULL, 10);
}

static void
check_huge_pages (VpCheck *self, const char *text, guint64 wanted_mib)
{
  gboolean on = vp_config_get_bool (self->config, VP_CONFIG_HYPERVISOR_HUGE_PAGES);
  gboolean transparent = g_str_equal (vp_config_get_string (self->config, VP_CONFIG_HYPERVISOR_HUGE_PAGE_TYPE), "thp");
  guint64 size = meminfo (text, "Hugepagesize");
  guint64 free_mib = meminfo (text, "HugePages_Free") * size / 1024;
  g_autofree char *thp = vp_check_read (self, "/sys/kernel/mm/transparent_hugepage/enabled");

  if (!on)
    vp_check_add (self, "huge-pages", VP_CHECK_OK, "", "not asked for");
  else if (transparent)
    vp_check_add (self, "huge-pages", thp == NULL || strstr (thp, "[never]") != NULL ? VP_CHECK_WARNING : VP_CHECK_OK,
                  thp == NULL || strstr (thp, "[never]") != NULL
                      ? "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
                      : "",
                  "transparent: %s", thp == NULL ? "the kernel has none" : g_strchomp (thp));
  else if (free_mib < wanted_mib)
    vp_check_add (self, "huge-pages", VP_CHECK_ERROR, "reserve more: sysctl vm.nr_hugepages=N",
                  "%" G_GUINT64_FORMAT " MiB are free in pages of %" G_GUINT64_FORMAT " KiB, a sandbox needs %" G_GUINT64_FORMAT
                  " MiB",
                  free_mib, size, wanted_mib);
  else
    vp_check_add (self, "huge-pages", VP_CHECK_OK, "",
                  "%" G_GUINT64_FORMAT " MiB are free in pages of %" G_GUINT64_FORMAT " KiB: %" G_GUINT64_FORMAT
                  " sandboxes",
                  free_mib, size, free_mib / MAX (wanted_mib, 1));
}

void
vp_check_memory (VpCheck *self)
{
  g_autofree char *text = vp_check_read (self, "/proc/meminfo");
  guint64 available_mib = meminfo (text, "MemAvailable") / 1024;
  guint64 wanted_mib = vp_config_get_uint (self->config, VP_CONFIG_HYPERVISOR_MEMORY_MIB);

  if (available_mib == 0)
    vp_check_add (self, "memory", VP_CHECK_WARNING, "is /proc mounted?", "not known how much is available");
  else if (available_mib < wanted_mib)
    vp_check_add (self, "memory", VP_CHECK_ERROR, "set hypervisor.memory-mib lower, or free some",
                  "%" G_GUINT64_FORMAT " MiB available, a sandbox has %" G_GUINT64_FORMAT " MiB", available_mib,
                  wanted_mib);
  else
    vp_check_add (self, "memory", available_mib < 2 * wanted_mib ? VP_CHECK_WARNING : VP_CHECK_OK,
                  available_mib < 2 * wanted_mib ? "there is room for one sandbox only" : "",
                  "%" G_GUINT64_FORMAT " MiB available, a sandbox has %" G_GUINT64_FORMAT " MiB", available_mib,
                  wanted_mib);
  check_huge_pages (self, text, wanted_mib);
}

/* ---- the daemon itself --------------------------------------------------------------------- */

static void
check_handlers (VpCheck *self)
{
  g_auto (GStrv) names = vp_config_list_handlers (self->config);

  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpConfig) config = vp_config_for_handler (self->config, *name, &error);

      if (config == NULL)
        {
          vp_check_add (self, "configuration", VP_CHECK_ERROR, "correct the line; virtpod config check", "%s",
                        error->message);
          return;
        }
    }
  vp_check_add (self, "configuration", VP_CHECK_OK, "", "%u runtime handlers", g_strv_length (names));
}

/* Whoever can write there is root as soon as the next sandbox starts. */
static void
check_config_files (VpCheck *self)
{
  for (int key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      const char *source = vp_config_get_source (self->config, (VpConfigKey) key);
      const char *colon = strrchr (source, ':');
      g_autofree char *file = *source == '/' && colon != NULL ? g_strndup (source, (gsize) (colon - source)) : NULL;
      struct stat st;

      if (file == NULL || stat (file, &st) < 0)
        continue;
      if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 || (st.st_uid != 0 && st.st_uid != geteuid ()))
        {
          vp_check_add (self, "configuration-files", VP_CHECK_WARNING, "chown root; chmod go-w",
                        "%s: others than root may write it, and so become root", file);
          return;
        }
    }
}

void
vp_check_daemon (VpCheck *self)
{
  guint64 sandboxes = vp_config_get_uint (self->config, VP_CONFIG_DAEMON_MAX_SANDBOXES);
  guint64 needed = 128 + sandboxes * FDS_A_SANDBOX;

  if (self->nofile < needed)
    vp_check_add (self, "open-files", VP_CHECK_WARNING, "raise LimitNOFILE=, or lower daemon.max-sandboxes",
                  "the limit is %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " sandboxes need about %" G_GUINT64_FORMAT,
                  self->nofile, sandboxes, needed);
  else
    vp_check_add (self, "open-files", VP_CHECK_OK, "", "the limit is %" G_GUINT64_FORMAT, self->nofile);

  if (self->polkit == 0)
    vp_check_add (self, "polkit", VP_CHECK_WARNING, "install polkitd to let others than root in",
                  "not on this bus: only root may use virtpodd");
  else
    vp_check_add (self, "polkit", VP_CHECK_OK, "", self->polkit > 0 ? "there" : "not asked: there is no bus in between");
  check_handlers (self);
  check_config_files (self);
}
