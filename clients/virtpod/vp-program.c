/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-program.h"

char *
vp_program_path (const char *name)
{
  const char *directory = g_getenv ("VIRTPOD_EXEC_PATH");

  return g_build_filename (directory != NULL && *directory != '\0' ? directory : VP_PKGLIBEXECDIR, name, NULL);
}
