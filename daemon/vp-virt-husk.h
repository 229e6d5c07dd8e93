/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What libvirt keeps of a start, or of an end, that it did not live to finish.
 *
 * Before a domain has a process, libvirt writes a file about it. When it is killed
 * then, it finds that file at its next start and takes the domain for one that is
 * being started, by nobody. It never looks at such a domain again (there is no
 * process to reconnect to), and it cannot be asked to: destroying it, as all that
 * changes a domain, waits for the end of the start and gives up after 30 seconds.
 * So it is in each list and has its name for ever, after restarts as well.
 *
 * Nothing runs, so nothing is lost with the file. A libvirt that has not read it
 * yet never will; one that has forgets the domain when it is started next; and
 * one that still lives and goes on with the start writes a new one as soon as
 * there is a process.
 *
 * At the end of a domain libvirt may write that file once more when it has let go of
 * QEMU's monitor already. When it is killed then it cannot read it at its next start:
 * it has forgotten the domain, and the file stays.
 *
 * Any thread. Files of domains that are not ours, or that have a process, are left
 * alone. */

/* Removes the file of one domain in libvirt's @run_dir. TRUE when there was one. */
gboolean vp_virt_husk_remove (const char *run_dir, const char *domain_name);

/* Removes all of them, for a libvirt that is not running. Returns how many. */
guint vp_virt_husk_remove_all (const char *run_dir);
