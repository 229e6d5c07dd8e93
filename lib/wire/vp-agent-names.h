/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two ends of the channel agree on beyond the protocol of the Kata
 * Containers agent, within its messages. Each is a value of a field that the protocol
 * has: an agent that does not know it answers that there is no such program or log. */

/* ExecProcessRequest.process.args[0] of a process that is the agent's own: it reads or
 * writes a tar archive in the mount namespace and below the root of the container,
 * with the user of the request and at most the capabilities of the container's first
 * process. It is an ordinary process otherwise (streams, signals, status).
 *
 *   { VP_TAR_PROGRAM, "create", PATH, OPTION... }    the archive is its stdout
 *   { VP_TAR_PROGRAM, "extract", PATH, OPTION... }   the archive is its stdin
 *
 * PATH is absolute. stderr tells in lines of text what went wrong. The container may
 * be created, running or paused. */
#define VP_TAR_PROGRAM "virtpod:tar"
#define VP_TAR_CREATE "create"
#define VP_TAR_EXTRACT "extract"
/* statuses besides 0 */
#define VP_TAR_INCOMPLETE 1  /* create: the archive is whole, but files in it are not as they should be */
#define VP_TAR_NO_PATH 2     /* PATH is not there, or not a directory where it must be one */
#define VP_TAR_BAD_ARCHIVE 3 /* it is no archive, is cut short, or its names lead out of PATH */
#define VP_TAR_FAILED 4      /* any other failure: no space, no permission, ... */
/* create: if PATH is a symbolic link, what it leads to */
#define VP_TAR_DEREFERENCE "--dereference"
/* create: nothing of other file systems that are mounted below PATH */
#define VP_TAR_ONE_FILE_SYSTEM "--one-file-system"
/* extract: what is there already is an error, and not replaced; directories are no matter */
#define VP_TAR_NO_OVERWRITE "--no-overwrite"
/* extract: everything belongs to who extracts it, not to the archive's owners */
#define VP_TAR_NO_SAME_OWNER "--no-same-owner"
/* extract: PATH is made, with the directories above it, if it is not there */
#define VP_TAR_MKDIR "--mkdir"
/* extract: device nodes are made (with the capability for it); they are refused otherwise */
#define VP_TAR_DEVICES "--devices"

/* args[0] of another one: it connects to a TCP port of the guest's loopback device, IPv4
 * or else IPv6, and carries what it reads from its stdin there and what comes from there
 * to its stdout, each direction until its end.
 *
 *   { VP_CONNECT_PROGRAM, PORT }
 *
 * The first byte of its stdout is VP_CONNECT_READY: it is connected, and what follows is
 * the peer's. Without it, stderr has a line of text. The container may be created,
 * running or paused, and is of no other interest: all share the guest's network. */
#define VP_CONNECT_PROGRAM "virtpod:connect"
#define VP_CONNECT_READY "+"
/* statuses besides 0 */
#define VP_CONNECT_REFUSED 2 /* nobody listens */
#define VP_CONNECT_FAILED 4

/* GetDiagnosticDataRequest.log_type: the answer is the ids of all processes of the
 * container, in the guest's pid namespace, one a line. */
#define VP_DIAGNOSTIC_PIDS "virtpod:pids"
/* Another one, container_id "": processes of the agent's own programs (above) are ended,
 * whichever container they are of, and nobody is going to ask for their status. For a
 * host that has come after another: it knows neither their ids nor who they were for. */
#define VP_DIAGNOSTIC_DISOWN "virtpod:disown"

/* Below the directory that the host shares with the guest: programs and kernel modules
 * that a guest needs when it is asked for its packet filter. The host shows them when the
 * agent answers GetIPTables or SetIPTables with UNIMPLEMENTED, and asks again. No id of a
 * container begins with a dot. */
#define VP_GUEST_TOOLS ".tools"
/* Most bytes of the rules of one of the two families. */
#define VP_IPTABLES_MAX (256 << 10)
