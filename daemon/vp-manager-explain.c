/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-manager.h"

#include "vp-annotation.h"
#include "vp-error.h"
#include "vp-explain.h"
#include "vp-host-path.h"
#include "vp-net.h"
#include "vp-id.h"

/* What is explained does not exist, so it has no identity of its own. */
#define UUID_SHOWN "00000000-0000-4000-8000-000000000000"

/* Everything the worker looks at; nothing of it changes. */
typedef struct
{
  char *id;
  char *bundle;
  char *handler;
  char *directory;
  char *uri;
  VpConfig *config;
  VpFacts *facts;
  VpExplainFormat format;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->id);
  g_free (question->bundle);
  g_free (question->handler);
  g_free (question->directory);
  g_free (question->uri);
  g_clear_pointer (&question->config, vp_config_unref);
  g_clear_pointer (&question->facts, vp_facts_unref);
  g_free (question);
}

/* What a start would look at before it plans. A container that joins a sandbox is
 * not what that was planned from. */
static VpFacts *
learn (const Question *question, VpSpec *spec, GError **error)
{
  g_autoptr (VpConfig) config = NULL;
  g_autoptr (VpFacts) facts = NULL;
  g_autoptr (GError) why = NULL;
  VpFacts *with_network;
  VpContainerType type;
  VpNetNsId id;

  if (!vp_annotation_get_container_type (spec, &type, error))
    return NULL;
  if (type == VP_CONTAINER_CONTAINER)
    return vp_facts_ref (question->facts);
  config = vp_config_for_handler (question->config, question->handler, error);
  facts = config != NULL ? vp_host_path_learn (spec, config, question->facts, error) : NULL;
  if (facts == NULL)
    return NULL;
  with_network = vp_net_learn (spec, config, facts, &id, &why);
  /* whoever runs the bundle makes the namespace first, who reads it has none */
  if (with_network == NULL && vp_error_is (why, VP_ERROR_NOT_FOUND))
    return g_steal_pointer (&facts);
  if (with_network == NULL)
    g_propagate_error (error, g_steal_pointer (&why));
  return with_network;
}

static void
explain_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const Question *question = task_data;
  VpSandboxIdentity who = { question->id, UUID_SHOWN, question->handler, question->directory };
  GError *error = NULL;
  g_autoptr (VpSpec) spec = vp_spec_load (question->bundle, &error);
  g_autoptr (VpFacts) facts = spec != NULL ? learn (question, spec, &error) : NULL;
  char *text = NULL;

  if (facts != NULL)
    text = vp_explain (&who, spec, question->config, facts, question->uri, question->format, &error);
  if (text != NULL)
    g_task_return_pointer (task, text, g_free);
  else
    g_task_return_error (task, error);
}

/* A bundle's directory is often named like its container, else any id will do. */
static char *
dup_id (const char *id, const char *bundle)
{
  g_autofree char *name = g_path_get_basename (bundle);

  return g_strdup (id != NULL ? id : vp_id_check (name, "bundle", NULL) ? name : "explained");
}

static gboolean
fill_question (VpManager *self, Question *question, GError **error)
{
  const VpServices *services = vp_manager_get_services (self);
  VpFacts *facts = vp_virt_get_facts (services->virt);
  g_autofree char *domain_name = NULL;

  if (!g_path_is_absolute (question->bundle))
    {
      g_autofree char *shown = g_strescape (question->bundle, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "bundle \"%s\": must be an absolute path",
                   shown);
      return FALSE;
    }
  if (!vp_id_check (question->id, "container id", error))
    return FALSE;
  if (facts == NULL)
    {
      const char *reason = vp_virt_get_reason (services->virt);
      g_set_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s",
                   vp_virt_get_uri (services->virt), reason != NULL ? reason : "not connected");
      return FALSE;
    }
  domain_name = vp_id_to_domain_name (question->id);
  question->directory = vp_store_dup_directory (services->store, domain_name);
  question->uri = g_strdup (vp_virt_get_uri (services->virt));
  question->config = vp_config_ref (services->config);
  question->facts = vp_facts_ref (facts);
  return TRUE;
}

void
vp_manager_explain_async (VpManager *self, const char *bundle, const char *id, const char *handler,
                          const char *format, GAsyncReadyCallback callback, gpointer user_data)
{
  Question *question = g_new0 (Question, 1);
  GError *error = NULL;

  question->bundle = g_strdup (bundle);
  question->id = dup_id (id, bundle);
  question->handler = g_strdup (handler);
  if (!vp_explain_format_from_string (format, &question->format, &error)
      || !fill_question (self, question, &error))
    {
      question_free (question);
      g_task_report_error (self, callback, user_data, vp_manager_explain_async, error);
      return;
    }
  vp_worker_run_async (vp_manager_get_services (self)->worker, self, vp_manager_explain_async,
                       explain_in_worker, question, question_free, NULL, callback, user_data);
}

char *
vp_manager_explain_finish (VpManager *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
