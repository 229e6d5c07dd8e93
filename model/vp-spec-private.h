/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* Shared by the vp-spec*.c rooms only. Each parser checks its part of the
 * document and fills its fields; strings are borrowed from the document. */
struct _VpSpec
{
  gatomicrefcount ref_count;
  char *bundle;
  VpJson *json;
  const char *oci_version;
  const char *hostname;
  VpJson *annotations;

  const char *root_path;
  gboolean root_readonly;

  VpJson *process;
  gboolean terminal;
  char **args;
  char **env;
  const char *cwd;

  GArray *mounts; /* of VpSpecMount; options are owned */
  char **dns;     /* NULL: not looked at */
  guint64 shm_size;

  VpJson *linux_json;
  VpJson *namespaces;
  gint64 memory_limit;
  gint64 cpu_quota;
  guint64 cpu_period;
};

gboolean vp_spec_parse_process (VpSpec *spec, GError **error);
gboolean vp_spec_parse_mounts (VpSpec *spec, GError **error);
gboolean vp_spec_parse_linux (VpSpec *spec, GError **error);

/* Looks at the host, never fails: what cannot be read is as if it were not there. */
void vp_spec_gather (VpSpec *spec);
