/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every document of tests/negative has one thing wrong, and expected.txt says
 * which error it is and where it says so. See tests/negative/generate. */
#include <string.h>

#include "vp-error.h"
#include "vp-explain.h"

typedef struct
{
  char *name;
  char *error; /* without the bus prefix */
  char *where; /* JSON path */
} Case;

static void
case_free (gpointer data)
{
  Case *c = data;

  g_free (c->name);
  g_free (c->error);
  g_free (c->where);
  g_free (c);
}

static VpFacts *
new_facts (void)
{
  VpFactsInit init = {
    .driver = "QEMU",
    .arch = "x86_64",
    .emulator = "/usr/bin/qemu-system-x86_64",
    .libvirt_version = 9000000,
    .hypervisor_version = 7002022,
    .kvm_usable = TRUE,
    .host_cpus = 8,
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (16) << 30,
    .virtiofs = TRUE,
  };

  return vp_facts_new (&init);
}

/* As far as a start goes before anything is touched. */
static gboolean
try_all (const char *json, gsize len, GError **error)
{
  g_autoptr (VpSpec) spec = vp_spec_parse (json, len, "/bundle", error);
  VpSandboxIdentity who = { "s1", "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f", NULL, "/run/virtpod/s1" };
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts = new_facts ();
  g_autofree char *text = NULL;

  if (spec != NULL)
    text = vp_explain (&who, spec, config, facts, NULL, VP_EXPLAIN_JSON, error);
  return text != NULL;
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *file = g_strdup_printf ("%s/%s.json", VP_NEGATIVE_DIR, c->name);
  g_autofree char *in_file = g_strdup_printf ("/bundle/config.json: %s: ", c->where);
  g_autofree char *alone = g_strdup_printf ("%s: ", c->where);
  g_autofree char *json = NULL;
  const char *name;
  g_autofree char *expected = g_strconcat ("org.virtpod.Error.", c->error, NULL);
  g_autoptr (GError) error = NULL;
  gsize len;

  g_file_get_contents (file, &json, &len, &error);
  g_assert_no_error (error);
  if (try_all (json, len, &error))
    {
      g_test_message ("%s: was accepted, expected %s at %s", c->name, c->error, c->where);
      g_test_fail ();
      return;
    }
  g_assert_true (error->domain == VP_ERROR);
  name = vp_error_dbus_name (error->code);
  if (!g_str_equal (name, expected)
      || !(g_str_has_prefix (error->message, in_file) || g_str_has_prefix (error->message, alone)))
    {
      g_test_message ("%s: expected %s at %s, got %s: %s", c->name, c->error, c->where, name, error->message);
      g_test_fail ();
    }
  /* one line, fit for a log */
  g_assert_null (strpbrk (error->message, "\n\r"));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static GPtrArray *
read_index (void)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func (case_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (VP_NEGATIVE_DIR "/expected.txt", &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 3);
      Case *c;

      if (g_strv_length (words) != 3)
        continue;
      c = g_new0 (Case, 1);
      c->name = g_strdup (words[0]);
      c->error = g_strdup (words[1]);
      c->where = g_strdup (words[2]);
      g_ptr_array_add (cases, c);
    }
  return cases;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) cases = read_index ();

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpuint (cases->len, >=, 300);
  for (guint i = 0; i < cases->len; i++)
    {
      g_autofree char *path = g_strdup_printf ("/negative/%s", ((Case *)cases->pdata[i])->name);
      g_test_add_data_func (path, cases->pdata[i], test_case);
    }
  return g_test_run ();
}
