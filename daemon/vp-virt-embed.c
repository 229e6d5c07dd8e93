/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-embed.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-log.h"
#include "vp-pidwatch.h"
#include "vp-virt-husk.h"
#include "vp-virt-private.h"

#define SWEEP_MS 10
#define LINGER_USEC (2 * G_USEC_PER_SEC)

struct _VpVirtEmbed
{
  grefcount refs;
  char *root;
  guint holds;
  guint sweep_id;
  gint64 linger_until;
  GHashTable *adopted; /* pid -> VpPidwatch */
  gboolean is_reaper;
};

/* virtlogd does not run here, so the hypervisor's log is a plain file. All else
 * stays as libvirt is built: unprivileged user, namespaces, seccomp, labels. */
/* The filter: libvirt asks QEMU for each of about 400 processor properties by a
 * call of its own unless it must do with the older way, which takes one. */
#define CONF_BASE                                                                                            \
  "# made by virtpodd for libvirt's embedded driver; edit freely, it is kept\n"                              \
  "stdio_handler = \"file\"\n"                                                                              \
  "# reads the guest's processor by one call to QEMU instead of hundreds\n"                                  \
  "capability_filters = [ \"cpu-unavailable-features\" ]\n"

/* libvirt probes QEMU with the right to open any file and then finds that its
 * QEMU user may not open /dev/kvm: it takes what it has just learned for
 * outdated and probes again at every use, seconds for each domain. */
#define CONF_ROOT                                                                                            \
  "# /dev/kvm is closed to libvirt's own user here, which makes libvirt 9 probe\n"                           \
  "# QEMU anew for every domain. As root QEMU still has no capabilities.\n"                                  \
  "user = \"root\"\n"                                                                                        \
  "group = \"root\"\n"

VpVirtEmbed *
vp_virt_embed_new (const char *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_ENCODED_QUERY, NULL);
  g_autoptr (GHashTable) params = NULL;
  const char *root = NULL;
  VpVirtEmbed *self;

  if (parsed == NULL || !g_str_equal (g_uri_get_path (parsed), "/embed") || g_uri_get_query (parsed) == NULL)
    return NULL;
  params = g_uri_parse_params (g_uri_get_query (parsed), -1, "&;", G_URI_PARAMS_NONE, NULL);
  if (params != NULL)
    root = g_hash_table_lookup (params, "root");
  if (root == NULL || root[0] != '/')
    return NULL;

  self = g_new0 (VpVirtEmbed, 1);
  g_ref_count_init (&self->refs);
  self->root = g_strdup (root);
  self->adopted = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
  return self;
}

VpVirtEmbed *
vp_virt_embed_ref (VpVirtEmbed *self)
{
  g_ref_count_inc (&self->refs);
  return self;
}

void
vp_virt_embed_unref (VpVirtEmbed *self)
{
  if (self == NULL || !g_ref_count_dec (&self->refs))
    return;
  g_clear_handle_id (&self->sweep_id, g_source_remove);
  g_hash_table_unref (self->adopted);
  g_free (self->root);
  g_free (self);
}

const char *
vp_virt_embed_get_root (VpVirtEmbed *self)
{
  return self->root;
}

char *
vp_virt_embed_dup_run_dir (VpVirtEmbed *self)
{
  return g_build_filename (self->root, "run", "qemu", NULL);
}

/* FALSE only when it is certain. */
static gboolean
user_may_use_kvm (void)
{
  static const char *const names[] = { "libvirt-qemu", "qemu" }; /* Debian's, Fedora's */
  const struct passwd *pw = NULL;
  struct passwd buffer;
  char text[4096];
  gid_t groups[64];
  int n_groups = G_N_ELEMENTS (groups);
  struct stat st;

  if (geteuid () != 0 || stat ("/dev/kvm", &st) < 0)
    return TRUE;
  for (gsize i = 0; pw == NULL && i < G_N_ELEMENTS (names); i++)
    (void) getpwnam_r (names[i], &buffer, text, sizeof text, (struct passwd **) &pw);
  if (pw == NULL || (st.st_mode & 0006) == 0006 || (pw->pw_uid == st.st_uid && (st.st_mode & 0600) == 0600))
    return TRUE;
  if (getgrouplist (pw->pw_name, pw->pw_gid, groups, &n_groups) < 0)
    return TRUE;
  for (int i = 0; i < n_groups; i++)
    if (groups[i] == st.st_gid)
      return (st.st_mode & 0060) == 0060;
  return FALSE;
}

gboolean
vp_virt_embed_prepare (VpVirtEmbed *self, GError **error)
{
  g_autofree char *etc = g_build_filename (self->root, "etc", NULL);
  g_autofree char *run_dir = vp_virt_embed_dup_run_dir (self);
  VP_AUTO_FD dir = -1;
  const char *conf;

  if (g_mkdir_with_parents (self->root, 0755) < 0)
    return vp_error_set_errno (error, errno, "libvirt root \"%s\"", self->root);
  /* of starts that ended with the last daemon */
  (void) vp_virt_husk_remove_all (run_dir);
  (void) vp_virt_end_idle_passts (run_dir, NULL);
  if (mkdir (etc, 0700) < 0 && errno != EEXIST)
    return vp_error_set_errno (error, errno, "libvirt root \"%s\"", etc);
  dir = vp_fd_open (etc, O_RDONLY | O_DIRECTORY, "libvirt root", error);
  if (dir < 0)
    return FALSE;
  if (faccessat (dir, "qemu.conf", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    return TRUE;
  conf = user_may_use_kvm () ? CONF_BASE : CONF_BASE CONF_ROOT;
  return vp_fd_replace_file (dir, "qemu.conf", conf, strlen (conf), error);
}

/* ---- orphans ------------------------------------------------------------- */

typedef struct
{
  char comm[17];
  pid_t session;
} Stat;

static gboolean
read_stat (pid_t pid, Stat *ret_stat)
{
  char path[64], text[512];
  VP_AUTO_FD fd = -1;
  const char *open_paren, *close_paren;
  int session;
  ssize_t n;

  g_snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  n = read (fd, text, sizeof text - 1);
  if (n <= 0)
    return FALSE;
  text[n] = '\0';
  /* pid (comm) state ppid pgrp session ...; comm may hold anything, so from its last ')' */
  open_paren = strchr (text, '(');
  close_paren = strrchr (text, ')');
  if (open_paren == NULL || close_paren == NULL || close_paren < open_paren
      || sscanf (close_paren + 1, " %*c %*d %*d %d", &session) != 1)
    return FALSE;
  g_strlcpy (ret_stat->comm, open_paren + 1, MIN (sizeof ret_stat->comm, (gsize) (close_paren - open_paren)));
  ret_stat->session = session;
  return TRUE;
}

/* A child of ours that somebody else forked. Daemonizing means a session of its
 * own, in which the surviving process is not the leader; nothing that virtpodd
 * or libvirt forks and waits for is like that. QEMU's and virtiofsd's own
 * middle processes do lead one, and so does passt, hence the names; that of
 * 2026_10_02 leaves another one behind, in our own session. */
static gboolean
is_orphan (pid_t pid)
{
  Stat st;

  if (!read_stat (pid, &st))
    return FALSE;
  if (g_str_has_prefix (st.comm, "passt"))
    return TRUE;
  if (st.session == getsid (0))
    return FALSE;
  return st.session != pid || g_str_has_prefix (st.comm, "qemu-") || g_str_has_prefix (st.comm, "virtiofsd");
}

static void
on_orphan_exited (VpPidwatch *watch, VpVirtEmbed *self)
{
  /* the signal holds a reference on the watch */
  g_hash_table_remove (self->adopted, GINT_TO_POINTER (vp_pidwatch_get_pid (watch)));
}

static void
adopt (VpVirtEmbed *self, pid_t pid)
{
  VpPidwatch *watch;

  if (g_hash_table_contains (self->adopted, GINT_TO_POINTER (pid)) || !is_orphan (pid))
    return;
  watch = vp_pidwatch_open (pid, NULL);
  if (watch == NULL)
    return;
  g_signal_connect (watch, "exited", G_CALLBACK (on_orphan_exited), self);
  g_hash_table_insert (self->adopted, GINT_TO_POINTER (pid), watch);
}

/* Orphans become children of the first thread; what worker threads fork is in
 * the lists of those threads, so virCommand's children do not even show up. */
static void
sweep (VpVirtEmbed *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int) getpid ());
  g_autofree char *text = NULL;
  const char *p;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  for (p = text; *p != '\0';)
    {
      char *end;
      gint64 pid = g_ascii_strtoll (p, &end, 10);

      if (end == p)
        break;
      adopt (self, (pid_t) pid);
      p = end;
    }
}

static gboolean
on_sweep (gpointer data)
{
  VpVirtEmbed *self = data;

  sweep (self);
  if (self->holds > 0 || g_get_monotonic_time () < self->linger_until)
    return G_SOURCE_CONTINUE;
  self->sweep_id = 0;
  return G_SOURCE_REMOVE;
}

void
vp_virt_embed_hold (VpVirtEmbed *self)
{
  if (!self->is_reaper && prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    vp_warning (NULL, NULL, "cannot reap hypervisors, stopping them will be slow: %s", g_strerror (errno));
  self->is_reaper = TRUE;
  self->holds++;
  if (self->sweep_id == 0)
    self->sweep_id = g_timeout_add_full (G_PRIORITY_HIGH, SWEEP_MS, on_sweep, self, NULL);
}

void
vp_virt_embed_release (VpVirtEmbed *self)
{
  self->holds--;
  self->linger_until = g_get_monotonic_time () + LINGER_USEC;
}

guint
vp_virt_embed_get_n_adopted (VpVirtEmbed *self)
{
  return g_hash_table_size (self->adopted);
}
