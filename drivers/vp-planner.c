/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner.h"

#include <string.h>
#include <sys/un.h>

#include "vp-annotation.h"
#include "vp-decision.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-names.h"
#include "vp-planner-private.h"

#define SOCKET_PATH_MAX (sizeof (((struct sockaddr_un *)NULL)->sun_path) - 1)

/* ---- helpers of the rooms --------------------------------------------------- */

static gboolean set_error (VpPlanning *p, VpConfigKey key, VpError code, GError **error, const char *format,
                           va_list args) G_GNUC_PRINTF (5, 0);

static gboolean
set_error (VpPlanning *p, VpConfigKey key, VpError code, GError **error, const char *format, va_list args)
{
  g_autofree char *why = g_strdup_vprintf (format, args);

  g_set_error (error, VP_ERROR, (gint)code, "%s: %s: %s", vp_config_get_source (p->config, key),
               vp_config_key_name (key), why);
  return FALSE;
}

gboolean
vp_planning_not_supported (VpPlanning *p, VpConfigKey key, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set_error (p, key, VP_ERROR_NOT_SUPPORTED, error, format, args);
  va_end (args);
  return FALSE;
}

gboolean
vp_planning_invalid (VpPlanning *p, VpConfigKey key, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set_error (p, key, VP_ERROR_INVALID_ARGUMENT, error, format, args);
  va_end (args);
  return FALSE;
}

void
vp_planning_note (VpPlanning *p, const char *what, const char *value, VpConfigKey key, const char *why)
{
  vp_plan_note (p->plan, what, value, vp_config_get_source (p->config, key), why);
  vp_decisions_set_key (p->plan->decisions, vp_config_key_name (key));
}

void
vp_planning_note_chosen (VpPlanning *p, const char *what, const char *value, VpConfigKey key, const char *why)
{
  if (!vp_config_is_default (p->config, key))
    vp_planning_note (p, what, value, key, why);
}

char *
vp_planning_dup (VpPlanning *p, VpConfigKey key)
{
  const char *text = vp_config_get_string (p->config, key);

  return text[0] != '\0' ? g_strdup (text) : NULL;
}

gboolean
vp_planning_bool (VpPlanning *p, VpConfigKey key)
{
  return vp_config_get_bool (p->config, key);
}

guint
vp_planning_uint (VpPlanning *p, VpConfigKey key)
{
  return (guint)MIN (vp_config_get_uint (p->config, key), G_MAXUINT);
}

gboolean
vp_planning_is (VpPlanning *p, VpConfigKey key, const char *word)
{
  return g_str_equal (vp_config_get_string (p->config, key), word);
}

/* ---- names ------------------------------------------------------------------ */

char *
vp_planner_dup_share_dir (const char *directory)
{
  return g_build_filename (directory, VP_DIR_SHARED, NULL);
}

char *
vp_planner_dup_agent_socket (const char *directory)
{
  return g_build_filename (directory, VP_FILE_AGENT_SOCKET, NULL);
}

char *
vp_planner_dup_console_socket (const char *directory)
{
  return g_build_filename (directory, VP_FILE_CONSOLE_SOCKET, NULL);
}

char *
vp_planner_dup_console_log (const char *directory)
{
  return g_build_filename (directory, VP_FILE_CONSOLE_LOG, NULL);
}

char *
vp_planner_dup_netns (const char *directory)
{
  return g_build_filename (directory, VP_FILE_NETNS, NULL);
}

/* ---- parts ------------------------------------------------------------------ */

static gboolean
check_identity (const VpSandboxIdentity *who, GError **error)
{
  g_autofree char *socket = vp_planner_dup_console_socket (who->directory);

  if (!vp_id_check (who->id, "sandbox id", error))
    return FALSE;
  if (!g_uuid_string_is_valid (who->uuid))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "uuid \"%s\": is not one", who->uuid);
      return FALSE;
    }
  if (!g_path_is_absolute (who->directory))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "directory \"%s\": must be absolute",
                   who->directory);
      return FALSE;
    }
  /* the longer of the two sockets' names */
  if (strlen (socket) > SOCKET_PATH_MAX)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "socket \"%s\": has %zu characters, the kernel allows %zu; state-dir is too long", socket,
                   strlen (socket), SOCKET_PATH_MAX);
      return FALSE;
    }
  return TRUE;
}

/* A workload that wants what nothing acts on must not think it got it; an
 * administrator is told. */
static gboolean
check_unused (VpPlanning *p, GError **error)
{
  for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
    {
      const char *reason = vp_config_get_unused (p->config, key);

      if (reason == NULL)
        continue;
      if (g_str_has_prefix (vp_config_get_source (p->config, key), "annotation "))
        return vp_planning_not_supported (p, key, error, "\"%s\": %s",
                                          vp_config_get_string (p->config, key), reason);
      vp_planning_note (p, vp_config_key_name (key), "no effect", key, reason);
    }
  return TRUE;
}

static void
plan_identity (VpPlan *plan, const VpSandboxIdentity *who, VpSpec *spec, const VpFactsInit *facts)
{
  plan->sandbox_id = g_strdup (who->id);
  plan->handler = g_strdup (who->handler ?: "default");
  plan->uuid = g_ascii_strdown (who->uuid, -1);
  plan->domain_name = vp_id_to_domain_name (who->id);
  plan->directory = g_strdup (who->directory);
  plan->arch = g_strdup (facts->arch);
  plan->libvirt_version = facts->libvirt_version;
  plan->pod_name = g_strdup (vp_annotation_get_pod_word (spec, VP_POD_NAME));
  plan->pod_namespace = g_strdup (vp_annotation_get_pod_word (spec, VP_POD_NAMESPACE));
  plan->pod_uid = g_strdup (vp_annotation_get_pod_word (spec, VP_POD_UID));
}

static void
note_annotations (VpPlan *plan, const VpAnnotations *annotations)
{
  for (guint i = 0; i < annotations->decisions->len; i++)
    {
      const VpDecision *decision = g_ptr_array_index (annotations->decisions, i);

      vp_plan_note (plan, decision->what, decision->value, decision->source, decision->why);
    }
}

VpConfig *
vp_planner_effective_config (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error)
{
  g_autoptr (VpAnnotations) annotations = vp_annotations_apply (spec, config, facts, error);

  return annotations != NULL ? vp_config_ref (annotations->config) : NULL;
}

VpPlan *
vp_planner_plan_sandbox (const VpSandboxIdentity *who, VpSpec *spec, VpConfig *config, VpFacts *facts,
                         GError **error)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();
  g_autoptr (VpAnnotations) annotations = NULL;
  const VpFactsInit *known = vp_facts_get (facts);
  VpPlanning p = { plan, vp_driver_find (known->driver), known, spec, config, NULL };

  if (p.driver == NULL)
    {
      vp_planning_not_supported (&p, VP_CONFIG_HYPERVISOR_URI, error, "libvirt's %s driver is not supported",
                                 known->driver);
      return NULL;
    }
  if (!check_identity (who, error)
      || (annotations = vp_annotations_apply (spec, config, facts, error)) == NULL)
    return NULL;
  p.config = annotations->config;
  p.digests = annotations->digests;
  note_annotations (plan, annotations);
  plan_identity (plan, who, spec, known);
  if (!check_unused (&p, error) || !vp_planner_plan_machine (&p, error) || !vp_planner_plan_memory (&p, error)
      || !vp_planner_plan_boot (&p, error))
    return NULL;
  plan->cmdline = vp_planner_make_cmdline (plan->accel, plan->arch, spec, p.config, error);
  if (plan->cmdline == NULL || !vp_planner_plan_devices (&p, error)
      || !vp_planner_plan_network (&p, error)
      || !vp_driver_check_plan (p.driver, plan, error) || !vp_planner_plan_guest (&p, error))
    return NULL;
  return g_steal_pointer (&plan);
}
