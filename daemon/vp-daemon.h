/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-config.h"

/* The composition root: the only place that wires the objects together. */

typedef enum {
  VP_BUS_SYSTEM,
  VP_BUS_SESSION,
  VP_BUS_ADDRESS,
} VpBusKind;

typedef struct
{
  VpConfig *config;    /* borrowed */
  VpConfig *(*load) (gpointer load_data, GError **error); /* the same again, when it is to be read again */
  gpointer load_data;
  VpBusKind bus;
  const char *address; /* with VP_BUS_ADDRESS */
} VpDaemonOptions;

/* Serves until SIGTERM or SIGINT. Returns an exit status; what went wrong is in the log. */
int vp_daemon_run (const VpDaemonOptions *options);
