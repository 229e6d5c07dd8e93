/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-agent-conn.h"

/* The agent in one guest: typed calls with deadlines. No protobuf type shows
 * here; calls that are not in this list are made with vp-agent-call.h.
 *
 * Main thread only. Every call may be cancelled and fails with
 * AgentUnavailable when the channel ends. A call keeps the client alive, so
 * whoever owns the client ends it with vp_agent_client_close(), not by dropping it.
 *
 * @timeout_ms: 0 = no deadline. Errors of every call: TimedOut, Cancelled,
 * AgentUnavailable (not open, or the channel ended), ResourceExhausted (too
 * many calls or bytes under way), and what the agent answered: InvalidArgument,
 * NotFound, AlreadyExists, InvalidState, NotSupported, ResourceExhausted,
 * Cancelled, TimedOut, AgentUnavailable, else AgentFailed. CreateContainer,
 * StartContainer and ExecProcess also give CommandNotFound and
 * CommandNotExecutable. Text from the guest is valid UTF-8 without control
 * characters and at most 512 bytes long.
 *
 * @cid and @exec_id go to the agent as they are; Kata's agents take an empty
 * @exec_id for the container's first process. */
#define VP_TYPE_AGENT_CLIENT (vp_agent_client_get_type ())
G_DECLARE_FINAL_TYPE (VpAgentClient, vp_agent_client, VP, AGENT_CLIENT, GObject)

/* Most calls under way at a time; most bytes one read or write of a stream moves. */
#define VP_AGENT_CLIENT_MAX_CALLS 1024
#define VP_AGENT_CLIENT_MAX_IO (1u << 20)

typedef struct
{
  guint64 bytes_in; /* on the channel */
  guint64 bytes_out;
  guint64 calls; /* made */
  guint64 failed; /* of these: ended with an error, whoever's */
  guint64 dropped; /* frames nobody waited for */
  guint pending; /* calls under way */
} VpAgentStats;

/* What the agent says about itself; every string sanitised, every list bounded. */
typedef struct
{
  char *version;
  gboolean init_daemon;
  gboolean supports_seccomp;
  gboolean supports_mem_hotplug_probe;
  guint64 mem_block_size; /* bytes; 0: unknown */
  char **device_handlers; /* at most 64 of at most 64 bytes, so the others */
  char **storage_handlers;
  char **extra_features;
} VpGuestDetails;

#define VP_TYPE_GUEST_DETAILS (vp_guest_details_get_type ())
GType vp_guest_details_get_type (void);
VpGuestDetails *vp_guest_details_copy (const VpGuestDetails *self);
void vp_guest_details_free (VpGuestDetails *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpGuestDetails, vp_guest_details_free)

/* Takes a reference to @conn, which must not have been opened. Pure. */
VpAgentClient *vp_agent_client_new (VpAgentConn *conn);

/* Opens the channel and calls Check until the agent serves: when this has
 * finished the agent answers. @timeout_ms is for all of it. */
void vp_agent_client_open_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_agent_client_open_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Ends the channel: calls under way fail with AgentUnavailable; no "closed"
 * signal. Idempotent. */
void vp_agent_client_close (VpAgentClient *self);
gboolean vp_agent_client_is_open (VpAgentClient *self);

/* Its socket, borrowed, only to be kept for another process; -1: none. */
int vp_agent_client_get_fd (VpAgentClient *self);
void vp_agent_client_get_stats (VpAgentClient *self, VpAgentStats *ret_stats);

/* Signal "closed" (GError *error): the channel ended by itself or because the
 * guest broke the protocol; every call under way has failed before it is
 * emitted. Not emitted for _close() nor when _open fails. */

/* ---- calls whose answer carries nothing; _empty_finish() ends all of them ---- */
gboolean vp_agent_client_empty_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* AgentFailed when the agent says that it does not serve. */
void vp_agent_client_check_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);

/* @request: a packed grpc.CreateSandboxRequest, CreateContainerRequest,
 * ExecProcessRequest; borrowed for the call of the function. */
void vp_agent_client_create_sandbox_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
void vp_agent_client_create_container_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                             GCancellable *cancellable, GAsyncReadyCallback callback,
                                             gpointer user_data);
void vp_agent_client_exec_process_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
void vp_agent_client_destroy_sandbox_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);
void vp_agent_client_start_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
/* @guest_timeout: seconds the agent may take, 0: no limit */
void vp_agent_client_remove_container_async (VpAgentClient *self, const char *cid, guint guest_timeout,
                                             guint timeout_ms, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
/* An empty @exec_id with SIGKILL means every process of the container. */
void vp_agent_client_signal_process_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                           guint signum, guint timeout_ms, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
void vp_agent_client_close_stdin_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                        guint timeout_ms, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
void vp_agent_client_tty_win_resize_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                           guint rows, guint columns, guint timeout_ms,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
/* Sets the guest's clock. @usec: microseconds since 1970 */
void vp_agent_client_set_date_time_async (VpAgentClient *self, gint64 usec, guint timeout_ms,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
void vp_agent_client_reseed_random_async (VpAgentClient *self, GBytes *seed, guint timeout_ms,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
void vp_agent_client_pause_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
void vp_agent_client_resume_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                             GCancellable *cancellable, GAsyncReadyCallback callback,
                                             gpointer user_data);
/* @request: a packed grpc.UpdateContainerRequest */
void vp_agent_client_update_container_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                             GCancellable *cancellable, GAsyncReadyCallback callback,
                                             gpointer user_data);

/* @request: a packed grpc.UpdateInterfaceRequest, UpdateRoutesRequest,
 * AddARPNeighborsRequest (vp-guest-network.h). An interface that is being plugged in
 * may take its time to be seen in the guest, and the agent waits for it: give the
 * call some seconds. What is there then is not in the answer; ask for the lists. */
void vp_agent_client_update_interface_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                             GCancellable *cancellable, GAsyncReadyCallback callback,
                                             gpointer user_data);
void vp_agent_client_update_routes_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
void vp_agent_client_add_neighbours_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);

/* ---- calls that bring something back ---- */
/* Version of the agent, sanitised; the caller owns it. */
void vp_agent_client_version_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
char *vp_agent_client_version_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Waits without a deadline until the process ends. The status is 0 to 255 (128
 * + signal); anything else the guest says becomes 255 and a warning in the log. */
void vp_agent_client_wait_process_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean vp_agent_client_wait_process_finish (VpAgentClient *self, GAsyncResult *result, guint *ret_status,
                                              GError **error);

/* @data: 1 to VP_AGENT_CLIENT_MAX_IO bytes. Returns how many the guest took
 * (never more than were sent, may be 0), -1 on error. No deadline: it is the
 * process that does not read. */
void vp_agent_client_write_stdin_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                        GBytes *data, GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
gssize vp_agent_client_write_stdin_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Waits without a deadline for output. @max: 1 to VP_AGENT_CLIENT_MAX_IO; more
 * than that many bytes in the answer end the channel. Empty bytes: end of the
 * stream (both of the ways in which agents say it). @done: bytes of the stream that
 * need not be told again to a daemon after this one; 0: those of the answer before.
 * *ret_offset: how many bytes of the stream were in front of these; always 0 from an
 * agent that is not ours. Of such an agent more than one read at a time would be
 * answered in any order. */
void vp_agent_client_read_async (VpAgentClient *self, const char *cid, const char *exec_id,
                                 gboolean from_stderr, gsize max, guint64 done, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
GBytes *vp_agent_client_read_finish (VpAgentClient *self, GAsyncResult *result, guint64 *ret_offset,
                                     GError **error);

void vp_agent_client_get_guest_details_async (VpAgentClient *self, guint timeout_ms,
                                              GCancellable *cancellable, GAsyncReadyCallback callback,
                                              gpointer user_data);
VpGuestDetails *vp_agent_client_get_guest_details_finish (VpAgentClient *self, GAsyncResult *result,
                                                          GError **error);

/* What a container uses, as the bus has it: a{sv}, see vp-agent-stats.h. The caller owns it. */
void vp_agent_client_stats_container_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
GVariant *vp_agent_client_stats_container_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Pids (guint32) of a container's processes, as the guest numbers them.
 * NotSupported from agents other than ours. */
void vp_agent_client_list_pids_async (VpAgentClient *self, const char *cid, guint timeout_ms,
                                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
GArray *vp_agent_client_list_pids_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Ends what the agent does for copies and connections that a daemon before this one
 * began. Its finish: vp_agent_client_empty_finish. NotSupported as above. */
void vp_agent_client_disown_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);

/* Prometheus text of the guest, valid UTF-8 and otherwise as it came. */
void vp_agent_client_get_metrics_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
char *vp_agent_client_get_metrics_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* The guest's interfaces and routes as it tells them: aa{sv}, texts sanitised and at
 * most 64 bytes long. Of an interface: name, mac (s), mtu, flags (t; IFF_*), addresses
 * (as, with their prefix). Of a route: family (s; "ipv4" or "ipv6"), dest (s; "" is the
 * default route), gateway, device, source (s), scope, flags, mtu (t). AgentFailed when
 * there are more than 256 interfaces, 4096 addresses or 16384 routes. The caller owns it. */
void vp_agent_client_list_interfaces_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);
GVariant *vp_agent_client_list_interfaces_finish (VpAgentClient *self, GAsyncResult *result, GError **error);
void vp_agent_client_list_routes_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
GVariant *vp_agent_client_list_routes_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* The guest's packet filter: @rules NULL asks for the rules, else they are set (at most
 * VP_IPTABLES_MAX bytes). The answer is text of iptables-save or of iptables-restore,
 * which the caller owns; AgentFailed when it is no UTF-8. */
void vp_agent_client_iptables_async (VpAgentClient *self, gboolean ipv6, const char *rules, guint timeout_ms,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
char *vp_agent_client_iptables_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

/* Waits without a deadline for the next container that ran out of memory: what
 * the guest says is its id, sanitised. The caller owns it. */
void vp_agent_client_get_oom_event_async (VpAgentClient *self, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
char *vp_agent_client_get_oom_event_finish (VpAgentClient *self, GAsyncResult *result, GError **error);
