/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-explain.h"

#include <stdlib.h>

#include "vp-annotation.h"
#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-explain-private.h"
#include "vp-guest-messages.h"
#include "vp-json-writer.h"
#include "vp-message-json.h"

gboolean
vp_explain_format_from_string (const char *word, VpExplainFormat *ret, GError **error)
{
  static const char *const words[] = { "text", "json", "xml" };
  g_autofree char *shown = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i]))
      {
        *ret = (VpExplainFormat)i;
        return TRUE;
      }
  shown = vp_error_shown (word);
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "format \"%s\": must be text, json or xml", shown);
  return FALSE;
}

static void
explanation_clear (VpExplanation *e)
{
  g_clear_pointer (&e->config, vp_config_unref);
  g_clear_pointer (&e->plan, vp_plan_unref);
  g_clear_pointer (&e->container, vp_container_plan_unref);
  g_clear_pointer (&e->changes, g_ptr_array_unref);
  g_clear_pointer (&e->xml, g_free);
  g_clear_pointer (&e->create_sandbox, g_free);
  g_clear_pointer (&e->create_container, g_free);
  g_clear_pointer (&e->guest_spec, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VpExplanation, explanation_clear)

static char *
message_to_json (const ProtobufCMessage *message, GError **error)
{
  char *json = vp_message_to_json (message, VP_MESSAGE_JSON_OCI, NULL), *text;

  if (json == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: has a string that is not UTF-8",
                   message->descriptor->short_name);
      return NULL;
    }
  text = g_strdup (json);
  free (json);
  return text;
}

static gboolean
explain_create_sandbox (VpExplanation *e, GError **error)
{
  Grpc__CreateSandboxRequest *request = vp_guest_message_create_sandbox (e->plan, error);

  if (request == NULL)
    return FALSE;
  e->sandbox_size = protobuf_c_message_get_packed_size (&request->base);
  e->create_sandbox = message_to_json (&request->base, error);
  grpc__create_sandbox_request__free_unpacked (request, NULL);
  return e->create_sandbox != NULL;
}

static gboolean
explain_create_container (VpExplanation *e, GError **error)
{
  Grpc__CreateContainerRequest *request = vp_guest_message_create_container (e->container, error);
  Grpc__Spec *spec;

  if (request == NULL)
    return FALSE;
  e->container_size = protobuf_c_message_get_packed_size (&request->base);
  spec = g_steal_pointer (&request->oci);
  e->create_container = message_to_json (&request->base, error);
  if (e->create_container != NULL)
    e->guest_spec = message_to_json (&spec->base, error);
  request->oci = spec;
  grpc__create_container_request__free_unpacked (request, NULL);
  return e->guest_spec != NULL;
}

/* A sandbox that is joined was planned from another bundle: all that is known
 * here is its name. */
/* Annotations are the sandbox's: what joins one was planned with what is not known here. */
static gboolean
use_annotations (VpExplanation *e, GError **error)
{
  VpConfig *effective = vp_planner_effective_config (e->spec, e->config, e->facts, error);

  if (effective == NULL)
    return FALSE;
  vp_config_unref (e->config);
  e->config = effective;
  return TRUE;
}

static gboolean
explain_sandbox (VpExplanation *e, GError **error)
{
  VpContainerType type;

  if (!vp_annotation_get_container_type (e->spec, &type, error)
      || !vp_annotation_get_sandbox_id (e->spec, &e->joins, error))
    return FALSE;
  if (type == VP_CONTAINER_CONTAINER)
    return TRUE;
  e->joins = NULL;
  e->plan = vp_planner_plan_sandbox (e->who, e->spec, e->config, e->facts, error);
  if (e->plan == NULL)
    return FALSE;
  e->xml = vp_domain_xml (e->plan, vp_driver_find (vp_facts_get (e->facts)->driver), error);
  return e->xml != NULL && explain_create_sandbox (e, error) && use_annotations (e, error);
}

char *
vp_explain (const VpSandboxIdentity *who, VpSpec *spec, VpConfig *config, VpFacts *facts, const char *uri,
            VpExplainFormat format, GError **error)
{
  g_auto (VpExplanation) e = { .who = who, .spec = spec, .facts = facts, .uri = uri };

  e.config = vp_config_for_handler (config, who->handler, error);
  if (e.config == NULL || !explain_sandbox (&e, error))
    return NULL;
  if (format == VP_EXPLAIN_XML && e.xml == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "bundle \"%s\": is a container of sandbox \"%s\" and has no domain of its own",
                   vp_spec_get_bundle (spec), e.joins);
      return NULL;
    }
  e.container
      = vp_planner_plan_container (e.joins != NULL ? e.joins : who->id, who->id, spec, e.config, facts, error);
  if (e.container == NULL || !explain_create_container (&e, error))
    return NULL;
  if (format == VP_EXPLAIN_XML)
    return g_steal_pointer (&e.xml);
  e.changes = vp_explain_changes (vp_spec_get_json (spec), e.container->guest_spec);
  return format == VP_EXPLAIN_JSON ? vp_explanation_to_json (&e) : vp_explanation_to_text (&e);
}
