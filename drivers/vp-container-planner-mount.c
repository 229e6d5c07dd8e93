/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-planner-private.h"

#include <string.h>

#include "vp-annotation-table.h"
#include "vp-decision.h"
#include "vp-error.h"
#include "vp-names.h"

#define SHM_PATH "/dev/shm"
#define RESOLV_CONF "/etc/resolv.conf"
#define PODS "/pods/"
#define EMPTY_DIRS "/volumes/kubernetes.io~empty-dir/"
#define VOLUME_CHARS G_CSET_a_2_z G_CSET_DIGITS "-" /* of a DNS label */

/* File systems the guest's kernel makes by itself. */
static const char *const guest_types[]
    = { "proc",  "sysfs",   "tmpfs",   "devpts",     "mqueue", "cgroup", "cgroup2",
        "ramfs", "debugfs", "tracefs", "securityfs", "bpf",    NULL };

static gboolean refuse (GError **error, VpSpec *spec, guint index, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
refuse (GError **error, VpSpec *spec, guint index, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "%s: mounts[%u]: %s",
               vp_json_get_file (vp_spec_get_json (spec)), index, message);
  return FALSE;
}

static gboolean
is_at_or_below (const char *path, const char *directory)
{
  gsize n = strlen (directory);

  return strncmp (path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Binds of the kernel's own trees mean the kernel the container runs on, which
 * is the guest's: the source stays as it is and is looked up there. */
static gboolean
is_kernel_path (const char *source)
{
  return is_at_or_below (source, "/proc") || is_at_or_below (source, "/sys")
         || is_at_or_below (source, "/dev");
}

static void
write_mount (VpJsonWriter *writer, const char *destination, const char *type, const char *source,
             const char *const *options)
{
  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_string (writer, "destination", destination);
  vp_json_writer_add_string (writer, "type", type);
  vp_json_writer_add_string (writer, "source", source);
  vp_json_writer_add_strv (writer, "options", options);
  vp_json_writer_end_object (writer);
}

/* Containers of a pod share the sandbox's /dev/shm. One of its own, bound from
 * the host by an engine, becomes a tmpfs: memory must not be shared through a
 * file server. FALSE: nothing to do. */
static gboolean
write_shm (VpContainerPlan *plan, const VpSpecMount *mount, VpContainerType type, VpJsonWriter *writer)
{
  static const char *const bind_options[] = { "rbind", NULL };
  g_autofree char *size
      = g_strdup_printf ("size=%" G_GUINT64_FORMAT "k", vp_spec_get_shm_size (plan->spec) / 1024);
  const char *const tmpfs_options[] = { "nosuid", "noexec", "nodev", "mode=1777", size, NULL };

  if (type != VP_CONTAINER_SINGLE)
    write_mount (writer, mount->destination, "bind", VP_GUEST_SHM_DIR, bind_options);
  else if (vp_spec_mount_is_bind (mount))
    write_mount (writer, mount->destination, "tmpfs", "shm", tmpfs_options);
  else
    return FALSE;
  return TRUE;
}

/* What is mounted on either side is not seen on the other. */
static gboolean
check_bind_options (VpContainerPlan *plan, guint index, const VpSpecMount *mount, GError **error)
{
  for (const char *const *o = mount->options; *o != NULL; o++)
    {
      if (g_str_has_prefix (*o, "idmap") || g_str_has_prefix (*o, "ridmap"))
        return refuse (error, plan->spec, index, "option \"%s\" is not supported", *o);
      if (g_str_equal (*o, "shared") || g_str_equal (*o, "rshared"))
        return refuse (error, plan->spec, index,
                       "option \"%s\": what is mounted in the guest cannot reach the host", *o);
    }
  return TRUE;
}

static void
write_bind (VpContainerPlan *plan, guint index, const VpSpecMount *mount, VpJsonWriter *writer)
{
  g_autofree char *field = g_strdup_printf ("mounts[%u].source", index);
  g_autofree char *source = NULL;
  g_autofree char *target = NULL;
  g_autofree char *guest_source = NULL;
  VpHostBind *bind;

  /* the runtime spec: a relative source is relative to the bundle */
  source = g_path_is_absolute (mount->source)
               ? g_strdup (mount->source)
               : g_build_filename (vp_spec_get_bundle (plan->spec), mount->source, NULL);
  target = g_strdup_printf ("%s/mounts/%u", plan->container_id, index);
  guest_source = g_strdup_printf ("%s/%s", VP_GUEST_SHARED_DIR, target);
  bind = vp_container_plan_add_bind (plan, field, source, target);
  bind->read_only = vp_spec_mount_is_read_only (mount);
  bind->recursive = g_str_equal (mount->type, "rbind") || g_strv_contains (mount->options, "rbind");
  write_mount (writer, mount->destination, "bind", guest_source, mount->options);
}

/* The volume's name in "KUBELET/pods/UID/volumes/kubernetes.io~empty-dir/NAME",
 * NULL when @source is something else. Whether the kubelet keeps it on a disk or
 * in memory does not matter to a guest, whose own it will be. */
static const char *
find_empty_dir (VpConfig *config, const char *source)
{
  const char *top = vp_config_get_string (config, VP_CONFIG_RUNTIME_KUBELET_DIR);
  const char *rest = source + strlen (top), *uid, *name;

  if (!is_at_or_below (source, top) || !g_str_has_prefix (rest, PODS))
    return NULL;
  uid = rest + strlen (PODS);
  name = strchr (uid, '/');
  if (name == NULL || name == uid || !g_str_has_prefix (name, EMPTY_DIRS))
    return NULL;
  name += strlen (EMPTY_DIRS);
  return name[0] != '\0' && strchr (name, '/') == NULL && strspn (name, VOLUME_CHARS) == strlen (name) ? name : NULL;
}

/* A directory of the guest's, made when the first container of the pod asks for
 * it. FALSE: nothing to do. */
static gboolean
write_empty_dir (VpContainerPlan *plan, guint index, const VpSpecMount *mount, VpConfig *config,
                 VpJsonWriter *writer)
{
  static const char *const options[] = { "mode=0777", NULL };
  const char *name
      = vp_config_get_bool (config, VP_CONFIG_RUNTIME_GUEST_EMPTY_DIR) ? find_empty_dir (config, mount->source) : NULL;
  g_autofree char *directory = NULL;
  g_autofree char *what = NULL;

  if (name == NULL)
    return FALSE;
  directory = g_build_filename (VP_GUEST_LOCAL_DIR, name, NULL);
  what = g_strdup_printf ("mounts[%u]", index);
  g_ptr_array_add (plan->storages, vp_guest_storage_new ("local", "local", "local", directory, options));
  write_mount (writer, mount->destination, "bind", directory, mount->options);
  vp_container_plan_note (plan, what, "the guest's own",
                          vp_config_get_source (config, VP_CONFIG_RUNTIME_GUEST_EMPTY_DIR), "an emptyDir volume");
  return TRUE;
}

/* What Kata's snapshotters say by options of mounts is not an option of any file system. */
static gboolean
check_kata_options (VpContainerPlan *plan, guint index, const VpSpecMount *mount, GError **error)
{
  for (const char *const *o = mount->options; *o != NULL; o++)
    {
      const VpAnnotationRow *row;
      g_autofree char *shown = NULL;

      if (!g_str_has_prefix (*o, "io.katacontainers."))
        continue;
      row = vp_annotation_find (*o);
      shown = vp_error_shown (*o);
      return refuse (error, plan->spec, index, "option \"%s\": %s", shown,
                     row != NULL && row->scope == VP_ANNOTATION_MOUNT ? row->reason : "no option has this name");
    }
  return TRUE;
}

static gboolean
write_one (VpContainerPlan *plan, VpContainerType type, VpConfig *config, guint index, VpJsonWriter *writer,
           GError **error)
{
  const VpSpecMount *mount = vp_spec_get_mount (plan->spec, index);

  if (!check_kata_options (plan, index, mount, error))
    return FALSE;
  if (g_str_equal (mount->destination, SHM_PATH) && write_shm (plan, mount, type, writer))
    return TRUE;
  if (vp_spec_mount_is_bind (mount))
    {
      if (is_kernel_path (mount->source))
        write_mount (writer, mount->destination, "bind", mount->source, mount->options);
      else if (!check_bind_options (plan, index, mount, error))
        return FALSE;
      else if (!write_empty_dir (plan, index, mount, config, writer))
        write_bind (plan, index, mount, writer);
      return TRUE;
    }
  if (!g_strv_contains (guest_types, mount->type))
    return refuse (error, plan->spec, index, "type \"%s\" on %s cannot be mounted in the guest", mount->type,
                   mount->destination);
  write_mount (writer, mount->destination, mount->type, mount->source ?: mount->type, mount->options);
  return TRUE;
}

/* An engine that sets up a network brings the file with its name servers. Where
 * the network is nobody's, it is the guest's. A root file system that cannot be
 * written to may have no place to put it. */
static gboolean
lacks_resolv_conf (VpContainerPlan *plan, VpConfig *config)
{
  if (!g_str_equal (vp_config_get_string (config, VP_CONFIG_NETWORK_MODEL), "user")
      || vp_spec_get_root_readonly (plan->spec))
    return FALSE;
  for (guint i = 0; i < vp_spec_get_n_mounts (plan->spec); i++)
    {
      const char *destination = vp_spec_get_mount (plan->spec, i)->destination;

      if (is_at_or_below (RESOLV_CONF, destination) && !g_str_equal (destination, "/"))
        return FALSE;
    }
  return TRUE;
}

gboolean
vp_container_planner_write_mounts (VpContainerPlan *plan, VpContainerType type, VpConfig *config,
                                   VpJsonWriter *writer, GError **error)
{
  static const char *const options[] = { "bind", "ro", NULL };

  vp_json_writer_begin_array (writer, "mounts");
  for (guint i = 0; i < vp_spec_get_n_mounts (plan->spec); i++)
    {
      if (!write_one (plan, type, config, i, writer, error))
        return FALSE;
    }
  if (lacks_resolv_conf (plan, config))
    write_mount (writer, RESOLV_CONF, "bind", RESOLV_CONF, options);
  vp_json_writer_end_array (writer);
  return TRUE;
}
