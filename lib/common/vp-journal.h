/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The journal's native protocol: one datagram an entry, or a sealed memfd with
 * the entry in it when that is too large for a datagram. Any thread. */

#define VP_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Whether @fd is the stream that JOURNAL_STREAM in the environment names, that
 * is, whether what is written to it ends in the journal anyhow. */
gboolean vp_journal_is_stream (int fd);

/* A socket to send entries with; -1 when there is none to be had. It blocks while
 * the journal is busy and needs no care when the journal is restarted. */
int vp_journal_open (void);

/* Sends one entry to @path (VP_JOURNAL_SOCKET but in tests). A field's length below 0 means that it is text that ends with
 * NUL; keys are not checked. FALSE when the journal did not take it; whoever
 * gave the entry then shows it elsewhere. */
gboolean vp_journal_send (int fd, const char *path, const GLogField *fields, gsize n_fields);
