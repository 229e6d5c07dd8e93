/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes are a domain's: by what they were started with, and nothing else. */
#include "vp-virt-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-fd.h"

/* A process whose arguments are @args (0-terminated), and which does nothing. It has
 * them when this returns: a pipe closes at exec. */
static pid_t
spawn (const char *const *args)
{
  int fds[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      execv ("/bin/sh", (char *const *) args);
      _exit (127);
    }
  close (fds[1]);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 0);
  close (fds[0]);
  return pid;
}

/* what comes after it are only parameters of the script */
#define SLEEP "-c", "while :; do sleep 1; done", "sh"

static void
end (pid_t pid, int signum)
{
  int status;

  if (signum != 0)
    kill (pid, signum);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static void
test_domain (void)
{
  static const struct
  {
    const char *args[12];
    gboolean is_it;
    const char *uuid;
  } cases[] = {
    { { "qemu-system-x86_64", SLEEP, "-name", "guest=vp-a,debug-threads=on", NULL }, TRUE, NULL },
    { { "qemu-system-x86_64", SLEEP, "-name", "guest=vp-a,debug-threads=on", "-append", "-uuid=3", "-uuid", "7f67",
        NULL },
      TRUE,
      "7f67" },
    { { "qemu-system-x86_64", SLEEP, "-name", "guest=vp-a,,x,debug-threads=on", NULL }, FALSE, NULL },
    { { "qemu-system-x86_64", SLEEP, "-name", "guest=vp-ab,debug-threads=on", NULL }, FALSE, NULL },
    { { "qemu-system-x86_64", SLEEP, "-append", "guest=vp-a,debug-threads=on", NULL }, FALSE, NULL },
    { { "qemu-system-x86_64", SLEEP, "-name", NULL }, FALSE },
    { { "sleeper", SLEEP, "-name", "guest=vp-a,debug-threads=on", NULL }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      pid_t pid = spawn (cases[i].args);
      g_autofree char *uuid = NULL;

      g_test_message ("case %u", (guint) i);
      g_assert_cmpint (vp_virt_pid_is_domain (pid, "vp-a", &uuid), ==, cases[i].is_it);
      g_assert_cmpstr (uuid, ==, cases[i].uuid);
      end (pid, SIGKILL);
      g_assert_false (vp_virt_pid_is_domain (pid, "vp-a", NULL));
    }
}

static const struct
{
  const char *args[10];
  gboolean is_it;
} helpers[] = {
  { { "/usr/lib/qemu/virtiofsd", SLEEP, "--fd=4", "-o", "source=/run/x/vp-test-h/shared", NULL }, TRUE },
  { { "/usr/libexec/virtiofsd", SLEEP, "--fd=4", "--shared-dir", "/run/x/vp-test-h/shared", NULL }, TRUE },
  { { "virtiofsd", SLEEP, "--shared-dir=/run/x/vp-test-h/shared", NULL }, TRUE },
  { { "virtiofsd", SLEEP, "--shared-dir=/run/x/vp-test-h2/shared", NULL }, FALSE },
  { { "virtiofsd", SLEEP, "--shared-dir=/run/x/avp-test-h/shared", NULL }, FALSE },
  { { "virtiofsd", SLEEP, "--shared-dir=/run/x/vp-test-h", NULL }, FALSE },
  /* another daemon's, of the same name */
  { { "virtiofsd", SLEEP, "-o", "source=/run/y/vp-test-h/shared", NULL }, FALSE },
  { { "virtiofsd", SLEEP, "-o", "source=/other/run/x/vp-test-h/shared", NULL }, FALSE },
  { { "less", SLEEP, "source=/run/x/vp-test-h/shared", NULL }, FALSE },
  { { "virtiofsd", SLEEP, NULL }, FALSE },
};

static void
test_helper (void)
{
  g_autoptr (VpVirt) virt = vp_virt_new ("qemu:///system");
  pid_t pids[G_N_ELEMENTS (helpers)];
  guint n = 0;

  g_assert_cmpuint (vp_virt_end_helpers (virt, "vp-test-h"), ==, 0);
  vp_virt_set_directories (virt, "/run/x");

  for (gsize i = 0; i < G_N_ELEMENTS (helpers); i++)
    {
      pids[i] = spawn (helpers[i].args);
      g_test_message ("case %u", (guint) i);
      g_assert_cmpint (vp_virt_pid_is_helper (pids[i], "/run/x/vp-test-h"), ==, helpers[i].is_it);
      n += helpers[i].is_it ? 1 : 0;
    }
  g_assert_cmpuint (vp_virt_end_helpers (virt, ""), ==, 0);
  g_assert_cmpuint (vp_virt_end_helpers (virt, "x/vp-test-h"), ==, 0);
  g_assert_cmpuint (vp_virt_end_helpers (virt, "vp-test-h"), ==, n);
  for (gsize i = 0; i < G_N_ELEMENTS (helpers); i++)
    {
      /* the others live */
      if (!helpers[i].is_it)
        g_assert_cmpint (waitpid (pids[i], NULL, WNOHANG), ==, 0);
      end (pids[i], helpers[i].is_it ? 0 : SIGKILL);
    }
  g_assert_cmpuint (vp_virt_end_helpers (virt, "vp-test-h"), ==, 0);
}

#define RUN "/run/y/qemu"
#define NAME "vp-0123456789abcdef0"

/* of the domain NAME, of the libvirt that has RUN */
static const struct
{
  const char *args[10];
  gboolean is_it, is_one;
} passts[] = {
  { { "passt", SLEEP, "--one-off", "--socket", RUN "/passt/7-vp-0123456789abcdef0-net0.socket", NULL }, TRUE, TRUE },
  { { "/usr/bin/passt", SLEEP, "--socket", RUN "/passt/12-vp-0123456789abcdef0-net0.socket", NULL }, TRUE, TRUE },
  /* its hypervisor is there */
  { { "passt", SLEEP, "--socket", RUN "/passt/8-vp-0123456789abcdef0-net0.socket", NULL }, FALSE, FALSE },
  /* another domain's, another libvirt's, somebody's */
  { { "passt", SLEEP, "--socket", RUN "/passt/7-vp-0123456789abcdef1-net0.socket", NULL }, FALSE, TRUE },
  { { "passt", SLEEP, "--socket", RUN "/passt/7-vp-0123456789abcdef0-net01.socket", NULL }, FALSE, TRUE },
  { { "passt", SLEEP, "--socket", RUN "/passt/7-other-net0.socket", NULL }, FALSE, FALSE },
  { { "passt", SLEEP, "--socket", "/run/z/qemu/passt/7-vp-0123456789abcdef0-net0.socket", NULL }, FALSE, FALSE },
  { { "passt", SLEEP, "--pid", RUN "/passt/7-vp-0123456789abcdef0-net0.socket", NULL }, FALSE, FALSE },
  { { "passt", SLEEP, "--socket", NULL }, FALSE, FALSE },
  { { "less", SLEEP, "--socket", RUN "/passt/7-vp-0123456789abcdef0-net0.socket", NULL }, FALSE, FALSE },
};

static void
test_passt (void)
{
  const char *const hypervisor[]
      = { "/usr/bin/qemu-system-x86_64", SLEEP, "-netdev",
          "{\"type\":\"stream\",\"addr\":{\"path\":\"" RUN "/passt/8-vp-0123456789abcdef0-net0.socket\"}}", NULL };
  pid_t pids[G_N_ELEMENTS (passts)], qemu = spawn (hypervisor);
  guint n = 0, others = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (passts); i++)
    {
      pids[i] = spawn (passts[i].args);
      g_test_message ("case %u", (guint) i);
      g_assert_cmpint (vp_virt_pid_is_idle_passt (pids[i], RUN, NAME), ==, passts[i].is_it);
      g_assert_cmpint (vp_virt_pid_is_idle_passt (pids[i], RUN, NULL), ==, passts[i].is_one);
      n += passts[i].is_it ? 1 : 0;
      others += passts[i].is_one && !passts[i].is_it ? 1 : 0;
    }
  g_assert_cmpuint (vp_virt_end_idle_passts (RUN "x", NAME), ==, 0);
  /* by a name of which libvirt has the beginning only it could be another's */
  g_assert_cmpuint (vp_virt_end_idle_passts (RUN, NAME "123"), ==, 0);
  g_assert_cmpuint (vp_virt_end_idle_passts (RUN, NAME), ==, n);
  for (gsize i = 0; i < G_N_ELEMENTS (passts); i++)
    if (passts[i].is_it)
      end (pids[i], 0);
  g_assert_cmpuint (vp_virt_end_idle_passts (RUN, NULL), ==, others);
  for (gsize i = 0; i < G_N_ELEMENTS (passts); i++)
    if (!passts[i].is_it)
      {
        /* the others live */
        if (!passts[i].is_one)
          g_assert_cmpint (waitpid (pids[i], NULL, WNOHANG), ==, 0);
        end (pids[i], passts[i].is_one ? 0 : SIGKILL);
      }
  end (qemu, SIGKILL);
}

/* Another user's process is that user's, whatever it is called. */
static void
test_helper_of_another (void)
{
  const char *const args[] = { "virtiofsd", "-c", "echo; while :; do sleep 1; done", "sh",
                               "source=/run/x/vp-test-o/shared", NULL };
  g_autoptr (VpVirt) virt = vp_virt_new ("qemu:///system");
  int fds[2];
  char byte;
  pid_t pid;

  vp_virt_set_directories (virt, "/run/x");
  if (geteuid () != 0)
    {
      g_test_skip ("not root: no process of another user can be made");
      return;
    }
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      /* it says when it is the other user's */
      if (dup2 (fds[1], 1) == 1 && setgid (65534) == 0 && setuid (65534) == 0)
        execv ("/bin/sh", (char *const *) args);
      _exit (127);
    }
  close (fds[1]);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
  g_assert_false (vp_virt_pid_is_helper (pid, "/run/x/vp-test-o"));
  g_assert_cmpuint (vp_virt_end_helpers (virt, "vp-test-o"), ==, 0);
  end (pid, SIGKILL);
  close (fds[0]);
}

/* A process below a directory that looks like /proc. */
static void
describe (const char *proc, pid_t pid, const char *comm, const char *cmdline)
{
  g_autofree char *directory = g_strdup_printf ("%s/%d", proc, (int) pid);
  g_autofree char *comm_path = g_build_filename (directory, "comm", NULL);
  g_autofree char *cmdline_path = g_build_filename (directory, "cmdline", NULL);

  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (comm_path, comm, -1, NULL));
  g_assert_true (g_file_set_contents (cmdline_path, cmdline, -1, NULL));
}

static void
test_vhost (void)
{
  static const struct
  {
    const char *comm, *cmdline;
    gboolean is_it;
  } cases[] = {
    { "vhost-77\n", "", TRUE },
    { "vhost-77\n", "sleep", FALSE }, /* no thread of the kernel */
    { "vhost-777\n", "", FALSE },
    { "vhost-7\n", "", FALSE },
    { "kworker/0:1\n", "", FALSE },
  };
  g_autofree char *proc = g_dir_make_tmp ("virtpod-test-XXXXXX", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      describe (proc, (pid_t) i + 1, cases[i].comm, cases[i].cmdline);
      g_assert_cmpint (vp_virt_pid_is_vhost (proc, (pid_t) i + 1, 77), ==, cases[i].is_it);
    }
  g_assert_false (vp_virt_pid_is_vhost (proc, G_N_ELEMENTS (cases) + 1, 77));
  {
    g_autofree char *parent = g_path_get_dirname (proc);
    g_autofree char *name = g_path_get_basename (proc);
    VP_AUTO_FD fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_assert_true (vp_fd_remove_tree (fd, name, NULL));
  }
}

static void
test_processes (void)
{
  const char *const hypervisor[]
      = { "qemu-system-x86_64", SLEEP, "-name", "guest=vp-test-p,debug-threads=on", "-uuid",
          "0f0e0d0c-0b0a-4908-8706-050403020100", NULL };
  const char *const helper[] = { "virtiofsd", SLEEP, "--shared-dir=/run/x/vp-test-p/shared", NULL };
  const char *const other[] = { "virtiofsd", SLEEP, "--shared-dir=/run/x/vp-test-q/shared", NULL };
  g_autoptr (VpVirt) virt = vp_virt_new ("qemu:///system");
  pid_t pids[3];
  g_autoptr (GArray) none = NULL;
  g_autoptr (GArray) found = NULL;

  vp_virt_set_directories (virt, "/run/x");
  pids[1] = spawn (helper);
  pids[2] = spawn (other);
  none = vp_virt_find_processes (virt, "vp-test-p");
  g_assert_cmpuint (none->len, ==, 0);
  pids[0] = spawn (hypervisor);
  found = vp_virt_find_processes (virt, "vp-test-p");
  g_assert_cmpuint (found->len, ==, 2);
  g_assert_cmpint (g_array_index (found, pid_t, 0), ==, pids[0]);
  g_assert_cmpint (g_array_index (found, pid_t, 1), ==, pids[1]);
  for (gsize i = 0; i < G_N_ELEMENTS (pids); i++)
    end (pids[i], SIGKILL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/virt-pid/domain", test_domain);
  g_test_add_func ("/virt-pid/helper", test_helper);
  g_test_add_func ("/virt-pid/passt", test_passt);
  g_test_add_func ("/virt-pid/helper-of-another", test_helper_of_another);
  g_test_add_func ("/virt-pid/vhost", test_vhost);
  g_test_add_func ("/virt-pid/processes", test_processes);
  return g_test_run ();
}
