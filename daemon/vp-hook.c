/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

#define STDERR_KEPT 512
#define PIPE_READS 32       /* what a full pipe holds; somebody in the background may go on writing */
#define KILLED_WAIT_MS 5000 /* for the end of a process that was killed; it may hang in the kernel */

/* What the program starts with. Everything is made before fork (): the child of
 * a process with threads may do little. */
typedef struct
{
  const VpHostHook *hook;
  char *directory;
  char *netns;
  VpOciState state; /* owned, but for the status */
  gboolean own_pid;
  gint64 timeout_ms;
  GCancellable *cancellable;
} Job;

/* What could not be done in the child, told through a pipe that a successful exec closes. */
typedef struct
{
  enum
  {
    STAGE_NETNS,
    STAGE_DIRECTORY,
    STAGE_EXEC
  } stage;
  int error;
} Report;

typedef struct
{
  pid_t pid;
  int pidfd;
  int report;
  int output; /* its stderr */
  char tail[STDERR_KEPT];
  gsize tail_len;
} Child;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->directory);
  g_free (job->netns);
  g_free ((char *)job->state.id);
  g_free ((char *)job->state.bundle);
  g_clear_pointer (&job->state.spec, vp_spec_unref);
  g_clear_object (&job->cancellable);
  g_free (job);
}

static gboolean
fail (GError **error, const Job *job, VpError code, const char *why)
{
  g_autofree char *shown = g_strescape (job->hook->path, NULL);

  g_set_error (error, VP_ERROR, (int)code, "hook %s \"%s\": %s", vp_hook_kind_name (job->hook->kind), shown,
               why);
  return FALSE;
}

/* ---- the child: only what is safe after fork () ---- */

static void
report (int fd, int stage)
{
  Report told = { .stage = stage, .error = errno };

  (void)!write (fd, &told, sizeof told);
  _exit (127);
}

static void
reset_signals (void)
{
  struct sigaction normal = { .sa_handler = SIG_DFL };
  sigset_t none;

  for (int i = 1; i < NSIG; i++)
    (void)sigaction (i, &normal, NULL);
  sigemptyset (&none);
  (void)sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Until its stdin is written. */
static void
wait_for_go (int go)
{
  char word;
  ssize_t n;

  do
    n = read (go, &word, 1);
  while (n < 0 && errno == EINTR);
  if (n != 1)
    _exit (127);
}

static void
run_child (const Job *job, char *const *args, char *const *env, int input, int output, int told, int go)
{
  int null;

  (void)setpgid (0, 0);
  reset_signals ();
  wait_for_go (go);
  if (job->netns != NULL)
    {
      /* a FIFO must not make us wait: setns () finds out that it is none */
      int netns = open (job->netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

      if (netns < 0 || setns (netns, CLONE_NEWNET) < 0)
        report (told, STAGE_NETNS);
    }
  if (chdir (job->directory) < 0)
    report (told, STAGE_DIRECTORY);
  null = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0 || dup2 (input, 0) < 0 || dup2 (null, 1) < 0 || dup2 (output, 2) < 0
      || close_range (3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
    report (told, STAGE_EXEC);
  (void)execve (job->hook->path, args, env);
  report (told, STAGE_EXEC);
}

/* ---- the parent, on a worker ---- */

/* A file in memory: nobody has to write to a pipe that is not read. Written once
 * its reader, whose number may be in it, is there. */
static gboolean
write_input (int fd, const Job *job, pid_t pid)
{
  VpOciState state = job->state;
  g_autofree char *text = NULL;
  gsize len, done = 0;

  if (job->own_pid)
    state.pid = (guint)pid;
  text = vp_oci_state_to_json (&state);
  len = strlen (text);
  while (done < len)
    {
      ssize_t n = write (fd, text + done, len - done);

      if (n < 0 && errno != EINTR)
        return FALSE;
      done += n > 0 ? (gsize)n : 0;
    }
  return lseek (fd, 0, SEEK_SET) == 0
         && fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* Above the numbers of the standard streams, should the daemon have been started without them. */
static gboolean
open_pipe (int fds[2])
{
  int raw[2];

  if (pipe2 (raw, O_CLOEXEC) < 0)
    return FALSE;
  for (int i = 0; i < 2; i++)
    {
      fds[i] = fcntl (raw[i], F_DUPFD_CLOEXEC, 3);
      close (raw[i]);
    }
  return fds[0] >= 0 && fds[1] >= 0 && fcntl (fds[0], F_SETFL, O_NONBLOCK) == 0;
}

/* With all that it started. */
static void
end_child (const Child *child)
{
  struct pollfd end = { .fd = child->pidfd, .events = POLLIN };
  siginfo_t info;

  (void)kill (-child->pid, SIGKILL);
  if (poll (&end, 1, KILLED_WAIT_MS) == 1)
    (void)waitid (P_PIDFD, (id_t)child->pidfd, &info, WEXITED);
}

static gboolean
spawn (const Job *job, Child *child, GError **error)
{
  static char *const nothing[] = { NULL };
  char *const alone[] = { job->hook->path, NULL };
  char *const *args = job->hook->args != NULL && job->hook->args[0] != NULL ? job->hook->args : alone;
  char *const *env = job->hook->env != NULL ? job->hook->env : nothing;
  int output[2] = { -1, -1 }, told[2] = { -1, -1 }, go[2] = { -1, -1 };
  VP_AUTO_FD raw = memfd_create ("hook-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  VP_AUTO_FD input = raw < 0 ? -1 : fcntl (raw, F_DUPFD_CLOEXEC, 3);
  gboolean ready = input >= 0 && open_pipe (output) && open_pipe (told) && open_pipe (go)
                   && fcntl (go[0], F_SETFL, 0) == 0;
  int saved;

  child->pid = ready ? fork () : -1;
  if (child->pid == 0)
    run_child (job, args, env, input, output[1], told[1], go[0]);
  if (child->pid > 0)
    ready = write_input (input, job, child->pid) && write (go[1], "", 1) == 1;
  saved = errno;
  for (int *fd = (int[]){ output[1], told[1], go[0], go[1], -2 }; *fd != -2; fd++)
    if (*fd >= 0)
      close (*fd);
  child->output = output[0];
  child->report = told[0];
  if (child->pid < 0)
    return vp_error_set_errno (error, saved, "it cannot be started");
  (void)setpgid (child->pid, child->pid); /* whoever is first; it must hold before a kill */
  child->pidfd = pidfd_open (child->pid, 0);
  if (ready)
    return TRUE;
  end_child (child);
  return vp_error_set_errno (error, saved, "its stdin");
}

/* FALSE at its end. */
static gboolean
read_output (Child *child)
{
  char buffer[4096];
  ssize_t n = read (child->output, buffer, sizeof buffer);
  gsize len;

  if (n <= 0)
    return n < 0 && (errno == EAGAIN || errno == EINTR);
  len = MIN ((gsize)n, sizeof child->tail);
  if (child->tail_len + len > sizeof child->tail)
    {
      gsize keep = sizeof child->tail - len;

      memmove (child->tail, child->tail + child->tail_len - keep, keep);
      child->tail_len = keep;
    }
  memcpy (child->tail + child->tail_len, buffer + n - len, len);
  child->tail_len += len;
  return TRUE;
}

/* Until it ends: TRUE; or its time is over or it is not wanted any more. */
static gboolean
wait_for_end (const Job *job, Child *child, GError **error)
{
  gint64 end = g_get_monotonic_time () + job->timeout_ms * 1000;
  GPollFD cancel = { .fd = -1 };
  gboolean ended = FALSE;
  gboolean reading = TRUE;
  struct pollfd fds[3] = { { .fd = child->pidfd, .events = POLLIN }, { .events = POLLIN }, { .fd = -1 } };

  if (job->cancellable != NULL && g_cancellable_make_pollfd (job->cancellable, &cancel))
    fds[2] = (struct pollfd){ .fd = cancel.fd, .events = POLLIN };
  while (!ended)
    {
      gint64 left = end - g_get_monotonic_time ();

      fds[1].fd = reading ? child->output : -1;
      if (left <= 0)
        {
          g_autofree char *why
              = g_strdup_printf ("no end within %.3g s, it was killed", (double)job->timeout_ms / 1000);

          fail (error, job, VP_ERROR_TIMED_OUT, why);
          break;
        }
      if (poll (fds, G_N_ELEMENTS (fds), (int)MIN (left / 1000 + 1, G_MAXINT)) <= 0)
        continue;
      if (reading && fds[1].revents != 0)
        reading = read_output (child);
      ended = fds[0].revents != 0;
      if (!ended && fds[2].revents != 0)
        {
          fail (error, job, VP_ERROR_CANCELLED, "killed, as what it was for was given up");
          break;
        }
    }
  if (cancel.fd >= 0)
    g_cancellable_release_fd (job->cancellable);
  return ended;
}

static gboolean
check_report (const Job *job, Child *child, GError **error)
{
  g_autofree char *why = NULL;
  Report told;

  if (read (child->report, &told, sizeof told) != sizeof told)
    return TRUE;
  switch (told.stage)
    {
    case STAGE_NETNS:
      why = g_strdup_printf ("network namespace \"%s\": %s", job->netns, g_strerror (told.error));
      break;
    case STAGE_DIRECTORY:
      why = g_strdup_printf ("working directory \"%s\": %s", job->directory, g_strerror (told.error));
      break;
    default:
      why = g_strdup (g_strerror (told.error));
    }
  return fail (error, job,
               told.stage == STAGE_EXEC && told.error == ENOENT ? VP_ERROR_NOT_FOUND : VP_ERROR_FAILED, why);
}

static gboolean
check_status (const Job *job, Child *child, const siginfo_t *info, GError **error)
{
  g_autofree char *said = NULL;
  g_autofree char *why = NULL;

  if (info->si_code == CLD_EXITED && info->si_status == 0)
    return TRUE;
  for (guint i = 0; i < PIPE_READS; i++)
    {
      errno = 0;
      if (!read_output (child) || errno == EAGAIN)
        break;
    }
  said = g_strndup (child->tail, child->tail_len);
  g_strdelimit (g_strstrip (said), "\n", '|');
  why = g_strdup_printf ("%s %d%s%s", info->si_code == CLD_EXITED ? "exit status" : "ended by signal",
                         info->si_status, *said != '\0' ? ": " : "", said);
  return fail (error, job, VP_ERROR_FAILED, why);
}

static gboolean
run_hook (const Job *job, GError **error)
{
  Child child = { .pid = -1, .pidfd = -1, .report = -1, .output = -1 };
  siginfo_t info = { 0 };
  gboolean ok;

  if (!spawn (job, &child, error))
    {
      g_autofree char *why = g_strdup ((*error)->message);

      g_clear_error (error);
      ok = fail (error, job, VP_ERROR_FAILED, why);
    }
  else if (!(ok = wait_for_end (job, &child, error)))
    end_child (&child);
  else if (waitid (P_PIDFD, (id_t)child.pidfd, &info, WEXITED) < 0)
    ok = fail (error, job, VP_ERROR_FAILED, "its status was lost");
  else
    ok = check_report (job, &child, error) && check_status (job, &child, &info, error);
  for (int *fd = (int[]){ child.pidfd, child.report, child.output, -2 }; *fd != -2; fd++)
    if (*fd >= 0)
      close (*fd);
  return ok;
}

static void
run_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (run_hook (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
vp_hook_run_async (VpWorker *worker, const VpHookCall *call, GCancellable *cancellable,
                   GAsyncReadyCallback callback, gpointer user_data)
{
  Job *job = g_new0 (Job, 1);

  job->hook = call->hook;
  job->directory = g_strdup (call->directory);
  job->netns = g_strdup (call->netns);
  job->state = call->state;
  job->state.id = g_strdup (call->state.id);
  job->state.status = g_intern_string (call->state.status);
  job->state.bundle = g_strdup (call->state.bundle);
  if (call->state.spec != NULL)
    job->state.spec = vp_spec_ref (call->state.spec);
  job->own_pid = call->own_pid;
  job->timeout_ms = call->hook->timeout > 0 ? call->hook->timeout * 1000 : (gint64)call->timeout_ms;
  g_set_object (&job->cancellable, cancellable);
  vp_worker_run_async (worker, NULL, vp_hook_run_async, run_in_worker, job, job_free, cancellable, callback,
                       user_data);
}

gboolean
vp_hook_run_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
