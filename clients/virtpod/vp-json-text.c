/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-json-text.h"

#include <json-glib/json-glib.h>

#define INDENT 2

static char *
generate (JsonNode *root, gboolean pretty)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, pretty);
  json_generator_set_indent (generator, INDENT);
  return json_generator_to_data (generator, NULL);
}

static char *
serialize (GVariant *value, gboolean pretty)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (value);
  g_autoptr (JsonNode) root = json_gvariant_serialize (held);

  return generate (root, pretty);
}

char *
vp_json_text (GVariant *value)
{
  return serialize (value, TRUE);
}

char *
vp_json_line (GVariant *value)
{
  return serialize (value, FALSE);
}

char *
vp_json_pretty (const char *json)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);

  return root == NULL ? NULL : generate (root, TRUE);
}

GVariant *
vp_json_parse (const char *json)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);

  return root == NULL ? NULL : json_gvariant_deserialize (root, NULL, NULL);
}

char *
vp_json_time (guint64 usec)
{
  g_autoptr (GDateTime) seconds = NULL;
  g_autoptr (GDateTime) time = NULL;

  if (usec == 0)
    return g_strdup ("");
  seconds = g_date_time_new_from_unix_utc ((gint64) (usec / G_USEC_PER_SEC));
  if (seconds == NULL)
    return g_strdup ("");
  time = g_date_time_add (seconds, (GTimeSpan) (usec % G_USEC_PER_SEC));
  return g_date_time_format_iso8601 (time);
}
