/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every key: its default, values it takes, values it refuses, the ends of its range. */
#include <math.h>
#include <string.h>

#include "vp-config-table.h"
#include "vp-error.h"

typedef struct
{
  const char *name;
  const char *initial;
  const char *good[4];
  const char *bad[6];
} Case;

#define BOOL(name, initial) \
  { name, initial, { "true", "false" }, { "", "yes", "1", "True", "true false" } }
#define PATH(name, initial) \
  { name, initial, { "/x", "/a b/c" }, { "", "x", "./x", "~/x", "/a\nb" } }
#define PATH_OR_EMPTY(name, initial) \
  { name, initial, { "/x", "" }, { "x", "../x", " /x", "/\x01", "/\xff" } }
#define PATHS(name, initial) \
  { name, initial, { "", "/x/*;/y", " /x ; ;" }, { "x", "/x;y", "*", "/\xc3(" } }
#define STRING(name, initial) \
  { name, initial, { "", "a b=c \"d\"", "\xc3\xa4" }, { "a\nb", "\x7f", "\xff", "a\tb" } }

static const Case cases[] = {
  PATH ("daemon.state-dir", "/run/virtpod"),
  { "daemon.log-level", "notice", { "error", "warning", "info", "debug" }, { "", "Notice", "err", "error|info" } },
  { "daemon.max-sandboxes", "1000", { "1", "100000" }, { "0", "100001", "-1", "1.5", "1k", "" } },
  { "daemon.max-containers", "10000", { "1", "1000000" }, { "0", "1000001", "x", "0x10", "" } },
  { "daemon.on-stop", "keep", { "delete" }, { "", "Keep", "stop" } },
  { "daemon.orphan-grace-ms", "300000", { "0", "1s", "24h" }, { "25h", "-1", "" } },
  { "daemon.max-sandboxes-per-user", "100", { "0", "100000" }, { "100001", "-1", "" } },
  { "daemon.max-containers-per-user", "1000", { "0", "1000000" }, { "1000001", "-1", "" } },
  { "daemon.max-connections-per-user", "16", { "0", "10000" }, { "10001", "-1", "" } },
  { "daemon.max-calls-per-user", "500", { "1", "100000" }, { "0", "100001", "" } },
  STRING ("daemon.socket", "virtpod.sock"),
  STRING ("daemon.group", "virtpod"),
  BOOL ("daemon.hooks", "true"),
  { "daemon.hook-timeout-ms", "30000", { "100ms", "60min" }, { "99", "3600001", "s" } },

  STRING ("hypervisor.uri", "qemu:///system"),
  { "hypervisor.wait-ms", "0", { "5s", "3600000" }, { "3600001", "-1", "" } },
  { "hypervisor.accel", "auto", { "kvm", "tcg" }, { "hvf", "KVM", "", "auto " } },
  PATH_OR_EMPTY ("hypervisor.emulator", ""),
  STRING ("hypervisor.machine", "q35"),
  STRING ("hypervisor.cpu-model", ""),
  { "hypervisor.cpu-features", "", { "pmu=off", "-svm,+avx2,x" }, { "a\nb", "\xff" } },
  { "hypervisor.vcpus", "1", { "0.5", "2", "4096", "1.25" },
    { "0", "-1", "4097", "1x", "1e2", "99999999999999999999999999999" } },
  { "hypervisor.max-vcpus", "0", { "0", "4096" }, { "4097", "-1", "1.5", "+1", " 1" } },
  BOOL ("hypervisor.vcpu-pinning", "false"),
  { "hypervisor.memory-mib", "256", { "64", "1073741824" },
    { "63", "1073741825", "99999999999999999999", "-64", "1Gi", "" } },
  { "hypervisor.max-memory-mib", "0", { "1", "1073741824" }, { "1073741825", "-1", "all" } },
  { "hypervisor.memory-slots", "10", { "0", "255" }, { "256", "-1", "" } },
  { "hypervisor.memory-offset", "0", { "1", "1Ki", "1Pi", "1.5Gi" }, { "-1", "2Pi", "1kb", "1 Ki", "0.5", "Ki" } },
  { "hypervisor.memory-backing", "memfd", { "file" }, { "", "anonymous" } },
  BOOL ("hypervisor.memory-prealloc", "false"),
  BOOL ("hypervisor.memory-reclaim", "false"),
  BOOL ("hypervisor.huge-pages", "false"),
  { "hypervisor.huge-page-type", "hugetlbfs", { "thp" }, { "", "THP" } },
  { "hypervisor.huge-page-size", "0", { "64Ki", "2Mi", "1GiB", "17179869184" }, { "4Ki", "3Mi", "2M", "32Gi", "-1" } },
  BOOL ("hypervisor.virtio-mem", "false"),
  { "hypervisor.sgx-epc", "0", { "64Mi", "1Pi", "1048576" }, { "-1", "1.0001", "64MI", "1Ei" } },
  BOOL ("hypervisor.numa", "false"),
  { "hypervisor.numa-mapping", "", { "0-1 2", "0" }, { "0\t1", "\xff" } },
  { "hypervisor.hotplug-ports", "4", { "0", "28" }, { "29", "-1", "" } },
  { "hypervisor.pcie-root-ports", "0", { "16" }, { "17", "-1" } },
  { "hypervisor.pcie-switch-ports", "0", { "16" }, { "17", "-1" } },
  { "hypervisor.hot-plug-vfio", "no-port", { "root-port", "switch-port" }, { "bridge-port", "" } },
  { "hypervisor.cold-plug-vfio", "no-port", { "root-port", "switch-port" }, { "bridge-port", "" } },
  BOOL ("hypervisor.iommu", "false"),
  BOOL ("hypervisor.iommu-platform", "false"),
  PATH ("hypervisor.entropy-source", "/dev/urandom"),
  BOOL ("hypervisor.crash-dump", "false"),
  BOOL ("hypervisor.selinux", "true"),

  PATH_OR_EMPTY ("guest.kernel", VP_GUESTDIR "/vmlinux"),
  PATH_OR_EMPTY ("guest.initrd", VP_GUESTDIR "/initrd.img"),
  PATH_OR_EMPTY ("guest.image", ""),
  { "guest.image-type", "ext4", { "xfs", "erofs" }, { "btrfs", "" } },
  { "guest.image-driver", "virtio-blk", { "nvdimm" }, { "virtio-pmem", "" } },
  STRING ("guest.verity-params", ""),
  PATH_OR_EMPTY ("guest.firmware", ""),
  PATH_OR_EMPTY ("guest.firmware-vars", ""),
  STRING ("guest.cmdline-extra", ""),
  PATH_OR_EMPTY ("guest.hook-dir", ""),
  { "guest.dns", "", { "192.0.2.1;2001:db8::1" }, { "\n", "\xff" } },
  BOOL ("guest.seccomp", "true"),
  BOOL ("guest.selinux", "false"),
  STRING ("guest.selinux-label", ""),
  BOOL ("guest.swap", "false"),

  { "share.type", "virtiofs", { "none" }, { "virtio-fs", "9p", "" } },
  PATH_OR_EMPTY ("share.daemon", ""),
  { "share.cache", "auto", { "always", "never" }, { "metadata", "" } },
  { "share.queue-size", "1024", { "16", "32768" }, { "8", "1000", "65536", "0", "1Ki" } },
  { "share.thread-pool-size", "-1", { "0", "64", "1024" }, { "-2", "1025", "-", "--1", "+1", "" } },
  { "share.sandbox", "auto", { "namespace", "chroot" }, { "none", "" } },

  BOOL ("block.enabled", "true"),
  { "block.driver", "virtio-blk", { "virtio-scsi" }, { "nvdimm", "" } },
  { "block.aio", "threads", { "native", "io_uring" }, { "io-uring", "" } },
  BOOL ("block.cache-set", "false"),
  BOOL ("block.cache-direct", "false"),
  BOOL ("block.cache-noflush", "false"),
  { "block.discard", "unmap", { "ignore" }, { "on", "" } },
  BOOL ("block.iothreads", "false"),
  { "block.independent-iothreads", "0", { "1", "50" }, { "51", "-1" } },
  { "block.queues", "1", { "0", "1024" }, { "1025", "-1" } },
  { "block.queue-size", "0", { "2", "1024", "128" }, { "1", "3", "2048", "-1" } },
  { "block.logical-sector-size", "0", { "512", "4096", "65536" }, { "256", "513", "131072", "-512" } },
  { "block.physical-sector-size", "0", { "512", "4096", "65536" }, { "256", "513", "131072", "1" } },
  { "block.max-bytes-per-second", "0", { "1M", "10Mi" }, { "-1", "1Mbit", "2Pi" } },
  { "block.max-operations-per-second", "0", { "1000000000" }, { "1000000001", "-1", "1k" } },
  BOOL ("block.vhost-user", "false"),
  PATH ("block.vhost-user-dir", "/run/virtpod-vhost-user"),
  { "block.vhost-user-reconnect-ms", "0", { "1s", "1h" }, { "2h", "-1", "1m" } },

  { "network.model", "tcfilter", { "macvtap", "none", "user" }, { "default", "l3forwarding", "" } },
  { "network.user-backend", "auto", { "passt", "qemu" }, { "slirp", "" } },
  BOOL ("network.new-netns", "true"),
  BOOL ("network.vhost", "true"),
  BOOL ("network.watch", "false"),
  BOOL ("network.loopback-forward", "true"),
  { "network.queues", "1", { "0", "256" }, { "257", "-1" } },
  { "network.rx-max-rate", "0", { "1000000000000" }, { "1000000000001", "-1", "1G" } },
  { "network.tx-max-rate", "0", { "1000000000000" }, { "1000000000001", "-1", "1.5" } },

  { "agent.transport", "channel", { "vsock" }, { "hvsock", "" } },
  { "agent.connect-timeout-ms", "60000", { "100", "1h", "45s", "1.5s" }, { "99", "61min", "0", "1.0001s", "ms" } },
  { "agent.request-timeout-ms", "60000", { "100ms", "3600000" }, { "99", "3600001", "s" } },
  { "agent.create-timeout-ms", "0", { "0", "100", "0s", "60min" }, { "1", "99", "3600001", "-1" } },
  { "agent.stop-timeout-ms", "10000", { "0", "3600000" }, { "3600001", "-1", "" } },
  { "agent.heartbeat-ms", "10000", { "0", "1000", "1h" }, { "1", "999", "3600001", "" } },
  { "agent.kernel-modules", "", { "e1000e EEE=1;i915" }, { "a\nb", "\xff" } },
  { "agent.container-pipe-size", "0", { "64Ki", "1Gi" }, { "2Gi", "-1" } },
  BOOL ("agent.debug", "false"),
  BOOL ("agent.debug-console", "false"),

  BOOL ("console.enabled", "true"),
  { "console.max-bytes", "262144", { "4096", "1Gi", "1M" }, { "4095", "1073741825", "", "1.5" } },
  BOOL ("console.serial", "true"),

  BOOL ("runtime.static-resources", "true"),
  { "runtime.overhead-vcpus", "0", { "0.2", "64" }, { "64.1", "-0.1", ".5", "1." } },
  { "runtime.overhead-memory-mib", "0", { "32", "1073741824" }, { "1073741825", "-1", "1.5" } },
  BOOL ("runtime.sandbox-cgroup-only", "true"),
  { "runtime.vfio-mode", "guest-kernel", { "vfio" }, { "guest", "" } },
  { "runtime.sandbox-bind-mounts", "", { "/a;/b:ro;/c:rw" }, { "a", "/a:rwx", "/a;b:ro", "/a:" } },
  BOOL ("runtime.guest-empty-dir", "false"),
  PATH ("runtime.kubelet-dir", "/var/lib/kubelet"),
  BOOL ("runtime.keep-failed", "false"),

  { "annotations.hypervisor", "enable_iommu;kernel_params;kernel_verity_params", { "", ".*", "a|b;c{1,2}" },
    { "(", "a;[", "*" } },
  { "annotations.runtime", "create_container_timeout", { "", "sandbox_.*" }, { "(", "a{2,1}" } },
  { "annotations.agent", "container_pipe_size", { "", "[a-z]+" }, { ")", "[z-a]" } },
  PATHS ("annotations.emulator-paths", ""),
  PATHS ("annotations.boot-paths", VP_GUESTDIR "/*"),
  PATHS ("annotations.share-daemon-paths", ""),
  PATHS ("annotations.entropy-sources", "/dev/urandom;/dev/random"),
  PATHS ("annotations.vhost-user-dirs", ""),
};

/* No key without a row above. */
static void
test_complete (void)
{
  g_assert_cmpuint (G_N_ELEMENTS (cases), ==, VP_N_CONFIG_KEYS);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpuint (vp_config_find_key (cases[i].name), ==, i);
      g_assert_cmpstr (vp_config_key_name ((VpConfigKey)i), ==, cases[i].name);
      g_assert_nonnull (cases[i].good[0]);
      g_assert_nonnull (cases[i].bad[0]);
    }
  g_assert_cmpuint (vp_config_find_key ("hypervisor"), ==, VP_N_CONFIG_KEYS);
  g_assert_cmpuint (vp_config_find_key (""), ==, VP_N_CONFIG_KEYS);
}

static void
assert_set (VpConfig *config, VpConfigKey key, const char *value, gboolean expected)
{
  g_autofree char *before = g_strdup (vp_config_get_string (config, key));
  g_autoptr (GError) error = NULL;
  gboolean set = vp_config_override_from (config, key, value, "a test", &error);

  g_test_message ("%s=\"%.80s\": %s", vp_config_key_name (key), g_utf8_validate (value, -1, NULL) ? value : "(bytes)", set ? "taken" : error->message);
  g_assert_cmpint (set, ==, expected);
  if (set)
    {
      g_assert_cmpstr (vp_config_get_string (config, key), ==, value);
      g_assert_cmpstr (vp_config_get_source (config, key), ==, "a test");
      return;
    }
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_true (g_str_has_prefix (error->message, "a test: "));
  g_assert_nonnull (strstr (error->message, vp_config_key_name (key)));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_cmpstr (vp_config_get_string (config, key), ==, before);
}

static void
test_values (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpConfig) config = vp_config_new_default ();
      VpConfigKey key = (VpConfigKey)i;

      g_assert_cmpstr (vp_config_get_string (config, key), ==, cases[i].initial);
      g_assert_cmpstr (vp_config_get_source (config, key), ==, "default");
      g_assert_true (vp_config_is_default (config, key));
      for (guint j = 0; j < G_N_ELEMENTS (cases[i].good) && cases[i].good[j] != NULL; j++)
        assert_set (config, key, cases[i].good[j], TRUE);
      for (guint j = 0; j < G_N_ELEMENTS (cases[i].bad) && cases[i].bad[j] != NULL; j++)
        assert_set (config, key, cases[i].bad[j], FALSE);
      assert_set (config, key, cases[i].initial, TRUE);
    }
}

/* The ends of each range are inside, what is beside them is not. */
static void
test_boundaries (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  guint n = 0;

  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      VpConfigKey key = (VpConfigKey)i;
      gboolean real = vp_config_key_type (key) == VP_CONFIG_TYPE_DOUBLE;
      double min, max;

      if (!vp_config_key_range (key, &min, &max))
        continue;
      for (int end = 0; end < 2; end++)
        {
          double step = real ? 0.01 : 1;
          double at = end == 0 ? min : max, outside = end == 0 ? min - step : max + step;
          g_autofree char *inside_text = g_strdup_printf ("%.15g", at);
          g_autofree char *outside_text = g_strdup_printf ("%.15g", outside);

          if (!real)
            {
              g_free (inside_text);
              inside_text = g_strdup_printf ("%.0f", at);
              g_free (outside_text);
              outside_text = g_strdup_printf ("%.0f", outside);
            }
          assert_set (config, key, inside_text, TRUE);
          if (outside != 0 || (vp_config_table[i].flags & VP_CONFIG_OR_ZERO) == 0)
            assert_set (config, key, outside_text, FALSE);
        }
      n++;
    }
  g_assert_cmpuint (n, >, 30);
}

static void
test_typed (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  const char *const *list;

  assert_set (config, VP_CONFIG_HYPERVISOR_VCPUS, "1.5", TRUE);
  g_assert_cmpfloat (fabs (vp_config_get_double (config, VP_CONFIG_HYPERVISOR_VCPUS) - 1.5), <, 1e-9);
  g_assert_cmpuint (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_VCPUS), ==, 2);
  assert_set (config, VP_CONFIG_HYPERVISOR_SGX_EPC, "1.5Gi", TRUE);
  g_assert_cmpuint (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_SGX_EPC), ==,
                    G_GUINT64_CONSTANT (1610612736));
  assert_set (config, VP_CONFIG_HYPERVISOR_SGX_EPC, "3G", TRUE);
  g_assert_cmpuint (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_SGX_EPC), ==,
                    G_GUINT64_CONSTANT (3000000000));
  assert_set (config, VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS, "1.5min", TRUE);
  g_assert_cmpuint (vp_config_get_uint (config, VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS), ==, 90000);
  g_assert_cmpint (vp_config_get_int (config, VP_CONFIG_SHARE_THREAD_POOL_SIZE), ==, -1);

  g_assert_cmpstr (vp_config_get_list (config, VP_CONFIG_GUEST_DNS)[0], ==, NULL);
  assert_set (config, VP_CONFIG_AGENT_KERNEL_MODULES, " e1000e EEE=1 ;; i915 ;", TRUE);
  list = vp_config_get_list (config, VP_CONFIG_AGENT_KERNEL_MODULES);
  g_assert_cmpuint (g_strv_length ((char **)list), ==, 2);
  g_assert_cmpstr (list[0], ==, "e1000e EEE=1");
  g_assert_cmpstr (list[1], ==, "i915");
  assert_set (config, VP_CONFIG_HYPERVISOR_NUMA_MAPPING, "0-1  2", TRUE);
  list = vp_config_get_list (config, VP_CONFIG_HYPERVISOR_NUMA_MAPPING);
  g_assert_cmpuint (g_strv_length ((char **)list), ==, 2);
  assert_set (config, VP_CONFIG_HYPERVISOR_CPU_FEATURES, "pmu=off, -svm", TRUE);
  g_assert_cmpstr (vp_config_get_list (config, VP_CONFIG_HYPERVISOR_CPU_FEATURES)[1], ==, "-svm");
}

static void
test_long_text (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strnfill (70000, 'x');

  assert_set (config, VP_CONFIG_GUEST_CMDLINE_EXTRA, text, FALSE);
  text[65536] = '\0';
  assert_set (config, VP_CONFIG_GUEST_CMDLINE_EXTRA, text, TRUE);
  g_assert_false (vp_config_override_from (config, VP_CONFIG_SHARE_TYPE, text, "a test", &error));
  g_assert_cmpuint (strlen (error->message), <, 300);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-keys/complete", test_complete);
  g_test_add_func ("/config-keys/values", test_values);
  g_test_add_func ("/config-keys/boundaries", test_boundaries);
  g_test_add_func ("/config-keys/typed", test_typed);
  g_test_add_func ("/config-keys/long-text", test_long_text);
  return g_test_run ();
}
