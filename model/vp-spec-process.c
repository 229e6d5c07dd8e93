/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"

#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-spec-private.h"

static gboolean
parse_user (VpSpec *spec, GError **error)
{
  VpJson *user = NULL;
  guint64 ignored;

  return vp_json_member_object (spec->process, "user", FALSE, &user, error)
         && (user == NULL
             || (vp_json_member_uint (user, "uid", FALSE, G_MAXUINT32, &ignored, error)
                 && vp_json_member_uint (user, "gid", FALSE, G_MAXUINT32, &ignored, error)));
}

gboolean
vp_spec_parse_process (VpSpec *spec, GError **error)
{
  if (!vp_json_member_object (spec->json, "process", TRUE, &spec->process, error)
      || !vp_json_member_bool (spec->process, "terminal", FALSE, &spec->terminal, error)
      || !vp_json_member_strv (spec->process, "args", TRUE, &spec->args, error)
      || !vp_json_member_strv (spec->process, "env", FALSE, &spec->env, error)
      || !vp_json_member_string (spec->process, "cwd", TRUE, &spec->cwd, error) || !parse_user (spec, error))
    return FALSE;
  if (spec->args[0] == NULL)
    return vp_json_set_member_error (error, spec->process, "args", "is empty");
  if (spec->args[0][0] == '\0')
    return vp_json_set_error (error, vp_json_get_item (vp_json_lookup (spec->process, "args"), 0),
                              "is empty");
  if (spec->cwd[0] != '/')
    return vp_json_set_member_error (error, spec->process, "cwd", "must be an absolute path");
  return TRUE;
}

gboolean
vp_spec_get_terminal (VpSpec *spec)
{
  return spec->terminal;
}

const char *const *
vp_spec_get_args (VpSpec *spec)
{
  return (const char *const *)spec->args;
}

const char *const *
vp_spec_get_env (VpSpec *spec)
{
  return (const char *const *)spec->env;
}

const char *
vp_spec_get_cwd (VpSpec *spec)
{
  return spec->cwd;
}

/* ---- exec ------------------------------------------------------------------- */

#define invalid(error, ...) vp_error_set (error, VP_ERROR_INVALID_ARGUMENT, __VA_ARGS__)

static gboolean
check_exec (const VpSpecExec *exec, GError **error)
{
  if (exec->args == NULL || exec->args[0] == NULL || exec->args[0][0] == '\0')
    return invalid (error, "args: is empty");
  for (guint i = 0; exec->args[i] != NULL; i++)
    {
      if (!g_utf8_validate (exec->args[i], -1, NULL))
        return invalid (error, "args[%u]: is not UTF-8", i);
    }
  for (guint i = 0; exec->env != NULL && exec->env[i] != NULL; i++)
    {
      if (!g_utf8_validate (exec->env[i], -1, NULL))
        return invalid (error, "env[%u]: is not UTF-8", i);
      if (strchr (exec->env[i], '=') == NULL || exec->env[i][0] == '=')
        return invalid (error, "env[%u]: must be NAME=VALUE", i);
    }
  if (exec->cwd != NULL && (exec->cwd[0] != '/' || !g_utf8_validate (exec->cwd, -1, NULL)))
    return invalid (error, "cwd: must be an absolute path");
  return TRUE;
}

/* "UID[:GID]"; the group is 0 when not given, as `podman exec` and `runc exec` do. */
static gboolean
parse_exec_user (const char *text, guint64 *ret_uid, guint64 *ret_gid, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 3);
  guint n = g_strv_length (parts);

  *ret_gid = 0;
  if (n < 1 || n > 2 || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXUINT32, ret_uid, NULL)
      || (n == 2 && !g_ascii_string_to_unsigned (parts[1], 10, 0, G_MAXUINT32, ret_gid, NULL)))
    {
      g_autofree char *shown = g_strescape (text, NULL);
      return invalid (error, "user: \"%s\" must be UID or UID:GID, numbers from 0 to %u", shown, G_MAXUINT32);
    }
  return TRUE;
}

static gboolean
same_name (const char *a, const char *b)
{
  gsize n = strcspn (a, "=");

  return n == strcspn (b, "=") && strncmp (a, b, n) == 0;
}

/* The container's variables, each replaced by the last exec variable of its name, then the new ones. */
static void
write_env (VpJsonWriter *writer, VpSpec *spec, const char *const *extra)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new ();

  for (char **e = spec->env; *e != NULL; e++)
    g_ptr_array_add (env, *e);
  for (; extra != NULL && *extra != NULL; extra++)
    {
      guint i = 0;

      while (i < env->len && !same_name (g_ptr_array_index (env, i), *extra))
        i++;
      if (i < env->len)
        env->pdata[i] = (gpointer)*extra;
      else
        g_ptr_array_add (env, (gpointer)*extra);
    }
  g_ptr_array_add (env, NULL);
  vp_json_writer_add_strv (writer, "env", (const char *const *)env->pdata);
}

VpJson *
vp_spec_make_exec (VpSpec *spec, const VpSpecExec *exec, GError **error)
{
  /* the labels are words of the host's security modules */
  static const char *const replaced[]
      = { "terminal", "consoleSize",     "user",         "args", "commandLine", "env",
          "cwd",      "apparmorProfile", "selinuxLabel", NULL };
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);
  VpJson *user = vp_json_lookup (spec->process, "user");
  guint64 uid, gid;

  if (!check_exec (exec, error) || (exec->user != NULL && !parse_exec_user (exec->user, &uid, &gid, error)))
    return NULL;

  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_bool (writer, "terminal", exec->terminal);
  if (exec->user != NULL)
    {
      vp_json_writer_begin_object (writer, "user");
      vp_json_writer_add_uint (writer, "uid", uid);
      vp_json_writer_add_uint (writer, "gid", gid);
      vp_json_writer_end_object (writer);
    }
  else if (user != NULL)
    vp_json_writer_add_copy (writer, "user", user);
  vp_json_writer_add_strv (writer, "args", exec->args);
  write_env (writer, spec, exec->env);
  vp_json_writer_add_string (writer, "cwd", exec->cwd ?: spec->cwd);
  for (guint i = 0; i < vp_json_get_n_items (spec->process); i++)
    {
      VpJson *item = vp_json_get_item (spec->process, i);

      if (!g_strv_contains (replaced, vp_json_get_name (item)))
        vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
    }
  vp_json_writer_end_object (writer);
  return vp_json_writer_to_json (writer, "exec process", error);
}
