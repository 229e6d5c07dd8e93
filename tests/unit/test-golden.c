/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every folder of tests/golden: config.json (and case.ini) in, plan, domain
 * document and agent messages out, byte for byte. VP_UPDATE_GOLDEN=1 writes the
 * expected files instead of comparing. A case that is refused has error.txt
 * alone. See tests/golden/README.md. */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <string.h>

#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-message-json.h"
#include "vp-planner.h"

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

/* the same wherever the project is installed */
#define KERNEL "/usr/lib/virtpod/guest/vmlinux"
#define INITRD "/usr/lib/virtpod/guest/initrd.img"

typedef struct
{
  char *name;
  GKeyFile *ini;
  VpSpec *spec;
  VpConfig *config;
  VpFacts *facts;
  char *sandbox_id, *container_id, *directory;
  GError *refusal; /* the first error on the way, of which error.txt is made */
} Case;

static char *
case_file (const char *name, const char *file)
{
  return g_build_filename (VP_GOLDEN_DIR, name, file, NULL);
}

static char *
get_word (GKeyFile *ini, const char *group, const char *key, const char *fallback)
{
  char *word = g_key_file_get_string (ini, group, key, NULL);

  return word != NULL ? word : g_strdup (fallback);
}

static guint64
get_number (GKeyFile *ini, const char *key, guint64 fallback)
{
  return g_key_file_has_key (ini, "facts", key, NULL) ? g_key_file_get_uint64 (ini, "facts", key, NULL)
                                                      : fallback;
}

static gboolean
get_bool (GKeyFile *ini, const char *key, gboolean fallback)
{
  return g_key_file_has_key (ini, "facts", key, NULL) ? g_key_file_get_boolean (ini, "facts", key, NULL)
                                                      : fallback;
}

/* "uplink" of [facts]: a gateway and servers as resolv.conf has them, by "up0". */
static VpUplink *
read_uplink (GKeyFile *ini)
{
  g_auto (GStrv) words = g_key_file_get_string_list (ini, "facts", "uplink", NULL, NULL);
  g_autoptr (GString) resolv_conf = g_string_new (NULL);
  g_autofree char *routes = NULL;
  struct in_addr gateway;

  if (words == NULL || words[0] == NULL || inet_pton (AF_INET, words[0], &gateway) != 1)
    return NULL;
  routes = g_strdup_printf ("up0 00000000 %08X 0003 0 0 0 00000000 0 0 0\n", gateway.s_addr);
  for (char **word = words + 1; *word != NULL; word++)
    g_string_append_printf (resolv_conf, "nameserver %s\n", *word);
  return vp_uplink_parse (routes, resolv_conf->str);
}

static VpFacts *
read_facts (GKeyFile *ini)
{
  g_autoptr (VpUplink) uplink = read_uplink (ini);
  g_autofree char *driver = get_word (ini, "facts", "driver", "QEMU");
  g_autofree char *arch = get_word (ini, "facts", "arch", "x86_64");
  VpFactsInit init = {
    .driver = driver,
    .arch = arch,
    .emulator = "/usr/bin/qemu-system-x86_64",
    .libvirt_version = get_number (ini, "libvirt-version", 9000000),
    .hypervisor_version = 7002022,
    .kvm_usable = get_bool (ini, "kvm-usable", FALSE),
    .kvm_reason = "the CPU has no hardware virtualisation",
    .host_cpus = (guint)get_number (ini, "host-cpus", 8),
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (16) << 30,
    .virtiofs = get_bool (ini, "virtiofs", TRUE),
    .vsock = get_bool (ini, "vsock", FALSE),
    .machined = get_bool (ini, "machined", TRUE),
    .selinux = get_bool (ini, "selinux", FALSE),
    .passt = get_bool (ini, "passt", FALSE),
    .passt_release = (guint)get_number (ini, "passt-release", 20260728),
    .uplink = uplink,
  };

  return vp_facts_new (&init);
}

static VpConfig *
read_config (GKeyFile *ini)
{
  VpConfig *config = vp_config_new_default ();
  g_auto (GStrv) keys = g_key_file_get_keys (ini, "config", NULL, NULL);
  g_autoptr (GError) error = NULL;

  vp_config_override (config, "guest.kernel", KERNEL, &error);
  vp_config_override (config, "guest.initrd", INITRD, &error);
  for (char **key = keys; key != NULL && *key != NULL; key++)
    {
      g_autofree char *value = g_key_file_get_string (ini, "config", *key, NULL);
      vp_config_override (config, *key, value, &error);
      g_assert_no_error (error);
    }
  return config;
}

static void
case_open (Case *c, const char *name)
{
  g_autofree char *ini_file = case_file (name, "case.ini");
  g_autofree char *json_file = case_file (name, "config.json");
  g_autofree char *bundle = g_strdup_printf ("/bundles/%s", name);
  g_autofree char *json = NULL;
  g_autoptr (GError) error = NULL;
  gsize len;

  c->name = g_strdup (name);
  c->ini = g_key_file_new ();
  g_key_file_load_from_file (c->ini, ini_file, G_KEY_FILE_NONE, NULL);
  g_file_get_contents (json_file, &json, &len, &error);
  g_assert_no_error (error);
  c->spec = vp_spec_parse (json, len, bundle, &c->refusal);
  c->config = read_config (c->ini);
  c->facts = read_facts (c->ini);
  if (!g_key_file_has_key (c->ini, "origin", "command", NULL))
    g_error ("%s: [origin] command does not say where config.json is from", ini_file);
  c->sandbox_id = get_word (c->ini, "sandbox", "id", name);
  c->container_id = get_word (c->ini, "sandbox", "container", c->sandbox_id);
  c->directory = get_word (c->ini, "sandbox", "directory", "/run/virtpod/sandboxes/s1");
}

static void
case_close (Case *c)
{
  g_free (c->name);
  g_key_file_unref (c->ini);
  g_clear_pointer (&c->spec, vp_spec_unref);
  g_clear_error (&c->refusal);
  vp_config_unref (c->config);
  vp_facts_unref (c->facts);
  g_free (c->sandbox_id);
  g_free (c->container_id);
  g_free (c->directory);
}

/* Everything that comes out of a case; nothing but the refusal if it is refused. */
typedef struct
{
  VpPlan *plan;
  VpContainerPlan *container;
  char *xml;
  Grpc__CreateSandboxRequest *create_sandbox;
  Grpc__CreateContainerRequest *create_container;
} Result;

static void
result_clear (Result *r)
{
  g_clear_pointer (&r->plan, vp_plan_unref);
  g_clear_pointer (&r->container, vp_container_plan_unref);
  g_clear_pointer (&r->xml, g_free);
  if (r->create_sandbox != NULL)
    grpc__create_sandbox_request__free_unpacked (r->create_sandbox, NULL);
  if (r->create_container != NULL)
    grpc__create_container_request__free_unpacked (r->create_container, NULL);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

static gboolean
run_case (Case *c, Result *r)
{
  VpSandboxIdentity who = { c->sandbox_id, "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f", NULL, c->directory };
  const VpDriver *driver = vp_driver_find (vp_facts_get (c->facts)->driver);
  GError **error = &c->refusal;

  if (c->spec == NULL
      || (r->plan = vp_planner_plan_sandbox (&who, c->spec, c->config, c->facts, error)) == NULL
      || (r->xml = vp_domain_xml (r->plan, driver, error)) == NULL
      || (r->create_sandbox = vp_guest_message_create_sandbox (r->plan, error)) == NULL
      || (r->container = vp_planner_plan_container (c->sandbox_id, c->container_id, c->spec, c->config, c->facts,
                                                    error)) == NULL)
    return FALSE;
  r->create_container = vp_guest_message_create_container (r->container, error);
  return r->create_container != NULL;
}

/* The JSON must say what was packed, so it is made from what a receiver unpacks. */
static char *
message_text (const ProtobufCMessage *message)
{
  g_autoptr (GBytes) packed = vp_guest_message_pack (message);
  ProtobufCMessage *copy = protobuf_c_message_unpack (message->descriptor, NULL, g_bytes_get_size (packed),
                                                      g_bytes_get_data (packed, NULL));
  char *json, *text;

  g_assert_nonnull (copy);
  json = vp_message_to_json (copy, VP_MESSAGE_JSON_OCI | VP_MESSAGE_JSON_PRETTY, NULL);
  g_assert_nonnull (json);
  text = g_strdup (json);
  free (json);
  protobuf_c_message_free_unpacked (copy, NULL);
  return text;
}

/* @text NULL: there must be no such file. */
static void
check (Case *c, const char *file, const char *text)
{
  g_autofree char *path = case_file (c->name, file);
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;

  if (g_getenv ("VP_UPDATE_GOLDEN") != NULL)
    {
      if (text == NULL)
        (void) g_unlink (path);
      else if (!g_file_set_contents (path, text, -1, &error))
        g_error ("%s", error->message);
      return;
    }
  if (text == NULL)
    {
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      return;
    }
  g_file_get_contents (path, &expected, NULL, &error);
  g_assert_no_error (error);
  if (strcmp (text, expected) != 0)
    g_test_message ("%s differs; if that is meant, run tests/golden/update and read the diff", path);
  g_assert_cmpstr (text, ==, expected);
}

static char *
refusal_text (const GError *refusal)
{
  g_assert_true (refusal->domain == VP_ERROR);
  return g_strdup_printf ("%s: %s\n", vp_error_dbus_name (refusal->code), refusal->message);
}

static void
check_result (Case *c, Result *r, gboolean accepted)
{
  g_autofree char *refusal = accepted ? NULL : refusal_text (c->refusal);
  g_autofree char *plan = accepted ? vp_plan_to_text (r->plan) : NULL;
  g_autofree char *container = accepted ? vp_container_plan_to_text (r->container) : NULL;
  g_autofree char *both = accepted ? g_strconcat (plan, "\n", container, NULL) : NULL;
  g_autofree char *create_sandbox = accepted ? message_text (&r->create_sandbox->base) : NULL;
  g_autofree char *create_container = accepted ? message_text (&r->create_container->base) : NULL;

  check (c, "error.txt", refusal);
  check (c, "plan.txt", both);
  check (c, "domain.xml", accepted ? r->xml : NULL);
  check (c, "create-sandbox.json", create_sandbox);
  check (c, "create-container.json", create_container);
}

static void
test_case (gconstpointer data)
{
  Case c = { 0 };

  case_open (&c, data);
  {
    g_auto (Result) r = { 0 };
    gboolean accepted = run_case (&c, &r);

    check_result (&c, &r, accepted);
  }
  case_close (&c);
}

static char *
everything (Case *c)
{
  g_auto (Result) r = { 0 };
  g_autofree char *plan = NULL;
  g_autofree char *container = NULL;
  g_autofree char *sum = NULL;
  g_autoptr (GBytes) packed = NULL;

  if (!run_case (c, &r))
    return refusal_text (c->refusal);
  plan = vp_plan_to_text (r.plan);
  container = vp_container_plan_to_text (r.container);
  packed = vp_guest_message_pack (&r.create_container->base);
  sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, packed);
  return g_strconcat (r.xml, plan, container, sum, NULL);
}

/* Equal inputs, loaded anew, give equal bytes. */
static void
test_pure (gconstpointer data)
{
  g_autofree char *first = NULL;

  for (int round = 0; round < 2; round++)
    {
      Case c = { 0 };
      char *all;

      case_open (&c, data);
      all = everything (&c);
      case_close (&c);
      if (first != NULL)
        g_assert_cmpstr (all, ==, first);
      g_free (first);
      first = all;
    }
}

static void
ignore_error (void *data, const char *message, ...)
{
}

static xmlRelaxNG *schema;

static void
test_schema (gconstpointer data)
{
  g_autofree char *path = case_file (data, "domain.xml");
  xmlRelaxNGValidCtxt *context;
  xmlDoc *doc;

  if (schema == NULL)
    {
      g_test_skip (SCHEMA " is not installed");
      return;
    }
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return; /* refused */
  doc = xmlReadFile (path, NULL, XML_PARSE_NONET);
  g_assert_nonnull (doc);
  context = xmlRelaxNGNewValidCtxt (schema);
  g_assert_cmpint (xmlRelaxNGValidateDoc (context, doc), ==, 0);
  xmlRelaxNGFreeValidCtxt (context);
  xmlFreeDoc (doc);
}

static void
load_schema (void)
{
  xmlRelaxNGParserCtxt *parser;

  if (!g_file_test (SCHEMA, G_FILE_TEST_EXISTS))
    return;
  parser = xmlRelaxNGNewParserCtxt (SCHEMA);
  xmlRelaxNGSetParserErrors (parser, ignore_error, ignore_error, NULL);
  schema = xmlRelaxNGParse (parser);
  xmlRelaxNGFreeParserCtxt (parser);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = NULL;
  const char *name;
  int status;

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_open (VP_GOLDEN_DIR, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *config = case_file (name, "config.json");
      if (g_file_test (config, G_FILE_TEST_EXISTS))
        g_ptr_array_add (names, g_strdup (name));
    }
  g_assert_cmpuint (names->len, >=, 80);
  load_schema ();
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *golden = g_strdup_printf ("/golden/%s/files", (char *)names->pdata[i]);
      g_autofree char *pure = g_strdup_printf ("/golden/%s/pure", (char *)names->pdata[i]);
      g_autofree char *valid = g_strdup_printf ("/golden/%s/schema", (char *)names->pdata[i]);

      g_test_add_data_func (golden, names->pdata[i], test_case);
      g_test_add_data_func (pure, names->pdata[i], test_pure);
      g_test_add_data_func (valid, names->pdata[i], test_schema);
    }
  status = g_test_run ();
  xmlRelaxNGFree (schema);
  xmlRelaxNGCleanupTypes ();
  xmlCleanupParser ();
  return status;
}
