/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-signal.h"

#include <string.h>

#include "vp-error.h"

#define RT_MIN 34 /* as libc counts, after the two it keeps for itself */
#define RT_MAX 64

static const struct {
  const char *name;
  int signum;
} table[] = {
  { "HUP", 1 },     { "INT", 2 },   { "QUIT", 3 },  { "ILL", 4 },     { "TRAP", 5 },   { "ABRT", 6 },
  { "IOT", 6 },     { "BUS", 7 },   { "FPE", 8 },   { "KILL", 9 },    { "USR1", 10 },  { "SEGV", 11 },
  { "USR2", 12 },   { "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 },   { "STKFLT", 16 }, { "CHLD", 17 },
  { "CLD", 17 },    { "CONT", 18 }, { "STOP", 19 }, { "TSTP", 20 },   { "TTIN", 21 },  { "TTOU", 22 },
  { "URG", 23 },    { "XCPU", 24 }, { "XFSZ", 25 }, { "VTALRM", 26 }, { "PROF", 27 },  { "WINCH", 28 },
  { "IO", 29 },     { "POLL", 29 }, { "PWR", 30 },  { "SYS", 31 },    { "RTMIN", RT_MIN }, { "RTMAX", RT_MAX },
};

static gboolean
parse_number (const char *text, guint64 max, int *ret)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, max, &value, NULL))
    return FALSE;
  *ret = (int) value;
  return TRUE;
}

static gboolean
parse_name (const char *name, int *ret)
{
  int offset;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_ascii_strcasecmp (name, table[i].name) == 0)
      {
        *ret = table[i].signum;
        return TRUE;
      }
  if (g_ascii_strncasecmp (name, "RTMIN+", 6) == 0 && parse_number (name + 6, RT_MAX - RT_MIN, &offset))
    {
      *ret = RT_MIN + offset;
      return TRUE;
    }
  if (g_ascii_strncasecmp (name, "RTMAX-", 6) == 0 && parse_number (name + 6, RT_MAX - RT_MIN, &offset))
    {
      *ret = RT_MAX - offset;
      return TRUE;
    }
  return FALSE;
}

gboolean
vp_signal_parse (const char *text, int *ret_signum, GError **error)
{
  g_autofree char *shown = NULL;
  const char *name = g_ascii_strncasecmp (text, "SIG", 3) == 0 ? text + 3 : text;
  int signum = 0;

  if ((parse_number (text, RT_MAX, &signum) && signum > 0) || parse_name (name, &signum))
    {
      *ret_signum = signum;
      return TRUE;
    }
  shown = g_strescape (text, NULL);
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
               "signal \"%.40s\": is neither a signal's name nor a number from 1 to %d", shown, RT_MAX);
  return FALSE;
}
