/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "key-world.h"

#include <stdlib.h>
#include <string.h>

#include "vp-decision.h"
#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-message-json.h"
#include "vp-planner.h"

#define NO_EFFECT "no effect: "
#define REFUSED "refused "
#define IMAGE "/ok/image"

gboolean
key_split (const char *text, char **ret_name, char **ret_value)
{
  gboolean annotation = g_str_has_prefix (text, "annotation ");
  const char *name = annotation ? text + strlen ("annotation ") : text;
  gsize n = strcspn (name, " ");

  *ret_name = g_strndup (name, n);
  *ret_value = g_strdup (name[n] == ' ' ? name + n + 1 : "");
  return annotation;
}

/* ---- what is planned from ---------------------------------------------------- */

typedef struct
{
  VpConfig *config;
  GString *annotations;
  VpFactsInit facts;
  char *driver;
  VpNetwork *network;
  VpUplink *uplink;
} World;

/* What a workload may ask for by annotation is not the question here. */
static VpConfig *
new_config (void)
{
  static const char *const settings[][2] = {
    { "annotations.hypervisor", ".*" },
    { "annotations.runtime", ".*" },
    { "annotations.agent", ".*" },
    { "annotations.emulator-paths", "/ok/*" },
    { "annotations.boot-paths", "/ok/*" },
    { "annotations.share-daemon-paths", "/ok/*" },
    { "annotations.vhost-user-dirs", "/ok/*" },
    { "guest.kernel", "/usr/lib/virtpod/guest/vmlinux" },
    { "guest.initrd", "/usr/lib/virtpod/guest/initrd.img" },
  };
  VpConfig *config = vp_config_new_default ();

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    g_assert_true (vp_config_override (config, settings[i][0], settings[i][1], NULL));
  return config;
}

static void
world_init (World *world)
{
  *world = (World){
    .config = new_config (),
    .annotations = g_string_new (NULL),
    .facts = { .driver = "QEMU",
               .arch = "x86_64",
               .emulator = "/usr/bin/qemu-system-x86_64",
               .libvirt_version = 9000000,
               .hypervisor_version = 7002022,
               .kvm_reason = "the CPU has no hardware virtualisation",
               .host_cpus = 8,
               .max_vcpus = 288,
               .host_memory = G_GUINT64_CONSTANT (16) << 30,
               .virtiofs = TRUE,
               .vsock = TRUE,
               .machined = TRUE,
               .selinux = TRUE,
               .image = IMAGE,
               .image_size = G_GUINT64_CONSTANT (128) << 20 },
  };
  g_assert_true (vp_node_set_parse ("0-1", &world->facts.host_nodes));
}

static void
world_clear (World *world)
{
  vp_config_unref (world->config);
  g_string_free (world->annotations, TRUE);
  g_free (world->driver);
  vp_network_unref (world->network);
  vp_uplink_unref (world->uplink);
}

static void
set (World *world, const char *name, const char *value, gboolean annotation)
{
  g_autoptr (GError) error = NULL;

  if (annotation)
    {
      g_autofree char *escaped = g_strescape (value, NULL);

      g_string_append_printf (world->annotations, ",\"%s\":\"%s\"", name, escaped);
      return;
    }
  vp_config_override (world->config, name, value, &error);
  g_assert_no_error (error);
}

/* One interface. */
static VpNetwork *
new_network (void)
{
  const VpNetworkInterface eth0
      = { (char *)"eth0", (char *)"02:00:00:00:00:0a", (char *)"veth", 1400, 0, 2, NULL };
  VpNetwork *network = vp_network_new ();

  g_assert_true (vp_network_add_interface (network, &eth0, NULL));
  g_assert_true (vp_network_seal (network, NULL));
  return network;
}

static void
set_fact (World *world, const char *name, const char *value)
{
  gboolean yes = g_str_equal (value, "yes");

  if (g_str_equal (name, "driver"))
    world->facts.driver = world->driver = g_strdup (value);
  else if (g_str_equal (name, "nodes"))
    {
      world->facts.host_nodes = (VpNodeSet){ 0 };
      g_assert_true (yes || g_str_equal (value, "none")
                     || vp_node_set_parse (value, &world->facts.host_nodes));
    }
  else if (g_str_equal (name, "image-size"))
    world->facts.image_size = g_ascii_strtoull (value, NULL, 10);
  else if (g_str_equal (name, "host-cpus"))
    world->facts.host_cpus = (guint)g_ascii_strtoull (value, NULL, 10);
  else if (g_str_equal (name, "kvm"))
    world->facts.kvm_usable = yes;
  else if (g_str_equal (name, "vsock"))
    world->facts.vsock = yes;
  else if (g_str_equal (name, "machined"))
    world->facts.machined = yes;
  else if (g_str_equal (name, "network"))
    world->facts.network = world->network = new_network ();
  else if (g_str_equal (name, "libvirt"))
    world->facts.libvirt_version = g_ascii_strtoull (value, NULL, 10);
  else if (g_str_equal (name, "passt"))
    {
      world->facts.passt = TRUE;
      world->facts.passt_release = (guint)g_ascii_strtoull (value, NULL, 10);
      world->facts.uplink = world->uplink
          = vp_uplink_parse ("up0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n", "nameserver 127.0.0.53\n");
    }
  else if (g_str_equal (name, "selinux"))
    world->facts.selinux = yes;
  else
    g_error ("there is no fact \"%s\"", name);
}

static void
apply_input (World *world, const char *line)
{
  gboolean fact = g_str_has_prefix (line, "facts ");
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;
  gboolean annotation;

  if (g_str_has_prefix (line, "in "))
    return;
  annotation = key_split (line + (fact ? strlen ("facts ") : strlen ("with ")), &name, &value);
  if (fact)
    set_fact (world, name, value);
  else
    set (world, name, value, annotation);
}

static VpSpec *
read_spec (World *world, GError **error)
{
  g_autofree char *path = g_build_filename (VP_KEYS_DIR, "config.json", NULL);
  g_autofree char *file = NULL;
  g_autoptr (GString) text = NULL;

  g_assert_true (g_file_get_contents (path, &file, NULL, NULL));
  text = g_string_new (file);
  g_assert_cmpuint (g_string_replace (text, "\"annotations\": {}", "\"annotations\": {@}", 1), ==, 1);
  g_string_replace (text, "@", world->annotations->len > 0 ? world->annotations->str + 1 : "", 1);
  return vp_spec_parse (text->str, text->len, "/bundle", error);
}

/* ---- what comes of it -------------------------------------------------------- */

/* A kernel's command line is long, and differs by a word. */
static void
add_words (GPtrArray *result, const char *document, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add (result, g_strdup_printf ("%s cmdline %s", document, *word));
}

static void
add_lines (GPtrArray *result, const char *document, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      const char *bare = *line + strspn (*line, " ");

      if (g_str_has_prefix (bare, "cmdline: ") || g_str_has_prefix (bare, "<cmdline>"))
        add_words (result, document, bare + strlen ("cmdline: "));
      else if (bare[0] != '\0')
        g_ptr_array_add (result, g_strdup_printf ("%s %s", document, *line));
    }
}

static void
add_message (GPtrArray *result, const ProtobufCMessage *message)
{
  char *json = vp_message_to_json (message, VP_MESSAGE_JSON_OCI | VP_MESSAGE_JSON_PRETTY, NULL);

  g_assert_nonnull (json);
  add_lines (result, "guest", json);
  free (json);
}

static void
add_decision (GPtrArray *result, const GPtrArray *decisions, const char *name)
{
  for (guint i = 0; i < decisions->len; i++)
    {
      const VpDecision *decision = g_ptr_array_index (decisions, i);

      if (g_strcmp0 (decision->what, name) == 0 && g_str_equal (decision->value, "no effect"))
        g_ptr_array_add (result, g_strconcat (NO_EFFECT, decision->why, NULL));
    }
}

static gboolean
run_sandbox (GPtrArray *result, World *world, const char *name, VpSpec *spec, VpFacts *facts, GError **error)
{
  const VpSandboxIdentity who
      = { "s1", "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f", NULL, "/run/virtpod/sandboxes/s1" };
  g_autoptr (VpPlan) plan = vp_planner_plan_sandbox (&who, spec, world->config, facts, error);
  g_autofree char *text = NULL;
  g_autofree char *xml = NULL;
  Grpc__CreateSandboxRequest *request;

  if (plan == NULL || (xml = vp_domain_xml (plan, vp_driver_find (world->facts.driver), error)) == NULL
      || (request = vp_guest_message_create_sandbox (plan, error)) == NULL)
    return FALSE;
  text = vp_plan_to_text (plan);
  add_lines (result, "plan", text);
  add_lines (result, "xml", xml);
  add_message (result, &request->base);
  add_decision (result, plan->decisions, name);
  grpc__create_sandbox_request__free_unpacked (request, NULL);
  return TRUE;
}

static gboolean
run_container (GPtrArray *result, World *world, VpSpec *spec, VpFacts *facts, GError **error)
{
  g_autoptr (VpConfig) effective = vp_planner_effective_config (spec, world->config, facts, error);
  g_autoptr (VpContainerPlan) plan = NULL;
  g_autofree char *text = NULL;
  Grpc__CreateContainerRequest *request;
  size_t n_annotations;

  if (effective == NULL
      || (plan = vp_planner_plan_container ("s1", "s1", spec, effective, facts, error)) == NULL
      || (request = vp_guest_message_create_container (plan, error)) == NULL)
    return FALSE;
  text = vp_container_plan_to_text (plan);
  add_lines (result, "plan", text);
  /* that an annotation is among the annotations is no effect of it */
  n_annotations = request->oci->n_annotations;
  request->oci->n_annotations = 0;
  add_message (result, &request->base);
  request->oci->n_annotations = n_annotations;
  grpc__create_container_request__free_unpacked (request, NULL);
  return TRUE;
}

GPtrArray *
key_result_new (const GPtrArray *inputs, const char *name, const char *value, gboolean annotation)
{
  GPtrArray *result = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (VpFacts) facts = NULL;
  g_autoptr (GError) error = NULL;
  World world;

  world_init (&world);
  for (guint i = 0; i < inputs->len; i++)
    apply_input (&world, inputs->pdata[i]);
  if (name != NULL)
    set (&world, name, value, annotation);
  facts = vp_facts_new (&world.facts);
  spec = read_spec (&world, &error);
  if (spec == NULL || !run_sandbox (result, &world, name, spec, facts, &error)
      || !run_container (result, &world, spec, facts, &error))
    {
      g_ptr_array_set_size (result, 0);
      g_ptr_array_add (result, g_strdup_printf (REFUSED "%s: %s", vp_error_dbus_name ((VpError)error->code),
                                                error->message));
    }
  world_clear (&world);
  return result;
}

/* ---- asking ------------------------------------------------------------------ */

gboolean
key_result_is_refusal (const GPtrArray *result)
{
  return g_str_has_prefix (result->pdata[0], REFUSED);
}

const char *
key_result_find_no_effect (const GPtrArray *result)
{
  for (guint i = 0; i < result->len; i++)
    {
      if (g_str_has_prefix (result->pdata[i], NO_EFFECT))
        return result->pdata[i];
    }
  return NULL;
}

static void
append_line (GString *text, const char *line, char sign)
{
  gsize document = strcspn (line, " ");

  g_string_append_printf (text, "%.*s %c%s\n", (int)document, line, sign, line + document + 1);
}

/* The longest common subsequence, by the book: the documents are short. */
void
key_result_compare (const GPtrArray *before, const GPtrArray *after, GString *text)
{
  guint n = before->len, m = after->len, i = 0, j = 0;
  g_autofree guint *longest = g_new0 (guint, (gsize)(n + 1) * (m + 1));

#define LONGEST(i, j) longest[(gsize)(i) * (m + 1) + (j)]
  for (guint a = n; a-- > 0;)
    {
      for (guint b = m; b-- > 0;)
        LONGEST (a, b) = g_str_equal (before->pdata[a], after->pdata[b])
                             ? LONGEST (a + 1, b + 1) + 1
                             : MAX (LONGEST (a + 1, b), LONGEST (a, b + 1));
    }
  while (i < n || j < m)
    {
      if (i < n && j < m && g_str_equal (before->pdata[i], after->pdata[j]))
        {
          i++;
          j++;
        }
      else if (i < n && (j == m || LONGEST (i + 1, j) >= LONGEST (i, j + 1)))
        append_line (text, before->pdata[i++], '-');
      else
        append_line (text, after->pdata[j++], '+');
    }
#undef LONGEST
}
