/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "proxy-message.h"

/* A connection to a message bus. A library for this is larger than the rest of
 * the program by far, and there is one of the program for every container. */
typedef struct
{
  int fd; /* -1: not connected */
  uint32_t serial;
  size_t len;  /* received and not taken yet */
  size_t used; /* of that, of the message that was given last */
  uint8_t data[PROXY_MESSAGE_MAX];
} ProxyBus;

/* Connects to the first address of the list @address that is a UNIX socket, and
 * says Hello. Its path counts from the working directory, as "/" may be another
 * one by now. 0 or -errno; waits for seconds at the most. */
int proxy_bus_open (ProxyBus *self, const char *address);
void proxy_bus_close (ProxyBus *self);

/* Sends a call; its serial, or 0 when the connection is lost. */
uint32_t proxy_bus_call (ProxyBus *self, const ProxyCall *call, ...);

/* Reads what there is. 0, or -1 when the connection is lost. */
int proxy_bus_read (ProxyBus *self);

/* The next message of what was read, valid until the next call. 1, 0 when there
 * is no whole one, or -1 when what comes is not D-Bus. */
int proxy_bus_next (ProxyBus *self, ProxyMessage *message);
