/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

#include "vp-facts.h"

/* The door to libvirt: one connection that is kept up, domains by name, events
 * as signals. It knows domains, not sandboxes.
 *
 * Main thread only. Every call that libvirt may block in runs on a worker
 * thread with copies; completions and signals come on the main context. The
 * default main context must be running (it is libvirt's event loop as well).
 *
 * Signals:
 *  "state-changed" (VpVirt *self)
 *      vp_virt_get_state () changed. On CONNECTED the facts are fresh and
 *      domains that went away meanwhile have been reported; whoever keeps
 *      state about domains lists them now.
 *  "domain-stopped" (VpVirt *self, const char *name, const char *reason)
 *      A domain's hypervisor is gone; emitted once for each life of a domain.
 *      The reason is "shutdown" (the guest turned itself off), "destroyed"
 *      (somebody called destroy), "crashed" (the guest panicked), "failed" (the
 *      hypervisor died, or nobody knows), "migrated" or "saved". Covers domains
 *      that were created or listed through this object or started while it was
 *      connected. It may come before the callback of the create call.
 *  "device-removed" (VpVirt *self, const char *name, const char *alias, gboolean gone)
 *      What was plugged out of a domain has gone, or stays since the guest
 *      refuses. Not told for what happened while there was no connection.
 *
 * Errors of all calls are VP_ERROR, "what NAME: libvirt's message (libvirt error
 * CODE)"; see vp_virt_error (). While there is no connection every call but
 * destroy fails with HypervisorUnavailable, "libvirt at URI: reason": at once, or
 * when vp_virt_set_wait () says so, after waiting that long for it. A call that
 * is under way when the connection breaks fails so too, for nobody knows how far
 * it came; a domain that was being created then is ended. */

#define VP_TYPE_VIRT (vp_virt_get_type ())
G_DECLARE_FINAL_TYPE (VpVirt, vp_virt, VP, VIRT, GObject)

typedef enum
{
  VP_VIRT_DOWN,       /* not opened, closed, or waiting for the next attempt */
  VP_VIRT_CONNECTING, /* an attempt is under way */
  VP_VIRT_CONNECTED,
} VpVirtState;

typedef enum
{
  VP_VIRT_CREATE_NONE = 0,
  VP_VIRT_CREATE_VALIDATE = 1 << 0, /* check the XML against libvirt's schema */
  VP_VIRT_CREATE_PAUSED = 1 << 1,   /* do not run the CPUs yet; resume does (not every driver can) */
} VpVirtCreateFlags;

/* What listing finds out about a domain. Values; the list owns them. */
typedef struct
{
  char *name;
  char *uuid;       /* text form */
  char *sandbox_id; /* from the domain's metadata; NULL: not one of ours */
  char *handler;    /* likewise, NULL when it does not say */
  gboolean active;
  gboolean paused;   /* active, CPUs stopped */
  gboolean starting; /* paused, as libvirt is still making it */
} VpVirtDomain;

void vp_virt_domain_free (VpVirtDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpVirtDomain, vp_virt_domain_free)

/* "connecting", "connected" or "down". */
const char *vp_virt_state_to_string (VpVirtState state);

/* A closed door to the libvirt driver at @uri. Pure. */
VpVirt *vp_virt_new (const char *uri);

/* How long calls wait for the connection to come back; 0, the default: they do not. */
void vp_virt_set_wait (VpVirt *self, guint ms);

/* Where each domain has a directory of its name, from which files are shared. Without
 * it virtiofsds that a start has left are not found. */
void vp_virt_set_directories (VpVirt *self, const char *path);

const char *vp_virt_get_uri (VpVirt *self);
VpVirtState vp_virt_get_state (VpVirt *self);

/* Why there is no connection: one line without the URI, NULL when connected. */
const char *vp_virt_get_reason (VpVirt *self);

/* What was found out at the last connect (borrowed); NULL before the first one. */
VpFacts *vp_virt_get_facts (VpVirt *self);

/* Connects, registers for events and gathers the facts, which also fills
 * libvirt's own cache of what the emulators can do (seconds, the first time
 * ever). The finish call tells about the first attempt. From then on, failed or
 * not, the connection is kept: after a loss attempts are made 0.1 s to 5 s apart until
 * vp_virt_close_async (), after which it may be called again. @cancellable is
 * not looked at: to give up, close; the open call then fails with Cancelled.
 *
 * A URI of libvirt's embedded driver ("qemu:///embed?root=DIR") makes this process
 * the child subreaper of the hypervisors and reaps them; DIR and
 * DIR/etc/qemu.conf are made when missing. One such DIR a process. */
void vp_virt_open_async (VpVirt *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);
gboolean vp_virt_open_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Ends the connection; domains go on running. Calls still under way fail or
 * finish first. Cannot fail. Dropping the last reference without it closes too,
 * but nobody learns when that is done. */
void vp_virt_close_async (VpVirt *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_virt_close_finish (VpVirt *self, GAsyncResult *result);

/* Starts a transient domain from @xml. Returns its UUID as text (free with
 * g_free). AlreadyExists, ConfigError (the XML is not good: a bug of ours),
 * NotSupported, HypervisorFailed... When cancelled before the call begins:
 * Cancelled, and no domain; later cancellation is ignored. */
void vp_virt_create_async (VpVirt *self, const char *xml, VpVirtCreateFlags flags, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
char *vp_virt_create_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Stops the CPUs of a domain. */
void vp_virt_suspend_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_suspend_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Runs the CPUs of a paused domain. */
void vp_virt_resume_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_resume_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Ends a domain without asking the guest. NotFound when there is none: for
 * somebody who wants it gone that is success. "domain-stopped" is emitted
 * before or soon after the callback, which comes as soon as the hypervisor's
 * process has ended; libvirt cleans up after that, and a create of the same name
 * waits for it. Does not need libvirt where the process is on this host: it is
 * killed then, and what libvirt still knows of the domain is destroyed when
 * libvirt is back. HypervisorUnavailable: neither was possible (and the latter
 * is still done). TimedOut: the process was killed and does not go. */
void vp_virt_destroy_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_destroy_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Asks the guest to turn itself off (ACPI button); does not wait for it. */
void vp_virt_shutdown_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_shutdown_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Plugs the device of @xml into a running domain, for as long as that runs. */
void vp_virt_attach_async (VpVirt *self, const char *domain_name, const char *xml, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_attach_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Asks the guest of a domain to let go of the interface whose device on the host is
 * @dev. Returns what libvirt calls it, by which "device-removed" tells that it has
 * gone, maybe before this has finished. NotFound: the domain has no such interface. */
void vp_virt_detach_nic_async (VpVirt *self, const char *domain_name, const char *dev, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
char *vp_virt_detach_nic_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* Whether the domain has it still: its name, or NotFound. */
void vp_virt_find_nic_async (VpVirt *self, const char *domain_name, const char *dev, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
char *vp_virt_find_nic_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* The live XML of a domain, without secrets. Free with g_free. */
void vp_virt_dup_xml_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
char *vp_virt_dup_xml_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* All domains of the connection, of any owner, but for those of ours that are being
 * ended since libvirt is back, and those that libvirt shows as starting and that
 * have no process. Array of VpVirtDomain*, freed with g_ptr_array_unref. */
void vp_virt_list_async (VpVirt *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);
GPtrArray *vp_virt_list_finish (VpVirt *self, GAsyncResult *result, GError **error);

/* The hypervisor process of a domain on this host: read from libvirt's pid file
 * and checked, or looked for in /proc. 0: unknown, gone, or on another host. Does
 * not call libvirt; a few milliseconds at most. */
pid_t vp_virt_find_pid (VpVirt *self, const char *domain_name);

/* That process, the first, and those of the host that work for it alone: virtiofsd, and of kernels
 * before 6.4 the threads that move its packets. Array of pid_t; empty when it is not known. */
GArray *vp_virt_find_processes (VpVirt *self, const char *domain_name);
