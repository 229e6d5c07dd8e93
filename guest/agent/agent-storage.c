/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent-log.h"

#define MAX_STORAGES 4096
#define MAX_DATA 4096

/* options of one mount taken apart */
typedef struct
{
  unsigned long flags;
  unsigned long propagation;
  long mode; /* -1: not given */
  long fsgid;
  char data[MAX_DATA]; /* the rest, for the file system */
} Options;

static const struct
{
  const char *name;
  unsigned long set, clear;
} flag_names[] = {
  { "defaults", 0, 0 },           { "ro", MS_RDONLY, 0 },
  { "rw", 0, MS_RDONLY },         { "nosuid", MS_NOSUID, 0 },
  { "suid", 0, MS_NOSUID },       { "nodev", MS_NODEV, 0 },
  { "dev", 0, MS_NODEV },         { "noexec", MS_NOEXEC, 0 },
  { "exec", 0, MS_NOEXEC },       { "sync", MS_SYNCHRONOUS, 0 },
  { "async", 0, MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC, 0 },
  { "noatime", MS_NOATIME, 0 },   { "nodiratime", MS_NODIRATIME, 0 },
  { "relatime", MS_RELATIME, 0 }, { "strictatime", MS_STRICTATIME, 0 },
  { "bind", MS_BIND, 0 },         { "rbind", MS_BIND | MS_REC, 0 },
};

static const struct
{
  const char *name;
  unsigned long flags;
} propagation_names[] = {
  { "shared", MS_SHARED },   { "rshared", MS_SHARED | MS_REC },
  { "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
  { "slave", MS_SLAVE },     { "rslave", MS_SLAVE | MS_REC },
};

/* 0 or -EINVAL */
static int
parse_option (Options *o, const char *option, int own_mode)
{
  size_t len = strlen (o->data);
  char *end;

  for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++)
    if (strcmp (option, flag_names[i].name) == 0)
      {
        o->flags = (o->flags & ~flag_names[i].clear) | flag_names[i].set;
        return 0;
      }
  for (size_t i = 0; i < sizeof propagation_names / sizeof propagation_names[0]; i++)
    if (strcmp (option, propagation_names[i].name) == 0)
      {
        o->propagation = propagation_names[i].flags;
        return 0;
      }
  if (strncmp (option, "fsgid=", 6) == 0)
    {
      o->fsgid = strtol (option + 6, &end, 10);
      return *end == '\0' && end != option + 6 && o->fsgid >= 0 && o->fsgid < UINT32_MAX ? 0 : -EINVAL;
    }
  if (own_mode && strncmp (option, "mode=", 5) == 0)
    {
      o->mode = strtol (option + 5, &end, 8);
      return *end == '\0' && end != option + 5 && o->mode >= 0 && o->mode <= 07777 ? 0 : -EINVAL;
    }
  /* a comma would smuggle in another option */
  if (strchr (option, ',') != NULL || len + strlen (option) + 2 > MAX_DATA)
    return -EINVAL;
  snprintf (o->data + len, MAX_DATA - len, "%s%s", len > 0 ? "," : "", option);
  return 0;
}

static int
parse_options (Options *o, const Grpc__Storage *s, int own_mode)
{
  *o = (Options){ .mode = -1, .fsgid = -1 };
  for (size_t i = 0; i < s->n_options; i++)
    if (parse_option (o, s->options[i], own_mode) < 0)
      return -EINVAL;
  return 0;
}

static int
set_group (const char *path, long gid)
{
  struct stat st;

  if (gid < 0)
    return 0;
  if (chown (path, (uid_t) -1, (gid_t) gid) < 0 || stat (path, &st) < 0
      || chmod (path, (st.st_mode & 07777) | S_ISGID) < 0)
    return -errno;
  return 0;
}

static int
do_mount (const Grpc__Storage *s, const char *source, const char *type, Options *o)
{
  if (mount (source, s->mount_point, type, o->flags, o->data[0] != '\0' ? o->data : NULL) < 0)
    return -errno;
  /* a bind mount takes its flags only when it is mounted again */
  if ((o->flags & MS_BIND) != 0 && (o->flags & ~(unsigned long) (MS_BIND | MS_REC)) != 0
      && mount ("none", s->mount_point, "none", (o->flags & ~(unsigned long) MS_REC) | MS_REMOUNT, NULL) < 0)
    return -errno;
  if (o->propagation != 0 && mount ("none", s->mount_point, "none", o->propagation, NULL) < 0)
    return -errno;
  return 0;
}

static int
add_virtiofs (const Grpc__Storage *s)
{
  Options o;
  int rc = parse_options (&o, s, 0);

  return rc < 0 ? rc : do_mount (s, s->source, "virtiofs", &o);
}

static int
add_ephemeral (const Grpc__Storage *s)
{
  const char *type = s->fstype[0] != '\0' ? s->fstype : "tmpfs";
  Options o;
  int rc = parse_options (&o, s, 0);

  if (rc == 0)
    rc = do_mount (s, s->source[0] != '\0' ? s->source : type, type, &o);
  return rc < 0 ? rc : set_group (s->mount_point, o.fsgid);
}

static int
add_local (const Grpc__Storage *s)
{
  Options o;
  int rc = parse_options (&o, s, 1);

  if (rc == 0 && chmod (s->mount_point, o.mode >= 0 ? (mode_t) o.mode : 0755) < 0)
    rc = -errno;
  return rc < 0 ? rc : set_group (s->mount_point, o.fsgid);
}

static int
add_bind (const Grpc__Storage *s)
{
  Options o;
  int rc = parse_options (&o, s, 0);

  if (rc == 0 && !agent_path_is_clean (s->source))
    rc = -EINVAL;
  o.flags |= MS_BIND;
  return rc < 0 ? rc : do_mount (s, s->source, "bind", &o);
}

static const struct
{
  const char *name;
  int (*add) (const Grpc__Storage *s);
} drivers[] = {
  { "virtio-fs", add_virtiofs },
  { "ephemeral", add_ephemeral },
  { "local", add_local },
  { "bind", add_bind },
};

const char *const agent_storage_drivers[] = { "virtio-fs", "ephemeral", "local", "bind", NULL };

static AgentStorage *
find (AgentList *storages, const char *mount_point)
{
  agent_list_foreach (it, storages)
  {
    AgentStorage *st = agent_container_of (it, AgentStorage, link);

    if (strcmp (st->mount_point, mount_point) == 0)
      return st;
  }
  return NULL;
}

/* Some file systems are asked for by their type alone. */
static const char *
driver_of (const Grpc__Storage *s)
{
  return s->driver[0] == '\0' && strcmp (s->fstype, "bind") == 0 ? "bind" : s->driver;
}

VpGrpcCode
agent_storage_add (AgentList *storages, const Grpc__Storage *s, char **ret_message)
{
  AgentStorage *st = find (storages, s->mount_point);
  const char *driver = driver_of (s);
  size_t i, n = sizeof drivers / sizeof drivers[0];
  unsigned count = 0;
  int rc;

  if (st != NULL)
    {
      st->users++;
      return VP_GRPC_OK;
    }
  for (i = 0; i < n && strcmp (drivers[i].name, driver) != 0; i++)
    ;
  agent_list_foreach (it, storages) count++;
  if (i == n || s->fs_group != NULL)
    {
      *ret_message = i == n ? agent_printf ("storage driver \"%.64s\": is not supported", s->driver)
                            : agent_printf ("storage %.512s: fs_group is not supported", s->mount_point);
      return VP_GRPC_UNIMPLEMENTED;
    }
  if (!agent_path_is_clean (s->mount_point) || s->mount_point[1] == '\0' || count >= MAX_STORAGES)
    {
      *ret_message
          = agent_printf ("storage %.512s: the mount point must be an absolute, clean path", s->mount_point);
      return VP_GRPC_INVALID_ARGUMENT;
    }
  rc = agent_mkdir_p (s->mount_point);
  if (rc == 0)
    rc = drivers[i].add (s);
  if (rc < 0)
    {
      umount2 (s->mount_point, MNT_DETACH | UMOUNT_NOFOLLOW);
      *ret_message = agent_printf ("storage %.512s: driver %s, source %.512s: %s", s->mount_point, driver,
                                   s->source, strerror (-rc));
      return agent_code_from_errno (rc);
    }
  st = agent_new (AgentStorage);
  st->mount_point = agent_strdup (s->mount_point);
  st->driver = drivers[i].name;
  st->users = 1;
  agent_list_append (storages, &st->link);
  return VP_GRPC_OK;
}

/* What mount() with MS_REMOUNT would take away if it were not said again */
static unsigned long
flags_of (const char *mount_point)
{
  static const unsigned long flags[][2] = {
    { ST_RDONLY, MS_RDONLY },   { ST_NOSUID, MS_NOSUID },         { ST_NODEV, MS_NODEV },
    { ST_NOEXEC, MS_NOEXEC },   { ST_SYNCHRONOUS, MS_SYNCHRONOUS }, { ST_NOATIME, MS_NOATIME },
    { ST_NODIRATIME, MS_NODIRATIME }, { ST_RELATIME, MS_RELATIME },
  };
  struct statvfs fs;
  unsigned long set = 0;

  if (statvfs (mount_point, &fs) == 0)
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
      if ((fs.f_flag & flags[i][0]) != 0)
        set |= flags[i][1];
  return set;
}

VpGrpcCode
agent_storage_update (AgentList *storages, const Grpc__Storage *s, char **ret_message)
{
  AgentStorage *st = find (storages, s->mount_point);
  Options o = { .mode = -1, .fsgid = -1 };
  int rc = 0;

  if (st == NULL || strcmp (st->driver, "ephemeral") != 0)
    {
      *ret_message = agent_printf ("storage %.512s: is not mounted as ephemeral", s->mount_point);
      return VP_GRPC_NOT_FOUND;
    }
  for (size_t i = 0; rc == 0 && i < s->n_options; i++)
    if (strcmp (s->options[i], "remount") != 0)
      rc = parse_option (&o, s->options[i], 0);
  if (rc == 0 && mount ("none", st->mount_point, "none", o.flags | flags_of (st->mount_point) | MS_REMOUNT, o.data) < 0)
    rc = -errno;
  if (rc < 0)
    {
      *ret_message = agent_printf ("storage %.512s: %s", s->mount_point, strerror (-rc));
      return agent_code_from_errno (rc);
    }
  return VP_GRPC_OK;
}

static void
storage_free (AgentStorage *st)
{
  int rc = agent_unmount_below (st->mount_point);

  if (rc < 0)
    agent_warning ("cannot unmount %s: %s", st->mount_point, strerror (-rc));
  agent_list_remove (&st->link);
  free (st->mount_point);
  free (st);
}

void
agent_storage_drop (AgentList *storages, const char *mount_point)
{
  AgentStorage *st = find (storages, mount_point);

  if (st != NULL && --st->users == 0)
    storage_free (st);
}

void
agent_storage_clear (AgentList *storages)
{
  while (!agent_list_is_empty (storages))
    storage_free (agent_container_of (storages->prev, AgentStorage, link));
}
