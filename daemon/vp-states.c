/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-states.h"

#include "vp-error.h"

#define S(state) (1u << VP_SANDBOX_##state)
#define C(state) (1u << VP_CONTAINER_##state)
#define P(state) (1u << VP_PROCESS_##state)

#define S_ENDED (S (STOPPED) | S (FAILED) | S (LOST))
#define S_ANY ((1u << VP_N_SANDBOX_STATES) - 1)
#define S_PLANNED (S (STARTING) | S (READY) | S (PAUSED) | S (STOPPING) | S_ENDED)
#define C_ANY ((1u << VP_N_CONTAINER_STATES) - 1)
#define C_IN_GUEST (C (CREATED) | C (RUNNING) | C (PAUSED))
#define P_ANY ((1u << VP_N_PROCESS_STATES) - 1)

/* What a verb needs of each of the three; 0 where it does not matter. */
typedef struct
{
  const char *words;
  const char *calls; /* of the bus; NULL: the daemon's own doing */
  guint sandboxes;
  guint containers;
  guint processes; /* of an exec */
  guint firsts;    /* of a container's first process */
  const char *note;
} Row;

static const Row rows[VP_N_VERBS] = {
  [VP_VERB_SANDBOX_START] = { "start", "Start", S (CREATED) },
  [VP_VERB_SANDBOX_STOP] = { "stop", "Stop", S_ANY & ~S (CREATING),
                             .note = "starting: cancels the start; stopping: waits (with `force` it ends the grace of "
                                     "the one under way); paused: the machine runs on to be asked; ended: success" },
  [VP_VERB_SANDBOX_DELETE] = { "delete", "Delete", S (CREATED) | S_ENDED,
                               .note = "with `force` any: it stops first, without asking the guest" },
  [VP_VERB_SANDBOX_WAIT] = { "wait for", "Wait", S_ANY, .note = "answers in stopped, failed, lost" },
  [VP_VERB_SANDBOX_PAUSE] = { "pause", "Pause", S (READY) },
  [VP_VERB_SANDBOX_RESUME] = { "resume", "Resume", S (PAUSED) },
  [VP_VERB_SANDBOX_UPDATE] = { "update", "Update", S (READY) },
  [VP_VERB_SANDBOX_ADD_CONTAINER] = { "create a container in", "CreateContainer", S (CREATED) | S (READY) },
  [VP_VERB_SANDBOX_PING] = { "ping", "Ping", S (READY) },
  [VP_VERB_SANDBOX_DETAILS] = { "ask the guest of", "GetGuestDetails", S (READY) },
  [VP_VERB_SANDBOX_STATS] = { "get statistics of", "GetStats", S (READY) },
  [VP_VERB_SANDBOX_METRICS] = { "get metrics of", "GetMetrics", S (READY) },
  [VP_VERB_SANDBOX_CONSOLE] = { "open the console of", "OpenConsole", S_PLANNED },
  [VP_VERB_SANDBOX_DEVICES] = { "list the devices of", "ListDevices", S_PLANNED },
  [VP_VERB_SANDBOX_SET_NETWORK] = { "set the network of", "UpdateInterface, UpdateRoutes, SetIPTables", S (READY) },
  [VP_VERB_SANDBOX_LIST_NETWORK] = { "list the network of", "ListInterfaces, ListRoutes, GetIPTables", S (READY) },
  [VP_VERB_SANDBOX_FORWARD] = { "forward a port of", "PortForward", S (READY),
                                .note = "with a container that is created, running or paused" },
  [VP_VERB_SANDBOX_ATTACH] = { "plug a device into", "AttachDevice", S (READY) },
  [VP_VERB_SANDBOX_DETACH] = { "plug a device out of", "DetachDevice", S (READY) },
  [VP_VERB_SANDBOX_RESCAN] = { "look for interfaces of", "RescanNetwork", S (READY) },
  [VP_VERB_SANDBOX_LIVE_XML]
  = { "read the live XML of", "GetDomainXML (live)", S (STARTING) | S (READY) | S (PAUSED) },

  [VP_VERB_CONTAINER_PREPARE] = { "prepare", NULL, S (STARTING) | S (READY), C (CREATING) },
  [VP_VERB_CONTAINER_START] = { "start", "Start", S (READY), C (CREATED) },
  [VP_VERB_CONTAINER_KILL] = { "kill", "Kill", S (READY) | S (STOPPING), C_IN_GUEST },
  [VP_VERB_CONTAINER_WAIT] = { "wait for", "Wait", 0, C_ANY, .note = "answers in stopped" },
  [VP_VERB_CONTAINER_DELETE]
  = { "delete", "Delete", 0, C (CREATING) | C (CREATED) | C (STOPPED),
      .note = "with `force` any; not while it is being created or deleted; unless it is the last one, not while its sandbox "
              "is starting, and not the sandbox's own before that runs" },
  [VP_VERB_CONTAINER_PAUSE] = { "pause", "Pause", S (READY), C (RUNNING) },
  [VP_VERB_CONTAINER_RESUME] = { "resume", "Resume", S (READY), C (PAUSED) },
  [VP_VERB_CONTAINER_UPDATE] = { "update", "Update", S (READY), C (CREATED) | C (RUNNING) },
  [VP_VERB_CONTAINER_EXEC]
  = { "exec in", "Exec, ExecProcessSpec", S (READY), C (CREATED) | C (RUNNING) },
  [VP_VERB_CONTAINER_ATTACH] = { "attach to", "Attach", 0, C_IN_GUEST | C (STOPPED),
                                 .note = "stopped: for what is still buffered" },
  [VP_VERB_CONTAINER_STATS] = { "get statistics of", "GetStats", S (READY), C_IN_GUEST },
  [VP_VERB_CONTAINER_PIDS] = { "list the processes of", "ListPids", S (READY), C_IN_GUEST },
  [VP_VERB_CONTAINER_COPY] = { "copy files of", "CopyIn, CopyOut", S (READY), C_IN_GUEST },

  [VP_VERB_PROCESS_START] = { "start", "Start", S (READY), C (CREATED) | C (RUNNING), P (CREATED), 0 },
  [VP_VERB_PROCESS_KILL]
  = { "kill", "Kill", S (READY) | S (STOPPING), C_IN_GUEST, P (RUNNING), P (CREATED) | P (RUNNING) },
  [VP_VERB_PROCESS_WAIT] = { "wait for", "Wait", 0, 0, P_ANY, P_ANY, .note = "answers in stopped" },
  [VP_VERB_PROCESS_DELETE] = { "delete", "Delete", 0, 0, P (CREATED) | P (STOPPED), 0 },
  [VP_VERB_PROCESS_RESIZE] = { "resize the terminal of", "ResizeTty", S (READY), C (CREATED) | C (RUNNING),
                               P (RUNNING), P (CREATED) | P (RUNNING) },
  [VP_VERB_PROCESS_CLOSE_STDIN]
  = { "close stdin of", "CloseStdin", 0, 0, P (RUNNING), P (CREATED) | P (RUNNING) },
};

static const guint sandbox_changes[VP_N_SANDBOX_STATES] = {
  [VP_SANDBOX_CREATING] = S (CREATED),
  [VP_SANDBOX_CREATED] = S (STARTING) | S (STOPPED),
  [VP_SANDBOX_STARTING] = S (READY) | S (FAILED),
  [VP_SANDBOX_READY] = S (PAUSED) | S (STOPPING),
  [VP_SANDBOX_PAUSED] = S (READY) | S (STOPPING),
  [VP_SANDBOX_STOPPING] = S (STOPPED) | S (LOST),
};

static const guint container_changes[VP_N_CONTAINER_STATES] = {
  [VP_CONTAINER_CREATING] = C (CREATED) | C (STOPPED),
  [VP_CONTAINER_CREATED] = C (RUNNING) | C (STOPPED),
  [VP_CONTAINER_RUNNING] = C (PAUSED) | C (STOPPED),
  [VP_CONTAINER_PAUSED] = C (RUNNING) | C (STOPPED),
};

static const guint process_changes[VP_N_PROCESS_STATES] = {
  [VP_PROCESS_CREATED] = P (RUNNING) | P (STOPPED),
  [VP_PROCESS_RUNNING] = P (STOPPED),
};

static const char *const sandbox_names[VP_N_SANDBOX_STATES]
    = { "creating", "created", "starting", "ready", "paused", "stopping", "stopped", "failed", "lost" };
static const char *const container_names[VP_N_CONTAINER_STATES]
    = { "creating", "created", "running", "paused", "stopped" };
static const char *const process_names[VP_N_PROCESS_STATES] = { "created", "running", "stopped" };

static const struct {
  const char *const *names;
  const guint *changes;
  guint n_states;
  VpVerb first, last;
} nouns[VP_N_NOUNS] = {
  [VP_NOUN_SANDBOX]
  = { sandbox_names, sandbox_changes, VP_N_SANDBOX_STATES, VP_VERB_SANDBOX_START, VP_VERB_SANDBOX_LIVE_XML },
  [VP_NOUN_CONTAINER]
  = { container_names, container_changes, VP_N_CONTAINER_STATES, VP_VERB_CONTAINER_PREPARE, VP_VERB_CONTAINER_COPY },
  [VP_NOUN_PROCESS]
  = { process_names, process_changes, VP_N_PROCESS_STATES, VP_VERB_PROCESS_START, VP_VERB_PROCESS_CLOSE_STDIN },
};

const char *
vp_sandbox_state_to_string (VpSandboxState state)
{
  return sandbox_names[state];
}

const char *
vp_container_state_to_string (VpContainerState state)
{
  return container_names[state];
}

const char *
vp_process_state_to_string (VpProcessState state)
{
  return process_names[state];
}

const char *
vp_verb_to_string (VpVerb verb)
{
  return rows[verb].words;
}

VpPlace *
vp_place_new (void)
{
  return g_rc_box_new0 (VpPlace);
}

VpPlace *
vp_place_ref (VpPlace *place)
{
  return g_rc_box_acquire (place);
}

void
vp_place_unref (VpPlace *place)
{
  g_rc_box_release (place);
}

/* ---- may it? ---- */

static gboolean
refuse (VpVerb verb, const char *noun, const char *id, const char *who, const char *state, GError **error)
{
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s %s \"%s\": %s is %s", rows[verb].words, noun, id, who,
               state);
  return FALSE;
}

gboolean
vp_states_check_sandbox (VpVerb verb, const char *id, VpSandboxState state, GError **error)
{
  return (rows[verb].sandboxes & (1u << state)) != 0
         || refuse (verb, "sandbox", id, "it", sandbox_names[state], error);
}

gboolean
vp_states_check_container (VpVerb verb, const char *id, const VpPlace *place, GError **error)
{
  const Row *row = &rows[verb];

  if ((row->containers & (1u << place->container)) == 0)
    return refuse (verb, "container", id, "it", container_names[place->container], error);
  if (row->sandboxes != 0 && (row->sandboxes & (1u << place->sandbox)) == 0)
    return refuse (verb, "container", id, "its sandbox", sandbox_names[place->sandbox], error);
  return TRUE;
}

gboolean
vp_states_check_process (VpVerb verb, const char *id, gboolean first, VpProcessState state, const VpPlace *place,
                         GError **error)
{
  const Row *row = &rows[verb];
  const char *noun = first ? "first process of container" : "process";
  guint allowed = first ? row->firsts : row->processes;

  if (allowed == 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s %s \"%s\": that is the container's to %s", row->words,
                   noun, id, row->words);
      return FALSE;
    }
  if ((allowed & (1u << state)) == 0)
    return refuse (verb, noun, id, "it", process_names[state], error);
  if (row->containers != 0 && (row->containers & (1u << place->container)) == 0)
    return refuse (verb, noun, id, first ? "it" : "its container", container_names[place->container], error);
  if (row->sandboxes != 0 && (row->sandboxes & (1u << place->sandbox)) == 0)
    return refuse (verb, noun, id, "its sandbox", sandbox_names[place->sandbox], error);
  return TRUE;
}

gboolean
vp_states_may_change (VpNoun noun, guint from, guint to)
{
  return (nouns[noun].changes[from] & (1u << to)) != 0;
}

gboolean
vp_sandbox_state_is_end (VpSandboxState state)
{
  return (S_ENDED & (1u << state)) != 0;
}

/* ---- the same for people ---- */

static void
append_set (GString *text, VpNoun noun, guint set)
{
  const char *separator = "";

  if (set == 0 || set == (1u << nouns[noun].n_states) - 1)
    {
      g_string_append (text, "any");
      return;
    }
  for (guint i = 0; i < nouns[noun].n_states; i++)
    if ((set & (1u << i)) != 0)
      {
        g_string_append_printf (text, "%s%s", separator, nouns[noun].names[i]);
        separator = ", ";
      }
}

static void
append_row (GString *text, VpNoun noun, const Row *row)
{
  g_string_append_printf (text, "| %s | ", row->calls);
  if (noun == VP_NOUN_PROCESS)
    {
      append_set (text, VP_NOUN_PROCESS, row->processes);
      g_string_append (text, " | ");
      if (row->firsts == 0)
        g_string_append (text, "never");
      else
        append_set (text, VP_NOUN_PROCESS, row->firsts);
      g_string_append (text, " | ");
    }
  if (noun != VP_NOUN_SANDBOX)
    {
      append_set (text, VP_NOUN_CONTAINER, row->containers);
      g_string_append (text, " | ");
    }
  append_set (text, VP_NOUN_SANDBOX, row->sandboxes);
  g_string_append_printf (text, " | %s |\n", row->note != NULL ? row->note : "");
}

char *
vp_states_to_markdown (VpNoun noun)
{
  static const char *const heads[VP_N_NOUNS] = {
    [VP_NOUN_SANDBOX] = "| Call | Sandbox is | |\n|---|---|---|\n",
    [VP_NOUN_CONTAINER] = "| Call | Container is | Its sandbox is | |\n|---|---|---|---|\n",
    [VP_NOUN_PROCESS] = "| Call | An exec is | A first process is | Its container is | Its sandbox is | |\n"
                        "|---|---|---|---|---|---|\n",
  };
  GString *text = g_string_new ("| From | To |\n|---|---|\n");

  for (guint i = 0; i < nouns[noun].n_states; i++)
    if (nouns[noun].changes[i] != 0)
      {
        g_string_append_printf (text, "| %s | ", nouns[noun].names[i]);
        append_set (text, noun, nouns[noun].changes[i]);
        g_string_append (text, " |\n");
      }
  g_string_append_printf (text, "\n%s", heads[noun]);
  for (int i = (int) nouns[noun].first; i <= (int) nouns[noun].last; i++)
    if (rows[i].calls != NULL)
      append_row (text, noun, &rows[i]);
  return g_string_free (text, FALSE);
}
