/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-annotation.h"

#include "vp-error.h"
#include "vp-id.h"
#include "vp-names.h"

/* One row per container manager, asked in this order. */
typedef struct
{
  const char *type_key;
  const char *sandbox_word;
  const char *container_word;
  const char *id_key;
} PodWords;

static const PodWords pod_words[] = {
  /* containerd */
  { "io.kubernetes.cri.container-type", "sandbox", "container", "io.kubernetes.cri.sandbox-id" },
  /* CRI-O */
  { "io.kubernetes.cri-o.ContainerType", "sandbox", "container", "io.kubernetes.cri-o.SandboxID" },
  /* dockershim and cri-dockerd */
  { "io.kubernetes.docker.type", "podsandbox", "container", "io.kubernetes.sandbox.id" },
};

const char *
vp_container_type_to_string (VpContainerType type)
{
  static const char *const names[] = { "single", "sandbox", "container" };

  return names[type];
}

static const PodWords *
find_words (VpSpec *spec)
{
  for (guint i = 0; i < G_N_ELEMENTS (pod_words); i++)
    {
      if (vp_spec_get_annotation (spec, pod_words[i].type_key) != NULL)
        return &pod_words[i];
    }
  return NULL;
}

/* podman uses CRI-O's words, also in a pod without an infra container, which no sandbox
 * is ever made for: its containers have nothing in common, in no namespace of another. */
static gboolean
is_alone (VpSpec *spec)
{
  static const char *const types[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" };

  if (g_strcmp0 (vp_spec_get_annotation (spec, "io.container.manager"), "libpod") != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const char *path = vp_spec_get_namespace_path (spec, types[i]);

      if (path != NULL && g_str_has_prefix (path, "/proc/"))
        return FALSE;
    }
  return TRUE;
}

gboolean
vp_annotation_get_container_type (VpSpec *spec, VpContainerType *ret, GError **error)
{
  const PodWords *words = find_words (spec);
  const char *word;

  if (words == NULL)
    {
      *ret = VP_CONTAINER_SINGLE;
      return TRUE;
    }
  word = vp_spec_get_annotation (spec, words->type_key);
  if (g_str_equal (word, words->sandbox_word))
    *ret = VP_CONTAINER_SANDBOX;
  else if (g_str_equal (word, words->container_word))
    *ret = is_alone (spec) ? VP_CONTAINER_SINGLE : VP_CONTAINER_CONTAINER;
  else
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), words->type_key,
                                     "must be \"%s\" or \"%s\"", words->sandbox_word, words->container_word);
  return TRUE;
}

gboolean
vp_annotation_get_sandbox_id (VpSpec *spec, const char **ret, GError **error)
{
  const PodWords *words = find_words (spec);
  g_autoptr (GError) local = NULL;
  VpContainerType type;
  const char *id;

  if (!vp_annotation_get_container_type (spec, &type, error))
    return FALSE;
  if (type != VP_CONTAINER_CONTAINER)
    {
      *ret = NULL;
      return TRUE;
    }
  id = vp_spec_get_annotation (spec, words->id_key);
  if (id == NULL)
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), words->id_key,
                                     "is missing, the container joins a sandbox");
  if (!vp_id_check (id, "sandbox id", &local))
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), words->id_key, "%s",
                                     local->message);
  *ret = id;
  return TRUE;
}

const char *
vp_annotation_get_pod_word (VpSpec *spec, VpPodWord word)
{
  /* containerd's, CRI-O's and dockershim's */
  static const char *const keys[][3] = {
    [VP_POD_NAME] = { "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName", "io.kubernetes.pod.name" },
    [VP_POD_NAMESPACE]
    = { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace", "io.kubernetes.pod.namespace" },
    [VP_POD_UID] = { "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys[word]); i++)
    {
      const char *value = keys[word][i] != NULL ? vp_spec_get_annotation (spec, keys[word][i]) : NULL;

      if (value != NULL && value[0] != '\0')
        return value;
    }
  return NULL;
}
