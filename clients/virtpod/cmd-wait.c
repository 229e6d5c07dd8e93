/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod wait: until containers or sandboxes have ended. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-output.h"
#include "vp-target.h"

static gboolean opt_sandbox;

static const GOptionEntry options[] = {
  { "sandbox", 's', 0, G_OPTION_ARG_NONE, &opt_sandbox, N_("Each ID is a sandbox: wait for its virtual machine"),
    NULL },
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn columns[] = {
  { N_("ID"), "id" },
  { N_("STATUS"), "exitStatus", VP_COLUMN_NUMBER },
  { N_("EXITED"), "exitedAt", VP_COLUMN_TIME },
};

/* All are asked at once, so that none is missed that is deleted when it has ended. */
typedef struct
{
  VpTarget target;
  GAsyncResult *result;
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *self = data;

  vp_target_clear (&self->target);
  g_clear_object (&self->result);
  g_free (self);
}

static gboolean
begin (Waiting *self, VpClient *client, const char *id, GError **error)
{
  if (!vp_target_find (&self->target, client, id,
                       opt_sandbox ? VP_TARGET_SANDBOX_ONLY : VP_TARGET_CONTAINER_FIRST, error))
    return FALSE;
  if (self->target.container != NULL)
    vp_dbus_container1_call_wait (self->target.container, NULL, vp_client_ready, &self->result);
  else
    vp_dbus_sandbox1_call_wait (self->target.sandbox, NULL, vp_client_ready, &self->result);
  return TRUE;
}

static gboolean
finish (Waiting *self, guint *ret_status, guint64 *ret_at, GError **error)
{
  GAsyncResult *result = vp_client_await (&self->result);

  if (self->target.container != NULL)
    return vp_dbus_container1_call_wait_finish (self->target.container, ret_status, ret_at, result, error);
  return vp_dbus_sandbox1_call_wait_finish (self->target.sandbox, ret_status, ret_at, result, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (waiting_free);
  g_autoptr (VpTable) table = vp_table_new (columns, G_N_ELEMENTS (columns));
  gboolean plain = vp_output.format == NULL && !vp_output.json;
  int result = 0;

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  for (int i = 0; i < n_args; i++)
    {
      g_autoptr (GError) error = NULL;
      Waiting *waiting = g_new0 (Waiting, 1);

      g_ptr_array_add (all, waiting);
      if (!begin (waiting, client, args[i], &error))
        return vp_command_fail (command, args[i], error);
    }
  for (int i = 0; i < n_args; i++)
    {
      g_autoptr (GError) error = NULL;
      guint status = 0;
      guint64 at = 0;

      if (!finish (g_ptr_array_index (all, i), &status, &at, &error))
        result = vp_command_fail (command, args[i], error);
      else if (plain)
        g_print ("%u\n", status);
      else
        vp_table_add (table, g_variant_new_string (args[i]), g_variant_new_uint32 (status),
                      g_variant_new_uint64 (at));
    }
  if (!plain)
    vp_table_print (table);
  return result;
}

const VpCommand vp_cmd_wait = {
  .name = "wait",
  .arguments = N_("ID..."),
  .summary = N_("Wait until containers have ended and print their exit statuses"),
  .min_args = 1,
  .max_args = -1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
