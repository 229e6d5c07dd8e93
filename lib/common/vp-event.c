/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-event.h"

#include "vp-log-private.h"

static const struct
{
  const char *name;
  const char *message_id;
  GLogLevelFlags level;
} table[VP_N_EVENTS] = {
  [VP_EVENT_SANDBOX_STARTED] = { "sandbox-started", "8280bc8427d04923b5ceaf52cd4eda6a", G_LOG_LEVEL_MESSAGE },
  [VP_EVENT_SANDBOX_STOPPED] = { "sandbox-stopped", "b2e3e1a2eba747b5918087add46f3bd1", G_LOG_LEVEL_MESSAGE },
  [VP_EVENT_SANDBOX_FAILED] = { "sandbox-failed", "a4da1ec6d116421c8076b21d364dd5c2", G_LOG_LEVEL_WARNING },
  [VP_EVENT_SANDBOX_LOST] = { "sandbox-lost", "a7cb6e586f344a3ab64cfd97da0d1500", G_LOG_LEVEL_WARNING },
  [VP_EVENT_SANDBOX_ADOPTED] = { "sandbox-adopted", "8762c02de40342b2ae8d5783b1760d7f", G_LOG_LEVEL_MESSAGE },
  [VP_EVENT_CONTAINER_EXITED] = { "container-exited", "a12c475948704eec934a60c977d664aa", G_LOG_LEVEL_MESSAGE },
  [VP_EVENT_CONTAINER_OOM] = { "container-oom", "89f6e780e822403cba08b3a05e7ba4cb", G_LOG_LEVEL_WARNING },
  [VP_EVENT_RECORD_QUARANTINED]
  = { "record-quarantined", "d860cf86271241fab43733c1847143e9", G_LOG_LEVEL_WARNING },
  [VP_EVENT_LIBVIRT_CONNECTED]
  = { "libvirt-connected", "d32623bfdab64e0d9ce4b271caf71256", G_LOG_LEVEL_MESSAGE },
  [VP_EVENT_LIBVIRT_LOST] = { "libvirt-lost", "44bcac4565574df186d525e05a43de0d", G_LOG_LEVEL_WARNING },
  [VP_EVENT_GUEST_LIMIT] = { "guest-limit", "9d6f739a06124cf7b951b8d8c3991931", G_LOG_LEVEL_WARNING },
};

const char *
vp_event_get_message_id (VpEvent event)
{
  return table[event].message_id;
}

const char *
vp_event_get_name (VpEvent event)
{
  return table[event].name;
}

void
vp_event (VpEvent event, const char *sandbox, const char *container, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vp_log_full (table[event].level, table[event].message_id, sandbox, container, format, args);
  va_end (args);
}
