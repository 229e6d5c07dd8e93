/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-xml.h"

#include "vp-error.h"

#define KIB 1024

/* libxml2 escapes markup, but writes characters XML does not have as they are. */
static gboolean
check_text (const char *element, const char *attribute, const char *text, GError **error)
{
  const char *where = attribute != NULL ? attribute : "content";
  const char *p;

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "<%s> %s: is not UTF-8", element, where);
      return FALSE;
    }
  for (p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_iscntrl (c) || c == 0xfffe || c == 0xffff)
        {
          g_autofree char *shown = g_strescape (text, NULL);
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                       "<%s> %s \"%s\": has a control character, which XML cannot carry", element, where,
                       shown);
          return FALSE;
        }
    }
  return TRUE;
}

xmlNode *
vp_xml_child (xmlNode *parent, const char *name)
{
  return xmlNewChild (parent, NULL, BAD_CAST name, NULL);
}

void
vp_xml_set_word (xmlNode *node, const char *attribute, const char *word)
{
  xmlNewProp (node, BAD_CAST attribute, BAD_CAST word);
}

void
vp_xml_set_number (xmlNode *node, const char *attribute, guint64 number)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  vp_xml_set_word (node, attribute, text);
}

gboolean
vp_xml_set (xmlNode *node, const char *attribute, const char *value, GError **error)
{
  if (!check_text ((const char *)node->name, attribute, value, error))
    return FALSE;
  vp_xml_set_word (node, attribute, value);
  return TRUE;
}

gboolean
vp_xml_add_text (xmlNode *parent, const char *name, const char *text, GError **error)
{
  if (!check_text (name, NULL, text, error))
    return FALSE;
  /* xmlNewTextChild, not xmlNewChild: that one takes entities in the text for real */
  xmlNewTextChild (parent, NULL, BAD_CAST name, BAD_CAST text);
  return TRUE;
}

xmlNode *
vp_xml_add_word (xmlNode *parent, const char *name, const char *word)
{
  return xmlNewTextChild (parent, NULL, BAD_CAST name, BAD_CAST word);
}

guint64
vp_xml_to_kib (guint64 bytes)
{
  return bytes / KIB + (bytes % KIB != 0);
}

xmlNode *
vp_xml_add_kib (xmlNode *parent, const char *name, guint64 bytes)
{
  char text[32];
  xmlNode *node;

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, vp_xml_to_kib (bytes));
  node = vp_xml_add_word (parent, name, text);
  vp_xml_set_word (node, "unit", "KiB");
  return node;
}
