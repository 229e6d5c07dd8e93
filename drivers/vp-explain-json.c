/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-explain-private.h"
#include "vp-json-writer.h"

static void
add_head (VpJsonWriter *w, const VpExplanation *e)
{
  const VpFactsInit *facts = vp_facts_get (e->facts);

  vp_json_writer_add_string (w, "container", e->who->id);
  vp_json_writer_add_string (w, "sandbox", e->joins != NULL ? e->joins : e->who->id);
  if (e->plan != NULL)
    vp_json_writer_add_string (w, "handler", e->plan->handler);
  vp_json_writer_add_string (w, "bundle", vp_spec_get_bundle (e->spec));
  vp_json_writer_begin_object (w, "host");
  vp_json_writer_add_string (w, "driver", facts->driver);
  vp_json_writer_add_uint (w, "hypervisor-version", facts->hypervisor_version);
  vp_json_writer_add_uint (w, "libvirt-version", facts->libvirt_version);
  vp_json_writer_add_string (w, "arch", facts->arch);
  if (e->uri != NULL)
    vp_json_writer_add_string (w, "uri", e->uri);
  vp_json_writer_end_object (w);
}

static void
add_decisions (VpJsonWriter *w, const GPtrArray *decisions)
{
  for (guint i = 0; decisions != NULL && i < decisions->len; i++)
    {
      const VpDecision *decision = decisions->pdata[i];

      vp_json_writer_begin_object (w, NULL);
      vp_json_writer_add_string (w, "what", decision->what);
      vp_json_writer_add_string (w, "value", decision->value);
      vp_json_writer_add_string (w, "source", decision->source);
      if (decision->key != NULL)
        vp_json_writer_add_string (w, "key", decision->key);
      vp_json_writer_add_string (w, "why", decision->why);
      vp_json_writer_end_object (w);
    }
}

static void
add_settings (VpJsonWriter *w, VpConfig *config)
{
  vp_json_writer_begin_array (w, "settings");
  for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      if (vp_config_is_default (config, key))
        continue;
      vp_json_writer_begin_object (w, NULL);
      vp_json_writer_add_string (w, "key", vp_config_key_name (key));
      vp_json_writer_add_string (w, "value", vp_config_get_string (config, key));
      vp_json_writer_add_string (w, "source", vp_config_get_source (config, key));
      vp_json_writer_end_object (w);
    }
  vp_json_writer_end_array (w);
}

/* Lines "key: value" as an array of { key, value }: keys such as "device" come
 * more than once, and their order is the plan's. */
static void
add_plan (VpJsonWriter *w, const char *name, const char *plan)
{
  g_auto (GStrv) lines = g_strsplit (plan, "\n", -1);

  vp_json_writer_begin_array (w, name);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strstr (lines[i], ": ");

      if (colon == NULL)
        continue;
      *colon = '\0';
      vp_json_writer_begin_object (w, NULL);
      vp_json_writer_add_string (w, "key", lines[i]);
      vp_json_writer_add_string (w, "value", colon + 2);
      vp_json_writer_end_object (w);
    }
  vp_json_writer_end_array (w);
}

/* A document of ours as part of this one; as text if it is too large to be read back. */
static void
add_json (VpJsonWriter *w, const char *name, const char *json)
{
  g_autoptr (VpJson) node = NULL;

  if (json == NULL)
    return;
  node = vp_json_parse (json, strlen (json), name, NULL);
  if (node != NULL)
    vp_json_writer_add_copy (w, name, node);
  else
    vp_json_writer_add_string (w, name, json);
}

static void
add_changes (VpJsonWriter *w, const GPtrArray *changes)
{
  vp_json_writer_begin_array (w, "changes");
  for (guint i = 0; i < changes->len; i++)
    {
      const VpSpecChange *change = changes->pdata[i];

      vp_json_writer_begin_object (w, NULL);
      vp_json_writer_add_string (w, "path", change->path);
      vp_json_writer_add_string (w, "change", change->verb);
      add_json (w, "before", change->before);
      add_json (w, "after", change->after);
      if (change->why != NULL)
        vp_json_writer_add_string (w, "why", change->why);
      vp_json_writer_end_object (w);
    }
  vp_json_writer_end_array (w);
}

char *
vp_explanation_to_json (const VpExplanation *e)
{
  g_autoptr (VpJsonWriter) w = vp_json_writer_new (TRUE);
  g_autofree char *plan = e->plan != NULL ? vp_plan_to_text (e->plan) : NULL;
  g_autofree char *container = vp_container_plan_to_text (e->container);

  vp_json_writer_begin_object (w, NULL);
  add_head (w, e);
  vp_json_writer_begin_array (w, "decisions");
  if (e->plan != NULL)
    add_decisions (w, e->plan->decisions);
  add_decisions (w, e->container->decisions);
  vp_json_writer_end_array (w);
  add_settings (w, e->config);
  if (plan != NULL)
    add_plan (w, "sandbox-plan", plan);
  add_plan (w, "container-plan", container);
  add_changes (w, e->changes);
  vp_json_writer_begin_object (w, "messages");
  add_json (w, "CreateSandbox", e->create_sandbox);
  add_json (w, "CreateContainer", e->create_container);
  add_json (w, "CreateContainer.OCI", e->guest_spec);
  vp_json_writer_end_object (w);
  if (e->xml != NULL)
    vp_json_writer_add_string (w, "domain", e->xml);
  vp_json_writer_end_object (w);
  return vp_json_writer_steal_text (w, NULL);
}
