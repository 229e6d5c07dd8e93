/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this project's agent understands beyond the protocol of the Kata Containers
 * agent. Each is a value of a field that the protocol has: an agent that does not
 * know it answers with an error, as it would for any name it has not heard of. */

/* ExecProcessRequest.process.args[0] of a process that is the agent's own: it reads
 * or writes a tar archive in the mount namespace and below the root of the container,
 * with the user of the request and at most the capabilities of the container. It is
 * an ordinary process otherwise (streams, signals, status).
 *
 *   { VP_TAR_PROGRAM, "create", PATH, OPTION... }    the archive is its stdout
 *   { VP_TAR_PROGRAM, "extract", PATH, OPTION... }   the archive is its stdin
 *
 * PATH is absolute. Statuses: 0; VP_TAR_INCOMPLETE: files could not be read or changed
 * meanwhile, the archive is whole without them; VP_TAR_FAILED: it stopped. Lines of
 * text on stderr tell why. A container that is not running has no such process, but
 * one that is only created has. */
#define VP_TAR_PROGRAM "virtpod:tar"
#define VP_TAR_CREATE "create"
#define VP_TAR_EXTRACT "extract"
#define VP_TAR_INCOMPLETE 1
#define VP_TAR_FAILED 2
/* create: if PATH is a symbolic link, what it leads to */
#define VP_TAR_OPTION_FOLLOW "follow"
/* create: a directory's content without the name of the directory */
#define VP_TAR_OPTION_CONTENTS "contents"
/* create: nothing of other file systems that are mounted below PATH */
#define VP_TAR_OPTION_ONE_FILE_SYSTEM "one-file-system"
/* extract: PATH is made, with the directories above it, if it is not there */
#define VP_TAR_OPTION_MKDIR "mkdir"
/* extract: everything belongs to who extracts it, not to the archive's owners */
#define VP_TAR_OPTION_NO_OWNER "no-owner"
/* extract: device nodes are made (with the capability for it); they are refused otherwise */
#define VP_TAR_OPTION_DEVICES "devices"

/* GetDiagnosticDataRequest.log_type: the answer is the ids of all processes of the
 * container, in the guest's pid namespace, one a line. */
#define VP_DIAGNOSTIC_PIDS "virtpod:pids"
