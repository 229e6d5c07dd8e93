/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-error.h"

#include <errno.h>

#include "vp-names.h"

#define SHOWN_MAX 80 /* characters of a text from outside */
#define MESSAGE_MAX 4000

static const GDBusErrorEntry vp_error_entries[] = {
  { VP_ERROR_FAILED, VP_ERROR_PREFIX "Failed" },
  { VP_ERROR_NOT_FOUND, VP_ERROR_PREFIX "NotFound" },
  { VP_ERROR_ALREADY_EXISTS, VP_ERROR_PREFIX "AlreadyExists" },
  { VP_ERROR_INVALID_ARGUMENT, VP_ERROR_PREFIX "InvalidArgument" },
  { VP_ERROR_INVALID_STATE, VP_ERROR_PREFIX "InvalidState" },
  { VP_ERROR_NOT_SUPPORTED, VP_ERROR_PREFIX "NotSupported" },
  { VP_ERROR_NOT_AUTHORIZED, VP_ERROR_PREFIX "NotAuthorized" },
  { VP_ERROR_BUSY, VP_ERROR_PREFIX "Busy" },
  { VP_ERROR_CANCELLED, VP_ERROR_PREFIX "Cancelled" },
  { VP_ERROR_TIMED_OUT, VP_ERROR_PREFIX "TimedOut" },
  { VP_ERROR_RESOURCE_EXHAUSTED, VP_ERROR_PREFIX "ResourceExhausted" },
  { VP_ERROR_HYPERVISOR_UNAVAILABLE, VP_ERROR_PREFIX "HypervisorUnavailable" },
  { VP_ERROR_HYPERVISOR_FAILED, VP_ERROR_PREFIX "HypervisorFailed" },
  { VP_ERROR_AGENT_UNAVAILABLE, VP_ERROR_PREFIX "AgentUnavailable" },
  { VP_ERROR_AGENT_FAILED, VP_ERROR_PREFIX "AgentFailed" },
  { VP_ERROR_CONFIG_ERROR, VP_ERROR_PREFIX "ConfigError" },
  { VP_ERROR_COMMAND_NOT_FOUND, VP_ERROR_PREFIX "CommandNotFound" },
  { VP_ERROR_COMMAND_NOT_EXECUTABLE, VP_ERROR_PREFIX "CommandNotExecutable" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (vp_error_entries) == VP_N_ERRORS);

GQuark
vp_error_quark (void)
{
  static gsize quark;

  g_dbus_error_register_error_domain ("vp-error-quark", &quark, vp_error_entries,
                                      G_N_ELEMENTS (vp_error_entries));
  return (GQuark) quark;
}

const char *
vp_error_dbus_name (VpError code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (vp_error_entries); i++)
    if (vp_error_entries[i].error_code == (int) code)
      return vp_error_entries[i].dbus_error_name;
  return vp_error_entries[0].dbus_error_name;
}

gboolean
vp_error_is (const GError *error, VpError code)
{
  return error != NULL && g_error_matches (error, VP_ERROR, (int) code);
}

static VpError
code_from_io (int io_code, VpError fallback)
{
  switch (io_code)
    {
    case G_IO_ERROR_NOT_FOUND:
      return VP_ERROR_NOT_FOUND;
    case G_IO_ERROR_EXISTS:
      return VP_ERROR_ALREADY_EXISTS;
    case G_IO_ERROR_PERMISSION_DENIED:
      return VP_ERROR_NOT_AUTHORIZED;
    case G_IO_ERROR_CANCELLED:
      return VP_ERROR_CANCELLED;
    case G_IO_ERROR_TIMED_OUT:
      return VP_ERROR_TIMED_OUT;
    case G_IO_ERROR_NO_SPACE:
    case G_IO_ERROR_TOO_MANY_OPEN_FILES:
      return VP_ERROR_RESOURCE_EXHAUSTED;
    case G_IO_ERROR_INVALID_ARGUMENT:
      return VP_ERROR_INVALID_ARGUMENT;
    default:
      return fallback;
    }
}

static VpError
code_from_errno (int errsv)
{
  switch (errsv)
    {
    case ENOENT:
    case ESRCH:
      return VP_ERROR_NOT_FOUND;
    case EEXIST:
      return VP_ERROR_ALREADY_EXISTS;
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EDQUOT:
      return VP_ERROR_RESOURCE_EXHAUSTED;
    case EACCES:
    case EPERM:
      return VP_ERROR_NOT_AUTHORIZED;
    case EBUSY:
      return VP_ERROR_BUSY;
    case ETIMEDOUT:
      return VP_ERROR_TIMED_OUT;
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOTDIR:
      return VP_ERROR_INVALID_ARGUMENT;
    default:
      return VP_ERROR_FAILED;
    }
}

GError *
vp_error_adopt (GError *error, VpError fallback)
{
  VpError code = fallback;

  if (error == NULL || error->domain == VP_ERROR)
    return error;
  if (error->domain == G_IO_ERROR)
    code = code_from_io (error->code, fallback);
  else if (error->domain == G_FILE_ERROR && error->code == G_FILE_ERROR_NOENT)
    code = VP_ERROR_NOT_FOUND;
  else if (error->domain == G_FILE_ERROR && error->code == G_FILE_ERROR_ACCES)
    code = VP_ERROR_NOT_AUTHORIZED;

  error->domain = VP_ERROR;
  error->code = (int) code;
  return error;
}

gboolean
vp_error_set (GError **error, VpError code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (VP_ERROR, (int) code, format, args));
  va_end (args);
  return FALSE;
}

gboolean
vp_error_set_errno (GError **error, int errsv, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);

  g_set_error (error, VP_ERROR, (int) code_from_errno (errsv), "%s: %s", what, g_strerror (errsv));
  return FALSE;
}

static char *
show (const char *text, guint max)
{
  GString *shown = g_string_new (NULL);
  guint n = 0;

  for (const char *p = text; *p != '\0';)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);

      if (n++ == max)
        {
          g_string_append (shown, "...");
          break;
        }
      if (c == (gunichar) -1 || c == (gunichar) -2)
        g_string_append_printf (shown, "\\x%02x", (guchar) *p++);
      else
        {
          /* also separators of lines, and what turns the direction of writing */
          if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e)
              || (c >= 0x2066 && c <= 0x2069))
            g_string_append_printf (shown, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
          else
            g_string_append_unichar (shown, c);
          p = g_utf8_next_char (p);
        }
    }
  return g_string_free (shown, FALSE);
}

char *
vp_error_shown (const char *text)
{
  return show (text, SHOWN_MAX);
}

char *
vp_error_clean (char *message)
{
  g_autofree char *old = message;

  return show (old, MESSAGE_MAX);
}
