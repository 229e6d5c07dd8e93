/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-delete.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim-address.h"
#include "shim-mount.h"
#include "shim-task.h"
#include "shim-util.h"
#include "vp-names.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define STATUS_KILLED 137
#define CALL_MS 30000
/* containerd gives a delete five seconds before it kills it: for a daemon that restarts */
#define REACH_MS 4000
#define RETRY_MS 100
#define PROPERTIES "org.freedesktop.DBus.Properties"

static const VpBusOption force[] = { { "force", NULL, 1 }, { NULL, NULL, 0 } };

typedef struct
{
  uint32_t status;
  uint64_t time; /* microseconds */
} End;

const char *
shim_bus_address (void)
{
  const char *address = getenv (VP_ENV_ADDRESS);

  if (address == NULL || *address == '\0')
    address = getenv ("DBUS_SYSTEM_BUS_ADDRESS");
  return address == NULL || *address == '\0' ? SYSTEM_BUS : address;
}

static int
is_error (const VpBusMessage *reply, const char *name)
{
  return reply->type == VP_BUS_ERROR && reply->error != NULL && strcmp (reply->error, name) == 0;
}

static int
is_gone (const VpBusMessage *reply)
{
  return reply->type == VP_BUS_ERROR && reply->error != NULL && shim_daemon_is_gone (reply->error);
}

/* Says what went wrong. */
static int
complain (const char *what, int error, const VpBusMessage *reply)
{
  const char *text = error == 0 && reply->type == VP_BUS_ERROR ? vp_bus_message_get_string (reply, 0) : NULL;

  shim_log ("%s: %s", what, error != 0 ? strerror (-error) : text != NULL ? text : "an answer nobody expects");
  return -1;
}

/* The container's object, malloc'd. NULL with 0 in *ret_error: there is none. */
static char *
find (VpBus *bus, const char *id, int *ret_error)
{
  static const VpBusCall call = { VP_BUS_NAME, VP_PATH_MANAGER, VP_IFACE_MANAGER, "GetContainer", "s", 0 };
  const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
  uint64_t end = shim_now () + REACH_MS;
  VpBusMessage reply;
  const char *path;
  int error;

  for (;;)
    {
      error = bus->fd >= 0 ? 0 : vp_bus_open (bus, shim_bus_address (), 0);
      if (error == 0)
        error = shim_daemon_call_now (bus, &call, CALL_MS, &reply, id);
      if (error == 0 && !is_error (&reply, "org.freedesktop.DBus.Error.ServiceUnknown")
          && !is_error (&reply, "org.freedesktop.DBus.Error.NoReply"))
        break;
      if (error != 0)
        vp_bus_close (bus);
      if (shim_now () >= end)
        {
          *ret_error = complain ("virtpodd", error, &reply);
          return NULL;
        }
      (void) nanosleep (&pause, NULL);
    }
  *ret_error = 0;
  if (is_gone (&reply))
    return NULL;
  path = vp_bus_message_get_string (&reply, 0);
  if (reply.type == VP_BUS_METHOD_RETURN && path != NULL)
    return shim_strdup (path);
  *ret_error = complain (id, 0, &reply);
  return NULL;
}

/* A string property of the container; malloc'd, NULL if it cannot be had. */
static char *
get (VpBus *bus, const char *path, const char *name)
{
  const VpBusCall call = { VP_BUS_NAME, path, PROPERTIES, "Get", "ss", 0 };
  const char *type, *value;
  VpBusMessage reply;
  VpBusReader in;

  if (shim_daemon_call_now (bus, &call, CALL_MS, &reply, VP_IFACE_CONTAINER, name) < 0
      || reply.type != VP_BUS_METHOD_RETURN || strcmp (reply.signature, "v") != 0)
    return NULL;
  in = vp_bus_reader_of (&reply);
  type = vp_bus_reader_signature (&in);
  value = type != NULL && (*type == 's' || *type == 'o') ? vp_bus_reader_string (&in) : NULL;
  return value == NULL ? NULL : shim_strdup (value);
}

/* Ids are one set on a host, and each containerd namespace has its own: a container
 * that was made of another bundle is not ours to delete. */
static int
is_ours (VpBus *bus, const char *path)
{
  char *bundle = get (bus, path, "Bundle");
  struct stat here, there;
  int same = bundle != NULL && stat (".", &here) == 0 && stat (bundle, &there) == 0 && here.st_dev == there.st_dev
             && here.st_ino == there.st_ino;

  free (bundle);
  return same;
}

/* A pod cannot outlive its shim: with its own container, whose object is called as its
 * sandbox's, the others go too. */
static int
is_own (const char *path, const char *sandbox)
{
  const char *name = strrchr (path, '/'), *of_sandbox = strrchr (sandbox, '/');

  return name != NULL && of_sandbox != NULL && strcmp (name, of_sandbox) == 0;
}

static int
delete_sandbox (VpBus *bus, const char *path)
{
  const VpBusCall call = { VP_BUS_NAME, path, VP_IFACE_SANDBOX, "Delete", "{", 0 };
  VpBusMessage reply;
  int error = shim_daemon_call_now (bus, &call, CALL_MS, &reply, force);

  return error != 0 || (reply.type == VP_BUS_ERROR && !is_gone (&reply)) ? complain ("sandbox", error, &reply) : 0;
}

static int
delete_container (VpBus *bus, const char *path, int own, End *ret)
{
  const VpBusCall call = { VP_BUS_NAME, path, VP_IFACE_CONTAINER, "Delete", "{", 0 };
  char *state = get (bus, path, "State");
  VpBusMessage reply;
  int error = shim_daemon_call_now (bus, &call, CALL_MS, &reply, force), had_ended;

  had_ended = state != NULL && strcmp (state, "stopped") == 0;
  free (state);
  /* its own that cannot go alone goes with the sandbox */
  if (error == 0 && (is_gone (&reply) || (own && is_error (&reply, VP_ERROR_PREFIX "InvalidState"))))
    return 0;
  if (error != 0 || reply.type != VP_BUS_METHOD_RETURN)
    return complain ("container", error, &reply);
  if (had_ended && strcmp (reply.signature, "ut") == 0)
    {
      VpBusReader in = vp_bus_reader_of (&reply);

      (void) (vp_bus_reader_u32 (&in, &ret->status) == 0 && vp_bus_reader_u64 (&in, &ret->time) == 0);
    }
  return 0;
}

/* The socket of a shim that is dead. */
static void
remove_socket (void)
{
  char *address = NULL;
  size_t len;

  if (shim_read_file ("address", PATH_MAX, &address, &len) < 0)
    return;
  if (strncmp (address, "unix://", strlen ("unix://")) == 0 && shim_address_is_ours (address + strlen ("unix://"))
      && !shim_address_is_served (address))
    (void) unlink (address + strlen ("unix://"));
  free (address);
}

static int
answer (const End *end)
{
  Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
  Google__Protobuf__Timestamp exited_at;
  uint8_t data[64];
  size_t len;

  response.exit_status = end->status;
  response.exited_at = shim_timestamp (&exited_at, end->time != 0 ? end->time : shim_time ());
  len = task__delete_response__pack (&response, data); /* three numbers and a time */
  return write (STDOUT_FILENO, data, len) == (ssize_t) len ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
shim_delete (const ShimOptions *options)
{
  End end = { STATUS_KILLED, 0 };
  VpBus bus;
  char *path, *sandbox, *rootfs, *here;
  int failed = 0, own;

  if (options->bundle != NULL && chdir (options->bundle) < 0)
    {
      shim_log ("%s: %s", options->bundle, strerror (errno));
      return EXIT_FAILURE;
    }
  /* first what is quick: containerd does not give it long */
  remove_socket ();
  vp_bus_init (&bus, 1u << 20);
  path = find (&bus, options->id, &failed);
  if (path != NULL && is_ours (&bus, path))
    {
      sandbox = get (&bus, path, "Sandbox");
      own = sandbox != NULL && is_own (path, sandbox);
      failed = delete_container (&bus, path, own, &end);
      if (!failed && own)
        failed = delete_sandbox (&bus, sandbox);
      free (sandbox);
    }
  free (path);
  vp_bus_close (&bus);

  here = getcwd (NULL, 0);
  rootfs = shim_printf ("%s/" VP_DIR_ROOTFS, here != NULL ? here : ".");
  if (!failed && shim_unmount_all (rootfs) < 0)
    {
      shim_log ("%s: %s", rootfs, strerror (errno));
      failed = -1;
    }
  free (rootfs);
  free (here);
  return failed != 0 ? EXIT_FAILURE : answer (&end);
}
