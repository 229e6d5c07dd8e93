/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include <string.h>
#include <unistd.h>

#include "vp-dbus-args.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-spec-update.h"

/* org.virtpod.Container1: its processes and their streams */

static VpSandbox *
sandbox_of (VpDBusContainer1 *skeleton)
{
  return g_object_get_data (G_OBJECT (skeleton), "sandbox");
}

/* ---- exec ---- */

static void
on_exec (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpContainer *container = VP_CONTAINER (source);
  VpSandbox *sandbox = g_object_get_data (G_OBJECT (user_data), "sandbox");
  GError *error = NULL;
  VpProcess *process = vp_container_exec_finish (container, result, &error);
  g_autofree char *path = NULL;

  if (process == NULL)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  path = vp_dbus_path_process (vp_sandbox_get_id (sandbox), vp_container_get_id (container),
                               vp_process_get_exec_id (process));
  g_dbus_method_invocation_return_value (user_data, g_variant_new ("(o)", path)); /* both methods give that */
}

static void
run (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, VpContainer *container, const char *exec_id,
     VpJson *process, GVariant *options, VpStreams *streams)
{
  gboolean start = TRUE;
  VpExecFlags flags = vp_dbus_args_get_flag (options, "detach") ? VP_EXEC_DETACH : VP_EXEC_NONE;

  (void) g_variant_lookup (options, "start", "b", &start);
  if (!start)
    flags |= VP_EXEC_HOLD;
  g_object_set_data_full (G_OBJECT (invocation), "sandbox", g_object_ref (sandbox_of (skeleton)), g_object_unref);
  vp_container_exec_async (container, exec_id, process, flags, streams, on_exec, invocation);
}

#define EXEC_OPTIONS { "start", "b" }, { "detach", "b" }, VP_DBUS_STREAM_OPTIONS

static gboolean
handle_exec (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, const char *exec_id,
             const char *const *args, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[]
      = { { "env", "as" }, { "cwd", "s" }, { "user", "s" }, { "terminal", "b" }, { "additional-gids", "au" },
          { "capabilities", "as" }, { "no-new-privileges", "b" }, EXEC_OPTIONS, { NULL } };
  g_autofree const char **env = NULL;
  g_autofree const char **capabilities = NULL;
  g_autoptr (GVariant) gids = NULL;
  VpSpecExec exec = { .args = args };
  g_autoptr (VpStreams) streams = NULL;
  g_autoptr (VpJson) process = NULL;
  GError *error = NULL;

  if (args[0] == NULL || *args[0] == '\0')
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "args: the program to run is missing");
  if (error == NULL && vp_dbus_args_check (options, table, &error))
    {
      (void) g_variant_lookup (options, "env", "^a&s", &env);
      (void) g_variant_lookup (options, "cwd", "&s", &exec.cwd);
      (void) g_variant_lookup (options, "user", "&s", &exec.user);
      (void) g_variant_lookup (options, "capabilities", "^a&s", &capabilities);
      gids = g_variant_lookup_value (options, "additional-gids", G_VARIANT_TYPE ("au"));
      if (gids != NULL)
        exec.additional_gids = g_variant_get_fixed_array (gids, &exec.n_additional_gids, sizeof (guint32));
      exec.env = env;
      exec.capabilities = capabilities;
      exec.no_new_privileges = vp_dbus_args_get_flag (options, "no-new-privileges");
      exec.terminal = vp_dbus_args_get_flag (options, "terminal");
      process = vp_spec_make_exec (vp_container_get_spec (user_data), &exec, &error);
    }
  if (process == NULL || (streams = vp_dbus_args_dup_streams (options, fds, &error)) == NULL)
    vp_dbus_fail (invocation, error);
  else
    run (skeleton, invocation, user_data, exec_id, process, options, g_steal_pointer (&streams));
  return TRUE;
}

static gboolean
handle_exec_process_spec (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
                          const char *exec_id, const char *json, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { EXEC_OPTIONS, { NULL } };
  g_autoptr (VpStreams) streams = NULL;
  g_autoptr (VpJson) process = NULL;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error)
      || (process = vp_spec_parse_exec (json, strlen (json), &error)) == NULL
      || (streams = vp_dbus_args_dup_streams (options, fds, &error)) == NULL)
    vp_dbus_fail (invocation, error);
  else
    run (skeleton, invocation, user_data, exec_id, process, options, g_steal_pointer (&streams));
  return TRUE;
}

static gboolean
handle_get_process (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, const char *exec_id,
                    gpointer user_data)
{
  g_autofree char *path = NULL;
  VpProcess *process;
  GError *error = NULL;

  if ((*exec_id != '\0' && !vp_id_check (exec_id, "exec id", &error)))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  process = vp_container_find_process (user_data, exec_id);
  if (process == NULL)
    {
      vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_NOT_FOUND,
                                             "exec id \"%s\": container \"%s\" has no such process", exec_id,
                                             vp_container_get_id (user_data)));
      return TRUE;
    }
  path = vp_dbus_path_process (vp_sandbox_get_id (sandbox_of (skeleton)), vp_container_get_id (user_data), exec_id);
  vp_dbus_container1_complete_get_process (skeleton, invocation, path);
  return TRUE;
}

/* ---- attach ---- */

static guint
wanted_streams (GVariant *options)
{
  guint which = 0;

  for (int i = 0; i < VP_N_STREAMS; i++)
    if (vp_dbus_args_get_flag (options, vp_stream_name (i)))
      which |= 1u << i;
  return which;
}

static gboolean
handle_attach (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in_fds, GVariant *options,
               gpointer user_data)
{
  static const VpDbusOption table[] = { { "stdin", "b" }, { "stdout", "b" }, { "stderr", "b" }, { NULL } };
  VpProcess *init = vp_container_get_init (user_data);
  VpStdio *stdio = vp_process_get_stdio (init);
  g_autoptr (GUnixFDList) out_fds = g_unix_fd_list_new ();
  int ends[VP_STDIO_N_STREAMS] = { -1, -1, -1 };
  GVariantBuilder dict;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error) || !vp_container_check_verb (user_data, VP_VERB_CONTAINER_ATTACH, &error)
      || (stdio == NULL
              ? (g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "attach container \"%s\": it never ran",
                              vp_container_get_id (user_data)),
                 TRUE)
              : !vp_stdio_attach (stdio, wanted_streams (options), ends, &error)))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{sh}"));
  for (int i = 0; i < VP_STDIO_N_STREAMS; i++)
    {
      const char *name = vp_process_get_terminal (init) ? "terminal" : vp_stream_name (i);
      int index;

      if (ends[i] < 0)
        continue;
      index = g_unix_fd_list_append (out_fds, ends[i], NULL); /* duplicates it */
      (void) close (ends[i]);
      if (index >= 0)
        g_variant_builder_add (&dict, "{sh}", name, index);
    }
  vp_dbus_container1_complete_attach (skeleton, invocation, out_fds, g_variant_builder_end (&dict));
  return TRUE;
}

void
vp_dbus_container_add_exec (VpDBusContainer1 *skeleton, VpContainer *container)
{
  vp_dbus_handle (skeleton, "handle-exec", handle_exec, container);
  vp_dbus_handle (skeleton, "handle-exec-process-spec", handle_exec_process_spec, container);
  vp_dbus_handle (skeleton, "handle-get-process", handle_get_process, container);
  vp_dbus_handle (skeleton, "handle-attach", handle_attach, container);
}
