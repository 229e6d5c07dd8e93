/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-report.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-json-text.h"

static int log_fd = -1;
static gboolean log_json;

gboolean
vp_report_open (const char *log, const char *format, GError **error)
{
  if (format != NULL && !g_str_equal (format, "text") && !g_str_equal (format, "json"))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, _("--log-format: \"%s\" is neither text nor json"),
                   format);
      return FALSE;
    }
  log_json = g_strcmp0 (format, "json") == 0;
  if (log == NULL || *log == '\0')
    return TRUE;
  log_fd = open (log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  return log_fd >= 0 || vp_error_set_errno (error, errno, "--log: %s", log);
}

gboolean
vp_report_has_log (void)
{
  return log_fd >= 0;
}

/* Members in the order that engines print them; JSON's readers do not mind. */
static char *
make_line (const char *message)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *quoted = vp_json_line (g_variant_new_string (valid));

  return log_json ? g_strdup_printf ("{\"level\":\"error\",\"msg\":%s,\"time\":\"%s\"}\n", quoted, time)
                  : g_strdup_printf ("time=\"%s\" level=error msg=%s\n", time, quoted);
}

void
vp_report_error (const char *message)
{
  g_autofree char *line = NULL;

  g_printerr ("virtpod: %s\n", message);
  if (log_fd < 0)
    return;
  line = make_line (message);
  /* in one piece; nowhere is left to tell of a log that cannot be written */
  if (write (log_fd, line, strlen (line)) < 0)
    return;
}
