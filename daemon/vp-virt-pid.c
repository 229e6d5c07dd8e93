/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-fd.h"
#include "vp-log.h"
#include "vp-names.h"

#define SYSTEM_RUN_DIR "/run/libvirt/qemu"
#define CMDLINE_MAX 65536
#define SHORT_NAME_MAX 20 /* of a domain's name in those of libvirt's files */

static char *
read_small_file (const char *path, gsize max, gsize *ret_len)
{
  VP_AUTO_FD fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  g_autofree char *text = NULL;
  gsize len = 0;

  if (fd < 0)
    return NULL;
  text = g_malloc (max + 1);
  while (len < max)
    {
      ssize_t n = read (fd, text + len, max - len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      len += (gsize) n;
    }
  text[len] = '\0';
  *ret_len = len;
  return g_steal_pointer (&text);
}

/* The argument after @option, the first time that is an argument of its own. */
static const char *
value_of (const char *args, gsize len, const char *option)
{
  const char *end = args + len;

  for (const char *p = args; p < end; p += strlen (p) + 1)
    if (g_str_equal (p, option))
      {
        p += strlen (p) + 1;
        return p < end ? p : NULL;
      }
  return NULL;
}

/* libvirt starts QEMU with "-name guest=NAME,debug-threads=on", a comma in NAME
 * doubled. Only the argument after -name counts: a guest's command line may be
 * made to look like anything. */
gboolean
vp_virt_pid_is_domain (pid_t pid, const char *name, char **ret_uuid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
  g_autofree char *wanted = NULL;
  g_autofree char *args = NULL;
  g_auto (GStrv) parts = g_strsplit (name, ",", -1);
  g_autofree char *escaped = g_strjoinv (",,", parts);
  const char *value;
  gsize len;

  args = read_small_file (path, CMDLINE_MAX, &len);
  if (args == NULL || strstr (args, "qemu") == NULL) /* argv[0] */
    return FALSE;

  wanted = g_strdup_printf ("guest=%s,", escaped);
  value = value_of (args, len, "-name");
  if (value == NULL || !g_str_has_prefix (value, wanted) || value[strlen (wanted)] == ',')
    return FALSE;
  if (ret_uuid != NULL)
    *ret_uuid = g_strdup (value_of (args, len, "-uuid"));
  return TRUE;
}

/* Another libvirt of this host may have a domain of the same name; libvirt makes
 * sure of the identifier. */
static gboolean
is_of_life (VpVirt *self, pid_t pid, const char *name)
{
  g_autofree char *uuid = NULL;

  return vp_virt_pid_is_domain (pid, name, &uuid) && vp_virt_life_may_be (self, name, uuid);
}

static pid_t
read_pid_file (const char *directory, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.pid", directory, name);
  g_autofree char *text = NULL;
  guint64 pid;
  gsize len;

  text = read_small_file (path, 32, &len);
  if (text == NULL || !g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXINT32, &pid, NULL))
    return 0;
  return (pid_t) pid;
}

/* The next process of *@dir; 0: there are no more. */
static pid_t
next_process (DIR *dir)
{
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    {
      guint64 pid;

      if (g_ascii_string_to_unsigned (entry->d_name, 10, 1, G_MAXINT32, &pid, NULL))
        return (pid_t) pid;
    }
  return 0;
}

/* For libvirt daemons whose run directory is not in our mount namespace. */
static pid_t
search_domain (VpVirt *self, const char *name)
{
  DIR *dir = opendir ("/proc");
  pid_t found;

  do
    found = next_process (dir);
  while (found != 0 && !is_of_life (self, found, name));
  if (dir != NULL)
    closedir (dir);
  return found;
}

char *
vp_virt_dup_run_dir (VpVirt *self)
{
  if (!self->local || (self->facts != NULL && !g_str_equal (vp_facts_get (self->facts)->driver, "QEMU")))
    return NULL;
  return self->embed != NULL ? vp_virt_embed_dup_run_dir (self->embed) : g_strdup (SYSTEM_RUN_DIR);
}

pid_t
vp_virt_find_pid (VpVirt *self, const char *domain_name)
{
  g_autofree char *run_dir = vp_virt_dup_run_dir (self);
  pid_t pid;

  if (run_dir == NULL || domain_name[0] == '\0' || strchr (domain_name, '/') != NULL)
    return 0;
  pid = read_pid_file (run_dir, domain_name);
  if (pid != 0 && is_of_life (self, pid, domain_name))
    return pid;
  return self->embed != NULL ? 0 : search_domain (self, domain_name);
}

VpPidwatch *
vp_virt_watch_process (VpVirt *self, const char *domain_name)
{
  pid_t pid = vp_virt_find_pid (self, domain_name);
  g_autoptr (VpPidwatch) watch = pid != 0 ? vp_pidwatch_open (pid, NULL) : NULL;

  /* again, now that the watch holds the process: the number may have been another's by then */
  if (watch == NULL || !is_of_life (self, pid, domain_name))
    return NULL;
  return g_steal_pointer (&watch);
}

/* ---- what libvirt starts beside a hypervisor --------------------------------------- */

/* virtiofsd serves "source=DIR" (QEMU's) or "--shared-dir DIR" (the one of its own), and
 * DIR is in the domain's directory. Another daemon's domain may have the same name. */
gboolean
vp_virt_pid_is_helper (pid_t pid, const char *directory)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
  g_autofree char *wanted = g_strdup_printf ("%s/", directory);
  g_autofree char *args = NULL;
  g_autofree char *base = NULL;
  const char *p;
  struct stat st;
  gsize len;

  args = read_small_file (path, CMDLINE_MAX, &len);
  if (args == NULL || len == 0 || stat (path, &st) < 0 || (st.st_uid != 0 && st.st_uid != geteuid ()))
    return FALSE;
  base = g_path_get_basename (args);
  if (!g_str_equal (base, "virtiofsd"))
    return FALSE;
  for (p = args; p < args + len; p += strlen (p) + 1)
    {
      const char *at = strstr (p, wanted);

      if (at != NULL && (at == p || at[-1] == '='))
        return TRUE;
    }
  return FALSE;
}

/* A hypervisor that is connected to @socket, or will be. */
static gboolean
runs_hypervisor_with (const char *socket)
{
  DIR *dir = opendir ("/proc");
  gboolean found = FALSE;
  pid_t pid;

  while (!found && (pid = next_process (dir)) != 0)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
      g_autofree char *args = NULL;
      gsize len;

      args = read_small_file (path, CMDLINE_MAX, &len);
      found = args != NULL && strstr (args, "qemu") != NULL && memmem (args, len, socket, strlen (socket)) != NULL;
    }
  if (dir != NULL)
    closedir (dir);
  return found;
}

/* libvirt starts passt with "--socket RUN/passt/ID-NAME-net0.socket", ID a number. It ends with
 * the hypervisor that is connected to it; one that nobody has come to waits for ever. Whose
 * process it is says nothing: passt runs as libvirt's user, or as nobody where that is root. */
gboolean
vp_virt_pid_is_idle_passt (pid_t pid, const char *run_dir, const char *domain_name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
  g_autofree char *start = g_strdup_printf ("%s/passt/", run_dir);
  g_autofree char *end = g_strdup_printf ("-%s-net0.socket", domain_name != NULL ? domain_name : "");
  g_autofree char *args = NULL;
  g_autofree char *base = NULL;
  const char *socket, *rest;
  gsize len;

  /* cut off, it may be another's that is just being started */
  if (domain_name != NULL && strlen (domain_name) > SHORT_NAME_MAX)
    return FALSE;
  args = read_small_file (path, CMDLINE_MAX, &len);
  if (args == NULL || len == 0)
    return FALSE;
  base = g_path_get_basename (args);
  socket = value_of (args, len, "--socket");
  if (!g_str_equal (base, "passt") || socket == NULL || !g_str_has_prefix (socket, start))
    return FALSE;
  rest = socket + strlen (start);
  rest += strspn (rest, "0123456789");
  return (domain_name != NULL ? g_str_equal (rest, end) : g_str_has_prefix (rest, "-" VP_DOMAIN_PREFIX))
         && !runs_hypervisor_with (socket);
}

guint
vp_virt_end_idle_passts (const char *run_dir, const char *domain_name)
{
  DIR *dir = opendir ("/proc");
  guint n = 0;
  pid_t pid;

  while ((pid = next_process (dir)) != 0)
    {
      g_autoptr (VpPidwatch) watch
          = vp_virt_pid_is_idle_passt (pid, run_dir, domain_name) ? vp_pidwatch_open (pid, NULL) : NULL;

      if (watch == NULL || !vp_virt_pid_is_idle_passt (pid, run_dir, domain_name)
          || !vp_pidwatch_kill (watch, SIGKILL, NULL))
        continue;
      vp_notice (NULL, NULL, "domain %s: passt %d was left over, killed", domain_name != NULL ? domain_name : "?",
                 (int) pid);
      n++;
    }
  if (dir != NULL)
    closedir (dir);
  return n;
}

guint
vp_virt_end_helpers (VpVirt *self, const char *domain_name)
{
  g_autofree char *directory = NULL;
  g_autofree char *run_dir = NULL;
  DIR *dir;
  guint n = 0;
  pid_t pid;

  if (!self->local || self->directories == NULL || domain_name[0] == '\0' || strchr (domain_name, '/') != NULL)
    return 0;
  directory = g_build_filename (self->directories, domain_name, NULL);
  dir = opendir ("/proc");
  while ((pid = next_process (dir)) != 0)
    {
      g_autoptr (VpPidwatch) watch = vp_virt_pid_is_helper (pid, directory) ? vp_pidwatch_open (pid, NULL) : NULL;

      if (watch == NULL || !vp_virt_pid_is_helper (pid, directory) || !vp_pidwatch_kill (watch, SIGKILL, NULL))
        continue;
      vp_notice (NULL, NULL, "domain %s: virtiofsd %d was left over, killed", domain_name, (int) pid);
      n++;
    }
  if (dir != NULL)
    closedir (dir);
  run_dir = vp_virt_dup_run_dir (self);
  return n + (run_dir != NULL ? vp_virt_end_idle_passts (run_dir, domain_name) : 0);
}

/* The kernel names it after the process that it works for; a process may have that name too, but no
 * thread of the kernel has a command line. */
gboolean
vp_virt_pid_is_vhost (const char *proc, pid_t pid, pid_t hypervisor)
{
  g_autofree char *comm_path = g_strdup_printf ("%s/%d/comm", proc, (int) pid);
  g_autofree char *line_path = g_strdup_printf ("%s/%d/cmdline", proc, (int) pid);
  g_autofree char *wanted = g_strdup_printf ("vhost-%d\n", (int) hypervisor);
  gsize len = 0;
  g_autofree char *comm = read_small_file (comm_path, 64, &len);
  g_autofree char *line = NULL;

  if (g_strcmp0 (comm, wanted) != 0)
    return FALSE;
  line = read_small_file (line_path, 1, &len);
  return line != NULL && len == 0;
}

GArray *
vp_virt_find_processes (VpVirt *self, const char *domain_name)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  pid_t hypervisor = vp_virt_find_pid (self, domain_name), pid;
  g_autofree char *directory = NULL;
  DIR *dir;

  if (hypervisor == 0)
    return pids;
  g_array_append_val (pids, hypervisor);
  directory = self->directories != NULL ? g_build_filename (self->directories, domain_name, NULL) : NULL;
  dir = opendir ("/proc");
  while ((pid = next_process (dir)) != 0)
    if ((directory != NULL && vp_virt_pid_is_helper (pid, directory)) || vp_virt_pid_is_vhost ("/proc", pid, hypervisor))
      g_array_append_val (pids, pid);
  if (dir != NULL)
    closedir (dir);
  return pids;
}
