/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-command.h"

#include <glib/gi18n.h>

#include "vp-error.h"
#include "vp-report.h"

/* What engines look for in the text of an error to tell why; ours is worded differently. */
static const char *
well_known_words (const VpCommand *self, const GError *error)
{
  if (vp_error_is (error, VP_ERROR_INVALID_STATE) && self->needs_running)
    return "container not running: ";
  if (vp_error_is (error, VP_ERROR_COMMAND_NOT_FOUND) && vp_report_has_log ())
    return "executable file not found: ";
  if (vp_error_is (error, VP_ERROR_COMMAND_NOT_EXECUTABLE) && vp_report_has_log ())
    return "permission denied: ";
  return "";
}

int
vp_command_fail (const VpCommand *self, const char *id, const GError *error)
{
  g_autofree char *text = vp_client_error_text (error);
  g_autofree char *message = NULL;

  if (id != NULL)
    message = g_strdup_printf ("%s %s: %s%s", self->name, id, well_known_words (self, error), text);
  else
    message = g_strdup_printf ("%s: %s", self->name, text);
  vp_report_error (message);

  /* the two that tell about the command only mean something where there is one */
  if (self->failure == VP_EXIT_OWN && vp_error_is (error, VP_ERROR_COMMAND_NOT_FOUND))
    return VP_EXIT_NOT_FOUND;
  if (self->failure == VP_EXIT_OWN && vp_error_is (error, VP_ERROR_COMMAND_NOT_EXECUTABLE))
    return VP_EXIT_NOT_EXECUTABLE;
  return self->failure;
}

int
vp_command_usage (const VpCommand *self, const char *message)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", self->name, message);

  vp_report_error (text);
  g_printerr (_("Try \"virtpod %s --help\".\n"), self->name);
  return self->failure;
}

GVariant *
vp_command_force_options (gboolean force)
{
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  if (force)
    g_variant_builder_add (&options, "{sv}", "force", g_variant_new_boolean (TRUE));
  return g_variant_builder_end (&options);
}
