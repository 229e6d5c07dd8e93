/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-table.h"

static void
append_type (GString *text, const VpSpecField *field)
{
  static const char *const one[]
      = { "string", "boolean", "integer", "unsigned integer", "object", "map", "any" };

  if (field->flags & VP_SPEC_LIST)
    g_string_append (text, "list of ");
  g_string_append (text, one[field->type]);
  if (field->type == VP_SPEC_MAP && field->members == NULL)
    g_string_append (text, " of strings");
  if (field->flags & VP_SPEC_LIST && field->type != VP_SPEC_ANY)
    g_string_append_c (text, 's');
  if (field->type == VP_SPEC_INT && field->min != G_MININT64)
    g_string_append_printf (text, ", %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->min, field->max);
  if (field->type == VP_SPEC_UINT && field->umax != G_MAXUINT64 && field->umax != G_MAXUINT32
      && field->umax != G_MAXINT64)
    g_string_append_printf (text, ", up to %" G_GUINT64_FORMAT, field->umax);
  if (field->flags & VP_SPEC_REQUIRED)
    g_string_append (text, ", required");
}

static void
append_fields (GString *text, const VpSpecField *fields, const char *prefix)
{
  static const char *const fates[] = { "guest", "host", "translated", "refused" };

  for (const VpSpecField *field = fields; field->name != NULL; field++)
    {
      const char *elements = field->flags & VP_SPEC_LIST ? "[]" : "";
      g_autofree char *below = g_strdup_printf ("%s%s%s.", prefix, field->name, elements);

      g_string_append_printf (text, "| `%s%s` | ", prefix, field->name);
      append_type (text, field);
      g_string_append_printf (text, " | %s | %s |\n", fates[field->fate], field->how ?: "");
      if (field->members != NULL)
        append_fields (text, field->members, below);
    }
}

char *
vp_spec_describe (void)
{
  GString *text = g_string_new ("| field | type | fate | how |\n|---|---|---|---|\n");

  append_fields (text, vp_spec_fields, "");
  return g_string_free (text, FALSE);
}
