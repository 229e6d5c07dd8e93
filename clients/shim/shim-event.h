/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "event.pb-c.h"

/* Events for containerd: sent one after the other in the order they were made, over
 * its ttrpc socket, or by its own program when there is none. One that cannot be
 * delivered after some tries is dropped, and the log says so. */

/* All kept: @ttrpc the socket's path; @program and @address for "PROGRAM --address
 * ADDRESS publish". With neither (NULL or empty) events go nowhere. */
void shim_event_init (const char *ttrpc, const char *program, const char *address, const char *namespace_);

/* @topic: "/tasks/…"; @name: of the message, behind "containerd.events." */
void shim_event_send (const char *topic, const char *name, const void *message);

/* Calls @func when all of them are gone, which may be now. Once. */
void shim_event_when_sent (void (*func) (void));
