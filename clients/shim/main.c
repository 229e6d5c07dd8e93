/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd-shim-virtpod-v2: containerd's Task service for one pod, by asking virtpodd.
 *
 * containerd runs it for each container: "start" prints the address of the pod's
 * shim, which it becomes for the first of them; "delete" tidies up after one. The shim
 * holds no streams and no processes: the daemon has them, and goes on with or
 * without it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim-address.h"
#include "shim-delete.h"
#include "shim-event.h"
#include "shim-logger.h"
#include "shim-loop.h"
#include "shim-options.h"
#include "shim-task.h"
#include "shim-util.h"
#include "vp-names.h"

#define USAGE \
  "Usage: containerd-shim-virtpod-v2 -namespace NAME -id ID [-address SOCKET]\n" \
  "         [-publish-binary PROGRAM] [-bundle DIR] [-debug] start|delete\n" \
  "       containerd-shim-virtpod-v2 -v\n" \
  "\n" \
  "Run by containerd; see containerd-shim-virtpod-v2(8).\n"

/* ---- serving --------------------------------------------------------------------- */

/* A process of a container ran out of memory: of a sandbox (o), "oom" (s), details (a{sv}). */
static void
on_signal (const VpBusMessage *signal_)
{
  const char *event = vp_bus_message_get_string (signal_, 1), *key, *type, *id = NULL;
  Event__TaskOnly oom = EVENT__TASK_ONLY__INIT;
  VpBusReader in = vp_bus_reader_of (signal_), details;

  if (strcmp (signal_->signature, "osa{sv}") != 0 || event == NULL || strcmp (event, "oom") != 0)
    return;
  if (vp_bus_reader_string (&in) == NULL || vp_bus_reader_string (&in) == NULL
      || vp_bus_reader_array (&in, 8, &details) < 0)
    return;
  while (vp_bus_reader_entry (&details, &key, &type) > 0)
    {
      if (strcmp (key, "container") == 0 && strcmp (type, "s") == 0)
        id = vp_bus_reader_string (&details);
      else if (vp_bus_reader_skip (&details, type) < 0)
        return;
    }
  if (id == NULL || shim_task_find (id) == NULL)
    return;
  oom.container_id = (char *) id;
  shim_event_send ("/tasks/oom", "TaskOOM", &oom);
}

static void
serve (int fd, const ShimOptions *options)
{
  static const char *const services[] = { "containerd.task.v2.Task", "containerd.task.v3.Task", NULL };
  static const ShimMethod methods[] = {
    { "State", &task__process_request__descriptor, shim_rpc_state },
    { "Create", &task__create_task_request__descriptor, shim_rpc_create },
    { "Start", &task__process_request__descriptor, shim_rpc_start },
    { "Delete", &task__process_request__descriptor, shim_rpc_delete },
    { "Pids", &task__task_request__descriptor, shim_rpc_pids },
    { "Pause", &task__task_request__descriptor, shim_rpc_pause },
    { "Resume", &task__task_request__descriptor, shim_rpc_resume },
    { "Checkpoint", &task__task_request__descriptor, shim_rpc_checkpoint },
    { "Kill", &task__kill_request__descriptor, shim_rpc_kill },
    { "Exec", &task__exec_process_request__descriptor, shim_rpc_exec },
    { "ResizePty", &task__resize_pty_request__descriptor, shim_rpc_resize_pty },
    { "CloseIO", &task__close_iorequest__descriptor, shim_rpc_close_io },
    { "Update", &task__update_task_request__descriptor, shim_rpc_update },
    { "Wait", &task__process_request__descriptor, shim_rpc_wait },
    { "Stats", &task__task_request__descriptor, shim_rpc_stats },
    { "Connect", &task__task_request__descriptor, shim_rpc_connect },
    { "Shutdown", &task__task_request__descriptor, shim_rpc_shutdown },
    { NULL, NULL, NULL },
  };

  if (shim_loop_init () < 0)
    return;
  shim_daemon_init (shim_bus_address (), on_signal);
  shim_logger_init (options->namespace_);
  shim_event_init (getenv ("TTRPC_ADDRESS"), options->publish, options->address, options->namespace_);
  shim_server_start (fd, services, methods);
  shim_loop_run ();
  shim_server_flush ();
}

/* ---- start ----------------------------------------------------------------------- */

/* The pod's shim: nothing of the process that containerd waits for is left. */
static void
become_shim (int fd, const char *socket_, const ShimOptions *options)
{
  static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
  int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC);

  shim_log_open ("log");
  (void) setsid ();
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    (void) signal (ignored[i], SIG_IGN);
  for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
    (void) dup2 (nothing, i);
  (void) close (nothing);
  (void) chdir ("/");
  serve (fd, options);
  (void) unlink (socket_);
  (void) close (fd);
  shim_logger_quit ();
}

static int
print_address (const char *path)
{
  char *address = shim_printf ("unix://%s", path), *answer;
  int fd = open ("address", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  size_t len = strlen (address), answer_len;
  int ok;

  /* containerd 1.7 and later say which version of it they know, and take JSON then; the
   * address alone means the same to all of them */
  answer = getenv ("MAX_SHIM_VERSION") != NULL
               ? shim_printf ("{\"version\":2,\"address\":\"%s\",\"protocol\":\"ttrpc\"}", address)
               : shim_strdup (address);
  answer_len = strlen (answer);
  /* containerd finds us again by the file after a restart of its own */
  ok = fd >= 0 && write (fd, address, len) == (ssize_t) len
       && write (STDOUT_FILENO, answer, answer_len) == (ssize_t) answer_len;
  if (!ok)
    shim_log ("address: %s", strerror (errno));
  if (fd >= 0)
    (void) close (fd);
  free (answer);
  free (address);
  return ok ? 0 : -1;
}

static int
listen_and_fork (const char *path, const ShimOptions *options)
{
  int fd, error = shim_address_listen (path, &fd);
  pid_t pid;

  if (error == -EADDRINUSE) /* a shim for this pod is there */
    return print_address (path) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
  if (error < 0)
    {
      shim_log ("%s: %s", path, strerror (-error));
      return EXIT_FAILURE;
    }
  /* after a start that fails containerd calls nobody to tidy up */
  if (print_address (path) < 0 || (pid = fork ()) < 0)
    {
      (void) unlink (path);
      return EXIT_FAILURE;
    }
  if (pid == 0)
    become_shim (fd, path, options);
  return EXIT_SUCCESS;
}

static int
start (const ShimOptions *options)
{
  char group[SHIM_GROUP_MAX], *json = NULL, *path;
  size_t len = 0;
  int status, error;

  if (options->bundle != NULL && chdir (options->bundle) < 0)
    {
      shim_log ("%s: %s", options->bundle, strerror (errno));
      return EXIT_FAILURE;
    }
  error = shim_read_file (VP_FILE_OCI_CONFIG, VP_JSON_MAX_BYTES, &json, &len);
  if (error == 0)
    error = shim_address_read_group (json, len, group);
  free (json);
  if (error < 0)
    {
      shim_log (VP_FILE_OCI_CONFIG ": %s",
                error == -EINVAL ? "no JSON, or the pod it names is no id" : strerror (-error));
      return EXIT_FAILURE;
    }
  path = shim_address_new (options->address, options->namespace_, *group != '\0' ? group : options->id);
  status = listen_and_fork (path, options);
  free (path);
  return status;
}

int
main (int argc, char **argv)
{
  ShimOptions options;
  char *why = NULL;

  if (shim_options_parse (&options, argc, argv, &why) < 0)
    {
      shim_log ("containerd-shim-virtpod-v2: %s", why);
      free (why);
      return 2;
    }
  if (options.help || options.version)
    {
      (void) fputs (options.help ? USAGE : "containerd-shim-virtpod-v2 " PACKAGE_VERSION "\n", stdout);
      return EXIT_SUCCESS;
    }
  return strcmp (options.verb, "start") == 0 ? start (&options) : shim_delete (&options);
}
