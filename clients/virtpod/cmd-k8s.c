/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod k8s: what Kubernetes and its container runtimes are to be told of virtpod. */
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-names.h"

#define DEFAULT_HANDLER "default"
#define CRI "plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes."
#define SHIM VP_BINDIR "/containerd-shim-virtpod-v2"
#define DNS_LABEL_MAX 63
/* of the processes of a sandbox beside the guest's memory: hypervisor, virtiofsd */
#define PROCESSES_MIB 64

static char *opt_handler;
static char *opt_name;
static char *opt_what;
static char **opt_node_selector;
static int opt_processes = PROCESSES_MIB;

static const GOptionEntry options[] = {
  { "handler", 'H', 0, G_OPTION_ARG_STRING, &opt_handler, N_("For this runtime handler of virtpodd's"), N_("NAME") },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &opt_name, N_("What Kubernetes is to call it (default: virtpod[-HANDLER])"),
    N_("NAME") },
  { "what", 'w', 0, G_OPTION_ARG_STRING, &opt_what, N_("Print this: runtimeclass (the default), containerd or crio"),
    N_("WHAT") },
  { "node-selector", 's', 0, G_OPTION_ARG_STRING_ARRAY, &opt_node_selector,
    N_("runtimeclass: only for nodes with this label, KEY=VALUE; may be repeated"), N_("LABEL") },
  { "processes-mib", 0, 0, G_OPTION_ARG_INT, &opt_processes,
    N_("runtimeclass: memory of a sandbox's processes on the host, in the overhead (default: 64)"), N_("MIB") },
  { NULL },
};

/* What is asked for, checked. */
typedef struct
{
  const char *handler; /* NULL: virtpodd's default */
  char *name;
} Request;

static void
request_clear (Request *self)
{
  g_free (self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

/* ---- names ------------------------------------------------------------------ */

/* As Kubernetes wants the handler of a RuntimeClass. */
static gboolean
is_dns_label (const char *text)
{
  gsize len = strlen (text);

  return len > 0 && len <= DNS_LABEL_MAX && strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len
         && text[0] != '-' && text[len - 1] != '-';
}

/* Of a node: close to what Kubernetes takes, and nothing that would be more than a word of YAML. */
static gboolean
is_label (const char *text)
{
  const char *equals = strchr (text, '=');
  gsize len = strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-");

  return equals != NULL && equals > text && text + len == equals
         && equals[1 + strspn (equals + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* 0, or the exit status. */
static int
check_request (const VpCommand *command, Request *ret)
{
  g_autofree char *message = NULL;

  if (opt_handler != NULL && !g_str_equal (opt_handler, DEFAULT_HANDLER))
    ret->handler = opt_handler;
  ret->name = opt_name != NULL       ? g_strdup (opt_name)
              : ret->handler != NULL ? g_strdup_printf ("virtpod-%s", ret->handler)
                                     : g_strdup ("virtpod");
  if (!is_dns_label (ret->name))
    {
      message = g_strdup_printf (_("\"%s\" is no name of Kubernetes (a-z 0-9 -); give one with --name"), ret->name);
      return vp_command_usage (command, message);
    }
  for (gsize i = 0; opt_node_selector != NULL && opt_node_selector[i] != NULL; i++)
    if (!is_label (opt_node_selector[i]))
      {
        message = g_strdup_printf (_("\"%s\" must be KEY=VALUE, a label of nodes"), opt_node_selector[i]);
        return vp_command_usage (command, message);
      }
  if (opt_processes < 0)
    return vp_command_usage (command, _("--processes-mib must not be negative"));
  return 0;
}

/* ---- RuntimeClass ----------------------------------------------------------- */

/* The value of @key among (key, value, source); 0 when there is none. */
static double
get_number (GVariant *settings, const char *key)
{
  GVariantIter iter;
  const char *name, *value;

  g_variant_iter_init (&iter, settings);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &name, &value, NULL))
    if (g_str_equal (name, key))
      return g_ascii_strtod (value, NULL);
  return 0;
}

/* What a pod takes beside what its containers may: without limits that is the sandbox's
 * own memory, with limits and where an overhead is configured the overhead. The larger
 * of them, as Kubernetes knows one number for both. */
static void
print_overhead (GVariant *settings)
{
  double own = get_number (settings, "hypervisor.memory-mib");
  double overhead = get_number (settings, "runtime.overhead-memory-mib");
  double cpus = get_number (settings, "runtime.overhead-vcpus");

  g_print ("overhead:\n  podFixed:\n    memory: \"%.0fMi\"\n", MAX (own, overhead) + opt_processes);
  if (cpus > 0)
    g_print ("    cpu: \"%.0fm\"\n", ceil (cpus * 1000));
}

static void
print_scheduling (void)
{
  if (opt_node_selector == NULL || opt_node_selector[0] == NULL)
    return;
  g_print ("scheduling:\n  nodeSelector:\n");
  for (gsize i = 0; opt_node_selector[i] != NULL; i++)
    {
      const char *equals = strchr (opt_node_selector[i], '=');

      g_print ("    \"%.*s\": \"%s\"\n", (int) (equals - opt_node_selector[i]), opt_node_selector[i], equals + 1);
    }
}

static gboolean
print_runtime_class (const Request *request, GVariant *settings, GError **error)
{
  g_print ("apiVersion: node.k8s.io/v1\n"
           "kind: RuntimeClass\n"
           "metadata:\n"
           "  name: %s\n"
           "handler: %s\n",
           request->name, request->name);
  print_overhead (settings);
  print_scheduling ();
  return TRUE;
}

/* ---- container runtimes ----------------------------------------------------- */

static gboolean
print_containerd (const Request *request, GVariant *settings, GError **error)
{
  g_print ("# for /etc/containerd/config.toml, version 2\n"
           "[" CRI "%s]\n"
           "  runtime_type = \"io.containerd.virtpod.v2\"\n"
           "  pod_annotations = [\"io.katacontainers.*\"]\n",
           request->name);
  if (request->handler != NULL)
    g_print ("  [" CRI "%s.options]\n"
             "    ConfigPath = \"%s\"\n",
             request->name, request->handler);
  return TRUE;
}

static gboolean
print_crio (const Request *request, GVariant *settings, GError **error)
{
  if (request->handler != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   _("handler \"%s\": CRI-O has no word for it, only virtpodd's default can be had"), request->handler);
      return FALSE;
    }
  g_print ("# for a file in /etc/crio/crio.conf.d\n"
           "[crio.runtime.runtimes.%s]\n"
           "  runtime_path = \"" SHIM "\"\n"
           "  runtime_type = \"vm\"\n"
           "  runtime_root = \"/run/virtpod-crio\"\n",
           request->name);
  return TRUE;
}

/* ---- the command ------------------------------------------------------------ */

static const struct
{
  const char *name;
  gboolean (*print) (const Request *request, GVariant *settings, GError **error);
} kinds[] = {
  { "runtimeclass", print_runtime_class },
  { "containerd", print_containerd },
  { "crio", print_crio },
};

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Request) request = { NULL, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) settings = NULL;
  VpDBusManager1 *manager;
  gsize kind = 0;
  int status;

  if (!g_str_equal (args[0], "render"))
    return vp_command_usage (command, _("the one thing it does is \"render\""));
  while (opt_what != NULL && kind < G_N_ELEMENTS (kinds) && !g_str_equal (kinds[kind].name, opt_what))
    kind++;
  if (kind == G_N_ELEMENTS (kinds))
    return vp_command_usage (command, _("--what must be runtimeclass, containerd or crio"));
  status = check_request (command, &request);
  if (status != 0)
    return status;
  /* also to tell that there is such a handler, before a cluster does */
  manager = vp_client_get_manager (client, &error);
  if (manager == NULL
      || !vp_dbus_manager1_call_get_config_sync (manager, request.handler != NULL ? request.handler : "", &settings,
                                                 NULL, &error)
      || !kinds[kind].print (&request, settings, &error))
    return vp_command_fail (command, NULL, error);
  return 0;
}

const VpCommand vp_cmd_k8s = {
  .name = "k8s",
  .arguments = N_("render"),
  .summary = N_("Print a RuntimeClass, or a runtime's configuration, for Kubernetes"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
