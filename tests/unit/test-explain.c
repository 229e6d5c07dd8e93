/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-explain.h"

#include <string.h>

#include "vp-decision.h"
#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-explain-private.h"
#include "vp-json-writer.h"

#define SPEC(more) \
  "{ \"ociVersion\": \"1.1.0\", \"process\": { \"cwd\": \"/\", \"args\": [\"sh\"] }, \"root\": { \"path\": \"r\" }" more " }"
#define URI "qemu:///system"

static VpFacts *
new_facts (void)
{
  VpFactsInit init = {
    .driver = "QEMU",
    .arch = "x86_64",
    .libvirt_version = 9000000,
    .hypervisor_version = 7002022,
    .kvm_reason = "there is no CPU",
    .host_cpus = 8,
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (16) << 30,
    .virtiofs = TRUE,
  };

  return vp_facts_new (&init);
}

static char *
explain (const char *json, gsize len, const char *id, VpExplainFormat format, GError **error)
{
  g_autoptr (VpSpec) spec = vp_spec_parse (json, len, "/srv/bundle", error);
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts = new_facts ();
  VpSandboxIdentity who = { id, "00000000-0000-4000-8000-000000000000", NULL, "/run/virtpod/sandboxes/x" };

  return spec != NULL ? vp_explain (&who, spec, config, facts, URI, format, error) : NULL;
}

static void
test_formats (void)
{
  static const char json[] = SPEC (", \"hostname\": \"box\", \"linux\": { \"namespaces\": [{ \"type\": \"network\" }] }");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = explain (json, strlen (json), "one", VP_EXPLAIN_TEXT, &error);
  g_autofree char *object = explain (json, strlen (json), "one", VP_EXPLAIN_JSON, &error);
  g_autofree char *xml = explain (json, strlen (json), "one", VP_EXPLAIN_XML, &error);
  g_autoptr (VpJson) parsed = NULL;

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (text, "Sandbox one, handler default\nBundle /srv/bundle\n"));
  g_assert_nonnull (strstr (text, "QEMU 7.2.22, libvirt 9.0.0, x86_64, " URI));
  g_assert_nonnull (strstr (text, "\nMessage CreateSandbox, "));
  g_assert_nonnull (strstr (text, "linux.namespaces[0]  removed {\"type\":\"network\"}\n"));
  g_assert_nonnull (strstr (text, "\nDecisions\n"));

  parsed = vp_json_parse (object, strlen (object), "answer", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vp_json_get_string (vp_json_lookup (parsed, "domain")), ==, xml);
  g_assert_cmpstr (vp_json_get_string (vp_json_lookup (parsed, "sandbox")), ==, "one");
  g_assert_nonnull (vp_json_lookup (vp_json_lookup (parsed, "messages"), "CreateContainer.OCI"));
  g_assert_cmpuint (vp_json_get_n_items (vp_json_lookup (parsed, "changes")), >, 0);
  g_assert_true (g_str_has_prefix (xml, "<domain type="));
}

/* What an administrator looks for is first: what was asked for and is not had. And
 * the container is planned with what the sandbox's annotations made of the configuration. */
static void
test_denied_first (void)
{
  static const char json[] = SPEC (", \"annotations\": { \"io.katacontainers.config.runtime.disable_guest_seccomp\":"
                                   " \"true\" }, \"linux\": { \"seccomp\": { \"defaultAction\": \"SCMP_ACT_ALLOW\" },"
                                   " \"cgroupsPath\": \"/a/b\" }");
  VpSandboxIdentity who = { "one", "00000000-0000-4000-8000-000000000000", NULL, "/run/virtpod/sandboxes/x" };
  g_autoptr (VpSpec) spec = vp_spec_parse (json, strlen (json), "/srv/bundle", NULL);
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts
      = vp_facts_new (&(VpFactsInit){ .driver = "QEMU", .arch = "x86_64", .virtiofs = TRUE });
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  const char *denied, *decisions;

  g_assert_true (vp_config_override (config, "annotations.runtime", ".*", NULL));
  g_assert_true (vp_config_override (config, "network.queues", "4", NULL));
  text = vp_explain (&who, spec, config, facts, URI, VP_EXPLAIN_TEXT, &error);
  g_assert_no_error (error);
  denied = strstr (text, "\nNot as it was asked for\n");
  decisions = strstr (text, "\nDecisions\n");
  g_assert_true (denied != NULL && denied < decisions);
  g_assert_true (strstr (denied, "  network.queues  no effect") < decisions);
  g_assert_true (strstr (denied, "guests have no network interfaces") < decisions);
  g_assert_true (strstr (denied, "  linux.seccomp   left out") < decisions);
  g_assert_true (strstr (denied, "  partition       libvirt's own") < decisions);
  g_assert_nonnull (strstr (decisions, "hypervisor.vcpus (default)\n"));
  g_assert_nonnull (strstr (decisions, "  memory         256 MiB\n"));
}

static void
test_format_words (void)
{
  VpExplainFormat format = VP_EXPLAIN_TEXT;
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_explain_format_from_string ("xml", &format, &error));
  g_assert_cmpint (format, ==, VP_EXPLAIN_XML);
  g_assert_false (vp_explain_format_from_string ("yaml", &format, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (format, ==, VP_EXPLAIN_XML);
}

static void
test_pod (void)
{
  static const char json[] = SPEC (", \"annotations\": { \"io.kubernetes.cri.container-type\": \"container\","
                                   " \"io.kubernetes.cri.sandbox-id\": \"pod1\" }");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = explain (json, strlen (json), "two", VP_EXPLAIN_TEXT, &error);
  g_autofree char *xml = NULL;

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (text, "Container two in sandbox pod1\n"));
  g_assert_null (strstr (text, "<domain"));
  xml = explain (json, strlen (json), "two", VP_EXPLAIN_XML, &error);
  g_assert_null (xml);
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

/* What the terminal of an administrator gets is text, whatever the bundle says. */
static void
test_hostile (void)
{
  static const char json[] = SPEC (", \"linux\": { \"sysctl\": { \"a\": \"\\u001b[2J\\u009b2J\\u202eabc\\nDecisions\" },"
                                   " \"cgroupsPath\": \"\\u0007/\\u2028x\" }");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = explain (json, strlen (json), "one", VP_EXPLAIN_TEXT, &error);

  g_assert_no_error (error);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      g_assert_true (c == '\n' || (!g_unichar_iscntrl (c) && c != 0x202e && c != 0x2028));
    }
}

static void
check_change (const GPtrArray *changes, guint i, const char *verb, const char *path)
{
  const VpSpecChange *change = g_ptr_array_index (changes, i);

  g_assert_cmpstr (change->verb, ==, verb);
  g_assert_cmpstr (change->path, ==, path);
}

static void
test_changes (void)
{
  static const char old[] = "{\"a\":1,\"b\":[1,2],\"m\":[{\"destination\":\"/x\",\"o\":1},{\"destination\":\"/y\"},"
                            "{\"destination\":\"/x\",\"o\":2}],\"gone\":{},\"same\":{\"k\":null}}";
  static const char new[] = "{\"same\":{\"k\":null},\"a\":1,\"b\":[2,1],\"m\":[{\"destination\":\"/x\",\"o\":1},"
                            "{\"destination\":\"/x\",\"o\":3},{\"destination\":\"/z\"}],\"more\":true}";
  g_autoptr (VpJson) before = vp_json_parse (old, strlen (old), "old", NULL);
  g_autoptr (VpJson) after = vp_json_parse (new, strlen (new), "new", NULL);
  g_autoptr (GPtrArray) changes = vp_explain_changes (before, after);
  g_autoptr (GPtrArray) none = vp_explain_changes (before, before);

  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpuint (changes->len, ==, 6);
  check_change (changes, 0, "changed", "b");
  check_change (changes, 1, "removed", "m[1]");
  check_change (changes, 2, "changed", "m[2].o");
  check_change (changes, 3, "added", "m[2]");
  check_change (changes, 4, "removed", "gone");
  check_change (changes, 5, "added", "more");
}

static void
test_decisions (void)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();

  g_assert_null (vp_decisions_find (plan->decisions, "vcpus"));
  vp_plan_note (plan, "vcpus", "2", "default", NULL);
  vp_plan_note_f (plan, "vcpus", "spec", "the host has no more", "%u", 1u);
  g_assert_cmpuint (plan->decisions->len, ==, 2);
  g_assert_cmpstr (vp_decisions_find (plan->decisions, "vcpus")->value, ==, "1");
  g_assert_cmpstr (vp_decisions_find (plan->decisions, "vcpus")->source, ==, "spec");
  g_assert_null (vp_decisions_find (plan->decisions, "memory"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/explain/denied-first", test_denied_first);
  g_test_add_func ("/explain/formats", test_formats);
  g_test_add_func ("/explain/format-words", test_format_words);
  g_test_add_func ("/explain/pod", test_pod);
  g_test_add_func ("/explain/hostile", test_hostile);
  g_test_add_func ("/explain/changes", test_changes);
  g_test_add_func ("/explain/decisions", test_decisions);
  return g_test_run ();
}
