/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd-shim-virtpod-v2: containerd's Task and Sandbox services for one pod, by asking virtpodd.
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

#include "sandbox.pb-c.h"
#include "shim-address.h"
#include "shim-bootstrap.h"
#include "shim-delete.h"
#include "shim-event.h"
#include "shim-logger.h"
#include "shim-loop.h"
#include "shim-options.h"
#include "shim-pod.h"
#include "shim-sandbox.h"
#include "shim-task.h"
#include "shim-util.h"
#include "vp-names.h"

#define USAGE \
  "Usage: containerd-shim-virtpod-v2 -namespace NAME -id ID [-address SOCKET]\n" \
  "         [-publish-binary PROGRAM] [-bundle DIR] [-debug] start|delete\n" \
  "       containerd-shim-virtpod-v2 -v\n" \
  "       containerd-shim-virtpod-v2 -info\n" \
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

static const ShimMethod task_methods[] = {
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

static const ShimMethod sandbox_methods[] = {
  { "CreateSandbox", &sandbox__create_request__descriptor, shim_rpc_sandbox_create },
  { "StartSandbox", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_start },
  { "Platform", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_platform },
  { "StopSandbox", &sandbox__stop_request__descriptor, shim_rpc_sandbox_stop },
  { "WaitSandbox", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_wait },
  { "SandboxStatus", &sandbox__status_request__descriptor, shim_rpc_sandbox_status },
  { "PingSandbox", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_ping },
  { "ShutdownSandbox", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_shutdown },
  { "SandboxMetrics", &sandbox__sandbox_request__descriptor, shim_rpc_sandbox_metrics },
  { NULL, NULL, NULL },
};

static const ShimService services[] = {
  { "containerd.task.v2.Task", task_methods },
  { "containerd.task.v3.Task", task_methods },
  { "containerd.runtime.sandbox.v1.Sandbox", sandbox_methods },
  { NULL, NULL },
};

static void
serve (int fd, const ShimOptions *options, const ShimBootstrap *bootstrap)
{
  if (shim_loop_init () < 0)
    return;
  shim_daemon_init (shim_bus_address (), on_signal);
  shim_logger_init (options->namespace_);
  shim_sandbox_init (bootstrap->runtime_options);
  shim_event_init (bootstrap->ttrpc, options->publish, options->address, options->namespace_);
  shim_server_start (fd, services);
  shim_loop_run ();
  shim_server_flush ();
}

/* ---- start ----------------------------------------------------------------------- */

/* The pod's shim: nothing of the process that containerd waits for is left. */
static void
become_shim (int fd, const char *socket_, const ShimOptions *options, const ShimBootstrap *bootstrap)
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
  serve (fd, options, bootstrap);
  (void) unlink (socket_);
  (void) close (fd);
  shim_logger_quit ();
}

static int
print_address (const char *path, const ShimBootstrap *bootstrap)
{
  char *address = shim_printf ("unix://%s", path);
  int fd = open ("address", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  int error = fd < 0 ? -errno : shim_write_all (fd, address, strlen (address));

  /* containerd, and "delete", find us again by the file */
  if (error == 0)
    error = shim_bootstrap_answer (bootstrap, STDOUT_FILENO, address);
  if (error != 0)
    shim_log ("address: %s", strerror (-error));
  if (fd >= 0)
    (void) close (fd);
  free (address);
  return error;
}

static int
listen_and_fork (const char *path, const ShimOptions *options, const ShimBootstrap *bootstrap)
{
  int fd, error = shim_address_listen (path, &fd);
  pid_t pid;

  if (error == -EADDRINUSE) /* a shim for this pod is there */
    return print_address (path, bootstrap) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
  if (error < 0)
    {
      shim_log ("%s: %s", path, strerror (-error));
      return EXIT_FAILURE;
    }
  /* after a start that fails containerd calls nobody to tidy up */
  if (print_address (path, bootstrap) < 0 || (pid = fork ()) < 0)
    {
      (void) unlink (path);
      return EXIT_FAILURE;
    }
  if (pid == 0)
    become_shim (fd, path, options, bootstrap);
  return EXIT_SUCCESS;
}

/* The pod that the bundle's container is in. A pod that is made as such has no config.json
 * yet, and is alone. 0, or -1: it has been said what is wrong. */
static int
read_group (char group[SHIM_GROUP_MAX])
{
  char *json = NULL;
  size_t len = 0;
  int error = shim_read_file (VP_FILE_OCI_CONFIG, VP_JSON_MAX_BYTES, &json, &len);

  *group = '\0';
  if (error == -ENOENT)
    return 0;
  if (error == 0)
    error = shim_address_read_group (json, len, group);
  free (json);
  if (error == 0)
    return 0;
  shim_log (VP_FILE_OCI_CONFIG ": %s",
            error == -EINVAL ? "no JSON, or the pod it names is no id" : strerror (-error));
  return -1;
}

static int
start (ShimOptions *options)
{
  static ShimBootstrap bootstrap;
  char group[SHIM_GROUP_MAX], *path, *why = NULL;
  int status;

  if (options->bundle != NULL && chdir (options->bundle) < 0)
    {
      shim_log ("%s: %s", options->bundle, strerror (errno));
      return EXIT_FAILURE;
    }
  if (shim_bootstrap_read (&bootstrap, STDIN_FILENO, options, &why) < 0)
    {
      shim_log ("%s", why);
      free (why);
      return EXIT_FAILURE;
    }
  if (read_group (group) < 0)
    return EXIT_FAILURE;
  path = shim_address_new (bootstrap.socket_dir, options->address, options->namespace_,
                           *group != '\0' ? group : options->id);
  status = listen_and_fork (path, options, &bootstrap);
  free (path);
  return status;
}

static int
print_info (void)
{
  char *why = NULL;

  if (shim_bootstrap_info (STDIN_FILENO, STDOUT_FILENO, &why) == 0)
    return EXIT_SUCCESS;
  shim_log ("%s", why);
  free (why);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  const char *name = argc > 0 ? strrchr (argv[0], '/') : NULL;
  ShimOptions options;
  char *why = NULL;

  /* in a guest, as the only program of a pod (shim-pod.h) */
  if (name != NULL && strcmp (name, "/" SHIM_POD_PROGRAM) == 0)
    return shim_pod_pause ();
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
  if (options.info)
    return print_info ();
  return strcmp (options.verb, "start") == 0 ? start (&options) : shim_delete (&options);
}
