/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where a program of ours is that users do not call: the installed one, or that of
 * the directory which the environment names. */
char *vp_program_path (const char *name);
