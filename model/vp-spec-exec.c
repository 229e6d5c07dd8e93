/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process object of a further process in a container: that of the container's
 * own process, with what the caller wants otherwise. */
#include "vp-spec.h"

#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-spec-private.h"
#include "vp-spec-rules.h"

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
  for (guint i = 0; exec->capabilities != NULL && exec->capabilities[i] != NULL; i++)
    {
      if (!vp_spec_is_capability (exec->capabilities[i]))
        return invalid (error, "capabilities[%u]: is no name of a capability (CAP_...)", i);
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

static void
write_gids (VpJsonWriter *writer, VpJson *own, const VpSpecExec *exec)
{
  if (own == NULL && exec->n_additional_gids == 0)
    return;
  vp_json_writer_begin_array (writer, "additionalGids");
  for (guint i = 0; own != NULL && i < vp_json_get_n_items (own); i++)
    vp_json_writer_add_copy (writer, NULL, vp_json_get_item (own, i));
  for (gsize i = 0; i < exec->n_additional_gids; i++)
    vp_json_writer_add_uint (writer, NULL, exec->additional_gids[i]);
  vp_json_writer_end_array (writer);
}

/* Another user has none of the groups that the container's has. */
static gboolean
write_user (VpJsonWriter *writer, VpSpec *spec, const VpSpecExec *exec, GError **error)
{
  VpJson *user = vp_json_lookup (spec->process, "user");
  guint64 uid, gid;

  if (exec->user != NULL && !parse_exec_user (exec->user, &uid, &gid, error))
    return FALSE;
  if (exec->user == NULL && user == NULL && exec->n_additional_gids == 0)
    return TRUE;
  vp_json_writer_begin_object (writer, "user");
  if (exec->user != NULL)
    {
      vp_json_writer_add_uint (writer, "uid", uid);
      vp_json_writer_add_uint (writer, "gid", gid);
      write_gids (writer, NULL, exec);
    }
  else
    {
      for (guint i = 0; user != NULL && i < vp_json_get_n_items (user); i++)
        {
          VpJson *item = vp_json_get_item (user, i);

          if (!g_str_equal (vp_json_get_name (item), "additionalGids"))
            vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
        }
      write_gids (writer, user == NULL ? NULL : vp_json_lookup (user, "additionalGids"), exec);
    }
  vp_json_writer_end_object (writer);
  return TRUE;
}

/* In a set of the container's and, but for the two that are of use over an execve() only,
 * those that are added. */
static void
write_capability_set (VpJsonWriter *writer, const char *name, VpJson *own, const char *const *added)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; own != NULL && i < vp_json_get_n_items (own); i++)
    g_ptr_array_add (names, (gpointer) vp_json_get_string (vp_json_get_item (own, i)));
  for (; added != NULL && *added != NULL; added++)
    if (!g_ptr_array_find_with_equal_func (names, *added, g_str_equal, NULL))
      g_ptr_array_add (names, (gpointer) *added);
  g_ptr_array_add (names, NULL);
  vp_json_writer_add_strv (writer, name, (const char *const *) names->pdata);
}

static void
write_capabilities (VpJsonWriter *writer, VpSpec *spec, const char *const *added)
{
  static const char *const grown[] = { "bounding", "effective", "permitted" };
  static const char *const kept[] = { "inheritable", "ambient" };
  VpJson *own = vp_json_lookup (spec->process, "capabilities");

  if (own != NULL && vp_json_get_type (own) != VP_JSON_OBJECT)
    own = NULL;
  vp_json_writer_begin_object (writer, "capabilities");
  for (guint i = 0; i < G_N_ELEMENTS (grown); i++)
    write_capability_set (writer, grown[i], own == NULL ? NULL : vp_json_lookup (own, grown[i]), added);
  for (guint i = 0; own != NULL && i < G_N_ELEMENTS (kept); i++)
    {
      VpJson *set = vp_json_lookup (own, kept[i]);

      if (set != NULL)
        vp_json_writer_add_copy (writer, kept[i], set);
    }
  vp_json_writer_end_object (writer);
}

VpJson *
vp_spec_make_exec (VpSpec *spec, const VpSpecExec *exec, GError **error)
{
  /* the labels are words of the host's security modules */
  static const char *const replaced[]
      = { "terminal", "consoleSize",     "user",         "args", "commandLine", "env",
          "cwd",      "apparmorProfile", "selinuxLabel", NULL };
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);
  gboolean more = exec->capabilities != NULL && exec->capabilities[0] != NULL;

  if (!check_exec (exec, error))
    return NULL;
  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_bool (writer, "terminal", exec->terminal);
  if (!write_user (writer, spec, exec, error))
    return NULL;
  vp_json_writer_add_strv (writer, "args", exec->args);
  write_env (writer, spec, exec->env);
  vp_json_writer_add_string (writer, "cwd", exec->cwd ?: spec->cwd);
  if (more)
    write_capabilities (writer, spec, exec->capabilities);
  if (exec->no_new_privileges)
    vp_json_writer_add_bool (writer, "noNewPrivileges", TRUE);
  for (guint i = 0; i < vp_json_get_n_items (spec->process); i++)
    {
      VpJson *item = vp_json_get_item (spec->process, i);
      const char *name = vp_json_get_name (item);

      if (!g_strv_contains (replaced, name) && !(more && g_str_equal (name, "capabilities"))
          && !(exec->no_new_privileges && g_str_equal (name, "noNewPrivileges")))
        vp_json_writer_add_copy (writer, name, item);
    }
  vp_json_writer_end_object (writer);
  return vp_json_writer_to_json (writer, "exec process", error);
}
