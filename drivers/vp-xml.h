/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/* For emitters: libxml2's tree, with what it does not check. Strings come from
 * outside: what XML cannot carry (control characters, invalid UTF-8) is
 * InvalidArgument naming element and attribute. */

xmlNode *vp_xml_child (xmlNode *parent, const char *name);
gboolean vp_xml_set (xmlNode *node, const char *attribute, const char *value, GError **error);
gboolean vp_xml_add_text (xmlNode *parent, const char *name, const char *text, GError **error);

/* For names, words and numbers of our own, which always fit. */
void vp_xml_set_word (xmlNode *node, const char *attribute, const char *word);
void vp_xml_set_number (xmlNode *node, const char *attribute, guint64 number);
/* <name>word</name> */
xmlNode *vp_xml_add_word (xmlNode *parent, const char *name, const char *word);
/* <name unit="KiB">, rounded up. */
xmlNode *vp_xml_add_kib (xmlNode *parent, const char *name, guint64 bytes);
guint64 vp_xml_to_kib (guint64 bytes);
