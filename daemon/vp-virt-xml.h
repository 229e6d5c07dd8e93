/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-node-set.h"

/* For libvirt inside this process: libxml2 makes its tables of data types at the first
 * validation, and when two threads are there first one of them fails. To be called
 * before there are threads that validate; again does nothing. */
void vp_virt_xml_init (void);

/* Reads the XML that libvirt answers with. Pure, any thread; a document that
 * cannot be parsed is like an empty one. */

typedef struct
{
  char *arch;     /* of the host; NULL when not said */
  char *emulator; /* of the first guest type of that architecture; NULL likewise */
  gboolean selinux; /* a security driver that is in use */
  VpNodeSet nodes; /* of the host that have memory */
} VpVirtCapabilities;

void vp_virt_xml_read_capabilities (const char *xml, VpVirtCapabilities *ret);
void vp_virt_capabilities_clear (VpVirtCapabilities *caps);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VpVirtCapabilities, vp_virt_capabilities_clear)

typedef struct
{
  char *type; /* domain type the rest is about: "kvm", "qemu" */
  char *emulator;
  guint max_vcpus;
  gboolean virtiofs;
  gboolean passt; /* as the backend of a user-mode interface; says nothing of the program */
} VpVirtDomainCaps;

void vp_virt_xml_read_domain_caps (const char *xml, VpVirtDomainCaps *ret);
void vp_virt_domain_caps_clear (VpVirtDomainCaps *caps);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VpVirtDomainCaps, vp_virt_domain_caps_clear)

/* Our element in a domain's metadata. Both are NULL when it is not ours. */
void vp_virt_xml_read_metadata (const char *xml, char **ret_sandbox_id, char **ret_handler);

/* The context id of a running domain's vsock; 0: it has none, or not one yet. */
guint32 vp_virt_xml_read_vsock_cid (const char *xml);

/* What libvirt calls the interface of a running domain whose device on the host is
 * @dev ("vp1a2b3c4d5e-0"; no quotes in it); NULL: it has none. */
char *vp_virt_xml_read_nic_alias (const char *xml, const char *dev);

/* TRUE: libvirt's own file about the domain @domain_name, which is one of ours and
 * was written before it had a process, or after it had lost it. */
gboolean vp_virt_xml_is_husk (const char *xml, const char *domain_name);

/* The name in a domain's XML, NULL when it has none. */
char *vp_virt_xml_read_domain_name (const char *xml);
