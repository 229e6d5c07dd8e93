/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-error.h"

#include <string.h>

#include "vp-error.h"
#include "vp-ttrpc.h"

/* what follows a text that was cut */
#define CUT "..."

/* Appends one character of the guest's; anything that could move a cursor,
 * hide text or end a line is spelled out. */
static void
append_safe (GString *out, gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
      if (c == '\n')
        g_string_append (out, "\\n");
      else if (c == '\t')
        g_string_append (out, "\\t");
      else
        g_string_append_printf (out, "\\x%02x", c);
      return;
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_UNASSIGNED:
      g_string_append_printf (out, "\\u{%x}", c);
      return;
    default:
      g_string_append_unichar (out, c);
    }
}

char *
vp_agent_text_sanitise (const char *text, gsize len, gsize max)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = text;
  const char *end = text != NULL ? text + len : NULL;
  gsize fits = 0; /* so much can stay when the mark must follow */

  while (p < end)
    {
      gunichar c = g_utf8_get_char_validated (p, end - p);

      if (out->len + strlen (CUT) <= max)
        fits = out->len;
      if (c == 0 || (c & 0x80000000u) != 0)
        {
          /* not UTF-8 (or NUL): this byte by its number */
          g_string_append_printf (out, "\\x%02x", (guint8) *p);
          p++;
        }
      else
        {
          append_safe (out, c);
          p = g_utf8_next_char (p);
        }
      if (out->len > max)
        {
          g_string_truncate (out, fits);
          g_string_append (out, CUT);
          break;
        }
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static VpError
error_from_status (int code)
{
  static const struct
  {
    int grpc;
    VpError error;
  } table[] = {
    { VP_GRPC_CANCELLED, VP_ERROR_CANCELLED },
    { VP_GRPC_INVALID_ARGUMENT, VP_ERROR_INVALID_ARGUMENT },
    { VP_GRPC_DEADLINE_EXCEEDED, VP_ERROR_TIMED_OUT },
    { VP_GRPC_NOT_FOUND, VP_ERROR_NOT_FOUND },
    { VP_GRPC_ALREADY_EXISTS, VP_ERROR_ALREADY_EXISTS },
    { VP_GRPC_RESOURCE_EXHAUSTED, VP_ERROR_RESOURCE_EXHAUSTED },
    { VP_GRPC_FAILED_PRECONDITION, VP_ERROR_INVALID_STATE },
    { VP_GRPC_UNIMPLEMENTED, VP_ERROR_NOT_SUPPORTED },
    { VP_GRPC_UNAVAILABLE, VP_ERROR_AGENT_UNAVAILABLE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].grpc == code)
      return table[i].error;
  return VP_ERROR_AGENT_FAILED;
}

/* Whether the (lower-case) text speaks of executing something: "executable
 * file", "exec: ", "execve", "exec /bin/x", but not of the mount option noexec. */
static gboolean
speaks_of_exec (const char *text)
{
  for (const char *p = strstr (text, "exec"); p != NULL; p = strstr (p + 1, "exec"))
    if (p == text || !g_ascii_isalnum (p[-1]))
      {
        const char *after = p + strlen ("exec");

        if (*after == ' ' || *after == ':' || *after == 'v' || g_str_has_prefix (after, "utable")
            || g_str_has_prefix (after, "ute "))
          return TRUE;
      }
  return FALSE;
}

static gboolean
contains_any (const char *text, const char *const *words)
{
  for (; *words != NULL; words++)
    if (strstr (text, *words) != NULL)
      return TRUE;
  return FALSE;
}

/* In lower case and without what is quoted: names and paths are the caller's. */
static char *
fold (const char *message)
{
  g_autofree char *lower = g_ascii_strdown (message, -1);
  GString *out = g_string_new (NULL);

  for (const char *p = lower; *p != '\0'; p++)
    {
      const char *close = *p == '"' || *p == '`' ? strchr (p + 1, *p) : NULL;

      if (close != NULL)
        p = close;
      else
        g_string_append_c (out, *p);
    }
  return g_string_free (out, FALSE);
}

/* What runs containers in the guest tells by text alone that the command is
 * not there, and agents wrap that into whatever status they like. */
static VpError
error_from_start (int code, const char *message)
{
  static const char *const missing[] = { "not found", "no such file or directory", "enoent", NULL };
  static const char *const refused[]
      = { "permission denied", "eacces", "exec format error", "enoexec", NULL };
  /* a status of NOT_FOUND may be about these as well */
  static const char *const others[] = { "container", "sandbox", "process", "exec id", NULL };
  g_autofree char *text = fold (message);
  gboolean about_exec = speaks_of_exec (text);

  if (about_exec && contains_any (text, missing))
    return VP_ERROR_COMMAND_NOT_FOUND;
  if (code == VP_GRPC_PERMISSION_DENIED || (about_exec && contains_any (text, refused)))
    return VP_ERROR_COMMAND_NOT_EXECUTABLE;
  if (code == VP_GRPC_NOT_FOUND && !contains_any (text, others))
    return VP_ERROR_COMMAND_NOT_FOUND;
  return error_from_status (code);
}

GError *
vp_agent_error_new (VpRpc rpc, int code, const char *message)
{
  const VpRpcInfo *info = vp_rpc_info (rpc);
  const char *method = info != NULL ? info->method : "call";
  g_autofree char *text = NULL;
  VpError error = error_from_status (code);

  if (message != NULL)
    text = vp_agent_text_sanitise (message, strlen (message), VP_AGENT_TEXT_MAX);
  if (text != NULL
      && (rpc == VP_RPC_CREATE_CONTAINER || rpc == VP_RPC_START_CONTAINER || rpc == VP_RPC_EXEC_PROCESS))
    error = error_from_start (code, text);
  if (text == NULL || *text == '\0')
    return g_error_new (VP_ERROR, (int) error, "%s: the agent answers with status %d", method, code);
  return g_error_new (VP_ERROR, (int) error, "%s: %s", method, text);
}
