/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bus-message.h"

/* A connection to a message bus. A library for this is larger than the rest of
 * its users by far, and there is one of those for every container. */
typedef struct
{
  int fd; /* -1: not connected */
  uint32_t serial;
  size_t max;  /* longest message that is believed */
  size_t len;  /* received and not taken yet */
  size_t used; /* of that, of the message that was given last */
  size_t size; /* of data, which grows to @max at the most */
  uint8_t *data;
} VpBus;

/* Not connected. */
void vp_bus_init (VpBus *self, size_t max);

/* Connects to the first address of the list @address that is a UNIX socket, and
 * says Hello. Its path counts from the working directory when @relative, as "/" may be
 * another one by now. 0 or -errno; waits for seconds at the most. */
int vp_bus_open (VpBus *self, const char *address, int relative);
void vp_bus_close (VpBus *self);

/* Sends a call of at most some kilobytes; its serial, or 0 when the connection is lost. */
uint32_t vp_bus_call (VpBus *self, const VpBusCall *call, ...);

/* A message of @len bytes that vp_bus_message_pack() made: its serial is set. Result as above. */
uint32_t vp_bus_send (VpBus *self, uint8_t *message, size_t len);

/* Reads what there is. 0, or -1 when the connection is lost. */
int vp_bus_read (VpBus *self);

/* The next message of what was read, valid until the next call. 1, 0 when there
 * is no whole one, or -1 when what comes is not D-Bus. */
int vp_bus_next (VpBus *self, VpBusMessage *message);
