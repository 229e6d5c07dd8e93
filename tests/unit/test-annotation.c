/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-annotation.h"
#include "vp-error.h"

#define CRI "io.kubernetes.cri."
#define CRIO "io.kubernetes.cri-o."

static VpSpec *
spec_with (const char *annotations)
{
  g_autofree char *text
      = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":"
                         "[\"x\"],\"cwd\":\"/\"},\"annotations\":{%s}}",
                         annotations);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (text, strlen (text), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

static void
test_types (void)
{
  static const struct
  {
    const char *annotations;
    VpContainerType type;
    const char *id;
  } cases[] = {
    { "", VP_CONTAINER_SINGLE, NULL },
    { "\"other\":\"x\"", VP_CONTAINER_SINGLE, NULL },
    /* an id alone says nothing: podman writes CRI-O's words for other things */
    { "\"" CRIO "SandboxID\":\"s1\",\"" CRIO "TTY\":\"false\"", VP_CONTAINER_SINGLE, NULL },
    { "\"" CRI "container-type\":\"sandbox\",\"" CRI "sandbox-id\":\"s1\"", VP_CONTAINER_SANDBOX, NULL },
    { "\"" CRI "container-type\":\"container\",\"" CRI "sandbox-id\":\"s1\"", VP_CONTAINER_CONTAINER, "s1" },
    { "\"" CRIO "ContainerType\":\"sandbox\"", VP_CONTAINER_SANDBOX, NULL },
    { "\"" CRIO "ContainerType\":\"container\",\"" CRIO "SandboxID\":\"s2\"", VP_CONTAINER_CONTAINER, "s2" },
    { "\"io.kubernetes.docker.type\":\"podsandbox\"", VP_CONTAINER_SANDBOX, NULL },
    { "\"io.kubernetes.docker.type\":\"container\",\"io.kubernetes.sandbox.id\":\"s3\"",
      VP_CONTAINER_CONTAINER, "s3" },
    /* containerd is believed before CRI-O */
    { "\"" CRIO "ContainerType\":\"container\",\"" CRIO "SandboxID\":\"s2\",\"" CRI
      "container-type\":\"sandbox\"",
      VP_CONTAINER_SANDBOX, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpSpec) spec = spec_with (cases[i].annotations);
      g_autoptr (GError) error = NULL;
      VpContainerType type;
      const char *id = "unset";

      vp_annotation_get_container_type (spec, &type, &error);
      g_assert_no_error (error);
      g_assert_cmpint (type, ==, cases[i].type);
      vp_annotation_get_sandbox_id (spec, &id, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (id, ==, cases[i].id);
    }
}

/* podman's pods without an infra container are in the words of a pod, and there is none. */
static void
test_alone (void)
{
  static const char *const manager = "\"io.container.manager\":\"libpod\"";
  static const struct
  {
    const char *namespaces;
    gboolean libpod;
    VpContainerType type;
  } cases[] = {
    { "{\"type\":\"ipc\"},{\"type\":\"network\",\"path\":\"/run/netns/n\"}", TRUE, VP_CONTAINER_SINGLE },
    { "{\"type\":\"ipc\"},{\"type\":\"network\",\"path\":\"/run/netns/n\"}", FALSE, VP_CONTAINER_CONTAINER },
    { "{\"type\":\"ipc\",\"path\":\"/proc/7/ns/ipc\"}", TRUE, VP_CONTAINER_CONTAINER },
    { "{\"type\":\"ipc\"},{\"type\":\"pid\",\"path\":\"/proc/7/ns/pid\"}", TRUE, VP_CONTAINER_CONTAINER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"},"
          "\"linux\":{\"namespaces\":[%s]},\"annotations\":{%s%s\"" CRIO "ContainerType\":\"container\",\"" CRIO
          "SandboxID\":\"s1\"}}",
          cases[i].namespaces, cases[i].libpod ? manager : "", cases[i].libpod ? "," : "");
      g_autoptr (GError) error = NULL;
      g_autoptr (VpSpec) spec = vp_spec_parse (text, strlen (text), "/b", &error);
      VpContainerType type;
      const char *id = "unset";

      g_assert_no_error (error);
      vp_annotation_get_container_type (spec, &type, &error);
      g_assert_no_error (error);
      g_assert_cmpint (type, ==, cases[i].type);
      vp_annotation_get_sandbox_id (spec, &id, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (id, ==, type == VP_CONTAINER_CONTAINER ? "s1" : NULL);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *annotations, *words;
  } cases[] = {
    { "\"" CRI "container-type\":\"pod\"", "annotations[\"io.kubernetes.cri.container-type\"]: must be" },
    { "\"" CRI "container-type\":\"\"", "must be" },
    { "\"io.kubernetes.docker.type\":\"sandbox\"", "must be \"podsandbox\" or \"container\"" },
    { "\"" CRI "container-type\":\"container\"",
      "annotations[\"io.kubernetes.cri.sandbox-id\"]: is missing" },
    { "\"" CRI "container-type\":\"container\",\"" CRI "sandbox-id\":\"../x\"", "sandbox id" },
    { "\"" CRI "container-type\":\"container\",\"" CRI "sandbox-id\":\"\"", "sandbox id" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpSpec) spec = spec_with (cases[i].annotations);
      g_autoptr (GError) error = NULL;
      const char *id = "unset";

      g_assert_false (vp_annotation_get_sandbox_id (spec, &id, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].words));
      g_assert_cmpstr (id, ==, "unset");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/annotation/types", test_types);
  g_test_add_func ("/annotation/alone", test_alone);
  g_test_add_func ("/annotation/refused", test_refused);
  return g_test_run ();
}
