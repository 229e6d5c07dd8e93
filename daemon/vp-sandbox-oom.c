/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-event.h"
#include "vp-log.h"

/* One question is always at the agent: which container ran out of memory next.
 * A guest that answers all the time is asked eight times a second; the ids it
 * gives count only when they are its own, and what it says too often is counted
 * and not told. */

#define ASK_AGAIN_MS 125
#define RETRY_MS 5000 /* an agent that fails to answer is not asked faster than this */

typedef struct
{
  VpSandbox *sandbox;
  VpAgentClient *agent; /* the one it began with: a sandbox may get another */
} Watch;

static void ask (Watch *watch);

static void
watch_free (Watch *watch)
{
  g_object_unref (watch->agent);
  g_object_unref (watch->sandbox);
  g_free (watch);
}

static gboolean
on_ask_again (gpointer user_data)
{
  Watch *watch = user_data;

  if (watch->sandbox->machine.agent == watch->agent && vp_agent_client_is_open (watch->agent))
    ask (watch);
  else
    watch_free (watch);
  return G_SOURCE_REMOVE;
}

static void
tell (VpSandbox *self, const char *cid)
{
  VpContainer *container = vp_sandbox_find_container (self, cid);

  if (container != NULL)
    vp_container_note_oom (container);
  if (!vp_bucket_take (&self->ooms, g_get_monotonic_time ()))
    {
      if (vp_bucket_begins_to_drop (&self->ooms))
        vp_warning (self->id, NULL, "the guest runs out of memory all the time: not told for a while (%" G_GUINT64_FORMAT
                    " times in all)", vp_bucket_get_dropped (&self->ooms));
      return;
    }
  if (container == NULL)
    {
      vp_warning (self->id, NULL, "the guest says that container \"%s\" ran out of memory, which it does not have", cid);
      return;
    }
  vp_event (VP_EVENT_CONTAINER_OOM, self->id, cid, "out of memory: the guest killed a process");
  g_signal_emit_by_name (self, "oom", container);
}

static void
on_event (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Watch *watch = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *cid = vp_agent_client_get_oom_event_finish (VP_AGENT_CLIENT (source), result, &error);

  if (cid != NULL)
    tell (watch->sandbox, cid);
  else if (vp_error_is (error, VP_ERROR_NOT_SUPPORTED) || !vp_agent_client_is_open (watch->agent))
    {
      watch_free (watch);
      return;
    }
  g_timeout_add (cid != NULL ? ASK_AGAIN_MS : RETRY_MS, on_ask_again, watch);
}

static void
ask (Watch *watch)
{
  vp_agent_client_get_oom_event_async (watch->agent, NULL, on_event, watch);
}

void
vp_sandbox_watch_oom (VpSandbox *self)
{
  Watch *watch = g_new0 (Watch, 1);

  watch->sandbox = g_object_ref (self);
  watch->agent = g_object_ref (self->machine.agent);
  ask (watch);
}
