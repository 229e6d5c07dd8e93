/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planner's decisions one by one; whole plans are in tests/golden. */
#include <string.h>

#include "vp-decision.h"
#include "vp-error.h"
#include "vp-planner.h"

#define UUID "6B9A2C6E-7A0F-4D55-9D4B-0A6F0C1D2E3F"
#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct
{
  VpSandboxIdentity who;
  VpFactsInit facts;
  VpConfig *config;
  char *json;
} Input;

static void
input_init (Input *in, const char *rest)
{
  in->who = (VpSandboxIdentity){ "s1", UUID, NULL, "/run/virtpod/sandboxes/s1" };
  in->facts = (VpFactsInit){ .driver = "QEMU", .arch = "x86_64", .virtiofs = TRUE, .kvm_reason = "no vmx" };
  in->config = vp_config_new_default ();
  in->json = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
                              "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"}%s}",
                              rest);
}

static void
input_clear (Input *in)
{
  vp_config_unref (in->config);
  g_free (in->json);
}

static void
set (Input *in, const char *key, const char *value)
{
  g_assert_true (vp_config_override (in->config, key, value, NULL));
}

static VpSpec *
make_spec (Input *in)
{
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (in->json, strlen (in->json), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

static VpPlan *
plan (Input *in, GError **error)
{
  g_autoptr (VpSpec) spec = make_spec (in);
  g_autoptr (VpFacts) facts = vp_facts_new (&in->facts);

  return vp_planner_plan_sandbox (&in->who, spec, in->config, facts, error);
}

static void
assert_refused (Input *in, VpError code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (plan (in, &error));
  g_assert_error (error, VP_ERROR, (gint)code);
  if (strstr (error->message, words) == NULL)
    g_test_message ("%s lacks \"%s\"", error->message, words);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_accel (void)
{
  static const struct
  {
    const char *wanted;
    gboolean usable;
    VpAccel accel;
  } cases[] = {
    { "auto", FALSE, VP_ACCEL_TCG }, { "auto", TRUE, VP_ACCEL_KVM }, { "tcg", TRUE, VP_ACCEL_TCG },
    { "tcg", FALSE, VP_ACCEL_TCG },  { "kvm", TRUE, VP_ACCEL_KVM },
  };
  Input in;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpPlan) result = NULL;

      input_init (&in, "");
      set (&in, "hypervisor.accel", cases[i].wanted);
      in.facts.kvm_usable = cases[i].usable;
      result = plan (&in, NULL);
      g_assert_cmpint (result->accel, ==, cases[i].accel);
      g_assert_cmpstr (result->cpu_model, ==, result->accel == VP_ACCEL_KVM ? NULL : "qemu64");
      g_assert_true ((strstr (result->cmdline, "mitigations=off") != NULL)
                     == (result->accel == VP_ACCEL_TCG));
      g_assert_true ((strstr (result->cmdline, "nokaslr") != NULL) == (result->accel == VP_ACCEL_TCG));
      input_clear (&in);
    }
  input_init (&in, "");
  set (&in, "hypervisor.accel", "kvm");
  assert_refused (&in, VP_ERROR_NOT_SUPPORTED, "hypervisor.accel: kvm cannot be used here: no vmx");
  input_clear (&in);
}

static void
test_refused (void)
{
  g_autofree char *long_name = g_strnfill (100, 'd');
  g_autofree char *long_directory = g_strconcat ("/", long_name, NULL);
  Input in;

  input_init (&in, "");
  in.facts.driver = "Xen";
  assert_refused (&in, VP_ERROR_NOT_SUPPORTED, "libvirt's Xen driver");
  in.facts.driver = "QEMU";
  in.facts.virtiofs = FALSE;
  assert_refused (&in, VP_ERROR_NOT_SUPPORTED, "virtiofs");
  in.facts.virtiofs = TRUE;
  in.who.id = "../s1";
  assert_refused (&in, VP_ERROR_INVALID_ARGUMENT, "sandbox id");
  in.who.id = "s1";
  in.who.uuid = "none";
  assert_refused (&in, VP_ERROR_INVALID_ARGUMENT, "uuid \"none\"");
  in.who.uuid = UUID;
  in.who.directory = "relative";
  assert_refused (&in, VP_ERROR_INVALID_ARGUMENT, "directory \"relative\"");
  in.who.directory = long_directory;
  assert_refused (&in, VP_ERROR_INVALID_ARGUMENT, "the kernel allows 107");
  input_clear (&in);
}

static void
test_size (void)
{
  static const struct
  {
    const char *resources;
    const char *max_vcpus, *max_memory;
    guint64 host_memory_mib;
    guint vcpus;
    guint64 memory_mib;
  } cases[] = {
    { "", "0", "0", 0, 2, 256 },
    { "\"cpu\":{\"quota\":50000,\"period\":100000}", "0", "0", 0, 3, 256 },
    { "\"cpu\":{\"quota\":300001,\"period\":100000}", "0", "0", 0, 6, 256 },
    { "\"cpu\":{\"quota\":9000000,\"period\":100000}", "0", "0", 0, 8, 256 },
    { "\"cpu\":{\"quota\":9000000,\"period\":100000}", "3", "0", 0, 3, 256 },
    { "\"cpu\":{\"quota\":300000}", "0", "0", 0, 5, 256 },
    { "", "1", "0", 0, 1, 256 },
    { "\"memory\":{\"limit\":1048577}", "0", "0", 0, 2, 258 },
    { "\"memory\":{\"limit\":1073741824}", "0", "512", 0, 2, 512 },
    { "\"memory\":{\"limit\":1073741824}", "0", "0", 1024, 2, 1024 },
    { "\"memory\":{\"limit\":-1}", "0", "0", 1024, 2, 256 },
    { "\"memory\":{\"limit\":9223372036854775807}", "0", "0", 0, 2, 256 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rest = g_strdup_printf (",\"linux\":{\"resources\":{%s}}", cases[i].resources);
      g_autoptr (VpPlan) result = NULL;
      Input in;

      input_init (&in, rest);
      in.facts.host_cpus = 8;
      in.facts.host_memory = cases[i].host_memory_mib * MIB;
      set (&in, "hypervisor.vcpus", "2");
      set (&in, "hypervisor.max-vcpus", cases[i].max_vcpus);
      set (&in, "hypervisor.max-memory-mib", cases[i].max_memory);
      result = plan (&in, NULL);
      g_assert_cmpuint (result->vcpus, ==, cases[i].vcpus);
      g_assert_cmpuint (result->memory / MIB, ==, cases[i].memory_mib);
      input_clear (&in);
    }
}

static void
test_cmdline (void)
{
  static const char *const bad[] = {
    "\"net.x\":\"1\\\" init=/bin/sh\"",
    "\"net.x\":\"1\\n2\"",
  };
  g_autoptr (VpPlan) result = NULL;
  Input in;

  input_init (&in, ",\"linux\":{\"sysctl\":{\"net.a.b\":\"0 5\",\"kernel.x\":\"1\"}}");
  set (&in, "guest.cmdline-extra", "last=1");
  result = plan (&in, NULL);
  g_assert_true (g_str_has_suffix (result->cmdline, " console=ttyS0 sysctl.net.a.b=\"0 5\" last=1"));
  input_clear (&in);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *rest = g_strdup_printf (",\"linux\":{\"sysctl\":{%s}}", bad[i]);

      input_init (&in, rest);
      assert_refused (&in, VP_ERROR_INVALID_ARGUMENT, "linux.sysctl");
      input_clear (&in);
    }
}

static void
test_hostname (void)
{
  g_autofree char *ascii = g_strnfill (100, 'a');
  static const struct
  {
    const char *tail;
    gsize length;
  } cases[] = { { "a", 64 }, { "\303\251\303\251", 63 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rest = g_strdup_printf (",\"hostname\":\"%.63s%s\"", ascii, cases[i].tail);
      g_autoptr (VpPlan) result = NULL;
      Input in;

      input_init (&in, rest);
      result = plan (&in, NULL);
      g_assert_cmpuint (strlen (result->hostname), ==, cases[i].length);
      g_assert_true (g_utf8_validate (result->hostname, -1, NULL));
      g_assert_cmpstr (result->uuid, ==, "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f");
      input_clear (&in);
    }
}

/* ---- containers ------------------------------------------------------------- */

static VpContainerPlan *
plan_container (Input *in, const char *sid, const char *cid, GError **error)
{
  g_autoptr (VpSpec) spec = make_spec (in);
  g_autoptr (VpFacts) facts = vp_facts_new (&in->facts);

  return vp_planner_plan_container (sid, cid, spec, in->config, facts, error);
}

static void
test_container_refused (void)
{
  static const struct
  {
    const char *rest, *cid;
    VpError code;
    const char *words;
  } cases[] = {
    { "", "a/b", VP_ERROR_INVALID_ARGUMENT, "container id" },
    { ",\"mounts\":[{\"destination\":\"/d\",\"type\":\"ext4\",\"source\":\"/dev/sda\"}]", "c",
      VP_ERROR_NOT_SUPPORTED, "mounts[0]: type \"ext4\" on /d" },
    { ",\"mounts\":[{\"destination\":\"/p\",\"type\":\"proc\"},{\"destination\":\"/d\",\"source\":\"/"
      "s\",\"options\":["
      "\"bind\",\"idmap\"]}]",
      "c", VP_ERROR_NOT_SUPPORTED, "mounts[1]: option \"idmap\"" },
    { ",\"annotations\":{\"io.kubernetes.cri.container-type\":\"x\"}", "c", VP_ERROR_INVALID_ARGUMENT,
      "annotations" },
    { ",\"mounts\":[{\"destination\":\"/d\",\"source\":\"/s\",\"options\":[\"rbind\",\"rshared\"]}]", "c",
      VP_ERROR_NOT_SUPPORTED, "mounts[0]: option \"rshared\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      Input in;

      input_init (&in, cases[i].rest);
      g_assert_null (plan_container (&in, "s1", cases[i].cid, &error));
      g_assert_error (error, VP_ERROR, (gint)cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].words));
      input_clear (&in);
    }
}

static void
test_container_binds (void)
{
  g_autoptr (VpContainerPlan) result = NULL;
  g_autoptr (GError) error = NULL;
  const VpHostBind *bind;
  Input in;

  input_init (&in, ",\"mounts\":["
                   "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"rel\",\"options\":[\"ro\"]},"
                   "{\"destination\":\"/b\",\"source\":\"/sys/x\",\"options\":[\"rbind\"]},"
                   "{\"destination\":\"/c\",\"source\":\"/system\",\"options\":[\"rbind\"]}]");
  result = plan_container (&in, "s1", "c1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result->binds->len, ==, 3);
  bind = result->binds->pdata[0];
  g_assert_true (bind->is_rootfs);
  g_assert_false (bind->read_only);
  g_assert_cmpstr (bind->target, ==, "c1/rootfs");
  bind = result->binds->pdata[1];
  g_assert_cmpstr (bind->source, ==, "/b/rel");
  g_assert_true (bind->read_only);
  g_assert_false (bind->recursive);
  bind = result->binds->pdata[2];
  g_assert_cmpstr (bind->field, ==, "mounts[2].source");
  g_assert_cmpstr (bind->source, ==, "/system");
  g_assert_true (bind->recursive);
  input_clear (&in);
}

/* What nothing acts on yet must not look as if it were granted: a workload is
 * refused, an administrator is told by a decision. */
static void
test_without_effect (void)
{
  static const struct
  {
    const char *annotation, *value, *key, *setting;
  } rows[] = {
    { "io.katacontainers.config.hypervisor.hot_plug_vfio", "root-port", "hypervisor.hot-plug-vfio", "root-port" },
    { "io.katacontainers.config.hypervisor.enable_vhost_user_store", "true", "block.vhost-user", "true" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *rest
          = g_strdup_printf (",\"annotations\":{\"%s\":\"%s\"}", rows[i].annotation, rows[i].value);
      g_autoptr (VpPlan) result = NULL;
      gboolean noted = FALSE;
      Input in;

      input_init (&in, rest);
      set (&in, "annotations.hypervisor", ".*");
      set (&in, "annotations.agent", ".*");
      assert_refused (&in, VP_ERROR_NOT_SUPPORTED, vp_config_key_unused (vp_config_find_key (rows[i].key)));
      input_clear (&in);

      input_init (&in, "");
      set (&in, rows[i].key, rows[i].setting);
      result = plan (&in, NULL);
      g_assert_nonnull (result);
      for (guint j = 0; j < result->decisions->len; j++)
        {
          const VpDecision *decision = result->decisions->pdata[j];

          noted = noted || (g_str_equal (decision->what, rows[i].key) && g_str_equal (decision->value, "no effect"));
        }
      g_assert_true (noted);
      input_clear (&in);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/accel", test_accel);
  g_test_add_func ("/plan/refused", test_refused);
  g_test_add_func ("/plan/size", test_size);
  g_test_add_func ("/plan/cmdline", test_cmdline);
  g_test_add_func ("/plan/without-effect", test_without_effect);
  g_test_add_func ("/plan/hostname", test_hostname);
  g_test_add_func ("/plan/container/refused", test_container_refused);
  g_test_add_func ("/plan/container/binds", test_container_binds);
  return g_test_run ();
}
