/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What happens that an administrator looks for later. Each has a MESSAGE_ID of
 * its own in the journal, a level, and an explanation in data/virtpod.catalog
 * (a test compares). Ids are never reused and never change. */
typedef enum
{
  VP_EVENT_SANDBOX_STARTED,     /* notice */
  VP_EVENT_SANDBOX_STOPPED,     /* notice; says why */
  VP_EVENT_SANDBOX_FAILED,      /* warning: a start that was undone */
  VP_EVENT_SANDBOX_LOST,        /* warning: the virtual machine went away by itself */
  VP_EVENT_SANDBOX_ADOPTED,     /* notice: taken over from an earlier daemon */
  VP_EVENT_CONTAINER_EXITED,    /* notice; says the status */
  VP_EVENT_CONTAINER_OOM,       /* warning: the guest's kernel killed in it */
  VP_EVENT_RECORD_QUARANTINED,  /* warning: a record that could not be read */
  VP_EVENT_LIBVIRT_CONNECTED,   /* notice */
  VP_EVENT_LIBVIRT_LOST,        /* warning */
  VP_EVENT_GUEST_LIMIT,         /* warning: a guest was held back or cut off */
  VP_N_EVENTS
} VpEvent;

/* 32 hexadecimal digits, as journalctl MESSAGE_ID= takes it. */
const char *vp_event_get_message_id (VpEvent event);

/* "sandbox-started": how it is called where a name is shown. */
const char *vp_event_get_name (VpEvent event);

/* One log line about it, as vp_log (). @sandbox and @container may be NULL. */
void vp_event (VpEvent event, const char *sandbox, const char *container, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
