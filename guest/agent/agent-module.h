/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel modules of the guest image: see guest/image/modules.list. */

/* Those that every guest needs; what fails is logged. */
void agent_module_load_boot (void);

/* @name, of those that are loaded when something asks for them, behind what it
 * depends on. Once it is loaded this costs nothing. @list: the list's path, NULL for
 * the image's own. 0, -ENOENT: not in the list (built in, or an image made by others),
 * or -errno with the cause logged. */
int agent_module_load (const char *name, const char *list);
/* Loads what the file @list names, a file of @directory a line, in that order, but for those
 * that the kernel has. Blocks. 0, or -errno after a line of text to stderr. */
int agent_module_load_list (const char *list, const char *directory);
