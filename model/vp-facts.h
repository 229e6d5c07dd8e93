/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-network.h"
#include "vp-node-set.h"
#include "vp-uplink.h"

/* What was found to be so about the host and the hypervisor behind the
 * connection. Immutable and reference counted: the thread that gathers facts
 * makes one and hands it over. */
typedef struct _VpFacts VpFacts;

typedef struct
{
  const char *driver;         /* libvirt's name: "QEMU", "TEST", "CH" */
  const char *arch;           /* "x86_64" */
  const char *emulator;       /* absolute path; NULL: not known */
  guint64 libvirt_version;    /* major * 1000000 + minor * 1000 + micro */
  guint64 hypervisor_version; /* same form */
  gboolean kvm_usable;        /* hardware virtualisation that runs a stock guest */
  const char *kvm_reason;     /* why it is not; NULL when usable */
  guint host_cpus;            /* 0: not known */
  guint max_vcpus;            /* of one domain; 0: not known */
  guint64 host_memory;        /* bytes; 0: not known */
  gboolean virtiofs;          /* domains can have virtiofs shares */
  gboolean vsock;             /* domains can have a vsock: the host has /dev/vhost-vsock */
  gboolean machined;          /* libvirt has systemd make the cgroups of domains */
  gboolean selinux;           /* libvirt's SELinux driver is in use */
  VpNodeSet host_nodes;       /* NUMA nodes with memory; none: not known */
  const char *image;          /* a guest image that was looked at; NULL: none was */
  guint64 image_size;         /* its bytes */
  gboolean passt;             /* libvirt can have passt send a guest's packets */
  const char *passt_reason;   /* why it cannot; NULL when it can */
  guint passt_release;        /* the day of that passt's release, 20260728; 0: not known */
  VpUplink *uplink;           /* of the host; NULL: it has none, or nobody looked */
  VpNetwork *network;         /* what the sandbox's network namespace holds; NULL: it has none, or nobody looked */
} VpFactsInit;

/* Copies everything, but for network and uplink, which are referenced; absent strings become "" for driver and arch. */
VpFacts *vp_facts_new (const VpFactsInit *init);
VpFacts *vp_facts_ref (VpFacts *facts);
void vp_facts_unref (VpFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpFacts, vp_facts_unref)

/* The same and the size of one file: facts of a connection are gathered once,
 * which image a sandbox boots is known when it is planned. */
VpFacts *vp_facts_new_with_image (VpFacts *facts, const char *image, guint64 size);

/* The same and what a sandbox's network namespace holds (referenced). */
VpFacts *vp_facts_new_with_network (VpFacts *facts, VpNetwork *network);

/* The same and how the host gets out (referenced). */
VpFacts *vp_facts_new_with_uplink (VpFacts *facts, VpUplink *uplink);

/* Borrowed view, valid as long as @facts. */
const VpFactsInit *vp_facts_get (VpFacts *facts);

/* The day in what passt --version says: 20260728 of "passt 2026_07_28.f8df3f1", of
 * "passt 0.0~git20260728.f8df3f1-1" and the like; 0: there is none. */
guint vp_facts_parse_passt_release (const char *text);

/* What accel=auto comes to here: "kvm" or "tcg". */
const char *vp_facts_get_auto_accel (VpFacts *facts);
