/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-xml.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/xmlschemastypes.h>
#include <libxml/xpath.h>
#include <string.h>

#include "vp-names.h"

typedef struct
{
  xmlDocPtr doc;
  xmlXPathContextPtr xpath;
} Document;

void
vp_virt_xml_init (void)
{
  xmlInitParser ();
  (void) xmlRelaxNGInitTypes ();
  xmlSchemaInitTypes ();
}

static void
document_clear (Document *document)
{
  g_clear_pointer (&document->xpath, xmlXPathFreeContext);
  g_clear_pointer (&document->doc, xmlFreeDoc);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Document, document_clear)

static gboolean
document_parse (Document *document, const char *xml)
{
  document->doc = xmlReadMemory (xml, (int) MIN (strlen (xml), G_MAXINT), NULL, NULL,
                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (document->doc != NULL)
    document->xpath = xmlXPathNewContext (document->doc);
  return document->xpath != NULL;
}

/* The string value of @expression, NULL when it is empty. */
static char *
query (Document *document, const char *expression)
{
  g_autofree char *wrapped = g_strdup_printf ("string(%s)", expression);
  xmlXPathObjectPtr object = xmlXPathEvalExpression ((const xmlChar *) wrapped, document->xpath);
  char *text = NULL;

  if (object != NULL && object->stringval != NULL && object->stringval[0] != '\0')
    text = g_strdup ((const char *) object->stringval);
  xmlXPathFreeObject (object);
  return text;
}

#define CELLS "/capabilities/host/topology/cells/cell[number(memory)>0]"

/* Nodes without memory, of which there are, are of no use to a guest. */
static void
read_nodes (Document *document, VpNodeSet *ret)
{
  xmlXPathObjectPtr object = xmlXPathEvalExpression (BAD_CAST CELLS "/@id", document->xpath);
  int n = object != NULL ? xmlXPathNodeSetGetLength (object->nodesetval) : 0;

  for (int i = 0; i < n; i++)
    {
      xmlChar *text = xmlNodeGetContent (xmlXPathNodeSetItem (object->nodesetval, i));
      guint64 node;

      if (text != NULL && g_ascii_string_to_unsigned ((const char *) text, 10, 0, VP_NODE_MAX, &node, NULL))
        vp_node_set_add (ret, (guint) node);
      xmlFree (text);
    }
  xmlXPathFreeObject (object);
}

void
vp_virt_xml_read_capabilities (const char *xml, VpVirtCapabilities *ret)
{
  g_auto (Document) document = { 0 };
  g_autofree char *selinux = NULL;

  memset (ret, 0, sizeof *ret);
  if (!document_parse (&document, xml))
    return;
  ret->arch = query (&document, "/capabilities/host/cpu/arch");
  ret->emulator = query (&document, "/capabilities/guest/arch[@name=/capabilities/host/cpu/arch]/emulator");
  selinux = query (&document, "/capabilities/host/secmodel/model[.='selinux']");
  ret->selinux = selinux != NULL;
  read_nodes (&document, &ret->nodes);
}

void
vp_virt_capabilities_clear (VpVirtCapabilities *caps)
{
  g_clear_pointer (&caps->arch, g_free);
  g_clear_pointer (&caps->emulator, g_free);
}

void
vp_virt_xml_read_domain_caps (const char *xml, VpVirtDomainCaps *ret)
{
  g_auto (Document) document = { 0 };
  g_autofree char *max = NULL;
  g_autofree char *virtiofs = NULL;
  g_autofree char *passt = NULL;
  guint64 number;

  memset (ret, 0, sizeof *ret);
  if (!document_parse (&document, xml))
    return;
  ret->type = query (&document, "/domainCapabilities/domain");
  ret->emulator = query (&document, "/domainCapabilities/path");
  max = query (&document, "/domainCapabilities/vcpu/@max");
  if (max != NULL && g_ascii_string_to_unsigned (max, 10, 1, G_MAXINT32, &number, NULL))
    ret->max_vcpus = (guint) number;
  virtiofs = query (&document, "/domainCapabilities/devices/filesystem[@supported='yes']"
                               "/enum[@name='driverType']/value[.='virtiofs']");
  ret->virtiofs = virtiofs != NULL;
  passt = query (&document, "/domainCapabilities/devices/interface[@supported='yes']"
                            "/enum[@name='backendType']/value[.='passt']");
  ret->passt = passt != NULL;
}

void
vp_virt_domain_caps_clear (VpVirtDomainCaps *caps)
{
  g_clear_pointer (&caps->type, g_free);
  g_clear_pointer (&caps->emulator, g_free);
}

void
vp_virt_xml_read_metadata (const char *xml, char **ret_sandbox_id, char **ret_handler)
{
  g_auto (Document) document = { 0 };

  *ret_sandbox_id = *ret_handler = NULL;
  /* libvirt was asked for our namespace and may have dropped prefix and declaration */
  if (!document_parse (&document, xml))
    return;
  *ret_sandbox_id = query (&document, "/*[local-name()='sandbox']/*[local-name()='id']");
  if (*ret_sandbox_id != NULL)
    *ret_handler = query (&document, "/*[local-name()='sandbox']/*[local-name()='handler']");
}

char *
vp_virt_xml_read_domain_name (const char *xml)
{
  g_auto (Document) document = { 0 };

  return document_parse (&document, xml) ? query (&document, "/domain/name") : NULL;
}

gboolean
vp_virt_xml_is_husk (const char *xml, const char *domain_name)
{
  g_auto (Document) document = { 0 };
  g_autofree char *name = NULL, *pid = NULL, *monitor = NULL, *ours = NULL;

  if (!document_parse (&document, xml))
    return FALSE;
  name = query (&document, "/domstatus/domain/name");
  pid = query (&document, "/domstatus/@pid");
  monitor = query (&document, "/domstatus/monitor/@path");
  ours = query (&document, "/domstatus/domain/metadata/*[namespace-uri()='" VP_METADATA_NS "']/*[local-name()='id']");
  return ours != NULL && (g_strcmp0 (pid, "0") == 0 || monitor == NULL) && g_strcmp0 (name, domain_name) == 0;
}

char *
vp_virt_xml_read_nic_alias (const char *xml, const char *dev)
{
  g_auto (Document) document = { 0 };
  g_autofree char *path = g_strdup_printf ("/domain/devices/interface[target/@dev='%s']/alias/@name", dev);

  return strchr (dev, '\'') == NULL && document_parse (&document, xml) ? query (&document, path) : NULL;
}

guint32
vp_virt_xml_read_vsock_cid (const char *xml)
{
  g_auto (Document) document = { 0 };
  g_autofree char *text = document_parse (&document, xml) ? query (&document, "/domain/devices/vsock/cid/@address") : NULL;
  guint64 cid;

  /* the first three are the hypervisor, the machine itself and its host */
  return text != NULL && g_ascii_string_to_unsigned (text, 10, 3, G_MAXUINT32 - 1, &cid, NULL) ? (guint32) cid : 0;
}
