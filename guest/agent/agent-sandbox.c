/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-pause.h"
#include "agent-storage.h"
#include "agent.pb-c.h"

#define MAX_HOSTNAME 64
/* time for the last answer to reach the host */
#define POWER_OFF_MSEC 200

AgentSandbox *
agent_sandbox_new (Agent *agent)
{
  AgentSandbox *s = agent_new (AgentSandbox);

  s->agent = agent;
  agent_list_init (&s->containers);
  agent_list_init (&s->storages);
  agent_list_init (&s->destroys);
  if (agent_oom_init (s) < 0)
    {
      free (s);
      return NULL;
    }
  return s;
}

void
agent_sandbox_free (AgentSandbox *s)
{
  if (s == NULL)
    return;
  agent_oom_clear (s);
  free (s->id);
  free (s->ipc_ns);
  free (s->uts_ns);
  free (s->mqueue);
  free (s);
}

AgentContainer *
agent_sandbox_find (AgentSandbox *s, const char *id)
{
  agent_list_foreach (it, &s->containers)
  {
    AgentContainer *c = agent_container_of (it, AgentContainer, link);

    if (strcmp (c->id, id) == 0)
      return c;
  }
  return NULL;
}

/* A file that keeps the namespace @name of the calling process alive; NULL with errno */
static char *
pin_namespace (Agent *agent, const char *name)
{
  char *path = agent_printf ("%s/ns-%s", agent->run_dir, name);
  char *source = agent_printf ("/proc/self/ns/%s", name);
  int rc = agent_unmount_below (path);

  if (rc == 0)
    rc = agent_write_file (path, "", 0, 1);
  if (rc == 0 && mount (source, path, "none", MS_BIND, NULL) < 0)
    rc = -errno;
  free (source);
  if (rc < 0)
    {
      free (path);
      path = NULL;
      errno = -rc;
    }
  return path;
}

/* The message queues of the IPC namespace that the calling process is in: root of a user
 * namespace may not mount those of a namespace that is not its own, and is given these.
 * NULL: a kernel without. */
static char *
mount_mqueue (Agent *agent)
{
  char *path = agent_printf ("%s/mqueue", agent->run_dir);

  if (agent_unmount_below (path) == 0 && agent_mkdir_p (path) == 0
      && mount ("mqueue", path, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
    return path;
  free (path);
  return NULL;
}

/* IPC and host name are those of the sandbox, not of one container. The agent goes
 * into new ones and back, which is quicker than a child. */
static int
make_namespaces (AgentSandbox *s, const char *hostname)
{
  int uts = open ("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  int ipc = open ("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
  int rc = 0;

  if (uts < 0 || ipc < 0 || unshare (CLONE_NEWUTS | CLONE_NEWIPC) < 0)
    rc = -errno;
  else
    {
      if (hostname[0] != '\0' && sethostname (hostname, strnlen (hostname, MAX_HOSTNAME)) < 0)
        rc = -errno;
      s->uts_ns = pin_namespace (s->agent, "uts");
      s->ipc_ns = pin_namespace (s->agent, "ipc");
      s->mqueue = mount_mqueue (s->agent);
      if (s->uts_ns == NULL || s->ipc_ns == NULL)
        rc = -errno;
      if (setns (uts, CLONE_NEWUTS) < 0 || setns (ipc, CLONE_NEWIPC) < 0)
        rc = -errno;
    }
  agent_close (&uts);
  agent_close (&ipc);
  if (rc == 0 && s->agent->is_init && hostname[0] != '\0')
    sethostname (hostname, strnlen (hostname, MAX_HOSTNAME));
  return rc;
}

/* It does not end by itself. Without it no container of the namespace lives. */
static void
pause_ended (pid_t pid, int status, void *data)
{
  AgentSandbox *s = data;

  agent_error ("sandbox %s: the process that holds its pid namespace has ended", s->id);
  s->pause = 0;
}

char *
agent_sandbox_get_pid_ns (AgentSandbox *s)
{
  if (s->pause == 0)
    {
      pid_t pid = agent_pause_start ();

      if (pid < 0)
        {
          errno = -pid;
          return NULL;
        }
      s->pause = pid;
      agent_reaper_watch (s->agent->reaper, pid, pause_ended, s);
    }
  return agent_printf ("/proc/%d/ns/pid", (int) s->pause);
}

static void
drop_pid_ns (AgentSandbox *s)
{
  if (s->pause == 0)
    return;
  agent_reaper_unwatch (s->agent->reaper, s->pause);
  kill (s->pause, SIGKILL);
  s->pause = 0;
}

/* The lines are those of a resolv.conf. */
static int
write_dns (const Agent *agent, const Grpc__CreateSandboxRequest *r)
{
  FILE *f;

  /* only where /etc is the guest's */
  if (r->n_dns == 0 || !agent->is_init)
    return 0;
  f = fopen ("/etc/resolv.conf", "we");
  if (f == NULL)
    return -errno;
  for (size_t i = 0; i < r->n_dns; i++)
    fprintf (f, "%s\n", r->dns[i]);
  return fclose (f) == 0 ? 0 : -errno;
}

static void
unpin (char **path)
{
  if (*path != NULL)
    agent_unmount_below (*path);
  free (*path);
  *path = NULL;
}

static void
forget (AgentSandbox *s)
{
  int rc;

  drop_pid_ns (s);
  agent_storage_clear (&s->storages);
  unpin (&s->uts_ns);
  unpin (&s->mqueue);
  unpin (&s->ipc_ns);
  free (s->id);
  s->id = NULL;
  rc = agent_remove_tree (s->agent->state_dir);
  if (rc < 0)
    agent_warning ("cannot remove %s: %s", s->agent->state_dir, strerror (-rc));
  s->exists = 0;
}

/* 0, or a negative errno with what failed */
static int
set_up (AgentSandbox *s, const Grpc__CreateSandboxRequest *r, const char **ret_what)
{
  int rc;

  *ret_what = s->agent->state_dir;
  rc = agent_remove_tree (s->agent->state_dir);
  if (rc == 0)
    rc = agent_mkdir_p (s->agent->state_dir);
  if (rc < 0)
    return rc;
  *ret_what = "namespaces";
  rc = make_namespaces (s, r->hostname);
  if (rc < 0)
    return rc;
  *ret_what = "pid namespace";
  if (r->sandbox_pidns)
    {
      char *path = agent_sandbox_get_pid_ns (s);

      if (path == NULL)
        return -errno;
      free (path);
    }
  *ret_what = "dns";
  return write_dns (s->agent, r);
}

void
agent_handle_create_sandbox (Agent *agent, AgentCall *call)
{
  const Grpc__CreateSandboxRequest *r = agent_call_request (call);
  AgentSandbox *s = agent->sandbox;
  VpGrpcCode code = VP_GRPC_OK;
  char *message = NULL;
  const char *what;
  int rc;

  if (s->exists)
    {
      agent_call_fail (call, VP_GRPC_ALREADY_EXISTS, "the sandbox exists already");
      return;
    }
  if (r->sandbox_id[0] != '\0' && !agent_id_is_valid (r->sandbox_id))
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "sandbox id \"%.160s\": is not valid", r->sandbox_id);
      return;
    }
  if (r->n_kernel_modules > 0)
    {
      agent_call_fail (call, VP_GRPC_UNIMPLEMENTED,
                       "kernel module \"%.64s\": loading modules is not supported",
                       r->kernel_modules[0]->name);
      return;
    }
  if (r->guest_hook_path[0] != '\0')
    {
      agent_call_fail (call, VP_GRPC_UNIMPLEMENTED, "guest hooks in %.256s: running them is not supported",
                       r->guest_hook_path);
      return;
    }
  rc = set_up (s, r, &what);
  if (rc < 0)
    {
      code = agent_code_from_errno (rc);
      message = agent_printf ("%s: %s", what, strerror (-rc));
    }
  for (size_t i = 0; code == VP_GRPC_OK && i < r->n_storages; i++)
    code = agent_storage_add (&s->storages, r->storages[i], &message);
  if (code != VP_GRPC_OK)
    {
      forget (s);
      agent_call_fail (call, code, "sandbox: %s", message);
      free (message);
      return;
    }
  s->id = agent_strdup (r->sandbox_id);
  s->exists = 1;
  agent_info ("sandbox %s: created", s->id);
  agent_call_reply (call, NULL);
}

static void
power_off (void *data)
{
  sync ();
  reboot (RB_POWER_OFF);
}

void
agent_sandbox_container_removed (AgentSandbox *s)
{
  AgentCall *call;

  if (!s->destroying || s->n_containers > 0)
    return;
  s->destroying = 0;
  forget (s);
  while ((call = agent_call_unpark (&s->destroys)) != NULL)
    agent_call_reply (call, NULL);
  if (s->agent->is_init)
    agent_timer_new (s->agent->loop, POWER_OFF_MSEC, power_off, s);
}

void
agent_handle_destroy_sandbox (Agent *agent, AgentCall *call)
{
  AgentSandbox *s = agent->sandbox;

  s->destroying = 1;
  agent_call_park (call, &s->destroys);
  agent_list_foreach_safe (it, &s->containers)
      agent_container_remove (agent_container_of (it, AgentContainer, link), NULL, 0);
  agent_sandbox_container_removed (s);
}

void
agent_handle_update_ephemeral_mounts (Agent *agent, AgentCall *call)
{
  const Grpc__UpdateEphemeralMountsRequest *r = agent_call_request (call);
  VpGrpcCode code = VP_GRPC_OK;
  char *message = NULL;

  for (size_t i = 0; code == VP_GRPC_OK && i < r->n_storages; i++)
    code = agent_storage_update (&agent->sandbox->storages, r->storages[i], &message);
  if (code == VP_GRPC_OK)
    agent_call_reply (call, NULL);
  else
    agent_call_fail (call, code, "%s", message);
  free (message);
}
