/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-names.h"

/* Small verbs that ask nobody: its size, its console. */

gboolean
vp_sandbox_update (VpSandbox *self, const VpSandboxSize *size, GError **error)
{
  const VpPlan *plan = self->machine.plan;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_UPDATE, error))
    return FALSE;
  if (size->vcpus_set && size->vcpus == 0)
    g_set_error_literal (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "vcpus: must be 1 or more");
  else if (size->memory_set && size->memory == 0)
    g_set_error_literal (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "memory-bytes: must be 1 or more");
  else if (size->vcpus_set && size->vcpus != plan->vcpus)
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                 "update sandbox \"%s\": vcpus: it has %u, and processors cannot be plugged yet", self->id, plan->vcpus);
  else if (size->memory_set && size->memory != plan->memory)
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                 "update sandbox \"%s\": memory-bytes: it has %" G_GUINT64_FORMAT ", and memory cannot be plugged yet",
                 self->id, plan->memory);
  else
    return TRUE;
  return FALSE;
}

int
vp_sandbox_open_console (VpSandbox *self, gboolean follow, guint64 tail_bytes, GError **error)
{
  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_CONSOLE, error))
    return -1;
  if (self->machine.console == NULL)
    {
      /* it is not read now; what an earlier start left may still be there */
      g_autofree char *directory = vp_store_dup_directory (self->services->store, self->domain_name);
      g_autoptr (VpConsole) old = vp_console_new ("", directory, VP_FILE_CONSOLE_LOG, 0);

      return vp_console_open (old, FALSE, tail_bytes, error);
    }
  return vp_console_open (self->machine.console, follow, tail_bytes, error);
}
