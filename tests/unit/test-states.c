/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-states.h"

#include <string.h>

#include "vp-error.h"

/* The table once more, written another way: for each verb the states in which it
 * is allowed, by name. What is not listed must be refused with both names. */

typedef struct
{
  VpVerb verb;
  const char *sandbox;   /* NULL: does not matter */
  const char *container; /* of a sandbox's verb: NULL */
  const char *process;
  const char *first;
} Expected;

#define EVERY "creating created starting ready paused stopping stopped failed lost"
#define PLANNED "starting ready paused stopping stopped failed lost"

static const Expected expected[] = {
  { VP_VERB_SANDBOX_START, "created" },
  { VP_VERB_SANDBOX_STOP, "created starting ready paused stopping stopped failed lost" },
  { VP_VERB_SANDBOX_DELETE, "created stopped failed lost" },
  { VP_VERB_SANDBOX_WAIT, EVERY },
  { VP_VERB_SANDBOX_PAUSE, "ready" },
  { VP_VERB_SANDBOX_RESUME, "paused" },
  { VP_VERB_SANDBOX_UPDATE, "ready" },
  { VP_VERB_SANDBOX_ADD_CONTAINER, "created ready" },
  { VP_VERB_SANDBOX_PING, "ready" },
  { VP_VERB_SANDBOX_DETAILS, "ready" },
  { VP_VERB_SANDBOX_STATS, "ready" },
  { VP_VERB_SANDBOX_METRICS, "ready" },
  { VP_VERB_SANDBOX_CONSOLE, PLANNED },
  { VP_VERB_SANDBOX_DEVICES, PLANNED },
  { VP_VERB_SANDBOX_SET_NETWORK, "ready" },
  { VP_VERB_SANDBOX_LIST_NETWORK, "ready" },
  { VP_VERB_SANDBOX_FORWARD, "ready" },
  { VP_VERB_SANDBOX_ATTACH, "ready" },
  { VP_VERB_SANDBOX_DETACH, "ready" },
  { VP_VERB_SANDBOX_RESCAN, "ready" },
  { VP_VERB_SANDBOX_LIVE_XML, "starting ready paused" },
  { VP_VERB_CONTAINER_PREPARE, "starting ready", "creating" },
  { VP_VERB_CONTAINER_START, "ready", "created" },
  { VP_VERB_CONTAINER_KILL, "ready stopping", "created running paused" },
  { VP_VERB_CONTAINER_WAIT, NULL, "creating created running paused stopped" },
  { VP_VERB_CONTAINER_DELETE, NULL, "creating created stopped" },
  { VP_VERB_CONTAINER_PAUSE, "ready", "running" },
  { VP_VERB_CONTAINER_RESUME, "ready", "paused" },
  { VP_VERB_CONTAINER_UPDATE, "ready", "created running" },
  { VP_VERB_CONTAINER_EXEC, "ready", "created running" },
  { VP_VERB_CONTAINER_ATTACH, NULL, "created running paused stopped" },
  { VP_VERB_CONTAINER_STATS, "ready", "created running paused" },
  { VP_VERB_CONTAINER_PIDS, "ready", "created running paused" },
  { VP_VERB_CONTAINER_COPY, "ready", "created running paused" },
  { VP_VERB_PROCESS_START, "ready", "created running", "created", "" },
  { VP_VERB_PROCESS_KILL, "ready stopping", "created running paused", "running", "created running" },
  { VP_VERB_PROCESS_WAIT, NULL, NULL, "created running stopped", "created running stopped" },
  { VP_VERB_PROCESS_DELETE, NULL, NULL, "created stopped", "" },
  { VP_VERB_PROCESS_RESIZE, "ready", "created running", "running", "created running" },
  { VP_VERB_PROCESS_CLOSE_STDIN, NULL, NULL, "running", "created running" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (expected) == VP_N_VERBS);

static gboolean
listed (const char *list, const char *name)
{
  g_auto (GStrv) names = list == NULL ? NULL : g_strsplit (list, " ", -1);

  return list == NULL || g_strv_contains ((const char *const *) names, name);
}

/* @culprit: the state that is in the way. */
static void
assert_answer (const Expected *row, gboolean ok, gboolean wanted, const char *culprit, GError *error)
{
  g_autoptr (GError) owned = error;

  g_assert_cmpint (ok, ==, wanted);
  if (wanted)
    {
      g_assert_no_error (error);
      return;
    }
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_STATE);
  g_assert_true (g_str_has_prefix (error->message, vp_verb_to_string (row->verb)));
  g_assert_nonnull (strstr (error->message, "\"some-id\""));
  if (culprit != NULL)
    g_assert_true (g_str_has_suffix (error->message, culprit));
}

static void
test_sandbox (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (expected) && expected[i].container == NULL && expected[i].process == NULL; i++)
    for (guint s = 0; s < VP_N_SANDBOX_STATES; s++)
      {
        const char *name = vp_sandbox_state_to_string ((VpSandboxState) s);
        GError *error = NULL;
        gboolean ok = vp_states_check_sandbox (expected[i].verb, "some-id", (VpSandboxState) s, &error);

        assert_answer (&expected[i], ok, listed (expected[i].sandbox, name), name, error);
      }
}

static void
test_container (void)
{
  g_autoptr (VpPlace) place = vp_place_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    for (guint c = 0; expected[i].container != NULL && expected[i].process == NULL && c < VP_N_CONTAINER_STATES; c++)
      for (guint s = 0; s < VP_N_SANDBOX_STATES; s++)
        {
          const char *container = vp_container_state_to_string ((VpContainerState) c);
          const char *sandbox = vp_sandbox_state_to_string ((VpSandboxState) s);
          gboolean own = listed (expected[i].container, container);
          GError *error = NULL;
          gboolean ok;

          *place = (VpPlace) { (VpSandboxState) s, (VpContainerState) c };
          ok = vp_states_check_container (expected[i].verb, "some-id", place, &error);
          assert_answer (&expected[i], ok, own && listed (expected[i].sandbox, sandbox), own ? sandbox : container,
                         error);
        }
}

static void
check_process (const Expected *row, gboolean first, VpPlace *place, VpProcessState state)
{
  const char *process = vp_process_state_to_string (state);
  const char *container = vp_container_state_to_string (place->container);
  const char *sandbox = vp_sandbox_state_to_string (place->sandbox);
  const char *list = first ? row->first : row->process;
  const char *culprit = NULL;
  GError *error = NULL;
  gboolean ok = vp_states_check_process (row->verb, "some-id", first, state, place, &error);

  if (*list == '\0')
    culprit = vp_verb_to_string (row->verb);
  else if (!listed (list, process))
    culprit = process;
  else if (!listed (row->container, container))
    culprit = container;
  else if (!listed (row->sandbox, sandbox))
    culprit = sandbox;
  assert_answer (row, ok, culprit == NULL, culprit, error);
}

static void
test_process (void)
{
  g_autoptr (VpPlace) place = vp_place_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    for (guint p = 0; expected[i].process != NULL && p < VP_N_PROCESS_STATES; p++)
      for (guint c = 0; c < VP_N_CONTAINER_STATES; c++)
        for (guint s = 0; s < VP_N_SANDBOX_STATES; s++)
          {
            *place = (VpPlace) { (VpSandboxState) s, (VpContainerState) c };
            check_process (&expected[i], TRUE, place, (VpProcessState) p);
            check_process (&expected[i], FALSE, place, (VpProcessState) p);
          }
}

static void
test_changes (void)
{
  static const char *const allowed[] = {
    "creating>created", "created>starting", "created>stopped", "starting>ready", "starting>failed", "ready>paused",
    "ready>stopping",   "paused>ready",     "paused>stopping", "stopping>stopped", "stopping>lost", NULL,
  };
  static const char *const of_container[] = {
    "creating>created", "creating>stopped", "created>running", "created>stopped", "running>paused",
    "running>stopped",  "paused>running",   "paused>stopped",  NULL,
  };
  static const char *const of_process[] = { "created>running", "created>stopped", "running>stopped", NULL };

#define CHECK(noun, type, n, list, to_string)                                                                        \
  for (guint from = 0; from < n; from++)                                                                              \
    for (guint to = 0; to < n; to++)                                                                                  \
      {                                                                                                               \
        g_autofree char *change = g_strdup_printf ("%s>%s", to_string ((type) from), to_string ((type) to));          \
        g_assert_cmpint (vp_states_may_change (noun, from, to), ==, g_strv_contains (list, change));                  \
      }
  CHECK (VP_NOUN_SANDBOX, VpSandboxState, VP_N_SANDBOX_STATES, allowed, vp_sandbox_state_to_string)
  CHECK (VP_NOUN_CONTAINER, VpContainerState, VP_N_CONTAINER_STATES, of_container, vp_container_state_to_string)
  CHECK (VP_NOUN_PROCESS, VpProcessState, VP_N_PROCESS_STATES, of_process, vp_process_state_to_string)
}

/* Every call of the bus is in the page, and the page says nothing of the daemon's own doings. */
static void
test_markdown (void)
{
  g_autofree char *sandbox = vp_states_to_markdown (VP_NOUN_SANDBOX);
  g_autofree char *container = vp_states_to_markdown (VP_NOUN_CONTAINER);
  g_autofree char *process = vp_states_to_markdown (VP_NOUN_PROCESS);

  g_assert_nonnull (strstr (sandbox, "| Pause | ready |  |\n"));
  g_assert_nonnull (strstr (sandbox, "| ready | paused, stopping |\n"));
  g_assert_nonnull (strstr (container, "| Kill | created, running, paused | ready, stopping |  |\n"));
  g_assert_null (strstr (container, "prepare"));
  g_assert_nonnull (strstr (process, "| Delete | created, stopped | never | any | any |  |\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/states/sandbox", test_sandbox);
  g_test_add_func ("/states/container", test_container);
  g_test_add_func ("/states/process", test_process);
  g_test_add_func ("/states/changes", test_changes);
  g_test_add_func ("/states/markdown", test_markdown);
  return g_test_run ();
}
