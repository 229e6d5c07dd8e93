/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-pod.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim-text.h"
#include "shim-util.h"
#include "vp-json-scan.h"
#include "vp-message.h"
#include "vp-names.h"

#define MAX_CONFIG (4u << 20) /* memory of it, unpacked */
#define CRI "io.kubernetes.cri."
#define KATA "io.katacontainers."
#define PROGRAM "/" SHIM_POD_PROGRAM
/* of a pod without one: in the bundle's own nothing may be left when containerd removes it */
#define OWN_ROOTFS "pod"
#define FILE_MAX (1u << 20)

/* What each container of a pod has in /etc, and the same of the pod's bundle. */
static const char *const files[] = { "hostname", "hosts", "resolv.conf" };
#define N_FILES (sizeof files / sizeof *files)

Pod__Config *
shim_pod_read (const Google__Protobuf__Any *options, const char **ret_why)
{
  const char *slash, *name;
  ProtobufCMessage *message;

  *ret_why = NULL;
  if (options == NULL || *options->type_url == '\0')
    return NULL;
  slash = strrchr (options->type_url, '/');
  name = slash != NULL ? slash + 1 : options->type_url;
  if (strcmp (name, "runtime.v1.PodSandboxConfig") != 0)
    {
      *ret_why = "not a runtime.v1.PodSandboxConfig";
      return NULL;
    }
  message = vp_message_unpack (&pod__config__descriptor, options->value.data, options->value.len, MAX_CONFIG);
  if (message == NULL)
    *ret_why = "not of the type they claim to be";
  return (Pod__Config *) message;
}

/* ---- config.json ----------------------------------------------------------------- */

static void
add_member (ShimText *text, const char *name, const char *value)
{
  if (text->text[text->len - 1] != '{')
    shim_text_append (text, ",", 1);
  shim_text_string (text, name);
  shim_text_append (text, ":", 1);
  shim_text_string (text, value);
}

static void
add_number (ShimText *text, const char *name, int64_t value)
{
  char number[24];

  if (value == 0)
    return;
  (void) snprintf (number, sizeof number, "%lld", (long long) value);
  add_member (text, name, number);
}

/* What has been said already of a key holds. */
static int
is_first (Sandbox__Pair *const *pairs, size_t i)
{
  for (size_t j = 0; j < i; j++)
    if (strcmp (pairs[j]->key, pairs[i]->key) == 0)
      return 0;
  return 1;
}

static int
is_in (Sandbox__Pair *const *pairs, size_t n, const char *key)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp (pairs[i]->key, key) == 0)
      return 1;
  return 0;
}

/* Whose sandbox it is, how large, and what the pod's owner wants of the machine: whether
 * he may is the daemon's to say. Nobody but us says that it is a pod. */
static void
add_annotations (ShimText *text, const Sandbox__CreateRequest *request, const Pod__Config *config)
{
  const Pod__Resources *resources = config != NULL && config->linux != NULL ? config->linux->resources : NULL;

  shim_text_printf (text, "\"annotations\":{");
  add_member (text, CRI "container-type", "sandbox");
  add_member (text, CRI "sandbox-id", request->sandbox_id);
  if (config != NULL && config->metadata != NULL)
    {
      add_member (text, CRI "sandbox-name", config->metadata->name);
      add_member (text, CRI "sandbox-namespace", config->metadata->namespace_);
      add_member (text, CRI "sandbox-uid", config->metadata->uid);
    }
  if (config != NULL && *config->log_directory != '\0')
    add_member (text, CRI "sandbox-log-directory", config->log_directory);
  if (resources != NULL)
    {
      add_number (text, CRI "sandbox-cpu-period", resources->cpu_period);
      add_number (text, CRI "sandbox-cpu-quota", resources->cpu_quota);
      add_number (text, CRI "sandbox-cpu-shares", resources->cpu_shares);
      add_number (text, CRI "sandbox-memory", resources->memory_limit_in_bytes);
    }
  for (size_t i = 0; i < request->n_annotations; i++)
    if (strncmp (request->annotations[i]->key, CRI, strlen (CRI)) != 0 && is_first (request->annotations, i))
      add_member (text, request->annotations[i]->key, request->annotations[i]->value);
  for (size_t i = 0; config != NULL && i < config->n_annotations; i++)
    if (strncmp (config->annotations[i]->key, KATA, strlen (KATA)) == 0 && is_first (config->annotations, i)
        && !is_in (request->annotations, request->n_annotations, config->annotations[i]->key))
      add_member (text, config->annotations[i]->key, config->annotations[i]->value);
  shim_text_append (text, "}", 1);
}

static void
add_mounts (ShimText *text, const char *directory, const char *program)
{
  char *resolv_conf = shim_printf ("%s/resolv.conf", directory);

  shim_text_printf (text, "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
                          "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
                          "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
                          "{\"destination\":\"" PROGRAM "\",\"type\":\"bind\","
                          "\"options\":[\"bind\",\"ro\"],\"source\":");
  shim_text_string (text, program);
  shim_text_printf (text, "},{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\","
                          "\"options\":[\"bind\",\"ro\"],\"source\":");
  shim_text_string (text, resolv_conf);
  shim_text_printf (text, "}],");
  free (resolv_conf);
}

static void
add_linux (ShimText *text, const Sandbox__CreateRequest *request, const Pod__Config *config)
{
  const Pod__Linux *linux_ = config != NULL ? config->linux : NULL;

  shim_text_printf (text, "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
                          "{\"type\":\"mount\"}");
  if (*request->netns_path != '\0')
    {
      shim_text_printf (text, ",{\"type\":\"network\",\"path\":");
      shim_text_string (text, request->netns_path);
      shim_text_append (text, "}", 1);
    }
  shim_text_append (text, "]", 1);
  /* the other form, of systemd, has colons */
  if (linux_ != NULL && *linux_->cgroup_parent == '/')
    {
      char *path = shim_printf ("%s/%s", linux_->cgroup_parent, request->sandbox_id);

      shim_text_printf (text, ",\"cgroupsPath\":");
      shim_text_string (text, path);
      free (path);
    }
  if (linux_ != NULL && linux_->n_sysctls > 0)
    {
      shim_text_printf (text, ",\"sysctl\":{");
      for (size_t i = 0; i < linux_->n_sysctls; i++)
        if (is_first (linux_->sysctls, i))
          add_member (text, linux_->sysctls[i]->key, linux_->sysctls[i]->value);
      shim_text_append (text, "}", 1);
    }
  shim_text_append (text, "}", 1);
}

char *
shim_pod_spec (const Sandbox__CreateRequest *request, const Pod__Config *config, const char *hostname,
               const char *program)
{
  ShimText text = { NULL, 0, 0 };

  shim_text_printf (&text, "{\"ociVersion\":\"1.0.2\",\"hostname\":");
  shim_text_string (&text, hostname);
  shim_text_printf (&text, ",\"root\":{\"path\":\"%s\",\"readonly\":true},"
                           "\"process\":{\"args\":[\"" PROGRAM "\"],\"cwd\":\"/\",\"env\":[\"PATH=/\"],"
                           "\"user\":{\"uid\":0,\"gid\":0},\"noNewPrivileges\":true},",
                    request->n_rootfs > 0 ? VP_DIR_ROOTFS : OWN_ROOTFS);
  add_mounts (&text, request->bundle_path, program);
  add_linux (&text, request, config);
  shim_text_append (&text, ",", 1);
  add_annotations (&text, request, config);
  shim_text_append (&text, "}\n", 2);
  return text.text;
}

int
shim_pod_is_complete (const char *directory)
{
  char *path = shim_printf ("%s/" VP_FILE_OCI_CONFIG, directory), *json = NULL;
  VpJsonPiece document;
  size_t len;
  int complete = shim_read_file (path, VP_JSON_MAX_BYTES, &json, &len) == 0
                 && vp_json_scan_parse (json, len, &document) == 0
                 && vp_json_scan_member (document, "process").text != NULL;

  free (json);
  free (path);
  return complete;
}

/* ---- the bundle ------------------------------------------------------------------ */

static void
add_words (ShimText *text, const char *name, char *const *words, size_t n)
{
  if (n > 0)
    shim_text_printf (text, "%s", name);
  for (size_t i = 0; i < n; i++)
    shim_text_printf (text, " %s", words[i]);
  if (n > 0)
    shim_text_append (text, "\n", 1);
}

static void
add_resolv_conf (ShimText *text, const Pod__Dns *dns)
{
  add_words (text, "search", dns->searches, dns->n_searches);
  for (size_t i = 0; i < dns->n_servers; i++)
    shim_text_printf (text, "nameserver %s\n", dns->servers[i]);
  add_words (text, "options", dns->options, dns->n_options);
}

/* As engines have it: a pod's own where the kubelet says something, else the host's. */
static int
write_file (const char *directory, const char *name, const char *hostname, const Pod__Config *config)
{
  char *path = shim_printf ("%s/%s", directory, name), *of_host = shim_printf ("/etc/%s", name), *data = NULL;
  ShimText text = { NULL, 0, 0 };
  size_t len;
  int error;

  shim_text_append (&text, "", 0);
  if (strcmp (name, "hostname") == 0)
    shim_text_printf (&text, "%s\n", hostname);
  else if (strcmp (name, "resolv.conf") == 0 && config != NULL && config->dns_config != NULL)
    add_resolv_conf (&text, config->dns_config);
  if (text.len == 0 && shim_read_file (of_host, FILE_MAX, &data, &len) == 0)
    shim_text_append (&text, data, len);
  error = shim_text_save (&text, path);
  free (data);
  free (text.text);
  free (of_host);
  free (path);
  return error;
}

/* Its mount points are there before: nothing has to be made where nothing can be. */
static int
make_rootfs (const char *directory)
{
  static const char *const directories[] = { "", "/dev", "/etc", "/proc" };
  static const char *const targets[] = { PROGRAM, "/etc/resolv.conf" };
  int error = 0;

  for (size_t i = 0; i < sizeof directories / sizeof *directories && error == 0; i++)
    {
      char *path = shim_printf ("%s/" OWN_ROOTFS "%s", directory, directories[i]);

      if (mkdir (path, 0755) < 0 && errno != EEXIST)
        error = -errno;
      free (path);
    }
  for (size_t i = 0; i < sizeof targets / sizeof *targets && error == 0; i++)
    {
      char *path = shim_printf ("%s/" OWN_ROOTFS "%s", directory, targets[i]);
      int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0755);

      if (fd < 0)
        error = -errno;
      else
        (void) close (fd);
      free (path);
    }
  return error;
}

static int
write_spec (const Sandbox__CreateRequest *request, const Pod__Config *config, const char *hostname)
{
  char *path = shim_printf ("%s/" VP_FILE_OCI_CONFIG, request->bundle_path);
  char program[PATH_MAX];
  ssize_t len = readlink ("/proc/self/exe", program, sizeof program - 1);
  int error = len < 0 ? -errno : 0;
  ShimText text = { NULL, 0, 0 };

  if (error == 0)
    {
      program[len] = '\0';
      text.text = shim_pod_spec (request, config, hostname, program);
      text.len = strlen (text.text);
      error = shim_text_save (&text, path);
    }
  free (text.text);
  free (path);
  return error;
}

int
shim_pod_write (const Sandbox__CreateRequest *request, const Pod__Config *config, const char **ret_what)
{
  char of_host[HOST_NAME_MAX + 1] = "";
  const char *hostname = config != NULL ? config->hostname : "";
  int error;

  if (*hostname == '\0' && gethostname (of_host, sizeof of_host - 1) == 0)
    hostname = of_host;
  *ret_what = OWN_ROOTFS;
  error = request->n_rootfs == 0 ? make_rootfs (request->bundle_path) : 0;
  for (size_t i = 0; i < N_FILES && error == 0; i++)
    {
      *ret_what = files[i];
      error = write_file (request->bundle_path, files[i], hostname, config);
    }
  if (error == 0)
    {
      *ret_what = VP_FILE_OCI_CONFIG;
      error = write_spec (request, config, hostname);
    }
  return error;
}

/* ---- its containers -------------------------------------------------------------- */

static int
has_mount (VpJsonPiece mounts, const char *destination)
{
  size_t at = 0;

  for (VpJsonPiece mount = vp_json_scan_next (mounts, &at); mount.text != NULL; mount = vp_json_scan_next (mounts, &at))
    if (vp_json_scan_is_string (vp_json_scan_member (mount, "destination"), destination))
      return 1;
  return 0;
}

char *
shim_pod_add_mounts (const char *json, size_t len, const char *pod_directory)
{
  ShimText list = { NULL, 0, 0 }, text = { NULL, 0, 0 };
  VpJsonPiece document, mounts, read_only;
  size_t at = 0, place;

  if (vp_json_scan_parse (json, len, &document) < 0 || *document.text != '{')
    return NULL;
  mounts = vp_json_scan_member (document, "mounts");
  if (mounts.text != NULL && *mounts.text != '[')
    return NULL;
  read_only = vp_json_scan_member (vp_json_scan_member (document, "root"), "readonly");
  for (size_t i = 0; i < N_FILES; i++)
    {
      char *destination = shim_printf ("/etc/%s", files[i]), *source = shim_printf ("%s/%s", pod_directory, files[i]);

      if (!has_mount (mounts, destination))
        {
          shim_text_printf (&list, "%s{\"destination\":\"%s\",\"type\":\"bind\","
                                   "\"options\":[\"rbind\",\"rprivate\",\"%s\"],\"source\":",
                            list.len > 0 ? "," : "", destination,
                            read_only.len == 4 && memcmp (read_only.text, "true", 4) == 0 ? "ro" : "rw");
          shim_text_string (&list, source);
          shim_text_append (&list, "}", 1);
        }
      free (destination);
      free (source);
    }
  if (list.len == 0)
    return NULL;
  /* right behind the bracket, of the list or of the document */
  place = (size_t) ((mounts.text != NULL ? mounts.text : document.text) - json) + 1;
  shim_text_append (&text, json, place);
  shim_text_printf (&text, mounts.text != NULL ? "%s%s" : "\"mounts\":[%s]%s", list.text,
                    mounts.text == NULL || vp_json_scan_next (mounts, &at).text != NULL ? "," : "");
  shim_text_append (&text, json + place, len - place);
  free (list.text);
  return text.text;
}

int
shim_pod_extend (const char *directory, const char *pod_directory)
{
  char *path = shim_printf ("%s/" VP_FILE_OCI_CONFIG, directory), *json = NULL;
  ShimText text = { NULL, 0, 0 };
  size_t len;
  int error = shim_read_file (path, VP_JSON_MAX_BYTES, &json, &len);

  if (error == 0)
    text.text = shim_pod_add_mounts (json, len, pod_directory);
  if (text.text != NULL)
    {
      text.len = strlen (text.text);
      error = shim_text_save (&text, path);
    }
  free (text.text);
  free (json);
  free (path);
  return error;
}

/* ---- its program ----------------------------------------------------------------- */

int
shim_pod_pause (void)
{
  sigset_t set;
  int signal_;

  (void) sigemptyset (&set);
  (void) sigaddset (&set, SIGTERM);
  (void) sigaddset (&set, SIGINT);
  (void) sigaddset (&set, SIGCHLD);
  (void) sigprocmask (SIG_BLOCK, &set, NULL);
  for (;;)
    {
      if (sigwait (&set, &signal_) != 0)
        continue;
      if (signal_ != SIGCHLD)
        return EXIT_SUCCESS;
      while (waitpid (-1, NULL, WNOHANG) > 0)
        ;
    }
}
