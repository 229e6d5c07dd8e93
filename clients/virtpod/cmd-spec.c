/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod spec: a config.json to begin with. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-names.h"

static char *opt_bundle;
static gboolean opt_rootless;

static const GOptionEntry options[] = {
  { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &opt_bundle,
    N_("Where to write config.json (default: the current directory)"), N_("DIR") },
  { "rootless", 0, 0, G_OPTION_ARG_NONE, &opt_rootless,
    N_("Accepted from users of other runtimes: whoever may ask the daemon needs no other file"), NULL },
  { NULL },
};

#define CAPABILITIES "[ \"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\" ]"

static const char document[]
    = "{\n"
      "  \"ociVersion\": \"1.0.2\",\n"
      "  \"process\": {\n"
      "    \"terminal\": true,\n"
      "    \"user\": { \"uid\": 0, \"gid\": 0 },\n"
      "    \"args\": [ \"sh\" ],\n"
      "    \"env\": [ \"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\", \"TERM=xterm\" ],\n"
      "    \"cwd\": \"/\",\n"
      "    \"capabilities\": {\n"
      "      \"bounding\": " CAPABILITIES ",\n"
      "      \"effective\": " CAPABILITIES ",\n"
      "      \"permitted\": " CAPABILITIES "\n"
      "    },\n"
      "    \"rlimits\": [ { \"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024 } ],\n"
      "    \"noNewPrivileges\": true\n"
      "  },\n"
      "  \"root\": { \"path\": \"rootfs\", \"readonly\": true },\n"
      "  \"hostname\": \"virtpod\",\n"
      "  \"mounts\": [\n"
      "    { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },\n"
      "    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\",\n"
      "      \"options\": [ \"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\" ] },\n"
      "    { \"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\",\n"
      "      \"options\": [ \"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\" ] },\n"
      "    { \"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\",\n"
      "      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\" ] },\n"
      "    { \"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\",\n"
      "      \"options\": [ \"nosuid\", \"noexec\", \"nodev\" ] },\n"
      "    { \"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\",\n"
      "      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"ro\" ] }\n"
      "  ],\n"
      "  \"linux\": {\n"
      "    \"namespaces\": [ { \"type\": \"pid\" }, { \"type\": \"network\" }, { \"type\": \"ipc\" }, { \"type\": \"uts\" },"
      " { \"type\": \"mount\" } ],\n"
      "    \"maskedPaths\": [ \"/proc/kcore\", \"/proc/keys\", \"/proc/timer_list\", \"/sys/firmware\" ],\n"
      "    \"readonlyPaths\": [ \"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\" ]\n"
      "  }\n"
      "}\n";

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autofree char *path = g_build_filename (opt_bundle != NULL ? opt_bundle : ".", VP_FILE_OCI_CONFIG, NULL);
  g_autoptr (GError) error = NULL;
  /* what is there already is somebody's work */
  VP_AUTO_FD fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);

  if (fd < 0 || write (fd, document, strlen (document)) != (ssize_t) strlen (document))
    {
      vp_error_set_errno (&error, errno, "%s", path);
      return vp_command_fail (command, NULL, error);
    }
  return 0;
}

const VpCommand vp_cmd_spec = {
  .name = "spec",
  .summary = N_("Write a config.json to begin with"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
