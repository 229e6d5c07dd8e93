/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-daemon.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "shim-loop.h"
#include "shim-util.h"
#include "vp-names.h"

#define MESSAGE_MAX (4u << 20)
#define RETRY_MS 500
#define GIVE_UP_MS 30000 /* for a daemon that is away */
#define DBUS "org.freedesktop.DBus"
#define DBUS_ERROR "org.freedesktop.DBus.Error."

typedef struct Pending Pending;
struct Pending
{
  Pending *next;
  ShimPatience patience;
  ShimReplyFunc func;
  void *data;
  uint64_t since;
  uint32_t serial; /* 0: has to be sent (again) */
  size_t len;
  uint8_t message[];
};

typedef struct Sandbox Sandbox;
struct Sandbox
{
  Sandbox *next;
  char path[];
};

static VpBus bus;
static const char *bus_address;
static ShimSignalFunc on_signal;
static ShimWatch *watch;
static ShimTimer *retry;
static Pending *calls; /* in the order they were made */
static Sandbox *sandboxes;

static void send_again (void);

/* ---- connection ------------------------------------------------------------------ */

static void
add_match (const char *rule)
{
  static const VpBusCall match = { DBUS, "/org/freedesktop/DBus", DBUS, "AddMatch", "s", 0 };

  (void) vp_bus_call (&bus, &match, rule);
}

static void
add_sandbox_match (const char *path)
{
  char *rule = shim_printf ("type='signal',sender='" VP_BUS_NAME "',interface='" VP_IFACE_MANAGER
                            "',member='SandboxEvent',arg0path='%s'",
                            path);

  add_match (rule);
  free (rule);
}

static void
on_retry (void *unused)
{
  (void) unused;
  retry = NULL;
  send_again ();
}

static void
try_later (void)
{
  if (retry == NULL)
    retry = shim_timer_new (RETRY_MS, on_retry, NULL);
}

static void
finish (Pending *pending, const ShimReply *reply)
{
  Pending **place = &calls;

  while (*place != pending)
    place = &(*place)->next;
  *place = pending->next;
  pending->func (reply, pending->data);
  free (pending);
}

/* The connection is lost: nobody knows what became of what was sent. */
static void
lost (void)
{
  const ShimReply reply = { NULL, DBUS_ERROR "Disconnected", "the connection to the bus was lost" };
  Pending *pending = calls, *next;

  shim_watch_end (watch);
  watch = NULL;
  vp_bus_close (&bus);
  for (; pending != NULL; pending = next)
    {
      next = pending->next;
      if (pending->serial != 0 && pending->patience == SHIM_ONCE)
        {
          finish (pending, &reply);
          next = calls; /* it may have made others, or ended some: from the start */
        }
      else
        pending->serial = 0;
    }
  try_later ();
}

static int
is_one_of (const char *error, const char *const *names)
{
  for (; *names != NULL; names++)
    if (strcmp (error, *names) == 0)
      return 1;
  return 0;
}

int
shim_daemon_is_gone (const char *error)
{
  static const char *const names[] = { VP_ERROR_PREFIX "NotFound", DBUS_ERROR "UnknownObject",
                                       DBUS_ERROR "UnknownMethod", DBUS_ERROR "UnknownInterface", NULL };

  return is_one_of (error, names);
}

/* Whether a call with this outcome is to be made again. */
static int
has_to_wait (const Pending *pending, const char *error)
{
  static const char *const not_there[] = { DBUS_ERROR "ServiceUnknown", DBUS_ERROR "NameHasNoOwner", NULL };
  static const char *const went[] = { DBUS_ERROR "NoReply", DBUS_ERROR "Disconnected", DBUS_ERROR "Timeout",
                                      DBUS_ERROR "TimedOut", NULL };

  /* anything but the daemon's word means to ask again: it restarts, or is busy */
  if (pending->patience == SHIM_PATIENT)
    return !shim_daemon_is_gone (error) && strcmp (error, VP_ERROR_PREFIX "InvalidState") != 0;
  if (shim_now () - pending->since >= GIVE_UP_MS)
    return 0;
  return is_one_of (error, not_there) || (pending->patience != SHIM_ONCE && is_one_of (error, went));
}

static void
on_answer (const VpBusMessage *message)
{
  ShimReply reply = { message, NULL, NULL };
  Pending *pending = calls;

  while (pending != NULL && pending->serial != message->reply_serial)
    pending = pending->next;
  if (pending == NULL)
    return;
  if (message->type == VP_BUS_ERROR)
    {
      reply.error = message->error != NULL ? message->error : DBUS_ERROR "Failed";
      reply.text = vp_bus_message_get_string (message, 0);
      if (reply.text == NULL)
        reply.text = reply.error;
    }
  if (reply.error != NULL && has_to_wait (pending, reply.error))
    {
      pending->serial = 0;
      try_later ();
    }
  else
    finish (pending, &reply);
}

static void
on_message (const VpBusMessage *message)
{
  const char *owner;

  if (message->type == VP_BUS_METHOD_RETURN || message->type == VP_BUS_ERROR)
    {
      if (message->reply_serial != 0)
        on_answer (message);
    }
  else if (message->type != VP_BUS_SIGNAL || message->member == NULL)
    return;
  else if (strcmp (message->member, "NameOwnerChanged") == 0)
    {
      owner = vp_bus_message_get_string (message, 2);
      if (owner != NULL && *owner != '\0')
        send_again ();
    }
  else
    on_signal (message);
}

static void
on_ready (uint32_t events, void *unused)
{
  VpBusMessage message;
  int found;

  (void) events;
  (void) unused;
  found = vp_bus_read (&bus);
  while (found >= 0 && bus.fd >= 0 && (found = vp_bus_next (&bus, &message)) > 0)
    on_message (&message);
  if (found < 0 && bus.fd >= 0)
    lost ();
}

static int
connect_bus (void)
{
  int error;

  if (bus.fd >= 0)
    return 0;
  error = vp_bus_open (&bus, bus_address, 0);
  if (error != 0)
    return error;
  watch = shim_watch_new (bus.fd, EPOLLIN, on_ready, NULL);
  add_match ("type='signal',sender='" DBUS "',member='NameOwnerChanged',arg0='" VP_BUS_NAME "'");
  for (Sandbox *sandbox = sandboxes; sandbox != NULL; sandbox = sandbox->next)
    add_sandbox_match (sandbox->path);
  return 0;
}

/* ---- calls ----------------------------------------------------------------------- */

/* Calls that are not under way: sends them, or gives up. */
static void
send_again (void)
{
  ShimReply reply = { NULL, DBUS_ERROR "ServiceUnknown", "virtpodd cannot be reached" };
  int error = connect_bus ();

  for (Pending *pending = calls, *next; pending != NULL; pending = next)
    {
      next = pending->next;
      if (pending->serial != 0)
        continue;
      if (error == 0)
        {
          pending->serial = vp_bus_send (&bus, pending->message, pending->len);
          if (pending->serial != 0)
            continue;
          lost ();
          return;
        }
      if (pending->patience != SHIM_PATIENT && shim_now () - pending->since >= GIVE_UP_MS)
        {
          finish (pending, &reply);
          next = calls;
        }
      else
        try_later ();
    }
}

void
shim_daemon_init (const char *address, ShimSignalFunc func)
{
  vp_bus_init (&bus, MESSAGE_MAX);
  bus_address = address;
  on_signal = func;
}

void
shim_daemon_call (const VpBusCall *call, ShimPatience patience, ShimReplyFunc func, void *data, ...)
{
  Pending *pending, **place = &calls;
  va_list arguments;
  size_t len;

  va_start (arguments, data);
  len = vp_bus_message_pack (NULL, 0, call, arguments);
  va_end (arguments);
  pending = shim_alloc (sizeof *pending + len);
  va_start (arguments, data);
  pending->len = vp_bus_message_pack (pending->message, len, call, arguments);
  va_end (arguments);
  pending->patience = patience;
  pending->func = func;
  pending->data = data;
  pending->since = shim_now ();
  while (*place != NULL)
    place = &(*place)->next;
  *place = pending;
  if (connect_bus () < 0 || (pending->serial = vp_bus_send (&bus, pending->message, pending->len)) == 0)
    try_later ();
}

void
shim_daemon_watch (const char *path)
{
  Sandbox *sandbox = sandboxes;

  while (sandbox != NULL && strcmp (sandbox->path, path) != 0)
    sandbox = sandbox->next;
  if (sandbox != NULL)
    return;
  sandbox = shim_alloc (sizeof *sandbox + strlen (path) + 1);
  memcpy (sandbox->path, path, strlen (path) + 1);
  sandbox->next = sandboxes;
  sandboxes = sandbox;
  if (bus.fd >= 0)
    add_sandbox_match (path);
}

int
shim_daemon_call_now (VpBus *to, const VpBusCall *call, unsigned msec, VpBusMessage *reply, ...)
{
  uint8_t data[8192];
  uint64_t end = shim_now () + msec;
  va_list arguments;
  uint32_t serial;
  size_t len;

  va_start (arguments, reply);
  len = vp_bus_message_pack (data, sizeof data, call, arguments);
  va_end (arguments);
  serial = len > 0 && len <= sizeof data ? vp_bus_send (to, data, len) : 0;
  if (serial == 0)
    return -EPIPE;
  for (;;)
    {
      struct pollfd fd = { .fd = to->fd, .events = POLLIN };
      uint64_t now = shim_now ();
      int found;

      while ((found = vp_bus_next (to, reply)) > 0)
        if (reply->reply_serial == serial)
          return 0;
      if (found < 0)
        return -EPROTO;
      if (now >= end)
        return -ETIMEDOUT;
      if (poll (&fd, 1, (int) (end - now)) > 0 && vp_bus_read (to) < 0)
        return -EPIPE;
    }
}
