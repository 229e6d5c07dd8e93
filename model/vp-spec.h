/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* An OCI runtime spec: a bundle's config.json, checked and with the fields the
 * host looks at taken out; everything else stays reachable as JSON and goes to
 * the guest. Immutable and reference counted; getters borrow.
 *
 * Checked here: the document (see vp-json.h) and every field that the runtime
 * spec defines, by the table of vp-spec-table.h. What is wrong is
 * InvalidArgument, what virtpod cannot do is NotSupported; messages name file
 * and JSON path. */

typedef struct _VpSpec VpSpec;

typedef struct
{
  const char *destination;
  const char *type;           /* "" when absent */
  const char *source;         /* NULL when absent */
  const char *const *options; /* never NULL */
} VpSpecMount;

/* Opens @bundle (absolute) once, reads config.json beneath it, checks that the
 * root file system is there, and looks at the host for what a sandbox takes
 * from its first container's mounts (see vp_spec_get_dns()). NotFound (bundle, config.json, rootfs),
 * InvalidArgument, NotAuthorized. Blocks on the file system. */
VpSpec *vp_spec_load (const char *bundle, GError **error);

/* Pure: @bundle need not exist, it is only used to name the file and as the
 * base of relative paths. */
VpSpec *vp_spec_parse (const char *json, gsize len, const char *bundle, GError **error);

VpSpec *vp_spec_ref (VpSpec *spec);
void vp_spec_unref (VpSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpSpec, vp_spec_unref)

/* An O_PATH descriptor of the root file system's directory. A relative
 * root.path cannot lead out of the bundle, through symbolic links neither
 * (InvalidArgument); an absolute one is taken as it is. NotFound. -1 on error. */
int vp_spec_open_rootfs (VpSpec *spec, GError **error);

const char *vp_spec_get_bundle (VpSpec *spec);
const char *vp_spec_get_oci_version (VpSpec *spec);
const char *vp_spec_get_hostname (VpSpec *spec); /* NULL when absent */
/* Cut, at a character, to what a kernel has room for; "" when absent. */
char *vp_spec_dup_guest_hostname (VpSpec *spec);
VpJson *vp_spec_get_json (VpSpec *spec); /* the whole document */

/* root */
const char *vp_spec_get_root_path (VpSpec *spec); /* as written */
char *vp_spec_dup_root_path (VpSpec *spec);       /* absolute on the host */
gboolean vp_spec_get_root_readonly (VpSpec *spec);

/* process (vp-spec-process.c) */
gboolean vp_spec_get_terminal (VpSpec *spec);
const char *const *vp_spec_get_args (VpSpec *spec);
const char *const *vp_spec_get_env (VpSpec *spec);
const char *vp_spec_get_cwd (VpSpec *spec);

/* A further process in the container (vp-spec-exec.c): the spec's process with these changed. */
typedef struct
{
  const char *const *args; /* not empty */
  const char *const *env;  /* NAME=VALUE, added to (and replacing) the container's; may be NULL */
  const char *cwd;         /* absolute; NULL: the container's */
  const char *user;        /* "UID[:GID]"; NULL: the container's */
  const guint32 *additional_gids; /* groups beside the user's */
  gsize n_additional_gids;
  const char *const *capabilities; /* "CAP_...", beside the container's; may be NULL */
  gboolean no_new_privileges;      /* FALSE: as the container */
  gboolean terminal;
} VpSpecExec;

/* The OCI process document of an exec. InvalidArgument names the option ("cwd", "env[1]"...). */
VpJson *vp_spec_make_exec (VpSpec *spec, const VpSpecExec *exec, GError **error);

/* mounts (vp-spec-mount.c) */
guint vp_spec_get_n_mounts (VpSpec *spec);
const VpSpecMount *vp_spec_get_mount (VpSpec *spec, guint index);
gboolean vp_spec_mount_is_bind (const VpSpecMount *mount);      /* a host file or directory is wanted */
gboolean vp_spec_mount_is_read_only (const VpSpecMount *mount); /* the last of ro and rw wins */

/* What a sandbox takes from the mounts of its first container (vp-spec-sandbox.c) */
#define VP_SPEC_SHM_SIZE (G_GUINT64_CONSTANT (64) << 20) /* bytes; what engines give by default */
/* Lines of the host file that is mounted on /etc/resolv.conf, without comments;
 * empty when there is none or when the spec was not loaded but parsed. */
const char *const *vp_spec_get_dns (VpSpec *spec);
/* Bytes of the mount on /dev/shm: of the tmpfs of the host that is bound there,
 * or its option "size"; VP_SPEC_SHM_SIZE when it does not say. */
guint64 vp_spec_get_shm_size (VpSpec *spec);

/* hooks (vp-spec-hooks.c) */
typedef enum
{
  VP_HOOK_PRESTART,
  VP_HOOK_CREATE_RUNTIME,
  VP_HOOK_POSTSTART,
  VP_HOOK_POSTSTOP,
  VP_N_HOST_HOOKS,
} VpHookKind;
/* "createRuntime" */
const char *vp_hook_kind_name (VpHookKind kind);
/* The hooks of a kind as the document has them, in order: objects whose members
 * are checked ("path" is absolute). NULL when there are none. */
VpJson *vp_spec_get_hooks (VpSpec *spec, VpHookKind kind);
/* Where hooks are not run: NotSupported that names the first list that is not
 * empty. Leaving one out would give a container that was not prepared. */
gboolean vp_spec_check_no_hooks (VpSpec *spec, GError **error);

/* annotations */
const char *vp_spec_get_annotation (VpSpec *spec, const char *key); /* NULL when absent */
VpJson *vp_spec_get_annotations (VpSpec *spec);                     /* object of strings; NULL when absent */

/* linux (vp-spec-linux.c) */
/* Sysctls that belong to a network namespace: the guest's kernel gets them, not the container's runtime. */
#define VP_SPEC_NET_SYSCTL "net."
gboolean vp_spec_has_namespace (VpSpec *spec, const char *type);         /* "pid", "network", ... */
const char *vp_spec_get_namespace_path (VpSpec *spec, const char *type); /* NULL: none, or a new one */
/* For a container that is in no pod: VP_ERROR_NOT_SUPPORTED when it wants another's namespaces, but for the network. */
gboolean vp_spec_check_namespaces_alone (VpSpec *spec, GError **error);
gint64 vp_spec_get_memory_limit (VpSpec *spec);                          /* bytes; -1: none */
gint64 vp_spec_get_cpu_quota (VpSpec *spec);         /* microseconds in a period; -1: none */
guint64 vp_spec_get_cpu_period (VpSpec *spec);       /* microseconds; 0: not set */
guint64 vp_spec_get_cpu_shares (VpSpec *spec);       /* relative weight; 0: not set */
const char *vp_spec_get_cpus (VpSpec *spec);         /* host processors, "0-3,8"; NULL: any */
const char *vp_spec_get_mems (VpSpec *spec);         /* host memory nodes; NULL: any */
const char *vp_spec_get_cgroups_path (VpSpec *spec); /* as written; NULL: not set */
guint vp_spec_get_n_cpus (VpSpec *spec);             /* quota / period, rounded up; 0: no limit */
