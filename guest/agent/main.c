/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent-init.h"
#include "agent-log.h"
#include "agent-modprobe.h"
#include "agent-pause.h"
#include "agent-port.h"
#include "agent-rpc.h"
#include "agent-sandbox.h"
#include "config.h"

#define STATE_DIR "/run/kata-containers"
#define RUN_DIR "/run/virtpod-agent"
/* Messages above this go back to the kernel when they are done with; by itself malloc
 * would keep the size of the largest one ever. */
#define MMAP_THRESHOLD (64 << 10)

static void __attribute__ ((noreturn)) usage (int status)
{
  fprintf (status == 0 ? stdout : stderr,
           "Usage: virtpod-agent [--listen unix:PATH] [--root DIR] [--log LEVEL]\n"
           "\n"
           "As process 1 of a guest it takes no options: it sets the guest up and serves\n"
           "the virtio-serial port " AGENT_PORT_NAME ".\n"
           "\n"
           "  --listen unix:PATH  serve a Unix socket instead, one client at a time\n"
           "  --root DIR          keep all state below DIR instead of /run\n"
           "  --log LEVEL         error, warn, info or debug\n"
           "  --version\n"
           "  --help\n");
  exit (status);
}

/* a listening socket, or -errno */
static int
listen_on (const char *where)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd, rc;

  if (strncmp (where, "unix:", 5) != 0 || strlen (where + 5) >= sizeof address.sun_path)
    return -EINVAL;
  strcpy (address.sun_path, where + 5);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -errno;
  unlink (address.sun_path);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) == 0 && listen (fd, 16) == 0)
    return fd;
  rc = -errno;
  close (fd);
  return rc;
}

/* 0 when asked to end; -errno with the cause logged */
static int
serve (Agent *agent, const char *where)
{
  AgentChannel *channel;
  int fd = where != NULL ? listen_on (where) : agent_port_open (AGENT_PORT_NAME);

  if (fd < 0)
    {
      agent_error ("%s: %s", where != NULL ? where : AGENT_PORT_NAME, strerror (-fd));
      return fd;
    }
  agent->loop = agent_loop_new ();
  agent->reaper = agent->loop != NULL ? agent_reaper_new (agent->loop) : NULL;
  agent->sandbox = agent->reaper != NULL ? agent_sandbox_new (agent) : NULL;
  if (agent->sandbox == NULL || agent_mkdir_p (agent->run_dir) < 0)
    {
      agent_error ("cannot start: %m");
      return -errno;
    }
  agent->rpc = agent_rpc_new (agent);
  if (where != NULL)
    channel = agent_channel_new_listener (agent->loop, fd, &agent_rpc_channel_funcs, agent->rpc);
  else
    channel = agent_channel_new_port (agent->loop, fd, &agent_rpc_channel_funcs, agent->rpc);
  agent_rpc_set_channel (agent->rpc, channel);
  agent_info ("version %s, serving %s", PACKAGE_VERSION, where != NULL ? where : AGENT_PORT_NAME);
  agent_loop_run (agent->loop);
  return 0;
}

int
main (int argc, char **argv)
{
  static const struct option options[] = {
    { "listen", required_argument, NULL, 'l' }, { "root", required_argument, NULL, 'r' },
    { "log", required_argument, NULL, 'L' },    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
  };
  const char *where = NULL, *root = NULL;
  Agent agent = { .is_init = getpid () == 1 };
  int opt;

  if (argc > 0 && strcmp (argv[0], AGENT_PAUSE_NAME) == 0)
    return agent_pause_main ();
  if (argc > 0 && strcmp (basename (argv[0]), AGENT_MODPROBE_NAME) == 0)
    return agent_modprobe_main (argc, argv);
  mallopt (M_MMAP_THRESHOLD, MMAP_THRESHOLD);
  mallopt (M_TRIM_THRESHOLD, MMAP_THRESHOLD);
  /* words of the kernel command line that the kernel does not know arrive here too */
  for (opterr = !agent.is_init; (opt = getopt_long (argc, argv, "", options, NULL)) != -1;)
    switch (opt)
      {
      case 'l':
        where = optarg;
        agent.is_init = 0;
        break;
      case 'r':
        root = optarg;
        break;
      case 'L':
        agent_log_set_level (optarg);
        break;
      case 'V':
        puts ("virtpod-agent " PACKAGE_VERSION);
        return 0;
      case 'h':
        usage (0);
      default:
        if (!agent.is_init)
          usage (2);
      }
  if (!agent.is_init && where == NULL)
    usage (2);
  if (agent.is_init)
    agent_init_guest ();
  agent.state_dir = root != NULL ? agent_printf ("%s/kata-containers", root) : agent_strdup (STATE_DIR);
  agent.run_dir = root != NULL ? agent_printf ("%s/agent", root) : agent_strdup (RUN_DIR);
  if (serve (&agent, where) < 0 && !agent.is_init)
    return 1;
  if (agent.is_init)
    {
      sync ();
      reboot (RB_POWER_OFF);
    }
  return 0;
}
