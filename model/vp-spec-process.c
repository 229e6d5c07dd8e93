/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"

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
