/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-json.h"
#include "agent-util.h"
#include "vp-message-json.h"
#include "vp-oci-names.h"

/* a string of an unpacked message: malloc'd, or protobuf-c's shared empty one */
static void
set_string (char **field, const char *value)
{
  if (*field != protobuf_c_empty_string)
    free (*field);
  *field = agent_strdup (value);
}

static void
add_namespace (Grpc__Linux *linux_part, const char *type, const char *path)
{
  Grpc__LinuxNamespace *ns = agent_new (Grpc__LinuxNamespace);

  grpc__linux_namespace__init (ns);
  set_string (&ns->type, type);
  if (path != NULL)
    set_string (&ns->path, path);
  linux_part->namespaces[linux_part->n_namespaces++] = ns;
}

/* The host's paths mean nothing here. Of its list only the kinds count that are a
 * question at all: a user namespace, and whether there is one is the answer. The network
 * is the guest's own, always. */
static int
complete_namespaces (Grpc__Linux *linux_part, const AgentNamespaces *ns)
{
  int user = 0;

  for (size_t i = 0; i < linux_part->n_namespaces; i++)
    {
      user |= strcmp (linux_part->namespaces[i]->type, "user") == 0;
      grpc__linux_namespace__free_unpacked (linux_part->namespaces[i], NULL);
    }
  free (linux_part->namespaces);
  linux_part->n_namespaces = 0;
  linux_part->namespaces = agent_alloc (6 * sizeof *linux_part->namespaces);
  add_namespace (linux_part, "mount", NULL);
  add_namespace (linux_part, "pid", ns->pid);
  add_namespace (linux_part, "ipc", ns->ipc);
  add_namespace (linux_part, "uts", ns->uts);
  add_namespace (linux_part, "cgroup", NULL);
  if (user)
    add_namespace (linux_part, "user", NULL);
  return user;
}

/* What root of a user namespace may not mount where the namespace of IPC is not its own,
 * it may bind. */
static void
bind_mqueue (Grpc__Spec *spec, const char *source)
{
  for (size_t i = 0; i < spec->n_mounts; i++)
    {
      Grpc__Mount *m = spec->mounts[i];
      char **options;

      if (strcmp (m->type, "mqueue") != 0)
        continue;
      set_string (&m->type, "bind");
      set_string (&m->source, source);
      options = agent_alloc ((m->n_options + 1) * sizeof *options);
      if (m->n_options > 0)
        memcpy (options, m->options, m->n_options * sizeof *options);
      options[m->n_options++] = agent_strdup ("bind");
      free (m->options);
      m->options = options;
    }
}

void
agent_bundle_complete (Grpc__Spec *spec, const char *id, const AgentNamespaces *ns)
{
  int user;

  /* crun of Debian 12 refuses 1.1 and later for their number alone; what they added and it
   * does not know was refused on the host, or does no harm */
  if (spec->version[0] == '\0' || strncmp (spec->version, "1.", 2) == 0)
    set_string (&spec->version, "1.0.2");
  if (spec->process != NULL && spec->process->cwd[0] == '\0')
    set_string (&spec->process->cwd, "/");
  if (spec->linux == NULL)
    {
      spec->linux = agent_new (Grpc__Linux);
      grpc__linux__init (spec->linux);
    }
  user = complete_namespaces (spec->linux, ns);
  /* Root of a user namespace may not rename the sandbox, which has this name already. */
  if (user && ns->uts != NULL)
    set_string (&spec->hostname, "");
  if (user && ns->ipc != NULL && ns->mqueue != NULL)
    bind_mqueue (spec, ns->mqueue);
  /* a path with colons is systemd's kind, which nobody here understands */
  if (spec->linux->cgroupspath[0] != '/' || !agent_path_is_clean (spec->linux->cgroupspath)
      || strchr (spec->linux->cgroupspath, ':') != NULL || spec->linux->cgroupspath[1] == '\0')
    {
      char *path = agent_printf ("/%s", id);

      set_string (&spec->linux->cgroupspath, path);
      free (path);
    }
}

char *
agent_bundle_take_extra (Grpc__Spec *spec)
{
  char *extra = NULL;
  size_t n = 0;

  for (size_t i = 0; i < spec->n_annotations; i++)
    {
      Grpc__Spec__AnnotationsEntry *entry = spec->annotations[i];

      if (strcmp (entry->key, VP_OCI_EXTRA) != 0)
        {
          spec->annotations[n++] = entry;
          continue;
        }
      free (extra);
      extra = agent_strdup (entry->value);
      protobuf_c_message_free_unpacked (&entry->base, NULL);
    }
  spec->n_annotations = n;
  return extra;
}

/* @message with the members of @extra; takes @extra's bounds from the frame it came in */
static char *
to_json (const ProtobufCMessage *message, VpJsonPiece extra, size_t *ret_len)
{
  char *json = vp_message_to_json (message, VP_MESSAGE_JSON_OCI, ret_len);
  char *merged;
  int rc;

  if (json == NULL || extra.text == NULL)
    return json;
  rc = agent_json_merge (json, *ret_len, extra.text, extra.len, &merged, ret_len);
  free (json);
  if (rc == 0)
    return merged;
  errno = -rc;
  return NULL;
}

int
agent_bundle_write (const char *dir, const Grpc__Spec *spec, const char *extra)
{
  VpJsonPiece parsed = { extra, extra != NULL ? strlen (extra) : 0 };
  size_t len;
  char *json = to_json (&spec->base, parsed, &len);
  char *path;
  int rc;

  if (json == NULL)
    return -errno;
  path = agent_printf ("%s/config.json", dir);
  rc = agent_write_file (path, json, len, 1);
  free (path);
  free (json);
  return rc;
}

char *
agent_bundle_process_json (const Grpc__Process *process, const char *extra, size_t *ret_len)
{
  VpJsonPiece parsed = { NULL, 0 };

  if (extra != NULL && vp_json_scan_parse (extra, strlen (extra), &parsed) < 0)
    {
      errno = EINVAL;
      return NULL;
    }
  return to_json (&process->base, vp_json_scan_member (parsed, "process"), ret_len);
}
