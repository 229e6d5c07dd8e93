/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-details.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent-storage.h"
#include "agent.pb-c.h"
#include "config.h"
#include "health.pb-c.h"

/* version of the protocol, not of the agent */
#define API_VERSION "0.0.1"
#define MAX_SEED 4096
/* for processors to appear */
#define ONLINE_TRIES 20
#define ONLINE_MSEC 100

void
agent_handle_check (Agent *agent, AgentCall *call)
{
  Grpc__HealthCheckResponse response = GRPC__HEALTH_CHECK_RESPONSE__INIT;

  response.status = GRPC__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
  agent_call_reply (call, &response.base);
}

void
agent_handle_version (Agent *agent, AgentCall *call)
{
  Grpc__VersionCheckResponse response = GRPC__VERSION_CHECK_RESPONSE__INIT;

  response.grpc_version = (char *) API_VERSION;
  response.agent_version = (char *) PACKAGE_VERSION;
  agent_call_reply (call, &response.base);
}

void
agent_handle_get_guest_details (Agent *agent, AgentCall *call)
{
  const Grpc__GuestDetailsRequest *r = agent_call_request (call);
  Grpc__GuestDetailsResponse response = GRPC__GUEST_DETAILS_RESPONSE__INIT;
  Grpc__AgentDetails details = GRPC__AGENT_DETAILS__INIT;
  char buf[64];

  if (r->mem_block_size
      && agent_read_file ("/sys/devices/system/memory/block_size_bytes", buf, sizeof buf) > 0)
    response.mem_block_size_bytes = strtoull (buf, NULL, 16);
  if (r->mem_hotplug_probe)
    response.support_mem_hotplug_probe = access ("/sys/devices/system/memory/probe", F_OK) == 0;
  details.version = (char *) PACKAGE_VERSION;
  details.init_daemon = agent->is_init;
  details.storage_handlers = (char **) agent_storage_drivers;
  while (agent_storage_drivers[details.n_storage_handlers] != NULL)
    details.n_storage_handlers++;
  details.supports_seccomp = access ("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0;
  response.agent_details = &details;
  agent_call_reply (call, &response.base);
}

void
agent_handle_set_guest_date_time (Agent *agent, AgentCall *call)
{
  const Grpc__SetGuestDateTimeRequest *r = agent_call_request (call);
  struct timeval tv = { .tv_sec = r->sec, .tv_usec = r->usec };

  if (settimeofday (&tv, NULL) < 0)
    agent_call_fail (call, agent_code_from_errno (errno), "the time cannot be set: %s", strerror (errno));
  else
    agent_call_reply (call, NULL);
}

void
agent_handle_reseed_random_dev (Agent *agent, AgentCall *call)
{
  const Grpc__ReseedRandomDevRequest *r = agent_call_request (call);
  size_t len = r->data.len < MAX_SEED ? r->data.len : MAX_SEED;
  struct rand_pool_info *info = agent_alloc (sizeof *info + MAX_SEED);
  int fd = open ("/dev/random", O_RDWR | O_CLOEXEC);
  int rc = 0;

  info->entropy_count = (int) len * 8;
  info->buf_size = (int) len;
  if (len > 0)
    memcpy (info->buf, r->data.data, len);
  if (fd < 0 || ioctl (fd, RNDADDENTROPY, info) < 0 || ioctl (fd, RNDRESEEDCRNG) < 0)
    rc = -errno;
  agent_close (&fd);
  explicit_bzero (info, sizeof *info + MAX_SEED);
  free (info);
  if (rc < 0)
    agent_call_fail (call, agent_code_from_errno (rc), "/dev/random: %s", strerror (-rc));
  else
    agent_call_reply (call, NULL);
}

/* Brings every @dir/@prefixN that is off into use; how many are in use then. */
static unsigned
bring_online (const char *dir, const char *prefix)
{
  DIR *d = opendir (dir);
  size_t len = strlen (prefix);
  struct dirent *e;
  unsigned n = 0;

  while (d != NULL && (e = readdir (d)) != NULL)
    {
      char *path;
      uint64_t on = 0;

      if (strncmp (e->d_name, prefix, len) != 0 || e->d_name[len] < '0' || e->d_name[len] > '9')
        continue;
      path = agent_printf ("%s/%s/online", dir, e->d_name);
      /* what cannot be taken away has no such file, and is on */
      if (agent_read_uint (path, 0, &on) < 0 || (on == 0 && agent_write_file (path, "1", 1, 0) == 0))
        on = 1;
      n += on != 0;
      free (path);
    }
  if (d != NULL)
    closedir (d);
  return n;
}

/* What was plugged in takes its time to be seen. */
typedef struct
{
  Agent *agent;
  AgentCall *call;
  unsigned tries;
} Online;

static void
try_online (void *data)
{
  Online *o = data;
  const Grpc__OnlineCPUMemRequest *r = agent_call_request (o->call);
  unsigned cpus = bring_online ("/sys/devices/system/cpu", "cpu");

  if (!r->cpu_only)
    bring_online ("/sys/devices/system/memory", "memory");
  if (cpus < r->nb_cpus && ++o->tries < ONLINE_TRIES)
    {
      agent_timer_new (o->agent->loop, ONLINE_MSEC, try_online, o);
      return;
    }
  if (cpus < r->nb_cpus)
    agent_call_fail (o->call, VP_GRPC_FAILED_PRECONDITION, "nb_cpus: only %u of %u are there", cpus, r->nb_cpus);
  else
    agent_call_reply (o->call, NULL);
  free (o);
}

void
agent_handle_online_cpu_mem (Agent *agent, AgentCall *call)
{
  Online *o = agent_new (Online);

  o->agent = agent;
  o->call = call;
  try_online (o);
}
