/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-sandbox.h"

/* Whether this host can run sandboxes: one row a question, each with what was
 * found and, where that is not good, what to do about it. Looks only. */

typedef enum
{
  VP_CHECK_OK,
  VP_CHECK_WARNING, /* works, but not as well as it could */
  VP_CHECK_ERROR,   /* sandboxes will not start, or not all of them */
} VpCheckStatus;

/* "ok", "warning" or "error". */
const char *vp_check_status_to_string (VpCheckStatus status);

typedef struct
{
  const char *name; /* static: "guest-kernel" */
  VpCheckStatus status;
  char *found; /* one line */
  char *hint;  /* one line; "" when nothing is to do */
} VpCheckRow;

void vp_check_row_free (VpCheckRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpCheckRow, vp_check_row_free)

/* Looks at the host on the services' worker. @connection: the bus to ask about
 * polkit; NULL: not asked. Main thread. */
void vp_check_run_async (const VpServices *services, GDBusConnection *connection, GAsyncReadyCallback callback,
                         gpointer user_data);

/* VpCheckRow *, in the order of the questions; free with g_ptr_array_unref (). Cannot fail. */
GPtrArray *vp_check_run_finish (GAsyncResult *result);
