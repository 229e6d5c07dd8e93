/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bus-reader.h"
#include "vp-bus.h"

/* The way to virtpodd: calls over the bus that are answered in the loop. The daemon
 * may be restarted, and so may the bus; who calls does not notice, but for calls that
 * were under way and must not be made twice. */

typedef enum
{
  SHIM_ONCE,    /* made again only if the daemon cannot have got it; fails some time after it went away */
  SHIM_AGAIN,   /* may be made twice */
  SHIM_PATIENT, /* that too, and never gives up */
} ShimPatience;

/* What a call came to. error NULL: @message is the reply. Else D-Bus's name of an error, and its text. */
typedef struct
{
  const VpBusMessage *message;
  const char *error, *text;
} ShimReply;

typedef void (*ShimReplyFunc) (const ShimReply *reply, void *data);
/* A signal of a sandbox whose events were asked for, or of that kind. */
typedef void (*ShimSignalFunc) (const VpBusMessage *signal);

/* @address: of the bus; kept. Connects when the loop runs, or with the first call. */
void shim_daemon_init (const char *address, ShimSignalFunc func);

/* @func is called later, once, and may make calls. @call's arguments follow. */
void shim_daemon_call (const VpBusCall *call, ShimPatience patience, ShimReplyFunc func, void *data, ...);

/* Asks for the events of a sandbox, by the path of its object, as long as the shim runs. */
void shim_daemon_watch (const char *sandbox);
/* Whether this is the daemon's word that there is no such object any more. */
int shim_daemon_is_gone (const char *error);

/* For programs without a loop: sends, waits for at most @msec, and leaves the reply
 * in @reply; what it points to lives until the next call with @bus. 0, or -ETIMEDOUT
 * or what the connection failed with. Arguments follow. */
int shim_daemon_call_now (VpBus *bus, const VpBusCall *call, unsigned msec, VpBusMessage *reply, ...);
