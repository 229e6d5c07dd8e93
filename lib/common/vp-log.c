/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-journal.h"
#include "vp-log-private.h"
#include "vp-names.h"

static const struct {
  const char *name;
  GLogLevelFlags level;
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL },
  { "warning", G_LOG_LEVEL_WARNING },
  { "notice", G_LOG_LEVEL_MESSAGE },
  { "info", G_LOG_LEVEL_INFO },
  { "debug", G_LOG_LEVEL_DEBUG },
};

static gint threshold = 2; /* index into levels, read from any thread */

static const char *const targets[] = { "auto", "journal", "console", "null" };
enum { TARGET_AUTO, TARGET_JOURNAL, TARGET_CONSOLE, TARGET_NULL };

static gint target = TARGET_AUTO; /* read from any thread */

/* the path is set before the descriptor, and neither changes once it is there */
static const char *journal_path;
static gint journal_fd = -1;
static gboolean journal_is_default; /* stderr is the journal */

static gsize
level_index (GLogLevelFlags flags)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (flags & levels[i].level)
      return i;
  return 0; /* G_LOG_LEVEL_ERROR: always shown */
}

static const char *
find_field (const GLogField *fields, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (fields[i].key, key) == 0 && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

static const char *
priority_of (GLogLevelFlags level)
{
  switch ((int) (level & G_LOG_LEVEL_MASK))
    {
    case G_LOG_LEVEL_ERROR:
    case G_LOG_LEVEL_CRITICAL:
      return "3";
    case G_LOG_LEVEL_WARNING:
      return "4";
    case G_LOG_LEVEL_MESSAGE:
      return "5";
    case G_LOG_LEVEL_INFO:
      return "6";
    default:
      return "7";
    }
}

/* What GLib's own messages lack, and who speaks; every one of ours has the first. */
static gboolean
write_to_journal (GLogLevelFlags flags, const GLogField *fields, gsize n_fields)
{
  GLogField entry[24];
  gsize n = 0;

  gint fd = g_atomic_int_get (&journal_fd);

  if (fd < 0 || !(g_atomic_int_get (&target) == TARGET_JOURNAL || journal_is_default))
    return FALSE;
  if (find_field (fields, n_fields, "PRIORITY") == NULL)
    entry[n++] = (GLogField) { "PRIORITY", priority_of (flags), -1 };
  entry[n++] = (GLogField) { "SYSLOG_IDENTIFIER", VP_SYSLOG_IDENTIFIER, -1 };
  for (gsize i = 0; i < n_fields && n < G_N_ELEMENTS (entry); i++)
    entry[n++] = fields[i];
  return vp_journal_send (fd, journal_path, entry, n);
}

static GLogWriterOutput
writer (GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  gsize idx = level_index (flags);
  const char *sandbox, *container, *message, *domain;
  g_autofree char *where = NULL;

  if ((gint) idx > g_atomic_int_get (&threshold))
    return G_LOG_WRITER_HANDLED;
  /* the event loop glue, which has no domain, tells of every timer it touches */
  domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  if (domain == NULL && levels[idx].level == G_LOG_LEVEL_DEBUG)
    return G_LOG_WRITER_HANDLED;
  if (g_atomic_int_get (&target) == TARGET_NULL)
    return G_LOG_WRITER_HANDLED;
  if (g_atomic_int_get (&target) != TARGET_CONSOLE && write_to_journal (flags, fields, n_fields))
    return G_LOG_WRITER_HANDLED;

  sandbox = find_field (fields, n_fields, VP_FIELD_SANDBOX);
  container = find_field (fields, n_fields, VP_FIELD_CONTAINER);
  message = find_field (fields, n_fields, "MESSAGE");
  if (sandbox != NULL)
    where = g_strdup_printf (" [%s%s%s]", sandbox, container ? "/" : "", container ? container : "");
  message = message != NULL ? message : "";
  fprintf (stderr, "virtpodd %s:%s %.*s\n", levels[idx].name, where ? where : "", (int) strcspn (message, "\n"),
           message);
  return G_LOG_WRITER_HANDLED;
}

void
vp_log_full (GLogLevelFlags level, const char *message_id, const char *sandbox, const char *container,
             const char *format, va_list args)
{
  g_autofree char *message = NULL;
  GLogField fields[6];
  gsize n = 0;

  if ((gint) level_index (level) > g_atomic_int_get (&threshold))
    return;

  message = vp_error_clean (g_strdup_vprintf (format, args));
  fields[n++] = (GLogField) { "MESSAGE", message, -1 };
  fields[n++] = (GLogField) { "PRIORITY", priority_of (level), -1 };
  fields[n++] = (GLogField) { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 };
  if (message_id != NULL)
    fields[n++] = (GLogField) { "MESSAGE_ID", message_id, -1 };
  if (sandbox != NULL)
    fields[n++] = (GLogField) { VP_FIELD_SANDBOX, sandbox, -1 };
  if (container != NULL)
    fields[n++] = (GLogField) { VP_FIELD_CONTAINER, container, -1 };
  g_log_structured_array (level, fields, n);
}

void
vp_log (GLogLevelFlags level, const char *sandbox, const char *container, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vp_log_full (level, NULL, sandbox, container, format, args);
  va_end (args);
}

gboolean
vp_log_set_level (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (levels[i].name, name))
      {
        g_atomic_int_set (&threshold, (gint) i);
        return TRUE;
      }
  return FALSE;
}

const char *
vp_log_get_level (void)
{
  return levels[g_atomic_int_get (&threshold)].name;
}

void
vp_log_set_journal (const char *path)
{
  journal_path = path;
  g_atomic_int_set (&journal_fd, vp_journal_open ());
  journal_is_default = TRUE;
}

gboolean
vp_log_set_target (const char *name)
{
  for (gint i = 0; i < (gint) G_N_ELEMENTS (targets); i++)
    {
      if (!g_str_equal (targets[i], name))
        continue;
      if (i == TARGET_JOURNAL && journal_fd < 0)
        {
          journal_path = VP_JOURNAL_SOCKET;
          g_atomic_int_set (&journal_fd, vp_journal_open ());
          if (journal_fd < 0)
            return FALSE;
        }
      g_atomic_int_set (&target, i);
      return TRUE;
    }
  return FALSE;
}

const char *
vp_log_get_target (void)
{
  gint now = g_atomic_int_get (&target);

  if (now == TARGET_AUTO)
    now = journal_is_default ? TARGET_JOURNAL : TARGET_CONSOLE;
  return targets[now];
}

void
vp_log_init (void)
{
  if (vp_journal_is_stream (STDERR_FILENO))
    vp_log_set_journal (VP_JOURNAL_SOCKET);
  g_log_set_writer_func (writer, NULL, NULL);
}
