/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that decides. Input: lines "group.key=value" of configuration (the
 * first may be facts: "q" QEMU, "c" Cloud Hypervisor, "t" test driver, "k" with
 * KVM, "v" without virtiofs, "s" vsock, "m" machined, "x" SELinux), an empty line, config.json. Without a document the
 * lines after the first are annotations of a plain one: that is the target
 * fuzz-annotation. */
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "fuzz.h"
#include "vp-container-planner.h"
#include "vp-domain-xml.h"
#include "vp-explain.h"
#include "vp-guest-messages.h"
#include "vp-json-writer.h"
#include "vp-planner.h"

#ifdef FUZZ_ANNOTATION
#define OPEN TRUE
#else
#define OPEN FALSE
#endif

typedef struct
{
  VpConfig *config;
  VpFacts *facts;
  VpSpec *spec;
} Input;

static VpFacts *
read_facts (const char *words)
{
  VpFactsInit init = {
    .driver = strchr (words, 'c') != NULL ? "CH" : strchr (words, 't') != NULL ? "TEST" : "QEMU",
    .arch = strchr (words, 'a') != NULL ? "aarch64" : "x86_64",
    .emulator = "/usr/bin/qemu-system-x86_64",
    .libvirt_version = 9000000,
    .hypervisor_version = 7002022,
    .kvm_usable = strchr (words, 'k') != NULL,
    .kvm_reason = "none",
    .host_cpus = 8,
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (16) << 30,
    .virtiofs = strchr (words, 'v') == NULL,
    .vsock = strchr (words, 's') == NULL,
    .machined = strchr (words, 'm') == NULL,
    .selinux = strchr (words, 'x') == NULL,
    .image = "/i",
    .image_size = 1 << 20,
  };

  vp_node_set_add (&init.host_nodes, 0);
  vp_node_set_add (&init.host_nodes, 1);
  return vp_facts_new (&init);
}

static void
set (Input *in, const char *name, const char *value)
{
  g_autoptr (GError) error = NULL;

  if (!vp_config_override (in->config, name, value, &error))
    g_assert_nonnull (error);
}

/* "name=value" lines as annotations; the rest of the document is plain. */
static char *
document_with (const char *rest, const char *end)
{
  g_autoptr (VpJsonWriter) w = vp_json_writer_new (FALSE);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  char *line;

  vp_json_writer_begin_object (w, NULL);
  vp_json_writer_add_string (w, "ociVersion", "1.1.0");
  vp_json_writer_begin_object (w, "process");
  vp_json_writer_add_string (w, "cwd", "/");
  vp_json_writer_add_strv (w, "args", (const char *const[]){ "sh", NULL });
  vp_json_writer_end_object (w);
  vp_json_writer_begin_object (w, "root");
  vp_json_writer_add_string (w, "path", "rootfs");
  vp_json_writer_end_object (w);
  vp_json_writer_begin_object (w, "annotations");
  while ((line = fuzz_take_line (&rest, end)) != NULL)
    {
      g_autofree char *text = g_utf8_make_valid (line, -1);
      char *equals = strchr (text, '=');

      if (equals != NULL)
        {
          *equals = '\0';
          if (g_hash_table_add (seen, g_strdup (text)))
            vp_json_writer_add_string (w, text, equals + 1);
        }
      g_free (line);
    }
  vp_json_writer_end_object (w);
  vp_json_writer_end_object (w);
  return vp_json_writer_steal_text (w, NULL);
}

static gboolean
read_input (Input *in, const char *text, gsize size)
{
  const char *rest = text, *end = text + size;
  g_autofree char *first = fuzz_take_line (&rest, end);
  g_autofree char *document = NULL;
  GError *error = NULL;
  char *line;

  in->config = vp_config_new_default ();
  in->facts = read_facts (first != NULL ? first : "");
  if (OPEN)
    {
      /* half of the inputs: everything is allowed */
      if (first == NULL || strchr (first, 'g') == NULL)
        {
          set (in, "annotations.hypervisor", ".*");
          set (in, "annotations.runtime", ".*");
          set (in, "annotations.agent", ".*");
          set (in, "annotations.emulator-paths", "/*");
          set (in, "annotations.boot-paths", "/*");
        }
      document = document_with (rest, end);
      in->spec = vp_spec_parse (document, strlen (document), "/bundle", &error);
    }
  else
    {
      while ((line = fuzz_take_line (&rest, end)) != NULL && line[0] != '\0')
        {
          g_autofree char *valid = g_utf8_make_valid (line, -1);
          char *equals = strchr (valid, '=');

          if (equals != NULL)
            {
              *equals = '\0';
              set (in, valid, equals + 1);
            }
          g_free (line);
        }
      g_free (line);
      in->spec = vp_spec_parse (rest, (gsize)(end - rest), "/bundle", &error);
    }
  if (in->spec == NULL)
    fuzz_check_error (&error);
  return in->spec != NULL;
}

static void
ignore (void *data, const char *message, ...)
{
}

static void
check_xml (const char *xml)
{
  xmlDoc *doc;

  g_assert_true (g_utf8_validate (xml, -1, NULL));
  doc = xmlReadMemory (xml, (int)strlen (xml), "domain.xml", NULL, XML_PARSE_NONET);
  g_assert_nonnull (doc);
  xmlFreeDoc (doc);
}

static char *
explain (Input *in, VpExplainFormat format)
{
  VpSandboxIdentity who = { "s1", "00000000-0000-4000-8000-000000000000", NULL, "/run/virtpod/s1" };
  GError *error = NULL;
  char *text = vp_explain (&who, in->spec, in->config, in->facts, NULL, format, &error);

  if (text == NULL)
    fuzz_check_error (&error);
  return text;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Input in = { NULL };

  xmlSetGenericErrorFunc (NULL, ignore);
  if (read_input (&in, (const char *)data, size))
    {
      g_autofree char *xml = explain (&in, VP_EXPLAIN_XML);
      g_autofree char *again = explain (&in, VP_EXPLAIN_XML);
      /* one of the two: they cost as much as all the rest */
      g_autofree char *text = explain (&in, size % 2 == 0 ? VP_EXPLAIN_JSON : VP_EXPLAIN_TEXT);

      g_assert_cmpstr (xml, ==, again);
      if (xml != NULL)
        check_xml (xml);
      if (text != NULL)
        g_assert_true (g_utf8_validate (text, -1, NULL));
    }
  g_clear_pointer (&in.spec, vp_spec_unref);
  g_clear_pointer (&in.config, vp_config_unref);
  g_clear_pointer (&in.facts, vp_facts_unref);
  return 0;
}
