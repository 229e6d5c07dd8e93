/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-host-bind.h"

VpHostBind *
vp_host_bind_new (const char *field, const char *source, const char *target)
{
  VpHostBind *bind = g_new0 (VpHostBind, 1);

  bind->field = g_strdup (field);
  bind->source = g_strdup (source);
  bind->target = g_strdup (target);
  return bind;
}

void
vp_host_bind_free (VpHostBind *bind)
{
  if (bind == NULL)
    return;
  g_free (bind->field);
  g_free (bind->source);
  g_free (bind->target);
  g_free (bind);
}

void
vp_host_bind_append_text (const VpHostBind *bind, GString *text)
{
  g_string_append_printf (text, "bind: %s source=%s target=%s%s%s\n", bind->field, bind->source,
                          bind->target, bind->read_only ? " read-only" : "",
                          bind->recursive ? " recursive" : "");
}
