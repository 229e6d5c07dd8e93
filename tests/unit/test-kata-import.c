/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "vp-config-table.h"
#include "vp-error.h"
#include "vp-kata-import.h"
#include "vp-toml.h"

static char *
import_text (const char *toml, char ***ret_notes)
{
  g_autoptr (GError) error = NULL;
  char *text = vp_kata_import (toml, strlen (toml), "k.toml", ret_notes, &error);

  g_assert_no_error (error);
  return text;
}

static void
assert_loads (const char *text)
{
  g_autofree char *file = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VpConfig) config = NULL;
  int fd = g_file_open_tmp ("virtpod-kata-XXXXXX.conf", &file, &error);

  g_assert_no_error (error);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  config = vp_config_load (file, &error);
  g_remove (file);
  g_assert_no_error (error);
}

/* ---- files ---- */

static void
compare_or_write (const char *base, const char *suffix, const char *text)
{
  g_autofree char *path = g_strconcat (VP_KATA_DIR "/", base, suffix, NULL);
  g_autofree char *expected = NULL;

  if (g_getenv ("VIRTPOD_UPDATE") != NULL)
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_true (g_file_get_contents (path, &expected, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_file (gconstpointer data)
{
  const char *base = data;
  g_autofree char *path = g_strconcat (VP_KATA_DIR "/", base, ".toml", NULL);
  g_autofree char *name = g_strconcat (base, ".toml", NULL);
  g_autofree char *toml = NULL, *text = NULL, *joined = NULL, *notes_text = NULL;
  g_auto (GStrv) notes = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &toml, &length, NULL));
  text = vp_kata_import (toml, length, name, &notes, &error);
  g_assert_no_error (error);
  assert_loads (text);
  joined = g_strjoinv ("\n", notes);
  notes_text = g_strconcat (joined, "\n", NULL);
  compare_or_write (base, ".conf", text);
  compare_or_write (base, ".notes", notes_text);
}

/* ---- tables ---- */

/* Every option there is: none may be unknown. */
static const char *const options[] = {
  "hypervisor path kernel image initrd rootfs_type vm_rootfs_driver machine_type machine_accelerators cpu_features "
  "firmware firmware_volume pflashes seccompsandbox seccomp_sandbox rootless enable_annotations "
  "valid_hypervisor_paths valid_virtio_fs_daemon_paths valid_entropy_sources valid_vhost_user_store_paths "
  "valid_jailer_paths kernel_params kernel_verity_params default_vcpus default_maxvcpus overhead_vcpus "
  "overhead_memory default_bridges default_memory memory_slots default_maxmemory memory_offset enable_virtio_mem "
  "enable_mem_prealloc enable_hugepages hugepage_type reclaim_guest_freed_memory enable_guest_swap "
  "disable_block_device_use shared_fs virtio_fs_daemon virtio_fs_cache virtio_fs_cache_size virtio_fs_queue_size "
  "virtio_fs_extra_args block_device_driver block_device_aio block_device_cache_set block_device_cache_direct "
  "block_device_cache_noflush block_device_logical_sector_size block_device_physical_sector_size enable_iothreads "
  "indep_iothreads queue_size num_queues network_queues enable_vhost_user_store vhost_user_store_path "
  "vhost_user_reconnect_timeout_sec enable_iommu enable_iommu_platform enable_numa numa_mapping enable_debug "
  "extra_monitor_socket disable_nesting_checks msize_9p disable_image_nvdimm hot_plug_vfio cold_plug_vfio "
  "pcie_root_port pcie_switch_port disable_vhost_net entropy_source guest_hook_path rx_rate_limiter_max_rate "
  "tx_rate_limiter_max_rate net_rate_limiter_bw_max_rate net_rate_limiter_bw_one_time_burst "
  "net_rate_limiter_ops_max_rate net_rate_limiter_ops_one_time_burst disk_rate_limiter_bw_max_rate "
  "disk_rate_limiter_bw_one_time_burst disk_rate_limiter_ops_max_rate disk_rate_limiter_ops_one_time_burst "
  "disable_seccomp hypervisor_loglevel guest_memory_dump_path guest_memory_dump_paging use_legacy_serial "
  "disable_selinux disable_guest_selinux confidential_guest sev_snp_guest tdx_quote_generation_service_socket_port",
  "factory enable_template template_path vm_cache_number vm_cache_endpoint",
  "agent enable_debug enable_tracing kernel_modules debug_console_enabled dial_timeout dial_timeout_ms "
  "reconnect_timeout_ms cdh_api_timeout create_container_timeout passfd_listener_port mem_agent.memcg_disable",
  "runtime name hypervisor_name agent_name internetworking_model disable_guest_seccomp guest_selinux_label "
  "enable_vcpus_pinning enable_tracing jaeger_endpoint jaeger_user jaeger_password enable_pprof enable_debug "
  "disable_new_netns sandbox_cgroup_only static_sandbox_resource_mgmt sandbox_bind_mounts vfio_mode "
  "disable_guest_empty_dir emptydir_mode experimental experimental_force_guest_pull create_container_timeout "
  "dan_conf kubelet_root_dir pod_resource_api_sock keep_abnormal shared_mounts use_passfd_io",
};

static void
test_complete (void)
{
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_auto (GStrv) words = g_strsplit (options[i], " ", -1);
      const char *table = g_str_equal (words[0], "hypervisor") ? "hypervisor.qemu"
                          : g_str_equal (words[0], "agent")    ? "agent.kata"
                                                               : words[0];

      for (char **word = words + 1; *word != NULL; word++, n++)
        {
          g_autofree char *toml = g_strdup_printf ("[%s]\n%s = \"/no such value\"\n", table, *word);
          g_auto (GStrv) notes = NULL;
          g_autofree char *text = import_text (toml, &notes);

          for (char **line = notes; *line != NULL; line++)
            g_assert_null (strstr (*line, "is not known"));
          assert_loads (text);
        }
    }
  g_assert_cmpuint (n, >, 120);
}

/* Each name in the table of keys is reached: the right kind of value gives a key or a reason. */
static void
test_counterparts (void)
{
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    {
      g_auto (GStrv) names = g_strsplit (vp_config_table[i].kata ?: "", " ", -1);

      for (char **name = names; *name != NULL; name++)
        {
          g_auto (GStrv) halves = g_strsplit (*name, ":", 2);
          const char *dot = strchr (halves[0], '.');
          g_autofree char *table = g_strndup (halves[0], (gsize)(dot - halves[0]));

          g_assert_true (g_str_equal (table, "hypervisor") || g_str_equal (table, "agent")
                         || g_str_equal (table, "runtime"));
          if (halves[1] != NULL)
            g_assert_true (g_str_equal (halves[1], "not") || g_str_equal (halves[1], "s")
                           || g_str_equal (halves[1], "bits"));
        }
    }
}

static void
test_values (void)
{
  static const struct
  {
    const char *toml, *line; /* of the result */
  } cases[] = {
    { "[hypervisor.qemu]\ndefault_vcpus = 2", "\nvcpus=2\n" },
    { "[hypervisor.qemu]\ndefault_vcpus = 1.50", "\nvcpus=1.5\n" },
    { "[hypervisor.qemu]\ndefault_memory = 0x200", "\nmemory-mib=512\n" },
    { "[hypervisor.qemu]\ndisable_vhost_net = true", "\nvhost=false\n" },
    { "[hypervisor.qemu]\ndisable_image_nvdimm = true", "\nimage-driver=virtio-blk\n" },
    { "[hypervisor.qemu]\ndisable_image_nvdimm = false", "\nimage-driver=nvdimm\n" },
    { "[hypervisor.qemu]\nshared_fs = 'virtio-fs'", "\ntype=virtiofs\n" },
    { "[hypervisor.qemu]\nenable_annotations = []", "\nhypervisor=\n" },
    { "[hypervisor.qemu]\nenable_annotations = ['a.*', \"b\"]", "\nhypervisor=a.*;b\n" },
    { "[hypervisor.qemu]\nnuma_mapping = [\"0\",\"1-2\",]", "\nnuma-mapping=0 1-2\n" },
    { "[hypervisor.clh]\nnet_rate_limiter_bw_max_rate = 1_000", "\nrx-max-rate=1000\n" },
    { "[hypervisor.clh]\nnet_rate_limiter_bw_max_rate = 1_000", "\ntx-max-rate=1000\n" },
    { "[hypervisor.clh]\ndisk_rate_limiter_bw_max_rate = 800", "\nmax-bytes-per-second=100\n" },
    { "[hypervisor.cloud-hypervisor]\npath = \"/x\"", "\nuri=ch:///system\n" },
    { "[hypervisor.qemu]\nvirtio_fs_extra_args = [\"--thread-pool-size=7\"]", "\nthread-pool-size=7\n" },
    { "[agent.kata]\ndial_timeout = 45", "\nconnect-timeout-ms=45s\n" },
    { "[agent.kata]\nreconnect_timeout_ms = 3000", "\nconnect-timeout-ms=3000\n" },
    { "[agent.kata]\nkernel_modules=[\"a b=1,2\", \"c\"]", "\nkernel-modules=a b=1,2;c\n" },
    { "[runtime]\ninternetworking_model=\"default\"", "\nmodel=tcfilter\n" },
    { "[hypervisor.qemu]\nimage=\"/i\"", "\ntransport=vsock\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) notes = NULL;
      g_autofree char *text = import_text (cases[i].toml, &notes);

      g_test_message ("%s -> %s", cases[i].toml, text);
      g_assert_nonnull (strstr (text, cases[i].line));
      g_assert_cmpuint (g_strv_length (notes), ==, 0);
      assert_loads (text);
    }
}

static void
test_notes (void)
{
  static const struct
  {
    const char *toml, *note;
  } cases[] = {
    { "[hypervisor.qemu]\ndefault_vcpus = -1", "k.toml:2: hypervisor.qemu.default_vcpus: hypervisor.vcpus must be a" },
    { "[hypervisor.qemu]\nshared_fs = \"virtio-9p\"", "k.toml:2: hypervisor.qemu.shared_fs: \"virtio-9p\": 9p is not" },
    { "[hypervisor.qemu]\nenable_annotations = [\"a;b\"]", "separates items by \";\"" },
    { "[hypervisor.qemu]\nkernel = [\"/x\"]", "guest.kernel is not a list" },
    { "[hypervisor.qemu]\nkernel = \"x\\ny\"", "guest.kernel has a control character" },
    { "[hypervisor.qemu]\nvirtio_fs_extra_args = [\"--x\"]", "\"--x\": libvirt makes virtiofsd's command line" },
    { "[hypervisor.qemu]\npath=\"/a\"\n[hypervisor.clh]\npath=\"/b\"", "k.toml:4: hypervisor.clh.path: only" },
    { "[hypervisor.firecracker]\npath=\"/a\"", "libvirt has no driver" },
    { "[hypervisor.qemu]\ndisable_vhost_net = 1", "network.vhost must be true or false" },
    { "[factory]\nenable_template=true", "sandboxes are booted" },
    { "[agent.kata.mem_agent]\nmem_agent_enable=true", "does not reclaim" },
    { "[strange]\n\"o\\u00e4\\n\"=1", "is not known" },
    { "x=1", "k.toml:1: x: is not known" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) notes = NULL;
      g_autofree char *text = import_text (cases[i].toml, &notes);

      g_assert_cmpuint (g_strv_length (notes), ==, 1);
      g_test_message ("%s", notes[0]);
      g_assert_nonnull (strstr (notes[0], cases[i].note));
      g_assert_null (strchr (notes[0], '\n'));
      assert_loads (text);
    }
}

/* What is off loses nothing. */
static void
test_silent (void)
{
  g_auto (GStrv) notes = NULL;
  g_autofree char *text = import_text ("[hypervisor.qemu]\nmachine_accelerators=\"\"\npflashes=[]\nrootless=false\n"
                                       "virtio_fs_cache_size=0\nmsize_9p=8192\ndefault_bridges=1\n"
                                       "[factory]\ntemplate_path=\"/run/vc/vm/template\"\n"
                                       "[runtime]\nemptydir_mode=\"shared-fs\"\n",
                                       &notes);

  g_assert_cmpuint (g_strv_length (notes), ==, 0);
  assert_loads (text);
}

static void
test_contradiction (void)
{
  const char *toml = "[hypervisor.qemu]\nimage=\"/a\"\ninitrd=\"/b\"\n";
  g_auto (GStrv) notes = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (vp_kata_import (toml, strlen (toml), "k.toml", &notes, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CONFIG_ERROR);
  g_assert_nonnull (strstr (error->message, "k.toml:2 hypervisor.qemu.image: guest.image: "));
}

/* ---- the reader of TOML ---- */

static gboolean
record (const char *path, const VpTomlValue *value, guint line, gpointer user_data, GError **error)
{
  static const char letters[] = "sifba";
  GString *out = user_data;
  g_autofree char *items = value->items != NULL ? g_strjoinv ("|", (char **)value->items) : NULL;

  g_string_append_printf (out, "%u %s %c %s\n", line, path, letters[value->type], items ?: value->text);
  return TRUE;
}

static void
test_toml (void)
{
  static const char toml[] = "# c\r\na = 1 # x\n'b c'.\"d\" = 'C:\\x'\n[t . u]\r\ne=\"q\\\"\\u00e4\\t\"\n"
                             "f = +1_000\ng=-0.5e3\nh=true\ni=[ 1, \n # c\n \"]#\" ,]\nj=[]\n[k]\nl=0xff";
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_toml_parse (toml, strlen (toml), "t", record, out, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (out->str, ==,
                   "2 a i 1\n3 b c.d s C:\\x\n5 t.u.e s q\"\xc3\xa4\t\n6 t.u.f i 1000\n7 t.u.g f -500\n"
                   "8 t.u.h b true\n9 t.u.i a 1|]#\n12 t.u.j a \n14 k.l i 255\n");
}

static void
test_toml_refused (void)
{
  static const char *const cases[] = {
    "a", "a =", "= 1", "a = b", "a = 1 2", "a = \"x", "a = 'x\n'", "a = \"\"\"x\"\"\"", "a = \"\\q\"",
    "a = \"\\u12\"", "a = \"\\ud800\"", "a = \"\\u0000\"", "a = \"\\", "[a", "[a]b", "[]", "[[a]]", "a = {b=1}",
    "a = [1", "a = [1 2]", "a = [[1]]", "a = [1,,2]", "a=1\na=2", "a = 1__0", "a = _1", "a = 0x", "a = 1.2.3",
    "a = 99999999999999999999", "a..b = 1", "a. = 1", "\xff = 1", "a = \"\xff\"", "a = 2020-01-01", "a = tru", "]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      gboolean right = vp_toml_parse (cases[i], strlen (cases[i]), "t", record, out, &error);

      g_test_message ("%u: %s", i, right ? out->str : error->message);
      g_assert_false (right);
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "t:"));
    }
}

static void
test_toml_bounded (void)
{
  g_autoptr (GString) toml = g_string_new ("a=[");
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append (toml, "1,");
  g_string_append (toml, "]");
  g_assert_false (vp_toml_parse (toml->str, toml->len, "t", record, out, &error));
  g_assert_nonnull (strstr (error->message, "more than 4096 items"));
  g_clear_error (&error);
  g_string_set_size (toml, 2 << 20);
  g_assert_false (vp_toml_parse (toml->str, toml->len, "t", record, out, &error));
  g_clear_error (&error);
  g_assert_false (vp_toml_parse ("a\0=1", 4, "t", record, out, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/kata-import/qemu", "qemu", test_file);
  g_test_add_data_func ("/kata-import/clh", "clh", test_file);
  g_test_add_data_func ("/kata-import/runtime-rs", "runtime-rs", test_file);
  g_test_add_func ("/kata-import/complete", test_complete);
  g_test_add_func ("/kata-import/counterparts", test_counterparts);
  g_test_add_func ("/kata-import/values", test_values);
  g_test_add_func ("/kata-import/notes", test_notes);
  g_test_add_func ("/kata-import/silent", test_silent);
  g_test_add_func ("/kata-import/contradiction", test_contradiction);
  g_test_add_func ("/toml/read", test_toml);
  g_test_add_func ("/toml/refused", test_toml_refused);
  g_test_add_func ("/toml/bounded", test_toml_bounded);
  return g_test_run ();
}
